"""Fill sentences of our own with names: first names, lists, titles, genitives, shops in 's, capitals that name nothing.

The corpora are encyclopaedias, captions and posts; what visitors type first ("Anna is ill", "Name: Anna") is in none.
A template names its slots in braces, ``{first}``, and writes names out in brackets, ``[ORG U.N.]``; a slot may ask for
a form, ``{first:genitive}``. Slots are filled from our lists beside the templates and from names of the training data.
"""

from __future__ import annotations

import logging
import random
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmner_core.data import Example
from mmner_core.labels import OUTSIDE, tags_to_entities
from mmner_core.text.language_names import LANGUAGES

log = logging.getLogger(__name__)
FOLDER = Path(__file__).with_name("templates")
Words = tuple[str, ...]
Choices = Sequence[Words]

_PART = re.compile(r"\[(?P<type>[A-Z]+) (?P<name>[^\]]+)\]|(?P<slot>\{[^}]+\})|(?P<word>\S+)")
_SLOT = re.compile(r"\{(?P<slot>\w+)(?::(?P<form>\w+))?\}")
_SLOT_TYPES = {
    **{"first": "PER", "surname": "PER", "person": "PER"},
    **{"place": "LOC", "longplace": "LOC", "org": "ORG", "acronym": "ORG", "shop": "ORG"},
}
FOREIGN = 0.15
"""How often a first name or surname is one of another language's list."""
COMMON = 2
"""A name of the training data must stand there so often: the silver labels of rarer ones are less to be trusted."""
_ELIDED = "AEIOUHÉÈÀÂÊÎÔÛ"
"""First letters before which French drops a vowel: d' Emma, l' Hérault."""
_HANDLES = ("@user", "@anna_k", "@photo.daily", "@TheTeam", "@Otto1987", "@mariagarcia", "@BBCNews", "@le_monde")
_EMAILS = ("{}.{}@example.org", "{}@example.com", "{}_{}@mail.example.de", "{}{}@example.net", "info@{}.example")


@dataclass(frozen=True, slots=True)
class _Lists:
    """The templates of one language, and the fillers of their slots."""

    templates: tuple[str, ...]
    slots: Mapping[str, Choices]


def fill_templates(examples: Iterable[Example], number: int, rng: random.Random) -> list[Example]:
    """Return sentences with names tagged by the convention "wiki".

    Args:
        examples: tagged sentences to take further names from.
        number: how many sentences of each language.
        rng: draws templates and names.
    """
    lists = {language: _read(FOLDER / f"{language}.toml") for language in LANGUAGES}
    found = _names(examples)
    filled: list[Example] = []
    for language, own in lists.items():
        slots = {**own.slots, **found.get(language, {})}
        others = {name: [n for other in lists.values() for n in other.slots[name]] for name in ("first", "surname")}
        filler = _Filler(slots, others, rng)
        templates = [template for template in own.templates if filler.can_fill(template)]
        if left := len(own.templates) - len(templates):
            log.info("%s: the training data have no names for %d of %d templates", language, left, len(own.templates))
        # Each in turn and then drawn at random, so that every template is met.
        times, rest = divmod(number, len(templates))
        chosen = [*templates * times, *rng.sample(templates, rest)]
        filled.extend(filler.fill(template, language) for template in chosen)
    return filled


class _Filler:
    """Fills the templates of one language.

    Args:
        slots: what each slot may hold.
        foreign: of some slots, what it may hold in any language.
        rng: draws.
    """

    def __init__(self, slots: Mapping[str, Choices], foreign: Mapping[str, Choices], rng: random.Random) -> None:
        self._slots = slots
        self._foreign = foreign
        self._rng = rng

    def can_fill(self, template: str) -> bool:
        """Say whether there is a name for each slot."""
        slots = (slot for slot in _SLOT.finditer(template) if slot["slot"] != "email")
        return all(self._choices(slot, self._slots) for slot in slots)

    def fill(self, template: str, language: str) -> Example:
        """Return the template with each slot filled."""
        words: list[str] = []
        tags: list[str] = []
        for part in _PART.finditer(template):
            if part["type"]:
                entity = part["type"]
                name = tuple(word for piece in part["name"].split() for word in self._piece(piece))
            elif part["slot"]:
                entity = _SLOT_TYPES.get(_slot_name(part["slot"]), "")
                name = self._piece(part["slot"])
            else:
                entity, name = "", (part["word"],)
            words.extend(name)
            tags.extend([f"B-{entity}", *[f"I-{entity}"] * (len(name) - 1)] if entity else [OUTSIDE] * len(name))
        where = f"{FOLDER.name}/{language}.toml: {template}"
        return Example(words=tuple(words), tags=tuple(tags), language=language, where=where, convention="wiki")

    def _piece(self, piece: str) -> Words:
        """Return a word as it is, or what its slot holds."""
        slot = _SLOT.fullmatch(piece)
        if slot is None:
            return (piece,)
        if slot["slot"] == "email":
            return (self._email(),)
        foreign = slot["slot"] in self._foreign and self._rng.random() < FOREIGN
        choices = self._choices(slot, self._foreign if foreign else self._slots)
        name = self._rng.choice(choices)
        return (*name[:-1], _genitive(name[-1])) if slot["form"] == "genitive" else name

    @staticmethod
    def _choices(slot: re.Match[str], slots: Mapping[str, Choices]) -> Choices:
        choices = slots.get(slot["slot"], ())
        return [name for name in choices if name[0][0] in _ELIDED] if slot["form"] == "elided" else choices

    def _email(self) -> str:
        first, surname = (self._rng.choice(self._slots[slot])[0].lower() for slot in ("first", "surname"))
        return self._rng.choice(_EMAILS).format(first, surname)


def _slot_name(slot: str) -> str:
    return slot.strip("{}").partition(":")[0]


def _genitive(name: str) -> str:
    """Return a German name in the genitive."""
    return name if name.endswith(("s", "x", "z", "ß")) else f"{name}s"


def _read(file: Path) -> _Lists:
    """Read a language's templates and lists: words apart by spaces, entries of several words apart by ``|``."""
    record = tomllib.loads(file.read_text(encoding="utf-8"))
    templates = tuple(line for line in record.pop("templates").splitlines() if line)
    slots = {
        name: [tuple(entry.split()) for entry in (text.split("|") if "|" in text else text.split()) if entry.strip()]
        for name, text in record.items()
    }
    return _Lists(templates, {**slots, "handle": [(handle,) for handle in _HANDLES]})


def _names(examples: Iterable[Example]) -> dict[str, dict[str, Choices]]:
    """Return the names of tagged sentences that fill slots, per language and slot."""
    counts: dict[str, Counter[tuple[str, Words]]] = {language: Counter() for language in LANGUAGES}
    for example in examples:
        if example.language in counts and example.tags is not None:
            for entity in tags_to_entities(example.tags):
                counts[example.language][entity.type, example.words[entity.start : entity.end]] += 1
    return {
        language: _by_slot([name for name, n in counted.items() if n >= COMMON and name[1][0][0].isupper()])
        for language, counted in counts.items()
        if counted
    }


def _by_slot(names: Sequence[tuple[str, Words]]) -> dict[str, Choices]:
    def of(entity_type: str) -> list[Words]:
        return [words for kind, words in names if kind == entity_type]

    places, orgs = of("LOC"), of("ORG")
    slots: dict[str, Choices] = {
        "person": [words for words in of("PER") if len(words) > 1],
        "place": places,
        "longplace": [words for words in places if len(words) > 2],
        "org": orgs,
        "acronym": [words for words in orgs if len(words) == 1 and len(words[0]) > 2 and words[0].isupper()],
    }
    return {slot: choices for slot, choices in slots.items() if choices}
