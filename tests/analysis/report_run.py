"""Small runs for figures, panels and report: one with all that a model gives, one of tags alone, an empty one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.evaluation.writer import write_run
from analysis.heat_maps.study import RANDOM_MODEL, RANDOM_ORDER
from analysis.image_effect.shapley import TEXT_AND_STREAMS
from analysis.run.answers import Answers
from analysis.run.folder import EvaluationRun
from analysis.run.json_rows import to_records
from analysis.run.lexicon import Lexicon
from analysis.run.pair_facts import PairFacts
from analysis.space.contrastive import contrastive_table
from tests.analysis.small_run import small_table

EVIL = "<script>document.title='owned'</script>"
LANGUAGES = ("en", "fr", "de", "es")
CONDITIONS = ("matched", "shuffled", "blank", "lower_case", "blur-1", "blur-5", *TEXT_AND_STREAMS.values())
N = 48
_GOLD = ("B-PER I-PER O B-LOC", "B-LOC I-LOC O B-ORG", "B-ORG I-ORG O B-PER")


def model_run(folder: Path, *, words: str = "Ada Byron saw Paris", seed: int = 0, name: str = "ours") -> EvaluationRun:
    """Write a run with every condition, stored studies, a lexicon, vectors and a map.

    Sentences i and i + 4 have the same words, language and another image and gold: minimal pairs.
    """
    rng = np.random.default_rng(seed)
    tables = []
    for condition in dict.fromkeys(CONDITIONS):
        rows = []
        for i in range(N):
            gold = _GOLD[i // 4 % 3]
            tags = gold if rng.random() < (0.7 if condition == "matched" else 0.4) else _GOLD[(i // 4 + 1) % 3]
            rows.append((words, gold, "O O O O" if rng.random() < 0.1 else tags))
        with_image = condition not in ("none", "nothing")
        tables.append(
            small_table(
                rows,
                condition=condition,
                language=[LANGUAGES[i % 4] for i in range(N)],
                kind=["exact-entity" if i % 2 else "irrelevant" for i in range(N)],
                image_id=[f"photo{i}" if with_image else "" for i in range(N)],
                shown_words=[words.lower().split() if condition == "lower_case" else None] * N,
                cosine=[float(rng.uniform(-1, 1)) if with_image else None for _ in range(N)],
            )
        )
    vectors = {name: rng.normal(size=(N, 8)).astype(np.float32) for name in ("text", "image_vit")}
    ids, languages = [f"photo{i}" for i in range(N)], [LANGUAGES[i % 4] for i in range(N)]
    lexicon = Lexicon(types={"Ada Byron": frozenset({"PER"})})
    facts = PairFacts.of(Answers.from_table(tables[0]), lexicon)
    space = contrastive_table(vectors["text"], vectors["image_vit"], ids, languages, facts=facts)
    entities = {"sentence_id": np.arange(N), "start": np.zeros(N), "end": np.full(N, 2)}
    entities |= {"gold": np.arange(N) % 3, "predicted": np.arange(N) % 4 - 1}
    write_run(
        folder / name,
        pa.concat_tables(tables),
        metrics={**studies(), "contrastive": to_records(space)},
        provenance={
            "command": f"python -m analysis run --data 'the data' --out {name}",
            "data": {"path": "the data", "split": "test", "digest": "d1"},
            "checkpoint": {"path": "mini", "digest": "feedbeef00112233"},
            "types": ["PER", "LOC", "ORG"],
            "seed": seed,
        },
        lexicon=lexicon,
        embeddings=vectors | {f"entity_{key}": value.astype(np.int32) for key, value in entities.items()},
        coordinates=_coordinates(rng),
    )
    return EvaluationRun.open(folder / name)


def tags_run(words: str = "Ada Byron saw Paris", *, n: int = 2, languages: tuple[str, ...] = ("en",)) -> EvaluationRun:
    """Make a run of another system's tags: no probabilities, one condition, no photos."""
    rows = [(words, _GOLD[0], _GOLD[0] if i % 2 else "O O O B-LOC") for i in range(n)]
    language = [languages[i % len(languages)] for i in range(n)]
    table = small_table(rows, condition="as given", model=False, language=language, image_id=[""] * n)
    return EvaluationRun.from_table(table.set_column(8, "image_path", pa.array([""] * n)), name="theirs")


def empty_run() -> EvaluationRun:
    """Make a run in which nothing is annotated and nothing was found."""
    return EvaluationRun.from_table(
        small_table([("nothing here", "O O", "O O")], condition="as given", model=False), name="empty"
    )


def studies() -> dict[str, object]:
    """Return tests of heat maps as :mod:`analysis.heat_maps.study` stores them."""
    methods = {"attention": 0.05, "occlusion": 0.6, f"attention{RANDOM_MODEL}": 0.04}
    quantities = ("deletion_auc", "insertion_auc", "deletion_gain", "insertion_gain", "better_than_chance")
    bounds = {method: {"value": v, "low": v - 0.04, "high": v + 0.1, "n": 24} for method, v in methods.items()}
    curve = [{"share": share, "value": 1 - share / 2, "low": 0.4, "high": 1.0} for share in (0.0, 0.5, 1.0)]
    names = (*methods, RANDOM_ORDER)
    return {
        "maps": [{"method": m, "quantity": q, **bounds[m]} for m in methods for q in quantities],
        "map_curves": [{"kind": k, "method": m, **p} for k in ("deletion", "insertion") for m in names for p in curve],
        "map_sample": [{"looked_at": 60, "tested": 24, "matters": 0.2}],
        "mosaics": [
            {"layout": layout, "method": m, "type": kind, "hit": v, "low": None, "high": None, "n": 8, "mass": 0.5}
            | {"chance": 0.5, "swap": 0.3 if layout == "two" else None}
            for m, v in methods.items()
            for layout in ("two", "same photo twice")
            for kind in ("all", "PER")
        ],
        "mosaics_left_out": [{"what": "sentences without a photo", "n": 3}],
        "boxes": [
            {"method": m, "type": kind, "hit": v, "low": v, "high": v, "chance": 0.3, "mass": 0.4, "n": 5}
            for m, v in methods.items()
            for kind in ("all", "PER")
        ],
        "map_similarity": [{"method": "attention", "value": 0.9, "low": None, "high": None, "n": 4}],
        "pointing": [
            {"method": m, "language": "all", "quantity": q, "chance": 0.5, **bounds[m]}
            for m in ("attention", "occlusion")
            for q in ("hit", "mass")
        ],
        "leakage": [{"language": "all", "what": "exact sentence", "n_leaked": 1, "n": N, "share": 1 / N}],
        "leakage_pairs": [
            {"test_where": "test.txt:1", "train_where": "train.txt:9", "what": "exact sentence", "similarity": 1.0}
            | {"text": EVIL}
        ],
    }


def _coordinates(rng: np.random.Generator) -> pa.Table:
    parts = [("pairs", "text"), ("pairs", "image"), ("entities", "entity")]
    frames = [
        pd.DataFrame({"map": m, "modality": modality, "sentence_id": range(N), "entity": range(N)})
        for m, modality in parts
    ]
    table = pd.concat(frames, ignore_index=True)
    for column in ("umap_x", "umap_y", "pca_x", "pca_y"):
        table[column] = rng.normal(size=len(table)).astype(np.float32)
    return pa.Table.from_pandas(table, preserve_index=False)


def figure_texts(figure: object) -> str:
    """Return a figure as the JSON that a page gets."""
    from analysis.figures import figure_json

    content: dict[str, object] = json.loads(figure_json(figure))
    return json.dumps(content)
