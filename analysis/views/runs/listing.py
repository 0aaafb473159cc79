"""A user's runs: how far each is, and what can be done with it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from analysis.jobs.maker import JobView
from analysis.jobs.timing import Timing, duration_in_words
from analysis.panels.wording import counted
from analysis.views.rendering import render

if TYPE_CHECKING:
    from markupsafe import Markup

_STATES = {
    "waiting": "waits",
    "running": "at work",
    "finished": "complete",
    "failed": "failed",
    "cancelled": "cancelled",
}
_BUTTONS = {
    "waiting": ("cancel",),
    "running": ("cancel",),
    "finished": ("open", "report", "zip", "rename", "delete"),
    "failed": ("go on", "delete"),
    "cancelled": ("go on", "delete"),
}
_LABELS = {
    "cancel": "Cancel",
    "open": "Open",
    "report": "Report",
    "zip": "Download as zip",
    "go on": "Go on",
    "rename": "Rename",
    "delete": "Delete",
}


def listing_html(views: list[JobView], names: dict[str, str]) -> Markup:
    """Return the list of runs.

    Args:
        views: the runs.
        names: what the menus of the other tabs call each complete run, by the job's id.
    """
    return render("runs/listing", runs=[_run(view, names.get(view.job.id, view.job.name)) for view in views])


def _run(view: JobView, name: str) -> dict[str, Any]:
    job = view.job
    return {
        "state": job.state,
        "id": job.id,
        "name": name,
        "told": told(view),
        "percent": None if not job.active else 0 if view.timing is None else int(100 * view.timing.share),
        "problem": job.problem,
        "facts": _facts(view),
        "buttons": {do: _LABELS[do] for do in _BUTTONS[job.state]},
    }


def told(view: JobView) -> str:
    """Say in a few words how a run is."""
    if view.job.state == "waiting":
        return f"waits for {counted(view.ahead, 'run')} before it" if view.ahead else "begins at once"
    if view.timing is not None:
        return _told_timing(view.timing)
    return _STATES[view.job.state]


def _told_timing(timing: Timing) -> str:
    steps = f", {timing.done:,} of {timing.total:,}" if timing.total else ""
    return f"{timing.stage}{steps}; {duration_in_words(timing.left)} left"


def _facts(view: JobView) -> str:
    job = view.job
    when = datetime.fromtimestamp(job.created, UTC).strftime("%Y-%m-%d %H:%M UTC")
    model = "" if job.choices is None else f"model {job.choices.model}"
    took = (
        f"took {duration_in_words(job.ended - job.started).removeprefix('about ')}" if job.state == "finished" else ""
    )
    return " · ".join(filter(None, (job.file, model, when, took, f"{job.bytes / 1e6:,.0f} MB")))
