"""Asks a model in a process of its own; whatever fails there is reported in one sentence that names the item."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from analysis.own_model.checked import CheckedAnswer
from analysis.own_model.factory import ModelFacts, check_name
from analysis.own_model.worker import Answered, Failed, serve
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

    from analysis.own_model.interface import Item

BATCH = 16
_PATIENCE = 3.0
"""Seconds that a model has for its own ``close``."""


class ModelProcess:
    """A model in a process of its own, to be used as a context manager.

    Args:
        factory: ``package.module:factory``.
        options: its keyword arguments.
        batch: most items asked at once.
        seconds: most seconds for the answer to a batch; None: no limit. Making the model is not limited.

    Attributes:
        facts: what the model says of itself, known once it was made.
    """

    facts: ModelFacts

    def __init__(
        self,
        factory: str,
        options: Mapping[str, str] | None = None,
        *,
        batch: int = BATCH,
        seconds: float | None = None,
    ) -> None:
        check_name(factory)
        self.factory, self.options = factory, dict(options or {})
        self.batch, self.seconds = batch, seconds
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        """Start the process and make the model.

        Raises:
            InputError: saying why there is no model.
        """
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        # No daemon, which could not start processes of its own, such as those that load data.
        self._process = context.Process(
            target=serve, args=(theirs, self.factory, self.options), name=self.factory, daemon=False
        )
        try:
            self._process.start()
            theirs.close()
            try:
                reply = self._connection.recv()
            except EOFError:
                raise InputError(
                    f"The process of {self.factory} ended before it had made a model{self._ending()}."
                ) from None
            if isinstance(reply, Failed):
                raise InputError(reply.what)
        except BaseException:
            self.close()
            raise
        self.facts = reply
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()

    def ask(self, items: Sequence[Item], names: Sequence[str]) -> list[CheckedAnswer]:
        """Ask for answers, batch by batch.

        Args:
            items: any number of them.
            names: what to call each in an error message.

        Raises:
            InputError: naming the item that the model failed on, and how.
        """
        answers: list[CheckedAnswer] = []
        for start in range(0, len(items), self.batch):
            part, of_part = items[start : start + self.batch], names[start : start + self.batch]
            reply = self._exchange(part, of_part)
            if isinstance(reply, Failed):
                raise self._failure(reply, part, of_part)
            answers += reply.answers
        return answers

    def close(self) -> None:
        """End the process and what the model started, finished or not."""
        process, connection = self._process, self._connection
        self._process = self._connection = None
        if connection is not None:
            with suppress(OSError, ValueError):
                connection.send(None)
            connection.close()
        if process is None or process.pid is None:
            return
        process.join(_PATIENCE)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        if process.is_alive():
            process.kill()
        process.join()
        process.close()

    def _exchange(self, items: Sequence[Item], names: Sequence[str]) -> Answered | Failed:
        assert self._connection is not None, "the process was started"  # noqa: S101
        try:
            self._connection.send(list(items))
            if not self._connection.poll(self.seconds):
                self._kill()
                raise InputError(
                    f"{self._who} took longer than {self.seconds:g} seconds on {_all(names)}; ask fewer at once "
                    "(--model-batch) or allow more (--model-seconds)."
                )
            reply: Answered | Failed = self._connection.recv()
        except (EOFError, ConnectionError):
            raise InputError(f"The process of {self.factory} ended{self._ending()} on {_all(names)}.") from None
        return reply

    def _failure(self, reply: Failed, items: Sequence[Item], names: Sequence[str]) -> InputError:
        """Name the item that a batch failed on, asking one by one where the model did not say."""
        place = reply.place if len(items) > 1 else 0
        if place is None:
            for i, item in enumerate(items):
                alone = self._exchange([item], [names[i]])
                if isinstance(alone, Failed):
                    reply, place = alone, i
                    break
        where = _all(names) if place is None else names[place]
        return InputError(f"{self._who} {reply.what} on {where}.")

    def _kill(self) -> None:
        """End a process that does not answer."""
        if self._process is not None and self._process.pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _ending(self) -> str:
        """Describe the exit code of the process."""
        process: Any = self._process
        process.join(_PATIENCE)
        code = process.exitcode
        if code is None:
            return ""
        if code == -signal.SIGKILL:
            return " (killed, as happens where memory runs out)"
        return f" (signal {-code})" if code < 0 else f" (exit code {code})"

    @property
    def _who(self) -> str:
        return f"The model {self.factory}"


def _all(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"the {len(names)} items from {names[0]} to {names[-1]}"
