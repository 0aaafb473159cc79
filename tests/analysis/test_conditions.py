"""Image conditions: who is shown what, who is left out and why, and that a plan repeats."""

from pathlib import Path

import pytest
from PIL import Image

from analysis.conditions.conditions import CONDITIONS, ConditionPlan, ShownImage, plan_condition, render
from analysis.conditions.corruptions import GREY, corrupt
from analysis.image_effect.shapley import TEXT_AND_IMAGE, TEXT_AND_STREAMS
from mmner_core.data.example import Example
from mmner_core.errors import InputError

TAGS = ("B-PER", "B-LOC", "O", "B-ORG")


@pytest.fixture
def examples(tmp_path: Path) -> list[Example]:
    """Sixteen sentences in two languages with twelve drawn photos, then one without a photo and one with a lost one."""
    rows = []
    for i in range(16):
        photo = tmp_path / f"{i % 12}.png"
        Image.new("RGB", (20, 16), (i % 12 * 20, 90, 30)).save(photo)
        language = "en" if i % 12 < 6 else "de"
        rows.append(Example(words=("w",), tags=(TAGS[i % 4],), language=language, image_id=str(i), image=photo))
    rows.append(Example(words=("w",), tags=("O",), language="en"))
    rows.append(Example(words=("w",), tags=("O",), language="en", image_id="z", image=tmp_path / "z.png"))
    return rows


def open_rgb(path: Path) -> Image.Image:
    """Read a photo from disk."""
    with Image.open(path) as photo:
        return photo.convert("RGB")


def plan(examples: list[Example], name: str, seed: int = 0) -> ConditionPlan:
    """Plan with the first photo as the pool of irrelevant ones."""
    pool = [example.image for example in examples[:2] if example.image]
    return plan_condition(examples, name, seed=seed, irrelevant=pool)


@pytest.mark.parametrize("name", CONDITIONS)
def test_every_condition_plans_renders_and_repeats(examples: list[Example], name: str) -> None:
    """Sentences with a photo take part, the others are left out with a reason; the same seed gives the same plan."""
    planned = plan(examples, name)
    assert planned == plan(examples, name)
    assert planned.skipped == {16: "the sentence has no photo", 17: "the photo file is missing"}
    for i, source in enumerate(planned.sources):
        assert (source is None) == (i in planned.skipped)
        if source is not None:
            image = render(source, open_rgb)
            assert (image is None) == (name in ("none", "nothing"))


def test_the_image_shown_is_the_one_promised(examples: list[Example]) -> None:
    """Own photo, none, grey, noise, another's photo, a spoilt own photo."""
    shown = {name: plan(examples, name).sources[3] for name in CONDITIONS}
    assert shown["matched"] == ShownImage(kind="photo", path=examples[3].image)
    assert shown["none"] == ShownImage(kind="none")
    own = open_rgb(examples[3].image)  # type: ignore[arg-type]
    blank, shuffled, spoilt = (shown[name] for name in ("blank", "shuffled", "blur-4"))
    assert blank and shuffled and spoilt
    assert render(blank, open_rgb).getcolors() == [(256 * 256, GREY)]  # type: ignore[union-attr]
    assert shuffled.owner is not None
    assert shuffled.path == examples[shuffled.owner].image != examples[3].image
    assert render(spoilt, open_rgb).tobytes() == corrupt(own, "blur", 4).tobytes()  # type: ignore[union-attr]


def test_conditions_that_hide_words_or_streams(examples: list[Example]) -> None:
    """Every coalition of the Shapley games has its condition, and it shows exactly the players it names."""
    for players, name in (TEXT_AND_IMAGE | TEXT_AND_STREAMS).items():
        planned = plan(examples, name)
        assert planned.words_seen == ("text" in players)
        images = players - {"text"}
        source = planned.sources[0]
        assert source is not None
        shown = {"vit", "cnn"} if planned.streams is None else set(planned.streams)
        if source.kind == "none":
            shown = set()
        assert shown == ({"vit", "cnn"} if images == {"image"} else images)


def test_severities_share_their_seed_and_photos_do_not(examples: list[Example]) -> None:
    """One photo is spoilt in one way at all severities; two photos in different ways; another run seed, another way."""
    seeds = [plan(examples, f"noise-{severity}").sources[0].seed for severity in (1, 5)]  # type: ignore[union-attr]
    assert seeds[0] == seeds[1]
    assert plan(examples, "noise-1").sources[1].seed != seeds[0]  # type: ignore[union-attr]
    assert plan(examples, "noise-1", seed=1).sources[0].seed != seeds[0]  # type: ignore[union-attr]


def test_another_seed_deals_differently(examples: list[Example]) -> None:
    """The shuffle depends on the seed."""
    assert plan(examples, "shuffled").sources != plan(examples, "shuffled", seed=1).sources


def test_no_donor_is_a_reason_not_a_substitute(examples: list[Example]) -> None:
    """With a single photo nobody can be given another's; the plan says so for each sentence."""
    planned = plan_condition([examples[0], examples[12]], "shuffled")
    assert planned.sources == (None, None)
    assert set(planned.skipped.values()) == {"its language has no other photo"}


def test_bad_requests_are_named(examples: list[Example]) -> None:
    """An unknown condition, and irrelevant photos that were not given."""
    with pytest.raises(InputError, match="'blur'.*matched"):
        plan_condition(examples, "blur")
    with pytest.raises(InputError, match="irrelevant.*0 were given"):
        plan_condition(examples, "irrelevant")
