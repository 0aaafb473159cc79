"""The CoNLL-2002/2003 columns: token first, tag last, separated by spaces (or TABs); IOB1 is converted to IOB2."""

from __future__ import annotations

from mmner_core.data.formats import Format


def _parse_word(line: str) -> tuple[str, str]:
    """Take the first and the last column; whatever stands between (part of speech, chunk) is not read."""
    word, _, rest = line.replace("\t", " ").strip(" ").partition(" ")
    return word, rest.rpartition(" ")[2]


def _no_header(_: str) -> None:
    return None


def _format_word(_: int, word: str, tag: str) -> str:
    return f"{word} {tag}"


CONLL = Format(
    name="conll",
    shape="word, a space, any other columns, tag",
    parse_word=_parse_word,
    header=None,
    parse_header=_no_header,
    format_word=_format_word,
    format_image=None,
    tabbed=False,
    iob1=True,
)
