"""Tags a JSONL file in batches, writing the output whole or not at all; a stream is tagged as its lines arrive."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mmner_core.cli.tag_rows import InputRow, parse_row
from mmner_core.data.text_files import read_arrivals, write_lines
from mmner_core.errors import InputError, listed
from mmner_core.runtime.atomic import would_replace
from mmner_core.runtime.json_files import json_text
from mmner_core.runtime.streams import folder_of, is_stream

if TYPE_CHECKING:
    from mmner_core.inference.tagger import Tagger
    from mmner_core.results import Prediction

BATCH = 32
LONGEST_NAME = 255  # bytes, on every file system in use


@dataclass(slots=True)
class Rejects:
    """Lines that could not be tagged: set aside if ``skip`` is on, else the first one ends the run.

    Attributes:
        skip: whether to go on.
        tell: whether to tell each on standard error, for want of a file to keep them in.
        lines: of the file of rejects.
        n: how many there are.
    """

    skip: bool
    tell: bool = False
    lines: list[str] = field(default_factory=list)
    n: int = 0

    def add(self, where: str, line: str, error: InputError) -> None:
        """Set a line aside, or raise."""
        if not self.skip:
            raise InputError(f"{where}: {error}") from error
        self.n += 1
        record = json_text({"where": where, "reason": str(error), "line": line})
        if self.tell:
            typer.echo(record, err=True)
        else:
            self.lines.append(f"{record}\n")


@dataclass(slots=True)
class Tagged:
    """The number of lines tagged, and which of their keys were copied to the output."""

    n: int = 0
    keys: dict[str, None] = field(default_factory=dict)

    def add(self, row: InputRow) -> None:
        """Count a line."""
        self.n += 1
        self.keys.update(dict.fromkeys(row.others))


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
        source: JSONL, read once; relative image paths are relative to its folder, for a stream to the working folder.
        output: JSONL in the same order, each line as ``tag --json`` prints it, after the line's "id" if it has one and
            what else it holds.
        lang: language of lines that do not say.
        convention: annotation convention of lines that do not say.
        skip_bad: set bad lines aside in ``OUTPUT.rejected.jsonl`` instead of stopping at the first.
        overwrite: replace the output if it exists.

    Raises:
        InputError: naming file and line of the first bad line; no file is written then.
    """
    streams = is_stream(output)
    beside = output.with_name(f"{output.name}.rejected.jsonl")
    nameless = len(os.fsencode(beside.name)) > LONGEST_NAME and not skip_bad  # there is none, and none is asked for
    rejected = None if streams or nameless else beside
    for file in filter(None, (output, rejected)):
        if would_replace(file) and not overwrite:
            raise InputError(f"{file} exists; choose another name for the output or add --overwrite.")
    if not is_stream(source):
        next(read_arrivals(source), None)  # what cannot be read is told before the model is loaded
    from tqdm import tqdm

    from mmner_core.inference.tagger import Tagger
    from mmner_core.runtime.memory import begin_long_job

    tagger = Tagger.load(checkpoint)
    begin_long_job()
    rejects, tagged = Rejects(skip_bad, tell=streams), Tagged()
    batches = read_batches(source, rejects, lang=lang, convention=convention)
    with tqdm(unit="text", desc="tagging", disable=True if streams else None) as bar:
        write_lines(output, tag_rows(tagger, batches, rejects, tagged, bar), overwrite=overwrite)
    typer.echo(f"{tagged.n:,} texts tagged into {output}.", err=True)
    if tagged.keys:
        typer.echo(f"Handed through unread: {listed(tagged.keys)}.", err=True)
    if rejected is not None:
        rejected.unlink(missing_ok=True)
        if rejects.lines:
            write_lines(rejected, rejects.lines, overwrite=True)
    if rejects.n:
        where = "see above" if rejected is None else f"{rejected} says why"
        typer.echo(f"{rejects.n:,} lines could not be tagged; {where}.", err=True)


def read_batches(
    source: Path, rejects: Rejects, *, lang: str | None = None, convention: str | None = None
) -> Iterator[list[InputRow]]:
    """Yield the rows of a JSONL file in batches; of a stream, those that have arrived, so that none has to wait."""
    number = 0
    folder = folder_of(source)
    for lines in read_arrivals(source):
        batch: list[InputRow] = []
        for line in lines:
            number += 1
            if not line.strip():
                continue
            where = f"{source}:{number}"
            try:
                batch.append(parse_row(line, where, folder, lang, convention))
            except InputError as error:
                rejects.add(where, line, error)
            if len(batch) == BATCH:
                yield batch
                batch = []
        if batch:
            yield batch


def tag_rows(
    tagger: Tagger, batches: Iterable[list[InputRow]], rejects: Rejects, tagged: Tagged, bar: Any = None
) -> Iterator[str]:
    """Yield the output lines, those of a batch together."""
    for batch in batches:
        rows = _tag_batch(tagger, batch, rejects)
        for row, _ in rows:
            tagged.add(row)
        yield "".join(json_text(row.result(prediction)) + "\n" for row, prediction in rows)
        if bar is not None:
            bar.update(len(batch))


def _tag_batch(tagger: Tagger, batch: list[InputRow], rejects: Rejects) -> list[tuple[InputRow, Prediction]]:
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
