"""Invisible characters, which come with copied text and must neither hide a full stop nor join words.

They are Unicode's "default ignorable" code points (zero width spaces and joiners, soft hyphen, direction marks,
variation selectors, tags) and the control characters that are no white space. Those that shape an emoji are part of it.
"""

from __future__ import annotations

import re

# Unicode's DerivedCoreProperties, Default_Ignorable_Code_Point; and the controls but for white space.
_CLASS = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
)
INVISIBLE = re.compile(f"[{_CLASS}]+")
# Soft hyphens and the joiners of letters stand within words only; the others may stand between two words as well.
JOINERS = frozenset("\u00ad\u034f\u200c\u200d")

# One emoji with its variation selectors, skin tone and joined parts.
_PICTOGRAM = (
    r"[\u231A-\u23FF\u25A0-\u27BF\u2B00-\u2BFF\U0001F000-\U0001FAFF]"
    r"[\uFE0E\uFE0F\u20E3\U0001F3FB-\U0001F3FF\U000E0020-\U000E007F]*"
)
EMOJI = rf"(?:[\U0001F1E6-\U0001F1FF]{{2}}|[0-9#*]\uFE0F?\u20E3|{_PICTOGRAM}(?:\u200D{_PICTOGRAM})*)"
_EMOJI_OR_INVISIBLE = re.compile(f"(?P<emoji>{EMOJI})|{INVISIBLE.pattern}")


def is_blank(text: str) -> bool:
    """Say whether a text holds nothing but white space and invisible characters."""
    return not INVISIBLE.sub("", text).strip()


def invisible_runs(text: str) -> list[tuple[int, int]]:
    """Return the half-open spans of invisible characters that belong to no emoji, in order."""
    if not INVISIBLE.search(text):
        return []
    return [m.span() for m in _EMOJI_OR_INVISIBLE.finditer(text) if m["emoji"] is None]


def without_invisible(text: str) -> str:
    """Return a text without its invisible characters."""
    runs = invisible_runs(text)
    if not runs:
        return text
    ends = [0, *(end for _, end in runs)]
    starts = [*(start for start, _ in runs), len(text)]
    return "".join(text[end:start] for end, start in zip(ends, starts, strict=True))
