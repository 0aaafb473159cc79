"""Writes what a visitor asks to keep beside a run: a correction of gold tags, a named slice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from analysis.run.corrections import correct
from analysis.scores.kept_slices import KeptSlice, forget_slice, keep_slice
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.views.research.tab_request import TabRequest

_READ_ONLY = "This server keeps nothing that visitors write; whoever runs it can allow it with the setting annotations."


def save(request: TabRequest, form: object, user: str) -> str:
    """Write what a form of a research tab holds.

    Args:
        request: the state of the page, of which the run counts.
        form: what the visitor filled in: ``kind``, a key of ``_KINDS``, and what that needs.
        user: who is logged in, empty for nobody.

    Returns:
        What was done, in a sentence.

    Raises:
        InputError: if nothing may be written here, or the form cannot be used.
    """
    if not request.writable:
        raise InputError(_READ_ONLY)
    if not isinstance(form, Mapping) or not isinstance(kind := form.get("kind"), str) or kind not in _KINDS:
        raise InputError("There is nothing of that kind to keep.")
    return _KINDS[kind](request, form, user)


def _correction(request: TabRequest, form: Mapping[str, Any], user: str) -> str:
    sentence, tags = request.view.sentence_id, form.get("tags")
    if sentence is None:
        raise InputError("Choose a sentence first.")
    if form.get("withdraw"):
        correct(request.run, sentence, None, by=user)
        return "The correction is withdrawn."
    if not isinstance(tags, list):
        raise InputError("A correction is a list of tags.")
    correct(request.run, sentence, tags, by=user, note=form.get("note") or "")
    return "The correction is kept."


def _slice(request: TabRequest, form: Mapping[str, Any], user: str) -> str:
    view, name, note = request.view, form.get("name"), form.get("note") or ""
    if not isinstance(name, str):
        raise InputError("A slice needs a name.")
    filters, language, condition = view.filters, view.language, view.condition
    keep_slice(
        request.run,
        KeptSlice(name=name, filters=filters, language=language, condition=condition, note=note, by=user),
    )
    return f"Kept as “{name}”."


def _forget(request: TabRequest, form: Mapping[str, Any], user: str) -> str:
    forget_slice(request.run, str(form.get("name")), by=user)
    return "The slice is removed."


_KINDS: dict[str, Callable[[TabRequest, Mapping[str, Any], str], str]] = {
    "correction": _correction,
    "slice": _slice,
    "forget": _forget,
}
