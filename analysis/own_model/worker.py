"""The process of a model of your own: makes the model, and answers one batch of items after the other.

The messages are pickled: a list of items in, :class:`Answered` or :class:`Failed` out. No exception, whatever it is,
leaves the process; each becomes a reason in words.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from analysis.own_model.checked import BadAnswer, CheckedAnswer, check_answers
from analysis.own_model.factory import described, make_model, source_of
from mmner_core.errors import InputError


class Answered(NamedTuple):
    """The answers of a batch."""

    answers: list[CheckedAnswer]


class Failed(NamedTuple):
    """Why there are no answers: the reason, and the item's place in the batch where it is about one alone."""

    what: str
    place: int | None = None


def serve(connection: Connection, factory: str, options: Mapping[str, str]) -> None:
    """Make the model, send its facts, then answer until ``None`` comes or nobody is left to answer to.

    Args:
        connection: to whoever asks.
        factory: ``package.module:factory``.
        options: its keyword arguments.
    """
    os.setsid()  # what the model starts can be ended with it; a Ctrl-C is for whoever asks
    os.dup2(2, 1)  # standard output belongs to the program
    model = None
    try:
        try:
            model, facts = make_model(factory, options)
        except InputError as error:
            connection.send(Failed(str(error)))
            return
        connection.send(facts)
        while (items := connection.recv()) is not None:
            connection.send(_answer(model, items))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # nobody is left to answer to
    finally:
        close = getattr(model, "close", None)
        if callable(close):
            close()


def _answer(model: Any, items: list[Any]) -> Answered | Failed:
    given: list[Any] = []
    lazy = False
    try:
        answers = model.predict(items)
        if lazy := isinstance(answers, Iterator):  # one by one, so that it is known which one fails
            for answer in islice(answers, len(items) + 1):
                given.append(answer)
        return Answered(check_answers(given if lazy else answers, items))
    except BadAnswer as problem:
        return Failed(problem.what, problem.place)
    except InputError as error:
        return Failed(f"failed: {str(error).rstrip('.')}", _place(given, items) if lazy else None)
    except BaseException as error:  # SystemExit as well: the model does not decide when the run ends
        return Failed(f"raised {described(error, source_of(type(model)))}", _place(given, items) if lazy else None)


def _place(given: list[Any], items: list[Any]) -> int:
    """Return the item that failed, if the model answers items one after the other."""
    return min(len(given), len(items) - 1)
