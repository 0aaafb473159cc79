"""Made-up sentences and photos of the lengths and sizes of real ones, for models whose weights are random anyway."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mmner_core.bench.sentences import draw_photo
from mmner_core.data import Example
from mmner_core.encoders.tokenizer import FastTokenizer
from mmner_core.labels import LabelSet
from mmner_core.text.encoding import SubwordEncoder

LOG_LENGTH = (3.09, 0.43)
"""Mean and deviation of the logarithm of a sentence's sub-words, special tokens included: MMNERD's English part
under the tokenizer of XLM-R (median 21, mean 24)."""
WORDS = 4000
"""Size of the vocabulary; each word is one sub-word, drawn at random."""
PHOTO_SIZE = (1024, 768)
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
MAX_SUBWORDS = 256


def write_examples(
    folder: Path, n: int, labels: LabelSet, *, size: tuple[int, int] = PHOTO_SIZE, seed: int = 0
) -> list[Example]:
    """Draw n sentences with random tags, each with a JPEG of its own in ``folder``."""
    rng = np.random.default_rng(seed)
    examples = []
    for i in range(n):
        image = folder / f"{i:05}.jpg"
        image.write_bytes(draw_photo(i, size))
        length = int(np.clip(rng.lognormal(*LOG_LENGTH), 3, MAX_SUBWORDS)) - 2
        words = tuple(f"w{word}" for word in rng.integers(0, WORDS, length))
        tags = tuple(labels.decode(rng.integers(0, len(labels), length).tolist()))
        examples.append(Example(words=words, tags=tags, language="en", image_id=image.stem, image=image))
    return examples


def word_encoder() -> SubwordEncoder:
    """Return the tokenizer of these sentences."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocabulary = {token: i for i, token in enumerate((*SPECIAL, *(f"w{word}" for word in range(WORDS))))}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token=SPECIAL[1]))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    ids = {f"{name}_token_id": i for i, name in enumerate(("pad", "unk", "cls", "sep"))}
    return SubwordEncoder(FastTokenizer(backend_tokenizer=backend, **ids), max_subwords=MAX_SUBWORDS)
