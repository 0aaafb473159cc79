"""Attributes of entities and their sentences: the columns by which scores are split and errors filtered."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.run.answers import Answers
from analysis.run.categorical import from_codes, from_values
from analysis.run.lexicon import NEVER, SEEN, UNKNOWN, Lexicon
from analysis.run.spans import Spans
from analysis.scores.cosine_terciles import TERCILES, cosine_terciles

ENTITY_LENGTHS = ((1, "1 word"), (2, "2 words"), (3, "3 words"), (None, "4 words or more"))
SENTENCE_LENGTHS = (
    (5, "1-5 words"),
    (10, "6-10 words"),
    (20, "11-20 words"),
    (40, "21-40 words"),
    (None, "41 words or more"),
)
DENSITIES = ((0, "none"), (1, "1"), (3, "2-3"), (None, "4 or more"))
FREQUENCIES = ((0, NEVER), (1, "once"), (4, "2-4 times"), (19, "5-19 times"), (None, "20 times or more"))
CONSISTENCIES = ("always this type", "mostly this type", "mostly another type", "never this type", NEVER, UNKNOWN)
POSITIONS = ("whole sentence", "first", "inside", "last")
CASINGS = ("lower case", "Capitalised", "UPPER CASE", "mixed case", "no letters")
COSINES = (*(f"{third} cosine" for third in TERCILES), "no cosine")
IMAGES = ("with image", "without image")

# Attribute to the phrase that a slice's description reads, as in: length of the name is 1 word.
PHRASES = {
    "language": "language",
    "type": "type",
    "seen": "seen in training",
    "frequency": "name in training",
    "consistency": "type of the name in training",
    "entity_length": "length of the name",
    "sentence_length": "length of the sentence",
    "density": "names in the sentence",
    "position": "place in the sentence",
    "casing": "letter case",
    "source": "source",
    "kind": "kind of pair",
    "image": "image",
    "cosine_tercile": "image-text cosine",
}
ATTRIBUTES = tuple(PHRASES)


def attribute_table(answers: Answers, spans: Spans, lexicon: Lexicon | None = None) -> pd.DataFrame:
    """Return the ``ATTRIBUTES`` of each entity of one side.

    An attribute depends on span, type, words and annotated sentence alone, so a predicted entity that equals a gold
    one gets the same values, and F1 within a slice is well defined.

    Args:
        answers: the sentences.
        spans: ``answers.gold`` or ``answers.predicted``.
        lexicon: training surfaces; without them ``seen`` is "not known", without their counts ``frequency`` and
            ``consistency`` are.

    Returns:
        [N] one categorical column per attribute, and ``text``, the surface form.
    """
    texts = spans.texts(answers.words)
    names = spans.type_names()
    seen = lexicon.seen(texts, names) if lexicon else [UNKNOWN] * len(spans)
    n_annotated = np.bincount(answers.gold.sentence, minlength=spans.n_sentences)
    columns = {
        "type": from_values(names, spans.types),
        "seen": from_values(seen, SEEN),
        **_in_training(lexicon, texts, names),
        "entity_length": _bucket(spans.end - spans.start, ENTITY_LENGTHS),
        "density": _bucket(n_annotated[spans.sentence], DENSITIES),
        "position": _position(spans),
        "casing": from_values([_casing(text) for text in texts], CASINGS),
    }
    sentences = sentence_attributes(answers).iloc[spans.sentence].reset_index(drop=True)
    table = pd.concat([sentences, pd.DataFrame(columns)], axis=1)[list(ATTRIBUTES)]
    return table.assign(text=pd.Series(texts, dtype="str"))


def sentence_attributes(answers: Answers) -> pd.DataFrame:
    """Describe each sentence: [S] categorical columns language, sentence_length, source, kind, image, cosine_tercile.

    Cosine terciles are those of :mod:`analysis.scores.cosine_terciles`.
    """
    sentences = answers.sentences
    has_image = (sentences["image_path"] != "") | (sentences["image_id"] != "")
    return pd.DataFrame(
        {
            "language": _known(sentences["language"]),
            "sentence_length": _bucket(sentences["n_words"].to_numpy(), SENTENCE_LENGTHS),
            "source": _known(sentences["source"]),
            "kind": _known(sentences["kind"]),
            "image": from_values(np.where(has_image, *IMAGES), IMAGES),
            "cosine_tercile": _terciles(answers),
        }
    )


def _in_training(lexicon: Lexicon | None, texts: list[str], names: np.ndarray) -> dict[str, pd.Categorical]:
    """Classify entities by how often training names them, and by how consistently it gives them their type."""
    every, same = (np.full(len(texts), np.nan),) * 2 if lexicon is None else lexicon.frequencies(texts, names)
    known = ~np.isnan(every)
    bounds = [bound for bound, _ in FREQUENCIES if bound is not None]
    values = [name for _, name in FREQUENCIES]
    times = np.where(known, np.searchsorted(bounds, np.nan_to_num(every)), len(values))
    share = np.divide(same, every, out=np.zeros(len(texts)), where=known & (every > 0))
    kinds = [~known, every == 0, share == 1, share >= 0.5, share > 0]
    return {
        "frequency": from_codes(times, (*values, UNKNOWN)),
        "consistency": from_codes(np.select(kinds, [5, 4, 0, 1, 2], 3), CONSISTENCIES),
    }


def _terciles(answers: Answers) -> pd.Categorical:
    names = [f"{third or 'no'} cosine" for third in cosine_terciles(answers)]
    return from_values(names, COSINES).as_ordered()


def _position(spans: Spans) -> pd.Categorical:
    first, last = spans.start == 0, spans.end == spans.n_words[spans.sentence]
    codes = np.select([first & last, first, last], [0, 1, 3], 2)
    return from_codes(codes, POSITIONS)


def _casing(text: str) -> str:
    if text.lower() == text.upper():
        return "no letters"
    if text == text.lower():
        return "lower case"
    if text == text.upper() and sum(character.isalpha() for character in text) > 1:
        return "UPPER CASE"
    # Particles are lower case in all four languages: "Charles de Gaulle" is capitalised.
    words = [word for word in text.split() if word.lower() != word.upper()]
    capitals = [word for word in words if word != word.lower()]
    plain = all(word[1:] == word[1:].lower() and word[0] == word[0].upper() for word in capitals)
    return "Capitalised" if plain else "mixed case"


def _bucket(values: np.ndarray, buckets: tuple[tuple[int | None, str], ...]) -> pd.Categorical:
    """Put numbers into the first bucket whose upper bound they do not exceed."""
    bounds = [bound for bound, _ in buckets if bound is not None]
    names = [name for _, name in buckets]
    return from_codes(np.searchsorted(bounds, values), names, ordered=True)


def _known(values: pd.Series) -> pd.Categorical:
    filled = [value or UNKNOWN for value in values]
    return from_values(filled, sorted(set(filled)))
