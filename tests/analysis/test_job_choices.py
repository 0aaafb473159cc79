"""What a visitor may ask of a run, and what is told before anything starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis.jobs.choices import CONDITIONS, read_choices, suggested_types
from analysis.jobs.commands import run_command
from analysis.jobs.description import Description, Photos
from analysis.jobs.models import Models
from mmner_core.errors import InputError

DATA = Description(
    data="data/x.csv",
    images="photos",
    sentences=30,
    languages={"en": 20, "de": 10},
    types={"PERSON": 9, "LOC": 4, "DATE": 2},
    photos=Photos(sentences=30, present=30),
)
FITTING = {"PERSON": "PER", "DATE": "O"}


@pytest.fixture
def models(tiny_checkpoint: Path) -> Models:
    """Return a checkpoint and a model that a setting allows."""
    return Models.of({"tiny": tiny_checkpoint}, ["my_models:make path=models/x"])


def asked(models: Models, description: Description = DATA, most: int = 100, **choices: Any) -> Any:
    """Read choices that fit but for what is given."""
    return read_choices({"name": "mine", "types": FITTING, **choices}, description, models, most)


def test_types_are_suggested_where_the_model_has_them() -> None:
    """PERSON is PER; what DATE may be is for a person to say; a model that may know any type takes the data's."""
    assert suggested_types(DATA, ("PER", "LOC")) == {"PERSON": "PER", "LOC": "LOC", "DATE": ""}
    assert suggested_types(DATA, ()) == {"PERSON": "PERSON", "LOC": "LOC", "DATE": "DATE"}


def test_choices_become_the_command(models: Models, tmp_path: Path) -> None:
    """As it would be typed in the job's folder, without a path of the server in it."""
    choices = asked(models, model="tiny", conditions=["none", "matched"], limit="5", studies=False)
    command = run_command(tmp_path, choices, DATA, models, "de")
    assert command[1:5] == ["-P", "-m", "analysis", "run"]
    told = " ".join(command[5:])
    assert "--checkpoint checkpoints/tiny --data data/x.csv --images photos --lang de" in told
    assert "--conditions matched,none --no-studies --limit 5 --map=PERSON=PER --map=DATE=O" in told
    assert told.endswith("--out run/mine") and str(tmp_path) not in told
    assert (tmp_path / "checkpoints" / "tiny" / "config.json").is_file()


def test_a_model_of_ones_own_gets_its_options(models: Models, tmp_path: Path) -> None:
    """Those of the setting, and types stay as the data have them."""
    choices = asked(models, model="my_models:make", types={})
    assert choices.types == {}
    told = " ".join(run_command(tmp_path, choices, DATA, models))
    assert "--model my_models:make --model-option=path=models/x --data" in told


def test_the_usual_conditions_are_not_named(models: Models) -> None:
    """So that a model without images leaves them out with a note; without photos there is no choice."""
    assert asked(models, conditions=list(CONDITIONS)).conditions == ()
    assert asked(models, conditions=["matched"]).conditions == ("matched",)
    without = replace(DATA, photos=Photos())
    assert asked(models, without, conditions=["matched"], corruptions=True).corruptions is False


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": "../x"}, "../x"),
        ({"name": ""}, "name"),
        ({"name": ".hidden"}, ".hidden"),
        ({"name": "x" * 49}, "name"),
        ({"name": 5}, "name"),
        ({"model": "nope"}, "nope"),
        ({"model": "os:system"}, "os:system"),
        ({"convention": "nope"}, "nope"),
        ({"conditions": ["irrelevant"]}, "irrelevant"),
        ({"conditions": "all"}, "all"),
        ({"conditions": []}, "at least one"),
        ({"types": {"PERSON": "PER"}}, "DATE"),
        ({"types": {**FITTING, "LOC": "WORK_OF_ART"}}, "WORK_OF_ART"),
        ({"types": {**FITTING, "ORG": "ORG"}}, "ORG"),
        ({"types": ["PER"]}, "types"),
        ({"limit": 0}, "0"),
        ({"limit": -3}, "-3"),
        ({"limit": "many"}, "many"),
        ({"studies": "yes"}, "studies"),
        ({"out": "/etc"}, "out"),
    ],
)
def test_what_cannot_be_is_named(models: Models, wrong: dict[str, Any], told: str) -> None:
    """Before anything is started."""
    with pytest.raises(InputError, match=told.replace("[", r"\[")):
        asked(models, **wrong)


def test_a_run_beyond_the_limit_is_refused(models: Models) -> None:
    """Counted after the sentences that are asked for of each language; nothing is cut without being asked."""
    with pytest.raises(InputError, match="30"):
        asked(models, most=20)
    assert asked(models, most=20, limit=10).limit == 10


def test_data_without_gold_tags_are_refused(models: Models) -> None:
    """A run compares with them."""
    with pytest.raises(InputError, match="gold"):
        asked(models, replace(DATA, untagged=2))


def test_a_setting_that_names_no_model_is_told() -> None:
    """At the start of the server."""
    with pytest.raises(InputError, match="no-factory"):
        Models.of({}, ["no-factory"])
    with pytest.raises(InputError, match="twice"):
        Models.of({}, ["a:b", "a:b path=x"])
