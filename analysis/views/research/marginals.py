"""The loaded model's answer to the sentence in the inspector: marginals of each word, and a heat map per name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from analysis.conditions.conditions import STRESSED
from analysis.panels.faithfulness import chance_badge
from analysis.views.heat_map.kinds import ATTENTION, KINDS, kind_choices
from analysis.views.heat_map.rendered import MapControls, RenderedHeatMap
from analysis.views.heat_map.side_by_side import SIDE_BY_SIDE, SIDE_BY_SIDE_NAME, side_by_side_html
from analysis.views.inlined import data_url
from analysis.views.rendering import render
from analysis.views.research.tab_request import RenderedPart, TabRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.views.questions import TagAnswer


def draw_marginals(request: TabRequest) -> RenderedPart:
    """Return marginals and heat map of the chosen sentence, empty while none is chosen.

    Raises:
        InputError: if the checkpoint or the photo cannot be used.
    """
    sentence = request.view.sentence_id
    row = None if sentence is None else request.row_of(sentence)
    if row is None:
        return RenderedPart(html="")
    answers = request.answers
    of_sentence = answers.sentences.iloc[row]
    photo = request.images.find(request.run, of_sentence["image_path"])
    sentence_of_run = (answers.words_of(row), photo, of_sentence["language"])
    answer = request.model.answer(*sentence_of_run)
    prediction = answer.prediction
    html = render(
        "research/marginals",
        notes=_notes(request, of_sentence["image_id"], photo is not None),
        map=_map(answer, request, partial(request.model.render_heat_map, *sentence_of_run)),
        tags=request.model.tags,
        rows=[(w.text, p.tolist()) for w, p in zip(prediction.words, prediction.marginals, strict=True)],
    )
    return RenderedPart(html=html)


def _notes(request: TabRequest, image_id: str, found: bool) -> list[str]:
    notes = []
    checkpoint = request.run.provenance.get("checkpoint")
    digest = checkpoint.get("digest") if isinstance(checkpoint, dict) else None
    if digest != request.model.digest:
        whose = f"made by {str(digest)[:8]}" if digest else "not made by a checkpoint of this workbench"
        notes.append(f"The loaded model is {request.model.digest[:8]}, the run was {whose}: answers may differ.")
    if image_id and not found:
        notes.append("The photo of the run is not here, so this is the text alone.")
    if "-" in request.condition and found:
        notes.append("The photo is shown to the model as it is, not corrupted as in the run.")
    if request.condition in STRESSED:
        notes.append("The words are shown to the model as they are, not changed as in the run.")
    return notes


def _map(
    answer: TagAnswer, request: TabRequest, draw: Callable[[int, MapControls], RenderedHeatMap]
) -> dict[str, Any] | None:
    """Return what is shown of a name's heat map; None where there is none."""
    prediction = answer.prediction
    if answer.photo is None or not prediction.attention or not prediction.entities:
        return None
    chosen, kind = min(request.view.entity_index, len(prediction.entities) - 1), request.view.kind or ATTENTION
    pointing = answer.source.measured.pointing if answer.source is not None else {}
    several = kind == SIDE_BY_SIDE
    # A run puts the kinds on trial by the same names.
    badges = {one: chance_badge(request.run, one) for one in (KINDS if several else (kind,))}
    found = {
        "names": [entity.text for entity in prediction.entities],
        "chosen": chosen,
        "kinds": {value: name for name, value in kind_choices(pointing)} | {SIDE_BY_SIDE: SIDE_BY_SIDE_NAME},
        "kind": kind,
        "badges": [f"{KINDS[one].name} maps, in this run: {badge}" for one, badge in badges.items() if badge],
    }
    if several:
        return found | {"all": side_by_side_html(lambda one: draw(chosen, MapControls(kind=one)), pointing)}
    drawn = draw(chosen, MapControls(kind=kind))
    return found | {"data": data_url(drawn.image), "alternative": drawn.alternative, "caption": drawn.caption}
