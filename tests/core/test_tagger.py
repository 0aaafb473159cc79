"""The tagger: text and photo in, names with offsets and exact confidences out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mmner_core.checkpoints.folder import save_checkpoint
from mmner_core.errors import InputError
from mmner_core.inference.photo_reader import PhotoReader
from mmner_core.inference.tag_job import TagRequest
from mmner_core.inference.tagger import Tagger
from mmner_core.labels import tags_to_entities
from mmner_core.network.model import MMNER
from mmner_core.network.precision import multiplies_bfloat16
from mmner_core.presets import tiny_grounded
from mmner_core.results import Prediction, Word
from mmner_core.runtime.cache import RecentlyUsed
from mmner_core.runtime.repository import SHIPPED

PHOTO = Path(__file__).parents[1] / "data" / "tiny" / "images" / "per-2.jpg"  # 64 x 48
OTHER_PHOTO = PHOTO.with_name("loc-1.jpg")
TEXT = "Marie Curie went from Warszawa to Paris."
LONG = " ".join(f"Ada met Bob{i} in Köln." for i in range(60))


@pytest.fixture(scope="module")
def tagger(tiny_checkpoint: Path) -> Tagger:
    """Load the tiny checkpoint."""
    return Tagger.load(tiny_checkpoint)


def same(one: Prediction, other: Prediction) -> None:
    """Check that two predictions agree, up to what a batch's padding does to the last digits."""
    assert (one.text, one.words, one.tags, one.language) == (other.text, other.words, other.tags, other.language)
    np.testing.assert_allclose(one.marginals, other.marginals, atol=0.02)


@given(st.text(st.characters(exclude_categories=()), max_size=80).filter(str.strip))
def test_offsets_index_the_text_as_given(person_tagger: Tagger, text: str) -> None:
    """Whatever is typed, lone surrogates and control characters too, spans are spans of that very text."""
    prediction = person_tagger.tag(text, lang="en")
    assert prediction.text == text
    for part in (*prediction.words, *prediction.entities):
        assert text[part.start : part.end] == part.text
    assert len(prediction.tags) == len(prediction.words) == len(prediction.marginals)


def test_entities_are_the_tags_spans(person_tagger: Tagger) -> None:
    """Every word is taken for a person here; word spans, character spans and tags say the same."""
    prediction = person_tagger.tag(TEXT, lang="en")
    spans = [(e.word_start, e.word_end, e.type) for e in prediction.entities]
    assert spans == [(e.start, e.end, e.type) for e in tags_to_entities(list(prediction.tags))]
    assert [e.text for e in prediction.entities] == ["Marie", "Curie", "went", "from", "Warszawa", "to", "Paris", "."]


def test_confidence_and_runner_up_are_ordered(person_tagger: Tagger) -> None:
    """The runner-up is another type, less probable, and together they are no more than certain."""
    for entity in person_tagger.tag(TEXT, PHOTO, "en").entities:
        assert entity.runner_up.type != entity.type
        assert 0 <= entity.runner_up.confidence < entity.confidence <= 1


def test_spans_that_are_wanted_are_scored_found_or_not(tagger: Tagger) -> None:
    """As the names themselves are, beside the same photo, in a long text; one across a blank line is none."""
    text = f"{LONG}\n\n{TEXT}"
    found = tagger.tag(text, PHOTO, "en")
    n, last = len(found.words), len(tagger.tag(TEXT, lang="en").words)
    names = [(e.word_start, e.word_end) for e in found.entities]
    wanted = (*names, (n - last, n - last + 2), (n - last - 1, n - last + 1), (0, n))
    [again] = tagger.tag_batch([TagRequest(text=text, image=PHOTO, lang="en", spans=wanted)])
    same(found, again)
    assert found.wanted == {} and list(again.wanted) == list(dict.fromkeys(wanted))
    for entity in found.entities:
        of_span = again.wanted[entity.word_start, entity.word_end]
        assert of_span[entity.type] == pytest.approx(entity.confidence, abs=1e-3)
        assert of_span[entity.runner_up.type] == pytest.approx(entity.runner_up.confidence, abs=1e-3)
    assert 0 < sum(again.wanted[n - last, n - last + 2].values()) < 1
    assert set(again.wanted[n - last - 1, n - last + 1].values()) == set(again.wanted[0, n].values()) == {0.0}


def test_a_batch_equals_single_calls(tagger: Tagger) -> None:
    """With and without photo, short and long, in one batch or alone: the same, in order."""
    requests = [
        TagRequest(text=TEXT, lang="en"),
        TagRequest(text=LONG, lang="de", image=PHOTO),
        TagRequest(text="Berlin", lang="de", image=PHOTO.read_bytes()),
        TagRequest(text=TEXT, lang="en", convention="caption"),
    ]
    for request, batched in zip(requests, tagger.tag_batch(requests), strict=True):
        alone = tagger.tag(request.text, request.image, request.lang, convention=request.convention)
        same(alone, batched)
        assert alone.attention.keys() == batched.attention.keys()
        assert alone.crop == batched.crop


@pytest.mark.slow
@pytest.mark.skipif(not multiplies_bfloat16(), reason="full precision is another matter: it rounds where none sees it")
def test_an_answer_does_not_depend_on_its_neighbours() -> None:
    """The shipped model: texts of all lengths, with and without photo, alone and in two orders, to the last bit."""
    shipped = Tagger.load(SHIPPED)
    words = f"{TEXT} Grace Hopper met Ada Lovelace in the harbour of Köln, où Jordan vivait.".split() * 12
    photos = (None, PHOTO, OTHER_PHOTO)
    requests = [
        TagRequest(text=" ".join(words[i : i + n]), image=photos[i % 3], lang="en")
        for i, n in enumerate((1, 1, 2, 5, 9, 13, 20, 33, 60, 200, 7, 12))
    ]
    requests += [TagRequest(text="Ada\nGrace\nJordan\n\nUlm\tKöln", image=photo, lang="en") for photo in photos]

    def forget() -> Tagger:
        shipped.texts = RecentlyUsed(0)  # else the second time none would be read
        shipped.photos = PhotoReader(shipped.model, shipped.limits, max_bytes=0)
        return shipped

    alone = [forget().tag_batch([request])[0] for request in requests]
    assert any(answer.entities for answer in alone)
    beside = [forget().tag(request.text, request.image, request.lang) for request in requests]
    forwards, backwards = forget().tag_batch(requests), forget().tag_batch(requests[::-1])[::-1]
    for together in (beside, forwards, backwards):
        for one, other in zip(alone, together, strict=True):
            assert (one.tags, one.entities) == (other.tags, other.entities)
            assert one.text_only_entities == other.text_only_entities
            assert one.image_text_cosine == other.image_text_cosine
            np.testing.assert_array_equal(one.marginals, other.marginals)
            for stream, attention in one.attention.items():
                np.testing.assert_array_equal(attention.weights, other.attention[stream].weights)


def test_an_empty_batch_is_an_empty_answer(tagger: Tagger) -> None:
    """Nothing in, nothing out."""
    assert tagger.tag_batch([]) == []


def test_a_long_text_loses_no_word(tagger: Tagger) -> None:
    """It is read in windows, says so, and every word has a tag and marginals that sum to one."""
    prediction = tagger.tag(LONG, PHOTO, "en")
    assert prediction.windows > 1
    assert f"Long text: read in {prediction.windows} overlapping windows, no word left out." in prediction.notes
    assert [word.text for word in prediction.words][:4] == ["Ada", "met", "Bob0", "in"]
    assert len(prediction.tags) == len(prediction.words) > 240
    np.testing.assert_allclose(prediction.marginals.sum(1), 1, atol=1e-3)
    for attention in prediction.attention.values():
        assert attention.weights.shape[1] == len(prediction.words)


@pytest.mark.slow
def test_parts_of_like_length_are_decoded_together(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long paragraph is not padded to beside a thousand cells, which took gigabytes; no cut changes an answer."""
    tagger = Tagger.load(tiny_checkpoint)
    crf = tagger.model.crf
    shapes: list[tuple[int, int]] = []
    viterbi = crf.viterbi

    def note(emissions: torch.Tensor, mask: torch.Tensor) -> list[list[int]]:
        shapes.append((emissions.shape[0], emissions.shape[1]))
        return viterbi(emissions, mask)

    monkeypatch.setattr(crf, "viterbi", note)
    text = "Ada " * 500 + "\t".join("Ulm Bob" if i % 3 else "Köln" for i in range(1000))
    whole = tagger.tag(text, PHOTO, "en")
    assert len(shapes) > 1 and sum(rows for rows, _ in shapes) == 2 * 1000  # the first cell ends the paragraph
    assert max(rows * words for rows, words in shapes) <= 2 * 4096
    monkeypatch.setattr("mmner_core.inference.prediction._DECODED_WORDS", 64)
    cut = tagger.tag(text, PHOTO, "en")
    assert (cut.tags, cut.entities, cut.text_only_entities) == (whole.tags, whole.entities, whole.text_only_entities)
    np.testing.assert_array_equal(cut.marginals, whole.marginals)


def test_a_string_without_spaces_is_noted(tagger: Tagger) -> None:
    """What is not read to its end is said."""
    words = (Word("x" * 500, 0, 500),)
    [prediction] = tagger.tag_batch([TagRequest(text="x" * 500, lang="en", words=words)])
    assert prediction.words == words
    assert any("read by their beginning only" in note for note in prediction.notes)


def test_without_a_photo_nothing_is_said_of_one(tagger: Tagger) -> None:
    """No maps, no comparison, and a note."""
    prediction = tagger.tag(TEXT, lang="en")
    assert prediction.attention == {}
    assert prediction.image_size is prediction.crop is prediction.text_only_entities is None
    assert prediction.image_text_cosine == {}
    assert all(e.without_image is None for e in prediction.entities)
    assert prediction.notes == ("No photo: tagged from the text alone.",)


def test_a_photo_is_attended_to(tagger: Tagger) -> None:
    """Each stream has a map per head and word that sums to one, and the crop lies within the photo."""
    prediction = tagger.tag(TEXT, PHOTO, "en")
    assert set(prediction.attention) == {"vit", "cnn"}
    for attention in prediction.attention.values():
        np.testing.assert_allclose(attention.weights.sum(-1), 1, atol=1e-2)
        assert attention.cells().shape == (2, len(prediction.words), *attention.grid)
    assert prediction.image_size == (64, 48)
    assert prediction.crop == (8, 0, 56, 48)
    assert all(-1.001 <= cosine <= 1.001 for cosine in prediction.image_text_cosine.values())
    assert prediction.notes == ()


def test_the_comparison_is_what_the_text_alone_gives(tagger: Tagger) -> None:
    """The names without the photo, found on the way, equal those of a call without it."""
    compared = tagger.tag(TEXT, PHOTO, "en")
    alone = tagger.tag(TEXT, lang="en")
    assert compared.text_only_entities is not None
    assert [(e.start, e.end, e.type) for e in compared.text_only_entities] == [
        (e.start, e.end, e.type) for e in alone.entities
    ]
    assert tagger.tag(TEXT, PHOTO, "en", compare=False).text_only_entities is None


def test_another_photo_says_what_it_would_have_made_of_each_name(person_tagger: Tagger) -> None:
    """The comparison, found on the way, is what a call with that photo gives; without one there is none."""
    compared = person_tagger.tag(TEXT, PHOTO, "en", other_image=OTHER_PHOTO)
    shown = person_tagger.tag(TEXT, OTHER_PHOTO, "en")
    same(compared, person_tagger.tag(TEXT, PHOTO, "en"))
    for one, other in zip(compared.entities, shown.entities, strict=True):
        assert one.with_other_image is not None
        assert one.with_other_image.type == other.type
        assert one.with_other_image.confidence == pytest.approx(other.confidence, abs=0.02)
        assert other.with_other_image is None
    record = compared.to_json()["entities"][0]["with_other_image"]
    assert record == compared.entities[0].with_other_image._asdict()  # type: ignore[union-attr]
    assert person_tagger.tag(TEXT, None, "en", other_image=OTHER_PHOTO).entities[0].with_other_image is None


def test_what_is_kept_changes_no_answer(tiny_checkpoint: Path) -> None:
    """A text or photo seen before gives what it gave at first, alone and beside new ones; each is encoded once."""
    tagger = Tagger.load(tiny_checkpoint)
    encoded = {"text": 0, "image": 0}

    def counted(name: str, method: Callable[[Any], Any], count: Callable[[Any], int]) -> Callable[[Any], Any]:
        def call(batch: Any) -> Any:
            encoded[name] += count(batch)
            return method(batch)

        return call

    model = tagger.model
    model.encode_text = counted("text", model.encode_text, lambda b: len(b.input_ids))  # type: ignore[method-assign]
    model.encode_pixels = counted("image", model.encode_pixels, lambda p: len(p.cnn))  # type: ignore[method-assign]
    first = tagger.tag(TEXT, PHOTO.read_bytes(), "en", other_image=OTHER_PHOTO)
    assert encoded == {"text": 1, "image": 2}
    again = tagger.tag(TEXT, PHOTO.read_bytes(), "en", other_image=OTHER_PHOTO)
    swapped = tagger.tag(TEXT, OTHER_PHOTO, "en")
    assert encoded == {"text": 1, "image": 2}
    np.testing.assert_array_equal(first.marginals, again.marginals)
    assert again.entities == first.entities
    assert (again.crop, again.image_size, again.notes) == (first.crop, first.image_size, first.notes)
    requests = [TagRequest(text="Berlin", lang="de"), TagRequest(text=TEXT, image=OTHER_PHOTO, lang="en")]
    same(tagger.tag_batch(requests)[1], swapped)
    assert encoded == {"text": 2, "image": 2}
    tagger.tag(TEXT, lang="en", convention="caption")
    assert encoded["text"] == 3  # another reading of the same words


def test_a_photo_that_many_send_is_encoded_once(tiny_checkpoint: Path) -> None:
    """In one batch, too; a changed file is another photo."""
    tagger = Tagger.load(tiny_checkpoint)
    jobs = [tagger.prepare(TagRequest(text=f"Ada {i}", lang="en", image=PHOTO.read_bytes())) for i in range(5)]
    tagger.tag_prepared(jobs)
    assert [job.image_row for job in jobs] == [0] * 5
    assert len(tagger.photos.kept) == 1


def test_a_changed_file_is_another_photo(tagger: Tagger, tmp_path: Path) -> None:
    """What is kept of a file is kept for that content alone."""
    file = tmp_path / "photo.png"
    Image.new("RGB", (64, 64), "black").save(file)
    before = tagger.tag(TEXT, file, "en")
    Image.new("RGB", (80, 64), "white").save(file)
    assert tagger.tag(TEXT, file, "en").image_size == (80, 64) != before.image_size


def test_attention_is_optional(tagger: Tagger) -> None:
    """Without it the answer is the same."""
    quick = tagger.tag(TEXT, PHOTO, "en", attention=False)
    assert quick.attention == {}
    same(quick, tagger.tag(TEXT, PHOTO, "en"))


def test_a_photo_may_be_a_path_bytes_or_an_image(tagger: Tagger) -> None:
    """All three are the same photo."""
    with Image.open(PHOTO) as opened:
        results = [tagger.tag(TEXT, image, "en") for image in (PHOTO, str(PHOTO), PHOTO.read_bytes(), opened)]
    for result in results[1:]:
        same(result, results[0])


def test_a_tagger_for_text_alone_gives_the_same(tiny_checkpoint: Path, tagger: Tagger) -> None:
    """Loaded without the image encoder, a text is tagged as by the whole model."""
    blind = Tagger.load(tiny_checkpoint, images=False)
    assert not blind.reads_images
    same(blind.tag(TEXT, lang="en"), tagger.tag(TEXT, lang="en"))


def test_conventions_are_told_apart(tiny_checkpoint: Path) -> None:
    """The default is the first one; another gives other scores once it has been learnt."""
    tagger = Tagger.load(tiny_checkpoint)
    vectors = tagger.model.text_encoder.convention
    assert vectors is not None
    with torch.no_grad():
        vectors.weight[1] += torch.linspace(-3, 3, vectors.embedding_dim)  # a constant would be lost in the LayerNorm
    default, wiki, caption = (tagger.tag(TEXT, lang="en", convention=c) for c in (None, "wiki", "caption"))
    np.testing.assert_array_equal(default.marginals, wiki.marginals)
    assert np.abs(default.marginals - caption.marginals).max() > 1e-3


def test_the_language_is_detected_or_given(tagger: Tagger) -> None:
    """Both are said."""
    german = "Der alte Mann saß den ganzen Tag vor seinem Haus und wartete auf den Regen."
    detected, given_ = tagger.tag(german), tagger.tag(german, lang="fr")
    assert (detected.language, detected.language_detected) == ("de", True)
    assert (given_.language, given_.language_detected) == ("fr", False)


def test_the_number_format_is_the_machines(tagger: Tagger) -> None:
    """Weights are bfloat16 where the processor multiplies it, else float32; the CRF's sums stay float32."""
    expected = torch.bfloat16 if multiplies_bfloat16() else torch.float32
    assert tagger.model.classifier.weight.dtype == expected
    assert tagger.model.crf.transitions.dtype == torch.float32


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (TagRequest(text=" \n"), "The text is empty"),
        (TagRequest(text="a", lang="xx"), "'xx'"),
        (TagRequest(text="a", convention="news"), r"'news'.*wiki, caption"),
        (TagRequest(text="a", lang="en", image=Path("no.jpg")), r"no\.jpg"),
        (TagRequest(text="a", lang="en", image=b"<html>"), "web page"),
    ],
)
def test_what_cannot_be_read_is_told(tagger: Tagger, request_: TagRequest, sentence: str) -> None:
    """One sentence each."""
    with pytest.raises(InputError, match=sentence):
        tagger.tag_batch([request_])


def test_grounded_attention_says_how_much_of_it_the_photo_gets(
    person_tagger: Tagger, tokenizer_folder: Path, tmp_path: Path
) -> None:
    """Each name carries the mean share of its words' attention on the photo; without a photo, or grounding, none."""
    assert all(entity.photo_share is None for entity in person_tagger.tag(TEXT, PHOTO).entities)
    torch.manual_seed(0)
    model = MMNER.build(tiny_grounded())
    assert model.grounding is not None
    with torch.no_grad():
        model.classifier.bias[model.labels.begin("PER")] += 20
        model.grounding.look.weight.zero_()
        model.grounding.look.bias.fill_(300.0)
    folder = save_checkpoint(tmp_path / "c", model, tokenizer_folder, metrics={}, provenance={}, card="# grounded\n")
    grounded = Tagger.load(folder)
    shown = grounded.tag(TEXT, PHOTO)
    assert [entity.photo_share for entity in shown.entities] == [1.0] * 8
    for attention in shown.attention.values():
        assert attention.weights.shape[-1] == 1 + attention.grid[0] * attention.grid[1]
        np.testing.assert_allclose(attention.weights[..., 0], 0.0)
    assert all(entity.photo_share is None for entity in grounded.tag(TEXT).entities)
