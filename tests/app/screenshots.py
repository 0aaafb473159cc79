"""Write screenshots of the app to .screenshots/: every tab, light and dark, 1280 and 390 pixels wide.

Run as ``python -m tests.app.screenshots [--checkpoint DIR] [--example N] [--runs DIR --run NAME] [--tab TAB ...]``
(``make screenshots``).
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

from playwright.sync_api import Page

from mmner_core.serving.config import SHIPPED
from tests.app.browsing import chromium, open_example, watched_page
from tests.app.made_runs import write_news
from tests.app.serving import serving

log = logging.getLogger(__name__)
FOLDER = Path(__file__).resolve().parents[2] / ".screenshots"
SIZES = ((1280, 900), (390, 844))
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
RESEARCH = ("errors", "embedding", "modality")
TABS = ("tag", *RESEARCH, "runs")
# Said by a part until it is drawn, and by the page while it draws one again.
_UNFINISHED = "section[data-part]:visible:not(.wb-part-empty):is(:has(.wb-waiting), [aria-busy=true])"
# What a full page may hold; chromium cuts a longer one.
_TALLEST = 16_000


def photograph_tag(page: Page, url: str, example: int) -> Iterator[str]:
    """Show the empty first tab, then an example with its heat map; yield what each view is called."""
    page.goto(url)
    page.locator(".wb-ready").wait_for()
    yield "tag-empty"
    open_example(page, url, example)
    if page.locator("#wb-overlay img").count():
        page.locator("#wb-overlay img").scroll_into_view_if_needed()
        page.wait_for_function("document.querySelector('#wb-overlay img').complete")
    yield "tag"
    if page.locator("#wb-overlay img").count():
        ask_further(page)
        yield "tag-further"


def ask_further(page: Page) -> None:
    """Move the slider, ask for the words, hide some cells of the photo and ask again; then without any photo."""
    page.locator(".wb-least input").fill("0.6")
    page.locator("#wb-words button").click()
    page.locator("#wb-words .wb-words").wait_for()
    page.get_by_role("button", name="Hide a part of the photo").click()
    page.locator(".wb-raster").wait_for()
    for cell in page.locator('.wb-raster [data-cell$=",4"], .wb-raster [data-cell$=",5"]').all():
        cell.press(" ")
    page.get_by_role("button", name="Ask again without these parts").click()
    page.locator("#wb-painted .wb-side").first.wait_for()
    page.locator("#wb-second > button").click()
    page.get_by_label("Without any photo").check()
    page.get_by_role("button", name="Ask again and compare").click()
    page.locator("#wb-compared .wb-side").first.wait_for()


def photograph_research(page: Page, url: str, tab: str, run: str) -> Iterator[str]:
    """Show a research tab with every panel drawn and, from the errors, a confusion cell and the inspector."""
    page.goto(f"{url}?{urlencode({'tab': tab, 'run': run})}")
    draw_all(page, tab)
    yield tab
    if tab != "errors":
        return
    page.locator("#wb-errors-failures .wb-error").first.click()
    inspector = page.get_by_role("dialog")
    inspector.locator(".wb-marginals, .wb-part-problem").first.wait_for()
    inspector.locator(".wb-near, .wb-how").last.wait_for()
    draw_all(page, tab)
    yield "inspector"


def photograph_runs(page: Page, url: str) -> Iterator[str]:
    """Show what was understood of a small data set, and the list of runs."""
    page.goto(f"{url}?wb-tab=runs")
    form = page.locator('form[data-do="look"]')
    with tempfile.TemporaryDirectory() as folder:
        data, photos = write_news(Path(folder))
        form.get_by_label("Data set").set_input_files(data)
        form.get_by_label("Photos").set_input_files(photos)
        form.get_by_role("button", name="Read it").click()
        page.locator(".wb-summed").wait_for()
    page.evaluate("scrollTo(0, 0)")
    yield "runs"


def draw_all(page: Page, tab: str) -> None:
    """Bring every part of a tab into view, for only what is in view is drawn, and wait until it is."""
    page.locator(f"#wb-{tab}-controls select").first.wait_for()
    for part in page.locator(f'[data-tab="{tab}"] > [data-part]').all():
        part.scroll_into_view_if_needed()
        part.evaluate(
            """async (part) => {
                const pending = () => part.querySelector(".wb-waiting") || part.getAttribute("aria-busy") === "true"
                    || part.querySelector(".wb-figure:not([data-drawn])");
                while (pending()) await new Promise((resume) => setTimeout(resume, 50));
            }"""
        )
    page.evaluate("scrollTo(0, 0)")
    page.locator(_UNFINISHED).first.wait_for(state="detached")


def take_screenshots(
    url: str, folder: Path, *, example: int = 1, run: str = "", tabs: Sequence[str] = TABS, suffix: str = ""
) -> list[Path]:
    """Photograph the tabs in each size and scheme.

    Args:
        url: of the app.
        folder: where the images go.
        example: which one the first tab shows.
        run: which one the others show, "" for the first.
        tabs: which to photograph.
        suffix: of the images' names, to tell runs apart.

    Returns:
        The files.

    Raises:
        RuntimeError: if a page logged an error or asked for anything outside this machine.
    """
    folder.mkdir(exist_ok=True)
    files = []
    with chromium() as browser:
        for width, height in SIZES:
            for scheme in SCHEMES:
                for tab in tabs:
                    with watched_page(browser, width=width, height=height, scheme=scheme) as (page, watch):
                        if tab == "tag":
                            views = photograph_tag(page, url, example)
                        elif tab == "runs":
                            views = photograph_runs(page, url)
                        else:
                            views = photograph_research(page, url, tab, run)
                        for view in views:
                            files.append(folder / f"{view}{suffix}-{width}-{scheme}.png")
                            page.screenshot(path=files[-1], full_page=view != "inspector")
                        if faults := [*watch.errors, *watch.outside]:
                            raise RuntimeError(f"The tab {tab!r} did what it should not: {faults}")
    return files


def main() -> None:
    """Serve the app on a free port and photograph it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=SHIPPED)
    parser.add_argument("--example", type=int, default=1)
    parser.add_argument("--runs", type=Path, help="a folder of runs")
    parser.add_argument("--run", default="", help="the run to show, else the demo's")
    parser.add_argument("--tab", action="append", choices=TABS, help="only this tab; repeatable")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = [] if arguments.runs is None else ["--runs", str(arguments.runs)]
    run, suffix = arguments.run, f"-{arguments.run}" if arguments.run else ""
    with serving(arguments.checkpoint, *options) as url:
        asked = {"example": arguments.example, "run": run, "tabs": arguments.tab or TABS, "suffix": suffix}
        for file in take_screenshots(url, FOLDER, **asked):
            log.info("%s", file)


if __name__ == "__main__":
    main()
