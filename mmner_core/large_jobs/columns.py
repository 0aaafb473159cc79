"""The known columns of a table: their names and types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mmner_core.errors import InputError, listed

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("id", "text", "words", "image", "lang", "convention")
ALIASES = {"tokens": "words", "language": "lang"}
"""Names that data sets on the Hugging Face hub have for the same."""


def known_columns(names: Iterable[str], where: str) -> dict[str, str]:
    """Return, for each column that is read, its name in the file.

    Raises:
        InputError: if there is neither text nor words, or two names for the same column.
    """
    found: dict[str, str] = {}
    for name in names:
        column = ALIASES.get(name, name)
        if column in COLUMNS:
            if column in found:
                raise InputError(f"{where} has both {found[column]!r} and {name!r}; rename one of them.")
            found[column] = name
    if not {"text", "words"} & found.keys():
        raise InputError(
            f"{where} has no column text or words (its columns: {listed(names)}); "
            "rename the one that holds the sentences."
        )
    return found


def handed_columns(schema: pa.Schema, read: Iterable[str]) -> list[str]:
    """Return the columns that are copied to the output unread: all others except those that JSON cannot hold."""
    read = set(read)
    return [field.name for field in schema if field.name not in read and _fits_json(field.type)]


def _fits_json(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return _fits_json(kind.value_type)
    if pa.types.is_nested(kind) and not pa.types.is_union(kind):
        return all(_fits_json(kind.field(i).type) for i in range(kind.num_fields))
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return text or pa.types.is_null(kind) or (pa.types.is_primitive(kind) or pa.types.is_decimal(kind))


def check_types(schema: pa.Schema, found: dict[str, str], where: str) -> None:
    """Check the types of a table's columns before any row is read.

    Raises:
        InputError: naming the column, its type and what it should be.
    """
    import pyarrow as pa

    def is_text(kind: pa.DataType) -> bool:
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)

    def is_list(kind: pa.DataType) -> bool:
        return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)

    def is_bytes(kind: pa.DataType) -> bool:
        return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)

    def is_image(kind: pa.DataType) -> bool:
        embedded = pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0
        return embedded or is_text(kind) or is_bytes(kind)

    expected = {
        "id": ("text or whole numbers", lambda kind: is_text(kind) or pa.types.is_integer(kind)),
        "words": ("lists of text", lambda kind: is_list(kind) and is_text(kind.value_type)),
        "image": ("paths, bytes, or structs of bytes and path", is_image),
    }
    for column, name in found.items():
        kind = schema.field(name).type
        what, fits = expected.get(column, ("text", is_text))
        if not fits(kind) and not pa.types.is_null(kind):
            raise InputError(f"{where}: the column {name!r} holds {kind}; it should hold {what}.")
