"""The command: how fast tagging, loading and starting are on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mmner_core.cli.options import Checkpoint, Json
from mmner_core.cli.output import make_table, print_json, print_out
from mmner_core.runtime.repository import SHIPPED

STARTS = 3
ROW_COUNTS = (1_000, 4_000, 16_000)
TABLE_ROWS = 50_000
ROWS = {
    "text_new_photo": "text and a new photo: with it, without, with another; heat maps",
    "text_known_photo": "the same, about a photo asked about before",
    "text": "text only",
    "plain_three_conditions": "plain: full precision, one full pass with, without, other photo",
    "text_encoder_fused": "text encoder, one pass",
    "text_encoder_plain": "text encoder, one pass, plain layers",
    "image_encoder_fused": "image encoder, one pass",
    "image_encoder_plain": "image encoder, one pass, plain layers",
    "load": "model load, fresh process",
    "shell": "python -m mmner_core tag --text, cold",
    "app": "app start to first page",
    "first_result": "app start to first result, text and photo",
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
    tabs: Annotated[
        bool, typer.Option("--tabs", help="The research tabs instead: switching to one, and a failure table.")
    ] = False,
    rows: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="With --many: rows of a job; may be repeated. With --tabs: rows of the failure table.",
            show_default="1,000, 4,000 and 16,000; 50,000",
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="With --tabs or --fast: how often everything is measured.")] = 5,
    fast: Annotated[
        bool, typer.Option("--fast", help="What is there for speed alone: the same work without each.")
    ] = False,
    serving: Annotated[
        bool, typer.Option("--serving", help="Measure many visitors instead: one at a time against grouped.")
    ] = False,
    growth: Annotated[
        int, typer.Option(min=250, help="Sentences up to which the growth of the cost is measured.")
    ] = 2_000,
    json: Json = False,
) -> None:
    """Measure latency, load, start and throughput on this machine."""
    if serving:
        from tests.bench.print_serving import print_serving_bench

        print_serving_bench(checkpoint, requests=16 * repeats, batch_size=16, json=json)
        return
    if fast:
        from tests.bench.fast import print_fast

        print_fast(checkpoint.absolute(), rounds=rounds, as_json=json)
        return
    if many:
        from tests.bench.print_many import print_many

        print_many(checkpoint, rows or ROW_COUNTS, json=json)
        return
    if tabs:
        from tests.bench.print_tabs import print_tabs

        print_tabs(max(rows or (TABLE_ROWS,)), rounds=rounds, json=json)
        return
    if full:
        from tests.bench.print_full import print_full

        print_full(sentences, _processor(), json=json)
        return
    result = run_bench(checkpoint.absolute(), repeats=repeats, growth=growth)
    if json:
        print_json(result)
    else:
        _print(result)


def run_bench(checkpoint: Path, *, repeats: int, growth: int, starts: int = STARTS) -> dict[str, Any]:
    """Measure everything; seconds throughout.

    Raises:
        InputError: if the checkpoint cannot be used.
    """
    import torch

    from mmner_core.inference.tagger import Tagger
    from mmner_core.runtime.memory import begin_long_job
    from tests.bench import processes
    from tests.bench.batch import bench_batch
    from tests.bench.growth import bench_growth
    from tests.bench.sentences import SENTENCES, draw_photo
    from tests.bench.tagging import bench_tagging

    tagger = Tagger.load(checkpoint)
    result = bench_tagging(tagger, repeats=repeats)
    begin_long_job()  # as the commands do that batches are for
    result |= {"batch": bench_batch(tagger), "growth": bench_growth(tagger, largest=growth)}
    timings = {
        "load": processes.time_load(checkpoint, repeats=starts),
        "shell": processes.time_shell(checkpoint, SENTENCES[0][1], repeats=starts),
        "app": processes.time_app(checkpoint, repeats=starts),
        "first_result": processes.time_first_result(checkpoint, SENTENCES[0][1], draw_photo(0), repeats=starts),
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
    rows = [
        (what, f"{1000 * timing['median']:,.1f}", f"{1000 * timing['p95']:,.1f}", timing["n"])
        for name, what in ROWS.items()
        if (timing := result["seconds"].get(name))
    ]
    machine = result["machine"]
    ratios = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in result["ratios"].items())
    print_out(
        make_table(["What", "Median ms", "95th percentile ms", "Calls"], rows),
        *([f"Ratios: {ratios}."] if ratios else []),
        *_batch_lines(result["batch"]),
        *_growth_lines(result["growth"]),
        f"{machine['processor']}; {machine['threads']} threads, {machine['dtype']}, torch {machine['torch']}; "
        f"checkpoint {result['checkpoint']}.",
    )


def _batch_lines(batch: dict[str, Any]) -> list[str]:
    what = {"tag_batch": "raw text to predictions", "evaluate": "words to tags", "text_encoder": "text encoder alone"}
    parts = [
        f"{what[name]} {rate:.0f} sentences/s, {batch['share_of_peak'][name]:.0%} of the peak"
        for name, rate in batch["sentences_per_second"].items()
    ]
    lines = [
        f"Batch of {batch['sentences']} sentences of {batch['words_per_sentence']:.0f} words, "
        f"{batch['gflop_per_sentence']:.2f} GFLOP each in the text encoder, peak {batch['peak_gflops']:.0f} GFLOP/s "
        f"(best square matrix product, measured beside each of these): {'; '.join(parts)}."
    ]
    if "photos_per_second" in batch:
        lines.append(
            f"Batch of photos, {batch['gflop_per_photo']:.2f} GFLOP each in the image encoder: "
            f"{batch['photos_per_second']:.0f} photos/s, {batch['photo_share_of_peak']:.0%} of the peak; "
            f"both encoders, a photo to a sentence: {batch['encoders_share_of_peak']:.0%}."
        )
    return lines


def _growth_lines(growth: dict[str, Any]) -> list[str]:
    return [
        f"Growth with {what}, {fit['sizes'][0]:,} to {fit['sizes'][-1]:,}: seconds = size^{fit['exponent']:.2f}; "
        f"straight line {1000 * fit['seconds_per_item']:.3g} ms each, R² {fit['r2']:.4f}."
        for what, fit in growth.items()
    ]
