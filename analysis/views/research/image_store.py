"""The images of runs as small copies for the page, only from folders that the app may show."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.views.inlined import data_url
from analysis.views.rendering import macros
from mmner_core.errors import InputError
from mmner_core.serving.engine import DECODING

if TYPE_CHECKING:
    from markupsafe import Markup

    from analysis.run.folder import EvaluationRun

DEMO_PHOTOS = Path(__file__).resolve().parents[2] / "demo" / "photos"
_MOST_FOLDERS = 8
SMALL, LARGE = 128, 720  # longer side in pixels: twice the size on screen of a thumbnail, and the inspector's photo


class ImageStore:
    """Finds the images of runs and embeds them in HTML.

    Args:
        folders: images below these may be shown, besides the demo's and those below a run's own data.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self.folders = tuple(folder.resolve() for folder in (DEMO_PHOTOS, *folders))

    def find(self, run: EvaluationRun, stored: str) -> Path | None:
        """Return the file that a run calls ``stored``, or None where it is missing or may not be shown.

        A run made on another machine names folders that are not here; then the file of that name in one of ours counts,
        in the same folders below it if it was in any.
        """
        if not stored or "\0" in stored:
            return None
        roots = (*self.folders, *_data_roots(run))
        named = Path(stored)
        parts = named.parts[1:] if named.is_absolute() else named.parts
        tails = [Path(*parts[i:]) for i in range(max(0, len(parts) - _MOST_FOLDERS), len(parts))]
        for path in (named, *(root / tail for root in roots for tail in tails)):
            resolved = path.resolve()
            if any(resolved.is_relative_to(root) for root in roots) and resolved.is_file():
                return resolved
        return None

    def image_html(self, run: EvaluationRun, stored: str, *, side: int = SMALL, alternative: str = "") -> Markup:
        """Return the image as an ``img`` that carries its data, or words in its place."""
        path = self.find(run, stored)
        data = "" if path is None else data_uri(path, path.stat().st_mtime_ns, side)
        instead = "photo not available" if stored else "no photo"
        return macros("research/macros").photo(data, alternative, instead)


def _data_roots(run: EvaluationRun) -> list[Path]:
    data = run.provenance.get("data")
    named = [data.get(key) for key in ("images", "path")] if isinstance(data, dict) else []
    paths = [Path(name).resolve() for name in named if isinstance(name, str) and name and "\0" not in name]
    # A whole disk is nobody's data folder.
    return [path for path in paths if len(path.parts) > 2]


@lru_cache(2048)
def data_uri(path: Path, _changed: int, side: int) -> str:
    """Return a small copy of an image as a data URI; empty for one that cannot be decoded.

    Args:
        path: the file.
        _changed: when it was, so that another one under its name is not taken for it.
        side: pixels of the longer side.
    """
    from mmner_core.photos.open import open_image

    try:
        with DECODING:
            image = open_image(path, target=side)
    except InputError:
        return ""
    return data_url(image, side=side, quality=72)
