"""The tab in which runs are made, in a real browser: from a data set and its photos to a run in every tab's menu."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from mmner_core.data import convert
from tests.app.browsing import IN_BROWSER, PATIENCE
from tests.app.made_runs import PHOTOS, write_news
from tests.app.research_run import DATA
from tests.app.serving import serving

pytestmark = IN_BROWSER
expect.set_options(timeout=PATIENCE)
RUN_PATIENCE = 4 * PATIENCE
FACTS = re.compile("8 sentences.*English.*9 entities.*6 photos present.*0 missing.*0 broken", re.DOTALL)
"""What is told of the English training sentences of the tiny data, in whatever format they come."""


@pytest.fixture(scope="module")
def page_url(tiny_checkpoint: Path) -> Iterator[str]:
    """Serve the app with the tiny model."""
    with serving(tiny_checkpoint, "--visitor-rate", "0", "--run-photos", str(PHOTOS)) as url:
        yield url


def upload(page: Page, url: str, data: Path, photos: Path | None = None, **chosen: str) -> Locator:
    """Open the tab and have a data set read, with drop-downs set by their label; return its form."""
    page.goto(f"{url}?wb-tab=runs")
    form = page.locator('form[data-do="look"]')
    form.get_by_label("Data set").set_input_files(data)
    for label, option in chosen.items():
        form.get_by_label(label).select_option(option)
    if photos is not None:
        form.get_by_label("Photos").set_input_files(photos)
    form.get_by_role("button", name="Read it").click()
    return form


def test_a_data_set_becomes_a_run_in_every_tab(page: Page, page_url: str, tmp_path: Path) -> None:
    """It is read, summed up with its first sentences and types, run with a bar, opened, renamed and deleted."""
    upload(page, page_url, *write_news(tmp_path))
    summary = page.locator(".wb-summed")
    expect(summary).to_contain_text("news.txt")
    expect(summary.locator(".wb-facts")).to_contain_text("1 missing")
    expect(summary.locator(".wb-facts")).to_contain_text("1 broken")
    expect(summary).to_contain_text(".docx")
    expect(summary.locator(".wb-item")).to_have_count(3)
    expect(summary.locator(".wb-item img").first).to_be_visible()
    expect(summary.locator(".wb-mark").first).to_be_visible()
    expect(summary.get_by_label(re.compile("^PERSON"))).to_have_value("PER")
    expect(summary.get_by_label(re.compile("^GPE"))).to_have_value("LOC")
    summary.get_by_label(re.compile("^DATE")).select_option("leave out")
    for name in ("blank", "random", "shuffled", "another type", "Shapley"):
        summary.get_by_label(re.compile(name)).uncheck()
    summary.get_by_label("Name").fill("my news")
    summary.get_by_role("button", name="Start the run").click()
    run = page.locator(".wb-run")
    expect(run.get_by_role("progressbar")).to_be_visible()
    expect(run).to_contain_text("left")
    expect(run).to_contain_text("complete", timeout=RUN_PATIENCE)
    run.get_by_role("button", name="Open: my news").click()
    expect(page.locator('#wb-errors-controls [data-state="run"]')).to_have_value("my news")
    expect(page.locator("#wb-errors-scores .wb-figure svg.main-svg").first).to_be_visible()
    assert "wb-run=my+news" in page.url
    for tab in ("Embedding", "Modality"):
        page.get_by_role("tab", name=tab).click()
        expect(page.locator(f'#wb-{tab.lower()}-controls [data-state="run"]')).to_have_value("my news")
    page.get_by_role("tab", name="Runs").click()
    run.get_by_label("Rename my news").click()
    run.get_by_label("New name of my news").fill("old news")
    page.keyboard.press("Enter")
    expect(run.locator("strong")).to_have_text("old news")
    with page.expect_download() as packed:
        run.get_by_role("button", name="Download as zip").click()
    assert packed.value.suggested_filename == "old news.zip"
    page.on("dialog", lambda dialog: dialog.accept())
    run.get_by_role("button", name="Delete").click()
    expect(run).to_have_count(0)
    page.get_by_role("tab", name="Errors").click()
    expect(page.locator('#wb-errors-controls [data-state="run"]')).to_have_value("demo")


def test_a_run_is_cancelled_and_goes_on(page: Page, page_url: str, tmp_path: Path) -> None:
    """By keyboard; and is still there when the page is opened again."""
    upload(page, page_url, write_news(tmp_path)[0])
    summary = page.locator(".wb-summed")
    summary.get_by_label(re.compile("^DATE")).select_option("MISC")
    summary.get_by_label("Name").fill("stopped")
    summary.get_by_label("Name").press("Enter")
    run = page.locator('.wb-run[data-name="stopped"]')
    run.get_by_role("button", name="Cancel").press("Enter")
    expect(run).to_contain_text("cancelled")
    page.reload()
    run.get_by_role("button", name="Go on").press("Enter")
    expect(run).to_contain_text("complete", timeout=RUN_PATIENCE)


def test_what_cannot_be_read_is_told_in_its_place(page: Page, page_url: str, tmp_path: Path) -> None:
    """With file and line; markup in it stays text; the form can be used again."""
    data = tmp_path / "bad.csv"
    data.write_text('words,tags\n"<b>Ada</b> lives",B-PER\n')
    form = upload(page, page_url, data)
    expect(form.get_by_role("alert")).to_contain_text("bad.csv:2")
    (tmp_path / "photos.zip").write_bytes(b"no zip")
    data.write_text('words,tags,image\n"<b>Ada</b> lives",B-PER O,x\n')
    form = upload(page, page_url, data, tmp_path / "photos.zip")
    expect(form.get_by_role("alert")).to_contain_text("zip of photos")
    expect(form.get_by_role("button", name="Read it")).to_be_enabled()
    form = upload(page, page_url, data)
    expect(page.locator(".wb-summed .wb-mark")).to_contain_text("<b>Ada</b>")


def test_a_parquet_file_with_photos_becomes_a_run_that_shows_them(page: Page, page_url: str, tmp_path: Path) -> None:
    """Its photos are in it: they are counted, shown beside the first sentences, and in the inspector of the run."""
    convert(DATA / "en" / "train.txt", tmp_path / "news.parquet", target_format="parquet", images=PHOTOS)
    upload(page, page_url, tmp_path / "news.parquet", Language="en")
    summary = page.locator(".wb-summed")
    expect(summary.locator(".wb-facts")).to_have_text(
        re.compile("8 sentences.*English.*9 entities.*6 photos present.*0 missing")
    )
    expect(summary.locator(".wb-item img")).to_have_count(3)
    summary.get_by_label("First sentences").fill("2")
    for name in ("blank", "random", "shuffled", "another type", "Shapley"):
        summary.get_by_label(re.compile(name)).uncheck()
    summary.get_by_role("button", name="Start the run").click()
    run = page.locator('.wb-run[data-name="news"]')
    expect(run).to_contain_text("complete", timeout=RUN_PATIENCE)
    page.goto(f"{page_url}?wb-tab=errors&wb-run=news&wb-row=0")
    expect(page.get_by_role("dialog").locator(".wb-inspected img")).to_be_visible()


def test_a_conllu_file_finds_its_photos_on_the_server(page: Page, page_url: str, tmp_path: Path) -> None:
    """In the folder that is chosen instead of a zip."""
    convert(DATA / "en" / "train.txt", tmp_path / "news.conllu", target_format="conllu")
    upload(page, page_url, tmp_path / "news.conllu", **{"folder of this server": "images", "Language": "en"})
    expect(page.locator(".wb-summed .wb-facts")).to_have_text(FACTS)
    expect(page.locator(".wb-summed .wb-item img")).to_have_count(3)
