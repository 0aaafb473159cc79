"""Finds a factory by its name, makes the model, and reads its facts; runs in the model's own process."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.own_model.checked import is_usable
from mmner_core.errors import InputError, brief

IMAGE_SIDE = 512
HIDDEN_WORD = "[UNK]"
_FILES_DIGESTED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """The facts that a model states about itself; see :class:`analysis.own_model.interface.Model`.

    Attributes:
        types: the entity types it knows; empty where it does not say.
        reads_images: whether it looks at images at all.
        image_side: short side in pixels below which no image is shrunk.
        hidden_word: stands in place of each word where words are hidden.
        digest: changes with the model, as far as that can be told.
    """

    types: tuple[str, ...]
    reads_images: bool
    image_side: int
    hidden_word: str
    digest: str


def check_name(factory: str) -> tuple[str, str]:
    """Split ``package.module:factory`` into its two names.

    Raises:
        InputError: if it has another form.
    """
    module, _, name = factory.partition(":")
    if not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        raise InputError(f"--model {factory!r} names no factory; write package.module:function, as in my_model:make.")
    return module, name


def make_model(factory: str, options: Mapping[str, str]) -> tuple[Any, ModelFacts]:
    """Import a factory, call it with its options, and read the model's facts.

    Raises:
        InputError: naming what is wrong: the name, the import, an option, the factory, or the model.
    """
    make = _find(*check_name(factory))
    _check_options(factory, make, options)
    try:
        model = make(**options)
    except InputError:
        raise
    except BaseException as error:  # SystemExit as well: whatever the user's code does, it is told in one sentence
        raise InputError(f"{factory} made no model: it raised {described(error, source_of(make))}.") from error
    if not callable(getattr(model, "predict", None)):
        raise InputError(f"{factory} returned a {type(model).__name__}, which has no predict(items).")
    return model, _facts(factory, make, options, model)


def described(error: BaseException, source: str | None) -> str:
    """Describe an exception and where it was raised: the last frame in the user's file, else the last frame.

    Args:
        error: the exception.
        source: the user's file.
    """
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == source] or list(frames)
    where = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    said = brief(error) if isinstance(error, Exception) else str(error)
    return f"{type(error).__name__}: {said.rstrip('.') or 'no reason given'}{where}"


def source_of(thing: Any) -> str | None:
    """Return the file that a function or class is written in, None where there is none."""
    try:
        return inspect.getsourcefile(inspect.unwrap(thing))
    except TypeError:
        return None


def _find(module: str, name: str) -> Callable[..., Any]:
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise InputError(
                f"--model: {module} cannot be imported: it needs {error.name}, which is missing."
            ) from error
        raise InputError(
            f"--model: there is no module {module}; it must be installed, or lie in the folder you are in."
        ) from error
    except BaseException as error:  # SystemExit as well
        raise InputError(f"--model: {module} cannot be imported: it raised {described(error, None)}.") from error
    if not callable(make := getattr(found, name, None)):
        callables = [n for n, value in vars(found).items() if callable(value) and not n.startswith("_")]
        known = ", ".join(callables[:12]) or "nothing that can be called"
        raise InputError(f"--model: {module} has no factory {name!r}; it has {known}.")
    return make


def _check_options(factory: str, make: Callable[..., Any], options: Mapping[str, str]) -> None:
    try:
        parameters = inspect.signature(make)
    except (TypeError, ValueError):  # a factory written in C, which says nothing of itself
        return
    try:
        parameters.bind(**options)
    except TypeError as error:
        names = ", ".join(parameters.parameters) or "none"
        raise InputError(
            f"{factory} cannot be called so: {error}; its options (--model-option) are: {names}."
        ) from error


def _facts(factory: str, make: Callable[..., Any], options: Mapping[str, str], model: Any) -> ModelFacts:
    types = getattr(model, "types", ())
    listed = [] if isinstance(types, str) or not isinstance(types, Iterable) else list(types)
    if (types and not listed) or not all(isinstance(name, str) and is_usable(f"B-{name}") for name in listed):
        raise InputError(f"The model's types are {types!r:.60}; they must be a list of names, as in ('PER', 'LOC').")
    side, hidden = getattr(model, "image_side", IMAGE_SIDE), getattr(model, "hidden_word", HIDDEN_WORD)
    if not isinstance(side, int) or isinstance(side, bool) or not 1 <= side <= 8192:
        raise InputError(f"The model's image_side is {side!r:.60}; it is a number of pixels from 1 to 8192.")
    if not isinstance(hidden, str) or not hidden.strip() or not hidden.isprintable():
        raise InputError(f"The model's hidden_word is {hidden!r:.60}; it is a word.")
    digest = getattr(model, "digest", None)
    return ModelFacts(
        types=tuple(dict.fromkeys(listed)),
        reads_images=bool(getattr(model, "reads_images", True)),
        image_side=side,
        hidden_word=hidden,
        digest=digest if isinstance(digest, str) and digest else _digest(factory, make, options),
    )


def _digest(factory: str, make: Callable[..., Any], options: Mapping[str, str]) -> str:
    """Return a digest of the factory's source and, by name, size and time, of the files that its options name."""
    result = hashlib.sha256(json.dumps([factory, dict(options)], sort_keys=True).encode())
    source = source_of(make)
    if source is not None and Path(source).is_file():
        result.update(Path(source).read_bytes())
    for value in options.values():
        for file in _files(value):
            status = file.stat()
            result.update(json.dumps([str(file), status.st_size, status.st_mtime_ns]).encode())
    return result.hexdigest()


def _files(value: str) -> list[Path]:
    """Return the files that an option names, whether a file, a folder or a command."""
    try:
        words = {value, *shlex.split(value)}
        paths = [Path(word) for word in words if word and Path(word).exists()]
        found = [file for path in paths for file in (path.rglob("*") if path.is_dir() else (path,)) if file.is_file()]
    except (OSError, ValueError):  # no path, and no command either
        return []
    return sorted(set(found))[:_FILES_DIGESTED]
