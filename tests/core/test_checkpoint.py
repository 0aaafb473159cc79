"""A checkpoint comes back as it was saved; a damaged one is told in one sentence; a failed save harms nothing."""

from __future__ import annotations

import errno
import json
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mmner_core.checkpoints.folder import IMAGE_PARTS, REQUIRED, load_checkpoint, save_checkpoint
from mmner_core.errors import InputError
from mmner_core.network.model import MMNER
from tests.told import refused

WEIGHTS = "model.safetensors"
TENSOR = "classifier.weight"


@pytest.fixture
def copied(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """Copy the tiny checkpoint, to be damaged."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "checkpoint"))


def save(folder: Path, model: MMNER, tokenizer_folder: Path, card: str = "# new") -> Path:
    """Save a model with little beside it."""
    return save_checkpoint(folder, model, tokenizer_folder, metrics={}, provenance={}, card=card)


def test_a_checkpoint_comes_back_as_saved(tiny_model: MMNER, tiny_checkpoint: Path) -> None:
    """Weights of this size are stored exactly, config and labels too, and nothing is a pickle."""
    loaded = load_checkpoint(tiny_checkpoint)
    assert loaded.model.config == tiny_model.config
    state = loaded.model.state_dict()
    for name, tensor in tiny_model.state_dict().items():
        torch.testing.assert_close(state[name], tensor)
    assert not loaded.model.training
    assert {file.suffix for file in tiny_checkpoint.iterdir()} == {".json", ".md", ".safetensors"}
    assert {file.name for file in tiny_checkpoint.iterdir()} >= set(REQUIRED)


def test_the_digest_is_that_of_weights_and_labels(tiny_checkpoint: Path, copied: Path) -> None:
    """A copy has the same digest, whatever its card says; other weights have another."""
    (copied / "README.md").write_text("# another card")
    assert load_checkpoint(copied).digest == load_checkpoint(tiny_checkpoint).digest
    change(copied, lambda state: state[TENSOR].add_(1))
    assert load_checkpoint(copied).digest != load_checkpoint(tiny_checkpoint).digest


def test_without_images_only_what_text_needs_is_loaded(tiny_checkpoint: Path) -> None:
    """The model for text alone lacks the image parts and nothing else."""
    whole = load_checkpoint(tiny_checkpoint).model
    text = load_checkpoint(tiny_checkpoint, images=False).model
    assert whole.sees
    assert not text.sees
    lacking = whole.state_dict().keys() - text.state_dict().keys()
    assert lacking
    assert all(name.startswith(IMAGE_PARTS) for name in lacking)


def change(folder: Path, damage: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    """Rewrite the weights after ``damage``."""
    state = load_file(folder / WEIGHTS)
    damage(state)
    save_file(state, folder / WEIGHTS)


def set_nan(state: dict[str, torch.Tensor]) -> None:
    """Put a NaN into a tensor."""
    state[TENSOR][0, 0] = float("nan")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda state: state.pop(TENSOR), f"lacks 1 tensor(s), among them {TENSOR}"),
        (lambda state: state.update(extra=torch.zeros(1)), "has 1 unknown tensor(s), among them extra"),
        (lambda state: state.update({TENSOR: torch.zeros(2, 2)}), f"tensor {TENSOR} has shape [2, 2] instead of [9, "),
        (set_nan, f"tensor {TENSOR} holds values that are not numbers"),
    ],
    ids=["missing", "extra", "shape", "nan"],
)
@pytest.mark.parametrize("images", [True, False])
def test_weights_that_do_not_fit_are_named(copied: Path, damage: Any, sentence: str, images: bool) -> None:
    """The sentence says which tensor and what is wrong with it, with the image encoder loaded or not."""
    change(copied, damage)
    with pytest.raises(InputError) as caught:
        load_checkpoint(copied, images=images)
    assert sentence in str(caught.value)
    assert str(copied / WEIGHTS) in str(caught.value)


@pytest.mark.parametrize("size", [0, 4, 1000, -1])
def test_cut_short_weights_are_refused(copied: Path, size: int) -> None:
    """Wherever the file was cut, the sentence says so."""
    content = (copied / WEIGHTS).read_bytes()
    (copied / WEIGHTS).write_bytes(content[:size])
    with pytest.raises(InputError, match="damaged or cut short"):
        load_checkpoint(copied)


def test_a_pickle_is_refused(copied: Path) -> None:
    """Instead of safetensors a pickle: refused by name, and never opened."""
    (copied / WEIGHTS).unlink()
    (copied / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    with refused("pytorch_model.bin", "pickle"):
        load_checkpoint(copied)


def test_a_pickle_named_safetensors_is_refused(copied: Path) -> None:
    """The name does not make it one."""
    torch.save({}, copied / WEIGHTS)
    with pytest.raises(InputError, match="damaged or cut short"):
        load_checkpoint(copied)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_file_is_named(copied: Path, name: str) -> None:
    """Each required file is missed."""
    (copied / name).unlink()
    with refused("checkpoint", name):
        load_checkpoint(copied)


@pytest.mark.parametrize("name", ["config.json", "labels.json", "metrics.json", "provenance.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe"])
def test_unreadable_json_is_named(copied: Path, name: str, content: bytes) -> None:
    """Half a file or none is damage, not a crash."""
    (copied / name).write_bytes(content)
    with refused(name, "JSON"):
        load_checkpoint(copied)


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda c: c.update(format_version=99), "format_version is 99, this program reads 1"),
        (lambda c: c.update(speed="fast"), "field speed"),
        (lambda c: c.update(types=["PER"]), "does not list the tags"),
        (lambda c: c["cnn"].update(name="no_such_net"), "describes no model that can be built"),
        (lambda c: c["fusion"].update(heads=7), "describes no model that can be built"),
        (lambda c: c["text"]["architecture"].update(model_type="no-such"), "describes no model that can be built"),
        (lambda c: c["text"]["architecture"].update(vocab_size=10), "has shape [256, 16] instead of [10, 16]"),
    ],
    ids=["newer", "unknown field", "other types", "unknown cnn", "heads", "unknown encoder", "other size"],
)
def test_a_config_that_does_not_fit_is_named(copied: Path, edit: Any, sentence: str) -> None:
    """A config of a newer version, or of another model, is told from damage."""
    config = json.loads((copied / "config.json").read_text())
    edit(config)
    (copied / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError) as caught:
        load_checkpoint(copied)
    assert sentence in str(caught.value)


def test_a_config_that_is_no_object_is_refused(copied: Path) -> None:
    """A list where the fields should be."""
    (copied / "config.json").write_text("[]")
    with pytest.raises(InputError, match="format_version is None"):
        load_checkpoint(copied)


def test_no_folder_is_asked_for(tmp_path: Path) -> None:
    """A path that is not there, or a file."""
    for path in (tmp_path / "nothing", Path(__file__)):
        with pytest.raises(InputError, match="There is no checkpoint folder"):
            load_checkpoint(path)


def test_saving_replaces_what_was_there(copied: Path, tiny_model: MMNER, tokenizer_folder: Path) -> None:
    """The new folder stands alone: no file of the old one, no working folder beside it."""
    (copied / "stray").touch()
    save(copied, tiny_model, tokenizer_folder)
    assert (copied / "README.md").read_text() == "# new"
    assert not (copied / "stray").exists()
    assert [path.name for path in copied.parent.iterdir()] == [copied.name]


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("safetensors.torch.save_file", SafetensorError("I/O error: No space left on device (os error 28)")),
        ("mmner_core.checkpoints.folder._write_json", OSError(errno.ENOSPC, "No space left on device")),
        ("shutil.copyfile", OSError(errno.EDQUOT, "Disk quota exceeded")),
    ],
)
def test_a_full_disk_leaves_the_old_checkpoint(
    copied: Path,
    tiny_model: MMNER,
    tokenizer_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    error: Exception,
) -> None:
    """Wherever the disk runs full, the old checkpoint still loads and nothing half-written stays."""

    def fail(*_: object, **__: object) -> None:
        raise error

    before = load_checkpoint(copied).digest
    monkeypatch.setattr(function, fail)
    with refused(copied):
        save(copied, tiny_model, tokenizer_folder)
    monkeypatch.undo()
    assert load_checkpoint(copied).digest == before
    assert [path.name for path in copied.parent.iterdir()] == [copied.name]


def test_a_write_that_the_system_refuses_leaves_the_old_checkpoint(
    copied: Path, tiny_model: MMNER, tokenizer_folder: Path
) -> None:
    """The kernel lets no file of this process grow beyond 50 kB: a real failure in the middle of the weights."""
    before = load_checkpoint(copied).digest
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with refused(copied):
            save(copied, tiny_model, tokenizer_folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert load_checkpoint(copied).digest == before
    assert [path.name for path in copied.parent.iterdir()] == [copied.name]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, tiny_model: MMNER, tokenizer_folder: Path) -> None:
    """A file where the parent folder should be."""
    (tmp_path / "file").touch()
    with refused(tmp_path / "file" / "checkpoint"):
        save(tmp_path / "file" / "checkpoint", tiny_model, tokenizer_folder)


def test_a_checkpoint_needs_its_tokenizer(tmp_path: Path, tiny_model: MMNER) -> None:
    """Saving without one would make a folder that cannot be loaded."""
    with pytest.raises(InputError, match=r"There is no tokenizer\.json"):
        save(tmp_path / "checkpoint", tiny_model, tmp_path)
    assert not (tmp_path / "checkpoint").exists()
