"""The data file of a run with the corrected gold tags, for download: in its own format where possible.

The source is read again if it still exists. It is given out whole only if the run has every one of its sentences, since
whoever has the run knows these words anyway. For any other file, for Parquet and for missing sources, the run's own
sentences are written as CoNLL.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.run.corrections import Corrections
from mmner_core.data import FORMATS, Example
from mmner_core.data.retag import DataFileContent
from mmner_core.data.type_names import TypeNames
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.answers import Answers
    from analysis.run.folder import EvaluationRun

MAX_BYTES = 100_000_000
"""Of a source that is read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedFile:
    """A file to download.

    Attributes:
        name: of the file.
        text: its content.
        own_format: whether it is the source with other tags, or the run's sentences as CoNLL.
    """

    name: str
    text: str
    own_format: bool


def corrected_sources(run: EvaluationRun, corrections: Corrections) -> dict[str, int]:
    """Return the sources that have corrected sentences, as the run names them, and how many."""
    found: Counter[str] = Counter()
    answers = run.answers()
    for number, where in zip(answers.sentences["sentence_id"].tolist(), _places(answers), strict=True):
        if number in corrections.of:
            found[where.rpartition(":")[0]] += 1
    return dict(found)


def corrected_file(run: EvaluationRun, corrections: Corrections, source: str) -> CorrectedFile:
    """Write one source with its corrections.

    Args:
        run: whose gold tags were corrected.
        corrections: of the run.
        source: a key of :func:`corrected_sources`.

    Raises:
        InputError: if a sentence cannot be written as CoNLL either.
    """
    answers = run.answers()
    ids = answers.sentences["sentence_id"].tolist()
    rows = [row for row, where in enumerate(_places(answers)) if where.rpartition(":")[0] == source]
    path = Path(source)
    stem = path.stem or "sentences"
    try:
        content = _read_again(path, answers, rows)
        tags = {_line_of(answers, row): corrections.of[ids[row]].tags for row in rows if ids[row] in corrections.of}
        text = content.retagged(tags, TypeNames(_renamed_types(run.provenance)))
        return CorrectedFile(name=f"{stem}.corrected{path.suffix}", text=text, own_format=True)
    except InputError:
        gold = corrections.apply(answers).table["gold"]
        examples = [
            Example(words=tuple(answers.words_of(row)), tags=tuple(gold[row].as_py()), where=f"sentence {ids[row]}")
            for row in rows
        ]
        text = "".join(map(FORMATS["conll"].format_sentence, examples))
        return CorrectedFile(name=f"{stem}.corrected.conll", text=text, own_format=False)


def _read_again(path: Path, answers: Answers, rows: list[int]) -> DataFileContent:
    """Read a source that holds exactly the sentences that the run has of it.

    Raises:
        InputError: if it is gone, too large, of another kind, or holds others.
    """
    if "\0" in str(path) or not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path} cannot be read again.")
    content = DataFileContent.read(path)
    known = {_line_of(answers, row): tuple(answers.words_of(row)) for row in rows}
    if {line: sentence.words for line, sentence in content.sentences.items()} != known:
        raise InputError(f"{path} holds other sentences than the run.")
    return content


def _renamed_types(provenance: dict[str, Any]) -> dict[str, str]:
    """Return what types of the data were renamed when the run was made."""
    for part in ("data", "model"):
        facts = provenance.get(part)
        names = facts.get("map") if isinstance(facts, dict) else None
        if isinstance(names, dict):
            return {str(old): str(new) for old, new in names.items()}
    return {}


def _places(answers: Answers) -> list[str]:
    return answers.table["where"].to_pylist()  # as written, which the tabs show shortened


def _line_of(answers: Answers, row: int) -> int:
    line = answers.table["where"][row].as_py().rpartition(":")[2]
    return int(line) if line.isdecimal() and len(line) < 10 else 0
