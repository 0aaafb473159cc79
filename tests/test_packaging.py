"""What is installed for what: a base that tags and serves, extras for the rest, and one list of pins."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from mmner_core.cli.group import EXTRAS, Commands
from tests.rooms import REPOSITORY, imports

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS: dict[str, list[str]] = {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
"""The pins of the base, and of each extra."""
DISTRIBUTIONS = packages_distributions()
PHOTO = REPOSITORY / "tests/data/tiny/images/per-1.jpg"


def normalised(distribution: str) -> str:
    """Write the name of a distribution as all its spellings are compared."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def declared(*extras: str) -> set[str]:
    """Return the distributions that the base and some extras pin."""
    return {normalised(re.split(r"[\[=]", pin)[0]) for extra in ("", *extras) for pin in PINS[extra]}


def provided(name: str) -> set[str]:
    """Return the distributions that a package can be imported from."""
    return {normalised(distribution) for distribution in DISTRIBUTIONS[name]}


def test_requirements_are_the_pins_of_base_and_analysis() -> None:
    """The file that ``make demo`` installs says nothing else than pyproject.toml does."""
    lines = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(line for line in lines if not line.startswith("#")) == sorted([*PINS[""], *PINS["analysis"]])


@pytest.mark.parametrize("pin", [pin for pins in PINS.values() for pin in pins])
def test_every_version_is_exact(pin: str) -> None:
    """Two installations of one commit are the same."""
    assert re.fullmatch(r"[A-Za-z0-9._-]+(\[\w+\])?==[0-9.]+", pin)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sources", "extras"), [("mmner_core/**/*.py", ()), ("analysis/**/*.py", ("analysis",)), ("app.py", ("analysis",))]
)
def test_what_is_imported_is_declared(sources: str, extras: tuple[str, ...]) -> None:
    """By the base, by the extras the package is for, or else the command line knows which extra brings it."""
    names = set().union(*(imports(file, types=False) for file in REPOSITORY.glob(sources)))
    foreign = names - sys.stdlib_module_names - {"mmner_core", "analysis"}
    assert {name for name in foreign if not provided(name) & declared(*extras)} <= EXTRAS.keys()


@pytest.mark.parametrize("name", EXTRAS)
def test_the_named_extra_brings_the_package(name: str) -> None:
    """What the command line advises to install is what was missing."""
    assert provided(name) & declared(EXTRAS[name])
    assert not provided(name) & declared()


def test_a_missing_extra_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package, and what to type."""
    program = typer.Typer(cls=Commands)

    @program.callback()
    def _prepare() -> None: ...

    @program.command()
    def work() -> None:
        import ray  # noqa: F401 (the import is the test)

    monkeypatch.setitem(sys.modules, "ray", None)
    result = CliRunner().invoke(program, ["work"])
    assert result.exit_code == 2
    [sentence] = result.stderr.splitlines()
    assert "ray" in sentence
    assert "'.[ray]'" in sentence


@pytest.mark.slow
def test_the_base_tags_without_any_extra(tiny_checkpoint: Path) -> None:
    """A sentence with its photo, where nothing that only extras bring can be imported."""
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({[*EXTRAS]})); from mmner_core import Tagger; "
        "print(len(Tagger.load(sys.argv[1]).tag('Marie Curie went to Paris', sys.argv[2]).words))"
    )
    command = [sys.executable, "-c", program, str(tiny_checkpoint), str(PHOTO)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("5", "")
