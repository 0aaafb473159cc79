"""The report is one file that works from disk, with every panel, and runs nothing that a user wrote."""

import csv
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from analysis.cli.main import app
from analysis.panels.registry import SECTIONS
from analysis.report import Document, collect, write_csv, write_html, write_latex
from analysis.report.html import render
from analysis.report.tables import escaped, latex_text
from analysis.run.folder import EvaluationRun
from mmner_core.errors import InputError
from tests.analysis.report_run import EVIL, empty_run, model_run, tags_run
from tests.app.browsing import chromium, watched_page
from tests.told import refused

pytestmark = pytest.mark.slow  # seconds each

# Words of a sentence that try to leave the page, the caption, the table and the figure they are in.
WORDS = f'{EVIL} "><img/src=x/onerror=alert(1)> \\end{{table}}$_&%# Paris'


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> EvaluationRun:
    """Write a run with a script in its name, its words and its provenance."""
    return model_run(tmp_path_factory.mktemp("runs"), words=WORDS, name="<script>alert(2)<")


@pytest.fixture(scope="module")
def document(run: EvaluationRun, tmp_path_factory: pytest.TempPathFactory) -> Document:
    """Make all panels of two runs compared."""
    other = model_run(tmp_path_factory.mktemp("runs"), words=WORDS, seed=1, name="other")
    return collect(run, other)


@pytest.fixture(scope="module")
def page(document: Document) -> str:
    """Render the report."""
    return render(document)


class Elements(HTMLParser):
    """Collects the elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of each element of a kind."""
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def elements(page: str) -> Elements:
    """Read the report as a browser does."""
    return Elements(page)


def test_every_panel_is_there_with_its_facts(elements: Elements, document: Document) -> None:
    """Each has a place in the contents, and each figure its alternative in the page."""
    links = {attributes.get("href") for attributes in elements.all("a")}
    ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for panel in document.panels():
        assert f"#{panel.id}" in links and panel.id in ids
    figures = [a for a in elements.all("div") if a.get("role") == "img"]
    assert len(figures) == sum(panel.figure is not None for panel in document.panels()) > 15
    assert all(figure["aria-label"] for figure in figures)


def test_nothing_a_user_wrote_becomes_an_element(page: str, elements: Elements) -> None:
    """Words, run names and provenance are text; the only scripts are ours, and they are listed by their hash."""
    assert not elements.all("img")
    running = [a for a in elements.all("script") if a.get("type") != "application/json"]
    assert len(running) == 2 and not any(running)
    policy = next(a["content"] for a in elements.all("meta") if a.get("http-equiv"))
    assert (
        policy.count("'sha256-") == 2 and "default-src 'none'" in policy and "script-src 'unsafe-inline'" not in policy
    )
    assert "&lt;script&gt;document.title" in page


def test_the_page_fetches_nothing(elements: Elements) -> None:
    """No address leaves the file: links go to places in it, data are inside."""
    for tag, attributes in elements.found:
        for name in ("src", "href", "action", "poster"):
            if name in attributes:
                assert re.match("#|data:", attributes[name] or ""), (tag, attributes)


@pytest.mark.browser
def test_the_report_opens_from_disk(document: Document, tmp_path: Path) -> None:
    """In a browser every figure is drawn in both schemes, no script of a user runs, nothing is asked of any server."""
    file = write_html(document, tmp_path / "a folder" / "report.html")
    with chromium() as browser, watched_page(browser, width=390, scheme="dark") as (page, watch):
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri())
        page.locator("html[data-drawn]").wait_for()
        drawn = page.locator(".plot .main-svg").count()
        assert drawn >= page.locator(".plot").count() == page.locator(".plot:has(.main-svg)").count()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        colour = "() => getComputedStyle(document.querySelector('.plot .xtick text')).fill"
        dark = page.evaluate(colour)
        page.emulate_media(color_scheme="light")
        page.wait_for_function(f"before => ({colour})() !== before", arg=dark)
        assert page.title().startswith("<script>alert(2)< and other")
        with page.expect_download() as download:
            page.locator("#scores a[download]").click()
        assert Path(download.value.path()).read_text(encoding="utf-8").startswith("language,type,rule")
        assert watch.errors == [] and watch.outside == []
        assert [url for url in requests if not url.startswith(("data:", "blob:"))] == [file.as_uri()]


def test_csv_holds_every_digit_and_every_word(document: Document, tmp_path: Path) -> None:
    """One file per table, named as the panel, read back as it was."""
    files = {file.stem: file for file in write_csv(document, tmp_path)}
    for panel in document.panels():
        rows = list(csv.DictReader(StringIO(files[panel.id].read_text(encoding="utf-8"), newline="")))
        assert len(rows) == len(panel.table) and list(rows[0]) == list(panel.table.columns)
    assert {"calibration-figure", "cosines-figure", "faithfulness-figure", "map-figure"} <= set(files)
    flips = pd.read_csv(files["flips"])
    assert flips["text"].str.contains(EVIL, regex=False).any()
    scores = next(panel.table for panel in document.panels() if panel.id == "scores")
    assert pd.read_csv(files["scores"])["f1"].tolist() == pytest.approx(scores["f1"].tolist(), nan_ok=True, abs=0)


def test_latex_is_balanced_and_escaped(document: Document, tmp_path: Path) -> None:
    """Environments and braces close, every row has as many cells as columns, and no special sign is bare."""
    files = write_latex(document, tmp_path)
    assert {file.stem for file in files} == {panel.id for panel in document.panels()}
    for file in files:
        check_latex(file.read_text(encoding="utf-8"))


def check_latex(text: str) -> None:
    """Read LaTeX as far as a table goes."""
    opened = re.findall(r"\\begin\{(\w+)\}", text)
    assert opened == re.findall(r"\\end\{(\w+)\}", text)[::-1] and opened in (["table", "tabular"], ["longtable"])
    bare = re.sub(r"\\[\\{}$&#_%]", "", text)
    assert bare.count("{") == bare.count("}") and bare.count("$") % 2 == 0
    assert not re.search(r"[#%~^<>|\"]", bare)
    columns = re.search(r"\{((?:[lr]|p\{[\d.]+\\linewidth\})+)\}\n", text)
    assert columns
    n_columns = len(re.findall(r"[lr]|p\{[^}]*\}", columns[1]))
    rows = [line for line in text.splitlines() if line.endswith(r" \\")]
    assert rows and all(len(re.split(r"(?<!\\)&", row)) == n_columns for row in rows)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex: apt-get install texlive-latex-base")
def test_latex_prints_every_table(tmp_path: Path) -> None:
    """The file of all tables makes a page of each without an error, and nothing runs off the page by a finger."""
    document = collect(model_run(tmp_path))
    files = write_latex(document, tmp_path / "tex")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "appendix.tex"]
    done = subprocess.run(command, cwd=tmp_path / "tex", capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert int(re.findall(r"appendix.pdf \((\d+) pages", done.stdout)[0]) >= len(files)
    too_wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", done.stdout)]
    assert max(too_wide, default=0) < 30


def test_what_every_row_says_stands_in_the_caption(document: Document) -> None:
    """The scoring rule of a table of one rule is no column; the numbers are all there."""
    panel = next(panel for panel in document.panels() if panel.id == "slices")
    text = latex_text(panel)
    assert "rule: strict" in text and r"\textbf{rule}" not in text and r"\textbf{F1}" in text


def test_signs_are_written_as_latex_prints_them() -> None:
    """Each special sign, a minus, an arrow, and a tab that is none of a table's."""
    assert escaped("50 % of {a_b} & \\x~^<$#\t\u22121\u2192") == (
        r"50 \% of \{a\_b\} \& \textbackslash{}x\textasciitilde{}\textasciicircum{}\textless{}\$\# "
        r"$-$1$\rightarrow$"
    )


def test_long_tables_break_across_pages(document: Document) -> None:
    """More than forty rows are a longtable, whose head is repeated."""
    panel = next(panel for panel in document.panels() if panel.id == "scores")
    long = replace(panel, table=pd.concat([panel.table] * 2))
    assert r"\endhead" in latex_text(long) and r"\begin{tabular}" in latex_text(panel)


@pytest.mark.parametrize("make", [tags_run, empty_run])
def test_a_poor_run_has_a_report(make: object) -> None:
    """A run of tags alone, or of no entity at all, gives a page that says what is missing."""
    document = collect(make())
    page = render(document)
    assert page.count('class="note"') > 10
    for panel in document.panels():
        if len(panel.table):
            check_latex(latex_text(panel))


def test_languages_that_are_called_alike_stay_apart() -> None:
    """Ids are unique even where the names differ in signs only."""
    document = collect(tags_run(n=4, languages=("a+", "a-")))
    ids = [panel.id for panel in document.panels()]
    assert len(ids) == len(set(ids)) and "confusion-a-2" in ids


def test_only_one_panel_can_be_asked_for(run: EvaluationRun) -> None:
    """The command under a panel makes that panel; a wrong name lists the right ones."""
    assert [panel.id for panel in collect(run, only="scores").panels()] == ["scores"]
    with refused("'score'", "scores", "rules"):
        collect(run, only="score")
    known = {kind.id for section in SECTIONS for kind in section.panels}
    assert {"scores", "map", "faithfulness", "hurt"} <= known


def test_panels_that_compare_wait_for_a_second_run(run: EvaluationRun) -> None:
    """Without a run to compare with they cannot be asked for; with one, their chapter bears its name."""
    with pytest.raises(InputError, match="no panel 'flips'"):
        collect(run, only="flips")
    assert [chapter.title for chapter in collect(run, run, only="flips").chapters] == [f"Compared with {run.name}"]


def test_the_command_writes_what_it_is_asked_for(run: EvaluationRun, tmp_path: Path) -> None:
    """HTML, LaTeX and CSV at once; nothing asked for, or a folder that is no run, is one sentence and exit code 2."""
    folder, html = str(run.folder), tmp_path / "report.html"
    done = CliRunner().invoke(
        app,
        ["report", folder, "--html", str(html), "--latex", str(tmp_path / "tex"), "--csv", str(tmp_path / "csv")]
        + ["--only", "taxonomy"],
    )
    assert done.exit_code == 0, done.output
    assert html.stat().st_size > 4e6 and (tmp_path / "tex/taxonomy.tex").is_file()
    assert (tmp_path / "csv/taxonomy.csv").is_file() and not list(tmp_path.glob(".*"))
    nothing = CliRunner().invoke(app, ["report", folder])
    assert nothing.exit_code == 2 and "--html FILE" in nothing.stderr
    wrong = CliRunner().invoke(app, ["report", str(tmp_path), "--html", str(html)])
    assert wrong.exit_code == 2 and "lacks predictions.parquet" in wrong.stderr


def test_a_place_that_cannot_be_written_to_is_named(document: Document, tmp_path: Path) -> None:
    """A file where a folder should be is said to be the trouble, and nothing half written is left."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="report.html cannot be written"):
        write_html(document, tmp_path / "file" / "report.html")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_figures_travel_as_data_that_can_be_read(page: str, document: Document) -> None:
    """The JSON in the page is the figure's, so that a reader can take it out."""
    found = re.findall(r'<script type="application/json" id="scores-figure">(.*?)</script>', page, re.DOTALL)
    assert len(found) == 1
    names = {trace["name"] for trace in json.loads(found[0])["data"]}
    assert names == {"all", "PER", "LOC", "ORG"}
