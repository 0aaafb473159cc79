"""Several models on the page: one is chosen, answers, and is named beside its answer."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from mmner_core.text.encoding import SubwordEncoder
from tests.analysis.tiny_model import drawn_photo
from tests.app.browsing import PATIENCE, chromium, enter, find_names, watched_page
from tests.app.opposite_models import write_opposite_models
from tests.app.serving import serving

pytestmark = pytest.mark.browser


def test_a_model_is_chosen_on_the_page(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """The status and the result name it; a broken one is told in a sentence and leaves the page alive."""
    shutil.copytree(tiny_checkpoint, tmp_path / "other")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{}")
    with serving(tiny_checkpoint, "--checkpoints", str(tmp_path)) as url, chromium() as browser:
        with watched_page(browser) as (page, watch):
            page.goto(url)
            status, chooser = page.locator(".wb-status"), page.locator("#wb-model input")
            expect(status).to_contain_text(f"Model {tiny_checkpoint.name} ready", timeout=PATIENCE)
            for name, told in (("broken", "broken"), ("other", "Model other ready")):
                chooser.click()
                page.get_by_role("option", name=name).click()
                expect(status).to_contain_text(told, timeout=PATIENCE)
            enter(page, "Ada Lovelace in Berlin", None)
            find_names(page)
            expect(page.locator("#wb-result .wb-facts")).to_contain_text("Model: other (")
            assert watch.errors == []


def test_two_models_answer_side_by_side(subwords: SubwordEncoder, tokenizer_folder: Path, tmp_path: Path) -> None:
    """Each under its name, with its map; every name of either answer has a probability in both."""
    model, others = write_opposite_models(tmp_path, subwords, tokenizer_folder)
    drawn_photo().save(tmp_path / "photo.png")
    with serving(model, "--checkpoints", str(others)) as url, chromium() as browser:
        with watched_page(browser) as (page, watch):
            page.goto(url)
            enter(page, "Ada Lovelace met Barack Obama in Berlin", tmp_path / "photo.png")
            find_names(page)
            page.locator("#wb-second > button").click()
            page.locator("#wb-second").get_by_label("Model").click()
            page.get_by_role("option", name="turned").click()
            page.get_by_role("button", name="Ask again and compare").click()
            compared = page.locator("#wb-compared")
            expect(compared.locator(".wb-side h4")).to_have_text(["loud", "turned"], timeout=PATIENCE)
            expect(compared.locator(".wb-side-map img")).to_have_count(2)
            expect(compared.locator(".wb-summary")).to_contain_text(re.compile("vanishes|is added"))
            rows = compared.locator("tbody tr")
            expect(rows.locator(".wb-number").filter(has_text=re.compile(r"\d\.\d\d"))).to_have_count(2 * rows.count())
            assert watch.errors == []


def test_one_model_is_no_choice(url: str) -> None:
    """Then there is nothing to choose from."""
    with chromium() as browser, watched_page(browser) as (page, _):
        page.goto(url)
        expect(page.locator(".wb-ready")).to_contain_text("Model ready", timeout=PATIENCE)
        expect(page.locator("#wb-model")).to_have_count(0)
