"""``bench``: how fast tagging, loading and starting are on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mmner_core.cli.options import SHIPPED, Checkpoint, Json

STARTS = 3
ROWS = {
    "text_image": "text and photo: with and without it, heat maps",
    "text": "text only",
    "plain_three_conditions": "plain: full precision, one full pass with, without, other photo",
    "text_encoder": "text encoder, one pass",
    "image_encoder": "image encoder, one pass",
    "load": "model load, fresh process",
    "shell": "python -m mmner_core tag --text, cold",
    "app": "app start to first page",
}


def bench(
    checkpoint: Checkpoint = SHIPPED,
    repeats: Annotated[int, typer.Option(min=5, help="Measured calls of each kind, after warm-up.")] = 50,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="The paper's full-size model instead, random weights, beside the authors' algorithm as written.",
        ),
    ] = False,
    sentences: Annotated[int, typer.Option(min=64, help="With --full: sentences read, each with a photo.")] = 128,
    many: Annotated[bool, typer.Option("--many", help="Large jobs instead (tag-many): rows/s and memory.")] = False,
    rows: Annotated[list[int], typer.Option(min=1, help="With --many: rows of a job; may be repeated.")] = [  # noqa: B006
        1_000,
        4_000,
        16_000,
    ],
    serving: Annotated[
        bool, typer.Option("--serving", help="Measure many visitors instead: one at a time against grouped.")
    ] = False,
    json: Json = False,
) -> None:
    """Measure latency, load, start and throughput on this machine."""
    if serving:
        from mmner_core.cli.bench_serving import print_serving_bench

        print_serving_bench(checkpoint, requests=16 * repeats, batch_size=16, json=json)
        return
    from mmner_core.cli.output import print_json

    if many:
        from mmner_core.cli.bench_many import print_many

        print_many(checkpoint, rows, json=json)
        return
    if full:
        from mmner_core.cli.bench_full import print_full

        print_full(sentences, _processor(), json=json)
        return
    result = run_bench(checkpoint.absolute(), repeats=repeats)
    if json:
        print_json(result)
    else:
        _print(result)


def run_bench(checkpoint: Path, *, repeats: int, starts: int = STARTS) -> dict[str, Any]:
    """Measure everything; seconds throughout.

    Raises:
        InputError: if the checkpoint cannot be used.
    """
    import torch

    from mmner_core.bench import processes
    from mmner_core.bench.tagging import SENTENCES, bench_tagging
    from mmner_core.tagger import Tagger

    tagger = Tagger.load(checkpoint)
    result = bench_tagging(tagger, repeats=repeats)
    timings = {
        "load": processes.time_load(checkpoint, repeats=starts),
        "shell": processes.time_shell(checkpoint, SENTENCES[0][1], repeats=starts),
        "app": processes.time_app(checkpoint, repeats=starts),
    }
    result["seconds"] |= {name: timing.to_json() for name, timing in timings.items() if timing is not None}
    result["machine"] = {
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "dtype": str(tagger.model.classifier.weight.dtype).removeprefix("torch."),
        "torch": torch.__version__,
    }
    return {**result, "checkpoint": tagger.digest}


def _processor() -> str:
    """Return the processor's name, where Linux tells it."""
    import platform

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]}, {len(names)} cores" if names else platform.machine()


def _print(result: dict[str, Any]) -> None:
    from mmner_core.cli.output import make_table, print_out

    rows = [
        (what, f"{1000 * timing['median']:,.1f}", f"{1000 * timing['p95']:,.1f}", timing["n"])
        for name, what in ROWS.items()
        if (timing := result["seconds"].get(name))
    ]
    batch, machine = result["batch"], result["machine"]
    ratios = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in result["ratios"].items())
    print_out(
        make_table(["What", "Median ms", "95th percentile ms", "Calls"], rows),
        *([f"Ratios: {ratios}."] if ratios else []),
        f"Batch: {batch['sentences_per_second']:.0f} sentences/s of {batch['words_per_sentence']:.0f} words.",
        f"{machine['processor']}; {machine['threads']} threads, {machine['dtype']}, torch {machine['torch']}; "
        f"checkpoint {result['checkpoint']}.",
    )
