"""How the packages hang together: imports one way, small files, public names documented, nothing heavy at import."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.rooms import PLAN, REPOSITORY, arrows, imported_modules, imports, modules, room_of, tree

PACKAGES = ("mmner_core", "analysis", "tests/bench", "tests/load")  # the last two: developers' tools
SOURCES = sorted([*(file for name in PACKAGES for file in REPOSITORY.glob(f"{name}/**/*.py")), REPOSITORY / "app.py"])
GRADIO = (REPOSITORY / "mmner_core/serving/gradio_bounds.py", *REPOSITORY.glob("analysis/views/wiring/*.py"))
"""What may import gradio besides the app: the bounds on it, and the wiring of the tabs."""
TOP_LEVEL = {
    *("app.py", "mmner_core", "analysis", "checkpoints", "tests", "Makefile", "pyproject.toml", "requirements.txt"),
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", ".ci", ".gitignore", ".pre-commit-config.yaml"),
}
MAX_LINES = 400
MAX_FUNCTION_LINES = 60
BY_FILE = pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(REPOSITORY)))


def functions(node: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method."""
    for child in ast.walk(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child


def package(file: Path) -> str:
    """Return "mmner_core", "analysis", "app" or "tests"."""
    return file.relative_to(REPOSITORY).parts[0].removesuffix(".py")


@BY_FILE
def test_imports_go_one_way(file: Path) -> None:
    """The core knows nothing of the analysis, the analysis nothing of the app; gradio is for few.

    Developers' tools measure from outside: the app as a process, a figure as whoever asks for it gets it.
    """
    forbidden = {
        "mmner_core": {"analysis", "app", "gradio", "plotly", "tests"},
        "analysis": {"app", "gradio", "tests"},
        "app": {"plotly", "tests"},
        "tests": {"app", "gradio", "plotly"},
    }
    allowed = {"gradio"} if file in GRADIO else set()
    assert not imports(file) & (forbidden[package(file)] - allowed)


def test_the_top_level_is_short() -> None:
    """What one sees first is the program, its two packages, and what everybody looks for."""
    files = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert {line.split("/")[0] for line in files.splitlines()} <= TOP_LEVEL


@pytest.mark.parametrize("package", PLAN)
def test_rooms_import_from_floors_below(package: str) -> None:
    """Every room is in the plan, and knows nothing of what stands beside or above it."""
    floors = {room: height for height, rooms in enumerate(PLAN[package]) for room in rooms.split()}
    assert {room_of(module) for module in modules(package)} - {""} <= floors.keys()
    assert {arrow: n for arrow, n in arrows(package).items() if floors[arrow[1]] >= floors[arrow[0]]} == {}


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not even for type checkers: each module can be read knowing only modules that do not know it."""
    files = {name: file for package in PLAN for name, file in modules(package).items()}
    known = {name: imported_modules(file, files) - {name} for name, file in files.items()}
    TopologicalSorter(known).prepare()  # raises CycleError, which names the modules of a circle


@BY_FILE
def test_plotly_is_for_figures_alone(file: Path) -> None:
    """Within the analysis only the files of figures draw; others may name a figure's type."""
    draws = "plotly" in imports(file, types=False)
    path = file.relative_to(REPOSITORY)
    assert not draws or (path.parts[0] == "analysis" and path.parts[1].startswith("figures"))


def test_html_is_written_by_templates() -> None:
    """No module builds markup from strings, where a value could be left unescaped."""
    names = "button|details|div|figure|form|h[1-6]|img|input|label|li|ol|p|section|select|span|t[dhr]|ul"
    tag = re.compile(rf"</?({names})[ >]")
    files = [*REPOSITORY.glob("analysis/**/*.py"), REPOSITORY / "app.py"]
    assert [str(file) for file in files if tag.search(file.read_text(encoding="utf-8"))] == []


@BY_FILE
def test_files_and_functions_are_short(file: Path) -> None:
    """A file is read in one sitting, a function on one screen.

    Its signature is not counted: a command's is the list of its options, each with its help.
    """
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
    long = {f.name: f.end_lineno - f.body[0].lineno + 1 for f in functions(tree(file)) if f.end_lineno is not None}
    assert {name: n for name, n in long.items() if n > MAX_FUNCTION_LINES} == {}


def public_names(body: list[ast.stmt], owner: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield the public functions and classes of a module, and the public methods of those classes."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            overload = any(isinstance(d, ast.Name) and d.id == "overload" for d in node.decorator_list)
            if not overload:
                yield f"{owner}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public_names(node.body, f"{node.name}.")


@BY_FILE
def test_public_names_are_documented(file: Path) -> None:
    """The module, and each public class, function and method, says what it is for."""
    module = tree(file)
    assert ast.get_docstring(module)
    assert [name for name, node in public_names(module.body) if not ast.get_docstring(node)] == []  # type: ignore[arg-type]


def test_a_class_shares_its_name_with_no_other() -> None:
    """One word for one thing: who reads "Progress" need not ask whose."""
    of_name: dict[str, list[str]] = {}
    for file in SOURCES:
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                of_name.setdefault(node.name, []).append(str(file.relative_to(REPOSITORY)))
    assert {name: files for name, files in of_name.items() if len(files) > 1} == {}


@BY_FILE
def test_nothing_prints(file: Path) -> None:
    """Libraries log; what the command line says goes through its own writer."""
    calls = [n for n in ast.walk(tree(file)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    assert [call.lineno for call in calls if call.func.id == "print"] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name", ["mmner_core", "mmner_core.config", "mmner_core.results", "mmner_core.data", "analysis"]
)
def test_importing_a_package_is_light(name: str) -> None:
    """Neither torch nor any other heavy library is loaded before it is needed."""
    heavy = {"torch", "transformers", "spacy", "lingua", "pandas", "plotly", "gradio", "timm", "open_clip", "sklearn"}
    program = f"import sys, {name}; print(*(set(sys.modules) & {heavy}))"
    output = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert output.stdout.split() == []
