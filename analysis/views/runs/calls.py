"""The calls with which programs make runs; how far a run is comes as one record after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from analysis.jobs.maker import JobView
from analysis.views.runs.controller import RunsController
from analysis.views.runs.listing import told
from mmner_core.errors import InputError
from mmner_core.serving.visitor import current_user

_SECONDS = 1.0


class RunCalls:
    """Answers programs; a problem is an error, not a record.

    Args:
        controller: answers the page.
    """

    def __init__(self, controller: RunsController) -> None:
        self._controller, self._maker = controller, controller.maker

    async def run(
        self,
        data: dict[str, Any],
        name: str,
        photos: dict[str, Any] | None = None,
        folder: str = "",
        language: str = "",
        model: str = "",
        convention: str = "",
        conditions: list[str] | None = None,
        corruptions: bool = False,
        studies: bool = True,
        types: dict[str, str] | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """Evaluate a model on an uploaded data set; yields how far the run is until it is done.

        Args:
            data: the uploaded data set.
            name: of the run.
            photos: an uploaded zip of photos.
            folder: a folder of photos on the server instead.
            language: of a file that does not say.
            model: name of a checkpoint, or of a model that the server allows; empty: the default.
            convention: annotation convention to read by.
            conditions: image conditions; None: the usual ones.
            corruptions: every corruption at every severity as well.
            studies: Shapley shares and tests of heat maps as well.
            types: what types of the data are to be called, "O" to leave them out.
            limit: only the first so many sentences of each language.

        Raises:
            InputError: if something cannot be, or the run fails.
        """
        owner = current_user()
        upload = {"data": data, "photos": photos, "folder": folder, "language": language}
        choices: dict[str, Any] = {"name": name, "model": model, "convention": convention, "conditions": conditions}
        choices |= {"corruptions": corruptions, "studies": studies, "types": types, "limit": limit}
        self._controller.check_name(name)
        job = await asyncio.to_thread(self._controller.take_in, upload)
        try:
            job = await asyncio.to_thread(self._maker.start, owner, job.id, choices)
        except InputError:
            await asyncio.to_thread(self._maker.delete, owner, job.id)
            raise
        while True:
            view = await asyncio.to_thread(self._view, owner, job.id)
            if view.job.state == "failed":
                raise InputError(self._controller.told(InputError(view.job.problem)))
            yield record(view)
            if not view.job.active:
                return
            await asyncio.sleep(_SECONDS)

    def runs(self) -> list[dict[str, Any]]:
        """Return the user's runs, the newest first."""
        return [record(view) for view in self._maker.views(current_user())]

    def cancel(self, id: str) -> dict[str, Any]:
        """Stop a run; what is finished of it stays."""
        self._maker.cancel(current_user(), id)
        return record(self._view(current_user(), id))

    def run_zip(self, id: str) -> dict[str, Any]:
        """Return a complete run as a zip, a file as the web framework describes it."""
        return {"path": str(self._controller.packed(id)), "meta": {"_type": "gradio.FileData"}}

    def _view(self, owner: str | None, id: str) -> JobView:
        return self._maker.view(self._maker.store.find(owner, id))


def record(view: JobView) -> dict[str, Any]:
    """Return how a run is, JSON-ready."""
    job, timing = view.job, view.timing
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "told": told(view),
        "share": 1.0 if job.state == "finished" else 0.0 if timing is None else round(timing.share, 3),
        "seconds_left": None if timing is None else round(timing.left),
        "done": 0 if timing is None else timing.done,
        "total": 0 if timing is None else timing.total,
        "problem": job.problem,
    }
