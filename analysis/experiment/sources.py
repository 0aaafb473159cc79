"""Parses which data sets an experiment reads, each with the number of sentences to take."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mmner_core.errors import InputError

_SPEC = re.compile(r"(?P<path>[^@=]+)(?:@(?P<convention>[^@=]+))?(?:=(?P<limit>\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSpec:
    """One data set of an experiment, as written ``PATH[@CONVENTION][=N]``.

    Attributes:
        path: relative to the data folder.
        convention: annotation convention to read it by; None: the one that the preset's run says, else the default.
        limit: only the first so many sentences of each language; None: all.
    """

    path: str
    convention: str | None = None
    limit: int | None = None

    def __str__(self) -> str:
        """Return it as written."""
        convention = f"@{self.convention}" if self.convention else ""
        return self.path + convention + (f"={self.limit}" if self.limit is not None else "")


def parse_sources(text: str, option: str) -> tuple[SourceSpec, ...]:
    """Read ``PATH[@CONVENTION][=N],...``.

    Args:
        text: what was typed.
        option: its name, for the error message.

    Raises:
        InputError: if a part has another form, a number is 0, or a path occurs twice.
    """
    specs = [_parse(part.strip(), option) for part in text.split(",") if part.strip()]
    paths = [spec.path for spec in specs]
    if repeated := [path for path in paths if paths.count(path) > 1]:
        raise InputError(f"{option} names {repeated[0]!r} twice; name each data set once.")
    return tuple(specs)


def _parse(part: str, option: str) -> SourceSpec:
    match = _SPEC.fullmatch(part)
    if match is None or match["limit"] == "0":
        raise InputError(
            f"{option}: {part!r} is no data set; write its folder, and where wanted the convention and the number of "
            "sentences per language, as in mmnerd@caption=300."
        )
    return SourceSpec(
        path=match["path"],
        convention=match["convention"],
        limit=int(match["limit"]) if match["limit"] is not None else None,
    )
