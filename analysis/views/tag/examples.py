"""The ready examples of the first tab: read from the demo folder, shown as a strip of cards."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.views.inlined import data_url
from analysis.views.rendering import render
from mmner_core.text.language_names import LANGUAGE_NAMES

if TYPE_CHECKING:
    from markupsafe import Markup

DEMO = Path(__file__).resolve().parents[2] / "demo"
_THUMBNAIL = (192, 144)  # pixels, twice the size on screen so that it stays sharp on dense displays


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoExample:
    """One ready example: a text, its language, a photo or None, and what it is there to show."""

    text: str
    language: str
    photo: Path | None
    shows: str


@cache
def demo_examples() -> tuple[DemoExample, ...]:
    """Read the examples, in the order in which they are numbered from 1 in links."""
    records = json.loads((DEMO / "examples.json").read_text(encoding="utf-8"))
    return tuple(
        DemoExample(
            text=record["text"],
            language=record["language"],
            photo=DEMO / "photos" / record["photo"] if record["photo"] else None,
            shows=record["shows"],
        )
        for record in records
    )


def example_by_number(number: str | None) -> DemoExample | None:
    """Return the example a link names (``?wb-example=3``), or None where it names none that exists."""
    return {str(i): example for i, example in enumerate(demo_examples(), start=1)}.get(number or "")


@cache
def strip_html() -> Markup:
    """Return the examples as cards, grouped by language."""
    groups: dict[str, list[tuple[int, DemoExample, str]]] = {}
    for number, example in enumerate(demo_examples(), start=1):
        photo = "" if example.photo is None else _thumbnail(example.photo)
        groups.setdefault(LANGUAGE_NAMES[example.language], []).append((number, example, photo))
    return render("tag/examples", groups=groups.items())


@cache
def credits_html() -> Markup:
    """Return author, licence and source of each photo among the examples, as their licences ask."""
    used = {example.photo.name for example in demo_examples() if example.photo}
    with open(DEMO / "CREDITS.tsv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["file"] in used]
    return render("tag/credits", rows=rows)


@cache
def _thumbnail(photo: Path) -> str:
    from PIL import Image, ImageOps

    with Image.open(photo) as image:
        return data_url(ImageOps.fit(image.convert("RGB"), _THUMBNAIL), quality=70)
