"""Which words a name rests on, as HTML: the text with each word's weight, the check, the numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.heat_maps.word_saliency import METHOD, NEAREST, SALIENT
from analysis.views.marks import escape_html

if TYPE_CHECKING:
    from analysis.heat_maps.word_saliency import WordSaliency
    from mmner_core.results import Prediction, TaggedEntity, Word

TOP = 0.4
"""The fall of probability at which the colour is strongest, as of the occlusion map."""
_NOTABLE = 0.005  # a smaller one does not show in two decimals
_ASK = """<div class="wb-asking"><button type="button" class="wb-quiet" data-ask="words">Which words made “{name}”
{type}?</button></div>"""
_WORDS = """<section class="wb-asking wb-words" aria-label="Which words made it so">
<h4>Which words made “{name}” {type}</h4><p role="status">{sentence}</p><div class="wb-text" dir="auto">{text}</div>
<p>{check}</p><details><summary>The numbers</summary>
<div class="wb-scroll" tabindex="0" role="region" aria-label="Fall of probability without each word">
<table class="wb-grid"><thead><tr><th scope="col">Without</th><th scope="col">the probability is</th>
<th scope="col">it falls by</th></tr></thead><tbody>{rows}</tbody></table></div></details>
<p class="wb-fine">Method: {method}. The colour is on one scale for all names, full from {top} on. Two words that each
suffice hide one another.</p></section>"""
_WORD = '<span class="wb-word{kind}" style="--share:{share:.3f}">{word}{number}</span>'
_NUMBER = "<sub>{:+.2f}</sub>"
_ROW = """<tr><th scope="row">{word}{own}</th><td class="wb-number">{without:.3f}</td>
<td class="wb-number">{fall:+.3f}</td></tr>"""


def ask_words_html(name: TaggedEntity | None) -> str:
    """Return the button that asks for the words of a name, nothing without a name."""
    return "" if name is None else _ASK.format(name=escape_html(name.text), type=escape_html(name.type))


def words_html(prediction: Prediction, name: TaggedEntity, found: WordSaliency) -> str:
    """Return which words a name of a prediction rests on."""
    return _WORDS.format(
        name=escape_html(name.text),
        type=escape_html(name.type),
        sentence=escape_html(_sentence(prediction, name, found)),
        text=_text(prediction, name, found),
        check=escape_html(_checked(found)),
        rows="".join(_row(word, fall, name, found) for word, fall in _ranked(prediction, found)),
        method=escape_html(METHOD),
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


def _ranked(prediction: Prediction, found: WordSaliency) -> list[tuple[Word, float]]:
    pairs = zip(_words(prediction, found), found.falls.tolist(), strict=True)
    return sorted(pairs, key=lambda pair: -abs(pair[1]))


def _is_own(word: Word, name: TaggedEntity) -> bool:
    return name.start <= word.start < name.end


def _sentence(prediction: Prediction, name: TaggedEntity, found: WordSaliency) -> str:
    answer = f"the probability of “{name.text}” being {name.type}"
    alone = f"With all other words hidden it is {found.alone:.2f}."
    others = [(word, fall) for word, fall in _ranked(prediction, found) if not _is_own(word, name)]
    if not others:
        return f"There are no other words around “{name.text}”."
    word, fall = others[0]
    if abs(fall) < _NOTABLE:
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


def _text(prediction: Prediction, name: TaggedEntity, found: WordSaliency) -> str:
    """Mark each word by what its absence does; the rest of the text is left as it is."""
    words = _words(prediction, found)
    whole = len(words) == len(prediction.words)
    position = 0 if whole else words[0].start
    pieces = [] if whole else ["… "]
    for word, fall in zip(words, found.falls.tolist(), strict=True):
        kind = " wb-word-own" if _is_own(word, name) else ""
        kind += " wb-word-against" if fall < 0 else ""
        pieces.append(escape_html(prediction.text[position : word.start]))
        pieces.append(
            _WORD.format(
                kind=kind,
                share=min(abs(fall) / TOP, 1.0),
                word=escape_html(word.text),
                number=_NUMBER.format(-fall) if abs(fall) >= _NOTABLE else "",
            )
        )
        position = word.end
    return "".join(pieces) + (escape_html(prediction.text[position:]) if whole else " …")


def _row(word: Word, fall: float, name: TaggedEntity, found: WordSaliency) -> str:
    own = " (of the name)" if _is_own(word, name) else ""
    return _ROW.format(word=escape_html(word.text), own=own, without=found.probability - fall, fall=fall)
