"""Ends a program that is interrupted or whose output nobody reads: quietly, with the exit code that shells expect.

Exit codes: 128 plus the signal for a program that was stopped (130 after Ctrl-C), and for one whose reader has gone
(141, that of SIGPIPE); 2 for an output that cannot be written.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from types import FrameType
from typing import Any

import typer

BROKEN_PIPE = 128 + signal.SIGPIPE
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def prepare_process() -> None:
    """Make the standard streams usable whatever the shell did to them, and let signals end the program cleanly."""
    _fill_closed_streams()
    if "LOCAL_RANK" not in os.environ:  # the processes of a distributed run wait for each other and must just go
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    """End the program in a way that removes half-written files."""
    raise SystemExit(128 + number)


def _fill_closed_streams() -> None:
    """Replace closed streams; otherwise the next file opened would be taken for one of them.

    A closed output is a pipe that nobody reads.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            nothing = os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
            if number == 1:
                unread, pipe = os.pipe()
                os.close(unread)
                os.dup2(pipe, nothing)
                os.close(pipe)
            os.set_inheritable(number, True)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 (for as long as the process lives)
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def end_output(code: Any) -> Any:
    """Flush standard output; return the exit code, or another one if flushing fails."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = code or BROKEN_PIPE
    except OSError as error:
        if not code:
            typer.echo(f"The output cannot be written: {error.strerror}.", err=True)
        code = code or 2
    else:
        return code
    nowhere = os.open(os.devnull, os.O_WRONLY)  # Python flushes once more at its end, and would tell of it
    os.dup2(nowhere, 1)
    return code


def os_error_sentence(error: OSError) -> str | None:
    """Return one sentence on what the system refused, or None if it is nothing that a user can mend."""
    if error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}."
    return f"The output cannot be written: {error.strerror}." if error.errno in _FULL else None
