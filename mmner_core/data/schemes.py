"""Tells IOB1 from IOB2 with orphans by the tags of a whole file."""

from __future__ import annotations

from collections.abc import Sequence

_MANY = 10
"""So many names without a single B- that only IOB2 writes: no tagger of IOB2 loses them all."""


class SchemeCheck:
    """Collects evidence for IOB1 from the tags of a file.

    IOB1 writes ``B-`` only right after a name of the same type, else ``I-``. So one ``B-`` elsewhere proves IOB2, and
    each ``I-`` with nothing to continue is an orphan there.

    Attributes:
        orphans: how many ``I-`` have nothing to continue.
    """

    def __init__(self) -> None:
        self.orphans = 0
        self._begins = {True: 0, False: 0}  # by whether it stands right after its own type

    def add(self, tags: Sequence[str], orphans: int) -> None:
        """Take the tags of a sentence as the file has them."""
        self.orphans += orphans
        for i, tag in enumerate(tags):
            if tag[0] == "B":
                self._begins[i > 0 and tags[i - 1][2:] == tag[2:]] += 1

    def is_iob1(self, *, expected: bool) -> bool:
        """Return whether the tags are IOB1; ``expected``: on little evidence too."""
        evidence = expected or self._begins[True] or self.orphans >= _MANY
        return bool(self.orphans and not self._begins[False] and evidence)
