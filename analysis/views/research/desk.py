"""Answers the tabs: one part at a time, as HTML, figure and file; a problem becomes one sentence in its place."""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from analysis.views.marks import escape_html
from analysis.views.research.asked import Asked, Drawn
from analysis.views.research.library import RunLibrary
from analysis.views.research.live import LiveModel
from analysis.views.research.photos import PhotoShelf
from analysis.views.research.places import short_sentence, working_folder
from analysis.views.research.request import View
from analysis.views.research.tables import FIGURE, MIME, table_file
from analysis.views.service import TagService, user_message
from mmner_core.errors import InputError
from mmner_core.runtime.memory import release_freed_memory

if TYPE_CHECKING:
    from analysis.views.service import Question

log = logging.getLogger(__name__)
_KEPT = 128  # parts as drawn, about 50 MB
_PROBLEM = '<p class="wb-part-problem" role="alert">{}</p>'


class ResearchDesk:
    """What the three research tabs ask.

    Args:
        service: the model of the first tab.
        runs: folders with runs, besides the demo's.
        images: folders whose photos may be shown, besides those of the demo and of a run's own data.
    """

    def __init__(self, service: TagService, runs: Sequence[Path] = (), images: Sequence[Path] = ()) -> None:
        self.service = service
        self.library = RunLibrary(runs)
        self.photos = PhotoShelf(images)
        self.live = LiveModel(service)
        self._drawn: OrderedDict[tuple[Hashable, ...], tuple[Drawn, Asked]] = OrderedDict()
        self._lock = Lock()

    def start(self) -> None:
        """Begin to draw the first run's tabs in the background once the model is there, so that no visitor waits."""
        Thread(target=self._draw_first_run, name="draw-first-run", daemon=True).start()

    def part(self, tab: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return a part of a tab.

        Args:
            tab: a key of :data:`analysis.views.research.tabs.TABS`.
            request: ``part``, its id; ``download``, a kind of file to return instead of HTML; and the parameters of
                the address.

        Returns:
            ``html``, and where there is one ``figure`` and ``templates`` (JSON) or ``traces``; or ``file``.
        """
        try:
            drawn = self._draw(tab, request)
            if kind := request.get("download"):
                return {"file": _file(drawn, kind)}
            return _answer(drawn)
        except Exception as error:
            return {"html": self._problem(error), "problem": True}

    def place(self, request: Mapping[str, Any], question: Question | None) -> str:
        """Place the visitor's pair on the map of a run; return JSON with ``html`` and ``traces``."""
        try:
            from analysis.views.research.space import place_pair

            if question is None:
                raise InputError("Tag a sentence with a photo in the first tab; then it can be placed on this map.")
            return json.dumps(place_pair(self._asked(request), self.service.answer(question).prediction))
        except Exception as error:
            return json.dumps({"html": self._problem(error), "traces": []})

    def _problem(self, error: Exception) -> str:
        folders = [folder for path in self.library.folders for folder in (path, path.absolute(), path.resolve())]
        roots = dict.fromkeys(str(folder.parent) for folder in folders)
        return _PROBLEM.format(escape_html(short_sentence(user_message(error), [working_folder(), *roots])))

    def _asked(self, request: Mapping[str, Any]) -> Asked:
        return Asked(view=View.read(request), library=self.library, photos=self.photos, live=self.live)

    def _draw(self, tab: str, request: Mapping[str, Any]) -> Drawn:
        from analysis.views.research.tabs import part_of

        part = part_of(tab, str(request.get("part")))
        if part is None:
            raise InputError(f"The tab {tab!r} has no part {str(request.get('part'))[:40]!r}.")
        asked = self._asked(request)
        if not part.kept:
            return part.draw(asked)
        runs = (asked.run, asked.other, asked.valid if "valid" in part.uses else None)
        key = (part.id, *map(id, runs), *(getattr(asked.view, name) for name in part.uses))
        with self._lock:
            if key in self._drawn:
                self._drawn.move_to_end(key)
                return self._drawn[key][0]
        drawn = part.draw(asked)
        with self._lock:
            # The request keeps its runs alive, or their ids could come to mean others.
            self._drawn[key] = (drawn, asked)
            while len(self._drawn) > _KEPT:
                self._drawn.popitem(last=False)
        return drawn

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


def _answer(drawn: Drawn) -> dict[str, Any]:
    answer: dict[str, Any] = {"html": drawn.html}
    if drawn.figure is not None:
        from analysis.figures import figure_json, template_json

        answer |= {"figure": figure_json(drawn.figure), "templates": template_json()}
    if drawn.traces is not None:
        answer["traces"] = drawn.traces
    return answer


def _file(drawn: Drawn, kind: object) -> dict[str, str]:
    if kind == FIGURE and drawn.drawn is not None:
        return table_file(drawn.drawn, f"{drawn.name}-figure", "csv")
    if kind not in MIME or drawn.table is None:
        raise InputError("There is no such file to download.")
    return table_file(drawn.table(), drawn.name, str(kind))
