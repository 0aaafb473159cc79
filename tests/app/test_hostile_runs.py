"""A run in which every text is an attack: nothing of it runs in the research tabs, in figures or in a spreadsheet."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from analysis.evaluation.writer import write_run
from analysis.views.research.controller import TabController
from analysis.views.research.tabs import TABS
from analysis.views.service import TagService
from tests.analysis.small_run import small_table
from tests.app.attacking import active_content

IMAGE = "<img/src=x/onerror=alert(1)>"
TYPE = "<img/src=x/onerror=alert(2)>"
FORMULA = '=HYPERLINK("http://x","y")'
WORDS = (
    f'{IMAGE} "><svg/onload=alert(3)> {FORMULA} </script><script>alert(4)</script> javascript:alert(5) ${{alert(6)}}'
)
ROWS = [
    (WORDS, f"B-{TYPE} O O O O O", "O O O O O B-PER"),
    (WORDS, f"B-{TYPE} I-{TYPE} O O O O", f"B-LOC O O O O B-{TYPE}"),
    (f"{FORMULA} Ada", "O B-PER", "B-PER O"),
    (f"{FORMULA} Ada", "B-PER O", f"B-{TYPE} O"),
]
NAMES = ("<img src=x onerror=alert(7)>", "plain")
STATES: tuple[dict[str, str], ...] = (
    {"row": "1", "cell": f"{TYPE},PER"},
    {"row": "0", "find": IMAGE, "ask": IMAGE, "point": "0", "language": "de"},
    {"row": IMAGE, "run": IMAGE, "condition": IMAGE, "language": IMAGE, "page": IMAGE, "sort": IMAGE, "colour": IMAGE},
    {"filters": json.dumps([[IMAGE, IMAGE, IMAGE]]), "pick": IMAGE, "values": IMAGE, "against": IMAGE},
)


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> TabController:
    """Write the run under a hostile name, twice, and return a controller over both."""
    folder = tmp_path_factory.mktemp("runs")
    n = len(ROWS)
    columns: dict[str, Any] = {
        "language": ["en", "de", "en", "de"],
        "where": [IMAGE] * n,
        "source": [IMAGE] * n,
        "kind": [IMAGE, FORMULA] * 2,
        "image_id": [IMAGE] * n,
        "image_path": [f"{IMAGE}.jpg", "/etc/passwd", "..%2f..%2fetc%2fpasswd", "http://127.0.0.1:9/x.jpg"],
    }
    vectors = np.random.default_rng(1).normal(size=(2, n, 4)).astype(np.float16)
    for name in NAMES:
        without = small_table([(w, g, g) for w, g, _ in ROWS], condition="none", cosine=[None] * n, **columns)
        write_run(
            folder / name,
            pa.concat_tables([small_table(ROWS, **columns), without]),
            metrics={},
            provenance={
                "command": IMAGE,
                "split": IMAGE,
                "data": {"path": IMAGE},
                "checkpoint": {"path": IMAGE, "digest": IMAGE},
            },
            embeddings={
                "sentence_id": np.arange(n, dtype=np.int32),
                "text": vectors[0],
                "image_vit": vectors[1],
                "has_image": np.ones(n, dtype=np.uint8),
            },
        )
    return TabController(TagService(folder / "no checkpoint"), [folder])


@pytest.fixture(scope="module")
def replies(controller: TabController) -> dict[str, list[dict[str, Any]]]:
    """Ask every part of each tab in every state, with either run."""
    return {
        tab: [
            controller.part(tab, {"run": run, "part": part, **state})
            for state in STATES
            for run in NAMES
            for part in (*(part.id for part in parts), "inspect", "near", "hover", "controls", IMAGE)
        ]
        for tab, parts in TABS.items()
    }


@pytest.mark.parametrize("tab", list(TABS))
def test_nothing_of_a_run_or_an_address_runs(replies: dict[str, list[dict[str, Any]]], tab: str) -> None:
    """Names of runs, words, types, sources, photos and provenance are text, and so is whatever the address says."""
    assert any(IMAGE.replace("<", "&lt;").replace(">", "&gt;") in reply["html"] for reply in replies[tab])
    for reply in replies[tab]:
        assert active_content(reply["html"]) == []
        assert "root:" not in reply["html"]
        assert "our side" not in reply["html"]


@pytest.mark.parametrize("tab", list(TABS))
def test_figures_hold_no_markup_of_a_run(replies: dict[str, list[dict[str, Any]]], tab: str) -> None:
    """Plotly reads some tags and links in labels and hover texts; those of a run are escaped before."""
    for reply in replies[tab]:
        figure = json.dumps({key: value for key, value in reply.items() if key not in ("html", "file")})
        assert not re.search(r"<(img|svg|script|a )", figure, re.IGNORECASE)


def test_a_spreadsheet_finds_no_formula(controller: TabController) -> None:
    """No cell of any table that can be saved begins as a formula does."""
    saved = 0
    for tab, parts in TABS.items():
        for part in parts:
            reply = controller.part(tab, {"run": "plain", "part": part.id, "download": "csv"})
            if "file" not in reply:
                continue
            saved += 1
            text = base64.b64decode(reply["file"]["data"]).decode("utf-8-sig")
            for row in csv.reader(io.StringIO(text)):
                assert [cell for cell in row if re.match(r"[=+@\t\r]|-(?!\d|inf|nan)", cell)] == []
    assert saved > 3
