"""A loaded model at work for many: what is grouped is answered as if it had been alone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, current_thread
from typing import Any

import numpy as np
import pytest

from mmner_core.errors import InputError
from mmner_core.inference.tag_job import TagJob, TagRequest
from mmner_core.inference.tagger import Tagger
from mmner_core.network.precision import multiplies_bfloat16
from mmner_core.results import Prediction
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.engine import PIECE_SUBWORDS, Engine, open_pool
from mmner_core.serving.visitor import working_for
from tests.bench.sentences import draw_photo
from tests.crowd import Crowd

LONG = " ".join(f"Ada met Bob{i} in Köln." for i in range(400)) + "\n\nUlm\tOslo\nGrace Hopper\n"
TEXTS = ("Ada Lovelace in Berlin", "Wer kennt Jordan?", "Où est Paris", "Lima", "Grace Hopper met Ada in London")


def close_to(answer: Prediction, expected: Prediction) -> bool:
    """Compare two answers: the same names, confidences up to the rounding of a padded batch."""
    same = [(e.start, e.end, e.type) for e in answer.entities] == [(e.start, e.end, e.type) for e in expected.entities]
    pairs = zip(answer.entities, expected.entities, strict=False)
    return same and all(a.confidence == pytest.approx(b.confidence, abs=1e-3) for a, b in pairs)


def test_grouped_answers_are_those_one_at_a_time(tiny_checkpoint: Path) -> None:
    """Texts and photos of many visitors, in one pass and alone, in full precision."""
    tagger = Tagger.load(tiny_checkpoint)
    tagger.model.float()
    photo = draw_photo(0)
    requests = [TagRequest(text=text, image=photo if i % 2 else None) for i, text in enumerate(TEXTS)]
    alone = [tagger.tag_batch([request])[0] for request in requests]
    sizes: list[int] = []
    tag, hold = tagger.tag_prepared, Event()

    def tag_and_count(jobs: Sequence[Any], **options: Any) -> list[Prediction]:
        hold.wait(10)
        sizes.append(len(jobs))
        return tag(jobs, **options)

    tagger.tag_prepared = tag_and_count  # type: ignore[method-assign]
    engine = Engine(tagger, batch_size=8)
    futures = [engine.submit(request) for request in requests]
    hold.set()
    together = [future.result(30) for future in futures]
    assert sum(sizes) == len(TEXTS) and max(sizes) >= len(TEXTS) // 2  # the first may go before the last has come
    assert all(close_to(answer, expected) for answer, expected in zip(together, alone, strict=True))
    assert all(
        answer.attention.keys() == expected.attention.keys() for answer, expected in zip(together, alone, strict=True)
    )
    engine.close()


def test_who_wants_no_attention_gets_the_same_beside_one_who_does(tiny_checkpoint: Path) -> None:
    """Each kind in a pass of its own, for attention that is shown is computed another way."""
    tagger = Tagger.load(tiny_checkpoint)
    requests = [TagRequest(text=text, image=draw_photo(0)) for text in TEXTS]
    alone = [tagger.tag_batch([request], attention=bool(i % 2))[0] for i, request in enumerate(requests)]
    engine = Engine(tagger, batch_size=8)
    together = [engine.submit(request, attention=bool(i % 2)) for i, request in enumerate(requests)]
    for i, future in enumerate(together):
        answer = future.result(30)
        assert bool(answer.attention) == bool(i % 2)
        assert close_to(answer, alone[i])
    engine.close()


def subwords_of(tagger: Tagger, request: TagRequest) -> int:
    """Return how many sub-words are read of a request."""
    return sum(len(window.input_ids) for window in tagger.prepare(request).windows)


@pytest.mark.slow
def test_others_are_answered_between_the_pieces_of_a_long_text(tiny_checkpoint: Path) -> None:
    """Whoever asks while a piece is read is read right after it, not after the whole; the long text is answered too."""
    tagger = Tagger.load(tiny_checkpoint)
    long = TagRequest(text=LONG, image=draw_photo(0), lang="en")
    n_pieces = subwords_of(tagger, long) / PIECE_SUBWORDS
    assert n_pieces > 5
    happened: list[str] = []
    encode, started, hold = tagger.model.encode_text, Event(), Event()

    def encode_and_note(batch: Any) -> Any:
        assert batch.input_ids.numel() <= PIECE_SUBWORDS
        happened.append("read")
        started.set()
        hold.wait(10)
        return encode(batch)

    tagger.model.encode_text = encode_and_note  # type: ignore[method-assign]
    engine = Engine(tagger, batch_size=8)
    futures = []

    def submit(visitor: str, request: TagRequest) -> None:
        with working_for(visitor):
            futures.append(engine.submit(request))
        futures[-1].add_done_callback(lambda _: happened.append(visitor))

    submit("long", long)
    assert started.wait(10)
    for i, text in enumerate(TEXTS):
        submit(str(i), TagRequest(text=text))
    hold.set()
    engine.close()
    assert [future.result(0).text for future in futures] == [LONG, *TEXTS]
    assert happened[:2] == ["read", "read"]  # a piece of the long text, then all the others at once
    assert happened[2:7] == ["0", "1", "2", "3", "4"]
    assert happened[7:-1] == ["read"] * len(happened[7:-1]) and happened[-1] == "long"
    assert len(happened[7:-1]) >= n_pieces - 1


@pytest.mark.slow
def test_a_long_text_is_answered_as_if_it_were_alone(tiny_checkpoint: Path) -> None:
    """In pieces while others ask, to the last bit; so are the others, one of them of several windows."""
    photo = draw_photo(0)
    texts = (LONG, f"{LONG}Bob", LONG[:500], *TEXTS)
    requests = [TagRequest(text=text, image=photo if i % 2 else None, lang="en") for i, text in enumerate(texts)]
    alone = [Tagger.load(tiny_checkpoint).tag(request.text, request.image, "en") for request in requests]
    engine = Engine(Tagger.load(tiny_checkpoint), batch_size=3)

    def ask(number: int) -> Prediction:
        with working_for(str(number)):
            return engine.tag(requests[number % len(requests)])

    with ThreadPoolExecutor(16) as visitors:
        answers = list(visitors.map(ask, range(4 * len(requests))))
    engine.close()
    for i, answer in enumerate(answers):
        expected = alone[i % len(requests)]
        assert close_to(answer, expected)
        if multiplies_bfloat16():  # full precision rounds by the size of a group, in digits that nobody sees
            assert (answer.tags, answer.entities) == (expected.tags, expected.entities)
            assert answer.text_only_entities == expected.text_only_entities
            np.testing.assert_array_equal(answer.marginals, expected.marginals)
            for stream, attention in expected.attention.items():
                np.testing.assert_array_equal(answer.attention[stream].weights, attention.weights)


@pytest.mark.slow
def test_a_piece_that_fails_ends_its_text_alone(tiny_checkpoint: Path) -> None:
    """Others, long ones too, are answered."""
    tagger = Tagger.load(tiny_checkpoint)
    read, passes = tagger._read, 0

    def fail_in_the_third(jobs: Sequence[TagJob], *arguments: Any, **options: Any) -> None:
        nonlocal passes
        if jobs[0].request.text == LONG:
            passes += 1
            if passes == 3:
                raise RuntimeError("out of memory")
        read(jobs, *arguments, **options)

    tagger._read = fail_in_the_third  # type: ignore[method-assign]
    engine = Engine(tagger, batch_size=8)
    bad, *good = (engine.submit(TagRequest(text=text, lang="en")) for text in (LONG, f"Ada {LONG}", "Berlin"))
    assert [future.result(30).text for future in good] == [f"Ada {LONG}", "Berlin"]
    with pytest.raises(RuntimeError, match="out of memory"):
        bad.result(30)
    engine.close()


def test_a_request_at_fault_is_told_before_it_waits(tiny_checkpoint: Path) -> None:
    """In the visitor's own thread, so that nobody else's group is spoilt."""
    engine = Engine(Tagger.load(tiny_checkpoint), batch_size=8)
    with pytest.raises(InputError, match="The text is empty"):
        engine.submit(TagRequest(text=" "))
    with pytest.raises(InputError, match="web page"):
        engine.submit(TagRequest(text="Ada", image=b"<html>"))
    engine.close()


def test_photos_are_decoded_two_at_a_time(tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many visitors send one, so that the memory it takes is bounded; texts do not wait for them."""
    tagger = Tagger.load(tiny_checkpoint)
    prepare, hold, busy = tagger.prepare, Event(), Crowd()

    def prepare_slowly(request: TagRequest) -> TagJob:
        if request.image is None:
            return prepare(request)
        with busy:
            hold.wait(10)
        return prepare(request)

    monkeypatch.setattr(tagger, "prepare", prepare_slowly)
    engine = Engine(tagger, batch_size=8)
    photo = draw_photo(0)
    with ThreadPoolExecutor(6) as visitors:
        photos = [visitors.submit(engine.tag, TagRequest(text="Ada", image=photo)) for _ in range(5)]
        assert visitors.submit(engine.tag, TagRequest(text="Berlin")).result(30).text == "Berlin"
        hold.set()
        assert all(answer.result(30).image_size for answer in photos)
    assert (busy.now, busy.most) == (0, 2)
    engine.close()


def test_many_visitors_at_once(tiny_checkpoint: Path) -> None:
    """Eight threads, forty requests: everyone gets the answer to their own text, whatever model they name."""
    pool = open_pool(ServingConfig(checkpoint=tiny_checkpoint, batch_size=4))

    def visit(number: int) -> tuple[str, str]:
        text = f"{TEXTS[number % len(TEXTS)]} {number}"
        with pool.lease(None) as engine:
            return text, engine.tag(TagRequest(text=text, lang="en")).text

    with ThreadPoolExecutor(8) as visitors:
        assert all(asked == answered for asked, answered in visitors.map(visit, range(40)))
    assert pool.loaded == (tiny_checkpoint.name,)
    pool.close()
    assert pool.loaded == ()


def test_other_work_has_its_turn(tiny_checkpoint: Path) -> None:
    """On the model's thread, between texts; what it raises is its sender's to hear, and nobody else's."""
    engine = Engine(Tagger.load(tiny_checkpoint), batch_size=8)
    started, hold = Event(), Event()
    held = engine.run(lambda: started.set() or hold.wait(120))
    assert started.wait(30)  # else texts may come before it
    texts = [engine.submit(TagRequest(text=text)) for text in TEXTS]
    where = engine.run(current_thread)
    broken = engine.run(lambda: 1 / 0)
    last = engine.submit(TagRequest(text="Lima"))
    assert not any(future.done() for future in (*texts, where, broken, last))
    hold.set()
    assert held.result(30) and where.result(30).name == "tagger"
    with pytest.raises(ZeroDivisionError):
        broken.result(30)
    assert [future.result(30).text for future in (*texts, last)] == [*TEXTS, "Lima"]
    engine.close()
