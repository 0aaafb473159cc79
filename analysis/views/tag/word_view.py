"""Which words a name rests on, as markup: the text with each word's weight, the check, the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.heat_maps.word_saliency import METHOD, NEAREST, SALIENT
from analysis.views.rendering import macros, render

if TYPE_CHECKING:
    from markupsafe import Markup

    from analysis.heat_maps.word_saliency import WordSaliency
    from mmner_core.results import Prediction, TaggedEntity, Word

TOP = 0.4
"""The fall of probability at which the colour is strongest, as of the occlusion map."""
_NOTABLE = 0.005  # a smaller one does not show in two decimals


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownWord:
    """A word as it is shown.

    Attributes:
        text: the word.
        fall: by how much the name's probability falls without it.
        own: whether it belongs to the name.
    """

    text: str
    fall: float
    own: bool

    @property
    def share(self) -> float:
        """Return how strong its colour is, 0 to 1."""
        return min(abs(self.fall) / TOP, 1.0)

    @property
    def notable(self) -> bool:
        """Return whether its fall shows in two decimals."""
        return abs(self.fall) >= _NOTABLE


def ask_words_html(name: TaggedEntity | None) -> Markup | str:
    """Return the button that asks for the words of a name, nothing without a name."""
    if name is None:
        return ""
    return macros("tag/macros").ask("data-ask", "words", f"Which words made “{name.text}” {name.type}?")


def words_html(prediction: Prediction, name: TaggedEntity, found: WordSaliency) -> Markup:
    """Return which words a name of a prediction rests on."""
    shown = [
        ShownWord(text=word.text, fall=fall, own=_is_own(word, name))
        for word, fall in zip(_words(prediction, found), found.falls.tolist(), strict=True)
    ]
    return render(
        "tag/words",
        name=name,
        sentence=_sentence(shown, name, found),
        pieces=_pieces(prediction, shown, found),
        check=_checked(found),
        ranked=_ranked(shown),
        probability=found.probability,
        method=METHOD,
        top=TOP,
    )


def words_reply(prediction: Prediction, name: TaggedEntity, found: WordSaliency) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "name": {"text": name.text, "type": name.type, "start": name.start, "end": name.end},
        "method": METHOD,
        "probability": found.probability,
        "alone": found.alone,
        "words": [
            {"text": word.text, "start": word.start, "end": word.end, "fall": fall}
            for word, fall in zip(_words(prediction, found), found.falls.tolist(), strict=True)
        ],
        "checks": {
            order: {
                "deletion_auc": check.deletion.auc,
                "random_auc": float(check.random_auc[0].mean()),
                "n_random": len(check.random_deletion),
                "p": check.p_deletion,
                "better_than_chance": check.better_than_chance,
            }
            for order, check in found.checks.items()
        },
    }


def _words(prediction: Prediction, found: WordSaliency) -> tuple[Word, ...]:
    return prediction.words[found.first : found.first + len(found.falls)]


def _ranked(shown: Sequence[ShownWord]) -> list[ShownWord]:
    return sorted(shown, key=lambda word: -abs(word.fall))


def _is_own(word: Word, name: TaggedEntity) -> bool:
    return name.start <= word.start < name.end


def _sentence(shown: Sequence[ShownWord], name: TaggedEntity, found: WordSaliency) -> str:
    answer = f"the probability of “{name.text}” being {name.type}"
    alone = f"With all other words hidden it is {found.alone:.2f}."
    word = next((word for word in _ranked(shown) if not word.own), None)
    if word is None:
        return f"There are no other words around “{name.text}”."
    fall = word.fall
    if not word.notable:
        return f"No other word alone moves {answer}, {found.probability:.2f}. {alone}"
    moved = f"{'falls' if fall > 0 else 'rises'} by {abs(fall):.2f}"
    before, after = found.probability, found.probability - fall
    return f"Without “{word.text}” {answer} {moved}, from {before:.2f} to {after:.2f}. {alone}"


def _checked(found: WordSaliency) -> str:
    if not found.checks:
        return "There are too few other words to check their order against random ones."
    nearest = found.checks[NEAREST].deletion.auc
    return (
        f"Checked by hiding the other words one after the other, the {SALIENT}. {found.checks[SALIENT].verdict()} "
        f"Hidden {NEAREST}, which needs no model: {nearest:.3f}."
    )


def _pieces(
    prediction: Prediction, shown: Sequence[ShownWord], found: WordSaliency
) -> list[tuple[str, ShownWord | None]]:
    """Return each word with the text before it, and last the text after all of them."""
    words = _words(prediction, found)
    whole = len(words) == len(prediction.words)
    pieces: list[tuple[str, ShownWord | None]] = []
    position = 0 if whole else words[0].start
    for word, one in zip(words, shown, strict=True):
        pieces.append((("" if whole or pieces else "… ") + prediction.text[position : word.start], one))
        position = word.end
    return [*pieces, (prediction.text[position:] if whole else " …", None)]
