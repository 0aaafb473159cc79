"""The provenance of a run: the versions, digests and settings that reproduce its numbers."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

_PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "timm",
    "open_clip_torch",
    "numpy",
    "pandas",
    "pyarrow",
    "umap-learn",
)


def recorded_environment() -> dict[str, Any]:
    """Return when, where and with which versions a run was made."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"workbench": _version("mmner-workbench"), "python": platform.python_version()}
        | {name: version for name in _PACKAGES if (version := _version(name))},
        "host": {"cores": len(os.sched_getaffinity(0)), "machine": platform.machine(), "system": platform.system()},
    }


def command_line(arguments: Sequence[str] | None = None) -> str:
    """Return the command that is running, as it would be typed."""
    return shlex.join(["python", "-m", "analysis", *(sys.argv[1:] if arguments is None else arguments)])


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None  # not installed as a package, or an optional one that is not there
