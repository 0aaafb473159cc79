"""What each thing that is there for speed alone brings: the same work in processes that do without it.

``python -m tests.bench.fast CHECKPOINT`` is one such process; it prints seconds as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median

from mmner_core.cli.output import make_table, print_json, print_out
from mmner_core.runtime.fast import FAST, PLAIN
from mmner_core.runtime.repository import REPOSITORY

WORK = {
    "start": "start to first answer",
    "text": "a text",
    "photo": "a text and a new photo",
    "batch": "a text of a batch, with a new photo",
}
_BATCH, _BATCHES = 64, 4


def measure(checkpoint: Path, *, repeats: int, started: float) -> dict[str, float]:
    """Return the seconds of each kind of work in this process: of the first answer, and medians of the others.

    Args:
        checkpoint: the model.
        repeats: single texts of each kind.
        started: when the process began, as ``time.perf_counter`` has it.
    """
    from mmner_core.inference.tag_job import TagRequest
    from mmner_core.inference.tagger import Tagger
    from mmner_core.runtime.memory import begin_long_job
    from tests.bench.sentences import SENTENCES, draw_photo
    from tests.bench.timing import time_call

    tagger = Tagger.load(checkpoint)
    photos = [draw_photo(i) for i in range(8)]
    asked = 0

    def request(*, photo: bool) -> TagRequest:
        """Ask for a text and, trailing bytes make a new file, a photo that were not asked for before."""
        nonlocal asked
        asked += 1
        image = photos[asked % len(photos)] + asked.to_bytes(4, "big") if photo else None
        return TagRequest(text=f"{SENTENCES[asked % len(SENTENCES)][1]} {asked:05d}", image=image)

    def one(*, photo: bool) -> None:
        chosen = request(photo=photo)
        tagger.tag(chosen.text, chosen.image)

    one(photo=True)
    seconds = {"start": [time.perf_counter() - started], "text": [], "photo": [], "batch": []}
    for i in range(5 + repeats):
        for name in ("text", "photo"):
            taken = time_call(partial(one, photo=name == "photo"))
            seconds[name] += [taken] if i >= 5 else []
    begin_long_job()
    for i in range(1 + _BATCHES):
        requests = [request(photo=True) for _ in range(_BATCH)]
        taken = time_call(partial(tagger.tag_batch, requests)) / _BATCH
        seconds["batch"] += [taken] if i >= 1 else []
    return {name: median(values) for name, values in seconds.items()}


def bench_fast(checkpoint: Path, *, rounds: int, names: Sequence[str] = (*FAST, "all")) -> dict[str, dict[str, float]]:
    """Measure with everything ("") and without each; medians over processes that are started in turn."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ("", *names)}
    for _ in range(rounds):
        for name, measured in found.items():
            command = [sys.executable, "-m", "tests.bench.fast", str(checkpoint)]
            environment = {**os.environ, PLAIN: name}
            done = subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, check=True)
            measured.append(json.loads(done.stdout))
    return {name: {kind: median(m[kind] for m in runs) for kind in WORK} for name, runs in found.items()}


def print_fast(checkpoint: Path, *, rounds: int, as_json: bool) -> None:
    """Measure and print how many times as long the work takes without each of what makes it fast."""
    found = bench_fast(checkpoint, rounds=rounds)
    if as_json:
        print_json(found)
        return
    whole = found.pop("")
    rows = [
        (f"without {name}", *(f"{seconds[kind] / whole[kind]:.2f}" for kind in WORK)) for name, seconds in found.items()
    ]
    milliseconds = ("with everything, ms", *(f"{1000 * whole[kind]:,.1f}" for kind in WORK))
    print_out(make_table(["Times as long", *WORK.values()], [milliseconds, *rows]))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1]), repeats=20, started=time.perf_counter())))
