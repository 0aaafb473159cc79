"""The loaded model's answer to the sentence in the inspector: marginals of each word, and a heat map per name."""

from __future__ import annotations

import base64
import io
from functools import partial
from typing import TYPE_CHECKING

from analysis.conditions.conditions import STRESSED
from analysis.panels.faithfulness import chance_badge
from analysis.views.heat_map.kinds import ATTENTION, KINDS, kind_choices
from analysis.views.heat_map.rendered import MapControls, RenderedHeatMap
from analysis.views.marks import escape_html
from analysis.views.research.panel_html import badges_html
from analysis.views.research.rendering import select_html, set_attribute
from analysis.views.research.tab_request import RenderedPart, TabRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from analysis.views.questions import TagAnswer
    from mmner_core.results import Prediction

_LIVE = """<h4>What the model sees in each word and in the photo</h4>{note}{map}<p class="wb-how">{how}</p>
<div class="wb-scroll wb-long" tabindex="0" role="region" aria-label="Marginals per word">
<table class="wb-grid wb-marginals"><thead><tr><th scope="col">word</th>{head}</tr></thead><tbody>{body}</tbody>
</table></div>"""
_HOW = (
    "Each row is one word with the CRF's exact probability of every tag; a row with two dark cells is where the model "
    "wavers."
)
_CELL = '<td style="--share:{share:.3f}">{text}</td>'
_MAP = """<div class="wb-live-map"><div class="wb-choices" role="group" aria-label="Heat map of">{names}</div>
<div class="wb-choices">{kinds}</div>{badges}
<img class="wb-photo" src="{data}" alt="{alternative}">{caption}</div>"""
_NAME = '<button type="button" class="wb-quiet" aria-pressed="{pressed}" {set}>{name}</button>'


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
    notes = _notes(request, of_sentence["image_id"], photo is not None)
    head = "".join(f'<th scope="col">{escape_html(tag)}</th>' for tag in request.model.tags)
    return RenderedPart(
        html=_LIVE.format(
            how=_HOW,
            note="".join(f'<p class="wb-how wb-warned">{escape_html(note)}</p>' for note in notes),
            map=_map(answer, request, partial(request.model.render_heat_map, *sentence_of_run)),
            head=head,
            body=_rows(answer.prediction),
        )
    )


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


def _rows(prediction: Prediction) -> str:
    rows = []
    for word, marginals in zip(prediction.words, prediction.marginals, strict=True):
        cells = "".join(_CELL.format(share=p, text=f"{p:.2f}" if p >= 0.005 else "") for p in marginals.tolist())
        rows.append(f'<tr><th scope="row">{escape_html(word.text)}</th>{cells}</tr>')
    return "".join(rows)


def _map(answer: TagAnswer, request: TabRequest, draw: Callable[[int, MapControls], RenderedHeatMap]) -> str:
    prediction = answer.prediction
    if answer.photo is None or not prediction.attention or not prediction.entities:
        return ""
    chosen, kind = min(request.view.entity_index, len(prediction.entities) - 1), request.view.kind or ATTENTION
    drawn = draw(chosen, MapControls(kind=kind))
    badge = chance_badge(request.run, kind)  # a run puts the kinds on trial by the same names
    pointing = answer.source.measured.pointing if answer.source is not None else {}
    buffer = io.BytesIO()
    drawn.image.save(buffer, "WEBP", quality=80)
    return _MAP.format(
        names=_names([entity.text for entity in prediction.entities], chosen),
        kinds=select_html("Kind of map", "kind", {value: name for name, value in kind_choices(pointing)}, kind),
        badges=badges_html((f"{KINDS[kind].name} maps, in this run: {badge}",) if badge else ()),
        data="data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"),
        alternative=escape_html(drawn.alternative),
        caption=drawn.caption,
    )


def _names(names: Sequence[str], chosen: int) -> str:
    return "".join(
        _NAME.format(pressed=str(i == chosen).lower(), set=set_attribute(name=i), name=escape_html(name))
        for i, name in enumerate(names)
    )
