"""Limits on the length of a text."""

from __future__ import annotations

from dataclasses import dataclass

from mmner_core.errors import InputError
from mmner_core.text.invisible import is_blank


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLimits:
    """Limits beyond which a text is refused.

    Attributes:
        max_characters: length of one text. Time grows in proportion to it: on one core of a server about 20 seconds
            for the default, some 20,000 words.
    """

    max_characters: int = 100_000

    def __post_init__(self) -> None:
        if self.max_characters < 1:
            raise InputError(f"TextLimits.max_characters must be at least 1, got {self.max_characters}.")

    def check(self, text: str) -> None:
        """Refuse a text that holds nothing, or too much.

        Raises:
            InputError: saying how long it is and how long it may be.
        """
        if is_blank(text):
            raise InputError("The text is empty: type a sentence to tag.")
        if len(text) > self.max_characters:
            raise InputError(
                f"The text has {len(text):,} characters; at most {self.max_characters:,} are read at once, cut it into "
                "parts."
            )


DEFAULT_TEXT_LIMITS = TextLimits()
