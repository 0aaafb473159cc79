"""Figures show what their tables hold, keep their colours, and read no text as markup."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.figures import (
    confusion_matrix,
    cosine_histogram,
    deletion_curves,
    figure_json,
    in_scheme,
    library_script,
    modality_bars,
    outcome_bars,
    reliability_diagram,
    score_bars,
    severity_lines,
    shapley_bars,
    slice_dots,
    space_map,
    taxonomy_bars,
    template_json,
    threshold_curves,
    transfer_matrix,
)
from analysis.figures.theme import BLUE, SCHEMES, colours_of, plain, template
from analysis.palette import contrast, type_colours
from tests.analysis.report_run import EVIL

INTERVAL = {"low": [0.4, None], "high": [0.7, None], "n_gold": [10, 0], "n_predicted": [9, 0]}


def scores() -> pd.DataFrame:
    """Return two rows of scores, one undefined, named as badly as can be."""
    return pd.DataFrame({"language": [EVIL, EVIL], "type": ["PER", EVIL], "f1": [0.6, None], **INTERVAL})


def points(n: int) -> pd.DataFrame:
    """Return n points of two modalities and nine types."""
    place = np.arange(n)
    names = [f"t{i % 9}" for i in place]
    modality = np.where(place % 2, "text", "image")
    return pd.DataFrame({"point": place, "x": place, "y": place, "modality": modality, "type": names, "text": EVIL})


def transfer() -> pd.DataFrame:
    """Return a transfer matrix of two training sets and two test sets, one cell undefined."""
    names = {"train": ["en", "en", EVIL, EVIL], "test": ["en", EVIL, "en", EVIL]}
    f1 = {"f1": [0.8, 0.5, None, 0.7], "low": [0.7, None, None, 0.6], "high": [0.9, None, None, 0.8]}
    return pd.DataFrame({**names, **f1, "zero_shot": [False, True, True, False]})


def all_figures() -> Iterator[object]:
    """Make each figure from a small table with a script in every text."""
    yield score_bars(scores())
    yield taxonomy_bars(pd.DataFrame({"language": [EVIL], "kind": [EVIL], "n_groups": [1], "share": [1.0]}))
    yield modality_bars(scores().assign(condition="c", difference=[0.1, None]), {"c": EVIL})
    quantity = pd.DataFrame({"label": [EVIL] * 2, "quantity": ["total", "share_text"], "value": [0.1, 0.1]})
    yield shapley_bars(quantity.assign(low=0.0, high=0.2), ["text"])
    yield outcome_bars(pd.DataFrame({"language": [EVIL], "fixed": [2], "broken": [1]}))
    yield slice_dots(scores().assign(heading=EVIL, label=EVIL), 0.5)
    yield confusion_matrix(pd.DataFrame([[3, 1], [2, 0]], index=[EVIL, "spurious"], columns=[EVIL, "missed"]))
    bins = {"series": [EVIL], "low": [0.0], "high": [0.1], "n": [3], "confidence": [0.05], "accuracy": [0.1]}
    yield reliability_diagram(pd.DataFrame(bins).assign(accuracy_low=0.0, accuracy_high=0.2))
    kept = {
        "threshold": [0.0, 0.5],
        "precision": [0.5, None],
        "recall": 0.4,
        "f1": 0.45,
        "f1_at_random": 0.4,
        "kept": 3,
    }
    yield threshold_curves(pd.DataFrame(kept).assign(low=0.3, high=[0.5, None]))
    severity = {"corruption": [EVIL] * 2, "severity": [0, 1], "difference": [0.1, 0.0], "low": [0.0, None]}
    yield severity_lines(pd.DataFrame(severity).assign(high=0.2))
    curve = {"kind": "deletion", "method": EVIL, "share": [0.0, 1.0], "value": 0.5, "low": 0.4, "high": 0.6}
    yield deletion_curves(pd.DataFrame(curve))
    yield cosine_histogram(pd.DataFrame({"pairs": [EVIL], "low": [0.0], "high": [0.1], "share": [1.0]}))
    yield space_map(points(20))
    yield transfer_matrix(transfer(), "train", "test", "zero_shot")


def test_no_text_of_a_figure_is_markup() -> None:
    """Neither the page nor plotly, which reads tags in its labels, meets a tag that a user wrote."""
    for figure in all_figures():
        text = figure_json(figure)
        assert "<" not in text
        content = json.loads(text)
        for trace in content["data"]:
            if trace["type"] == "heatmap":
                trace.pop("customdata")  # handed to programs, never drawn
        assert "<script>" not in json.dumps(content)


def test_bars_show_the_scores_with_their_intervals() -> None:
    """Heights are the F1, whiskers reach to the bounds, and an undefined score has neither."""
    first, second = score_bars(scores()).data
    assert first.y[0] == 0.6
    assert first.error_y.array[0] == pytest.approx(0.1) and first.error_y.arrayminus[0] == pytest.approx(0.2)
    assert np.isnan(second.y[0]) and np.isnan(second.error_y.array[0])


def test_a_cell_carries_its_names_and_the_difference_is_centred() -> None:
    """A click finds row and column; equal colours mean equal distance from 0; no cell is both spurious and missed."""
    matrix = pd.DataFrame([[0.3, -0.1], [np.nan, 0.0]], index=["PER", "spurious"], columns=["PER", "missed"])
    heat = confusion_matrix(matrix, "difference").data[0]
    assert list(heat.customdata[0][1]) == ["PER", "missed"]
    assert heat.zmin == -heat.zmax == -0.3
    assert [list(row) for row in heat.text] == [["+30%", "\u221210%"], ["–", ""]]


def test_zero_shot_cells_of_a_transfer_matrix_are_marked() -> None:
    """A dagger beside the number and the word when pointed at, with the interval; an undefined cell says so."""
    heat = transfer_matrix(transfer(), "train", "test", "zero_shot").data[0]
    assert [list(row) for row in heat.text] == [["80.0", "50.0 †"], ["–", "70.0"]]
    hints = [["F1 80.0 (70.0 to 90.0)", "F1 50.0, zero-shot"], ["not defined", "F1 70.0 (60.0 to 80.0)"]]
    assert [list(row) for row in heat.customdata] == hints
    assert [list(row) for row in heat.z] == [[0.8, 0.5], [None, 0.7]]


def test_counts_are_coloured_by_their_share_of_the_row() -> None:
    """Three of four in a rare row is as strong as 300 of 400, and the number written is the count."""
    matrix = pd.DataFrame([[3, 1], [300, 100]], index=["PER", "spurious"], columns=["PER", "missed"])
    heat = confusion_matrix(matrix).data[0]
    assert heat.z[0][0] == heat.z[1][0] == 0.75 and heat.text[0][0] == "3"


def test_many_points_go_to_the_graphics_card_with_their_ids() -> None:
    """Ten thousand points are WebGL, all of them there, clicks resolved by id; the rarest colours are put together."""
    figure = space_map(points(10_000))
    drawn = [trace for trace in figure.data if trace.customdata is not None and len(trace.customdata)]
    assert {trace.type for trace in drawn} == {"scattergl"}
    assert sorted(np.concatenate([trace.customdata for trace in drawn])) == list(range(10_000))
    assert "others (2)" in {trace.name for trace in drawn}
    assert space_map(points(100)).data[0].type == "scatter"


def test_pairs_are_joined_line_by_line() -> None:
    """The pen is lifted between two pairs."""
    pairs = pd.DataFrame({"x_text": [0, 1], "y_text": [0, 1], "x_image": [2, 3], "y_image": [2, 3]})
    x = space_map(points(4), pairs=pairs).data[0].x
    np.testing.assert_array_equal(x, [0, 2, np.nan, 1, 3, np.nan])


def test_colours_mean_the_same_everywhere() -> None:
    """Types have the marks' colours, languages their own whatever else is shown."""
    assert colours_of(["PER", "LOC"], ["PER", "LOC"]) == type_colours(["PER", "LOC"])
    assert colours_of(["xx", "en"])["en"] == colours_of(["en"])["en"] == BLUE


@pytest.mark.parametrize("scheme", SCHEMES)
def test_words_in_figures_can_be_read(scheme: str) -> None:
    """Text has a contrast of 4.5 against the card it stands on, in light and in dark."""
    layout = template(scheme).layout
    card = layout.hoverlabel.bgcolor
    for colour in (layout.font.color, layout.xaxis.tickfont.color, layout.hoverlabel.font.color):
        assert contrast(colour, card) >= 4.5


def test_a_scheme_changes_the_look_and_nothing_else() -> None:
    """The dark figure has the same data; the first one stays light."""
    light = score_bars(scores())
    dark = in_scheme(light, "dark")
    assert json.loads(figure_json(dark)) == json.loads(figure_json(light))
    assert light.layout.template.layout.font.color != dark.layout.template.layout.font.color
    assert set(json.loads(template_json())) == set(SCHEMES)


def test_plain_text_survives_plotly() -> None:
    """Tags and entities are written out."""
    assert plain("<b>&amp;") == "&lt;b&gt;&amp;amp;"


@pytest.mark.slow
def test_only_the_figures_import_plotly() -> None:
    """Panels without a figure, runs and the command line start without it."""
    code = "import sys, analysis.panels, analysis.report, analysis.cli.main; sys.exit('plotly' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_the_library_can_stand_inside_a_page() -> None:
    """plotly.js holds nothing that would end its script element."""
    assert "</script" not in library_script().lower()
