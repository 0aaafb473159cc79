"""One result as markup: summary, marked text, table with a sentence per name, notes and downloads."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from analysis.views.marks import entity_marks, marked_text
from analysis.views.rendering import macros, render
from analysis.views.tag.sentences import (
    answer_summary,
    language_sentence,
    lost_sentence,
    lost_without_trace,
    mismatch_sentence,
    photo_match,
    table_rows,
)
from mmner_core.results import Prediction
from mmner_core.serving.reply import tag_reply

if TYPE_CHECKING:
    from markupsafe import Markup

    from analysis.views.questions import Source


def result_html(
    prediction: Prediction,
    colours: Mapping[str, str],
    *,
    selected: int | None = 0,
    source: Source | None = None,
    link: Markup | str = "",
) -> Markup:
    """Return the whole result.

    Args:
        prediction: what was found.
        colours: of the types.
        selected: the name whose heat map is shown.
        source: the model.
        link: markup of the button that copies a link to the question.
    """
    return render(
        "tag/result",
        prediction=prediction,
        source=source,
        summary=answer_summary(prediction),
        mismatch=mismatch_sentence(prediction, source.measured.low_match if source is not None else None),
        facts=_facts(prediction, source),
        text=marked_text(prediction.text, entity_marks(prediction.entities), colours, selected=selected),
        hint=_map_hint(prediction),
        rows=table_rows(prediction),
        colours=colours,
        selected=selected,
        lost=[lost_sentence(entity) for entity in lost_without_trace(prediction)],
        downloads=_downloads(prediction, source),
        link=link,
    )


def problem_html(sentence: str) -> Markup:
    """Return the notice for input that cannot be tagged: what is wrong, and what to do."""
    return macros("tag/macros").message("problem", "alert", "That did not work", sentence)


def invitation_html() -> Markup:
    """Return what stands in the result's place before the first run."""
    body = (
        "The names in your sentence, marked with their type and how sure the model is; and, with a photo, where it "
        "looked for each name and whether the photo changed the answer. Or pick an example above."
    )
    return macros("tag/macros").message("invitation", "note", "Your result appears here", body)


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


def _map_hint(prediction: Prediction) -> str:
    """Say how to get a heat map, or why there is none."""
    if prediction.image_size is None:
        return "No photo, so no heat map: add one to see where the model looks for each name."
    if not prediction.entities:
        return "No names, so no heat map: it shows where the model looked for a name."
    if not prediction.attention:
        return "This model has no image stream, so there is no heat map."
    return "Click a name, here or in the table, to see its heat map below."


def _downloads(prediction: Prediction, source: Source | None) -> list[dict[str, str]]:
    # Links that carry their data need no file on the server that would have to be guarded and removed.
    record = prediction.to_json() if source is None else tag_reply(prediction, source.name, source.digest)
    files = (
        ("names.json", "application/json", json.dumps(record, indent=2), "JSON"),
        ("names.bio", "text/plain", prediction.to_bio(), "BIO"),
    )
    return [
        {
            "name": name,
            "kind": kind,
            "data": base64.b64encode(content.encode("utf-8", "replace")).decode("ascii"),
            "label": label,
        }
        for name, kind, content, label in files
    ]
