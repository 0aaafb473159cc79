"""Answers the tab in which runs are made: each request is the user's who asks, each problem one sentence."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from analysis.jobs.job import Job
from analysis.jobs.maker import RunMaker, open_maker
from analysis.views.research.controller import TabController
from analysis.views.research.library import RunLibrary
from analysis.views.research.places import short_sentence
from analysis.views.runs.listing import listing_html
from analysis.views.runs.shell import runs_shell_html
from analysis.views.runs.summary import summary_html
from analysis.views.service import TagService, user_message
from mmner_core.errors import InputError
from mmner_core.serving.visitor import current_user

log = logging.getLogger(__name__)
Locate = Callable[[Any], str | None]


class RunsController:
    """Answers requests of the tab.

    Args:
        maker: makes the runs.
        library: the runs that the other tabs show.
        locate: tells the path of an upload, None for none.
        uploads: returns the folder of uploads, from which files to be downloaded are served.
        megabytes: of an upload.
    """

    def __init__(
        self, maker: RunMaker, library: RunLibrary, locate: Locate, uploads: Callable[[], str], *, megabytes: float
    ) -> None:
        self.maker, self.library, self._megabytes = maker, library, megabytes
        self._locate, self._uploads = locate, uploads
        self._answers: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "look": self._look,
            "again": self._again,
            "start": self._start,
            "list": self._list,
            "cancel": self._cancel,
            "go on": self._go_on,
            "rename": self._rename,
            "delete": self._delete,
            "zip": self._zip,
            "report": self._report,
        }

    def close(self) -> None:
        """Stop the run at work, which the next server takes up again."""
        self.maker.worker.stop()

    @property
    def shell(self) -> str:
        """Return the tab as everybody gets it."""
        limits, megabytes = self.maker.store.limits, self._megabytes
        return runs_shell_html(self.maker.folders, megabytes=megabytes, sentences=limits.sentences)

    def answer(self, request: Any) -> dict[str, Any]:
        """Do what the page asks for.

        Args:
            request: ``do``, a key of the table above; ``id``, the job's; and what each needs besides.

        Returns:
            what the page is to show, or ``problem``.
        """
        try:
            asked = request if isinstance(request, dict) else {}
            answer = self._answers.get(str(asked.get("do")))
            if answer is None:
                raise InputError("The page asks for something that there is not; reload it.")
            return answer(asked)
        except Exception as error:
            return {"problem": self.told(error)}

    def told(self, error: Exception) -> str:
        """Return a problem without the folders of this machine."""
        return short_sentence(user_message(error), [str(self.maker.store.folder)])

    def take_in(self, asked: Mapping[str, Any]) -> Job:
        """Take an upload in; return the draft.

        Raises:
            InputError: if it cannot be read.
        """
        data, photos = (self._locate(asked.get(name)) for name in ("data", "photos"))
        if data is None:
            raise InputError("Choose a data set first.")
        texts = {name: asked.get(name) or "" for name in ("folder", "language")}
        if not all(isinstance(text, str) for text in texts.values()):
            raise InputError("folder and language must be text.")
        job, _ = self.maker.look(current_user(), Path(data), photos=None if photos is None else Path(photos), **texts)
        return job

    def check_name(self, name: object) -> None:
        """See to it that no run of the server's has a name.

        Raises:
            InputError: if one has.
        """
        if name in self.library.served():
            raise InputError(f"There is a run {str(name)[:60]!r} already; choose another name.")

    def packed(self, id: object) -> Path:
        """Write a complete run as a zip among the uploads, whose addresses nobody can guess; return it."""
        job = self.maker.store.find(current_user(), id)
        target = self._for_download(f"{job.name}.zip")
        self.maker.pack(current_user(), id, target)
        return target

    def _look(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return self._summary(self.take_in(asked), "")

    def _again(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        job = self.maker.store.find(current_user(), asked.get("id"))
        return self._summary(job, self.maker.models.check(asked.get("model")))

    def _summary(self, job: Job, model: str) -> dict[str, Any]:
        folder = self.maker.store.path(job)
        return {"html": summary_html(job, self.maker.description(job), self.maker.models, folder, model)}

    def _start(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        choices = asked.get("choices")
        choices = choices if isinstance(choices, dict) else {}
        self.check_name(choices.get("name"))
        return {"id": self.maker.start(current_user(), asked.get("id"), choices).id}

    def _list(self, asked: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002 (as the others)
        views = self.maker.views(current_user())
        shown = {path: name for name, path in self.library.paths().items()}
        store = self.maker.store
        done = [view.job for view in views if view.job.state == "finished"]
        names = {job.id: shown[path] for job in done if (path := store.run_of(job)) in shown}
        return {"html": listing_html(views, names), "active": any(view.job.active for view in views)}

    def _cancel(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.maker.cancel(current_user(), asked.get("id"))
        return {}

    def _go_on(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.maker.go_on(current_user(), asked.get("id"))
        return {}

    def _rename(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.check_name(asked.get("name"))
        self.maker.rename(current_user(), asked.get("id"), asked.get("name"))
        return {}

    def _delete(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.maker.delete(current_user(), asked.get("id"))
        return {}

    def _zip(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        return {"file": _address(self.packed(asked.get("id")))}

    def _report(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        job = self.maker.store.find(current_user(), asked.get("id"))
        target = self._for_download(f"{job.name}.html")
        target.write_bytes(self.maker.report(current_user(), asked.get("id")).read_bytes())
        return {"file": _address(target)}

    def _for_download(self, name: str) -> Path:
        folder = Path(self._uploads()) / secrets.token_hex(16)
        folder.mkdir(parents=True)
        return folder / name


def open_tabs(
    service: TagService, locate: Locate, uploads: Callable[[], str]
) -> tuple[TabController, RunsController | None]:
    """Return what answers the research tabs, and the tab in which runs are made where there is one.

    Args:
        service: its settings say which runs there are, and whether visitors may make some.
        locate: see :class:`RunsController`.
        uploads: see :class:`RunsController`.

    Raises:
        InputError: if a setting names what cannot be used.
    """
    config = service.config
    if not config.makes_runs:
        return TabController(service, config.runs, config.images), None
    maker = open_maker(config, service.pool.folders)
    controller = TabController(service, config.runs, config.images, lambda: maker.store.runs(current_user()))
    runs = RunsController(maker, controller.library, locate, uploads, megabytes=config.upload_bytes / 1e6)
    try:
        maker.worker.start()
    except InputError as problem:  # whoever wants to make a run is told; the rest of the server works
        log.warning("no runs can be made: %s", problem)
    return controller, runs


def _address(file: Path) -> dict[str, str]:
    return {"url": f"gradio_api/file={quote(str(file))}", "name": file.name}
