"""The MMNERD and Twitter-2015/2017 format: ``IMGID:<id>``, then ``word<TAB>tag`` lines, then a blank line."""

from __future__ import annotations

from mmner_core.data.formats import Format

IMAGE_MARK = "IMGID:"


def split_pair(line: str) -> tuple[str, str]:
    """Split ``word<TAB>tag``; where there is no TAB, at the last space.

    Only the TAB and U+0020 count as space: a word may be, or hold, a no-break or an ideographic space. Spaces
    around a word are padding unless the word is nothing else; a word that is not there is empty. Without a TAB a
    third column, or a space in the word, leaves open which is which: no tag is found.
    """
    word, tab, tag = line.partition("\t")
    if not tab:
        word, space, tag = line.strip(" ").rpartition(" ")
        if " " in word.strip(" ") or (not space and not line.startswith(" ")):
            return line, ""
    return word.strip(" ") or word, tag.strip(" \t")


def _parse_header(line: str) -> str | None:
    """Return the image id; None for a word that happens to begin with the mark."""
    line = line.strip(" \t")
    return None if "\t" in line else line[len(IMAGE_MARK) :].strip(" ")


def _format_word(_: int, word: str, tag: str) -> str:
    return f"{word}\t{tag}"


def _format_image(image_id: str) -> str:
    return f"{IMAGE_MARK}{image_id}"


MMNERD = Format(
    name="mmnerd",
    shape="word<TAB>tag",
    parse_word=split_pair,
    header=IMAGE_MARK,
    parse_header=_parse_header,
    format_word=_format_word,
    format_image=_format_image,
    tabbed=True,
)
