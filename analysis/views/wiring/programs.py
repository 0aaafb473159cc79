"""The calls for programs, as gradio announces them: their names, parameters and documentation.

Gradio reads the types of what they return as they stand, so annotations are no strings here.
"""

from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.processing_utils import save_pil_to_cache
from gradio.utils import get_upload_folder

from analysis.views.api import Api
from analysis.views.heat_map.entity_map import MEAN
from analysis.views.heat_map.kinds import ATTENTION
from analysis.views.heat_map.rendered import MapControls, render_requested_heat_map
from analysis.views.research.library import RunLibrary
from analysis.views.service import TagQuestion, TagService
from analysis.views.tag.least_confidence import LeastConfidence
from analysis.views.wiring.blocks import together, uploaded
from mmner_core.serving.reply import reply_schema


def add_api(service: TagService, library: RunLibrary) -> None:
    """Add the handlers meant for programs; those behind the buttons deal in HTML."""
    api, worth = Api(service, uploaded), LeastConfidence(library)
    options = together(service.config)

    def tag(
        text: str, image: FileData | None = None, language: str = "auto", convention: str = "", model: str = ""
    ) -> dict[str, Any]:
        """Find the names: text, language, entities with character offsets and confidence, notes, checkpoint."""
        return api.tag(text, image, language, convention, model)

    def tag_batch(items: list[dict[str, Any]], model: str = "") -> list[dict[str, Any]]:
        """Find the names in several texts: items of text, image, language, convention; an item may get an error."""
        return api.tag_batch(items, model)

    def heat_map(
        text: str, image: FileData, entity: int = 0, stream: str = "", head: str = MEAN, opacity: float = 0.5,
        cells: bool = False, shuffled: bool = False, language: str = "auto", convention: str = "", model: str = "",
        kind: str = ATTENTION,
    ) -> tuple[FileData, str]:  # fmt: skip
        """Draw the heat map of name number `entity` (from 0); return the image and where it is brightest."""
        question = TagQuestion.from_inputs(text, uploaded(image), language, convention, model)
        controls = MapControls(stream or "", head, opacity, cells, shuffled, kind)
        drawn = render_requested_heat_map(service, question, entity, controls)
        path = save_pil_to_cache(drawn.image, get_upload_folder(), format="webp")
        return FileData(path=path), drawn.alternative

    def words(
        text: str, image: FileData | None = None, entity: int = 0, language: str = "auto", convention: str = "",
        model: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Say which words name number `entity` (from 0) rests on: the fall of its probability without each, a check."""
        return api.words(text, image, entity, language, convention, model)

    def compare(
        text: str, image: FileData | None = None, other_image: FileData | None = None, other_model: str = "",
        hidden: list[str] | None = None, language: str = "auto", convention: str = "", model: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        """Answer twice, the second time with `other_image`, `other_model` or cells of the image hidden.

        `hidden`: a text of 0 and 1 for each row of a raster over the image, 1 for a cell in its mean colour.
        """
        return api.compare(text, (image, other_image), (model, other_model), hidden, language, convention)

    def threshold(least: float = 0.5, run: str = "", photo: bool = True) -> dict[str, Any]:
        """Say what the names of a run are worth that are at least so confident: precision, recall and F1 per language.

        `photo`: of the answers with photos, or of those from the text alone.
        """
        return worth.scores(least, run, photo)

    gr.api(tag, api_name="tag", **options)
    gr.api(tag_batch, api_name="tag_batch", **options)
    gr.api(heat_map, api_name="heat_map", **options)
    gr.api(words, api_name="words", **options)
    gr.api(compare, api_name="compare", **options)
    gr.api(threshold, api_name="threshold")
    gr.api(api.models, api_name="models")
    gr.api(reply_schema, api_name="schema")
