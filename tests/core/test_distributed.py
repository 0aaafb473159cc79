"""Two processes with half a batch each learn what one learns from the whole."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mmner_core.checkpoints.folder import load_checkpoint
from mmner_core.runtime.distributed import gather_pairs
from mmner_core.text.language_names import LANGUAGES
from tests.core.two_processes import IMAGES, SENTENCES, build, gradients, share

pytestmark = pytest.mark.slow  # trains

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path, tokenizer_folder: Path) -> Path:
    """Let two gloo processes take a step of each case, then train a run; return the folder that they wrote to."""
    folder = tmp_path_factory.mktemp("gloo")
    command = [sys.executable, "-m", "tests.core.two_processes", str(folder), str(tiny_bert), str(tokenizer_folder)]
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "ACCELERATE_USE_CPU": "true"}
    processes = []
    for rank in map(str, range(2)):
        variables = {**os.environ, **meeting, "WORLD_SIZE": "2", "RANK": rank, "LOCAL_RANK": rank}
        processes.append(subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, env=variables))
    for process in processes:
        _, complaint = process.communicate(timeout=600)
        assert process.returncode == 0, complaint
    return folder


def _free_port() -> int:
    """Return a port that is free, below those that the system itself gives to connections meanwhile."""
    for port in random.sample(range(20_000, 30_000), 20):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise OSError("twenty ports are all taken")


def test_two_processes_train_one_checkpoint(both: Path) -> None:
    """A whole run through Accelerate: images computed by one of them, scores of both, one checkpoint and one log."""
    metrics = load_checkpoint(both / "run" / "checkpoint").metrics
    assert [epoch["epoch"] for epoch in metrics["epochs"]] == [1, 2]
    assert {row["language"] for row in metrics["valid"]} == set(LANGUAGES)
    assert len(list((both / "features").glob("cnn-*/*.safetensors"))) == 1


@pytest.mark.parametrize("case", IMAGES)
def test_two_processes_equal_one(case: str, both: Path) -> None:
    """Same contrastive losses and same gradient of every weight, also where one process has fewer pairs or none."""
    model = build()
    losses = model(share(case, 0, len(SENTENCES))).losses
    losses["total"].backward()
    want = {name: value.detach() for name, value in losses.items() if name.startswith("contrastive")}
    assert set(want) == {"contrastive_vit", "contrastive_cnn"}
    want.update(gradients(model))
    for rank in range(2):
        got = load_file(both / f"{case}-{rank}.safetensors")
        assert got.keys() == want.keys()
        for name, value in want.items():
            torch.testing.assert_close(
                got[name], value, atol=1e-6, rtol=1e-4, msg=lambda text, name=name: f"{name}: {text}"
            )
    assert all(value.any() for name, value in want.items() if name.startswith(("image_proj", "text_proj", "contrast")))


def test_the_example_of_a_launch_is_one() -> None:
    """Accelerate reads the file that mmner_core/README.md names, and sets nothing that a run settles itself."""
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(REPOSITORY / "mmner_core" / "training" / "accelerate.yaml"))
    assert (config.num_machines, config.num_processes) == (2, 8)
    assert config.mixed_precision is None and not config.dynamo_config


def test_a_single_process_keeps_its_pairs() -> None:
    """Outside a distributed run nothing is copied or scaled."""
    text, image, key = torch.randn(3, 4), torch.randn(3, 4), torch.arange(3)
    assert all(a is b for a, b in zip(gather_pairs(text, image, key), (text, image, key), strict=True))
