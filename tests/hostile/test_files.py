"""Data files as people and programs leave them: read as meant, or one sentence with file and line."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mmner_core.cli.main import app
from mmner_core.cli.tag_file import Rejects
from mmner_core.data import FORMATS, ImageCounts, convert, iter_examples, load_photo, read_examples
from mmner_core.errors import InputError
from tests.hostile.disks import full_disk, read_only_disk
from tests.hostile.odd_images import encode, plain
from tests.hostile.requests_file import rows_of
from tests.hostile.visitor import sentence
from tests.told import names

PLAIN = "IMGID:a\nMarie\tB-PER\nCurie\tI-PER\nin\tO\nParis\tB-LOC\n\nyes\tO\n\n"
CONLL = "Marie NNP B-PER\nCurie NNP I-PER\n\nyes UH O\n"
CONLLU = "# image_id = a\n0\tMarie\tB-PER\n1\tCurie\tI-PER\n\n0\tyes\tO\n"


def write(folder: Path, content: str | bytes, name: str = "data.txt") -> Path:
    """Write a data file."""
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def contents(file: Path, **options: str) -> list[tuple[object, ...]]:
    """Return words, tags and image id of each sentence."""
    return [(e.words, e.tags, e.image_id) for e in read_examples(file, **options)[0]]


def refused(read: Callable[[], object]) -> str:
    """Return the one sentence that refuses a file, and check that it is the same the second time."""
    said = []
    for _ in range(2):
        with pytest.raises(InputError) as caught:
            read()
        said.append(sentence(caught.value))
    assert said[0] == said[1]
    return said[0]


def command(*arguments: object) -> str:
    """Run a command that must fail with exit code 2 and one sentence; return that."""
    from typer.testing import CliRunner

    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, SystemExit), result.exception
    assert (result.exit_code, result.stdout) == (2, "")
    [line] = result.stderr.splitlines()
    return line


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Check that what is done here takes no more memory than this, in bytes."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < size
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("text", [PLAIN, CONLL, CONLLU], ids=["mmnerd", "conll", "conllu"])
@pytest.mark.parametrize(
    "change",
    [
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: "\n\n \n\t\n" + text + "\n \n",
        lambda text: text.replace("\n\n", "\n \t \n"),
    ],
    ids=["byte order mark", "CRLF", "both", "no last line end", "blank lines around", "blanks in blank lines"],
)
def test_windows_and_editors(tmp_path: Path, text: str, change: Callable[[str], str]) -> None:
    """Marks, line ends and blank lines change nothing."""
    assert contents(write(tmp_path, change(text), "a.txt")) == contents(write(tmp_path, text, "b.txt"))


def test_tabs_and_spaces_mixed(tmp_path: Path) -> None:
    """Columns parted now by one, now by the other: read, and counted in the report."""
    file = write(tmp_path, "IMGID:a\nMarie \tB-PER\nCurie\t I-PER \nin O\nParis   B-LOC\n")
    examples, report = read_examples(file)
    assert (examples[0].words, examples[0].tags) == (
        ("Marie", "Curie", "in", "Paris"),
        ("B-PER", "I-PER", "O", "B-LOC"),
    )
    assert "2 lines with spaces for a TAB" in report.summary()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Rome", ["'Rome'", "word<TAB>tag"]),
        ("Rome\t", ["no tag"]),
        ("Rome\tX-LOC", ["'X-LOC'", "word<TAB>tag"]),
        ("Rome\tLOC", ["'LOC'"]),
        ("Rome\tb-loc", ["'b-loc'"]),
        ("Rome\tB_LOC", ["'B_LOC'"]),
        ("Rome\tB-LOC\tO", [r"'B-LOC\tO'"]),
        ("Rome\t" + "LOC" * 9999, ["not a tag"]),
        ("IMGID:b", ["image line", "line 1"]),
    ],
    ids=[
        "missing",
        "empty",
        "unknown prefix",
        "no prefix",
        "lower case",
        "underscore",
        "two",
        "long",
        "image",
    ],
)
def test_missing_or_unknown_tag(tmp_path: Path, line: str, said: list[str]) -> None:
    """The line is named, what is wrong with it, and what was expected."""
    file = write(tmp_path, f"IMGID:a\nMarie\tB-PER\n{line}\n")
    answer = refused(lambda: read_examples(file, fmt="mmnerd"))
    assert names(answer, f"{file}:3", *said)


def test_tag_that_the_model_does_not_know(tmp_path: Path, tiny_checkpoint: Path) -> None:
    """A legal tag of another label set: the evaluation says which it is and which there are."""
    file = write(tmp_path, "IMGID:a\nMarie\tB-SPACESHIP\n")
    answer = command("evaluate", "--data", file, "--checkpoint", tiny_checkpoint)
    assert names(answer, f"{file}:2", "'B-SPACESHIP'", "B-PER")


@pytest.mark.parametrize("tags", ["I-PER I-PER", "O I-PER", "B-LOC I-PER", "I-PER I-LOC"])
def test_orphan_inside_tag(tmp_path: Path, tags: str) -> None:
    """Read as the beginning of a name, and counted."""
    first, second = tags.split()
    examples, report = read_examples(write(tmp_path, f"IMGID:a\nMarie\t{first}\nCurie\t{second}\n"))
    assert examples[0].tags is not None and all(tag[0] != "I" or i for i, tag in enumerate(examples[0].tags))
    assert "orphan I- tags read as B-" in report.summary()


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n\n", b"\xef\xbb\xbf", b" \t \r\n", b"IMGID:a\n\nIMGID:b\n", b"-DOCSTART- O\n\n"],
)
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    """Nothing in it, or nothing but its wrapping."""
    assert names(refused(lambda: read_examples(write(tmp_path, content))), tmp_path / "data.txt", "no sentences")


BINARY = {
    "PNG": encode(plain(), "PNG"),
    "JPEG": encode(plain(), "JPEG"),
    "random": bytes(range(256)) * 40,
    "UTF-16": PLAIN.encode("utf-16"),
    "Latin-1": PLAIN.replace("Marie", "Mari\u00e9").encode("latin-1"),
    "ZIP": b"PK\x03\x04" + bytes(99),
    "pickle": b"\x80\x04\x95\x1e\0\0\0\0\0\0\0\x8c\x05posix",
    "gzip": b"\x1f\x8b\x08\0" + bytes(40),
    "HTML": b"<!DOCTYPE html>\n<html>\n<body>404</body>\n",
    "one long line": b"x" * 3_000_000,
}


@pytest.mark.parametrize("fmt", ["auto", *FORMATS])
@pytest.mark.parametrize("content", BINARY.values(), ids=BINARY)
def test_binary_garbage(tmp_path: Path, content: bytes, fmt: str) -> None:
    """What is no text, or no tagged words, is named as that."""
    file = write(tmp_path, content)
    assert str(file) in refused(lambda: read_examples(file, fmt=fmt))


def test_two_gigabytes_stream(tmp_path: Path) -> None:
    """Memory does not grow with the file: 24 MB are read, and written in another format, within 8 MB."""
    line = f"{'Donaudampfschiff' * 16}\tO\n"
    file = write(tmp_path, ("IMGID:a\n" + line * 10 + "\n") * (24_000_000 // (10 * len(line))))
    with at_most(8_000_000):
        sentences = sum(1 for _ in iter_examples(file))
        convert(file, tmp_path / "out.txt", target_format="conllu")
    assert file.stat().st_size > 23_000_000 and sentences > 9_000
    assert (tmp_path / "out.txt").stat().st_size > 23_000_000


def test_two_gigabytes_of_something_else(tmp_path: Path) -> None:
    """A file of 2 GB that is no text is refused after its first block."""
    file = tmp_path / "data.txt"
    with file.open("wb") as sparse:
        os.truncate(sparse.fileno(), 2 * 2**30)
    with at_most(8_000_000):
        assert names(refused(lambda: read_examples(file)), file, "1 MB")


def test_lines_of_json_stream(tmp_path: Path) -> None:
    """A file of requests is read line by line too."""
    line = '{"text": "' + "Jordan " * 300 + '"}\n'
    file = write(tmp_path, line * (12_000_000 // len(line)), "in.jsonl")
    with at_most(8_000_000):
        rows = sum(1 for _ in rows_of(file, Rejects(skip=False)))
    assert rows > 5_000


def test_duplicate_ids(tmp_path: Path) -> None:
    """One photo may belong to many sentences, of one file or two: each has it, and nothing is merged."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(encode(plain()))
    for split in ("train", "test"):
        write(tmp_path, PLAIN + PLAIN, f"{split}.txt")
    examples, report = read_examples(tmp_path)
    assert [e.image_id for e in examples] == ["a", None] * 4
    assert (report.sentences, report.images_present, report.without_image) == (8, 4, 4)


def test_duplicate_ids_of_requests(tmp_path: Path) -> None:
    """Two lines with one id are two requests, in order."""
    file = write(tmp_path, '{"id": 7, "text": "Jordan"}\n{"id": 7, "text": "Paris"}\n', "in.jsonl")
    rows = list(rows_of(file, Rejects(skip=False)))
    assert [(row.key, row.request.text) for row in rows] == [({"id": 7}, "Jordan"), ({"id": 7}, "Paris")]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Lay a photo outside the image folder, and one inside."""
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "images" / "a.png").write_bytes(encode(plain()))
    for name in ("secret.png", "data/secret.png"):
        (tmp_path / name).write_bytes(encode(plain()))
    return tmp_path / "secret.png"


OUTSIDE = (
    "../secret", "../../secret", "a/../../secret", "./../secret", "..\\secret", "C:\\secret", "/etc/passwd", "//host/x",
    "..", "../images/../secret.png",
)  # fmt: skip
ESCAPED = (
    "..%2Fsecret", "%2e%2e%2fsecret", "%2E%2E/secret", "..%5Csecret", "%2Fetc%2Fpasswd", "a%2F..%2F..%2Fsecret",
    "..%252Fsecret", "%00../secret%00", "..%c0%afsecret", "..\u2215secret", "．．/secret", "~/secret",
    "%", "%zz", "a\u0000b".replace("\0", "%00"),
)  # fmt: skip


@pytest.mark.parametrize("image_id", OUTSIDE)
def test_id_that_leads_out_of_the_image_folder(secret: Path, image_id: str) -> None:
    """Refused with its line; no file outside is looked at."""
    file = write(secret.parent / "data", f"IMGID:a\nx\tO\n\nIMGID:{image_id}\ny\tO\n")
    answer = refused(lambda: read_examples(file))
    assert names(answer, f"{file}:4", "outside the image folder")


@pytest.mark.parametrize("image_id", ["a" * 300, "a/" + "é" * 200, "a/" * 3000])
def test_id_that_is_too_long(secret: Path, image_id: str) -> None:
    """No file can have such a name."""
    file = write(secret.parent / "data", f"IMGID:a\nx\tO\n\nIMGID:{image_id}\ny\tO\n")
    answer = refused(lambda: read_examples(file))
    assert names(answer, f"{file}:4", "image id", "longer")


@pytest.mark.parametrize("image_id", ESCAPED)
def test_id_in_disguise(secret: Path, image_id: str) -> None:
    """What would lead out only when decoded, or in another file system, is the name of a file that is missing."""
    file = write(secret.parent / "data", f"IMGID:{image_id}\ny\tO\n")
    [example] = read_examples(file)[0]
    assert example.image is not None and example.image.parent.resolve() != secret.parent
    counts = ImageCounts()
    assert load_photo(example, counts) is None
    assert counts.to_json() == {"present": 0, "missing": 1, "broken": 0}


def test_image_folder_that_cannot_be_read(tmp_path: Path) -> None:
    """No folder, or a file in its place."""
    file = write(tmp_path, PLAIN)
    for images in (tmp_path / "nowhere", file):
        assert "is not a folder" in refused(lambda images=images: read_examples(file, images=images))


@pytest.mark.parametrize("kind", ["missing", "folder loop", "device"])
def test_path_that_is_no_file(tmp_path: Path, kind: str) -> None:
    """No file, a link to itself, a device that never ends."""
    path = tmp_path / "data.txt"
    if kind == "folder loop":
        path.symlink_to(path)
    if kind == "device":
        path.symlink_to("/dev/zero")
    said = refused(lambda: read_examples(path))
    assert any(reason in said for reason in ("does not exist", "cannot be read", "a line of more than 1 MB"))


JSON_LINES = {
    "no JSON": "Jordan",
    "cut short": '{"text": "Jor',
    "a list": '["Jordan"]',
    "a number": "7",
    "no text": '{"image": "a.png"}',
    "a number for text": '{"text": 7}',
    "nothing for text": '{"text": null}',
    "empty text": '{"text": " "}',
    "a list for image": '{"text": "Jordan", "image": []}',
    "nested": '{"text": ' + "[" * 5000 + "]" * 5000 + "}",
    "a number without end": '{"text": "Jordan", "id": ' + "9" * 5000 + "}",
}


@pytest.mark.parametrize("line", JSON_LINES.values(), ids=JSON_LINES)
def test_line_that_is_no_request(tmp_path: Path, line: str) -> None:
    """Named with file and line; with --skip-bad it is set aside with the reason, and the others are read."""
    file = write(tmp_path, f'{{"text": "Paris"}}\n{line}\n{{"text": "Rome"}}\n', "in.jsonl")
    assert refused(lambda: list(rows_of(file, Rejects(skip=False)))).startswith(f"{file}:2: ")
    rejects = Rejects(skip=True)
    assert [row.request.text for row in rows_of(file, rejects)] == ["Paris", "Rome"]
    assert len(rejects.lines) == 1 and f"{file}:2" in rejects.lines[0]


def test_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """Converting onto a disk that runs full: one sentence, the old file is as it was, nothing half-written stays."""
    source = write(tmp_path, PLAIN * 4000)
    with full_disk(tmp_path / "disk", room=100_000) as disk:
        target = write(disk, "old", "out.txt")
        said = command("convert", source, target, "--to", "conllu", "--overwrite")
        assert names(said, target)
        assert target.read_text() == "old"
        assert [path.name for path in disk.iterdir()] == ["out.txt"]


def test_read_only_folder(tmp_path: Path) -> None:
    """Reading from it works, writing into it is told."""
    with read_only_disk(tmp_path / "disk", lambda disk: write(disk, PLAIN)) as disk:
        assert len(read_examples(disk / "data.txt")[0]) == 2
        said = command("convert", disk / "data.txt", disk / "out.txt", "--to", "conllu")
        assert names(said, disk / "out.txt", "Read-only file system")
