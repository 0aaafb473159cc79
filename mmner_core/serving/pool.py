"""Several models side by side: loaded when first asked for, the least recently used unloaded to make room."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition
from typing import Generic, Protocol, TypeVar

from mmner_core.errors import InputError

log = logging.getLogger(__name__)
PATIENCE = 60.0


class Closable(Protocol):
    """Something that holds memory until it is closed, and a thread that may die."""

    @property
    def alive(self) -> bool:
        """Return whether its thread is at work."""

    def close(self) -> None:
        """Let go of it."""


E = TypeVar("E", bound=Closable)


@dataclass(slots=True, kw_only=True, eq=False)
class _Slot(Generic[E]):
    """A model that is loaded or being loaded."""

    bytes: int
    users: int = 1
    engine: Future[E] = field(default_factory=Future)


class CheckpointPool(Generic[E]):
    """Lends models by name; safe to use from many threads.

    Args:
        folders: folder of each model by name; the first is the default.
        load: loads a folder.
        max_loaded: models in memory at once, those being loaded included.
        max_bytes: size on disk of all of them together; one alone may be bigger.
        patience: seconds to wait for room while every loaded model is in use.

    Raises:
        InputError: if there are no folders.
    """

    def __init__(
        self,
        folders: Mapping[str, Path],
        load: Callable[[Path], E],
        *,
        max_loaded: int = 2,
        max_bytes: float = float("inf"),
        patience: float = PATIENCE,
    ) -> None:
        if not folders:
            raise InputError("There is no model to serve; name a checkpoint folder.")
        self.folders = dict(folders)
        self._load = load
        self._max_loaded = max_loaded
        self._max_bytes = max_bytes
        self._patience = patience
        self._slots: OrderedDict[str, _Slot[E]] = OrderedDict()  # the least recently used first
        self._changed = Condition()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the models' names, the default first."""
        return tuple(self.folders)

    @property
    def loaded(self) -> tuple[str, ...]:
        """Return the names of the models in memory, the least recently used first."""
        with self._changed:
            return tuple(name for name, slot in self._slots.items() if slot.engine.done())

    @property
    def alive(self) -> bool:
        """Return whether every model in memory answers; one that is being loaded will."""
        with self._changed:
            loaded = [slot.engine for slot in self._slots.values() if slot.engine.done()]
        return all(engine.exception() is None and engine.result().alive for engine in loaded)

    def resolve(self, name: str | None) -> str:
        """Return the name of a model, the default's for None.

        Raises:
            InputError: if there is none of that name.
        """
        if name is None:
            return self.names[0]
        if name not in self.folders:
            raise InputError(f"There is no model {name[:60]!r}; choose one of: {', '.join(self.names)}.")
        return name

    @contextmanager
    def lease(self, name: str | None = None) -> Iterator[E]:
        """Lend a model; it stays loaded for as long as it is lent.

        Raises:
            InputError: if there is none of that name, it cannot be loaded, or there is no room for it in time.
        """
        name = self.resolve(name)
        slot, ours = self._take(name)
        try:
            if ours:
                self._fill(name, slot)
            yield slot.engine.result()
        finally:
            with self._changed:
                slot.users -= 1
                self._changed.notify_all()

    def close(self) -> None:
        """Unload every model that is not lent."""
        with self._changed:
            idle = [name for name, slot in self._slots.items() if not slot.users]
            slots = [self._slots.pop(name) for name in idle]
        for slot in slots:
            slot.engine.result().close()

    def _take(self, name: str) -> tuple[_Slot[E], bool]:
        """Return a model's slot, one use counted, and whether it is the caller who has to load the model."""
        size = _folder_bytes(self.folders[name])
        removed: list[_Slot[E]] = []

        def at_hand() -> bool:
            return name in self._slots or self._make_room(size, removed)

        with self._changed:
            found = self._changed.wait_for(at_hand, self._patience)
            slot = self._slots.get(name)
            ours = slot is None and found
            if slot is not None:
                slot.users += 1
                self._slots.move_to_end(name)
            elif ours:
                slot = self._slots[name] = _Slot(bytes=size)
        for idle in removed:  # before the next is loaded, so that both are never in memory
            idle.engine.result().close()
        if slot is None:
            raise InputError("Every loaded model is busy; try again in a moment, or stay with the one you had.")
        return slot, ours

    def _make_room(self, size: int, removed: list[_Slot[E]]) -> bool:
        """Unload idle models, the least recently used first, until another of ``size`` bytes fits."""
        busy = [slot.bytes for slot in self._slots.values() if slot.users]
        if not self._fits(busy, size):
            return False
        while not self._fits([slot.bytes for slot in self._slots.values()], size):
            name = next(name for name, slot in self._slots.items() if not slot.users)
            removed.append(self._slots.pop(name))
            log.info("unloading model %s", name)
        return True

    def _fits(self, loaded: Sequence[int], size: int) -> bool:
        """Say whether a model of ``size`` bytes may be loaded beside those; alone it always may."""
        return not loaded or (len(loaded) < self._max_loaded and sum(loaded) + size <= self._max_bytes)

    def _fill(self, name: str, slot: _Slot[E]) -> None:
        """Load a model; whoever waits for it gets it, or the reason why not."""
        log.info("loading model %s", name)
        try:
            engine = self._load(self.folders[name])
        except BaseException as error:
            with self._changed:
                del self._slots[name]  # the next who asks tries again
            slot.engine.set_exception(error)
            raise
        slot.engine.set_result(engine)


def find_checkpoints(first: Path, folder: Path | None = None) -> dict[str, Path]:
    """Return the models to choose from, by the names of their folders.

    Args:
        first: the model that answers by default.
        folder: has more models, one sub-folder each; sub-folders without a config.json are none.

    Raises:
        InputError: if ``folder`` cannot be listed.
    """
    found = {first.name: first}
    if folder is None:
        return found
    try:
        others = sorted(path.parent for path in folder.glob("[!.]*/config.json"))  # hidden: one that is being written
        if not folder.is_dir():
            raise NotADirectoryError(20, "not a folder")
    except OSError as error:
        raise InputError(f"The folder of models {folder} cannot be read: {error.strerror}.") from error
    for path in others:
        if path.resolve() != first.resolve():
            found.setdefault(path.name if path.name not in found else f"{path.parent.name}/{path.name}", path)
    return found


def _folder_bytes(folder: Path) -> int:
    try:
        return sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    except OSError:
        return 0  # loading it will say what is wrong
