"""The research tabs without a browser: what each part says, and what hostile runs and addresses cannot do."""

from __future__ import annotations

import base64
import io
import json
import os
import re
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from analysis.evaluation.writer import write_run
from analysis.panels.errors import failures_of
from analysis.panels.registry import SECTIONS
from analysis.run.answers import Answers
from analysis.scores.confusion import MISSED, SPURIOUS, Confusion
from analysis.scores.query import Filter
from analysis.views.research.controller import TabController
from analysis.views.research.failures import PAGE_SIZE
from analysis.views.research.image_store import ImageStore
from analysis.views.research.library import RunLibrary
from analysis.views.research.neighbours import neighbours
from analysis.views.research.shell import shell_html
from analysis.views.research.tabs import TABS
from analysis.views.research.view import View, written_filters
from analysis.views.service import TagService
from mmner_core.errors import InputError
from tests.analysis.small_run import small_table
from tests.app.research_run import EVIL, write_hand_made_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the hand-made run into a folder of runs."""
    folder = tmp_path_factory.mktemp("runs")
    write_hand_made_run(folder / "hand")
    return folder


@pytest.fixture(scope="module")
def controller(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> TabController:
    """Return a controller over that folder, without a model."""
    return TabController(TagService(tmp_path_factory.mktemp("none") / "checkpoint"), [runs])


def ask(controller: TabController, part: str, tab: str = "errors", **state: str) -> str:
    """Return the HTML of a part of the hand-made run."""
    answer = controller.part(tab, {"run": "hand", "part": part, **state})
    assert "problem" not in answer, answer["html"]
    return answer["html"]


def test_the_tabs_show_no_folder_of_the_server(tmp_path: Path) -> None:
    """A path is written from the run's or the data's folder on, of any other only its name is; in errors as well."""
    secret = tmp_path / "home" / "alice"
    data, places = secret / "corpora" / "conll", [f"{secret}/corpora/conll/en/test.txt:{i}" for i in (1, 2)]
    rows = small_table([("Ada lives", "B-PER O", "B-ORG O")] * 2, where=places)
    command = f"python -m analysis run --data={data} --checkpoint {secret}/model --out '{secret}/my runs/one'"
    facts = {"command": command, "split": "test", "data": {"path": str(data), "split": "test"}}
    write_run(secret / "my runs" / "one", rows, metrics={}, provenance=facts)
    controller = TabController(TagService(tmp_path / "checkpoint"), [secret / "my runs"])
    parts = [(tab, part.id) for tab, found in TABS.items() for part in found] + [
        ("errors", "controls"),
        ("errors", "inspect"),
    ]
    said = "".join(json.dumps(controller.part(tab, {"run": "one", "part": part, "row": "1"})) for tab, part in parts)
    assert str(tmp_path) not in said and "alice" not in said
    shown = controller.part("errors", {"run": "one", "part": "scores"})["html"]
    assert "run --data=conll --checkpoint model --out one" in shown and "report one --only scores" in shown
    assert "conll/en/test.txt:2" in controller.part("errors", {"run": "one", "part": "inspect", "row": "1"})["html"]
    file = controller.part("errors", {"run": "one", "part": "failures", "download": "csv"})["file"]
    assert "conll/en/test.txt:1" in base64.b64decode(file["data"]).decode()
    assert "alice" not in base64.b64decode(file["data"]).decode()
    (secret / "my runs" / "one" / "metrics.json").write_text("{}")
    os.utime(secret / "my runs" / "one" / "provenance.json", ns=(1, 1))  # as if it were written anew
    problem = controller.part("errors", {"run": "one", "part": "scores"})
    assert problem["problem"] and "damaged or changed" in problem["html"] and "alice" not in problem["html"]


def answers(controller: TabController) -> Answers:
    """Return the answers of the hand-made run."""
    return controller.library.run("hand").answers()


def test_every_part_answers(controller: TabController) -> None:
    """Each part of each tab gives HTML; what the run lacks is said in a sentence, never an error of ours."""
    for tab, parts in TABS.items():
        for part in parts:
            answer = controller.part(tab, {"run": "hand", "part": part.id})
            assert "went wrong on our side" not in answer["html"], (tab, part.id)


def test_each_panel_is_in_the_tab_of_its_section() -> None:
    """What the report has is in the app too, but for panels that a control of another one leads to."""
    for section in SECTIONS:
        shown = {part.id for part in TABS[section.tab]}
        missing = {kind.id for kind in section.panels} - shown
        assert missing <= {"confusion-languages", "failures-first", "entity-map"}, section.id


@pytest.mark.parametrize("tab", list(TABS))
def test_markup_of_a_run_stays_text(controller: TabController, tab: str) -> None:
    """Words of a run are escaped wherever they come: tables, cells, cards, inspector, figures."""
    states = ({"row": "2", "cell": f"LOC,{MISSED}"}, {"row": "2", "find": "<script"}, {"language": "en"})
    for state in states:
        for part in (*(p.id for p in TABS[tab]), "inspect", "near", "controls"):
            answer = controller.part(tab, {"run": "hand", "part": part, **state})
            assert "<script" not in json.dumps(answer)


def test_cells_lead_to_as_many_entities_as_the_matrix_counts(controller: TabController) -> None:
    """The list behind each cell names as many entities as the cell says, in every language and both readings."""
    for reading in ("overlap", "exact"):
        cells = Confusion.build(answers(controller), "overlap" if reading == "overlap" else "exact")
        for language in ("", "en", "de"):
            counts = cells.counts(language or None)
            html = ask(controller, "confusion", language=language, reading=reading)
            for row in counts.index:
                for column in counts.columns:
                    if (row, column) == (SPURIOUS, MISSED):
                        continue
                    n = int(counts.loc[row, column])
                    assert re.search(rf'"cell": "{row},{column}"[^>]*>{n}</button>', unescape(html))
                    listed = ask(controller, "cell", language=language, reading=reading, cell=f"{row},{column}")
                    assert f"{n} entit" in listed
                    assert len(re.findall(r'class="wb-item"', listed)) == len(
                        set(cells.entities(row, column, language or None)["sentence_id"])
                    )


def test_a_difference_lists_the_cell_of_both_languages(controller: TabController) -> None:
    """Where the matrix shows one language minus another, a cell opens the sentences of the two."""
    html = ask(controller, "cell", values="en-de", cell="PER,ORG")
    assert "3 entities in 2 sentences" in html
    assert "points" in controller.part("errors", {"run": "hand", "part": "confusion", "values": "en-de"})["html"]


def test_failures_are_filtered_sorted_and_paged(controller: TabController) -> None:
    """Filters of the address and the tab's language narrow the table; the order follows the column asked for."""
    everything = failures_of(controller.library.run("hand"), "matched")
    assert ask(controller, "failures").count('class="wb-failure"') == len(everything) == 6
    missed = written_filters((Filter(column="error", operator="is", value="missed"),))
    assert "1 error of 6" in ask(controller, "failures", filters=missed)
    assert "No error passes" in ask(controller, "failures", filters=missed, language="de")
    ids = [int(i) for i in re.findall(r"Inspect sentence (\d+)", ask(controller, "failures", sort="-loss"))]
    assert ids == sorted(ids, reverse=True)  # a sentence's loss is its number
    assert 'aria-sort="descending"' in ask(controller, "failures", sort="-loss")


def test_a_page_holds_no_more_than_its_rows(tmp_path: Path) -> None:
    """Many errors come page by page; a page after the last is the last."""
    table = small_table([("Ada", "B-PER", "O")] * (2 * PAGE_SIZE + 3))
    write_run(tmp_path / "many", table, metrics={}, provenance={})
    controller = TabController(TagService(tmp_path / "none"), [tmp_path])
    sizes = []
    for page in ("1", "3", "99"):
        html = controller.part("errors", {"run": "many", "part": "failures", "page": page})["html"]
        sizes.append(html.count('class="wb-failure"'))
    assert sizes == [PAGE_SIZE, 3, 3]
    assert "Page 3 of 3" in html


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"run": "gone"}, "no run"),
        ({"condition": "fog"}, "no image condition"),
        ({"part": "failures", "page": "x"}, "whole number"),
        ({"part": "failures", "filters": "{"}, "list of filters"),
        ({"part": "failures", "filters": '[["nope", "is", 1]]'}, "no column"),
        ({"part": "failures", "filters": '[["loss", "near", 1]]'}, "no operator"),
        ({"part": "failures", "sort": "nope"}, "no column"),
        ({"part": "cell", "cell": "PER"}, "row and a column"),
        ({"part": "cell", "cell": "PER,NOPE"}, "no cell"),
        ({"part": "confusion", "values": "xx-en"}, "cannot show"),
        ({"part": "confusion", "values": "runs"}, "Choose a run"),
        ({"part": "inspect", "row": "99"}, "took no part"),
        ({"part": "nope"}, "no part"),
    ],
)
def test_a_bad_address_is_told_in_one_sentence(controller: TabController, state: dict[str, str], told: str) -> None:
    """Whatever stands in the address, the part says what is wrong with it."""
    answer = controller.part("errors", {"run": "hand", "part": "scores", **state})
    assert answer["problem"]
    assert told in answer["html"]
    assert "our side" not in answer["html"]


def test_what_a_figure_shows_can_be_had_as_csv(controller: TabController) -> None:
    """The bars of the error classes, which the table has finer, are a file of their own."""
    assert 'data-download="figure"' in ask(controller, "taxonomy")
    file = controller.part("errors", {"run": "hand", "part": "taxonomy", "download": "figure"})["file"]
    table = pd.read_csv(io.BytesIO(base64.b64decode(file["data"])))
    assert file["name"] == "taxonomy-figure.csv"
    assert table.groupby("language")["share"].sum().round(9).eq(1).all()


def test_rows_that_name_a_sentence_open_it(controller: TabController) -> None:
    """Where the annotation may be wrong, the number of each sentence is a button."""
    html = ask(controller, "noise")
    assert html.count('aria-label="Inspect sentence') == html.count("<tr><td") > 0


def test_every_column_can_be_sorted_by(controller: TabController) -> None:
    """Up and down, also those that the page does not show."""
    html = ask(controller, "failures")
    for column in failures_of(controller.library.run("hand"), "matched").columns.drop("sentence"):
        assert f'<option value="{column}">' in html and f'<option value="-{column}">' in html
    assert '<option value="-gold_text" selected>' in ask(controller, "failures", sort="-gold_text")


def test_temperature_is_fitted_on_the_valid_run(tmp_path: Path) -> None:
    """A valid run of the same checkpoint is found, one of the same data first; it can be chosen and declined."""
    for name, checkpoint, split, data in (
        ("test", "aa", "test", "d"), ("far", "aa", "valid", "e"), ("near", "aa", "valid", "d"),
        ("stranger", "bb", "valid", "d"),
    ):  # fmt: skip
        rows = [("Ada", "B-PER", "B-PER" if i % 3 else "B-ORG") for i in range(60)]
        facts = {"checkpoint": {"digest": checkpoint}, "data": {"path": data, "split": split}}
        write_run(tmp_path / name, small_table(rows), metrics={}, provenance=facts)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "provenance.json").write_text("{")
    controller = TabController(TagService(tmp_path / "none"), [tmp_path])
    assert controller.library.valid_runs(controller.library.run("test")) == ["near", "far"]

    def fitted(**state: str) -> str:
        return controller.part("errors", {"run": "test", "part": "calibration", **state})["html"]

    assert "Temperature fitted on run near (valid, d, 60 sentences)" in fitted()
    assert "Temperature fitted on run far (valid, e" in fitted(valid="far")
    assert "Temperature fitted on the other half" in fitted(valid="-")
    assert "no run of this checkpoint over validation data" in fitted(valid="stranger")


def test_the_curves_over_a_least_confidence_are_of_the_chosen_type(controller: TabController) -> None:
    """The drop-down names the run's types; a chosen one has its own counts, a language its own rows."""

    def rows(**state: str) -> pd.DataFrame:
        asked = {"run": "hand", "part": "threshold", "download": "csv", **state}
        file = controller.part("errors", asked)["file"]
        return pd.read_csv(io.BytesIO(base64.b64decode(file["data"])))

    html = ask(controller, "threshold", entity_type="ORG")
    assert '<option value="ORG" selected>ORG</option>' in html and '<option value="">All types</option>' in html
    everything, of_type = rows(), rows(entity_type="ORG")
    assert set(of_type["type"]) == {"ORG"} and (of_type["gold"] == 0).all()
    assert everything.loc[0, ["kept", "right", "predicted", "gold"]].tolist() == [6, 1, 6, 6]
    assert set(rows(language="de")["language"]) == {"de"}
    answer = controller.part("errors", {"run": "hand", "part": "threshold", "entity_type": "NOPE"})
    assert "no type 'NOPE'" in unescape(answer["html"])


def test_downloads_hold_all_rows(controller: TabController) -> None:
    """CSV and Parquet of the failure table are the filtered table, all columns and pages."""
    sizes = {}
    for kind in ("csv", "parquet"):
        file = controller.part("errors", {"run": "hand", "part": "failures", "download": kind})["file"]
        content = io.BytesIO(base64.b64decode(file["data"]))
        table = pd.read_csv(content) if kind == "csv" else pd.read_parquet(content)
        assert file["name"] == f"failures-matched.{kind}"
        sizes[kind] = table.shape
    assert sizes["csv"] == sizes["parquet"] == failures_of(controller.library.run("hand"), "matched").shape


def test_only_photos_below_known_folders_are_shown(controller: TabController, tmp_path: Path) -> None:
    """A run cannot make the app show files from elsewhere, by absolute path, by climbing or by a link."""
    run = controller.library.run("hand")
    allowed, outside = tmp_path / "allowed", tmp_path / "outside"
    for folder in (allowed, outside):
        folder.mkdir()
        Image.new("RGB", (8, 8)).save(folder / f"{folder.name}.png")
    (allowed / "link.png").symlink_to(outside / "outside.png")
    store = ImageStore([allowed])
    assert store.find(run, str(allowed / "allowed.png")) == allowed / "allowed.png"
    assert store.find(run, "elsewhere/allowed.png") == allowed / "allowed.png"
    for path in (
        str(outside / "outside.png"),
        "../outside/outside.png",
        str(allowed / "link.png"),
        "/etc/passwd",
        "a\0b",
    ):
        assert store.find(run, path) is None


def test_inspector_shows_gold_over_prediction(controller: TabController) -> None:
    """The inspector marks both sides, says what text alone gives, and names the error."""
    html = ask(controller, "inspect", row="1")
    lines = re.findall(r'wb-line-name">([^<]+)</span>.*?wb-label">([^<]+)<', html, flags=re.DOTALL)
    assert lines == [("gold", "PER"), ("predicted", "ORG 0.90"), ("without the image", "PER 0.90")]
    assert "wrong type" in html
    assert "took no part" in controller.part("errors", {"run": "hand", "part": "inspect", "row": "7"})["html"]


def test_neighbours_are_the_nearest_by_cosine(controller: TabController) -> None:
    """Neighbours come nearest first, right and wrong ones apart, never the sentence itself."""
    run = controller.library.run("hand")
    vectors = run.embedding("text").astype(float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    right, wrong = neighbours(run, 1, "text", each=9)
    assert [n.sentence_id for n in right] == [0]
    expected = sorted((2, 3, 4, 5), key=lambda i: -float(vectors[i] @ vectors[1]))
    assert [n.sentence_id for n in wrong] == expected
    assert wrong[0].cosine == pytest.approx(float(vectors[expected[0]] @ vectors[1]), abs=1e-3)


def test_library_names_runs_and_says_what_is_broken(runs: Path, tmp_path: Path) -> None:
    """Runs are found by folder; a damaged one is told when it is opened, and does not take the others with it."""
    write_hand_made_run(tmp_path / "hand")
    write_hand_made_run(tmp_path / "bad")
    (tmp_path / "bad" / "predictions.parquet").write_bytes(b"x")
    library = RunLibrary([runs, tmp_path])
    names = list(library.paths())
    assert {"hand", "bad", f"{tmp_path.name}/hand"} <= set(names)
    assert library.run("hand") is library.run("hand")
    with pytest.raises(InputError, match="damaged or changed"):
        library.run("bad")


def test_view_reads_what_the_page_writes() -> None:
    """Filters survive the way through the address; parameters of others are not ours."""
    filters = (
        Filter(column="loss", operator="at least", value="2"),
        Filter(column="text", operator="contains", value="ü"),
    )
    view = View.read({"filters": written_filters(filters), "cell": "PER,a,b", "utm": "x", "pick": "3,4", "page": "0"})
    assert view.filters == filters
    assert view.cell == ("PER", "a,b")
    assert (view.pick, view.page) == ((3, 4), 1)


def test_shell_holds_every_part_and_a_way_to_it() -> None:
    """The empty page of a tab has a place per part and names each chapter."""
    for tab, parts in TABS.items():
        html = shell_html(tab, "library.js")
        for part in parts:
            assert f'data-part="{part.id}"' in html
            assert not part.chapter or f'data-jump="{part.id}"' in html
    assert EVIL not in html
