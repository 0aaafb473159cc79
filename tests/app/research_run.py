"""Runs for tests of the research tabs: one made by the tiny model, one written by hand with hostile text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.evaluation.engine import Engine
from analysis.evaluation.plan import condition_names, plan_run
from analysis.evaluation.shard_vectors import shard_vectors
from analysis.evaluation.tagged import to_table
from analysis.evaluation.writer import write_run
from analysis.run.evaluation_set import read_evaluation_set
from analysis.space.stored_maps import build_maps
from mmner_core.inference.tagger import Tagger
from tests.analysis.small_run import small_table

DATA = Path(__file__).resolve().parents[1] / "data" / "tiny"
EVIL = '<script>document.title="x"</script>'


def write_tiny_run(checkpoint: Path, folder: Path) -> Path:
    """Tag the tiny data with a checkpoint under the usual conditions and write the run."""
    tagger = Tagger.load(checkpoint)
    data = read_evaluation_set(DATA, images=DATA / "images")
    plan = plan_run(data.examples, condition_names((), corruptions=False, hidden=True), streams=tagger_streams(tagger))
    engine = Engine(tagger)
    gold = [list(example.tags or ()) for example in data.examples]
    tagged = engine.tag([example.words for example in data.examples], gold, plan.conditions)
    arrays = shard_vectors(tagged, gold, plan.main, tagger.labels.types, 0, engine.aligned)
    provenance: dict[str, Any] = {
        "command": ["python", "-m", "analysis", "run"],
        "split": "test",
        "data": data.to_json(),
        "checkpoint": {"path": str(checkpoint), "digest": tagger.digest},
    }
    return write_run(
        folder,
        to_table(tagged.answers, data, 0),
        metrics={},
        provenance=provenance,
        embeddings=arrays,
        coordinates=pa.Table.from_pandas(build_maps(arrays), preserve_index=False),
    )


def tagger_streams(tagger: Tagger) -> tuple[str, ...]:
    """Return the image streams of a checkpoint."""
    return tuple(tagger.model.config.fusion.streams)


def write_hand_made_run(folder: Path) -> Path:
    """Write six sentences with one error each way: two languages, markup in the text, a photo that is nowhere."""
    rows = [
        ("Ada lives", "B-PER O", "B-PER O"),
        ("Ada lives", "B-PER O", "B-ORG O"),
        (f"{EVIL} x", "B-LOC O", "O O"),
        ("in Rome now", "O B-LOC O", "O B-LOC I-LOC"),
        ("no name", "O O", "B-MISC O"),
        ("Bo and Cy", "B-PER O B-PER", "B-ORG O B-ORG"),
    ]
    languages = ["en", "en", "en", "de", "de", "de"]
    paths = ["/etc/hostname", "../../secret.jpg", "", "photo\0.jpg", "photo4.jpg", "photo5.jpg"]
    options = {"language": languages, "image_path": [path.replace("\0", "") for path in paths]}
    tables = [
        small_table(rows, **options),
        small_table([(w, g, g) for w, g, _ in rows], condition="none", cosine=[None] * 6, **options),
    ]
    ids = np.arange(6, dtype=np.int32)
    vectors = np.random.default_rng(3).normal(size=(2, 6, 4)).astype(np.float16)
    return write_run(
        folder,
        pa.concat_tables(tables),
        metrics={},
        provenance={"command": "by hand", "split": "test", "data": {"path": "/"}},
        embeddings={
            "sentence_id": ids,
            "text": vectors[0],
            "image_vit": vectors[1],
            "has_image": np.ones(6, dtype=np.uint8),
        },
    )


def write_long_run(folder: Path) -> Path:
    """Write 45 sentences with one error each: three pages of the failure table, and of the list of a cell's sentences.

    The run cannot show more than tables: it has no vectors.
    """
    table = small_table([(f"Ada{i} lives", "B-PER O", "B-ORG O") for i in range(45)])
    return write_run(folder, table, metrics={}, provenance={"command": "by hand", "split": "test"})
