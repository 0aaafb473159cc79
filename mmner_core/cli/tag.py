"""``tag``: finds the names in a text, or in every line of a JSONL file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmner_core.cli.options import Checkpoint, Convention, Json, Language, Overwrite, from_stream, to_stream
from mmner_core.cli.output import make_table, print_json, print_out
from mmner_core.errors import InputError
from mmner_core.runtime.repository import SHIPPED

if TYPE_CHECKING:
    from mmner_core.results import Prediction, TaggedEntity


def tag(
    text: Annotated[str | None, typer.Option(help="The text to tag.")] = None,
    image: Annotated[Path | None, typer.Option(help="The photo beside it.")] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--input",
            help='JSONL file: {"text", "image", "lang", "convention", "id"} on each line, all but text optional; what '
            "else a line holds goes into its result. - is standard input.",
            callback=from_stream,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="JSONL file to write, one result per input line. - is standard output.", callback=to_stream),
    ] = None,
    lang: Language = None,
    convention: Convention = None,
    checkpoint: Checkpoint = SHIPPED,
    json: Json = False,
    skip_bad: Annotated[
        bool,
        typer.Option(
            "--skip-bad",
            help="Set lines that cannot be tagged aside in OUTPUT.rejected.jsonl, beside a stream on standard error.",
        ),
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Find the names in a text (--text), with a photo (--image) or without, or in a JSONL file (--input, --output)."""
    if (text is None) == (source is None):
        raise InputError("Give either --text, for one text, or --input and --output, for a JSONL file.")
    if source is not None:
        if output is None:
            raise InputError("--input needs --output, the file that the results go to.")
        if image is not None:
            raise InputError('--image belongs to --text; in a JSONL file each line names its own "image".')
        from mmner_core.cli.tag_file import tag_file

        tag_file(checkpoint, source, output, lang=lang, convention=convention, skip_bad=skip_bad, overwrite=overwrite)
        return
    if output is not None or skip_bad:
        raise InputError("--output and --skip-bad belong to --input; the result of --text goes to standard output.")
    # One core finds out the language and loads the rules for its words while the other imports torch.
    with ThreadPoolExecutor(max_workers=1) as executor:
        executor.submit(_get_ready, text or "", lang)  # what is wrong with the text will be said when it is tagged
        from mmner_core.inference.tagger import Tagger

        tagger = Tagger.load(checkpoint, images=image is not None)  # without a photo, no image encoder is needed
    prediction = tagger.tag(text or "", image, lang, convention=convention, attention=False)
    if json:
        print_json(prediction.to_json())
    else:
        _print(prediction)


def _get_ready(text: str, lang: str | None) -> None:
    """Load the language detection, the tokenizer and the output in parallel with the model."""
    import rich.console
    import rich.table  # noqa: F401 (for later)

    from mmner_core.text.language import resolve_language
    from mmner_core.text.words import split_words

    language, _, _ = resolve_language(text, lang)
    split_words("", language)


def _print(prediction: Prediction) -> None:
    columns = ["Name", "Type", "Confidence", "Runner-up", "Characters"]
    if prediction.text_only_entities is not None:
        columns.append("Without photo")
    rows = [_row(entity)[: len(columns)] for entity in prediction.entities]
    how = "detected" if prediction.language_detected else "given"
    print_out(
        make_table(columns, rows, numbers_from=2) if rows else "No names found.",
        f"Language: {prediction.language} ({how})",
        *prediction.notes,
    )


def _row(entity: TaggedEntity) -> tuple[str, ...]:
    runner_up, alone = entity.runner_up, entity.without_image
    return (
        entity.text,
        entity.type,
        f"{entity.confidence:.2f}",
        f"{runner_up.type} {runner_up.confidence:.2f}",
        f"{entity.start}-{entity.end}",
        f"{alone.type} {alone.confidence:.2f}" if alone else "",
    )
