"""The readable form of a text, and where each of its characters stands in the text as given.

Invisible characters are gone, words that touch are parted by a space, and what UTF-8 cannot hold is U+FFFD.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mmner_core.text.glued import word_breaks
from mmner_core.text.invisible import JOINERS, invisible_runs, without_invisible

LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # JSON can carry it, but it is no character that UTF-8 has
# Typed for want of an apostrophe, or copied from a catalogue: "Anna´s", "dʼArc".
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])[´`ʼ′＇](?=[^\W\d_])")


def readable_word(word: str) -> str:
    """Return a word as the model is to see it: lone surrogates as U+FFFD, without invisible characters."""
    return LONE_SURROGATE.sub("\ufffd", without_invisible(word))


def readable_text(text: str) -> tuple[str, Sequence[int]]:
    """Return a text to split at white space and affixes, and for each of its characters the place in ``text``.

    An inserted space has the place of the character that follows it.
    """
    same_length = _APOSTROPHE.sub("’", LONE_SURROGATE.sub("\ufffd", text))
    seen, places = _drop_invisible(same_length)
    breaks = list(dict.fromkeys(word_breaks(seen)))
    if not breaks:
        return seen, places
    parts: list[str] = []
    spread: list[int] = []
    for start, stop in zip([0, *breaks], [*breaks, len(seen)], strict=True):
        if start:
            parts.append(" ")
            spread.append(places[min(start, len(seen) - 1)])
        parts.append(seen[start:stop])
        spread.extend(places[start:stop])
    return "".join(parts), spread


def _drop_invisible(text: str) -> tuple[str, Sequence[int]]:
    """Drop invisible characters; where they are likely to separate two words, a space takes their place."""
    runs = invisible_runs(text)
    if not runs:
        return text, range(len(text))
    parts: list[str] = []
    places: list[int] = []
    done = 0
    for start, stop in [*runs, (len(text), len(text))]:
        parts.append(text[done:start])
        places.extend(range(done, start))
        if stop < len(text) and start > 0 and _is_between_words(text[start - 1], text[start:stop], text[stop]):
            parts.append(" ")
            places.append(start)
        done = stop
    return "".join(parts), places


def _is_between_words(before: str, run: str, after: str) -> bool:
    """Return whether a run separates words: "Rome<zero width space>Paris", but not "Jor<zero width space>dan"."""
    return not JOINERS.intersection(run) and (before.islower() or before.isdigit()) and after.isupper()
