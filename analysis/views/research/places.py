"""How the research tabs write the paths that a run or an error names: nothing above what a visitor may know of.

A path below the working folder, the folder of the run or that of its data is written from there; of any other, only
its name is. The server's own folders, and those of the machine that a run was made on, are nobody's business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from analysis.run.answers import Answers
from analysis.run.folder import CONDITIONS_KEPT, EvaluationRun

# An absolute path in a sentence, up to its last separator; what follows a letter or a colon is a ratio or an address.
_FOLDERS = re.compile(r"(?<![\w.:/<~-])/(?:[\w.@+~-]+/)+")


def told_places(run: EvaluationRun) -> EvaluationRun:
    """Return the run as the tabs show it: its sentences' places, its data and its commands without folders above."""
    roots = tuple(_roots(run))

    def written(path: str) -> str:
        return short_path(path, roots)

    return replace(run, written=written, _load=_shortened(run._load, written))


def short_path(path: str, roots: Iterable[str]) -> str:
    """Write a path from the first of the roots that it lies below, else its name alone; a relative one as it is."""
    if not path.startswith("/"):
        return path
    for root in roots:
        if path.startswith(f"{root}/") and len(path) > len(root) + 1:
            return path[len(root) + 1 :]
    return path.rstrip("/").rpartition("/")[2] or "."


def short_sentence(sentence: str, roots: Iterable[str]) -> str:
    """Write the paths of a sentence so."""
    for root in roots:
        sentence = sentence.replace(f"{root}/", "")
    return _FOLDERS.sub("", sentence)


def working_folder() -> str:
    """Return the folder that the server runs in."""
    return str(Path.cwd())


def _roots(run: EvaluationRun) -> Iterable[str]:
    yield working_folder()
    if run.folder is not None:
        yield from dict.fromkeys(map(str, (run.folder.absolute().parent, run.folder.resolve().parent)))
    data = run.provenance.get("data")
    for key in ("path", "images", "pairs"):
        named = data.get(key) if isinstance(data, dict) else None
        if isinstance(named, str) and named.startswith("/"):
            yield named.rstrip("/").rpartition("/")[0]


def _shortened(load: Callable[[str], Answers], written: Callable[[str], str]) -> Callable[[str], Answers]:
    def load_shortened(condition: str) -> Answers:
        answers = load(condition)
        places = answers.sentences["where"].astype(str)
        if not places.str.startswith("/").any():
            return answers
        return replace(answers, sentences=answers.sentences.assign(where=places.map(written)))

    return lru_cache(CONDITIONS_KEPT)(load_shortened)
