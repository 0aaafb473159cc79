"""The ready examples of the first tab: read from the demo folder, shown as a strip of cards."""

from __future__ import annotations

import base64
import csv
import io
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from analysis.views.marks import escape_html
from mmner_core.text.words import LANGUAGE_NAMES

DEMO = Path(__file__).resolve().parents[2] / "demo"
_THUMBNAIL = (192, 144)  # pixels, twice the size on screen so that it stays sharp on dense displays
_STRIP = '<div class="wb-strip">{groups}</div>'
_GROUP = """<section class="wb-group" aria-label="{language}"><h4>{language}</h4>
<div class="wb-cards">{cards}</div></section>"""
_CARD = """<button type="button" class="wb-example" data-example="{number}" title="{text}">{photo}
<span class="wb-example-shows">{shows}</span><span class="wb-example-text" lang="{code}">{text}</span></button>"""
_PHOTO = '<img class="wb-example-photo" alt="" src="data:image/webp;base64,{data}">'
_NO_PHOTO = '<span class="wb-example-photo wb-example-none" aria-hidden="true">{text}</span>'

_CREDITS = """<details class="wb-credits"><summary>Who took the example photos</summary><ul>{credits}</ul></details>"""
_CREDIT = "<li>{shows}: {author}, {licence}{source}</li>"
_SOURCE = ' (<a href="{url}" target="_blank" rel="noopener noreferrer">source</a>)'


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
def strip_html() -> str:
    """Return the examples as cards, grouped by language."""
    numbered = list(enumerate(demo_examples(), start=1))
    groups = []
    for code in dict.fromkeys(example.language for _, example in numbered):
        cards = "".join(_card(number, example) for number, example in numbered if example.language == code)
        groups.append(_GROUP.format(language=LANGUAGE_NAMES[code], cards=cards))
    return _STRIP.format(groups="".join(groups))


@cache
def credits_html() -> str:
    """Return author, licence and source of each photo among the examples, as their licences ask."""
    used = {example.photo.name for example in demo_examples() if example.photo}
    with open(DEMO / "CREDITS.tsv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["file"] in used]
    items = [
        _CREDIT.format(
            shows=escape_html(row["shows"]),
            author=escape_html(row["author"]),
            licence=escape_html(row["licence"]),
            source=_SOURCE.format(url=escape_html(row["url"])) if row["url"] else "",
        )
        for row in rows
    ]
    return _CREDITS.format(credits="".join(items))


def _card(number: int, example: DemoExample) -> str:
    if example.photo is None:
        photo = _NO_PHOTO.format(text=escape_html(example.text))
    else:
        photo = _PHOTO.format(data=_thumbnail(example.photo))
    return _CARD.format(
        number=number,
        photo=photo,
        shows=escape_html(example.shows),
        code=example.language,
        text=escape_html(example.text),
    )


@cache
def _thumbnail(photo: Path) -> str:
    from PIL import Image, ImageOps

    buffer = io.BytesIO()
    with Image.open(photo) as image:
        ImageOps.fit(image.convert("RGB"), _THUMBNAIL).save(buffer, "WEBP", quality=70)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
