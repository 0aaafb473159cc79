"""``python -m tests.bench``: what it measures is what it says."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from statistics import median

import pytest
import torch

from mmner_core.data import open_image
from mmner_core.inference.tagger import Tagger
from mmner_core.text.language import detect_language
from tests.bench import growth, processes
from tests.bench.batch import PHOTO_PASSES, PHOTOS, bench_batch, count_text_operations, measure_peak
from tests.bench.growth import bench_growth, fit_growth
from tests.bench.sentences import SENTENCES, draw_photo
from tests.bench.tagging import bench_tagging
from tests.bench.timing import CallTimes, measure_in_turn
from tests.load import app_process
from tests.told import refused

pytestmark = pytest.mark.slow  # measures time

SERVER = """
import http.server, sys
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def test_a_timing_is_median_and_95th_percentile() -> None:
    """Of a hundred known values, and of a single one."""
    timing = CallTimes.of([i / 100 for i in range(1, 101)])
    assert timing.to_json() == {"median": 0.505, "p95": pytest.approx(0.9505), "n": 100}
    assert CallTimes.of([2.0]) == CallTimes(median=2.0, p95=2.0, n=1)


def test_warm_up_is_not_counted() -> None:
    """Slow first calls do not enter."""
    calls = []

    def slow_at_first(i: int) -> None:
        calls.append(i)
        time.sleep(0.05 if len(calls) <= 2 else 0)

    assert measure_in_turn({"slow": slow_at_first}, repeats=5, warmup=2)["slow"].p95 < 0.05
    assert calls == [0, 1, 0, 1, 2, 3, 4]


def test_what_is_compared_is_timed_in_turn() -> None:
    """A machine that slows down after some rounds leaves the ratio of two calls as it was."""
    order: list[str] = []

    def sleep(name: str, seconds: float, i: int) -> None:
        order.append(name)
        time.sleep(seconds * (1 if i < 2 else 4))

    calls = {"one": partial(sleep, "one", 0.01), "half": partial(sleep, "half", 0.005)}
    timings = measure_in_turn(calls, repeats=5, warmup=1)
    assert order == ["one", "half"] * 6
    assert timings["one"].median / timings["half"].median == pytest.approx(2, rel=0.2)


def test_the_sentences_are_in_their_languages() -> None:
    """Else the benchmark would time the wrong rules."""
    assert [detect_language(text).code for _, text in SENTENCES] == [language for language, _ in SENTENCES]


def test_the_photo_is_one_of_a_web_page() -> None:
    """A JPEG of that size, the same each time."""
    assert open_image(draw_photo(0)).size == (1600, 1200)
    assert draw_photo(0) == draw_photo(0) != draw_photo(1)


def test_tagging_is_timed_whole_and_in_parts(person_tagger: Tagger) -> None:
    """Each part has a time, the ratios follow from them, and the tagger is left as it was."""
    dtype = person_tagger.model.classifier.weight.dtype
    result = bench_tagging(person_tagger, repeats=5)
    seconds = result["seconds"]
    assert set(seconds) == {
        *("text", "text_new_photo", "text_known_photo", "plain_three_conditions"),
        *(f"{part}_encoder_{kind}" for part in ("text", "image") for kind in ("fused", "plain")),
    }
    assert all(0 < timing["median"] <= timing["p95"] for timing in seconds.values())
    plain = seconds["text_encoder_plain"]["median"] + seconds["image_encoder_plain"]["median"]
    new = seconds["text_new_photo"]["median"]
    assert result["ratios"]["new_photo_to_plain_encoders"] == pytest.approx(new / plain)
    assert person_tagger.model.classifier.weight.dtype == dtype


def test_shares_of_the_peak_follow_from_what_was_counted(person_tagger: Tagger) -> None:
    """A share is that of the peak measured beside it, the median counts, and padding is no work."""
    batch = bench_batch(person_tagger, sentences=16, rounds=2)
    for name, share in batch["share_of_peak"].items():
        runs = batch["rounds"][name]
        done = [16 * batch["gflop_per_sentence"] / run["seconds"] / run["peak_gflops"] for run in runs]
        assert share == pytest.approx(median(done))
        assert batch["sentences_per_second"][name] == pytest.approx(16 / median(run["seconds"] for run in runs))
    photos = [PHOTOS * PHOTO_PASSES / run["seconds"] / run["peak_gflops"] for run in batch["rounds"]["photos"]]
    shares = [batch["gflop_per_photo"] * rate for rate in photos]
    assert batch["photo_share_of_peak"] == pytest.approx(median(shares))
    shares += [
        16 * batch["gflop_per_sentence"] / run["seconds"] / run["peak_gflops"]
        for run in batch["rounds"]["text_encoder"]
    ]
    assert min(shares) < batch["encoders_share_of_peak"] < max(shares)
    short, long = (person_tagger.subwords.windows([["Ada"] * n])[0] for n in (2, 20))
    apart = count_text_operations(person_tagger, [short]) + count_text_operations(person_tagger, [long])
    assert count_text_operations(person_tagger, [short, long]) == apart


def test_the_operations_are_those_of_the_products(person_tagger: Tagger) -> None:
    """Counted by torch, they equal the linear layers' sum, worked out by hand."""
    shape = person_tagger.model.config.text.architecture
    assert shape is not None
    [windows] = person_tagger.subwords.windows([["Ada"] * 5])
    length, width, inner = len(windows[0].input_ids), shape["hidden_size"], shape["intermediate_size"]
    layer = 2 * length * (4 * width * width + 2 * width * inner)
    assert count_text_operations(person_tagger, [windows]) == shape["num_hidden_layers"] * layer


def test_a_peak_is_positive() -> None:
    """In either number format."""
    assert measure_peak(torch.float32, repeats=1) > 1e9


def test_growth_is_told_by_its_exponent() -> None:
    """Of known laws: linear with a start-up cost, and quadratic."""
    line = fit_growth([100, 200, 400], [1.1, 2.1, 4.1])
    assert line["r2"] == pytest.approx(1)
    assert line["seconds_per_item"] == pytest.approx(0.01)
    assert line["exponent"] == pytest.approx(0.95, abs=0.02)
    assert fit_growth([1, 2, 4], [1, 4, 16])["exponent"] == pytest.approx(2)


def test_growth_is_measured_up_to_what_was_asked(person_tagger: Tagger, monkeypatch: pytest.MonkeyPatch) -> None:
    """In sentences and in characters of one text."""
    monkeypatch.setattr(growth, "SENTENCE_COUNTS", (4, 8))
    monkeypatch.setattr(growth, "COPIES", (1, 2))
    result = bench_growth(person_tagger, largest=16)
    assert result["sentences"]["sizes"] == [4, 8, 16]
    assert result["characters"]["sizes"] == [len(SENTENCES[0][1]), 2 * len(SENTENCES[0][1]) + 1]


def test_the_app_is_timed_until_its_first_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real server in a process of its own, started and stopped."""
    for module in (processes, app_process):
        monkeypatch.setattr(module, "REPOSITORY", tmp_path)
    assert processes.time_app(tmp_path, repeats=1) is None
    (tmp_path / "app.py").write_text(SERVER)
    timing = processes.time_app(tmp_path, repeats=1)
    assert timing is not None
    assert timing.median > 0


def test_an_app_that_stops_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not waited for."""
    for module in (processes, app_process):
        monkeypatch.setattr(module, "REPOSITORY", tmp_path)
    (tmp_path / "app.py").write_text("raise SystemExit(3)")
    with refused("app.py", "code 3"):
        processes.time_app(tmp_path, repeats=1)


def test_a_measured_process_that_fails_says_why(tmp_path: Path) -> None:
    """The last line of its complaint is handed on."""
    with refused("no checkpoint folder"):
        processes.time_shell(tmp_path / "none", "Ada", repeats=1)
