"""Models are loaded when asked for, once, and unloaded to make room, never while someone uses them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event, Lock

import pytest

from mmner_core.errors import InputError
from mmner_core.serving.pool import CheckpointPool, find_checkpoints
from tests.told import refused


class Model:
    """Remembers whether it was closed."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self.closed = False

    def close(self) -> None:
        """Let go."""
        assert not self.closed
        self.closed = True


class Loader:
    """Loads models and counts how many are in memory."""

    def __init__(self, before: Callable[[Path], object] = lambda _: None) -> None:
        self.loaded: list[Model] = []
        self.most = 0
        self._before = before
        self._lock = Lock()

    def __call__(self, folder: Path) -> Model:
        """Load one."""
        self._before(folder)
        with self._lock:
            self.loaded.append(Model(folder))
            self.most = max(self.most, sum(not model.closed for model in self.loaded))
            return self.loaded[-1]


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Return folders a, b and c with 1,000 bytes each."""
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_bytes(b" " * 1000)
    return find_checkpoints(tmp_path / "a", tmp_path)


def use(pool: CheckpointPool[Model], name: str | None = None) -> str:
    """Borrow a model and return its name."""
    with pool.lease(name) as model:
        assert not model.closed
        return model.name


def test_models_are_found_by_the_names_of_their_folders(folders: dict[str, Path], tmp_path: Path) -> None:
    """The first is the default; what holds no config.json, or is being written, is none; namesakes are told apart."""
    (tmp_path / "notes").mkdir()
    (tmp_path / ".c.partial").mkdir()
    (tmp_path / ".c.partial" / "config.json").touch()
    assert list(find_checkpoints(tmp_path / "b", tmp_path)) == ["b", "a", "c"]
    elsewhere = tmp_path / "notes" / "a"
    assert list(find_checkpoints(elsewhere, tmp_path)) == ["a", f"{tmp_path.name}/a", "b", "c"]
    with pytest.raises(InputError, match="cannot be read: not a folder"):
        find_checkpoints(tmp_path / "a", tmp_path / "none")


def test_nothing_is_loaded_before_it_is_asked_for(folders: dict[str, Path]) -> None:
    """And then once, the default where no name is given."""
    load = Loader()
    pool = CheckpointPool(folders, load)
    assert load.loaded == []
    assert [use(pool), use(pool, "a"), use(pool, "b"), use(pool)] == ["a", "a", "b", "a"]
    assert [model.name for model in load.loaded] == ["a", "b"]


def test_the_least_recently_used_makes_room(folders: dict[str, Path]) -> None:
    """With room for two, the third unloads the one that was used longest ago, before it is loaded itself."""
    load = Loader()
    pool = CheckpointPool(folders, load, max_loaded=2)
    for name in "abac":
        use(pool, name)
    assert pool.loaded == ("a", "c")
    assert [model.name for model in load.loaded if model.closed] == ["b"]
    assert load.most == 2


def test_the_size_of_all_together_is_limited(folders: dict[str, Path]) -> None:
    """Two of 1,000 bytes do not fit into 1,999; one alone may be too big."""
    load = Loader()
    pool = CheckpointPool(folders, load, max_loaded=9, max_bytes=1999)
    for name in "abc":
        use(pool, name)
    assert (load.most, pool.loaded) == (1, ("c",))
    small = CheckpointPool(folders, Loader(), max_bytes=10)
    assert use(small) == "a"


def test_a_model_in_use_is_not_unloaded(folders: dict[str, Path]) -> None:
    """Who asks for another waits for it to be free, and is told when that takes too long."""
    pool = CheckpointPool(folders, Loader(), max_loaded=1, patience=0.05)
    with pool.lease("a") as model:
        with pytest.raises(InputError, match="busy; try again"):
            use(pool, "b")
        assert not model.closed
    assert use(pool, "b") == "b"
    assert model.closed


def test_whoever_waits_for_room_gets_it(folders: dict[str, Path]) -> None:
    """As soon as the model in use is given back."""
    pool = CheckpointPool(folders, Loader(), max_loaded=1, patience=10)
    with ThreadPoolExecutor(1) as executor:
        with pool.lease("a"):
            waiting = executor.submit(use, pool, "b")
        assert waiting.result(10) == "b"


def test_many_who_ask_at_once_share_one_loading(folders: dict[str, Path]) -> None:
    """Eight visitors at the start: one load."""
    go = Event()
    load = Loader(lambda _: go.wait(10))
    pool = CheckpointPool(folders, load)
    with ThreadPoolExecutor(8) as executor:
        waiting = [executor.submit(use, pool) for _ in range(8)]
        go.set()
        assert [future.result(10) for future in waiting] == ["a"] * 8
    assert len(load.loaded) == 1


def test_a_model_that_cannot_be_loaded_is_tried_again(folders: dict[str, Path]) -> None:
    """The reason is told to all who wait; the place is free, and once it is mended it works."""
    broken = True

    def check(_: Path) -> None:
        if broken:
            raise InputError("The checkpoint is damaged.")

    pool = CheckpointPool(folders, Loader(check), max_loaded=1)
    for _ in range(2):
        with pytest.raises(InputError, match="damaged"):
            use(pool)
    broken = False
    assert use(pool) == "a"
    assert use(pool, "b") == "b"


def test_an_unknown_name_is_told(folders: dict[str, Path]) -> None:
    """With the names that there are."""
    with refused("'../x'", "a, b, c"):
        use(CheckpointPool(folders, Loader()), "../x")


def test_hundreds_of_leases_from_many_threads_never_break_the_rules(folders: dict[str, Path]) -> None:
    """At most two are in memory at any time and none is closed in use, whoever asks for what."""
    load = Loader()
    pool = CheckpointPool(folders, load, max_loaded=2)
    together = Barrier(6)

    def visitor(number: int) -> None:
        together.wait(10)
        for i in range(60):
            name = "abc"[(number * 7 + i * i) % 3]
            assert use(pool, name) == name

    with ThreadPoolExecutor(6) as executor:
        for future in [executor.submit(visitor, number) for number in range(6)]:
            future.result(30)
    assert load.most <= 2
    pool.close()
    assert all(model.closed for model in load.loaded)
