"""The page of the tab before anything is uploaded; the same for everybody."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from analysis.jobs.look import DATA_ENDINGS
from analysis.views.runs.summary import select
from mmner_core.text.words import LANGUAGE_NAMES

_SHELL = """<div class="wb-research wb-runs" data-tab="runs"><section class="wb-card">
<header class="wb-panel-head"><h3>Run a model on your own data</h3></header>
<p class="wb-how">One word and its tag per line (CoNLL, MMNERD with IMGID lines, CoNLL-U), JSON lines or CSV with the
columns words, tags, image and lang, or Parquet; a zip may hold several files, in folders named en, fr, de, es. Photos
come in a zip, named as the data name them. At most {megabytes:,.0f} MB each and {sentences:,} sentences.</p>
<form data-do="look" class="wb-ask"><div class="wb-choices">
<label class="wb-choice">Data set<input type="file" name="data" required accept="{endings}"></label>
<label class="wb-choice">Photos (zip, if there are any)<input type="file" name="photos" accept=".zip"></label>
{folders}{language}<button type="submit" class="wb-primary">Read it</button></div>
<p class="wb-run-problem" role="alert"></p><p class="wb-waiting" role="status"></p></form>
<div data-summary aria-live="polite"></div></section>
<section class="wb-card"><header class="wb-panel-head"><h3>Your runs</h3></header>
<p class="wb-run-problem" role="alert" data-list-problem></p>
<div data-list><p class="wb-waiting" role="status">Looking for your runs …</p></div></section></div>"""


def runs_shell_html(folders: Iterable[str], *, megabytes: float, sentences: int) -> str:
    """Return the tab with its list still empty.

    Args:
        folders: names of folders of photos on the server.
        megabytes: of an upload.
        sentences: of a run.
    """
    names = list(folders)
    choice = {"": "none"} | {name: name for name in names}
    languages = {"": "as the file says"} | dict(LANGUAGE_NAMES)
    return _SHELL.format(
        megabytes=megabytes,
        sentences=sentences,
        endings=",".join((*DATA_ENDINGS, ".zip")),
        folders=select("or a folder of this server", "folder", choice, "") if names else "",
        language=select("Language", "language", languages, ""),
    )


@cache
def runs_script() -> str:
    """Return the script of the tab."""
    return (Path(__file__).resolve().parent / "runs.js").read_text(encoding="utf-8")


@cache
def runs_style() -> str:
    """Return the style sheet of the tab."""
    return (Path(__file__).resolve().parent / "runs.css").read_text(encoding="utf-8")
