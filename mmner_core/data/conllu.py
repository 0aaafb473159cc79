"""WikiNEuRal's ``.conllu``: ``index<TAB>word<TAB>tag`` lines; ``#`` comments, of which one may name the image."""

from __future__ import annotations

from mmner_core.data.formats import Format
from mmner_core.data.mmnerd import split_pair

IMAGE_COMMENT = "# image_id = "


def _parse_word(line: str) -> tuple[str, str]:
    """Drop the index; a line without one yields no tag, so that the caller reports it."""
    index, tab, rest = line.partition("\t")
    if not tab:
        index, _, rest = line.strip(" ").partition(" ")
    if not index.strip(" ").isdecimal():
        return line, ""
    return split_pair(rest)


def parse_comment(line: str) -> str:
    """Return the image id that a comment names, "" where it names none."""
    return line.removeprefix(IMAGE_COMMENT).strip(" \t") if line.startswith(IMAGE_COMMENT) else ""


def _format_word(index: int, word: str, tag: str) -> str:
    return f"{index}\t{word}\t{tag}"


def _format_image(image_id: str) -> str:
    return f"{IMAGE_COMMENT}{image_id}"


CONLLU = Format(
    name="conllu",
    shape="index<TAB>word<TAB>tag",
    parse_word=_parse_word,
    header="#",
    parse_header=parse_comment,
    format_word=_format_word,
    format_image=_format_image,
    tabbed=True,
    numbered=True,
)
