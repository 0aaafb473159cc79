"""What visitors keep beside runs, without a browser: corrections and slices, who may, and hostile values."""

from __future__ import annotations

import base64
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from analysis.views.research.controller import TabController
from analysis.views.service import TagService
from mmner_core.errors import InputError
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.options import read_config
from mmner_core.serving.visitor import acting_for
from tests.app.research_run import DATA, EVIL, write_hand_made_run
from tests.app.serving import serving

LOGIN = {"username": "ada", "password": "long enough"}


def opened(tmp_path: Path, config: ServingConfig | None = None) -> TabController:
    """Return a controller over the hand-made run, without a model."""
    if not (tmp_path / "runs").exists():
        write_hand_made_run(tmp_path / "runs" / "hand")
    return TabController(TagService(tmp_path / "checkpoint", config), [tmp_path / "runs"])


def ask(controller: TabController, part: str, **state: str) -> str:
    """Return the HTML of a part of the run."""
    answer = controller.part("errors", {"run": "hand", "part": part, **state})
    assert "problem" not in answer, answer["html"]
    return answer["html"]


def keep(controller: TabController, form: object, user: str = "", **state: str) -> dict[str, Any]:
    """Send a form."""
    with acting_for(user or None):
        return controller.save({"run": "hand", "form": form, **state})


def test_a_correction_is_kept_shown_scored_and_downloaded(tmp_path: Path) -> None:
    """In the inspector with who said so, in the list, in both scores and in the file."""
    controller = opened(tmp_path)
    form = {"kind": "correction", "tags": ["B-ORG", "O"], "note": "a band"}
    assert keep(controller, form, "ada", row="1")["html"] == "The correction is kept."
    assert "Corrected by ada" in ask(controller, "correct", row="1") and "a band" in ask(controller, "correct", row="1")
    assert '<span class="wb-line-name">corrected</span>' in ask(controller, "inspect", row="1")
    assert "1 corrected sentence" in ask(controller, "corrected-scores")
    assert "[ORG Ada] lives" in ask(controller, "corrections")
    file = controller.part("errors", {"run": "hand", "part": "corrections", "download": "file-0"})["file"]
    assert file["name"] == "test.corrected.conll"
    assert base64.b64decode(file["data"]).decode().splitlines()[3:5] == ["Ada B-ORG", "lives O"]
    assert keep(controller, {"kind": "correction", "withdraw": "yes"}, row="1")["html"].endswith("withdrawn.")
    assert "Corrected by" not in ask(controller, "correct", row="1")


def test_a_slice_is_kept_and_stands_in_the_menus(tmp_path: Path) -> None:
    """With the filters, language and condition that were shown; its button and the drop-down set them again."""
    controller = opened(tmp_path)
    filters = json.dumps([["error", "is", "missed"]])
    state = {"filters": filters, "language": "en"}
    assert "error is missed, English" in ask(controller, "kept-slices", **state)
    assert "Kept as “overlooked”" in keep(controller, {"kind": "slice", "name": "overlooked"}, **state)["html"]
    for part in ("controls", "kept-slices"):
        written = re.findall(r'(?:data-set|value)="(\{[^"]*)"', ask(controller, part))
        sets = [json.loads(unescape(text)) for text in written]
        assert {"filters": filters, "language": "en", "condition": "", "page": ""} in sets, part
    assert "“error is missed” fits errors only" in ask(controller, "kept-slices")
    keep(controller, {"kind": "slice", "name": "German"}, language="de")
    assert "F1 0.000 of 3 gold entities, 4 predicted, too few for an interval" in ask(controller, "kept-slices")
    keep(controller, {"kind": "forget", "name": "German"})
    assert "removed" in keep(controller, {"kind": "forget", "name": "overlooked"})["html"]
    assert "data-sets" not in ask(controller, "controls")


def test_names_notes_and_users_are_text(tmp_path: Path) -> None:
    """Whatever a visitor types or is called, no part takes it for markup."""
    controller = opened(tmp_path)
    evil = EVIL[:80]
    assert "problem" not in keep(controller, {"kind": "slice", "name": evil, "note": EVIL}, EVIL, filters="")
    assert "problem" not in keep(controller, {"kind": "correction", "tags": ["O", "O"], "note": EVIL}, EVIL, row="2")
    for part in ("controls", "kept-slices", "correct", "corrections", "corrected-scores", "inspect"):
        html = ask(controller, part, row="2", filters=json.dumps([["text", "is", EVIL]]))
        assert "<script" not in html, part
    assert "<script" not in keep(controller, {"kind": "forget", "name": EVIL + "x"})["html"]


@pytest.mark.parametrize(
    ("form", "state", "said"),
    [
        (None, {}, "nothing of that kind"),
        ([], {}, "nothing of that kind"),
        ({"kind": "__init__"}, {}, "nothing of that kind"),
        ({"kind": ["correction"]}, {}, "nothing of that kind"),
        ({"kind": "correction", "tags": ["O", "O"]}, {}, "Choose a sentence"),
        ({"kind": "correction", "tags": "O O"}, {"row": "1"}, "list of tags"),
        ({"kind": "correction", "tags": ["O"]}, {"row": "1"}, "each of the 2 words"),
        ({"kind": "correction", "tags": [None, {}]}, {"row": "1"}, "each of the 2 words"),
        ({"kind": "correction", "tags": ["O", "B-XYZ"]}, {"row": "1"}, "knows no type"),
        ({"kind": "correction", "tags": ["O", "O"], "note": ["x"]}, {"row": "1"}, "A note is a text"),
        ({"kind": "correction", "tags": ["O", "O"]}, {"row": "77"}, "no sentence 77"),
        ({"kind": "slice"}, {}, "needs a name"),
        ({"kind": "slice", "name": "x", "note": 5}, {}, "A note is a text"),
        ({"kind": "slice", "name": "x"}, {"run": "../hand"}, "There is no run"),
        ({"kind": "forget", "name": "x"}, {}, "no slice"),
    ],
)
def test_a_form_that_is_none_is_refused(tmp_path: Path, form: object, state: dict[str, str], said: str) -> None:
    """In one sentence, and nothing is written."""
    answer = opened(tmp_path).save({"run": "hand", "form": form, **state})
    assert answer["problem"] and said in answer["html"]
    assert not list((tmp_path / "runs" / "hand").glob("*.jsonl"))


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({}, True),
        ({"host": "0.0.0.0"}, False),
        ({"allowed_hosts": ("names.example.org",)}, False),
        ({"root_path": "/names"}, False),
        ({"host": "0.0.0.0", "login": ("ada:long",)}, True),
        ({"host": "0.0.0.0", "annotations": True}, True),
        ({"annotations": False}, False),
        ({"login": ("ada:long",), "annotations": False}, False),
    ],
)
def test_a_public_server_keeps_nothing_unless_it_is_allowed(
    tmp_path: Path, settings: dict[str, Any], allowed: bool
) -> None:
    """Without a login only this machine may write; where nobody may, there are no forms and a call is refused."""
    controller = opened(tmp_path, ServingConfig(**settings))
    answer = keep(controller, {"kind": "slice", "name": "x"})
    assert ("problem" not in answer) == allowed
    assert ("data-save" in ask(controller, "kept-slices")) == allowed
    assert bool(ask(controller, "correct", row="1")) == allowed


def test_the_setting_is_read_like_any_other() -> None:
    """From the command line and the environment."""
    assert read_config(["--no-annotations"], {}).annotations is False
    assert read_config([], {"MMNER_ANNOTATIONS": "true"}).annotations is True
    assert read_config([], {}).annotations is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Without the server's folders; what is there stays."""
    controller = opened(tmp_path)
    (tmp_path / "runs" / "hand" / "slices.jsonl").mkdir()
    answer = keep(controller, {"kind": "slice", "name": "x"})
    assert answer["problem"] and "slices.jsonl" in answer["html"] and str(tmp_path) not in answer["html"]


def test_damaged_files_take_nothing_else_with_them(tmp_path: Path) -> None:
    """The parts that show them say so; controls, failures and inspector are there."""
    controller = opened(tmp_path)
    for name in ("slices.jsonl", "corrections.jsonl"):
        (tmp_path / "runs" / "hand" / name).write_text("{")
    for part in ("controls", "failures", "inspect"):
        ask(controller, part, row="1")
    for part in ("kept-slices", "correct", "corrections", "corrected-scores"):
        html = controller.part("errors", {"run": "hand", "part": part, "row": "1"})["html"]
        assert "jsonl:1" in html and str(tmp_path) not in html, part


@pytest.mark.slow
def test_a_correction_carries_the_name_of_who_is_logged_in(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Not what the request says; without the login nothing is written."""
    write_hand_made_run(tmp_path / "runs" / "hand")
    options = ("--runs", str(tmp_path / "runs"), "--login", ":".join(LOGIN.values()), "--visitor-rate", "0")
    with serving(tiny_checkpoint, *options) as url, httpx.Client(base_url=url, timeout=60) as client:
        form = {"kind": "correction", "tags": ["O", "O"], "by": "eve", "user": "eve"}
        call = {"data": {"run": "hand", "row": "1", "form": form}, "fn_name": "save", "session_hash": "abc"}
        assert client.post("gradio_api/component_server", json=call | {"component_id": 1}).status_code == 401
        client.post("login", data=LOGIN).raise_for_status()
        parts = client.get("config").json()["components"]
        number = next(p["id"] for p in parts if "wb-research" in str(p["props"].get("value")))
        answer = client.post("gradio_api/component_server", json=call | {"component_id": number})
        assert answer.json() == {"html": "The correction is kept."}, answer.text
    kept = json.loads((tmp_path / "runs" / "hand" / "corrections.jsonl").read_text())
    assert (kept["by"], kept["sentence_id"], kept["tags"]) == ("ada", 1, ["O", "O"])


def test_a_sentence_of_a_run_is_handed_over_with_its_photo(runs: Path) -> None:
    """Where the server may show it; else the text goes alone, and it is said that there is a photo."""
    controller = TabController(TagService(runs / "none" / "checkpoint"), [runs])
    photo, has_photo, language = controller.sentence({"run": "tiny", "row": "0"})
    assert photo is not None and photo.parent == (DATA / "images").resolve() and has_photo and language == "en"
    assert controller.sentence({"run": "tiny", "row": "0", "condition": "none"}) == (None, False, "en")
    assert controller.sentence({"run": "hand", "row": "0"})[:2] == (None, True)  # /etc/hostname is nobody's photo
    for state in ({}, {"row": "999"}, {"row": "x"}, {"row": "0", "run": "nowhere"}, {"row": "0", "condition": "fog"}):
        with pytest.raises(InputError):
            controller.sentence({"run": "tiny", **state})
