"""Read the server's settings: command line over environment over file over default."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from mmner_core.config import parse
from mmner_core.errors import InputError
from mmner_core.serving.config import ServingConfig

PREFIX = "MMNER_"
_TYPES = get_type_hints(ServingConfig)


def read_config(arguments: Sequence[str], environment: Mapping[str, str], *, description: str = "") -> ServingConfig:
    """Return the settings that a command line asks for.

    Args:
        arguments: the options; ``--config FILE`` names the file.
        environment: may hold any setting as MMNER_NAME, several values separated by ";", and MMNER_CONFIG.
        description: what the program does, for ``--help``.

    Raises:
        InputError: naming the source and the setting that is unknown or has a wrong value.
        SystemExit: after ``--help``, or on an option that does not exist.
    """
    options = vars(_parser(description).parse_args(arguments))
    file = options.pop("config") or environment.get(PREFIX + "CONFIG")
    layers = {
        str(file): _read_file(Path(file)) if file else {},
        "environment": _read_environment(environment),
        "command line": {name: value for name, value in options.items() if value is not None},
    }
    settings: dict[str, Any] = {}
    for where, layer in layers.items():
        parse(ServingConfig, layer, where)  # on its own first, so that a mistake is told with its place
        settings |= layer
    return parse(ServingConfig, settings, "settings")


def _parser(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file with any of the settings below")
    for setting in fields(ServingConfig):
        flag = "--" + setting.name.replace("_", "-")
        text = _help(setting)
        if _TYPES[setting.name] in (bool, bool | None):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        elif _is_list(setting.name):
            parser.add_argument(flag, action="append", metavar="VALUE", help=f"{text}; repeatable")
        else:
            parser.add_argument(flag, metavar="VALUE", help=text)
    return parser


def _help(setting: Field[Any]) -> str:
    default = setting.default
    shown = default is not MISSING and default not in ("", None, ()) and not isinstance(default, bool | Path)
    return setting.metadata["help"].replace("%", "%%") + (f" [{default}]" if shown else "")


def _is_list(name: str) -> bool:
    return get_origin(_TYPES[name]) is tuple


def _read_file(file: Path) -> dict[str, Any]:
    try:
        settings = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"The settings {file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: not valid TOML: {error}.") from error
    return {name: _beside(file, name, value) for name, value in settings.items()}


def _beside(file: Path, name: str, value: Any) -> Any:
    """Read a relative path in the file as beside the file, wherever the server is started."""
    hint = _TYPES.get(name)
    if Path not in (hint, *get_args(hint)):
        return value
    if isinstance(value, str):
        return str(file.parent / value)
    return [str(file.parent / item) for item in value] if isinstance(value, list) else value


def _read_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found = {name: environment.get(PREFIX + name.upper()) for name in _TYPES}
    return {
        name: [item for item in value.split(";") if item] if _is_list(name) else value
        for name, value in found.items()
        if value is not None
    }
