"""The summary of an upload as HTML: what was understood, its first sentences, and the form that starts a run."""

from __future__ import annotations

from pathlib import Path

from analysis.jobs.choices import CONDITIONS, known_types, suggested_types
from analysis.jobs.description import Description, Shown
from analysis.jobs.job import Job
from analysis.jobs.models import Models
from analysis.palette import type_colours
from analysis.panels.modality import NAMES
from analysis.panels.wording import counted, language_name
from analysis.views.marks import Mark, escape_html, marked_text
from analysis.views.research.image_store import SMALL, data_uri
from analysis.views.research.sentence_html import word_places
from mmner_core.labels import DEFAULT_TYPES, OUTSIDE, tags_to_entities

_SUMMARY = """<section class="wb-summed" data-job="{id}"><h4>What was understood of {file}</h4>
<ul class="wb-facts">{facts}</ul>{warnings}{notes}<h5>The first sentences</h5><ol class="wb-items">{first}</ol>
<form data-do="start" data-job="{id}" class="wb-ask"><h4>The run</h4><div class="wb-choices">{selects}</div>
{types}<fieldset class="wb-ticks"><legend>Image conditions</legend>{conditions}</fieldset>
<fieldset class="wb-ticks"><legend>Besides</legend>{besides}</fieldset>
<p class="wb-run-problem" role="alert"></p>
<button type="submit" class="wb-primary">Start the run</button></form></section>"""
_FACT = "<li>{}</li>"
_WARNINGS = '<ul class="wb-panel-notes wb-warned">{}</ul>'
_NOTES = '<ul class="wb-panel-notes">{}</ul>'
_SENTENCE = """<li class="wb-item"><div class="wb-item-photo">{photo}</div><div class="wb-item-body">
<div class="wb-lines">{text}</div><p class="wb-item-place">{language}</p></div></li>"""
_PHOTO = '<img class="wb-photo" alt="" src="{}">'
_NO_PHOTO = '<span class="wb-no-photo">{}</span>'
_INPUT = '<label class="wb-choice">{label}<input name="{name}" value="{value}"{more}></label>'
_SELECT = '<label class="wb-choice">{label}<select name="{name}"{more}>{options}</select></label>'
_OPTION = '<option value="{value}"{selected}>{text}</option>'
_TYPES = """<fieldset class="wb-ticks wb-types"><legend>Types of the data, and what the model calls them</legend>
<div class="wb-choices">{}</div></fieldset>"""
_TICK = '<label><input type="checkbox" name="{name}" value="{value}"{checked}{disabled}> {label}</label>'
_CONVENTIONS = {"wiki": "as encyclopaedias mark them", "caption": "as photo captions do", "post": "as posts do"}
_MOST_TYPES = 60


def summary_html(job: Job, description: Description, models: Models, folder: Path, model: str = "") -> str:
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
    return _SUMMARY.format(
        id=escape_html(job.id),
        file=escape_html(job.file),
        facts="".join(_FACT.format(escape_html(fact)) for fact in _facts(description)),
        warnings=_list(_WARNINGS, _warnings(description)),
        notes=_list(_NOTES, description.notes),
        first="".join(_sentence(shown, colours, folder) for shown in description.first),
        selects=_selects(job, models, model),
        types=_types(description, known_types(model, models)),
        conditions=_conditions(description),
        besides=_besides(description),
    )


def _facts(description: Description) -> list[str]:
    languages = ", ".join(
        f"{language_name(code) if code else 'language not stated'} ({n:,})" for code, n in description.languages.items()
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


def _list(frame: str, sentences: tuple[str, ...] | list[str]) -> str:
    return frame.format("".join(f"<li>{escape_html(sentence)}</li>" for sentence in sentences)) if sentences else ""


def _sentence(shown: Shown, colours: dict[str, str], folder: Path) -> str:
    places = word_places(shown.words)
    marks = [
        Mark(start=places[entity.start][0], end=places[entity.end - 1][1], type=entity.type)
        for entity in tags_to_entities(shown.tags)
        if places[entity.end - 1][1] > places[entity.start][0]
    ]
    file = folder / shown.photo if shown.photo else None
    there = file is not None and file.is_file()
    data = data_uri(file, file.stat().st_mtime_ns, SMALL) if file is not None and there else ""
    without = "photo broken" if there else "photo missing" if shown.named else "no photo"
    photo = _PHOTO.format(data) if data else _NO_PHOTO.format(without)
    language = language_name(shown.language) if shown.language else ""
    text = marked_text(" ".join(shown.words), marks, colours)
    return _SENTENCE.format(photo=photo, text=text, language=escape_html(language))


def _selects(job: Job, models: Models, model: str) -> str:
    name = "".join(c for c in Path(job.file).stem if c.isalnum() or c in " -_.()+").strip(" .-_()+")[:40] or "run"
    config = models.config(model)
    conventions = () if config is None else config.conventions
    selects = [
        _INPUT.format(label="Name", name="name", value=escape_html(name), more=' required maxlength="48"'),
        select("Model", "model", {name: name for name in models.names}, model, " data-again"),
    ]
    if len(conventions) > 1:
        told = {name: f"{name}: {_CONVENTIONS[name]}" if name in _CONVENTIONS else name for name in conventions}
        selects.append(select("What counts as an entity", "convention", told, conventions[0]))
    more = ' type="number" min="1" placeholder="all"'
    selects.append(_INPUT.format(label="First sentences of each language", name="limit", value="", more=more))
    return "".join(selects)


def _types(description: Description, known: tuple[str, ...]) -> str:
    """Return a drop-down for each type; where the model's name is not known, one must be chosen."""
    suggested = suggested_types(description, known)
    selects = []
    for name, n in list(description.types.items())[:_MOST_TYPES]:
        choices = {k: k for k in known or dict.fromkeys((name, *DEFAULT_TYPES, *description.types))}
        if not suggested[name]:
            choices = {"": "choose …"} | choices
        choices |= {OUTSIDE: "leave out"}
        label, more = f"{name} ({n:,})", f' data-type="{escape_html(name)}" required'
        selects.append(select(label, "types", choices, suggested[name], more))
    if len(description.types) > _MOST_TYPES:
        return _list(_WARNINGS, [f"The data have {len(description.types):,} types; a run here may have {_MOST_TYPES}."])
    return _TYPES.format("".join(selects)) if selects else ""


def _conditions(description: Description) -> str:
    there = description.photos.present > 0
    ticks = [
        _TICK.format(
            name="conditions",
            value=name,
            checked=" checked" if there or name == "none" else "",
            disabled="" if there else " disabled",
            label=escape_html(NAMES.get(name, name) if name != "none" else "no image: text alone"),
        )
        for name in CONDITIONS
    ]
    return "".join(ticks)


def _besides(description: Description) -> str:
    disabled = "" if description.photos.present else " disabled"
    corruptions = _TICK.format(
        name="corruptions", value="yes", checked="", disabled=disabled, label="every corruption at five severities"
    )
    studies = _TICK.format(
        name="studies",
        value="yes",
        checked="" if disabled else " checked",
        disabled=disabled,
        label="Shapley shares, and tests of heat maps (a minute more)",
    )
    return corruptions + studies


def select(label: str, name: str, choices: dict[str, str], chosen: str, more: str = "") -> str:
    """Return a drop-down of a form."""
    options = "".join(
        _OPTION.format(
            value=escape_html(value), text=escape_html(text), selected=" selected" if value == chosen else ""
        )
        for value, text in choices.items()
    )
    return _SELECT.format(label=escape_html(label), name=name, more=more, options=options)
