"""While visitors are served libraries say where and what, not in their words: none of a visitor's reaches the log."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import traceback
import warnings

import pytest

from mmner_core.serving.log_filter import NotTheirWords, libraries_hushed

SECRET = "Quellbrunnsoweit"
PROGRAM = f"""
import asyncio, gc, logging, sys, threading, traceback, warnings
from mmner_core.serving.faults import log_to_stderr
from mmner_core.serving.log_filter import libraries_hushed

def fail():
    raise ValueError("{SECRET}")

async def forgotten():
    task = asyncio.create_task(die(), name="{SECRET}")
    await asyncio.sleep(0.01)
    del task
    gc.collect()

async def die():
    fail()

text = sys.argv[1] == "text"
log_to_stderr(text=text)
with libraries_hushed(text=text):
    print("{SECRET}")
    print("{SECRET}", file=sys.stderr)
    warnings.warn("{SECRET}")
    logging.getLogger("library").warning("{SECRET}")
    logging.getLogger("library").error("%s", "{SECRET}")
    try:
        fail()
    except ValueError:
        traceback.print_exc()
        traceback.print_exception(*sys.exc_info())
        logging.getLogger("library").exception("{SECRET}")
    thread = threading.Thread(target=fail, name="{SECRET}")
    thread.start()
    thread.join()
    asyncio.run(forgotten())
    logging.getLogger("app").info("ours")
sys.stderr.write("after\\n")
"""


def run(mode: str) -> str:
    """Run the program; return all that it says."""
    command = [sys.executable, "-c", PROGRAM, mode]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def test_no_word_of_a_library_is_written() -> None:
    """Neither printed, warned, logged, nor of an error; but where it was, and what kind of error."""
    said = run("quiet")
    assert SECRET not in said
    assert "ours" in said and said.endswith("after\n")
    for trace in (
        "prints to standard output",
        "prints to standard error",
        "UserWarning at",
        "a message from",
        "in fail",
    ):
        assert trace in said
    assert said.count("ValueError at") >= 4


def test_with_log_text_all_is_written() -> None:
    """As whoever looks for a fault needs it."""
    assert run("text").count(SECRET) > 10


def test_what_is_hushed_is_back_afterwards() -> None:
    """A program that serves for a while prints again."""
    before = (sys.stdout, sys.stderr, traceback.print_exc, warnings.showwarning, threading.excepthook)
    with libraries_hushed(text=False):
        assert sys.stdout is not before[0]
    assert before == (sys.stdout, sys.stderr, traceback.print_exc, warnings.showwarning, threading.excepthook)


@pytest.mark.parametrize(
    ("name", "shown"), [("app", True), ("mmner_core.x", True), ("appx", False), ("asyncio", False)]
)
def test_our_own_messages_are_shown(name: str, shown: bool) -> None:
    """They are written so that they hold no text."""
    record = logging.LogRecord(name, logging.INFO, "/a/b.py", 7, "%s words", (SECRET,), None)
    assert NotTheirWords().filter(record)
    assert (SECRET in record.getMessage()) == shown
    assert shown or "/a/b.py:7" in record.getMessage()
