"""Columns, marks and line ends as other programs write them: read for what they are, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mmner_core.data import FORMATS, Example, ReadReport, convert, read_examples, write_examples
from mmner_core.data.text_files import BLOCK_BYTES
from mmner_core.errors import InputError
from tests.told import names, refused

EU = (("EU", "rejects", "call"), ("B-ORG", "O", "O"))
PETER = (("Peter", "Blackwood"), ("B-PER", "I-PER"))


def read(folder: Path, text: str | bytes) -> tuple[list[tuple[Any, ...]], ReadReport]:
    """Return words and tags of a file with this content, and what was met on the way."""
    file = folder / "data.txt"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    examples, report = read_examples(file)
    return [(e.words, e.tags) for e in examples], report


def refusal(folder: Path, text: str) -> str:
    """Return the sentence that refuses a file, without the folder's name."""
    with pytest.raises(InputError) as error:
        read(folder, text)
    return str(error.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    "text",
    [
        "1 EU NNP I-NP B-ORG\n2 rejects VBZ I-VP O\n3 call NN I-NP O\n\n"
        "1 Peter NNP I-NP B-PER\n2 Blackwood NNP I-NP I-PER\n",
        "1\tEU\tNNP\tI-NP\tI-ORG\n2\trejects\tVBZ\tI-VP\tO\n3\tcall\tNN\tI-NP\tO\n\n"
        "1\tPeter\tNNP\tI-NP\tI-PER\n2\tBlackwood\tNNP\tI-NP\tI-PER\n",
        "0 EU B-ORG\n1 rejects O\n2 call O\n\n0 Peter B-PER\n1 Blackwood I-PER\n",
        "1 EU B-ORG\n2 rejects O\n3 call O\n\n4 Peter B-PER\n5 Blackwood I-PER\n",
        "17\tEU\tB-ORG\n18\trejects\tO\n19\tcall\tO\n\n20\tPeter\tB-PER\n21\tBlackwood\tI-PER\n",
        "#\thttp://example.org/x [2009-10-17]\n1\tEU\tB-ORG\tO\n2\trejects\tO\tO\n3\tcall\tO\tO\n\n"
        "# another\n1\tPeter\tB-PER\tO\n2\tBlackwood\tI-PER\tB-LOC\n",
        "# sent_id = 1\n# text = EU rejects call\n1\tEU\tB-ORG\t-\tann\n2\trejects\tO\t-\tann\n3\tcall\tO\t-\tann\n\n"
        "1\tPeter\tB-PER\t-\tann\n2\tBlackwood\tI-PER\t-\tann\n",
    ],
    ids=["spaces, last of five", "IOB1", "from 0", "through the file", "from 17", "GermEval", "Universal NER"],
)
def test_a_column_of_word_numbers_is_not_read_as_the_words(tmp_path: Path, text: str) -> None:
    """Rising integers before the words are their numbers, whatever other columns there are and what separates them."""
    assert read(tmp_path, text)[0] == [EU, PETER]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1996\tCD\tO\nEU\tNNP\tB-ORG\n", ("1996", "EU")),
        ("1 CD O\n2 CD O\nEU NNP B-ORG\n", ("1", "2", "EU")),
        ("1\tO\n2\tO\nEU\tB-ORG\n", ("1", "2", "EU")),
        ("1 CD O\n2 CD O\n\nEU NNP B-ORG\n", ("1", "2")),
    ],
)
def test_a_number_is_a_word_where_other_words_stand_in_its_column(
    tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    """One word that is no number tells that the column is that of the words."""
    assert read(tmp_path, text)[0][0][0] == words


@pytest.mark.parametrize(
    "text",
    [
        "1\tB-ORG\n2\tO\n\n1\tO\n",
        "3 EU B-ORG\n1 rejects O\n2 call O\n",
        "1996\tCD\tO\n1997\tCD\tO\n",
        "1.\tB-ORG\n1.5\tO\n\t O\n",
        "1 EU B-ORG\n2 call O\n1 Peter B-PER\n2 Blackwood I-PER\n",
    ],
)
def test_a_file_whose_words_are_all_numbers_is_refused(tmp_path: Path, text: str) -> None:
    """It is never scored in silence; the sentence says what the column must look like to be known."""
    assert names(refusal(tmp_path, text), "data.txt", "number")


def test_a_file_of_empty_words_is_refused(tmp_path: Path) -> None:
    """A first column that is filled once a sentence is none of words."""
    text = "Sentence: 1\tEU\tNNP\tB-ORG\n\trejects\tVBZ\tO\n\tcall\tNN\tO\n"
    assert names(refusal(tmp_path, text), "data.txt", "empty", "first column")


def test_a_column_of_sentence_names_is_refused(tmp_path: Path) -> None:
    """The same word again and again is none."""
    text = "s1 1 EU B-ORG\ns1 2 rejects O\ns1 3 call O\n\ns2 1 Peter B-PER\ns2 2 Blackwood I-PER\n"
    assert names(refusal(tmp_path, text), "data.txt", "the same", "first column")


@pytest.mark.parametrize("separator", [" ", "\t"])
@pytest.mark.parametrize("columns", ["{n} {word} {tag}", "{word} NN {tag}", "{n} {word} NN {tag}"])
def test_files_with_images_may_have_several_columns(tmp_path: Path, separator: str, columns: str) -> None:
    """A number or a part of speech does not become part of the word."""
    text = ""
    for name, (words, tags) in (("IMGID:a", EU), ("IMGID:b", PETER)):
        rows = (columns.format(n=n, word=w, tag=t) for n, (w, t) in enumerate(zip(words, tags, strict=True), 1))
        text += "\n".join([name, *(row.replace(" ", separator) for row in rows)]) + "\n\n"
    assert read(tmp_path, text)[0] == [EU, PETER]
    assert [e.image_id for e in read_examples(tmp_path / "data.txt")[0]] == ["a", "b"]


def test_a_space_in_a_word_needs_a_tab_behind_it(tmp_path: Path) -> None:
    """Without it nobody can tell a word from two columns."""
    told = refusal(tmp_path, "IMGID:a\nin O\nNew York B-LOC\n")
    assert names(told, "data.txt:3", "'New York B-LOC'", "word<TAB>tag")


def test_a_forgotten_blank_line_between_numbered_sentences_is_named(tmp_path: Path) -> None:
    """Numbers that begin anew inside a sentence, far into the file, are told with their line."""
    text = "1 EU B-ORG\n2 call O\n\n" * 800 + "1 Peter B-PER\n2 Blackwood I-PER\n1 EU B-ORG\n"
    assert names(refusal(tmp_path, text), "data.txt:2403", "number 1", "after 2", "line 2401", "blank line")


@pytest.mark.parametrize(
    ("text", "tags", "note"),
    [
        (
            "Bayern B-ORG B-LOC\nsiegt O O\n",
            ("B-ORG", "O"),
            "the columns 2 and 3 hold tags of names; column 2 was read.",
        ),
        ("Bayern B-ORG O\nsiegt O O\n", ("B-ORG", "O"), "the tags were read from column 2."),
        ("EU NNP B-ORG B-LOC\n", ("B-ORG",), "the columns 3 and 4 hold tags of names; column 3 was read."),
        ("Bayern I-NP B-ORG\nsiegt I-VP O\n", ("B-ORG", "O"), ""),
        ("Bayern B-NC O\nsiegt B-VC O\n", ("O", "O"), ""),
    ],
)
def test_of_two_tag_columns_the_first_of_names_is_read_and_said(
    tmp_path: Path, text: str, tags: tuple[str, ...], note: str
) -> None:
    """Outer before inner, gold before predicted; the tags of chunks are none of names."""
    [(_, read_tags)], report = read(tmp_path, text)
    assert read_tags == tags
    assert [n.rpartition("data.txt: ")[2] for n in report.notes] == ([note] if note else [])


@pytest.mark.parametrize("end", ["\r", "\r\n", "\r\r\n", "\n"], ids=repr)
def test_every_line_end_is_one(tmp_path: Path, end: str) -> None:
    """Old Mac, Windows, Windows twice over and Unix files read the same, line numbers included."""
    lines = ["\ufeffEU\tB-ORG", "rejects\tO", "call\tO", "", "Peter\tB-PER", "Blackwood\tI-PER", ""]
    assert read(tmp_path, end.join(lines))[0] == [EU, PETER]
    assert names(refusal(tmp_path, end.join([*lines, "x\tBAD", ""])), "data.txt:8", "'BAD'")
    with refused("data.txt:8", "0xe9"):
        read(tmp_path, end.join([*lines, "caf"]).encode() + b"\xe9\tO")


@pytest.mark.slow
def test_an_old_mac_file_of_any_size_is_read(tmp_path: Path) -> None:
    """Without a single line feed it is still no single line."""
    n = BLOCK_BYTES // 4
    sentences, report = read(tmp_path, "EU\tB-ORG\rcall\tO\r\r" * n)
    assert (len(sentences), report.words) == (n, 2 * n)


@pytest.mark.parametrize("mark", ["-DOCSTART-", "-DOCSTART- -X- -X- O", "-DOCSTART-\tO", "-DOCSTART- (1 EU)"])
@pytest.mark.parametrize("before", ["", "\n"])
@pytest.mark.parametrize("after", ["", "\n"])
@pytest.mark.parametrize("first", [True, False])
def test_a_document_mark_ends_a_sentence_and_is_no_word(
    tmp_path: Path, mark: str, before: str, after: str, first: bool
) -> None:
    """Bare or with columns of its own, with a blank line on either side or not."""
    eu, peter = "EU\tB-ORG\nrejects\tO\ncall\tO\n", "Peter\tB-PER\nBlackwood\tI-PER\n"
    line = f"{mark}\n{after}"
    sentences, report = read(tmp_path, (line if first else "") + eu + before + line + peter)
    assert sentences == [EU, PETER]
    assert report.document_marks == 1 + first
    assert f"{1 + first} document marks skipped" in report.summary()


@pytest.mark.parametrize(
    "line", ["\tO", " O", " \tO", "\u00a0\tO", "\u00a0 O", "\t\tO", "  \tO"], ids=ascii
)  # fmt: skip
def test_an_empty_token_is_a_word_like_any_other(tmp_path: Path, line: str) -> None:
    """Its tag has its place; it is counted and never refuses the file."""
    [(words, tags)], report = read(tmp_path, f"EU\tB-ORG\n{line}\nParis\tB-LOC\n")
    assert (len(words), words[0], words[1].strip(), words[2], tags) == (3, "EU", "", "Paris", ("B-ORG", "O", "B-LOC"))
    assert report.blank_words == 1
    assert "1 words that are empty or only white space" in report.summary()


@pytest.mark.parametrize(
    "text",
    [
        "EU NNP I-NP I-ORG\n NN I-NC O\nParis NNP I-NP I-LOC\n",
        "EU\tNNP\tI-NP\tI-ORG\n\tNN\tI-NC\tO\nParis\tNNP\tI-NP\tI-LOC\n",
        "0\tEU\tB-ORG\n1\t\tO\n2\tParis\tB-LOC\n",
        "1\tEU\tB-ORG\tO\n2\t\tO\tO\n3\tParis\tB-LOC\tO\n",
    ],
)
def test_an_empty_token_among_several_columns_keeps_its_place(tmp_path: Path, text: str) -> None:
    """Its part of speech does not become the word."""
    [(words, tags)], report = read(tmp_path, text)
    assert (words, tags, report.blank_words) == (("EU", "", "Paris"), ("B-ORG", "O", "B-LOC"), 1)


@pytest.mark.parametrize("fmt", FORMATS)
def test_an_empty_token_is_written_and_read_back(tmp_path: Path, fmt: str) -> None:
    """Rewriting a file loses no word."""
    examples = [Example(words=("EU", "", "x"), tags=("B-ORG", "O", "O"))]
    write_examples(tmp_path / "a", examples, fmt=fmt)
    assert [(e.words, e.tags) for e in read_examples(tmp_path / "a")[0]] == [(("EU", "", "x"), ("B-ORG", "O", "O"))]
    convert(tmp_path / "a", tmp_path / "b", target_format="mmnerd")
    assert (tmp_path / "b").read_text() == "EU\tB-ORG\n\tO\nx\tO\n\n"


def test_files_with_byte_order_marks_may_be_put_together(tmp_path: Path) -> None:
    """The mark of each is dropped, not taken for part of its first word; one inside a sentence is a word's own."""
    one, other = "\ufeffEU\tB-ORG\nrejects\tO\ncall\tO\n\n", "\ufeffPeter\tB-PER\nBlackwood\tI-PER\n\n"
    assert read(tmp_path, one + other)[0] == [EU, PETER]
    marked = Example(words=("\ufeffa", "\ufeffb"), tags=("O", "O"))
    write_examples(tmp_path / "marked.txt", [marked, marked])
    assert [e.words for e in read_examples(tmp_path / "marked.txt")[0]] == [marked.words] * 2


def test_comments_before_a_sentence_are_skipped_and_counted(tmp_path: Path) -> None:
    """A comment has no tag; a word # has one."""
    sentences, report = read(tmp_path, "# id 5239d808 domain=en\nEU _ _ B-ORG\nrejects _ _ O\ncall _ _ O\n\n# _ _ O\n")
    assert sentences == [EU, (("#",), ("O",))]
    assert report.comments == 1 and "1 comment lines skipped" in report.summary()


@pytest.mark.parametrize(
    ("tag", "hint"),
    [
        ("S-PER", "this one is of BIOES, BILOU or BMEWO: write B-PER where a name begins, else I-PER"),
        ("U-LOC", "BILOU"),
        ("W-ORG", "BMEWO"),
        ("E-ORG", "else I-ORG"),
        ("b-geo", "write B-geo"),
        ("o", "write O"),
        ("PER", "the tag is O, B-TYPE or I-TYPE"),
        ("B_PER", "the tag is O, B-TYPE or I-TYPE"),
    ],
)
def test_tags_of_other_schemes_are_refused_with_what_to_write(tmp_path: Path, tag: str, hint: str) -> None:
    """The line of the word is named, not that of its sentence."""
    sentence = refusal(tmp_path, f"IMGID:a\nAnna\tB-PER\nin\tO\nUlm\t{tag}\n")
    assert sentence.startswith(f"data.txt:4: {tag!r} is not a tag") and hint in sentence
    assert len(sentence) < 220


@pytest.mark.parametrize(
    "text",
    [
        "a\tI-PER\nb\tI-PER\nc\tB-PER\n\nd\tO\ne\tI-LOC\n",
        "a\tI-PER\n\n" * 10,
        "1 a NN I-PER\n2 b NN I-PER\n",
    ],
    ids=["a B- that only IOB1 needs", "ten names", "CoNLL columns"],
)
def test_iob1_is_known_in_any_format(tmp_path: Path, text: str) -> None:
    """No B- that IOB1 would not write, and enough to tell by: converted, and said."""
    _, report = read(tmp_path, text)
    assert (report.repaired_tags, report.iob1_files) == (0, [str(tmp_path / "data.txt")])


def test_a_few_orphans_in_two_columns_are_orphans(tmp_path: Path) -> None:
    """What two tags could be either way is counted as repaired; the file's own tags are not forgotten."""
    _, report = read(tmp_path, "a\tI-PER\nb\tI-PER\nc\tI-LOC\n")
    assert (report.repaired_tags, report.iob1_files) == (2, [])
    [example] = read_examples(tmp_path / "data.txt")[0]
    assert example.tags == ("B-PER", "I-PER", "B-LOC")
    assert example.tags_as_written() == ("I-PER", "I-PER", "I-LOC")


def test_each_word_knows_its_line(tmp_path: Path) -> None:
    """Marks and comments between words are counted in."""
    (tmp_path / "data.txt").write_text("# a b c\n0\tRome\tB-LOC\n# x\n1\tis\tO\n\n0\tyes\tO\n")
    first, second = read_examples(tmp_path / "data.txt")[0]
    assert [first.word_where(i).rpartition(":")[2] for i in range(2)] == ["2", "4"]
    assert second.word_where(0) == f"{tmp_path / 'data.txt'}:6"
