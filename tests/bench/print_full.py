"""``--full``: the paper's model beside the authors' algorithm as written."""

from __future__ import annotations

from mmner_core.cli.output import make_table, print_json, print_out
from tests.bench.full import bench_full


def print_full(sentences: int, processor: str, *, json: bool) -> None:
    """Measure and print sentences per second both ways, with their ratios."""
    result = bench_full(sentences=sentences) | {"processor": processor}
    if json:
        print_json(result)
        return
    rates, ratios, busy = result["sentences_per_second"], result["ratios"], result["processor_ratios"]
    rows = [
        (
            what,
            f"{rates[f'{theirs}_theirs']:.2f}",
            f"{rates[ours]:.2f}" if ours else "",
            f"{ratios[ratio]:.2f}",
            f"{busy[ratio]:.2f}" if result["device"] == "cpu" else "",
        )
        for what, theirs, ours, ratio in (
            ("training, epochs after the first", "training", "training", "training"),
            (f"training, all {result['epochs']} epochs with the images", "training", "", "training_with_building"),
            ("inference, photos never seen", "inference", "inference", "inference"),
            ("inference, photos in the store", "inference", "inference_stored", "inference_stored"),
        )
    ]
    print_out(
        make_table(["Sentences/s", "Authors' algorithm", "Here", "Ratio", "Of processor time"], rows),
        f"Images computed once: {rates['building']:.2f} per s.",
        f"{result['sentences']} sentences with a photo of their own, random weights; {result['device']}, "
        f"{processor}, {result['threads']} threads, torch {result['torch']}.",
    )
