"""Write screenshots of the app to .screenshots/: light and dark, 1280 and 390 pixels wide.

Run as ``python -m tests.app.screenshots [--checkpoint DIR] [--example N]`` (``make screenshots``).
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Literal

from app import CHECKPOINT
from tests.app.browsing import chromium, open_example, watched_page
from tests.app.serving import serving

log = logging.getLogger(__name__)
FOLDER = Path(__file__).resolve().parents[2] / ".screenshots"
SIZES = ((1280, 900), (390, 844))
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def take_screenshots(url: str, example: int, folder: Path) -> list[Path]:
    """Photograph the empty page and one example in each size and scheme; return the files."""
    folder.mkdir(exist_ok=True)
    files = []
    with chromium() as browser:
        for width, height in SIZES:
            for scheme in SCHEMES:
                with watched_page(browser, width=width, height=height, scheme=scheme) as (page, _):
                    page.goto(url)
                    page.locator(".wb-ready").wait_for()
                    files.append(folder / f"tag-empty-{width}-{scheme}.png")
                    page.screenshot(path=files[-1], full_page=True)
                    open_example(page, url, example)
                    if page.locator("#wb-overlay img").count():
                        page.locator("#wb-overlay img").scroll_into_view_if_needed()
                        page.wait_for_function("document.querySelector('#wb-overlay img').complete")
                    files.append(folder / f"tag-{width}-{scheme}.png")
                    page.screenshot(path=files[-1], full_page=True)
    return files


def main() -> None:
    """Serve the app on a free port and photograph it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    parser.add_argument("--example", type=int, default=1)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with serving(arguments.checkpoint) as url:
        for file in take_screenshots(url, arguments.example, FOLDER):
            log.info("%s", file)


if __name__ == "__main__":
    main()
