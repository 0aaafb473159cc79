"""Several models side by side: loaded when first asked for, the least recently used unloaded to make room.

No visitor can force models in and out: those that others use are unloaded last, and none right after it was loaded.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition
from typing import Generic, Protocol, TypeVar

from mmner_core.errors import InputError
from mmner_core.serving.budgets import MinuteBudget
from mmner_core.serving.visitor import current_visitor

log = logging.getLogger(__name__)
PATIENCE = 60.0
RECENT = 120.0
"""Seconds for which a model counts as used by whoever used it last."""
RESIDENCE = 15.0
"""Seconds for which a model stays, once loaded, that others than the one who asks for another use."""
_LOOK_AGAIN = 0.5


class Closable(Protocol):
    """Something that holds memory until it is closed, and a thread that may die."""

    @property
    def alive(self) -> bool:
        """Return whether its thread is at work."""

    def close(self) -> None:
        """Release its memory."""


E = TypeVar("E", bound=Closable)


@dataclass(slots=True, kw_only=True, eq=False)
class _Slot(Generic[E]):
    """A model that is loaded or being loaded."""

    bytes: int
    users: int = 1
    engine: Future[E] = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)
    used_by: dict[str | None, float] = field(default_factory=dict)

    def note_use(self, visitor: str | None) -> None:
        """Remember who uses it, and forget whose use was long ago."""
        now = time.monotonic()
        self.used_by = {name: at for name, at in self.used_by.items() if now - at < RECENT}
        self.used_by[visitor] = now

    def is_others(self, visitor: str | None) -> bool:
        """Return whether other visitors used it recently."""
        now = time.monotonic()
        return any(now - at < RECENT for name, at in self.used_by.items() if name not in (None, visitor))

    @property
    def is_new(self) -> bool:
        """Return whether it was loaded too recently to be unloaded."""
        return time.monotonic() - self.since < RESIDENCE


class CheckpointPool(Generic[E]):
    """Lends models by name; safe to use from many threads.

    Args:
        folders: folder of each model by name; the first is the default.
        load: loads a folder.
        max_loaded: models in memory at once, those being loaded included.
        max_bytes: size on disk of all of them together; one alone may be bigger.
        patience: seconds to wait for room while every loaded model is in use.
        loads: how many loads visitors may cause; None: as many as they like.

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
        loads: MinuteBudget | None = None,
    ) -> None:
        if not folders:
            raise InputError("There is no model to serve; name a checkpoint folder.")
        self.folders = dict(folders)
        self._load = load
        self._max_loaded = max_loaded
        self._max_bytes = max_bytes
        self._patience = patience
        self._loads = loads
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
        """Return whether every model in memory answers; one that is being loaded counts."""
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
        size, visitor = _folder_bytes(self.folders[name]), current_visitor()
        end = time.monotonic() + self._patience
        removed: list[_Slot[E]] = []
        with self._changed:
            if name not in self._slots and self._loads is not None:
                self._loads.spend()
            while not (found := name in self._slots or self._make_room(size, visitor, removed)):
                if (left := end - time.monotonic()) <= 0:
                    break
                self._changed.wait(min(left, _LOOK_AGAIN))  # a model becomes old enough to go without anybody's doing
            slot = self._slots.get(name)
            ours = slot is None and found
            if slot is not None:
                slot.users += 1
                self._slots.move_to_end(name)
            elif ours:
                slot = self._slots[name] = _Slot(bytes=size)
            if slot is not None:
                slot.note_use(visitor)
        for idle in removed:  # before the next is loaded, so that both are never in memory
            idle.engine.result().close()
        if slot is None:
            raise InputError("Every loaded model is busy; try again in a moment, or stay with the one you had.")
        return slot, ours

    def _make_room(self, size: int, visitor: str | None, removed: list[_Slot[E]]) -> bool:
        """Unload idle models until another of ``size`` bytes fits, or none where that is not enough.

        Those go first that nobody else uses, of them the least recently used.
        """
        left = dict(self._slots)
        idle = [name for name, slot in self._slots.items() if not slot.users]
        going = [name for name in idle if not self._slots[name].is_others(visitor)]
        going += [name for name in idle if name not in going and not self._slots[name].is_new]
        chosen: list[str] = []
        while not self._fits([slot.bytes for slot in left.values()], size):
            if len(chosen) == len(going):
                return False
            chosen.append(going[len(chosen)])
            del left[chosen[-1]]
        for name in chosen:
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
