"""``bench``: what it measures is what it says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mmner_core.bench import processes
from mmner_core.bench.tagging import SENTENCES, bench_tagging, draw_photo
from mmner_core.bench.timing import Timing, measure
from mmner_core.data import open_image
from mmner_core.errors import InputError
from mmner_core.language import detect_language
from mmner_core.tagger import Tagger

SERVER = """
import http.server, sys
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def test_a_timing_is_median_and_95th_percentile() -> None:
    """Of a hundred known values, and of a single one."""
    timing = Timing.of([i / 100 for i in range(1, 101)])
    assert timing.to_json() == {"median": 0.505, "p95": pytest.approx(0.9505), "n": 100}
    assert Timing.of([2.0]) == Timing(median=2.0, p95=2.0, n=1)


def test_warm_up_is_not_counted() -> None:
    """Slow first calls do not enter."""
    calls = []

    def slow_at_first(i: int) -> None:
        calls.append(i)
        time.sleep(0.05 if len(calls) <= 2 else 0)

    assert measure(slow_at_first, repeats=5, warmup=2).p95 < 0.05
    assert calls == [0, 1, 0, 1, 2, 3, 4]


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
    assert set(seconds) == {"text", "text_image", "plain_three_conditions", "text_encoder", "image_encoder"}
    assert all(0 < timing["median"] <= timing["p95"] for timing in seconds.values())
    both = seconds["text_encoder"]["median"] + seconds["image_encoder"]["median"]
    assert result["ratios"]["text_image_to_encoders"] == pytest.approx(seconds["text_image"]["median"] / both)
    assert result["batch"]["sentences_per_second"] > 0
    assert person_tagger.model.classifier.weight.dtype == dtype


def test_the_app_is_timed_until_its_first_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real server in a process of its own, started and stopped."""
    monkeypatch.setattr(processes, "REPOSITORY", tmp_path)
    assert processes.time_app(tmp_path, repeats=1) is None
    (tmp_path / "app.py").write_text(SERVER)
    timing = processes.time_app(tmp_path, repeats=1)
    assert timing is not None
    assert timing.median > 0


def test_an_app_that_stops_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not waited for."""
    monkeypatch.setattr(processes, "REPOSITORY", tmp_path)
    (tmp_path / "app.py").write_text("raise SystemExit(3)")
    with pytest.raises(InputError, match=r"app\.py stopped with code 3 before it answered"):
        processes.time_app(tmp_path, repeats=1)


def test_a_measured_process_that_fails_says_why(tmp_path: Path) -> None:
    """The last line of its complaint is handed on."""
    with pytest.raises(InputError, match="A measured process failed: There is no checkpoint folder"):
        processes.time_shell(tmp_path / "none", "Ada", repeats=1)
