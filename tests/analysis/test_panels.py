"""Panels hold the numbers of the analysis, say what they rest on, and what a run lacks."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.panels import Panel, PanelKind
from analysis.panels.compare import outcomes
from analysis.panels.confusion import confusion, confusion_languages
from analysis.panels.display import MISSING, shown_table
from analysis.panels.embedding import cosines, geometry, retrieval
from analysis.panels.errors import failures_first, taxonomy
from analysis.panels.faithfulness import chance_badge, faithfulness
from analysis.panels.minimal_pairs import minimal_pairs
from analysis.panels.modality import modality, severity
from analysis.panels.panel import shortened
from analysis.panels.pointing import boxes, mosaics, pointing
from analysis.panels.registry import SECTIONS
from analysis.panels.scores import scores
from analysis.panels.selection import Chosen
from analysis.panels.shapley import shapley, shares_of_sentence
from analysis.panels.space_map import entity_map, pairs_of, points_of, space_map
from analysis.panels.stress import stress
from analysis.run.folder import EvaluationRun
from analysis.scores.metrics import judge, score
from mmner_core.errors import InputError
from tests.analysis.report_run import LANGUAGES, N, empty_run, model_run, tags_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> EvaluationRun:
    """Write a run with everything in it."""
    return model_run(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> EvaluationRun:
    """Write a second run over the same sentences."""
    return model_run(tmp_path_factory.mktemp("runs"), seed=1, name="before")


def all_panels(run: EvaluationRun) -> Iterator[Panel]:
    """Make every panel of one run."""
    chosen = Chosen(run)
    return (panel for section in SECTIONS for kind in section.kinds(chosen) for panel in kind.panels(chosen))


@pytest.mark.parametrize("kind", [kind for section in SECTIONS for kind in section.panels], ids=lambda kind: kind.id)
def test_every_panel_of_a_full_run_says_what_it_rests_on(
    run: EvaluationRun, other: EvaluationRun, kind: PanelKind[...]
) -> None:
    """A sentence on how to read it, rule, split, n and command; a figure never without its alternative."""
    for panel in kind.panels(Chosen(run, other)):
        assert len(panel.table), f"{panel.id}: {panel.notes}"
        assert panel.how_to_read.endswith(".") and panel.rule and panel.n, panel.id
        assert panel.split == "test, the data"
        assert panel.command.startswith("python -m analysis run --data 'the data'")
        assert f"--only {panel.command.split('--only ')[1].split()[0]} " in panel.command
        assert bool(panel.alternative) == (panel.figure is not None), panel.id
        assert re.fullmatch(r"[a-z0-9-]+", panel.id)


@pytest.mark.parametrize("make", [tags_run, empty_run])
def test_a_run_that_lacks_something_says_so_in_a_sentence(make: object) -> None:
    """Runs without model, photos or entities make every panel; an empty one has a note instead of a number."""
    found = list(all_panels(make()))
    for panel in found:
        if panel.table.empty:
            assert panel.notes and panel.figure is None and all(note.endswith(".") for note in panel.notes), panel.id
    without = {panel.id for panel in found if panel.table.empty}
    assert {"calibration", "noise", "leakage", "modality", "shapley", "faithfulness", "map", "retrieval"} <= without


def test_scores_are_those_of_the_metrics(run: EvaluationRun) -> None:
    """The first row is strict F1 over everything, as worked out from the answers."""
    answers = run.answers()
    expected = score(judge(answers.gold, answers.predicted).counts(), "strict").f1
    panel = scores(run)
    assert panel.table["f1"].iloc[0] == pytest.approx(expected)
    assert f"{expected:.3f}" in panel.alternative
    assert panel.n == f"{N} sentences, {2 * N} gold entities"


def test_confusion_keeps_its_margins_and_differences_their_sign(run: EvaluationRun) -> None:
    """Rows of a language sum to its gold entities; swapping the languages swaps the sign."""
    table = confusion(run, "en").table
    rows = table[table["gold"] != "spurious"].drop(columns="gold")
    assert rows.to_numpy().sum() == (run.answers().languages[run.answers().gold.sentence] == "en").sum()
    one, two = (confusion_languages(run, *pair).table.drop(columns="gold") for pair in (("en", "de"), ("de", "en")))
    pd.testing.assert_frame_equal(one, -two, check_exact=False, atol=1e-12)


def test_a_language_that_is_not_known_is_called_so() -> None:
    """Sentences without a language have a matrix and a bar of their own name, not that of all."""
    theirs = tags_run(languages=("", "en"))
    assert confusion(theirs, "").id == "confusion-unknown" and confusion(theirs).id == "confusion-all-languages"
    assert list(scores(theirs).figure.data[0].x) == ["all", "unknown", "en"]


def test_taxonomy_counts_each_entity_once(run: EvaluationRun) -> None:
    """Over the classes of all languages stand all gold and all predicted entities."""
    table = taxonomy(run).table
    everything = table[table["language"] == "all"]
    assert everything["n_gold"].sum() == len(run.answers().gold)
    assert everything["n_predicted"].sum() == len(run.answers().predicted)


def test_failures_come_by_loss_and_say_when_they_are_cut(run: EvaluationRun) -> None:
    """The highest loss is first, and a list that is not whole says how long it is."""
    panel = failures_first(run, limit=3)
    assert panel.table["loss"].is_monotonic_decreasing and len(panel.table) == 3
    assert re.fullmatch(r"The first 3 of \d+ rows by loss\.", panel.notes[0])
    assert shortened(panel.table, 3, "loss")[1] == ()


def test_modality_leaves_hidden_words_to_the_shapley_shares(run: EvaluationRun) -> None:
    """Conditions without words are no image conditions; corruptions have their own panel, from severity 0."""
    shown = set(modality(run).table["condition"])
    assert {"matched", "shuffled", "blank"} <= shown and not shown & {"nothing", "image_only", "blur-1", "none"}
    assert set(severity(run).table["severity"]) == {0, 1, 5}


def test_changed_texts_have_a_panel_of_their_own(run: EvaluationRun) -> None:
    """Compared with the text as it is, per language and type, with n; the images' panel does not count them."""
    panel = stress(run)
    assert set(panel.table["condition"]) == {"small letters"} and panel.n == f"{N} sentences"
    over_all = panel.table[(panel.table["type"] == "all") & (panel.table["language"] == "all")].iloc[0]
    assert over_all["n_changed"] == over_all["n_sentences"] == N
    assert over_all["difference"] == pytest.approx(over_all["f1"] - over_all["f1_clean"])
    assert over_all["low"] <= over_all["difference"] <= over_all["high"]
    assert "lower_case" not in set(modality(run).table["condition"])


def test_shares_add_up_in_the_table(run: EvaluationRun) -> None:
    """Text and image together are the total, row by row."""
    table = shapley(run).table
    np.testing.assert_allclose(table["share_text"] + table["share_image"], table["total"], atol=1e-9)


def test_the_shares_of_one_sentence_add_up(run: EvaluationRun) -> None:
    """Of text and each image stream, from what the model gives with nothing shown to what it gives with everything."""
    shares = shares_of_sentence(run, 3)
    parts = shares[["nothing", "share_text", "share_cnn", "share_vit"]].sum(axis=1)
    assert len(shares) == 2 and parts.to_numpy() == pytest.approx(shares["everything"].to_numpy())
    with pytest.raises(InputError, match="only those beside a photo"):
        shares_of_sentence(run, 10_000)
    with pytest.raises(InputError, match="lacks the conditions"):
        shares_of_sentence(tags_run(), 0)


def test_minimal_pairs_are_found_by_their_words(run: EvaluationRun) -> None:
    """Twelve sentences of each language share their words and have three gold readings: 48 pairs each of them."""
    panel = minimal_pairs(run)
    drawn = panel.table[(panel.table["language"] == "en") & (panel.table["outcome"] != "flipped the right way")]
    assert drawn["n_pairs"].sum() == 48 and drawn["share"].sum() == pytest.approx(1)


def test_the_other_run_fixes_what_this_one_breaks(run: EvaluationRun, other: EvaluationRun) -> None:
    """Swapping the runs swaps fixed and broken."""
    one, two = outcomes(run, other).table, outcomes(other, run).table
    assert one["fixed"].sum() == two["broken"].sum() > 0


def test_a_map_that_passes_no_more_often_than_chance_is_called_so(run: EvaluationRun) -> None:
    """The verdict follows from the interval of the share that passes, and the random model is named."""
    notes = " ".join(faithfulness(run).notes)
    assert "attention: no better than chance" in notes and "occlusion: better than chance" in notes
    assert "randomly initialised model" in notes and "attention 0.900" in notes
    assert [badge for badge in faithfulness(run).badges if badge.startswith(("attention", "occlusion"))] == [
        "attention: no better than chance"
    ]
    assert "no better than chance" in chance_badge(run, "attention") and chance_badge(run, "occlusion") == ""


def test_mosaics_have_their_controls_and_boxes_their_chance(run: EvaluationRun) -> None:
    """Layouts and controls stand together with chance and swap, what was left out is said; boxes name chance."""
    panel = mosaics(run)
    assert set(panel.table["layout"]) == {"two", "same photo twice"} and panel.table["swap"].notna().sum() == 6
    assert "same photo twice, attention: 0.050" in panel.alternative
    assert panel.notes == ("Left out: 3 sentences without a photo.",)
    assert (boxes(run).table["chance"] == 0.3).all() and boxes(run).notes == ()


def test_runs_of_earlier_versions_show_what_they_hold(tmp_path: Path) -> None:
    """Without mosaics, boxes and sample: two sentences, the old table, and that cells were covered with grey."""
    old = model_run(tmp_path)
    for key in ("mosaics", "mosaics_left_out", "boxes", "map_sample"):
        old.metrics.pop(key)
    assert "does not hold mosaics" in mosaics(old).notes[0] and "--boxes" in boxes(old).notes[0]
    assert len(pointing(old).table) and "even grey" in " ".join(faithfulness(old).notes)


def test_where_no_photo_matters_no_map_is_tested(tmp_path: Path) -> None:
    """The panel says so, and of how many names."""
    blind = model_run(tmp_path)
    blind.metrics["map_sample"] = [{"looked_at": 60, "tested": 0, "matters": 0.2}]
    for key in ("maps", "map_curves", "map_similarity"):
        blind.metrics.pop(key)
    (note,) = faithfulness(blind).notes
    assert "No heat map was tested" in note and "for 0 of the 60 names" in note


def test_cosines_of_two_runs_and_of_one_language(run: EvaluationRun, other: EvaluationRun) -> None:
    """Two runs stand row by row under each other; the curves are those of the language, and add up to 1."""
    both = cosines(run, other, "de")
    assert both.table["run"].tolist()[:4] == ["ours", "before"] * 2
    assert set(both.table["language"][:4]) == {"all"}
    assert both.figure_data is not None and both.figure_data.groupby("pairs")["share"].sum().round(9).tolist() == [1, 1]
    assert "German" in both.alternative and both.n.startswith(f"{N // 4} matched")


def test_a_run_without_a_space_takes_no_panel_with_it(run: EvaluationRun) -> None:
    """Compared with another system's output, the run's own numbers stay, and a note says what is missing."""
    theirs = tags_run()
    for panel in (retrieval, geometry, cosines):
        alone, compared = panel(run), panel(run, theirs)
        pd.testing.assert_frame_equal(compared.table, alone.table)
        assert theirs.name in " ".join(compared.notes)


def test_the_map_is_coloured_by_type_unless_asked_otherwise(run: EvaluationRun) -> None:
    """Types have their colours, and what has several or no name is a group of its own."""
    assert space_map(run).table["type"].unique().tolist() == ["several"]
    assert entity_map(run).table["type"].unique().tolist() == ["LOC", "ORG", "PER"]
    assert space_map(run, "language").table["language"].unique().tolist() == sorted(LANGUAGES)


def test_the_map_of_one_language_leaves_its_points_where_they_are(run: EvaluationRun) -> None:
    """Fewer points, each with the number and the place it has on the whole map."""
    whole, german = space_map(run).figure_data, space_map(run, language="de").figure_data
    assert german["language"].unique().tolist() == ["de"]
    pd.testing.assert_frame_equal(german, whole.loc[german.index])


def test_recall_is_told_apart_by_run(run: EvaluationRun, other: EvaluationRun) -> None:
    """Two runs stand row by row under each other, one alone without its name."""
    assert "run" not in retrieval(run).table
    assert f"{N} of {N} texts have the very words of a text about another image" in " ".join(retrieval(run).notes)
    both = retrieval(run, other).table
    assert both["run"].tolist()[:2] == ["ours", "before"] and both["quantity"].iloc[0] == both["quantity"].iloc[1]


def without_parts(run: EvaluationRun) -> EvaluationRun:
    """Return the run as versions before wrote it: recalls of all pairs together, beside chance alone."""
    rows = [
        {name: value for name, value in row.items() if name not in ("pairs", "type_alone")}
        for row in run.metrics["contrastive"]
        if row["pairs"] == "all"
    ]
    return replace(run, name="old", metrics={"contrastive": rows}, _remembered={})


def test_recalls_of_parts_are_told_where_the_run_knows_them(run: EvaluationRun) -> None:
    """Half of the pairs are irrelevant; a run of before shows what it has, alone and beside a new one."""
    panel, old = retrieval(run), without_parts(run)
    first = panel.table[panel.table["quantity"] == "text → image recall@1"].set_index(["language", "pairs"])["gallery"]
    assert first["all"].to_dict() == {"all": N, "relevant": N // 2}
    assert first["fr"].to_dict() == {"all": N // 4}  # none of these is irrelevant
    assert first["de"].to_dict() == {"all": N // 4}  # each of these is
    assert any(note.startswith("Relevant:") for note in panel.notes)
    assert not {"pairs", "type_alone"} & set(retrieval(old).table.columns)
    assert geometry(old).table.equals(geometry(run).table)
    both = retrieval(run, old).table
    assert both[["pairs", "run"]].head(2).to_numpy().tolist() == [["all", "ours"], ["all", "old"]]


def test_points_carry_what_they_are_coloured_by(run: EvaluationRun) -> None:
    """Texts and images join to pairs; an entity has its own type and error."""
    points = points_of(run)
    assert len(points) == 2 * N and set(points["language"]) == set(LANGUAGES)
    assert len(pairs_of(points)) == N
    names = points_of(run, "pca", "entities")
    assert names["text"].iloc[0] == "Ada Byron" and names["type"].tolist()[:3] == ["PER", "LOC", "ORG"]
    assert names["error"].tolist()[:2] == ["missed", "wrong type"]
    assert names["predicted"].tolist()[:2] == ["no name", "PER"]
    known = {"p below 0.5", "p 0.5 to 0.7", "p 0.7 to 0.9", "p 0.9 or more", "no name"}
    assert set(names["confidence"]) <= known and set(points["confidence"]) <= known
    assert "p 0.7 to 0.9" in set(points["confidence"])  # small_table gives every entity 0.9, a hair less in 32 bits
    assert set(points["predicted"]) <= {"several", "no name", "PER", "LOC", "ORG"}


def test_tables_are_shown_with_intervals_in_one_cell() -> None:
    """Bounds share a column, what is not defined is a dash, empty columns go, counts have separators."""
    table = pd.DataFrame(
        {"f1": [0.5, None], "low": [-0.25, None], "high": [0.75, None], "n": [1200, 0], "note": ["", ""]}
    )
    shown = shown_table(table)
    assert shown.headings == ("F1", "95 % interval", "n")
    assert shown.rows == (("0.500", "\u22120.250 to 0.750", "1,200"), (MISSING, MISSING, "0"))


def test_panels_are_worked_out_once(run: EvaluationRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look at the worst slices grows no second tree."""
    from analysis.panels import slices

    first = slices.worst(run)
    monkeypatch.setattr(slices, "worst_slices", lambda _: pytest.fail("searched again"))
    assert slices.worst(run).table.equals(first.table)


def test_the_command_names_the_folder_as_a_shell_reads_it(tmp_path: Path) -> None:
    """A folder with a space is quoted."""
    (tmp_path / "my runs").mkdir()
    command = scores(model_run(tmp_path / "my runs")).command
    assert f"report '{tmp_path}/my runs/ours' --only scores" in command


def test_the_command_asks_for_what_the_panel_shows(run: EvaluationRun, other: EvaluationRun) -> None:
    """The other run and the image condition are part of it; what the run shows anyway is not."""
    assert f"{run.folder} {other.folder} --only outcomes --csv tables" in outcomes(run, other).command
    assert f"{run.folder} --condition blank --only scores" in scores(run, "blank").command
    assert scores(run, "matched").command == scores(run).command
