"""Checks the offsets in an Arrow file, which has no checksums, before anything is read through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def check_offsets(rows: pa.RecordBatch | pa.Table) -> None:
    """Refuse rows whose offsets or indices point outside their data, where pyarrow would read and crash.

    Texts are looked at as bytes; that one is no UTF-8 is its own row's fault.

    Raises:
        pyarrow.ArrowInvalid: if one does.
    """
    for column in rows.columns:
        for chunk in getattr(column, "chunks", (column,)):
            chunk.view(_as_bytes(chunk.type)).validate(full=True)


def _as_bytes(kind: pa.DataType) -> pa.DataType:
    """Return a type with bytes in place of text, at any depth."""
    import pyarrow as pa

    if pa.types.is_string(kind):
        return pa.binary()
    if pa.types.is_large_string(kind):
        return pa.large_binary()
    if pa.types.is_string_view(kind):
        return pa.binary_view()
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_as_bytes(kind.value_type)))
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_as_bytes(kind.value_type)))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(kind.value_field.with_type(_as_bytes(kind.value_type)), kind.list_size)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_as_bytes(field.type)) for field in kind])
    if pa.types.is_dictionary(kind):
        return pa.dictionary(kind.index_type, _as_bytes(kind.value_type), kind.ordered)
    return kind
