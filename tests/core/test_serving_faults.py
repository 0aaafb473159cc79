"""Errors: a sentence for the visitor, a number that leads to the log, and no text of a visitor in the log."""

from __future__ import annotations

import io
import logging
import re

import pytest

from mmner_core.errors import InputError
from mmner_core.serving.faults import QuietFormatter, take_over_logs, user_message


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("There is no checkpoint folder /srv/models/mini.", "There is no checkpoint folder mini."),
        ("/home/ada/runs/x/config.json: field alpha: too big.", "config.json: field alpha: too big."),
        ("The picture '/tmp/gradio/ab12/photo.jpg' is empty.", "The picture 'photo.jpg' is empty."),
        ("Choose en/fr, or see https://example.com/a/b.", "Choose en/fr, or see https://example.com/a/b."),
        ("The text is empty: type a sentence to tag.", "The text is empty: type a sentence to tag."),
    ],
)
def test_a_sentence_names_files_but_no_folders(sentence: str, shown: str) -> None:
    """What was written for the command line reaches a visitor without the server's paths."""
    assert user_message(InputError(sentence)) == shown


def fail(text: str) -> None:
    """Raise an error that quotes a visitor, from another that does."""
    try:
        int(text)
    except ValueError as error:
        raise RuntimeError(f"cannot tag {text}") from error


def test_the_log_says_where_and_what_but_not_the_text() -> None:
    """Frames and kinds of the error and of its cause, under the number that the visitor was given."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(QuietFormatter("%(message)s"))
    log = logging.getLogger("mmner_core.serving.faults")
    log.addHandler(handler)
    try:
        fail("my secret")
    except RuntimeError as error:
        sentence = user_message(error)
    finally:
        log.removeHandler(handler)
    number = re.search(r"error ([0-9a-f]{8})", sentence)
    assert number and number.group(1) in stream.getvalue()
    assert "secret" not in sentence + stream.getvalue()
    assert "RuntimeError at" in stream.getvalue()
    assert "ValueError at" in stream.getvalue()
    assert re.search(r"test_serving_faults\.py:\d+ in fail", stream.getvalue())


def test_errors_that_name_each_other_end() -> None:
    """A cycle of causes does not hang the log."""
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert QuietFormatter().formatException((ValueError, first, None)).count(" at") == 2


def test_loggers_with_handlers_of_their_own_write_as_the_others() -> None:
    """The web server's would print whole errors."""
    logger = logging.getLogger("mmner_test_server")
    logger.addHandler(logging.StreamHandler())
    logger.propagate = False
    take_over_logs("mmner_test_server")
    assert logger.propagate
    assert logger.handlers == []
