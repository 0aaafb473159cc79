"""One system's answers to S sentences under one image condition, in columns: the input of every analysis.

Alphabet: S sentences, N gold or predicted entities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.run.schema import SENTENCE_COLUMNS, SHOWN_WORDS, checked
from analysis.run.spans import Spans, read_spans
from mmner_core.errors import InputError


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Answers:
    """Sentences, gold entities and predicted entities, with the model's numbers for each where it gave some.

    Attributes:
        table: the rows this was read from, see :mod:`analysis.run.schema`.
        sentences: [S] the columns of ``SENTENCE_COLUMNS`` and ``n_words``.
        words: the words of all sentences in one array.
        gold, predicted: the entities, sharing types.
        confidence: [N predicted] probability of each predicted entity; None where the run has no model columns.
        runner_up: [N predicted] the second type for the same span, and
        runner_up_confidence: [N predicted] its probability; None as above.
        gold_confidence: [N gold] probability the model gives each gold entity; None as above.
        attention_entropy: [N predicted] nats, NaN without image; None as above.
        loss: [S] CRF negative log-likelihood of the gold tags in nats; None as above.
        cosine: [S] image-text cosine, NaN without image; None as above.
    """

    table: pa.Table
    sentences: pd.DataFrame
    words: np.ndarray
    gold: Spans
    predicted: Spans
    confidence: np.ndarray | None
    runner_up: np.ndarray | None
    runner_up_confidence: np.ndarray | None
    gold_confidence: np.ndarray | None
    attention_entropy: np.ndarray | None
    loss: np.ndarray | None
    cosine: np.ndarray | None

    def __len__(self) -> int:
        return len(self.sentences)

    @classmethod
    def from_table(cls, table: pa.Table, where: str = "predictions") -> Answers:
        """Read the rows of one condition.

        Raises:
            InputError: if the table breaks the schema, holds several conditions, or its model columns do not fit
                its tags.
        """
        table = checked(table, where).combine_chunks()
        if len(conditions := pc.unique(table["condition"])) > 1:
            raise InputError(f"{where}: one image condition was expected, found {conditions.to_pylist()}.")
        try:
            gold, predicted = read_spans(table["gold"], table["tags"])
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        sentences = table.select(SENTENCE_COLUMNS).to_pandas()
        sentences["n_words"] = gold.n_words
        entities = _entities(table, predicted, where)
        return cls(
            table=table,
            sentences=sentences,
            words=_flat(table["words"]).to_numpy(zero_copy_only=False),
            gold=gold,
            predicted=predicted,
            confidence=_floats(entities, "confidence"),
            runner_up=entities["runner_up_type"].to_numpy() if entities is not None else None,
            runner_up_confidence=_floats(entities, "runner_up_confidence"),
            gold_confidence=_per_entity(table, "gold_span_confidence", gold, where),
            attention_entropy=_per_entity(table, "attention_entropy", predicted, where),
            loss=_per_sentence(table, "loss"),
            cosine=_per_sentence(table, "cosine"),
        )

    @property
    def condition(self) -> str:
        """Return the image condition; empty where there is no sentence."""
        return self.table["condition"][0].as_py() if len(self) else ""

    @property
    def languages(self) -> np.ndarray:
        """Return [S] the languages."""
        return self.sentences["language"].to_numpy(dtype=object)

    def take(self, rows: np.ndarray) -> Answers:
        """Keep the sentences that ``rows`` (a mask or row numbers) names, in that order."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        return Answers.from_table(self.table.take(pa.array(rows, type=pa.int64())))

    def words_of(self, row: int) -> list[str]:
        """Return the words of the sentence in row ``row``."""
        return self.table["words"][row].as_py()

    def shown_words_of(self, row: int) -> list[str]:
        """Return the words of a sentence as the model read them, which a condition may have changed."""
        shown = self.table[SHOWN_WORDS][row].as_py() if SHOWN_WORDS in self.table.column_names else None
        return self.words_of(row) if shown is None else shown

    def changed(self) -> np.ndarray:
        """Return [S] whether the model read words other than the sentence's."""
        if SHOWN_WORDS not in self.table.column_names:
            return np.zeros(len(self), dtype=bool)
        pairs = zip(self.table[SHOWN_WORDS].to_pylist(), self.table["words"].to_pylist(), strict=True)
        return np.array([shown is not None and shown != words for shown, words in pairs], dtype=bool)

    def texts(self) -> list[str]:
        """Return [S] the sentences, words joined by one space."""
        return pc.binary_join(self.table["words"], " ").to_pylist()

    def require(self, field: str) -> np.ndarray:
        """Return a model column.

        Raises:
            InputError: if this run has none, being made from another system's output or from a model that gives none.
        """
        values = getattr(self, field)
        if values is None:
            raise InputError(
                f"This run holds no {field.replace('_', ' ')}: what it was made from gave none. "
                "Write a run from a checkpoint, or of a model that gives it, to see this view."
            )
        return values


def _entities(table: pa.Table, predicted: Spans, where: str) -> pd.DataFrame | None:
    if "entities" not in table.column_names or table["entities"].null_count:
        return None
    entities = _flat(table["entities"])
    frame = pd.DataFrame({field.name: pc.struct_field(entities, field.name).to_pandas() for field in entities.type})
    columns = (("start", predicted.start), ("end", predicted.end), ("type", predicted.type_names()))
    if len(frame) != len(predicted) or any((frame[name].to_numpy() != spans).any() for name, spans in columns):
        raise InputError(f"{where}: the column 'entities' does not hold the entities of 'tags'; write the run anew.")
    for name in ("confidence", "runner_up_confidence"):
        _check_probabilities(frame[name].to_numpy(), name, where)
    return frame


def _per_entity(table: pa.Table, name: str, spans: Spans, where: str) -> np.ndarray | None:
    """Read one float per entity; NaN for the entities of a sentence whose cell is null."""
    if name not in table.column_names or (table.num_rows and table[name].null_count == table.num_rows):
        return None
    sizes = np.bincount(spans.sentence, minlength=spans.n_sentences)
    lengths = pc.list_value_length(table[name]).to_pandas().to_numpy(dtype=float)
    if len(wrong := np.flatnonzero(~np.isnan(lengths) & (lengths != sizes))):
        row = int(wrong[0])
        raise InputError(
            f"{where}: sentence {table['sentence_id'][row].as_py()} has {sizes[row]} entities and {lengths[row]:.0f} "
            f"entries in {name!r}; write the run anew."
        )
    values = np.full(len(spans), np.nan)
    values[~np.isnan(lengths)[spans.sentence]] = _flat(table[name]).to_numpy(zero_copy_only=False)
    if name == "gold_span_confidence":
        _check_probabilities(values, name, where)
    return values


def _per_sentence(table: pa.Table, name: str) -> np.ndarray | None:
    if name not in table.column_names or (table.num_rows and table[name].null_count == table.num_rows):
        return None
    return table[name].to_pandas().to_numpy(dtype=float)


def _check_probabilities(values: np.ndarray, name: str, where: str) -> None:
    # Rounding may leave a probability a hair above 1; NaN fails both comparisons and is caught as well.
    if not ((values >= 0) & (values <= 1 + 1e-4)).all():
        bad = values[~((values >= 0) & (values <= 1 + 1e-4))][0]
        raise InputError(f"{where}: {name!r} holds {bad}, which is no probability; write the run anew.")


def _floats(frame: pd.DataFrame | None, name: str) -> np.ndarray | None:
    return None if frame is None else np.minimum(frame[name].to_numpy(dtype=float), 1.0)


def _flat(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks().flatten()
