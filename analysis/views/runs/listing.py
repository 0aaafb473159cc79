"""A user's runs as HTML: how far each is, and what can be done with it."""

from __future__ import annotations

from datetime import UTC, datetime

from analysis.jobs.maker import JobView
from analysis.jobs.timing import Timing, in_words
from analysis.panels.wording import counted
from analysis.views.marks import escape_html

_EMPTY = '<p class="wb-how">No run yet: upload a data set above.</p>'
_LIST = '<ul class="wb-runs-list">{}</ul>'
_RUN = """<li class="wb-run wb-run-{state}" data-job="{id}" data-name="{name}">
<div class="wb-run-head"><strong>{name}</strong><span class="wb-run-state">{told}</span></div>{bar}{problem}
<p class="wb-run-facts">{facts}</p><div class="wb-run-buttons">{buttons}</div></li>"""
_BAR = '<progress max="100" value="{percent}" aria-label="How far {name} is">{percent} %</progress>'
_PROBLEM = '<p class="wb-run-problem">{}</p>'
_BUTTON = '<button type="button" class="wb-quiet" data-do="{do}" aria-label="{label}: {name}">{label}</button>'
_RENAME = """<details class="wb-rename"><summary class="wb-quiet" aria-label="Rename {name}">Rename</summary>
<form data-do="rename"><input name="name" value="{name}" aria-label="New name of {name}" required maxlength="48">
<button type="submit" class="wb-quiet">Save</button></form></details>"""
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
    "delete": "Delete",
}


def listing_html(views: list[JobView], names: dict[str, str]) -> str:
    """Return the list of runs.

    Args:
        views: the runs.
        names: what the menus of the other tabs call each complete run, by the job's id.
    """
    if not views:
        return _EMPTY
    return _LIST.format("".join(_run(view, names.get(view.job.id, view.job.name)) for view in views))


def _run(view: JobView, name: str) -> str:
    job, escaped = view.job, escape_html(name)
    buttons = [
        _RENAME.format(name=escaped) if do == "rename" else _BUTTON.format(do=do, label=_LABELS[do], name=escaped)
        for do in _BUTTONS[job.state]
    ]
    percent = 0 if view.timing is None else int(100 * view.timing.share)
    return _RUN.format(
        state=job.state,
        id=escape_html(job.id),
        name=escaped,
        told=escape_html(told(view)),
        bar=_BAR.format(percent=percent, name=escaped) if job.active else "",
        problem=_PROBLEM.format(escape_html(job.problem)) if job.problem else "",
        facts=escape_html(_facts(view)),
        buttons="".join(buttons),
    )


def told(view: JobView) -> str:
    """Say in a few words how a run is."""
    if view.job.state == "waiting":
        return f"waits for {counted(view.ahead, 'run')} before it" if view.ahead else "begins at once"
    if view.timing is not None:
        return _told_timing(view.timing)
    return _STATES[view.job.state]


def _told_timing(timing: Timing) -> str:
    steps = f", {timing.done:,} of {timing.total:,}" if timing.total else ""
    return f"{timing.stage}{steps}; {in_words(timing.left)} left"


def _facts(view: JobView) -> str:
    job = view.job
    when = datetime.fromtimestamp(job.created, UTC).strftime("%Y-%m-%d %H:%M UTC")
    model = "" if job.choices is None else f"model {job.choices.model}"
    took = f"took {in_words(job.ended - job.started).removeprefix('about ')}" if job.state == "finished" else ""
    return " · ".join(filter(None, (job.file, model, when, took, f"{job.bytes / 1e6:,.0f} MB")))
