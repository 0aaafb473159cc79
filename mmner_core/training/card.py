"""Writes the model card: what a checkpoint is, what it was trained on, how well it does, where it fails."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from mmner_core.config import ModelConfig
from mmner_core.data.text_files import write_lines
from mmner_core.evaluation.image_shuffling import averaged
from mmner_core.text.language_names import LANGUAGES

TEMPLATE = Path(__file__).with_name("card.md")
SOURCES = {
    "wikineural": "WikiNEuRal (Wikipedia, silver labels), CC BY-NC-SA 4.0",
    "mmnerd": "MMNERD, English text (captions and posts); its authors state no licence",
    "mmwiki": "sentences of WikiNEuRal, CoNLL, WikiGold and MMNERD, each paired with a photo; most photos state no "
    "licence, so they are not redistributed",
    "mmwiki/pairs.tsv": "the photos of mmwiki and the types of what they show",
    "mmwiki-short": "the pairs of mmwiki, cut to the name and up to three words on either side",
    "grounding/boxes.jsonl": "photos of persons and of logos in scenes, with boxes around what they name",
    "posts": "posts: English from the Broad Twitter Corpus (CC BY 4.0), German and Spanish from xLiMe (MIT)",
    "twitter2017": "Twitter-2017, English text, train",
    "probe": "ambiguous names in open contexts, the same words with images of different types",
}


def render_card(config: ModelConfig, metrics: Mapping[str, Any], provenance: Mapping[str, Any]) -> str:
    """Return the card as Markdown.

    Args:
        config: the model.
        metrics: "valid" scores; where they are there, "test": records of ``evaluate --json``, and "photo": by data
            set, the ``modality`` rows of the ``metrics.json`` that ``python -m analysis run`` writes, and "pointing":
            the rows of ``python -m analysis point --json``.
        provenance: of the checkpoint.
    """
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(card_parts(config, metrics, provenance))


def card_parts(config: ModelConfig, metrics: Mapping[str, Any], provenance: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of the template's placeholders by name; see :func:`render_card`."""
    stages = _stages(provenance)
    encoders = [config.text.name, *(image.name for image in (config.vit, config.cnn) if image is not None)]
    return dict(
        name=stages[-1]["run"],
        types=", ".join(config.types),
        conventions=", ".join(config.conventions) or "one",
        default_convention=config.conventions[0] if config.conventions else "the only one",
        encoders=" and ".join(f"`{name}`" for name in encoders),
        test=_test_table(metrics.get("test", ())),
        photo=_photo_table(metrics.get("photo", {})),
        mosaics=_mosaics_table(metrics.get("pointing", {}).get("mosaics", ())),
        boxes=_boxes_table(metrics.get("pointing", {}).get("boxes", ())),
        valid=_valid_table(metrics["valid"]),
        sources=_sources({name: digest for stage in stages for name, digest in stage["data"].items()}),
        command="\n".join(dict.fromkeys(stage["command"] for stage in stages)),
        seconds=" and ".join(f"{stage['seconds']:,}" if "seconds" in stage else "?" for stage in stages),
        seed=" and ".join(str(seed) for seed in dict.fromkeys(stage["seed"] for stage in stages)),
        commit="`, then `".join(stage["commit"] or "not recorded" for stage in stages),
        looks=_looks([look for stage in stages for look in stage.get("looks", ())]),
        versions=", ".join(f"{name} {number}" for name, number in provenance["versions"].items()),
    )


_UNTOLD: dict[str, Any] = {
    "run": "unnamed",
    "command": "# not recorded",
    "seed": "?",
    "commit": None,
    "data": {},
}
"""What stands for that which a checkpoint from elsewhere does not tell."""


def _stages(provenance: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the provenance of each run that contributed to the weights, in order."""
    origin = provenance.get("init")
    return [*(_stages(origin) if origin else ()), {**_UNTOLD, **provenance}]


def _looks(looks: Sequence[str]) -> str:
    """State how often the test splits were looked at, and which."""
    if not looks:
        return "The test splits were not looked at."
    times = "once" if len(looks) == 1 else f"{len(looks)} times"
    return f"The test splits were looked at {times}:\n\n" + "\n".join(f"{n}. {look}" for n, look in enumerate(looks, 1))


def add_test_scores(
    folder: Path,
    records: Sequence[Mapping[str, Any]],
    photo: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    *,
    pointing: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    look: str,
) -> None:
    """Store test records, and what photos change, in a checkpoint's metrics and write its card anew.

    The weights and the checkpoint's digest stay as they are; see :func:`render_card` for the records' form.

    Args:
        folder: the checkpoint.
        records: of ``evaluate --json``.
        photo: by data set, rows of ``python -m analysis run``.
        pointing: "mosaics" and "boxes", the rows of ``python -m analysis point --json``.
        look: what was looked at on the test splits and what was decided by it; provenance keeps them all.
    """
    read = {name: json.loads((folder / name).read_text(encoding="utf-8")) for name in _FILES}
    shown = {data: [row for row in rows if _in_photo_table(row)] for data, rows in (photo or {}).items()}
    metrics = {**read["metrics.json"], "test": list(records), "photo": shown, "pointing": dict(pointing or {})}
    provenance = {**read["provenance.json"], "looks": [*read["provenance.json"].get("looks", ()), look]}
    config = ModelConfig.from_dict(read["config.json"], str(folder / "config.json"))
    card = render_card(config, metrics, provenance)
    for name, content in (("metrics.json", metrics), ("provenance.json", provenance)):
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        write_lines(folder / name, [text], overwrite=True)
    write_lines(folder / "README.md", [card], overwrite=True)


_FILES = ("metrics.json", "config.json", "provenance.json")


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _valid_table(rows: Sequence[Mapping[str, Any]]) -> str:
    return _by_language([(row["source"], row["images"], row["language"], row) for row in rows])


def _by_language(scores: Sequence[tuple[str, str, str | None, Mapping[str, Any]]]) -> str:
    """Return a table with a row for each data set and image condition, and a column for each language.

    Args:
        scores: data set, image condition, language and the scores there.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for data, images, language, part in scores:
        f1, precision, recall = (f"{100 * part[key]:.1f}" for key in ("f1", "precision", "recall"))
        rows.setdefault((data, images), {})[language or "?"] = f"{f1} ({precision}, {recall}; {part['support']:,})"
    met = dict.fromkeys(language for cells in rows.values() for language in cells)
    languages = [*(known for known in LANGUAGES if known in met), *(other for other in met if other not in LANGUAGES)]
    lines = [(*row, *(cells.get(language, "") for language in languages)) for row, cells in rows.items()]
    return _table(("data", "images", *languages), lines)


def _images(record: Mapping[str, Any]) -> str:
    n = len(averaged(record))
    return f"{record['image_condition']}, mean of {n}" if n > 1 else record["image_condition"]


def _test_table(records: Sequence[Mapping[str, Any]]) -> str:
    if not records:
        return "Not scored yet; see `python -m mmner_core evaluate --help`."
    return _by_language(
        [
            (f"{record['data']} ({record['convention']})", _images(record), language, part)
            for record in records
            for language, part in record["by_language"].items()
        ]
    )


PHOTO_CONDITIONS = ("matched", "shuffled", "other_type", "irrelevant")


def _in_photo_table(row: Mapping[str, Any]) -> bool:
    return row["condition"] in PHOTO_CONDITIONS and row["type"] == "all"


def _photo_table(by_data: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    if not by_data:
        return "Not measured yet; see `python -m analysis run --help`."
    rows = []
    for data, differences in by_data.items():
        for language in dict.fromkeys(row["language"] for row in differences):
            cells = {r["condition"]: _difference(r) for r in differences if r["language"] == language}
            rows.append((data, language, *(cells.get(name, "") for name in PHOTO_CONDITIONS)))
    return _table(("data", "language", *PHOTO_CONDITIONS), rows)


def _mosaics_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a row for each layout and map: all names, each type, and both sentences of a mosaic."""
    if not rows:
        return _UNPOINTED
    types = list(dict.fromkeys(row["type"] for row in rows if row["type"] != "all"))
    lines = []
    for layout, method in dict.fromkeys((row["layout"], row["method"]) for row in rows):
        of = {row["type"]: row for row in rows if (row["layout"], row["method"]) == (layout, method)}
        each = (_percent(of[name], "hit") if name in of else "" for name in types)
        whole = of["all"]
        cells = _hit(whole), *each, _percent(whole, "chance"), _percent(whole, "swap"), f"{whole['n']:,}"
        lines.append((layout, method, *cells))
    return _table(("layout", "map", "all", *types, "chance", "both sentences", "sentences"), lines)


def _boxes_table(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return _UNPOINTED
    lines = [(r["type"], r["method"], _hit(r), _percent(r, "chance"), f"{r['n']:,}") for r in rows]
    return _table(("type", "map", "inside", "chance", "sentences"), lines)


_UNPOINTED = "Not measured yet; see `python -m analysis point --help`."


def _hit(row: Mapping[str, Any]) -> str:
    return f"{_percent(row, 'hit')} [{_percent(row, 'low')}, {_percent(row, 'high')}]"


def _percent(row: Mapping[str, Any], key: str) -> str:
    return "" if row.get(key) is None else f"{100 * row[key]:.0f}"


def _difference(row: Mapping[str, Any]) -> str:
    points = [f"{100 * row[key]:+.1f}".replace("-0.0", "+0.0") for key in ("difference", "low", "high")]
    return f"{points[0]} [{points[1]}, {points[2]}]"


def _sources(digests: Mapping[str, str]) -> str:
    names = [name.removeprefix("train:") for name in digests if name.startswith("train:")]
    return "\n".join(
        f"- `{name}`: {SOURCES.get(name.split()[0], 'licence not recorded')}; SHA-256 `{digests[f'train:{name}'][:16]}`"
        for name in names
    )
