"""Someone who sends text and photos, and what must hold of every answer."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from mmner_core.errors import InputError
from mmner_core.text.invisible import is_blank

if TYPE_CHECKING:
    from mmner_core.inference.tagger import Tagger
    from mmner_core.results import Prediction

LONGEST_SENTENCE = 250


class Visitor:
    """Asks one model, and checks the form of what comes back."""

    def __init__(self, tagger: Tagger) -> None:
        self.tagger = tagger

    def ask(self, text: str = "best of Jordan", photo: bytes | None = None, lang: str | None = "en") -> Prediction:
        """Ask, and check the offsets: they index the text as given, in order, and all that can be seen is in a word."""
        prediction = self.tagger.tag(text, photo, lang)
        assert prediction.text == text
        end = 0
        for word in prediction.words:
            assert text[word.start : word.end] == word.text
            assert word.start >= end and is_blank(text[end : word.start])
            end = word.end
        assert is_blank(text[end:])
        assert len(prediction.tags) == len(prediction.marginals) == len(prediction.words)
        for entity in prediction.entities:
            assert text[entity.start : entity.end] == entity.text
        return prediction

    def refused(self, text: str = "best of Jordan", photo: bytes | None = None) -> str:
        """Ask what is to be refused; return the sentence, which must be one."""
        with pytest.raises(InputError) as caught:
            self.tagger.tag(text, photo, "en")
        return sentence(caught.value)

    @staticmethod
    def photo() -> bytes:
        """Return a photo that nothing is wrong with."""
        buffer = io.BytesIO()
        Image.radial_gradient("L").convert("RGB").save(buffer, "JPEG")
        return buffer.getvalue()


def sentence(error: BaseException) -> str:
    """Return what an input error says, having checked that it is one short sentence for a user."""
    text = str(error)
    assert isinstance(error, InputError)
    assert text.endswith(".") and "\n" not in text, text
    assert text[0].isupper() or text[0] in "/'", text
    assert len(text) <= LONGEST_SENTENCE, text
    assert not any(jargon in text for jargon in ("Traceback", "Error(", "<class", "0x7f")), text
    return text
