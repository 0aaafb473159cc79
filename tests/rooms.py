"""Show the plan of the house: each package's rooms, the imports between them, the lines of each folder.

Run as ``python -m tests.rooms``. A room is a folder or module right below ``mmner_core`` or ``analysis``; an arrow
stands for all imports of one room by another, wherever in a file they are, except those for type checkers alone.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PLAN = {
    "mmner_core": (
        *("errors results", "labels runtime", "config", "presets encoders", "text", "photos network"),
        *("data checkpoints", "inference", "evaluation large_jobs serving", "training"),
        *("cli", "__main__"),
    ),
    "analysis": (
        *("run palette own_model", "conditions adapters", "scores", "image_effect heat_maps space"),
        *("evaluation figures jobs", "panels"),
        *("report views", "experiment", "cli", "__main__"),
    ),
}
"""The floors of each package from the ground up: rooms import from floors below their own."""
OTHER_SOURCES = (".css", ".js", ".j2", ".html")


def tree(file: Path) -> ast.Module:
    """Parse a file."""
    return ast.parse(file.read_text(encoding="utf-8"))


class WithoutTypes(ast.NodeTransformer):
    """Leaves out what only a type checker reads."""

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:  # noqa: N802 (ast's name for it)
        """Drop what ``if TYPE_CHECKING:`` is about."""
        return node.orelse if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" else node


def modules(package: str) -> dict[str, Path]:
    """Return the dotted names of a package's modules, and their files."""
    files = sorted((REPOSITORY / package).glob("**/*.py"))
    return {
        ".".join(file.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__"): file for file in files
    }


def import_statements(file: Path, *, types: bool = True) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports anywhere in a file; ``types``: also those for annotations."""
    for node in ast.walk(tree(file) if types else WithoutTypes().visit(tree(file))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def imports(file: Path, *, types: bool = True) -> set[str]:
    """Return the top-level packages that a file imports; ``types``: also those for annotations."""
    found = set()
    for node in import_statements(file, types=types):
        if isinstance(node, ast.Import):
            found.update(alias.name.split(".")[0] for alias in node.names)
        else:
            assert node.module is not None and not node.level, f"{file}:{node.lineno}: relative import"
            found.add(node.module.split(".")[0])
    return found


def imported_modules(file: Path, known: Collection[str], *, types: bool = True) -> set[str]:
    """Return which of the known modules a file imports; ``types``: also those for annotations."""
    found: set[str] = set()
    for node in import_statements(file, types=types):
        names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            dotted = (f"{node.module}.{name}" for name in names)
            names = [name if name in known else node.module or "" for name in dotted]
        found.update(names)
    return found.intersection(known)


def room_of(module: str) -> str:
    """Return the room that a module lies in, empty for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def arrows(package: str) -> Counter[tuple[str, str]]:
    """Count the imports from one room of a package to another."""
    known = modules(package)
    found = Counter(
        (room_of(module), room_of(other))
        for module, file in known.items()
        for other in imported_modules(file, known, types=False)
    )
    return Counter({(here, there): n for (here, there), n in found.items() if here != there})


def lines(files: Iterable[Path]) -> int:
    """Count the lines of some files."""
    return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)


def line_counts(folder: Path) -> tuple[int, int]:
    """Return the lines of Python in a folder or file, and those of style sheets, scripts and templates."""
    files = [folder] if folder.is_file() else [file for file in sorted(folder.glob("**/*")) if file.is_file()]
    return lines(f for f in files if f.suffix == ".py"), lines(f for f in files if f.suffix in OTHER_SOURCES)


def describe(package: str) -> Iterator[str]:
    """Yield the plan of one package, a line for each room."""
    found = arrows(package)
    by_floor = [room for floor in PLAN[package] for room in floor.split()]
    rooms = sorted({room_of(module) for module in modules(package)} - {""}, key=by_floor.index)
    yield f"{package}: {len(rooms)} rooms, {len(found)} arrows for {sum(found.values())} imports"
    for room in rooms:
        folder = REPOSITORY / package / room
        python, other = line_counts(folder if folder.is_dir() else folder.with_suffix(".py"))
        targets = sorted((there for here, there in found if here == room), key=by_floor.index)
        imports = ", ".join(f"{there} {found[room, there]}" for there in targets)
        beside, arrow = f"+{other:,}" if other else "", f"-> {imports}" if imports else ""
        yield f"  {room:<13} {python:>6,} {beside:>6}  {arrow}".rstrip()


def describe_lines() -> Iterator[str]:
    """Yield the lines of Python of the product and of the tests, and of each part of them."""
    tests = REPOSITORY / "tests"
    parts = {
        "product": [REPOSITORY / "app.py", *(REPOSITORY / package for package in PLAN)],
        "tests": [*sorted(f for f in tests.iterdir() if f.is_dir() and f.name != "__pycache__"), *tests.glob("*.py")],
    }
    for name, folders in parts.items():
        counts = {str(folder.relative_to(REPOSITORY)): line_counts(folder) for folder in folders}
        python, other = (sum(column) for column in zip(*counts.values(), strict=True))
        yield f"{name}: {python:,} lines of Python, {other:,} of style sheets, scripts and templates"
        for folder, (python, other) in counts.items():
            beside = f"+{other:,}" if other else ""
            yield f"  {folder:<28} {python:>6,} {beside:>6}".rstrip()


def main() -> None:
    """Write the plan to standard output."""
    for text in (*(line for package in PLAN for line in describe(package)), *describe_lines()):
        sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
