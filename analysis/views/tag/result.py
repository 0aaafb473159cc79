"""HTML of one result: summary, marked text, table with a sentence per name, notes and downloads."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from analysis.palette import text_colour
from analysis.views.marks import confidence_attribute, entity_marks, escape_html, marked_text
from analysis.views.tag.sentences import (
    Role,
    Row,
    language_sentence,
    lost_sentence,
    lost_without_trace,
    mismatch_sentence,
    photo_match,
    summary,
    table_rows,
)
from mmner_core.results import Prediction
from mmner_core.serving.reply import tag_reply

if TYPE_CHECKING:
    from analysis.views.questions import Source

_RESULT = """<section class="wb-result" aria-label="Result" data-language="{language}" data-digest="{digest}"
data-photo="{photo}">
<p class="wb-summary" role="status">{summary}</p>{mismatch}
<ul class="wb-facts" aria-label="About this run">{facts}</ul>
{text}
{hint}{table}{lost}{notes}
<p class="wb-downloads">Take it with you: {downloads}{link}</p>
</section>"""
_TABLE = """<div class="wb-scroll" tabindex="0" role="region" aria-label="Table of names">
<table class="wb-table"><thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Confidence</th>
<th scope="col">Runner-up</th><th scope="col">Characters</th></tr></thead>{rows}</table></div>"""
_ROW = """<tbody data-entity="{index}" class="wb-row" aria-selected="{pressed}"{told}><tr>
<th scope="row"><button type="button" class="wb-name" data-entity="{index}" aria-pressed="{pressed}">{name}</button>
</th>
<td><span class="wb-type" style="--mark:{colour};--mark-text:{text_colour}">{type}</span></td>
<td class="wb-number"><span class="wb-meter" style="--share:{percent}%" aria-hidden="true"></span>{confidence:.2f}</td>
<td class="wb-number" data-label="Runner-up">{runner_up}</td>
<td class="wb-number" data-label="Characters">{characters}</td></tr>
<tr><td colspan="5" class="wb-sentence wb-role-{role}">{sentence}</td></tr></tbody>"""
_DOWNLOAD = '<a download="{name}" href="data:{kind};base64,{data}">{label}</a>'
_MESSAGE = '<section class="wb-message wb-{kind}" role="{role}"><h3>{title}</h3><p>{body}</p></section>'
_MISMATCH = '\n<p class="wb-mismatch" role="status">{body}</p>'
_HINT = '<p class="wb-hint">{body}</p>'


def result_html(
    prediction: Prediction,
    colours: Mapping[str, str],
    *,
    selected: int | None = 0,
    source: Source | None = None,
    link: str = "",
) -> str:
    """Return the whole result as HTML.

    Args:
        prediction: what was found.
        colours: of the types.
        selected: the name whose heat map is shown.
        source: the model.
        link: markup of the button that copies a link to the question.
    """
    rows = [_row_html(i, row, colours, i == selected) for i, row in enumerate(table_rows(prediction))]
    return _RESULT.format(
        language=escape_html(prediction.language),
        digest=escape_html(source.digest) if source is not None else "",
        photo="no" if prediction.image_size is None else "yes",
        summary=escape_html(summary(prediction)),
        mismatch=_mismatch(prediction, source),
        facts="".join(f"<li>{escape_html(fact)}</li>" for fact in _facts(prediction, source)),
        text=marked_text(prediction.text, entity_marks(prediction.entities), colours, selected=selected),
        hint=_HINT.format(body=_map_hint(prediction)),
        table=_TABLE.format(rows="".join(rows)) if rows else "",
        lost=_listing("wb-lost", [lost_sentence(entity) for entity in lost_without_trace(prediction)]),
        notes=_listing("wb-notes", prediction.notes, "Notes"),
        downloads=" ".join(_downloads(prediction, source)),
        link=f" {link}" if link else "",
    )


def problem_html(sentence: str) -> str:
    """Return the notice for input that cannot be tagged: what is wrong, and what to do."""
    return _MESSAGE.format(kind="problem", role="alert", title="That did not work", body=escape_html(sentence))


def invitation_html() -> str:
    """Return what stands in the result's place before the first run."""
    return _MESSAGE.format(
        kind="invitation",
        role="note",
        title="Your result appears here",
        body=(
            "The names in your sentence, marked with their type and how sure the model is; and, with a photo, where "
            "it looked for each name and whether the photo changed the answer. Or pick an example above."
        ),
    )


def _row_html(index: int, row: Row, colours: Mapping[str, str], selected: bool) -> str:
    return _ROW.format(
        index=index,
        pressed=str(selected).lower(),
        told=confidence_attribute(row.confidence),
        name=escape_html(row.name),
        type=escape(row.type),
        colour=colours[row.type],
        text_colour=text_colour(colours[row.type]),
        confidence=row.confidence,
        percent=round(100 * row.confidence),
        runner_up=escape(row.runner_up),
        characters=row.characters,
        role="plain" if row.role in (Role.UNKNOWN, Role.UNCHANGED) else "changed",
        sentence=escape_html(row.sentence),
    )


def _facts(prediction: Prediction, source: Source | None) -> list[str]:
    facts = [f"Language: {language_sentence(prediction)}"]
    facts.append(
        "Photo: none" if prediction.image_size is None else "Photo: {} × {} pixels".format(*prediction.image_size)
    )
    facts.append(f"{len(prediction.words)} words")
    if prediction.windows > 1:
        facts.append(f"read in {prediction.windows} overlapping windows")
    if (match := photo_match(prediction)) is not None:
        facts.append(f"Photo–text match: {match:+.2f} (cosine, −1 to 1)")
    if source is not None:
        facts.append(f"Model: {source.name} ({source.digest[:8]})")
    return facts


def _mismatch(prediction: Prediction, source: Source | None) -> str:
    sentence = mismatch_sentence(prediction, source.measured.low_match if source is not None else None)
    return _MISMATCH.format(body=escape_html(sentence)) if sentence else ""


def _map_hint(prediction: Prediction) -> str:
    """Say how to get a heat map, or why there is none."""
    if prediction.image_size is None:
        return "No photo, so no heat map: add one to see where the model looks for each name."
    if not prediction.entities:
        return "No names, so no heat map: it shows where the model looked for a name."
    if not prediction.attention:
        return "This model has no image stream, so there is no heat map."
    return "Click a name, here or in the table, to see its heat map below."


def _listing(kind: str, sentences: tuple[str, ...] | list[str], title: str = "") -> str:
    if not sentences:
        return ""
    heading = f"<h4>{title}</h4>" if title else ""
    items = "".join(f"<li>{escape_html(sentence)}</li>" for sentence in sentences)
    return f'<div class="{kind}">{heading}<ul>{items}</ul></div>'


def _downloads(prediction: Prediction, source: Source | None) -> list[str]:
    # Links that carry their data need no file on the server that would have to be guarded and removed.
    record = prediction.to_json() if source is None else tag_reply(prediction, source.name, source.digest)
    as_json = json.dumps(record, indent=2)
    files = (
        ("names.json", "application/json", as_json, "JSON"),
        ("names.bio", "text/plain", prediction.to_bio(), "BIO"),
    )
    return [
        _DOWNLOAD.format(
            name=name,
            kind=kind,
            data=base64.b64encode(content.encode("utf-8", "replace")).decode("ascii"),
            label=label,
        )
        for name, kind, content, label in files
    ]
