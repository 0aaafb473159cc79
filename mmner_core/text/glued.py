"""Splits words that touch: "Rome;Paris", "Messi(ARG)", "Leeds?Yes", "2.Oktober", "d'Emma".

The training corpora part such words always; spaCy's rules leave many of them in one piece. Web and e-mail addresses,
numbers, times, abbreviations, file names, emoji and emoticons stay whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mmner_core.text.invisible import EMOJI

_LETTER, _LOWER, _UPPER = r"[^\W\d_]", r"[a-zß-öø-ÿœ]", r"[A-ZÀ-ÖØ-ÞŒ]"
_OPENING, _CLOSING, _QUOTES = r"(\[{", r")\]}", r"\"“”„‟«»‹›"
# What French elides before names. A text in another language may hold them, or be taken for it by mistake.
ELIDED = ("d", "l", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu")
_ENDINGS = "jpe?g|png|gif|svg|webp|pdf|docx?|odt|xlsx?|pptx?|csv|tsv|txt|zip|gz|mp[34]|mov|html?|css|js|py|json|xml|md"
FILE_NAME = rf"[\w-]{{1,64}}(?:\.[\w-]{{1,32}}){{0,4}}\.(?i:{_ENDINGS})(?!\w)"

# Each run is entered at its first character only, so that time grows with the length of a text and not its square.
_RUN_START = r"(?<![\w.@+-])"
_WHOLE = (
    r"(?i:https?|ftp)://\S+",
    r"(?i:www)\.\S+",
    rf"{_RUN_START}[\w.+-]{{1,64}}@[\w-]{{1,64}}(?:\.[\w-]{{1,64}})+",
    rf"{_RUN_START}[\w-]{{1,64}}(?:\.[\w-]{{1,64}}){{0,4}}\.[a-z]{{2,}}/[\w/]\S*",
    rf"(?<![\w.-]){FILE_NAME}",
    EMOJI,
    r"&(?:amp|lt|gt|quot|apos|nbsp|#\d{1,5});",
    r"(?<!\w)[:;=][-^']?[()\[\]DPpOo3|/\\](?!\w)|(?<!\w)[oO0][._]+[oO0](?!\w)",
)
# Parted from both neighbours wherever they stand.
_ALONE = (
    r"[-=~–—]+>|<[-=~–—]+(?!\d)|[\u2190-\u21ff\u27f5-\u27ff]",  # arrows
    r"[•‣∙◦⁃・‧⋅]|(?<![lL])·|·(?![lL])|(?<![:;=])[|¦]+",  # bullets and bars, but Catalan's "col·lega"
    r"[“”„‟«»‹›¿¡、。，．；：！？（）【】「」『』《》〈〉]",
    r"[:;=]-?\)(?=\w)",  # an emoticon that a word follows
)
# Parted where they stand between two words.
_BETWEEN = (
    rf"(?<=[\w.!?,{_CLOSING}{_QUOTES}])[{_OPENING}]",
    rf"(?<=:)\((?={_LETTER}[^()]{{0,40}}\))",
    rf"(?<![:;=])[{_CLOSING}](?=[\w{_OPENING}{_QUOTES}¿¡#@])",
    r"(?<=\w)\"(?=\w)",
    rf"(?<=[\w{_CLOSING}{_QUOTES}])(?:;(?![DPpOo3](?!\w))|\?)[!?]*(?=[\w{_OPENING}{_QUOTES}#@])",
    rf"(?<=\w\w)!+\??(?=\w)|(?<=[\w{_CLOSING}])!+\??(?=[{_UPPER[1:-1]}\d{_OPENING}{_QUOTES}#@])",  # but not "P!nk"
    rf",(?={_LETTER})|(?<={_LETTER}),(?=\d)|(?<=[{_CLOSING}{_QUOTES}!?%]),(?=\w)",
    rf"(?:(?<={_LETTER}):(?=\w)|(?<=\d):(?={_LETTER}))(?![DPpOo3](?!\w))|(?<=\w):(?=[@#{_QUOTES}])",
    rf"(?<=[{_CLOSING}{_QUOTES}])[:/](?=\w)",
    rf"(?<=\d)\.(?={_UPPER}{_LOWER}{{2}})",  # "2.Oktober", but "1.FC"
    rf"(?<=[{_CLOSING}{_QUOTES}!?])\.(?=\w)",
    rf"(?<={_LETTER}{{2}})\.(?=(?:and|but|the|then|we|he|she|they|und|aber|dann|wir|der|die|das|et|mais|puis|les|nous"
    r"|elle|pero|luego|los|las|que|el)\b)",
    r"(?<=[\w\"])[<>]+(?=[\w</])",
    rf"(?<={_LOWER}{{2}})(?:[+*~\\]|&(?!\w+;))(?={_UPPER}{_LOWER})",
    rf"(?<=[\w{_CLOSING}{_QUOTES}])@(?=\w)",
    rf"(?<=\d)%(?={_LETTER})",
)
# What follows is another word; what stands before may be an abbreviation with its full stop, or is an elided word.
_BEFORE = (
    rf"(?<={_LETTER}{_LOWER})\.(?={_UPPER})",
    rf"(?<![\w'’])(?:{'|'.join(ELIDED)})['’](?={_UPPER})",
)
_GLUE = re.compile(
    f"(?P<whole>{'|'.join(_WHOLE)})|(?P<mark>{'|'.join((*_ALONE, *_BETWEEN))})|(?P<before>{'|'.join(_BEFORE)})"
)


_RUN = re.compile(r"\S+")


def word_breaks(text: str) -> Iterator[int]:
    """Yield in order the places at which a new word begins although no white space stands before it."""
    for run in _RUN.finditer(text):
        if _is_plain(run.group()):  # nearly every run, and asking is much cheaper than searching
            continue
        for found in _GLUE.finditer(text, run.start(), run.end()):
            if found["mark"] is not None:
                yield found.start()
            if found["whole"] is None:
                yield found.end()


def _is_plain(run: str) -> bool:
    """Say whether a run is letters and digits with at most one mark at its end."""
    return run.isalnum() or (run[:-1].isalnum() and run[-1] in ".,;:!?)")
