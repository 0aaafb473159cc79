"""The names that a program imports from the package itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mmner_core
from mmner_core.checkpoints.folder import load_checkpoint
from mmner_core.errors import InputError
from mmner_core.evaluation.evaluate import evaluate
from mmner_core.inference.tagger import Tagger
from mmner_core.results import Prediction, TaggedEntity

PUBLIC = {part.__name__: part for part in (InputError, Prediction, TaggedEntity, Tagger, evaluate, load_checkpoint)}


def test_all_public_names_are_known() -> None:
    """``__all__`` lists these and no others."""
    assert sorted(mmner_core.__all__) == sorted(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_is_what_its_module_defines(name: str) -> None:
    """It resolves, to the very same object."""
    assert getattr(mmner_core, name) is PUBLIC[name]


def test_other_names_are_refused() -> None:
    """As in any module."""
    with pytest.raises(AttributeError, match="no attribute 'Taggers'"):
        mmner_core.Taggers  # noqa: B018 (the access is the test)


def test_a_program_tags_and_scores(tiny_checkpoint: Path) -> None:
    """Load, tag, and score on tagged data, with nothing but the public names."""
    tagger = mmner_core.Tagger(mmner_core.load_checkpoint(tiny_checkpoint))
    assert isinstance(tagger.tag("Marie Curie went to Paris"), mmner_core.Prediction)
    data = Path(__file__).parents[1] / "data/tiny/en/test.txt"
    assert mmner_core.evaluate(tagger, data)["micro"]["support"] > 0


@pytest.mark.slow
@pytest.mark.slow
def test_type_checkers_know_the_public_names(tmp_path: Path) -> None:
    """They have their types, and a misspelt name is an error."""
    program = tmp_path / "program.py"
    program.write_text("from mmner_core import Tagger, Taggers\nreveal_type(Tagger.load('x').tag('y'))\n")
    command = [sys.executable, "-m", "mypy", program]
    said = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False).stdout
    assert 'Revealed type is "mmner_core.results.Prediction"' in said
    assert 'has no attribute "Taggers"' in said
