"""``tag --input``: JSONL in, JSONL out, whole or not at all, every bad line named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mmner_core.cli.tag_file import BATCH
from mmner_core.text.language_names import LANGUAGES
from tests.core.test_cli import PHOTO, call, parsed, refused
from tests.told import names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a photo in it."""
    (tmp_path / "photo.jpg").write_bytes(PHOTO.read_bytes())
    (tmp_path / "broken.jpg").write_bytes(PHOTO.read_bytes()[:300])
    return tmp_path


def tag(folder: Path, checkpoint: Path, *options: str) -> list[object]:
    """Return the arguments that tag ``in.jsonl`` into ``out.jsonl``."""
    files = ["--input", folder / "in.jsonl", "--output", folder / "out.jsonl"]
    return ["tag", *files, "--checkpoint", checkpoint, *options]


def write(folder: Path, *lines: Any) -> None:
    """Write ``in.jsonl``; what is not text is written as JSON."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    (folder / "in.jsonl").write_text("\n".join(texts) + "\n", encoding="utf-8")


def read(folder: Path, name: str = "out.jsonl") -> list[Any]:
    """Read a JSONL file."""
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def test_each_line_is_tagged_as_alone(folder: Path, person_checkpoint: Path) -> None:
    """The same JSON as ``tag --json``, in order over several batches, with the line's id first if it has one."""
    rows: list[dict[str, Any]] = [{"text": f"Ada {i} in Köln", "lang": "de", "id": i} for i in range(BATCH + 3)]
    rows[1] |= {"image": "photo.jpg", "id": "one"}
    del rows[2]["id"]
    write(folder, *rows)
    result = call(*tag(folder, person_checkpoint))
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{BATCH + 3} texts tagged into" in result.stderr
    written = read(folder)
    assert [row.get("id") for row in written] == [0, "one", None, *range(3, BATCH + 3)]
    assert list(written[0]) == ["id", "text", "language", "entities", "notes"]
    alone = parsed(
        "tag", "--text", "Ada 1 in Köln", "--image", PHOTO, "--lang", "de", "--checkpoint", person_checkpoint
    )
    assert [e["text"] for e in written[1]["entities"]] == [e["text"] for e in alone["entities"]]
    assert written[1]["notes"] == alone["notes"] == []
    assert "without_image" in written[1]["entities"][0]


def test_lines_of_any_editor_are_read(folder: Path, person_checkpoint: Path) -> None:
    """A byte order mark, Windows line ends, blank lines and lone surrogates; the text comes back as it was given."""
    lines = [
        '\ufeff{"text": "Ada", "lang": null, "image": ""}',
        "",
        '{"text": "x \\ud800 \\u0000 y", "lang": "en"}',
        "",
    ]
    (folder / "in.jsonl").write_bytes("\r\n".join(lines).encode())
    assert call(*tag(folder, person_checkpoint)).exit_code == 0
    assert [row["text"] for row in read(folder)] == ["Ada", "x \ud800 \0 y"]


def test_options_are_the_default_of_lines_that_do_not_say(folder: Path, person_checkpoint: Path) -> None:
    """``--lang`` does not overrule a line."""
    write(folder, {"text": "Ada"}, {"text": "Ada", "lang": "es"})
    assert call(*tag(folder, person_checkpoint, "--lang", "fr", "--convention", "caption")).exit_code == 0
    assert [row["language"] for row in read(folder)] == ["fr", "es"]


BAD = {
    "not json": "the line is not JSON (Expecting value).",
    "[" * 100_000: "the line is not JSON (it is nested too deeply).",
    '["a"]': 'the line is not a JSON object with a field "text".',
    '{"txt": "a"}': 'the line is not a JSON object with a field "text".',
    '{"text": 5}': "the field 'text' is int, not a string.",
    '{"text": " "}': "the text is empty.",
    '{"text": "a", "entities": []}': "the result has a field 'entities' of its own; rename it.",
    '{"text": "a", "language": "de"}': "the result has a field 'language' of its own; rename it, to \"lang\"",
    '{"text": "a", "source": 1, "source": 2}': "the field 'source' stands there twice; rename one of them.",
    '{"text": "a", "lang": "xx"}': f"Language 'xx' is not supported; choose one of {', '.join(LANGUAGES)}, or auto.",
    '{"text": "a", "image": "none.jpg"}': "There is no image",
    '{"text": "a", "image": "broken.jpg"}': "is damaged or cut short and cannot be decoded.",
}


@pytest.mark.parametrize("line", BAD, ids=[line[:40] for line in BAD])
def test_a_bad_line_stops_with_its_place(folder: Path, person_checkpoint: Path, line: str) -> None:
    """File and line are named, and no output appears, whole or in part."""
    write(folder, {"text": "Ada"}, line, {"text": "Bob"})
    sentence = refused(*tag(folder, person_checkpoint))
    assert sentence.startswith(f"{folder / 'in.jsonl'}:2: ")
    assert BAD[line] in sentence
    assert {file.name for file in folder.iterdir()} == {"in.jsonl", "photo.jpg", "broken.jpg"}


def test_bad_lines_can_be_set_aside(folder: Path, person_checkpoint: Path) -> None:
    """With ``--skip-bad`` the others are tagged, and each bad one is kept with its place and reason."""
    write(folder, {"text": "Ada"}, *BAD, {"text": "Bob"})
    result = call(*tag(folder, person_checkpoint, "--skip-bad"))
    assert result.exit_code == 0
    assert f"{len(BAD)} lines could not be tagged" in result.stderr
    assert [row["text"] for row in read(folder)] == ["Ada", "Bob"]
    rejected = {row["line"]: row for row in read(folder, "out.jsonl.rejected.jsonl")}
    assert rejected.keys() == BAD.keys()
    for number, (line, reason) in enumerate(BAD.items(), start=2):
        assert rejected[line]["where"] == f"{folder / 'in.jsonl'}:{number}"
        assert reason in rejected[line]["reason"]


def test_an_output_is_not_overwritten_unasked(folder: Path, person_checkpoint: Path) -> None:
    """It must be asked for, and then the rejects of an earlier try go too."""
    write(folder, {"text": "Ada"})
    for name in ("out.jsonl", "out.jsonl.rejected.jsonl"):
        (folder / name).write_text("old")
    assert "out.jsonl exists" in refused(*tag(folder, person_checkpoint))
    assert (folder / "out.jsonl").read_text() == "old"
    assert call(*tag(folder, person_checkpoint, "--overwrite")).exit_code == 0
    assert len(read(folder)) == 1
    assert not (folder / "out.jsonl.rejected.jsonl").exists()


def test_input_and_output_must_be_reachable(folder: Path, person_checkpoint: Path) -> None:
    """A missing input, an output in no folder."""
    assert "in.jsonl cannot be read" in refused(*tag(folder, person_checkpoint))
    write(folder, {"text": "Ada"})
    arguments = ["--input", folder / "in.jsonl", "--output", folder / "none" / "out.jsonl"]
    assert "cannot be written" in refused("tag", *arguments, "--checkpoint", person_checkpoint)


def test_text_that_is_not_utf8_is_named(folder: Path, person_checkpoint: Path) -> None:
    """The byte and its line."""
    (folder / "in.jsonl").write_bytes(b'{"text": "Ada"}\n{"text": "caf\xe9"}\n')
    assert names(refused(*tag(folder, person_checkpoint)), f"{folder / 'in.jsonl'}:2", "0xe9")
