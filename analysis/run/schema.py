"""The predictions table of a run: one row per sentence and condition, as Arrow in memory and Parquet on disk.

===================== ================== ====================================================================
column                type               what it holds
===================== ================== ====================================================================
sentence_id           int32              the sentence, the same number under every condition
where                 string             ``path/file.txt:123``
language              string             "en", "fr", "de", "es", or "" where it is not known
source                string             where the text comes from (data set, file), "" where not known
kind                  string             pairing kind ("exact-entity", "irrelevant"...), "" where not known
words                 list<string>       W words
gold                  list<string>       W IOB2 tags as annotated
image_id              string             the image shown under this condition, "" for none
image_path            string             its file, "" for none
condition             string             "matched", "none", "shuffled", "blur-3", "lower_case"...
tags                  list<string>       W IOB2 tags as predicted
entities              list<struct>       *the predicted entities in order, with their exact CRF probabilities
gold_span_confidence  list<float>        *probability of each gold entity (span and type), in order
loss                  float              *CRF negative log-likelihood of the gold tags, nats per sentence
cosine                float              *cosine of text and image in the contrastive space; null without image
attention_entropy     list<float>        *per predicted entity: entropy of the attention over the photo, nats;
                                         null without image
shown_words           list<string>       optional: the words as the model read them under a condition that changes
                                         them, fewer than W where trailing ones were left out; null for ``words``
===================== ================== ====================================================================

Columns marked * need a model of this workbench; a run made from another system's output lacks them. A run of a user's
own model has those that it gives; its provenance says under "probability" what stands for that of the CRF. A sentence
that took no part in a condition has no row there. Orphan ``I-`` tags start an entity wherever entities are counted.

Version 2 added ``shown_words``; runs of version 1 are read as before.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mmner_core.errors import InputError

VERSION = 2

ENTITY = pa.struct(
    [
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("type", pa.string()),
        ("confidence", pa.float32()),
        ("runner_up_type", pa.string()),
        ("runner_up_confidence", pa.float32()),
    ]
)
_STRINGS = pa.list_(pa.string())
_FLOATS = pa.list_(pa.float32())
SCHEMA = pa.schema(
    [
        ("sentence_id", pa.int32()),
        ("where", pa.string()),
        ("language", pa.string()),
        ("source", pa.string()),
        ("kind", pa.string()),
        ("words", _STRINGS),
        ("gold", _STRINGS),
        ("image_id", pa.string()),
        ("image_path", pa.string()),
        ("condition", pa.string()),
        ("tags", _STRINGS),
        ("entities", pa.list_(ENTITY)),
        ("gold_span_confidence", _FLOATS),
        ("loss", pa.float32()),
        ("cosine", pa.float32()),
        ("attention_entropy", _FLOATS),
        ("shown_words", _STRINGS),
    ]
)
MODEL_COLUMNS = ("entities", "gold_span_confidence", "loss", "cosine", "attention_entropy")
SHOWN_WORDS = "shown_words"
COLUMNS = tuple(name for name in SCHEMA.names if name not in (*MODEL_COLUMNS, SHOWN_WORDS))
SENTENCE_COLUMNS = ("sentence_id", "where", "language", "source", "kind", "image_id", "image_path")


def checked(table: pa.Table, where: str) -> pa.Table:
    """Return the table with the schema's columns and types, in its order; other columns are left out.

    Args:
        table: rows from a file or from a tagger.
        where: what the error message calls it, usually the file.

    Raises:
        InputError: if a column is missing or has another type, a cell is empty that must not be, lists that belong
            together differ in length, or a sentence occurs twice under one condition.
    """
    if missing := [name for name in COLUMNS if name not in table.column_names]:
        raise InputError(f"{where}: the predictions table lacks the column {missing[0]!r}; write the run anew.")
    fields = [field for field in SCHEMA if field.name in table.column_names]
    table = pa.table([_cast(table[field.name], field, where) for field in fields], schema=pa.schema(fields))
    for name in COLUMNS:
        column = table[name]
        inner = column.combine_chunks().flatten() if pa.types.is_list(column.type) else column
        if column.null_count or inner.null_count:
            raise InputError(f"{where}: column {name!r} has an empty cell; only optional columns may.")
    _check_lengths(table, where)
    _check_unique(table, where)
    return table


def _cast(column: pa.ChunkedArray, field: pa.Field, where: str) -> pa.ChunkedArray:
    try:
        return column.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"{where}: column {field.name!r} has type {column.type}, which does not fit {field.type}; "
            "write the run anew."
        ) from error


def _check_lengths(table: pa.Table, where: str) -> None:
    n_words = pc.list_value_length(table["words"]).to_numpy()
    for name in ("gold", "tags"):
        n_tags = pc.list_value_length(table[name]).to_numpy()
        if len(wrong := np.flatnonzero(n_words != n_tags)):
            row = int(wrong[0])
            raise InputError(
                f"{where}: {_name(table, row)} has {n_words[row]} words and {n_tags[row]} entries in {name!r}; "
                "write the run anew."
            )


def _check_unique(table: pa.Table, where: str) -> None:
    keys = table.group_by(["condition", "sentence_id"]).aggregate([([], "count_all")])
    if (repeated := keys.filter(pc.greater(keys["count_all"], 1))).num_rows:
        first = repeated.slice(0, 1).to_pylist()[0]
        raise InputError(
            f"{where}: sentence {first['sentence_id']} occurs {first['count_all']} times under condition "
            f"{first['condition']!r}; each sentence has one row per condition."
        )


def _name(table: pa.Table, row: int) -> str:
    return f"sentence {table['sentence_id'][row].as_py()} (condition {table['condition'][row].as_py()!r})"
