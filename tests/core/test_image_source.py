"""Images computed once are the images themselves, and are computed again when, and only when, something changed."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mmner_core.config import AlignmentConfig, FusionConfig, ImageConfig
from mmner_core.data import Example
from mmner_core.errors import InputError
from mmner_core.inference import image_source
from mmner_core.inference.encoded_photos import EncodedPhotos
from mmner_core.inference.feature_store import FeatureStore
from mmner_core.inference.image_source import PhotoFiles, StoredImages, can_store
from mmner_core.network.model import MMNER
from mmner_core.presets import tiny
from tests.conftest import TINY_DATA

FROZEN_CNN = ImageConfig(library="timm", name="test_efficientnet", size=64, frozen=True)


@pytest.fixture(scope="module")
def model(tiny_vit: str) -> MMNER:
    """Build the paper's arrangement in small: a ViT that learns from the centre of a photo, a frozen CNN."""
    torch.manual_seed(0)
    vit = ImageConfig(library="open_clip", name=tiny_vit, size=32, train_crop="centre")
    return MMNER.build(replace(tiny(), vit=vit, cnn=FROZEN_CNN)).eval()


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    """Copy six photos; a seventh sentence shares one, an eighth has none, one file is missing, one is broken."""
    names = ["per-1", "per-2", "loc-1", "loc-2", "org-1", "misc-1"]
    (tmp_path / "photos").mkdir()
    for name in names:
        shutil.copy(TINY_DATA / "images" / f"{name}.jpg", tmp_path / "photos")
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"\xff\xd8\xff no photo")
    shown = [*names, "per-1", None, "missing", "broken"]
    files = [None if name is None else tmp_path / "photos" / f"{name}.jpg" for name in shown]
    return [
        Example(words=("a",), tags=("O",), language="en", image_id=name, image=file)
        for name, file in zip(shown, files, strict=True)
    ]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """List the photos that are decoded."""
    names: list[str] = []

    def noted(example: Example, *args: object, **options: object) -> object:
        names.append(example.image.stem if example.image else "")
        return load(example, *args, **options)  # type: ignore[arg-type]

    load = image_source.load_photo
    monkeypatch.setattr(image_source, "load_photo", noted)
    yield names


def store(model: MMNER, examples: list[Example], folder: Path, dtype: torch.dtype = torch.float32) -> StoredImages:
    """Compute or find the images of the sentences."""
    return StoredImages(model, examples, folder / "features", dtype)


@torch.no_grad()
def test_stored_images_are_what_the_encoders_say(model: MMNER, examples: list[Example], tmp_path: Path) -> None:
    """A frozen CNN's map, and for the ViT that learns the pixels it reads; sentences of one photo share a row."""
    got, want = store(model, examples, tmp_path).load(examples), PhotoFiles(model.config).load(examples)
    assert got.rows == want.rows == [0, 1, 2, 3, 4, 5, 0, -1, -1, -1]
    assert got.states is not None and got.pixels is not None and want.pixels is not None
    assert got.states.vit is None and got.pixels.cnn is None
    torch.testing.assert_close(got.pixels.vit, want.pixels.vit)
    torch.testing.assert_close(got.states.cnn, model.encode_pixels(want.pixels).cnn, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_photo_shown_again_is_not_read_again(model: MMNER, examples: list[Example], decoded: list[str]) -> None:
    """Every time the states are those of its pixels and counted as present; what cannot be read is counted as such."""
    photos, want = EncodedPhotos(model), PhotoFiles(model.config).load(examples)
    assert want.pixels is not None
    encoded = model.encode_pixels(want.pixels)
    decoded.clear()
    for turn in range(3):
        shown = examples[turn:]
        loaded = photos.load(shown)
        assert loaded.states is not None and loaded.pixels is None
        for row, its in zip(loaded.rows, want.rows[turn:], strict=True):
            assert (row < 0) == (its < 0)
            if row >= 0:
                for got, own in zip(loaded.states, encoded, strict=True):
                    torch.testing.assert_close(got[row], own[its], atol=1e-4, rtol=1e-4)
    assert decoded.count("per-1") == decoded.count("org-1") == 1
    assert (photos.counts.present, photos.counts.missing, photos.counts.broken) == (7 + 6 + 5, 3, 3)


def test_photos_beyond_the_memory_are_read_again(model: MMNER, examples: list[Example], decoded: list[str]) -> None:
    """A data set may be larger than what is kept."""
    one = sum(s.nbytes for s in EncodedPhotos(model).load(examples[:1]).states or () if s is not None)
    photos = EncodedPhotos(model, max_bytes=2 * one)
    decoded.clear()
    for _ in range(2):
        assert all(photos.load([example]).states is not None for example in examples[:4])
    assert decoded == 2 * ["per-1", "per-2", "loc-1", "loc-2"]


def test_frozen_vit_tokens_and_a_pooled_cnn(tiny_vit: str, examples: list[Example], tmp_path: Path) -> None:
    """Tokens are kept as they are; of a CNN read only as a whole, one cell is, with the same mean."""
    vit = ImageConfig(library="open_clip", name=tiny_vit, size=32, frozen=True)
    fusion = FusionConfig(heads=2, cnn_keys="pooled")
    model = MMNER.build(replace(tiny(), vit=vit, cnn=FROZEN_CNN, fusion=fusion)).eval()
    loaded, want = store(model, examples, tmp_path).load(examples), PhotoFiles(model.config).load(examples).pixels
    assert loaded.pixels is None and loaded.states is not None and want is not None
    states = model.encode_pixels(want)
    assert loaded.states.cnn is not None and states.cnn is not None
    assert loaded.states.cnn.shape[2:] == (1, 1)
    torch.testing.assert_close(loaded.states.cnn[..., 0, 0], states.cnn.mean((2, 3)), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(loaded.states.vit, states.vit, atol=1e-4, rtol=1e-4)


def test_nothing_is_decoded_twice(model: MMNER, examples: list[Example], tmp_path: Path, decoded: list[str]) -> None:
    """Neither in a later epoch, nor by a later run, nor under another name; the broken one is tried again."""
    first = store(model, examples, tmp_path)
    assert sorted(decoded) == ["broken", "loc-1", "loc-2", "misc-1", "org-1", "per-1", "per-2"]
    decoded.clear()
    renamed = examples[0].image.rename(tmp_path / "photos" / "new.jpg")  # type: ignore[union-attr]
    again = [replace(examples[0], image=renamed), *examples[1:6], *examples[7:]]
    second = store(model, again, tmp_path)
    for source, sentences in ((first, examples), (second, again)):
        source.load(sentences)
    assert decoded == ["broken"]
    assert (second.counts.present, second.counts.without, second.counts.missing, second.counts.broken) == (6, 1, 1, 1)


def test_what_changed_is_computed_again(
    model: MMNER, examples: list[Example], tmp_path: Path, decoded: list[str]
) -> None:
    """Another photo in a file: that one; other weights, another preprocessing, another number format: all."""
    examples = examples[:6]
    store(model, examples, tmp_path)
    decoded.clear()
    shutil.copy(TINY_DATA / "images" / "per-3.jpg", tmp_path / "photos" / "per-1.jpg")
    changed = store(model, examples, tmp_path)
    assert decoded == ["per-1"]

    other = copy.deepcopy(model)
    with torch.no_grad():
        other.cnn_encoder.model.conv_stem.weight[0, 0, 0, 0] += 0.5  # type: ignore[union-attr]
    decoded.clear()
    features = store(other, examples, tmp_path).load(examples).states
    assert len(decoded) == 6
    assert not torch.equal(features.cnn, changed.load(examples).states.cnn)  # type: ignore[union-attr, arg-type]

    cropped = copy.deepcopy(model)
    cropped.config = replace(model.config, cnn=replace(FROZEN_CNN, crop_fraction=0.5))
    squeezed = copy.deepcopy(model)
    squeezed.config = replace(model.config, cnn=replace(FROZEN_CNN, stretch=1.5))
    for variant, dtype in ((cropped, torch.float32), (squeezed, torch.float32), (model, torch.bfloat16)):
        decoded.clear()
        store(variant, examples, tmp_path, dtype)
        assert len(decoded) == 6
    with torch.no_grad():  # the ViT learns: of it only pixels are kept, so its weights do not matter
        other.load_state_dict(model.state_dict())
        other.vit_encoder.tower.conv1.weight.zero_()  # type: ignore[union-attr]
    decoded.clear()
    store(other, examples, tmp_path)
    assert decoded == []


def test_a_killed_build_goes_on(
    model: MMNER, examples: list[Example], tmp_path: Path, decoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two photos a shard, stopped in the third shard: the four that were written are not computed again."""
    monkeypatch.setattr(image_source, "SHARD", 2)
    encode, calls = type(model.cnn_encoder).forward, []

    def stopped(self: object, pixels: torch.Tensor) -> torch.Tensor:
        calls.append(len(pixels))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return encode(self, pixels)  # type: ignore[arg-type]

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(type(model.cnn_encoder), "forward", stopped)
        store(model, examples[:6], tmp_path)
    folder = next((tmp_path / "features").glob("cnn-*"))
    (folder / "half.partial-1").write_bytes(b"cut short by a power cut")
    decoded.clear()
    source = store(model, examples[:6], tmp_path)
    assert sorted(decoded) == ["misc-1", "org-1"]
    whole = store(model, examples[:6], tmp_path / "elsewhere")
    torch.testing.assert_close(source.load(examples[:6]).states.cnn, whole.load(examples[:6]).states.cnn)  # type: ignore[union-attr]


def test_a_damaged_shard_is_named(model: MMNER, examples: list[Example], tmp_path: Path) -> None:
    """One sentence with the file and the way out."""
    store(model, examples, tmp_path)
    shard = next((tmp_path / "features").glob("cnn-*/*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:100])
    with pytest.raises(InputError, match=rf"{shard} is damaged .*delete it"):
        store(model, examples, tmp_path)


def test_a_store_is_mapped_and_not_read(tmp_path: Path) -> None:
    """However large it is, memory holds what was looked at: its values lie in the mapped file."""
    written = FeatureStore(tmp_path, "cnn", "anything")
    values = torch.arange(1 << 20, dtype=torch.float32).view(4, -1)
    written.add(list("abcd"), values)
    opened = FeatureStore(tmp_path, "cnn", "anything")
    assert torch.equal(opened.read(["c", "a"]), values[[2, 0]])
    assert "b" in opened and "e" not in opened and len(opened) == 4
    maps = Path("/proc/self/maps").read_text().splitlines()
    ranges = [line.split()[0].split("-") for line in maps if str(tmp_path) in line]
    start = opened._shards[0].data_ptr()
    assert any(int(low, 16) <= start < int(high, 16) for low, high in ranges)


@pytest.mark.parametrize(
    ("vit", "cnn", "storable"),
    [
        ({"train_crop": "centre"}, {"frozen": True}, True),
        ({"frozen": True}, {"frozen": True}, True),
        ({}, {"frozen": True}, False),
        ({"train_crop": "centre"}, {"frozen": True, "batchnorm_drifts": True}, False),
        ({"train_crop": "centre"}, {"frozen": True, "random_crop_at_test": True}, False),
    ],
)
def test_only_what_never_changes_is_stored(vit: dict[str, object], cnn: dict[str, object], storable: bool) -> None:
    """An encoder that learns from random squares, or one that drifts, needs the photo each time."""
    encoders = {
        name: ImageConfig(library="timm", name="any", **fields) for name, fields in (("vit", vit), ("cnn", cnn))
    }  # type: ignore[arg-type]
    assert can_store(replace(tiny(), **encoders)) is storable  # type: ignore[arg-type]
    assert not can_store(
        replace(tiny(), vit=None, cnn=None, fusion=FusionConfig(streams=()), alignment=AlignmentConfig(streams=()))
    )
