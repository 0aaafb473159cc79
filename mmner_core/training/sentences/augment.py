"""Rewrite training sentences the way visitors type: lower case, emoji, hashtags, no full stop, curly quotes.

Every function takes words and their IOB2 tags and returns new ones of equal length; an entity keeps its words, its
type and its order, and may change in case only. Added words follow the training corpora: ``#`` and ``@`` stand
alone, each emoji is a word, a URL is one word, all tagged ``O``.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields

from mmner_core.errors import InputError
from mmner_core.labels import OUTSIDE

Sentence = tuple[tuple[str, ...], tuple[str, ...]]

EMOJI = tuple("😀 😂 😍 😎 😢 😡 🙏 👍 👏 🔥 🎉 ✨ ❤️ 💙 📷 🎶 ⚽ ☀️ 🌊 🌸".split())
HASHTAGS = (
    *"photooftheday love summer nofilter instagood weekend travel news throwback goals sommer reisen urlaub".split(),
    *"liebe wochenende glücklich été amour vacances voyage bonheur souvenir verano amor viaje felicidad".split(),
)
MENTIONS = ("user", "user123", "photo_daily", "best_friend", "the_team", "my_sister", "fan4ever", "travel.diary")
URLS = (
    "https://t.co/x7Kq2bZ9",
    "http://bit.ly/3fGh1",
    "www.example.com",
    "https://example.org/news/2021/05/item.html",
)
FINAL_PUNCTUATION = frozenset(".!?…:;") | {"...", "!!", "??", "!?", "?!"}
CURLY_PAIRS = (("“", "”"), ("„", "“"), ("«", "»"), ("”", "”"))
DOUBLE_QUOTES = frozenset("“”„«»") | {"``", "''"}
CURLY_APOSTROPHES = str.maketrans("‘’‚‛", "''''")


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentConfig:
    """How often each rewriting happens to a sentence: probabilities from 0 to 1, drawn independently.

    Attributes:
        lower_case: all words to lower case.
        drop_final: the last word goes when it is sentence punctuation.
        emoji: one or two emoji at the end.
        social: a hashtag, a mention or a URL before or after the sentence.
        quotes: straight quotes and apostrophes become typographic ones, or the other way round.
        capitals: every letter a capital, as headlines have it.
        title_case: every word with a capital, as titles have it.

    Raises:
        InputError: if a probability lies outside 0 to 1.
    """

    lower_case: float = 0.1
    drop_final: float = 0.1
    emoji: float = 0.05
    social: float = 0.05
    quotes: float = 0.15
    capitals: float = 0.0
    title_case: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 <= getattr(self, field.name) <= 1:
                value = getattr(self, field.name)
                raise InputError(f"AugmentConfig.{field.name} must be a probability from 0 to 1, got {value}.")


def augment(words: Sequence[str], tags: Sequence[str], *, config: AugmentConfig, rng: random.Random) -> Sentence:
    """Rewrite a sentence, each change with its own probability; the result depends on ``rng`` alone.

    Raises:
        InputError: if the sentence is empty or words and tags differ in number.
    """
    if not words or len(words) != len(tags):
        raise InputError(f"A sentence needs as many tags as words and one at least, got {len(words)} and {len(tags)}.")
    sentence = tuple(words), tuple(tags)
    if rng.random() < config.quotes:
        sentence = swap_quotes(*sentence, rng=rng)
    if rng.random() < config.drop_final:
        sentence = drop_final_punctuation(*sentence)
    if rng.random() < config.lower_case:
        sentence = lower_case(*sentence)
    elif config.capitals and rng.random() < config.capitals:
        sentence = upper_case(*sentence)
    elif config.title_case and rng.random() < config.title_case:
        sentence = title_case(*sentence)
    if rng.random() < config.social:
        sentence = add_social(*sentence, rng=rng)
    if rng.random() < config.emoji:
        sentence = append_emoji(*sentence, rng=rng)
    return sentence


def lower_case(words: Sequence[str], tags: Sequence[str]) -> Sentence:
    """Put every word in lower case; the tags stay."""
    return tuple(word.lower() for word in words), tuple(tags)


def upper_case(words: Sequence[str], tags: Sequence[str]) -> Sentence:
    """Put every word in capitals; the tags stay."""
    return tuple(word.upper() for word in words), tuple(tags)


def title_case(words: Sequence[str], tags: Sequence[str]) -> Sentence:
    """Begin every word with a capital; the tags stay."""
    return tuple(word[:1].upper() + word[1:] for word in words), tuple(tags)


def drop_final_punctuation(words: Sequence[str], tags: Sequence[str]) -> Sentence:
    """Remove the last word when it is sentence punctuation outside an entity and not all there is."""
    keep = len(words)
    if keep > 1 and tags[-1] == OUTSIDE and words[-1] in FINAL_PUNCTUATION:
        keep -= 1
    return tuple(words[:keep]), tuple(tags[:keep])


def append_emoji(words: Sequence[str], tags: Sequence[str], *, rng: random.Random) -> Sentence:
    """Add one or two emoji at the end."""
    emoji = rng.choices(EMOJI, k=rng.randint(1, 2))
    return (*words, *emoji), (*tags, *[OUTSIDE] * len(emoji))


def add_social(words: Sequence[str], tags: Sequence[str], *, rng: random.Random) -> Sentence:
    """Add a hashtag, a mention or a URL, before or after the sentence."""
    extra = rng.choice(
        [("#", rng.choice(HASHTAGS)), ("@", rng.choice(MENTIONS)), (rng.choice(URLS),)],
    )
    outside = (OUTSIDE,) * len(extra)
    if rng.random() < 0.5:
        return (*extra, *words), (*outside, *tags)
    return (*words, *extra), (*tags, *outside)


def swap_quotes(words: Sequence[str], tags: Sequence[str], *, rng: random.Random) -> Sentence:
    """Turn curly quotes and apostrophes outside entities into straight ones, or straight ones into a curly style."""
    pairs = rng.choice(CURLY_PAIRS)
    straighten = any(_is_curly(word) for word, tag in zip(words, tags, strict=True) if tag == OUTSIDE)
    swapped: list[str] = []
    quotes = 0
    for word, tag in zip(words, tags, strict=True):
        if tag != OUTSIDE:
            swapped.append(word)
        elif straighten:
            swapped.append('"' if word in DOUBLE_QUOTES else word.translate(CURLY_APOSTROPHES))
        elif word == '"':
            swapped.append(pairs[quotes % 2])
            quotes += 1
        else:
            swapped.append(word.replace("'", "’"))
    return tuple(swapped), tuple(tags)


def _is_curly(word: str) -> bool:
    return word in DOUBLE_QUOTES or word.translate(CURLY_APOSTROPHES) != word
