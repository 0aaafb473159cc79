"""The tokenizer of a model folder, read without transformers where its files say all there is to know."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmner_core.errors import InputError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_SPECIAL = ("cls_token", "bos_token", "sep_token", "eos_token", "pad_token", "unk_token")
_FILES = ("special_tokens_map.json", "tokenizer_config.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class FastTokenizer:
    """A tokenizer and the ids of its special tokens, under the names that transformers uses."""

    backend_tokenizer: Tokenizer
    pad_token_id: int
    unk_token_id: int
    cls_token_id: int | None = None
    bos_token_id: int | None = None
    sep_token_id: int | None = None
    eos_token_id: int | None = None


def load_tokenizer(folder: str | Path) -> Any:
    """Load the fast tokenizer of a model folder, or of a hub name.

    Raises:
        InputError: if there is none, or its file is damaged.
    """
    file = Path(folder) / "tokenizer.json"
    if file.is_file() and (tokenizer := _read(file)) is not None:
        return tokenizer
    return _load_by_transformers(folder)


def _read(file: Path) -> FastTokenizer | None:
    """Read ``tokenizer.json``; None where the special tokens are known only to transformers' class for it."""
    from tokenizers import Tokenizer

    try:
        backend = Tokenizer.from_str(file.read_text(encoding="utf-8"))
    except Exception as error:  # tokenizers raises nothing more precise
        raise InputError(f"{file} is damaged: it is not the file of a tokenizer.") from error
    backend.no_truncation()
    backend.no_padding()
    ids: dict[str, Any] = {f"{n}_id": backend.token_to_id(t) for n, t in _special_tokens(file.parent).items()}
    first = ids.get("cls_token_id", ids.get("bos_token_id"))
    last = ids.get("sep_token_id", ids.get("eos_token_id"))
    if None in (first, last, ids.get("pad_token_id"), ids.get("unk_token_id")):
        return None
    return FastTokenizer(backend_tokenizer=backend, **ids)


def _special_tokens(folder: Path) -> dict[str, str]:
    tokens: dict[str, str] = {}
    for name in _FILES:
        if (folder / name).is_file():
            try:
                record = json.loads((folder / name).read_text(encoding="utf-8"))
            except (ValueError, RecursionError) as error:
                raise InputError(f"{folder / name} is not readable JSON; the checkpoint is damaged.") from error
            for special in _SPECIAL:
                token = record.get(special) if isinstance(record, dict) else None
                token = token.get("content") if isinstance(token, dict) else token
                if token and not isinstance(token, str):
                    raise InputError(f"{folder / name}: {special} is {type(token).__name__}, not text.")
                if token:
                    tokens.setdefault(special, token)
    return tokens


def _load_by_transformers(folder: str | Path) -> Any:
    from mmner_core.encoders.libraries import prepare_libraries

    prepare_libraries()
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # of transformers, for files that are not what their names say
        raise InputError(
            f"The tokenizer {str(folder)!r} is neither in a local folder nor to be had from the Hugging Face hub; "
            "give the path of a folder with tokenizer.json."
        ) from error
