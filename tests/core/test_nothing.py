"""Pictures of nothing: each kind is drawn, in many forms, the same for a seed."""

from __future__ import annotations

import numpy as np
import pytest

from mmner_core.photos.nothing import KINDS, image_of_nothing


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_picture_and_another_seed_another(kind: str) -> None:
    """What is drawn follows from the generator alone; no two are alike."""
    pictures = [image_of_nothing(kind, np.random.default_rng(seed), side=64) for seed in (1, 1, 2, 3)]
    assert pictures[0].tobytes() == pictures[1].tobytes()
    assert len({picture.tobytes() for picture in pictures}) == 3
    assert all(min(picture.size) == 64 and picture.mode == "RGB" for picture in pictures)
