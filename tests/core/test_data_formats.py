"""What the readers make of clean, odd and hostile files, and where they say a problem is."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmner_core.data import FORMATS, Example, ReadReport, iter_examples, read_examples
from mmner_core.data.formats import Sentence
from mmner_core.data.text_files import BLOCK_BYTES, MAX_LINE_BYTES
from mmner_core.errors import InputError
from tests.told import refused

JORDAN = "IMGID:a\nI\tO\nlove\tO\nJordan\tB-LOC\n\n"


def parse(text: str, fmt: str = "mmnerd", report: ReadReport | None = None) -> list[Sentence]:
    """Read text as the lines of a file called data.txt."""
    return list(FORMATS[fmt].iter_sentences(text.split("\n"), "data.txt", report))


def read(folder: Path, content: bytes | str, **options: str) -> tuple[list[Example], ReadReport]:
    """Read a file with this content."""
    file = folder / "data.txt"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_examples(file, **options)


def test_mmnerd_sentence_has_words_tags_and_image() -> None:
    """The plain case, with the number of the first line."""
    assert parse("\n" + JORDAN) == [Sentence(("I", "love", "Jordan"), ("O", "O", "B-LOC"), "a", 2)]


def test_conll_takes_first_and_last_column() -> None:
    """Part of speech and chunk are skipped, document marks too, and counted."""
    report = ReadReport()
    text = "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nGermany NNP B-NP B-LOC\n"
    assert [(s.words, s.tags) for s in parse(text, "conll", report)] == [
        (("EU", "rejects"), ("B-ORG", "O")),
        (("Germany",), ("B-LOC",)),
    ]
    assert report.document_marks == 1


def test_conllu_drops_the_index_and_reads_the_image_comment() -> None:
    """WikiNEuRal's columns; comments are skipped except the one that names the image."""
    text = "# source = x\n# image_id = a b\n0\tRome\tB-LOC\n1\t#\tO\n\n# again\n0\tyes\tO\n"
    assert parse(text, "conllu") == [
        Sentence(("Rome", "#"), ("B-LOC", "O"), "a b", 1),
        Sentence(("yes",), ("O",), None, 6),
    ]


def test_conllu_without_index_is_refused() -> None:
    """A line that has lost its index is not guessed at."""
    with refused("data.txt:2", "index<TAB>word<TAB>tag"):
        parse("0\tRome\tB-LOC\nis\tO\n", "conllu")


@pytest.mark.parametrize(
    "word",
    [
        "\u200b",
        "\u00ad",
        "\ue000",
        "\u2028",
        "\x85",
        "\u00a0",
        "\u3000x",
        "a\u00a0b",
        "\ufeff",
        "New York",
        "\r",
        " ",
        "🏳️‍🌈",
        "IMGID:x",
    ],
)
def test_odd_words_are_kept_as_they_are(tmp_path: Path, word: str) -> None:
    """Invisible, private-use and exotic white-space characters are words like any other."""
    examples, _ = read(tmp_path, f"IMGID:a\n{word}\tO\nend\tB-PER\n")
    assert examples[0].words == (word, "end")


@pytest.mark.parametrize("image_id", ["a%2Fb", "a, b", "x\u00a0y", "16_05_02_503", "ü---é", "a#b?c", "a:b"])
def test_image_ids_are_kept_undecoded(image_id: str) -> None:
    """The example holds what the file says."""
    assert parse(f"IMGID:{image_id}\nx\tO\n")[0].image_id == image_id


def test_bom_crlf_and_missing_last_blank_line_change_nothing(tmp_path: Path) -> None:
    """A file saved on Windows reads as the plain one does."""
    plain = JORDAN + "yes\tO\n\n"
    windows = ("\ufeff" + plain.removesuffix("\n\n")).replace("\n", "\r\n")
    plain_examples, _ = read(tmp_path, plain)
    assert len(plain_examples) == 2
    assert read(tmp_path, windows)[0] == plain_examples
    assert read(tmp_path, windows + "\r")[0] == plain_examples


def test_spaces_for_tabs_are_accepted_and_counted() -> None:
    """Padding around the TAB is dropped; spaces in place of it are read and reported."""
    report = ReadReport()
    assert parse("a \tO\nb\t O \n c  B-PER\n \t \nd\tO\n", report=report) == [
        Sentence(("a", "b", "c"), ("O", "O", "B-PER"), None, 1),
        Sentence(("d",), ("O",), None, 5),
    ]
    assert report.space_separated == 1
    assert "1 lines with spaces for a TAB" in report.summary()


def test_orphan_inside_tags_are_repaired_and_counted() -> None:
    """I- after O and I- after another type begin an entity."""
    report = ReadReport()
    assert parse("a\tI-PER\nb\tI-PER\nc\tI-LOC\n", report=report)[0].tags == ("B-PER", "I-PER", "B-LOC")
    assert report.repaired_tags == 2
    assert "2 orphan I- tags read as B-" in report.summary()


def test_iob1_file_is_converted_and_named() -> None:
    """CoNLL files in IOB1 become IOB2, and the report says so instead of counting repairs."""
    report = ReadReport()
    text = "a I-PER\nb I-PER\nc B-PER\n\nd O\ne I-LOC\n"
    assert [s.tags for s in parse(text, "conll", report)] == [("B-PER", "I-PER", "B-PER"), ("O", "B-LOC")]
    assert (report.repaired_tags, report.iob1_files) == (0, ["data.txt"])
    assert "converted from IOB1" in report.summary()


def test_one_begin_tag_proves_iob2() -> None:
    """With a B- that IOB1 would not write, the orphan is an orphan."""
    report = ReadReport()
    parse("a B-PER\n\nb I-LOC\n", "conll", report)
    assert (report.repaired_tags, report.iob1_files) == (1, [])


def test_image_lines_without_words_are_counted(tmp_path: Path) -> None:
    """Nothing is dropped without being said."""
    examples, report = read(tmp_path, "IMGID:a\n\n" + JORDAN)
    assert (len(examples), report.empty_sentences) == (1, 1)
    assert "1 image lines without words skipped" in report.summary()


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        (JORDAN + "a\tO\nIMGID:b\nc\tO\n", 7, ["line 6"]),
        ("IMGID:a\nIMGID:b\nc\tO\n", 2, ["blank line"]),
        (JORDAN + "word\n", 6, ["'word'"]),
        (JORDAN + "word\t\n", 6, ["no tag"]),
        (JORDAN + "two words\n", 6, ["'words'"]),
        (JORDAN + "a\tX-PER\n", 6, ["'X-PER'"]),
        (JORDAN + "a\tB-\n", 6, ["'B-'"]),
        (JORDAN + "a\tO\tO\n", 6, [r"'O\tO'"]),
        (JORDAN + "a\tB-PER\u00a0\n", 6, ["not a tag"]),
        (JORDAN + "a\tB-PER LOC\n", 6, ["'B-PER LOC'"]),
        (JORDAN + "a\t" + "x" * 1000 + "\n", 6, ["not a tag"]),
    ],
)
def test_bad_line_is_named_by_file_and_line(tmp_path: Path, text: str, line: int, named: list[str]) -> None:
    """Each mistake gives one short sentence that says where."""
    with refused(f"data.txt:{line}", *named) as caught:
        read(tmp_path, text)
    assert len(str(caught.value).replace(str(tmp_path), "")) < 250


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", r"data\.txt: no sentences"),
        (b"\n\n \n", r"data\.txt: no sentences"),
        (b"\xef\xbb\xbf", r"data\.txt: no sentences"),
        (b"IMGID:a\n\nIMGID:b\n", r"data\.txt: no sentences"),
        (b"-DOCSTART- O\n\n", r"data\.txt: no sentences"),
        (JORDAN.encode() + b"caf\xe9\tO\n", r"data\.txt:6: .*0xe9"),
        (JORDAN.encode() + b"a\0b\tO\n", r"data\.txt:6: .*NUL"),
        ("IMGID:a\nx\tO\n".encode("utf-16"), r"data\.txt:1: .*(0xff|NUL)"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", r"data\.txt:\d: "),
        (b"hello\nworld\n", r"data\.txt:1: "),
        (b"x" * (BLOCK_BYTES + MAX_LINE_BYTES + 9), "1 MB"),
    ],
)
def test_file_that_is_no_data_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    """Empty, binary, wrongly encoded and untagged files are each told apart."""
    with pytest.raises(InputError, match=problem):
        read(tmp_path, content)


def test_line_numbers_hold_beyond_the_first_block(tmp_path: Path) -> None:
    """A bad byte far into a file is found at its own line."""
    lines = BLOCK_BYTES // 5 + 10
    with pytest.raises(InputError, match=rf"data\.txt:{lines + 1}: byte 0xff"):
        read(tmp_path, b"ab\tO\n" * lines + b"\xff\tO\n", fmt="mmnerd")


@pytest.mark.slow
def test_reading_is_a_stream(tmp_path: Path) -> None:
    """The first sentence is there before the rest of the file has been looked at."""
    file = tmp_path / "data.txt"
    file.write_bytes(JORDAN.encode() + b"\n" * (BLOCK_BYTES + 9) + b"\xff")
    stream = iter_examples(file)
    assert next(stream).words == ("I", "love", "Jordan")
    with pytest.raises(InputError, match="0xff"):
        next(stream)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("IMGID:3\n3\tO\nkm\tO\n", "mmnerd"),
        ("-DOCSTART-\tO\n\n3\tO\nBerlin\tB-LOC\n", "mmnerd"),
        ("IMGID:a\nx O\n", "mmnerd"),
        ("0\tRome\tB-LOC\n1\tis\tO\n", "conllu"),
        ("# text = x\n0\tRome\tB-LOC\n", "conllu"),
        ("Rome NNP B-LOC\n", "conll"),
        ("Rome O\n", "conll"),
        ("Rome\tNNP\tB-NP\tB-LOC\n", "conll"),
        ("3 CD I-NP O\nkm NN I-NP O\n", "conll"),
    ],
)
def test_format_is_told_by_content(tmp_path: Path, text: str, name: str) -> None:
    """The extension does not matter; reading with the format found equals reading with it given."""
    assert read(tmp_path, text)[0] == read(tmp_path, text, fmt=name)[0]
    others = [other for other in FORMATS if other != name]
    assert any(_reading(tmp_path, text, other) != read(tmp_path, text)[0] for other in others)


def _reading(folder: Path, text: str, fmt: str) -> list[Example] | None:
    try:
        return read(folder, text, fmt=fmt)[0]
    except InputError:
        return None


def test_unknown_format_lists_the_known_ones(tmp_path: Path) -> None:
    """A typo in the format's name is answered with the names there are."""
    with refused("'conl'", "auto", "mmnerd", "conll", "conllu"):
        read(tmp_path, JORDAN, fmt="conl")


@pytest.mark.parametrize("fmt", ["auto", *FORMATS])
@settings(deadline=None, max_examples=60)
@given(content=st.binary(max_size=80) | st.text("IMGD:-#BOPER01 \t\r\n\ufeff\u2028é", max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, fmt: str, content: bytes) -> None:
    """No file makes a reader fail in any way but an input error, and what is read has one tag per word."""
    folder = tmp_path_factory.getbasetemp()
    try:
        examples, report = read(folder, content, fmt=fmt)
    except InputError as error:
        assert "data.txt" in str(error)
        return
    assert report.sentences == len(examples) > 0
    for example in examples:
        assert example.tags is not None
        assert len(example.words) == len(example.tags) == len(example.lines) > 0
