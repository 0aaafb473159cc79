"""Decodes the images of examples one by one, and counts those that are missing or broken."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmner_core.data.example import Example
from mmner_core.errors import InputError
from mmner_core.photos.limits import DEFAULT_LIMITS, ImageLimits
from mmner_core.photos.open import Photo, open_photo

NAMES_KEPT = 5


@dataclass(slots=True, kw_only=True)
class ImageCounts:
    """Counts of the images of a data set by outcome.

    Attributes:
        present: decoded.
        missing: named by the sentence, but there is no such file.
        broken: a file, but not an image that can be decoded.
        without: sentences that name none.
        problems: one sentence for each of the first few missing or broken ones.
    """

    present: int = 0
    missing: int = 0
    broken: int = 0
    without: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: ImageCounts) -> None:
        """Add the counts of another worker."""
        self.present += other.present
        self.missing += other.missing
        self.broken += other.broken
        self.without += other.without
        self.problems = [*self.problems, *other.problems][:NAMES_KEPT]

    def to_json(self) -> dict[str, int]:
        """Return the counts that ``evaluate`` prints."""
        return {"present": self.present, "missing": self.missing, "broken": self.broken}

    def summary(self) -> str:
        """Return the counts in one line, with the first few problems."""
        line = f"{self.present:,} images present, {self.missing:,} missing, {self.broken:,} broken"
        more = self.missing + self.broken - len(self.problems)
        shown = [*self.problems, *([f"And {more:,} more."] if more > 0 and self.problems else [])]
        return f"{line}." + "".join(f" {problem}" for problem in shown)

    def _note(self, example: Example, problem: str) -> None:
        if len(self.problems) < NAMES_KEPT:
            self.problems.append(f"{example.where}: {problem}" if example.where else problem)


def load_photo(
    example: Example, counts: ImageCounts, *, target: int | None = None, limits: ImageLimits = DEFAULT_LIMITS
) -> Photo | None:
    """Return an example's image, or None if it has none that can be decoded, and count the outcome."""
    if example.image_id is None and example.image is None:
        counts.without += 1
        return None
    if example.image is None or not example.image.is_file():
        counts.missing += 1
        counts._note(example, f"there is no image {example.image or example.image_id}.")
        return None
    try:
        photo = open_photo(example.image, target=target, limits=limits)
    except InputError as error:
        counts.broken += 1
        counts._note(example, str(error))
        return None
    counts.present += 1
    return photo
