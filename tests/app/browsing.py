"""Drive the app in a real chromium that must never leave this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: apt-get install chromium"),
]
"""The marks of a module that drives the browser."""
PATIENCE = 60_000  # milliseconds; a result takes a second, but tests share the machine
_LOCAL = {"127.0.0.1", "localhost"}


@dataclass
class Watch:
    """What a page did that it should not have done."""

    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        """Record requests to other hosts, error responses, console errors and uncaught exceptions of ``page``."""
        page.on("request", self._request)
        page.on("response", self._response)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in _LOCAL:
            self.outside.append(request.url)

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.errors.append(f"{response.status} {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"console: {message.text}")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the installed browser, and stop it in the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def watched_page(
    browser: Browser, *, width: int = 1280, height: int = 900, scheme: Literal["light", "dark"] = "light"
) -> Iterator[tuple[Page, Watch]]:
    """Open an empty page of a size and colour scheme, with a watch on it."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page, watch = context.new_page(), Watch()
    page.set_default_timeout(PATIENCE)
    watch.attach(page)
    try:
        yield page, watch
    finally:
        context.close()


def enter(page: Page, text: str, photo: Path | None) -> None:
    """Type a sentence and upload a photo, as a visitor does."""
    page.locator("#wb-sentence textarea").fill(text)
    if photo is not None:
        page.locator("#wb-photo input[type=file]").first.set_input_files(photo)
        page.locator("#wb-photo img").first.wait_for()


def find_names(page: Page) -> None:
    """Press the button and wait for the result that belongs to it."""
    # The page updates its markup in place, which removes an attribute that the new result does not have.
    page.locator("#wb-result section").evaluate("section => { section.dataset.old = 'yes'; }")
    page.locator("#wb-run").click()
    page.locator("#wb-result section:not([data-old])").wait_for()


def open_example(page: Page, url: str, number: int) -> None:
    """Open a link to an example and wait for its result."""
    page.goto(f"{url}?wb-example={number}")
    page.locator("#wb-result .wb-result").wait_for()
