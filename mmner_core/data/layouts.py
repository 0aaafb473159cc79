"""Find the data files of a folder: which file holds which language and split, and where its images are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mmner_core.data.example import SPLITS, split_of
from mmner_core.data.hub import find_splits, is_dataset
from mmner_core.errors import InputError
from mmner_core.text.language_names import LANGUAGES

_SPLIT_FILE = re.compile(r"(train|valid|val|dev|test)(?:_conll_format)?\.(?:txt|conll|conllu|bio|tsv)")
_ALL_LANGUAGES = "all_lang"
_LANGUAGE_FOLDER = re.compile(rf"(?:train_valid_test_)?({'|'.join((*LANGUAGES, _ALL_LANGUAGES))})")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A file of sentences with its language and split (None where unknown) and its image folder (None: none).

    ``part`` names a split of a Hugging Face data set, of which ``path`` is then the folder or Parquet file.
    """

    path: Path
    language: str | None
    split: str | None
    images: Path | None
    part: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataLayout:
    """The files found, and one sentence on each thing that was left out."""

    files: tuple[DataFile, ...]
    notes: tuple[str, ...] = ()


def find_files(
    path: str | Path,
    *,
    images: str | Path | None = None,
    language: str | None = None,
    split: str | None = None,
) -> DataLayout:
    """Find the data files under ``path``.

    ``path`` is a file, a folder with one file per split (``train.txt`` or ``train_conll_format.txt``...), or a
    folder of such folders named by language (``en`` or ``train_valid_test_en``...). ``language`` chooses among
    language folders and names the language where no folder does; ``split`` chooses among files. Images are
    looked for in ``images``, else in a folder ``images`` beside the files or beside their language folder.

    Raises:
        InputError: if nothing is found, or not the language or split asked for.
    """
    path = Path(path)
    _check_choice("language", language, LANGUAGES)
    split = split_of(split) if split else None
    _check_choice("split", split, SPLITS)
    folder = Path(images) if images is not None else None
    if folder is not None and not folder.is_dir():
        raise InputError(f"{folder} is not a folder; --images names the folder that holds the images.")
    if is_dataset(path):
        return _of_dataset(path, folder, language, split)
    if path.is_dir():
        return _search(path, folder, language, split)
    if not path.exists():
        raise InputError(f"{path} does not exist.")
    return DataLayout(files=(_single_file(path, folder, language, split),))


def _of_dataset(path: Path, images: Path | None, language: str | None, split: str | None) -> DataLayout:
    """Choose among the splits of a Hugging Face data set."""
    parts = find_splits(path)
    chosen = [
        part
        for part in parts
        if (split in (None, part.split) or len(parts) == 1 and part.split is None)
        and (language is None or part.language in (None, language))
    ]
    if not chosen:
        wanted = " ".join(filter(None, (language, split)))
        raise InputError(
            f"{path} has no split for {wanted}; it has {', '.join(part.name for part in parts) or 'none'}."
        )
    home = images or _images_beside(path.absolute() if path.is_dir() else path.absolute().parent)
    return DataLayout(
        files=tuple(
            DataFile(path=path, language=part.language or language, split=part.split, images=home, part=part.name)
            for part in chosen
        )
    )


def _check_choice(what: str, value: str | None, choices: tuple[str, ...]) -> None:
    if value is not None and value not in choices:
        raise InputError(f"There is no {what} {value!r}; choose {', '.join(choices)}.")


def _single_file(path: Path, images: Path | None, language: str | None, split: str | None) -> DataFile:
    named = _split_of_file(path.name)
    if split and named and named != split:
        raise InputError(f"{path} is the {named} split, not {split}.")
    return DataFile(
        path=path,
        language=language or _language_of(path.absolute().parent),
        split=split or named,
        images=images or _images_beside(path.absolute().parent),
    )


def _search(root: Path, images: Path | None, language: str | None, split: str | None) -> DataLayout:
    folders, notes = _language_folders(root, language)
    files: list[DataFile] = []
    for folder in folders:
        found = _split_files(folder)
        chosen = {name: file for name, file in found.items() if split in (None, name)}
        if found and not chosen:
            notes.append(f"{folder} has no {split} split and was left out.")
        home = images or _images_beside(folder.absolute())
        spoken = _language_of(folder.absolute()) or language
        files += [DataFile(path=file, language=spoken, split=name, images=home) for name, file in chosen.items()]
    if not files:
        raise InputError(_nothing_found(root, folders, split))
    return DataLayout(files=tuple(files), notes=tuple(notes))


def _language_folders(root: Path, language: str | None) -> tuple[list[Path], list[str]]:
    """Return the folders to look into: ``root`` itself, or its language folders, the chosen one only."""
    own = _language_of(root.absolute())
    if own and language and own != language:
        raise InputError(f"{root} holds {own}, not {language}.")
    if _split_files(root):
        return [root], []
    by_language: dict[str, Path] = {}
    for folder in _subfolders(root):
        if (match := _LANGUAGE_FOLDER.fullmatch(folder.name)) and _split_files(folder):
            if match[1] in by_language:
                raise InputError(f"{root} has two folders for {match[1]}: {by_language[match[1]].name}, {folder.name}.")
            by_language[match[1]] = folder
    notes = []
    union = by_language.pop(_ALL_LANGUAGES, None)
    if union is not None and by_language:
        notes.append(f"{union} was left out: it repeats the folders of the single languages.")
    elif union is not None and language is None:
        return [union], notes
    if language is not None and by_language and language not in by_language:
        raise InputError(f"{root} has no folder for {language}; it has {', '.join(sorted(by_language))}.")
    order = [code for code in LANGUAGES if code in by_language and language in (None, code)]
    return [by_language[code] for code in order], notes


def _split_files(folder: Path) -> dict[str, Path]:
    """Return the file of each split in ``folder``, in the order train, valid, test."""
    found: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        if (split := _split_of_file(file.name)) and file.is_file():
            if split in found:
                raise InputError(f"{folder} has two files for {split}: {found[split].name} and {file.name}.")
            found[split] = file
    return {split: found[split] for split in SPLITS if split in found}


def _split_of_file(name: str) -> str | None:
    match = _SPLIT_FILE.fullmatch(name)
    return split_of(match[1]) if match else None


def _language_of(folder: Path) -> str | None:
    match = _LANGUAGE_FOLDER.fullmatch(folder.name)
    return match[1] if match and match[1] != _ALL_LANGUAGES else None


def is_language_folder(folder: Path) -> bool:
    """Say whether a folder is named after a language, or after all of them, and not after a data set."""
    return _LANGUAGE_FOLDER.fullmatch(folder.name) is not None


def _images_beside(folder: Path) -> Path | None:
    """Return ``images`` in the folder, or beside it where the folder is one of a language."""
    candidates = [folder / "images"]
    if is_language_folder(folder):
        candidates.append(folder.parent / "images")
    return next((candidate for candidate in candidates if candidate.is_dir()), None)


def _subfolders(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir())


def _nothing_found(root: Path, folders: list[Path], split: str | None) -> str:
    if any(_split_files(folder) for folder in folders):
        return f"{root} has no {split} split."
    inner = [
        folder.name
        for folder in _subfolders(root)
        if _split_files(folder) or any(is_language_folder(child) for child in _subfolders(folder))
    ]
    if inner:
        return f"{root} holds several data sets; choose one of {', '.join(inner)}."
    return (
        f"No data files in {root}; expected train.txt, valid.txt or test.txt (or train_conll_format.txt and so on), "
        f"in it or in folders named {', '.join(LANGUAGES)}."
    )
