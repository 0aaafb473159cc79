"""Tag a JSONL file: a batch of lines at a time, the output whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mmner_core.cli.output import to_json
from mmner_core.data.lines import read_lines, write_lines
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from mmner_core.results import Prediction
    from mmner_core.tagger import Tagger, TagRequest

BATCH = 32
FIELDS = ("text", "image", "lang", "convention", "id")
_KINDS: dict[str, tuple[type, ...]] = {"id": (str, int, float, type(None)), "text": (str,)}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the input: where it stands, the line as read, what it asks for, and its id if it has one."""

    where: str
    line: str
    request: TagRequest
    key: dict[str, Any]


@dataclass(slots=True)
class Rejects:
    """Lines that could not be tagged: set aside if ``skip`` is on, else the first one ends the run."""

    skip: bool
    lines: list[str] = field(default_factory=list)

    def add(self, where: str, line: str, error: InputError) -> None:
        """Set a line aside, or raise."""
        if not self.skip:
            raise InputError(f"{where}: {error}") from error
        self.lines.append(to_json({"where": where, "reason": str(error), "line": line}) + "\n")


def tag_file(
    checkpoint: Path,
    source: Path,
    output: Path,
    *,
    lang: str | None,
    convention: str | None,
    skip_bad: bool,
    overwrite: bool,
) -> None:
    """Tag each line of ``source`` into a line of ``output``.

    Args:
        checkpoint: folder of the model.
        source: JSONL; relative image paths are relative to its folder.
        output: JSONL in the same order, each line as ``tag --json`` prints it, plus the line's "id" if it has one.
        lang: language of lines that do not say.
        convention: annotation convention of lines that do not say.
        skip_bad: set bad lines aside in ``OUTPUT.rejected.jsonl`` instead of stopping at the first.
        overwrite: replace the output if it exists.

    Raises:
        InputError: naming file and line of the first bad line; nothing is written then.
    """
    rejected = output.with_name(f"{output.name}.rejected.jsonl")
    for file in (output, rejected):
        if file.exists() and not overwrite:
            raise InputError(f"{file} exists; choose another name for the output or add --overwrite.")
    total = sum(1 for line in read_lines(source) if line.strip())
    from tqdm import tqdm

    from mmner_core.memory import begin_long_job
    from mmner_core.tagger import Tagger

    tagger = Tagger.load(checkpoint)
    begin_long_job()
    rejects = Rejects(skip_bad)
    rows = read_rows(source, rejects, lang=lang, convention=convention)
    with tqdm(total=total, unit="text", desc="tagging", disable=None) as bar:
        write_lines(output, tag_rows(tagger, rows, rejects, bar), overwrite=overwrite)
    typer.echo(f"{total - len(rejects.lines):,} texts tagged into {output}.", err=True)
    rejected.unlink(missing_ok=True)
    if rejects.lines:
        write_lines(rejected, rejects.lines, overwrite=True)
        typer.echo(f"{len(rejects.lines):,} lines could not be tagged; {rejected} says why.", err=True)


def read_rows(
    source: Path, rejects: Rejects, *, lang: str | None = None, convention: str | None = None
) -> Iterator[Row]:
    """Yield the rows of a JSONL file; blank lines are skipped."""
    for number, line in enumerate(read_lines(source), start=1):
        if not line.strip():
            continue
        where = f"{source}:{number}"
        try:
            yield _parse(line, where, source.parent, lang, convention)
        except InputError as error:
            rejects.add(where, line, error)


def _parse(line: str, where: str, folder: Path, lang: str | None, convention: str | None) -> Row:
    from mmner_core.tagger import TagRequest

    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deeply"
        raise InputError(f"the line is not JSON ({reason}).") from error
    if not isinstance(record, dict) or "text" not in record:
        raise InputError('the line is not a JSON object with a field "text".')
    if unknown := sorted(record.keys() - set(FIELDS)):
        raise InputError(f"unknown field {unknown[0]!r}; the fields are {', '.join(FIELDS)}.")
    for name, value in record.items():
        if not isinstance(value, _KINDS.get(name, (str, type(None)))):
            raise InputError(f"the field {name!r} is {type(value).__name__}, not a string.")
    if not record["text"].strip():
        raise InputError("the text is empty.")
    image = record.get("image")
    request = TagRequest(
        text=record["text"],
        image=folder / image if image else None,
        lang=record.get("lang") or lang,
        convention=record.get("convention") or convention,
    )
    return Row(where, line, request, {"id": record["id"]} if "id" in record else {})


def tag_rows(tagger: Tagger, rows: Iterable[Row], rejects: Rejects, bar: Any = None) -> Iterator[str]:
    """Yield the output lines, batch by batch."""
    rows = iter(rows)
    while batch := list(islice(rows, BATCH)):
        for row, prediction in _tag_batch(tagger, batch, rejects):
            yield to_json({**row.key, **prediction.to_json()}) + "\n"
        if bar is not None:
            bar.update(len(batch))


def _tag_batch(tagger: Tagger, batch: list[Row], rejects: Rejects) -> list[tuple[Row, Prediction]]:
    """Tag a batch; where it holds a bad row, tag one by one to find out which."""
    try:
        predictions = tagger.tag_batch([row.request for row in batch], attention=False)
        return list(zip(batch, predictions, strict=True))
    except InputError:
        tagged = []
        for row in batch:
            try:
                tagged.append((row, tagger.tag_batch([row.request], attention=False)[0]))
            except InputError as error:
                rejects.add(row.where, row.line, error)
        return tagged
