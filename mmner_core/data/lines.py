"""Text files in and out: lines without surprises, written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from mmner_core.errors import InputError
from mmner_core.streams import is_stream, open_input, open_output
from mmner_core.whole import is_there, whole_file

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 1 << 20
BOM = "\ufeff"


def read_lines(path: Path) -> Iterator[str]:
    r"""Yield the lines of a UTF-8 file without their ends, a block in memory at a time.

    Only ``\n`` and ``\r\n`` end a line: a word may hold U+2028 or U+0085, which ``str.splitlines`` would cut at.

    Raises:
        InputError: if the file cannot be read, is not UTF-8 text, or has a line over 1 MB.
    """
    for lines in read_arrivals(path):
        yield from lines


def read_arrivals(path: Path) -> Iterator[list[str]]:
    """Yield the lines as :func:`read_lines` does, those together that a stream had ready together."""
    number = 1
    for block in _blocks(path):
        text = _decode(block, path, number)
        if number == 1:
            text = text.removeprefix(BOM)
        lines = text.removesuffix("\n").split("\n")
        yield lines
        number += len(lines)


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield blocks that end with a line end, the last one perhaps without."""
    try:
        with open_input(path) as file:
            while block := _whole_lines(file, path):
                yield block
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def _whole_lines(file: BinaryIO, path: Path) -> bytes:
    block = file.read1(BLOCK_BYTES)  # type: ignore[attr-defined]  # of a stream, what is there already
    if block and not block.endswith(b"\n"):
        rest = file.readline(MAX_LINE_BYTES)
        if len(rest) == MAX_LINE_BYTES and not rest.endswith(b"\n"):
            raise InputError(f"{path} has a line of more than 1 MB; it is not a file of tagged words.")
        block += rest
    return block


def _decode(block: bytes, path: Path, first_line: int) -> str:
    if (nul := block.find(b"\0")) >= 0:
        line = first_line + block.count(b"\n", 0, nul)
        raise InputError(f"{path}:{line}: there is a NUL byte here; the file is binary or UTF-16, save it as UTF-8.")
    try:
        text = block.decode("utf-8")
    except UnicodeDecodeError as error:
        line = first_line + block.count(b"\n", 0, error.start)
        byte = block[error.start]
        raise InputError(f"{path}:{line}: byte 0x{byte:02x} is not UTF-8; convert the file to UTF-8.") from error
    if "\r" in text:
        text = text.replace("\r\n", "\n").removesuffix("\r")
    return text


def write_lines(path: Path, chunks: Iterable[str], *, overwrite: bool = False) -> None:
    """Write chunks of text as UTF-8 so that the file appears complete or not at all; to a stream, each as it comes.

    Raises:
        InputError: if the file exists and ``overwrite`` is off, or cannot be written.
        BrokenPipeError: if nobody reads the stream any more.
    """
    if is_there(path) and not overwrite:
        raise InputError(f"{path} exists; choose another name or ask to overwrite it.")
    try:
        if is_stream(path):
            with open_output(path) as stream:
                for chunk in _keep_leading_bom(chunks):
                    stream.write(chunk.encode("utf-8"))
                    stream.flush()
            return
        with whole_file(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_keep_leading_bom(chunks))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error


def _keep_leading_bom(chunks: Iterable[str]) -> Iterator[str]:
    """Protect a text that really begins with U+FEFF: a reader takes the first one for a byte order mark."""
    for number, chunk in enumerate(chunks):
        yield BOM + chunk if number == 0 and chunk.startswith(BOM) else chunk
