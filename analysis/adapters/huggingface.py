"""A token classification model of Hugging Face as a model of your own; it reads text only.

A word has the label of its first sub-word, and a text beyond the model's window is read in overlapping windows, each
word in the one that shows most around it. Labels of every common scheme are read: IOB1, IOB2, BIOES, BILOU, or types
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.own_model import Answer, Item
from mmner_core.encoders.libraries import prepare_libraries
from mmner_core.errors import InputError, brief
from mmner_core.labels import OUTSIDE, repair

_PREFIXES = {"B": "B", "S": "B", "U": "B", "I": "I", "E": "I", "L": "I", "M": "I"}
_OVERLAP = 32
"""Sub-words that two windows share, at most."""


def pipeline(path: str, device: str = "cpu") -> TokenClassifier:
    """Load a model with its tokenizer.

    Args:
        path: folder of the model, or its name where it was downloaded before.
        device: where to run.

    Raises:
        InputError: if there is no such model, or its tokenizer does not tell which sub-word is of which word.
    """
    prepare_libraries()
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(path)
        model = AutoModelForTokenClassification.from_pretrained(path)
    except (OSError, ValueError, KeyError) as error:
        kind = "folder" if Path(path).is_dir() else "name"
        raise InputError(f"The {kind} {path} holds no model for token classification: {brief(error)}") from error
    if not tokenizer.is_fast:
        raise InputError(f"The tokenizer of {path} does not tell words apart; save it as tokenizer.json.")
    return TokenClassifier(tokenizer, model.eval().to(device))


class TokenClassifier:
    """A tokenizer and a network that gives each sub-word a label.

    Args:
        tokenizer: a fast one.
        network: in eval mode.

    Attributes:
        types: the types that its labels name.
        hidden_word: its sign for what it does not know.
    """

    reads_images = False

    def __init__(self, tokenizer: Any, network: Any) -> None:
        self.tokenizer, self.network = tokenizer, network
        labels = [network.config.id2label[i] for i in range(network.config.num_labels)]
        self.tags = [iob_tag(label) for label in labels]
        self.types = tuple(dict.fromkeys(tag[2:] for tag in self.tags if tag != OUTSIDE))
        self.hidden_word: str = tokenizer.unk_token or tokenizer.mask_token or "_"
        longest = getattr(network.config, "max_position_embeddings", None) or tokenizer.model_max_length
        # Models in the form of RoBERTa count positions from 2.
        self._window = min(tokenizer.model_max_length, longest - 2 if longest > 4 else longest)

    def predict(self, items: Sequence[Item]) -> list[Answer]:
        """Answer with tags, probabilities by tag, and the last layer's vectors of words."""
        import torch

        encoded = self.tokenizer(
            [list(item.words) for item in items],
            is_split_into_words=True,
            truncation=True,
            max_length=self._window,
            stride=min(_OVERLAP, self._window // 4),
            return_overflowing_tokens=True,
            padding=True,
            return_tensors="pt",
        )
        of_item = encoded.pop("overflow_to_sample_mapping").tolist()
        with torch.inference_mode():
            output = self.network(**encoded.to(self.network.device), output_hidden_states=True)
        probabilities = output.logits.float().softmax(-1).cpu().numpy()
        states = output.hidden_states[-1].float().cpu().numpy()
        places = [_first_subwords(encoded.word_ids(window)) for window in range(len(of_item))]
        answers = []
        for number, item in enumerate(items):
            windows = [window for window, owner in enumerate(of_item) if owner == number]
            chosen = [_best(word, windows, places) for word in range(len(item.words))]
            answers.append(self._answer(chosen, probabilities, states))
        return answers

    def _answer(
        self, places: Sequence[tuple[int, int] | None], probabilities: np.ndarray, states: np.ndarray
    ) -> Answer:
        """Build an answer from the position of each word, (window, sub-word); None for a word without sub-words."""
        by_tag = [{OUTSIDE: 1.0} if place is None else self._by_tag(probabilities[place].tolist()) for place in places]
        tags, _ = repair([max(word, key=word.__getitem__) for word in by_tag])
        nothing = np.zeros(states.shape[-1], dtype=np.float32)
        vectors = np.stack([nothing if place is None else states[place] for place in places])
        return Answer(tags=tags, probabilities=by_tag, word_vectors=vectors)

    def _by_tag(self, probabilities: Sequence[float]) -> dict[str, float]:
        """Add up the probabilities of the labels that are one tag."""
        word: dict[str, float] = {}
        for tag, probability in zip(self.tags, probabilities, strict=True):
            word[tag] = min(1.0, word.get(tag, 0.0) + probability)
        return word


def iob_tag(label: str) -> str:
    """Return a label as an IOB tag: ``B-PER`` for "S-PER", ``I-PER`` for "E-PER" and for "PER", ``O`` for "O"."""
    if label == OUTSIDE:
        return OUTSIDE
    prefix, sign, name = label.partition("-")
    if not sign or prefix not in _PREFIXES:
        return f"I-{'_'.join(label.split())}"
    return f"{_PREFIXES[prefix]}-{'_'.join(name.split())}"


def _first_subwords(words: Sequence[int | None]) -> dict[int, tuple[int, int]]:
    """Return where each word's first sub-word stands in a window, and how far it is from the nearer end.

    A word whose beginning lies in the window before is there twice; its later sub-words say less.
    """
    found: dict[int, tuple[int, int]] = {}
    for place, word in enumerate(words):
        if word is not None and word not in found:
            found[word] = (place, min(place, len(words) - place))
    return found


def _best(word: int, windows: Sequence[int], places: Sequence[dict[int, tuple[int, int]]]) -> tuple[int, int] | None:
    """Return the window in which a word is farthest from the ends, and where it stands there."""
    having = [window for window in windows if word in places[window]]
    if not having:
        return None
    window = max(having, key=lambda window: places[window][word][1])
    return window, places[window][word][0]
