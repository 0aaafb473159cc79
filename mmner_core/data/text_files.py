"""Reads and writes the lines of text files, whatever their line ends and encoding marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path

from mmner_core.errors import InputError
from mmner_core.runtime.atomic import atomic_write, would_replace
from mmner_core.runtime.streams import is_stream, open_input, open_output

BLOCK_BYTES = 1 << 20
MAX_LINE_BYTES = 1 << 20
BOM = "\ufeff"
_LINE_END = re.compile(r"\r+\n")
"""Several ``\\r`` come of a file that was twice given the line ends of Windows."""


def read_lines(path: Path) -> Iterator[str]:
    r"""Yield the lines of a UTF-8 file without their ends, a block in memory at a time.

    Lines end with ``\n`` or ``\r\n``, or with ``\r`` alone in a file that mostly has such: a word may hold U+2028,
    U+0085 or a stray ``\r``, which ``str.splitlines`` would cut at. A byte order mark is dropped at the beginning of
    the file, and after a blank line, where files with one were put together.

    Raises:
        InputError: if the file cannot be read, is not UTF-8 text, or has a line over 1 MB.
    """
    for lines in read_arrivals(path):
        yield from lines


def read_arrivals(path: Path) -> Iterator[list[str]]:
    """Yield lines as :func:`read_lines` does, grouped as a stream delivers them."""
    number = 1
    after_blank = True
    for block, end in _blocks(path):
        text = _decode(block, end, path, number)
        lines = text.removesuffix("\n").split("\n")
        for i, line in enumerate(lines):
            lines[i] = line.removeprefix(BOM) if after_blank else line
            after_blank = not lines[i]
        yield lines
        number += len(lines)


def _blocks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield blocks that end with a line end, the last one perhaps without, and beside each that line end."""
    try:
        with open_input(path) as file:
            read = _beginning(file)
            alone = read.count(b"\r") - read.count(b"\r\n")
            end = b"\r" if alone > read.count(b"\n") else b"\n"
            rest = b""
            while read:
                block = rest + read
                cut = block.rfind(end) + 1
                rest = block[cut:]
                if len(rest) > MAX_LINE_BYTES:
                    raise InputError(f"{path} has a line of more than 1 MB; it is not a file of tagged words.")
                if cut:
                    yield block[:cut], end
                read = file.read1(BLOCK_BYTES)  # of a stream, what is there already
            if rest:
                yield rest, end
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def _beginning(file: BufferedReader) -> bytes:
    """Read enough of a file to detect its line ends; a stream may take several reads."""
    read = file.read1(BLOCK_BYTES)
    while len(read) < BLOCK_BYTES and (read.endswith(b"\r") or not (b"\n" in read or b"\r" in read)):
        if not (more := file.read1(BLOCK_BYTES)):
            break
        read += more
    return read


def _decode(block: bytes, end: bytes, path: Path, first_line: int) -> str:
    r"""Return the text of a block with ``\n`` for every line end."""
    if (nul := block.find(b"\0")) >= 0:
        line = first_line + block.count(end, 0, nul)
        raise InputError(f"{path}:{line}: there is a NUL byte here; the file is binary or UTF-16, save it as UTF-8.")
    try:
        text = block.decode("utf-8")
    except UnicodeDecodeError as error:
        line = first_line + block.count(end, 0, error.start)
        byte = block[error.start]
        raise InputError(f"{path}:{line}: byte 0x{byte:02x} is not UTF-8; convert the file to UTF-8.") from error
    if "\r" not in text:
        return text
    if end == b"\r":
        return text.replace("\r\n", "\n").replace("\r", "\n")
    return _LINE_END.sub("\n", text).removesuffix("\r")


def write_lines(path: Path, chunks: Iterable[str], *, overwrite: bool = False) -> None:
    """Write chunks of text as UTF-8 so that the file appears complete or not at all; to a stream, each as it comes.

    Raises:
        InputError: if the file exists and ``overwrite`` is off, or cannot be written.
        BrokenPipeError: if nobody reads the stream any more.
    """
    if would_replace(path) and not overwrite:
        raise InputError(f"{path} exists; choose another name or ask to overwrite it.")
    try:
        if is_stream(path):
            with open_output(path) as stream:
                for chunk in _keep_leading_bom(chunks):
                    stream.write(chunk.encode("utf-8"))
                    stream.flush()
            return
        with atomic_write(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(_keep_leading_bom(chunks))
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error


def _keep_leading_bom(chunks: Iterable[str]) -> Iterator[str]:
    """Protect a chunk that really begins with U+FEFF: a reader takes that for a byte order mark."""
    for chunk in chunks:
        yield BOM + chunk if chunk.startswith(BOM) else chunk
