"""The controller of the research tabs: renders them part by part, as HTML, figure and file."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache

from analysis.views.rendering import macros
from analysis.views.research.image_store import ImageStore
from analysis.views.research.library import RunLibrary
from analysis.views.research.loaded_model import LoadedModel
from analysis.views.research.places import short_sentence, working_folder
from analysis.views.research.saving import save
from analysis.views.research.tab_request import RenderedPart, TabRequest
from analysis.views.research.tables import FIGURE, MIME, table_file
from analysis.views.research.view import View
from analysis.views.service import TagService, user_message
from mmner_core.errors import InputError
from mmner_core.runtime.memory import release_freed_memory
from mmner_core.serving.visitor import current_user

if TYPE_CHECKING:
    from markupsafe import Markup

    from analysis.views.service import TagQuestion

log = logging.getLogger(__name__)
_KEPT = 128  # rendered parts, about 50 MB


class TabController:
    """Answers the requests of the three research tabs; a problem becomes one sentence in the place of a part.

    Args:
        service: the model of the first tab.
        runs: folders with runs, besides the demo's.
        images: folders whose photos may be shown, besides those of the demo and of a run's own data.
        made: returns the runs that the user has made who asks.
    """

    def __init__(
        self,
        service: TagService,
        runs: Sequence[Path] = (),
        images: Sequence[Path] = (),
        made: Callable[[], Iterable[Path]] = tuple,
    ) -> None:
        self.service = service
        self.library = RunLibrary(runs, made)
        self.images = ImageStore(images)
        self.model = LoadedModel(service)
        self._rendered: LRUCache[tuple[Hashable, ...], RenderedPart] = LRUCache(_KEPT)
        self._lock = Lock()

    def start(self) -> None:
        """Begin to draw the first run's tabs in the background once the model is there, so that no visitor waits."""
        Thread(target=self._draw_first_run, name="draw-first-run", daemon=True).start()

    def part(self, tab: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return a part of a tab.

        Args:
            tab: a key of :data:`analysis.views.research.tabs.TABS`.
            parameters: ``part``, its id; ``download``, a kind of file to return instead of HTML; and the parameters of
                the address.

        Returns:
            ``html``, and where there is one ``figure`` and ``templates`` (JSON) or ``traces``; or ``file``.
        """
        try:
            rendered = self._draw(tab, parameters)
            if kind := parameters.get("download"):
                return {"file": _file(rendered, kind)}
            return _answer(rendered)
        except Exception as error:
            return {"html": self._problem(error), "problem": True}

    def save(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Keep what a visitor wrote beside a run, where this server allows it.

        Args:
            parameters: ``form``, see :func:`analysis.views.research.saving.save`, and the parameters of the address.

        Returns:
            ``html``, what was done or what stands against it, and ``problem`` where something does.
        """
        try:
            said = save(self._request(parameters), parameters.get("form"), current_user() or "")
            return {"html": macros("research/macros").said(said)}
        except Exception as error:
            return {"html": self._problem(error), "problem": True}

    def sentence(self, parameters: Mapping[str, Any]) -> tuple[Path | None, bool, str]:
        """Return what a sentence of a run was shown, to be asked about again in the first tab.

        Args:
            parameters: of the address.

        Returns:
            Its photo, None where it has none or it may not be shown; whether it has one at all; its language.

        Raises:
            InputError: if there is no such run or sentence.
        """
        request = self._request(parameters)
        number = request.view.sentence_id
        row = None if number is None else request.row_of(number)
        if row is None:
            raise InputError(f"Run {request.run.name!r} has no sentence {number} under {request.condition!r}.")
        of_sentence = request.answers.sentences.iloc[row]
        stored = of_sentence["image_path"]
        return self.images.find(request.run, stored), bool(of_sentence["image_id"]), of_sentence["language"]

    def place(self, parameters: Mapping[str, Any], question: TagQuestion | None) -> str:
        """Place the visitor's pair on the map of a run; return JSON with ``html`` and ``traces``."""
        try:
            from analysis.views.research.space import place_pair

            if question is None:
                raise InputError("Tag a sentence with a photo in the first tab; then it can be placed on this map.")
            return json.dumps(place_pair(self._request(parameters), self.service.answer(question).prediction))
        except Exception as error:
            return json.dumps({"html": self._problem(error), "traces": []})

    def _problem(self, error: Exception) -> Markup:
        folders = [folder for path in self.library.folders for folder in (path, path.absolute(), path.resolve())]
        roots = dict.fromkeys(str(folder.parent) for folder in folders)
        sentence = short_sentence(user_message(error), [working_folder(), *roots])
        return macros("research/macros").problem(sentence)

    def _request(self, parameters: Mapping[str, Any]) -> TabRequest:
        return TabRequest(
            view=View.read(parameters),
            library=self.library,
            images=self.images,
            model=self.model,
            writable=self.service.config.writable,
        )

    def _draw(self, tab: str, parameters: Mapping[str, Any]) -> RenderedPart:
        from analysis.views.research.tabs import part_of

        part = part_of(tab, str(parameters.get("part")))
        if part is None:
            raise InputError(f"The tab {tab!r} has no part {str(parameters.get('part'))[:40]!r}.")
        request = self._request(parameters)
        if not part.kept:
            return part.draw(request)
        runs = (request.run, request.other, request.valid if "valid" in part.uses else None)
        key = (part.id, *runs, *map(request.view.value, part.uses))
        with self._lock:
            kept = self._rendered.get(key)
        if kept is not None:
            return kept
        rendered = part.draw(request)
        with self._lock:
            self._rendered[key] = rendered
        return rendered

    def _draw_first_run(self) -> None:
        from analysis.views.research.space import place_something
        from analysis.views.research.tabs import TABS

        try:
            self.service.tagger()
        except InputError:
            log.info("the research tabs work without a model")
        if not self.library.paths():
            return
        for tab, parts in TABS.items():
            for part in parts:
                self.part(tab, {"part": part.id})
        try:
            place_something(self.library.run())
        except InputError as problem:
            log.info("the first run has no map: %s", problem)
        release_freed_memory()


def _answer(rendered: RenderedPart) -> dict[str, Any]:
    answer: dict[str, Any] = {"html": rendered.html}
    if rendered.figure is not None:
        from analysis.figures import figure_json, template_json

        answer |= {"figure": figure_json(rendered.figure), "templates": template_json()}
    if rendered.traces is not None:
        answer["traces"] = rendered.traces
    return answer


def _file(rendered: RenderedPart, kind: object) -> dict[str, str]:
    if isinstance(kind, str) and kind in rendered.files:
        return rendered.files[kind]()
    if kind == FIGURE and rendered.figure_data is not None:
        return table_file(rendered.figure_data, f"{rendered.name}-figure", "csv")
    if kind not in MIME or rendered.table is None:
        raise InputError("There is no such file to download.")
    return table_file(rendered.table(), rendered.name, str(kind))
