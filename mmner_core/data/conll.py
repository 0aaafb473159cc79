"""The CoNLL-2002/2003 columns: token first, tag last, separated by spaces (or TABs); IOB1 is converted to IOB2."""

from __future__ import annotations

from mmner_core.data.columns import Columns
from mmner_core.data.formats import Format


def _no_header(_: str) -> None:
    return None


def _format_word(_: int, word: str, tag: str) -> str:
    return f"{word} {tag}"


CONLL = Format(
    name="conll",
    shape="word, a space, any other columns, tag",
    parse_word=Columns().word_and_tag,
    header=None,
    parse_header=_no_header,
    format_word=_format_word,
    format_image=None,
    tabbed=False,
    iob1=True,
)
