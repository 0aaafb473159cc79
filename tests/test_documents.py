"""Documents name files, links, commands, options and make targets that exist, in the words of the glossary."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from analysis.cli.main import app as analysis_app
from mmner_core.cli.main import app as core_app

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "analysis/README.md",
        "mmner_core/README.md",
        "mmner_core/serving/README.md",
    )
]
BY_DOCUMENT = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
PROGRAMS = {"mmner_core": core_app, "analysis": analysis_app}
_LINK = re.compile(r'\]\(([^)\s]+)\)|(?:href|src)="([^"]+)"')
_FILE = re.compile(r"`([a-z.][\w.-]*/[\w./-]+\.(?:py|md|js|css|toml|txt|j2|png|tsv|json|parquet|yaml))`")
_NOT_OURS = ("mmwiki/", "resnet152.")
_COMMAND = re.compile(r"python -m (mmner_core|analysis) ((?:[^`\n\\]|\\\n)+)")
_TARGET = re.compile(r"make ([a-z][a-z-]*)")


def prose(document: Path) -> str:
    """Return a document without its blocks of code."""
    return re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)


def code(document: Path) -> str:
    """Return what a document shows as code, in blocks and within sentences."""
    text = document.read_text(encoding="utf-8")
    return "\n".join(re.findall(r"```.*?```", text, re.DOTALL) + re.findall(r"`[^`]+`", prose(document)))


def anchors(document: Path) -> set[str]:
    """Return the names by which links reach the headings of a document."""
    titles = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def commands(document: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the program and the arguments of each of our commands that a document shows."""
    for program, rest in _COMMAND.findall(code(document)):
        line = re.sub(r"\\\n", " ", rest).split(" #")[0]
        yield program, shlex.split(re.sub(r"[\[\]…<>]", " ", line))


def test_the_readme_is_short() -> None:
    """It invites; the details stand beside the code they describe."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 160


@BY_DOCUMENT
def test_links_lead_somewhere(document: Path) -> None:
    """A link within the repository names a file or folder, and a heading of it where it says so."""
    broken = []
    for groups in _LINK.findall(prose(document)):
        target, _, anchor = "".join(groups).partition("#")
        if ":" in target:
            continue
        file = document.parent / target if target else document
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append("".join(groups))
    assert broken == []


@BY_DOCUMENT
def test_files_are_there(document: Path) -> None:
    """A file named by its path exists, unless the line says that it is new, or it belongs to the training data."""
    places = (ROOT, document.parent, ROOT / "mmner_core")
    lines = [line for line in prose(document).splitlines() if "(new)" not in line]
    named = {name for line in lines for name in _FILE.findall(line) if not name.startswith(_NOT_OURS)}
    assert sorted(name for name in named if not any((place / name).exists() for place in places)) == []


@BY_DOCUMENT
def test_commands_and_options_exist(document: Path) -> None:
    """Each command of ours that is shown, and each of its options, is one that the program has."""
    for program, arguments in commands(document):
        group: Any = typer.main.get_command(PROGRAMS[program])
        two_words = " ".join(arguments[:2])
        name = two_words if two_words in group.commands else arguments[0]
        assert name in group.commands, f"python -m {program} has no {name!r}"
        known = {
            option
            for parameter in group.commands[name].params
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
        assert {a.partition("=")[0] for a in arguments if a.startswith("--")} <= known | {"--help"}, arguments


@BY_DOCUMENT
def test_make_has_the_targets(document: Path) -> None:
    """Each ``make TARGET`` that is shown is in the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(_TARGET.findall(code(document))) <= targets


@BY_DOCUMENT
def test_documents_speak_the_words_of_the_glossary(document: Path) -> None:
    """An image is no picture, and no folder of ours outside of the repository is taken for the reader's."""
    text = document.read_text(encoding="utf-8")
    assert not re.search(r"\bpictures?\b", text, re.IGNORECASE)
    assert "../shared" not in text


def test_the_changelog_knows_the_version() -> None:
    """Its newest version is the package's, below a section for what is not released."""
    sections = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sections[:2] == ["Unreleased", package["version"]]
