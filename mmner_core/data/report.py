"""Counts what a reader skips and converts, so that nothing is dropped silently."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class ReadReport:
    """Counts over everything read so far; complete once the last sentence has been read.

    Attributes:
        files: the files read, in order.
        sentences, words: how many were handed out.
        repaired_tags: orphan ``I-`` tags turned into ``B-``.
        iob1_files: files whose tags were IOB1 throughout and were converted to IOB2 (not counted as repairs).
        empty_sentences: image lines without any word; skipped.
        document_marks: ``-DOCSTART-`` lines; skipped.
        comments: lines such as ``# sent_id = 1`` before a sentence; skipped.
        blank_words: words that are empty or only white space; read like any other.
        space_separated: lines of a TAB-separated format whose columns were separated by spaces; accepted.
        without_image: sentences that name no image.
        images_present, images_missing: sentences whose image file exists, or does not (a broken file is
            found only when it is opened: see ``ImageCounts``).
        notes: one sentence each, for example on a folder that was left out.
    """

    files: list[str] = field(default_factory=list)
    sentences: int = 0
    words: int = 0
    repaired_tags: int = 0
    iob1_files: list[str] = field(default_factory=list)
    empty_sentences: int = 0
    document_marks: int = 0
    comments: int = 0
    blank_words: int = 0
    space_separated: int = 0
    without_image: int = 0
    images_present: int = 0
    images_missing: int = 0
    notes: list[str] = field(default_factory=list)

    def summary(self) -> str:
        """Return the counts in one line, with problems only where there are any."""
        parts = [f"{self.sentences:,} sentences, {self.words:,} words from {len(self.files)} file(s)"]
        counted = (
            (self.repaired_tags, "orphan I- tags read as B-"),
            (len(self.iob1_files), "file(s) converted from IOB1 to IOB2"),
            (self.empty_sentences, "image lines without words skipped"),
            (self.document_marks, "document marks skipped"),
            (self.comments, "comment lines skipped"),
            (self.blank_words, "words that are empty or only white space"),
            (self.space_separated, "lines with spaces for a TAB"),
            (self.without_image, "sentences without an image"),
            (self.images_present, "images present"),
            (self.images_missing, "images missing"),
        )
        parts += [f"{count:,} {what}" for count, what in counted if count]
        return "; ".join(parts) + "." + "".join(f" {note}" for note in self.notes)
