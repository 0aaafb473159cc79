"""The summary of an upload: what was understood, its first sentences, and the form that starts a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.jobs.choices import CONDITIONS, suggested_types, types_of_model
from analysis.jobs.description import Description, Shown
from analysis.jobs.job import Job
from analysis.jobs.models import Models
from analysis.palette import type_colours
from analysis.panels.modality import NAMES
from analysis.panels.wording import counted, language_label
from analysis.views.marks import Mark, marked_text
from analysis.views.rendering import render
from analysis.views.research.image_store import SMALL, data_uri
from analysis.views.research.sentence_html import word_places
from mmner_core.labels import DEFAULT_TYPES, OUTSIDE, tags_to_entities

if TYPE_CHECKING:
    from markupsafe import Markup

_CONVENTIONS = {"wiki": "as encyclopaedias mark them", "caption": "as photo captions do", "post": "as posts do"}
_MOST_TYPES = 60


def summary_html(job: Job, description: Description, models: Models, folder: Path, model: str = "") -> Markup:
    """Return the summary with the form.

    Args:
        job: a draft.
        description: of its data.
        models: to choose from.
        folder: the job's.
        model: the one that is chosen; empty: the default.
    """
    model = models.check(model)
    colours = type_colours(tuple(description.types))
    config = models.config(model)
    conventions = () if config is None else config.conventions
    return render(
        "runs/summary",
        job=job,
        description=description,
        facts=_facts(description),
        warnings=_warnings(description),
        first=[_sentence(shown, colours, folder) for shown in description.first],
        name=_suggested_name(job),
        models={name: name for name in models.names},
        model=model,
        conventions={c: f"{c}: {_CONVENTIONS[c]}" if c in _CONVENTIONS else c for c in conventions},
        types=_types(description, types_of_model(model, models)),
        most_types=_MOST_TYPES,
        conditions={c: "no image: text alone" if c == "none" else NAMES.get(c, c) for c in CONDITIONS},
        has_photos=description.photos.present > 0,
    )


def _facts(description: Description) -> list[str]:
    languages = ", ".join(
        f"{language_label(code) if code else 'language not stated'} ({n:,})"
        for code, n in description.languages.items()
    )
    photos = description.photos
    facts = [counted(description.sentences, "sentence"), counted(description.words, "word"), languages]
    facts += [counted(sum(description.types.values()), "entity", "entities")]
    facts += [f"split {description.split}"] if description.split else []
    if not photos.sentences:
        return [*facts, "no photos: text alone is evaluated"]
    facts += [f"{counted(photos.sentences, 'sentence')} with a photo", f"{photos.present:,} photos present"]
    return [*facts, f"{photos.missing:,} missing", f"{photos.broken:,} broken"]


def _warnings(description: Description) -> list[str]:
    photos = description.photos
    found = [problem for problem in photos.problems if problem]
    more = photos.missing + photos.broken - len(found)
    found += [f"And {more:,} more."] if more > 0 and found else []
    if photos.opened < photos.present:
        rest = photos.present - photos.opened
        found.append(
            f"{rest:,} photos were found but not opened, for want of time; the run will tell if any is broken."
        )
    if description.untagged:
        found.append(f"{description.untagged:,} sentences have no gold tags; a run needs them.")
    return found


def _sentence(shown: Shown, colours: dict[str, str], folder: Path) -> dict[str, Any]:
    places = word_places(shown.words)
    marks = [
        Mark(start=places[entity.start][0], end=places[entity.end - 1][1], type=entity.type)
        for entity in tags_to_entities(shown.tags)
        if places[entity.end - 1][1] > places[entity.start][0]
    ]
    file = folder / shown.photo if shown.photo else None
    there = file is not None and file.is_file()
    data = data_uri(file, file.stat().st_mtime_ns, SMALL) if file is not None and there else ""
    return {
        "photo": data,
        "instead": "photo broken" if there else "photo missing" if shown.named else "no photo",
        "text": marked_text(" ".join(shown.words), marks, colours),
        "language": language_label(shown.language) if shown.language else "",
    }


def _suggested_name(job: Job) -> str:
    return "".join(c for c in Path(job.file).stem if c.isalnum() or c in " -_.()+").strip(" .-_()+")[:40] or "run"


def _types(description: Description, known: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return a drop-down for each type; where the model's name is not known, one must be chosen."""
    suggested = suggested_types(description, known)
    types = []
    for name, n in list(description.types.items())[:_MOST_TYPES]:
        choices = {k: k for k in known or dict.fromkeys((name, *DEFAULT_TYPES, *description.types))}
        if not suggested[name]:
            choices = {"": "choose …"} | choices
        choices |= {OUTSIDE: "leave out"}
        types.append({"name": name, "label": f"{name} ({n:,})", "choices": choices, "suggested": suggested[name]})
    return types
