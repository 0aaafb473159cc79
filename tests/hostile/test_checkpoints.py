"""Checkpoint folders that are not what they seem: one sentence that names file and fault, and nothing is run."""

from __future__ import annotations

import json
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save, save_file

from mmner_core.checkpoints.folder import REQUIRED, load_checkpoint, save_checkpoint
from mmner_core.errors import InputError
from mmner_core.network.model import MMNER
from tests.hostile.disks import full_disk, read_only_disk
from tests.hostile.test_files import command
from tests.hostile.visitor import sentence
from tests.told import names

WEIGHTS = "model.safetensors"
TENSOR = "classifier.weight"


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """Copy the tiny checkpoint, to be damaged."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "checkpoint"))


def refused(folder: Path) -> str:
    """Load what must be refused; return the sentence, with the folder's name taken out."""
    with pytest.raises(InputError) as caught:
        load_checkpoint(folder)
    return str(caught.value).replace(str(folder), "FOLDER") if sentence(caught.value) else ""


def change(folder: Path, edit: Callable[[dict[str, torch.Tensor]], Any]) -> None:
    """Rewrite the weights."""
    state = load_file(folder / WEIGHTS)
    edit(state)
    save_file(state, folder / WEIGHTS)


def put(tensor: torch.Tensor, value: float) -> None:
    """Write a value into the first entry."""
    tensor.view(-1)[0] = value


WEIGHT_FAULTS: dict[str, tuple[Callable[[dict[str, torch.Tensor]], Any], str]] = {
    "a missing tensor": (lambda s: s.pop(TENSOR), f"lacks 1 tensor(s), among them {TENSOR}"),
    "no tensor at all": (lambda s: s.clear(), f"{WEIGHTS} holds 0 tensors"),
    "an extra tensor": (lambda s: s.update(spare=torch.zeros(1)), "has 1 unknown tensor(s), among them spare"),
    "a wrong shape": (lambda s: s.update({TENSOR: torch.zeros(2, 2)}), f"tensor {TENSOR} has shape [2, 2] instead of"),
    "a transposed tensor": (lambda s: s.update({TENSOR: s[TENSOR].T.contiguous()}), f"tensor {TENSOR} has shape"),
    "an empty tensor": (lambda s: s.update({TENSOR: torch.zeros(0)}), f"tensor {TENSOR} has shape [0] instead of"),
    "NaN": (lambda s: put(s[TENSOR], float("nan")), f"tensor {TENSOR} holds values that are not numbers"),
    "infinity": (lambda s: put(s[TENSOR], float("inf")), f"tensor {TENSOR} holds values that are not numbers"),
    "scales that do not fit": (lambda s: s.update({f"{TENSOR}.scale": torch.ones(3, 1)}), f"{TENSOR}.scale has shape"),
}


@pytest.mark.parametrize(("edit", "said"), WEIGHT_FAULTS.values(), ids=WEIGHT_FAULTS)
def test_weights_that_do_not_fit(folder: Path, edit: Callable[..., Any], said: str) -> None:
    """The tensor is named, and what is wrong with it."""
    change(folder, edit)
    assert said in refused(folder)


def header(content: object, body: bytes = b"") -> bytes:
    """Build a safetensors file with this header."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<Q", len(text)) + text + body


ONE_BYTE = b'{"dtype":"U8","shape":[1],"data_offsets":[0,1]}'


class Evil:
    """Would make a file if it were unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


FILES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda whole: b"",
    "cut in its length": lambda whole: whole[:5],
    "cut in its header": lambda whole: whole[:500],
    "cut in the last tensor": lambda whole: whole[:-1],
    "longer than it says": lambda whole: whole + b"\0",
    "a header of 2^63 bytes": lambda whole: struct.pack("<Q", 2**63) + whole[8:],
    "a header that is no JSON": lambda whole: header(b"{" * 99),
    "a header that is a list": lambda whole: header([]),
    "a header nested deeply": lambda whole: header(b"[" * 200_000),
    "offsets beyond the end": lambda whole: header({TENSOR: {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}),
    "offsets that overlap": lambda whole: header(
        {n: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} for n in "ab"}, bytes(4)
    ),
    "a shape of 2^62": lambda whole: header({TENSOR: {"dtype": "F32", "shape": [2**62, 4], "data_offsets": [0, 0]}}),
    "a type of the future": lambda whole: header({TENSOR: {"dtype": "Q7", "shape": [1], "data_offsets": [0, 1]}}, b"x"),
    "a name twice": lambda whole: header(
        b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        b"x",
    ),
    "a web page": lambda whole: b"<!DOCTYPE html>" * 20,
    "a pointer to large storage": lambda whole: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
}


@pytest.mark.parametrize("damage", FILES.values(), ids=FILES)
def test_damaged_safetensors(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    """However the file is broken, it is the file that is named."""
    file = folder / WEIGHTS
    file.write_bytes(damage(file.read_bytes()))
    said = refused(folder)
    assert WEIGHTS in said and ("damaged or cut short" in said or "holds 1 tensors" in said)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "model.pkl", "last.ckpt", WEIGHTS])
def test_a_pickle(folder: Path, tmp_path: Path, name: str) -> None:
    """Refused under its own name and under that of safetensors, and what it would run is not run."""
    mark = tmp_path / "owned"
    (folder / WEIGHTS).unlink()
    (folder / name).write_bytes(pickle.dumps(Evil(mark)))
    said = refused(folder)
    assert names(said, name, "damaged" if name == WEIGHTS else "pickle")
    assert not mark.exists()


def test_pickles_beside_the_weights_are_left_alone(folder: Path, tmp_path: Path) -> None:
    """A whole checkpoint is loaded from what is safe, whatever lies beside it."""
    mark = tmp_path / "owned"
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt"):
        (folder / name).write_bytes(pickle.dumps(Evil(mark)))
    assert load_checkpoint(folder).digest
    assert not mark.exists()


CONFIGS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "of a newer version": (lambda c: c.update(format_version=2), "format_version is 2, this program reads 1"),
    "without a version": (lambda c: c.pop("format_version"), "format_version is None"),
    "with a version in words": (lambda c: c.update(format_version="1"), "format_version is '1'"),
    "with a field of the future": (lambda c: c.update(audio={}), "field audio"),
    "with text for a number": (lambda c: c.update(alpha="much"), "field alpha"),
    "with null for a part": (lambda c: c.update(text=None), "field text"),
    "with alpha NaN": (lambda c: c.update(alpha=float("nan")), "field alpha"),
    "with one type twice": (lambda c: c.update(types=["PER", "PER"]), "types must be distinct"),
    "with no type": (lambda c: c.update(types=[]), "types must be distinct and at least one"),
    "with other types": (lambda c: c.update(types=["PER"]), "does not list the tags"),
    "with a photo of a million pixels a side": (lambda c: c["cnn"].update(size=10**6), "size must lie between 1 and"),
    "with a photo of no pixels": (lambda c: c["cnn"].update(size=0), "size must lie between 1 and"),
    "with a deviation of zero": (lambda c: c["cnn"].update(std=[0, 1, 1]), "std above 0"),
    "with a million layers": (
        lambda c: c["text"]["architecture"].update(num_hidden_layers=10**6),
        "describes no model that can be built (1,000,000 layers",
    ),
    "with another width": (lambda c: c["text"]["architecture"].update(hidden_size=32), ""),
    "with a width of 10^12": (lambda c: c["text"]["architecture"].update(hidden_size=10**12), ""),
    "with a negative width": (lambda c: c["text"]["architecture"].update(hidden_size=-16), ""),
    "with heads that do not divide": (lambda c: c["fusion"].update(heads=7), "describes no model that can be built"),
    "with an encoder nobody knows": (
        lambda c: c["text"]["architecture"].update(model_type="no-such"), "describes no model that can be built"
    ),
    "with an encoder's code from elsewhere": (
        lambda c: c["text"]["architecture"].update(auto_map={"AutoModel": "evil--model.Evil"}, model_type="evil"),
        "describes no model that can be built",
    ),
    "with a network nobody knows": (lambda c: c["cnn"].update(name="no-net"), "describes no model that can be built"),
    "with a network from the hub": (lambda c: c["cnn"].update(name="hf-hub:evil/net"), "fetched from elsewhere"),
    "with a network from a folder": (lambda c: c["cnn"].update(name="local-dir:/etc"), "fetched from elsewhere"),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "said"), CONFIGS.values(), ids=CONFIGS)
def test_config(folder: Path, edit: Callable[[dict[str, Any]], Any], said: str) -> None:
    """What cannot be built, or is of another time, is told from damage."""
    config = json.loads((folder / "config.json").read_text())
    edit(config)
    (folder / "config.json").write_text(json.dumps(config))
    assert said in refused(folder)


@pytest.mark.parametrize("name", [name for name in REQUIRED if name.endswith(".json")])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe{\0}\0", b"[" * 100_000, b'{"a": NaN', b"null", b"7", b"\x80\x04."],
    ids=["empty", "cut", "UTF-16", "nested", "NaN", "null", "number", "pickle"],
)  # fmt: skip
def test_json_that_is_none(folder: Path, name: str, content: bytes) -> None:
    """Whichever file it is, that file is named."""
    (folder / name).write_bytes(content)
    assert f"FOLDER/{name}" in refused(folder)


@pytest.mark.parametrize("name", REQUIRED)
def test_half_a_folder(folder: Path, name: str) -> None:
    """A copy that broke off: the first file that is missing is named."""
    (folder / name).unlink()
    assert names(refused(folder), "FOLDER", name)


def test_tokenizer_of_another_checkpoint(folder: Path) -> None:
    """Its pieces have no embedding: refused at once, rather than at the first word that has one of them."""
    record = json.loads((folder / "tokenizer.json").read_text())
    record["model"]["vocab"] |= {f"piece{i}": len(record["model"]["vocab"]) + i for i in range(300)}
    (folder / "tokenizer.json").write_text(json.dumps(record))
    assert names(refused(folder), "256", "another checkpoint")


@pytest.mark.parametrize("token", [7, ["<s>"], {"content": 7}, True])
def test_special_token_that_is_no_text(folder: Path, token: object) -> None:
    """The field is named."""
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        (folder / name).write_text(json.dumps({"cls_token": token}))
    assert "cls_token is " in refused(folder)


def test_command_says_it_too(folder: Path) -> None:
    """From the shell: exit code 2 and the one sentence."""
    (folder / WEIGHTS).write_bytes(b"")
    for arguments in (["info", folder], ["tag", "--text", "Jordan", "--checkpoint", folder]):
        assert str(folder / WEIGHTS) in command(*arguments)


def test_card_in_another_encoding(folder: Path) -> None:
    """A card that is no UTF-8 is shown with marks in place of what cannot be read."""
    from mmner_core.cli.info import describe_checkpoint

    (folder / "README.md").write_bytes(b"# caf\xe9")
    assert describe_checkpoint(folder)["card"] == "# caf\ufffd"


def write(folder: Path, model: MMNER, tokenizer_folder: Path) -> None:
    """Save a checkpoint."""
    save_checkpoint(folder, model, tokenizer_folder, metrics={}, provenance={}, card="# new")


@pytest.mark.parametrize("share", [0.2, 0.9, 1.0])
def test_full_disk_leaves_the_old_checkpoint(
    tmp_path: Path, tiny_checkpoint: Path, tiny_model: MMNER, tokenizer_folder: Path, share: float
) -> None:
    """The disk has room for the old one and a share of the new: one sentence, and the old one is whole."""
    size = len(save(tiny_model.state_dict()))
    files = sum(-(-file.stat().st_size // 4096) * 4096 for file in tiny_checkpoint.iterdir())
    with full_disk(tmp_path / "disk", room=files + int(share * size)) as disk:
        old = Path(shutil.copytree(tiny_checkpoint, disk / "model"))
        digest = load_checkpoint(old).digest
        with pytest.raises(InputError) as caught:
            write(old, tiny_model, tokenizer_folder)
        assert names(sentence(caught.value), old)
        assert load_checkpoint(old).digest == digest
        assert [path.name for path in disk.iterdir()] == ["model"]


def test_read_only_folder(tmp_path: Path, tiny_checkpoint: Path, tiny_model: MMNER, tokenizer_folder: Path) -> None:
    """Loading from it works; saving into it is told, and nothing there changes."""
    with read_only_disk(tmp_path / "disk", lambda disk: shutil.copytree(tiny_checkpoint, disk / "model")) as disk:
        assert load_checkpoint(disk / "model").digest == load_checkpoint(tiny_checkpoint).digest
        for name in ("model", "new"):
            with pytest.raises(InputError) as caught:
                write(disk / name, tiny_model, tokenizer_folder)
            assert names(sentence(caught.value), disk / name, "Read-only file system")
        assert [path.name for path in disk.iterdir()] == ["model"]
