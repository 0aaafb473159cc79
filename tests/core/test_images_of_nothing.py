"""Images of nothing: each kind is drawn, in many forms, the same for a seed."""

from __future__ import annotations

import numpy as np
import pytest

from mmner_core.photos.images_of_nothing import KINDS, image_of_nothing


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_image_and_another_seed_another(kind: str) -> None:
    """What is drawn follows from the generator alone; no two are alike."""
    images = [image_of_nothing(kind, np.random.default_rng(seed), side=64) for seed in (1, 1, 2, 3)]
    assert images[0].tobytes() == images[1].tobytes()
    assert len({image.tobytes() for image in images}) == 3
    assert all(min(image.size) == 64 and image.mode == "RGB" for image in images)
