"""Image ids find their files, never outside the folder, and what is missing or broken is counted."""

from pathlib import Path

import pytest

from mmner_core.data import Example, ImageCounts, ImageFolder, load_photo, read_examples, resolve_image
from mmner_core.errors import InputError
from tests.told import refused

TINY = Path(__file__).parents[1] / "data" / "tiny"


def touch(folder: Path, *names: str) -> Path:
    """Create empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("image_id", "files", "chosen"),
    [
        ("a", ["a.png", "a.jpg"], "a.jpg"),
        ("a", ["a.webp", "a.jpeg"], "a.jpeg"),
        ("a", ["a.webp"], "a.webp"),
        ("a", ["b.jpg"], "a.jpg"),
        ("a.b", ["a.b.png"], "a.b.png"),
        ("a.png", ["a.png"], "a.png"),
        ("a%2Fb", ["a%2Fb.jpg", "a/b.jpg"], "a%2Fb.jpg"),
        ("a%2Fb", ["a/b.jpg"], "a/b.jpg"),
        ("x, y%20z", ["x, y z.png"], "x, y z.png"),
        ("sub/a", ["sub/a.png"], "sub/a.png"),
        ("100%", ["100%.jpg"], "100%.jpg"),
        ("..a", ["..a.jpg"], "..a.jpg"),
    ],
)
def test_id_finds_its_file(tmp_path: Path, image_id: str, files: list[str], chosen: str) -> None:
    """Literal before decoded, .jpg before the other extensions, <id>.jpg where there is none."""
    assert resolve_image(touch(tmp_path, *files), image_id) == tmp_path / chosen


@pytest.mark.parametrize("image_id", ["../a", "x/../../a", "/etc/passwd", "..", "a\0b", "..\\a", "C:\\a", ""])
def test_id_outside_the_folder_is_refused(tmp_path: Path, image_id: str) -> None:
    """No id leads out of the image folder."""
    folder = touch(tmp_path, "a.jpg", "images/b.jpg") / "images"
    with pytest.raises(InputError, match="outside the image folder"):
        resolve_image(folder, image_id)


@pytest.mark.parametrize("image_id", ["..%2Fa", "%2e%2e/a", "%2Fetc%2Fpasswd", "x%2F..%2F..%2Fa"])
def test_escaped_id_is_not_decoded_to_the_outside(tmp_path: Path, image_id: str) -> None:
    """An escape that would lead out is only a file name, and that file is missing."""
    folder = touch(tmp_path, "a.jpg", "images/b.jpg") / "images"
    path, exists = ImageFolder(folder).resolve(image_id)
    assert not exists
    assert path == folder / f"{image_id}.jpg"


def test_id_outside_the_folder_is_named_with_its_line(tmp_path: Path) -> None:
    """Reading a data file stops at such an id and says where it is."""
    touch(tmp_path, "images/a.jpg")
    file = tmp_path / "train.txt"
    file.write_text("IMGID:a\nx\tO\n\nIMGID:../a\nx\tO\n")
    with refused("train.txt:4", "'../a'"):
        read_examples(file)


def test_one_image_may_serve_many_sentences(tmp_path: Path) -> None:
    """Repeated ids are fine; missing ones are counted."""
    touch(tmp_path, "images/a.jpg")
    file = tmp_path / "train.txt"
    file.write_text("IMGID:a\nx\tO\n\nIMGID:a\ny\tO\n\nIMGID:b\nz\tO\n\nw\tO\n")
    examples, report = read_examples(file)
    assert [example.image and example.image.name for example in examples] == ["a.jpg", "a.jpg", "b.jpg", None]
    assert (report.images_present, report.images_missing, report.without_image) == (2, 1, 1)
    assert "2 images present; 1 images missing" in report.summary()


def example(image: Path | None, image_id: str | None = "x") -> Example:
    """Build a sentence with this image."""
    return Example(words=("a",), tags=("O",), image_id=image_id, image=image, where="train.txt:1")


def test_images_are_counted_as_they_fare(tmp_path: Path) -> None:
    """Present, missing, broken and without are told apart, and problems are named."""
    counts = ImageCounts()
    broken = touch(tmp_path, "broken.jpg") / "broken.jpg"
    photo = load_photo(example(TINY / "images" / "per-1.jpg"), counts)
    assert photo is not None and photo.size == (48, 48)
    assert load_photo(example(tmp_path / "gone.jpg"), counts) is None
    assert load_photo(example(None), counts) is None
    assert load_photo(example(broken), counts) is None
    assert load_photo(example(None, None), counts) is None
    assert counts.to_json() == {"present": 1, "missing": 2, "broken": 1}
    assert counts.without == 1
    assert "train.txt:1: there is no image x." in counts.summary()
    assert "broken.jpg is empty (0 bytes)" in counts.summary()


def test_counts_of_workers_add_up() -> None:
    """Sums are exact; of many problems the first few are kept and the rest is counted."""
    total, worker = ImageCounts(), ImageCounts()
    for number in range(4):
        load_photo(example(None, f"id{number}"), worker)
    total.add(worker)
    total.add(worker)
    assert total.missing == 8
    assert len(total.problems) == 5
    assert total.summary().endswith("And 3 more.")
