"""The arms of an experiment's grid, each a change to the preset's recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from mmner_core.config import ModelConfig, Stream
from mmner_core.errors import InputError
from mmner_core.training.config import DataSource, Recipe

FULL, TEXT_ONLY, NO_CONTRASTIVE, NO_GROUNDING = "full", "text only", "no contrastive loss", "no grounding"
ALL_LANGUAGES = "all"
SHARED_CNN = (
    "This preset has one CNN for both image streams: its cells stand for a ViT's patch tokens (stream vit), and the "
    "global stream (cnn) reads the same network. *ViT only* keeps the patch-token stream alone, *CNN only* the global "
    "stream alone; the contrastive loss compares the mean of what is kept, so both have the same."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One row.

    Attributes:
        name: what the tables call it.
        run: model and training, with the seed of the first cell.
        changes: what it changes, in words.
        languages: the languages it is trained on, where the experiment is about them.
    """

    name: str
    run: Recipe
    changes: str
    languages: tuple[str, ...] = ()


def ablations(run: Recipe) -> tuple[Arm, ...]:
    """Return the full model, and the model with each part removed or replaced.

    Raises:
        InputError: if the model looks at no image, so that there is nothing to take away.
    """
    model = run.model
    if not model.fusion.streams:
        raise InputError("This preset looks at no image: an ablation has nothing to take away; choose another one.")
    grid = model.fusion.cnn_keys == "grid"
    own = model.fusion.query == "own"
    grounded = model.fusion.grounded  # which needs the cells
    keys = model.fusion if grounded else replace(model.fusion, cnn_keys="pooled" if grid else "grid")
    query = replace(model.fusion, query="tied_to_key" if own else "own")
    no_streams = replace(model.alignment, streams=())
    models = {
        FULL: (model, "the preset as it is"),
        NO_CONTRASTIVE: (
            replace(model, alignment=no_streams, alpha=1.0),
            "the tagger's loss alone; nothing is aligned",
        ),
        NO_GROUNDING: (
            replace(model, fusion=replace(model.fusion, grounded=False, gated=False)),
            "nothing guides the attention or bounds what the image may change; the words' losses teach it alone",
        ),
        "no fusion": (
            replace(model, fusion=replace(model.fusion, streams=(), grounded=False, gated=False)),
            "words do not look at the image; the contrastive loss stays",
        ),
        "ViT only": (_one_stream(model, "vit"), "the patch tokens alone, in fusion and loss"),
        "CNN only": (_one_stream(model, "cnn"), "the global stream alone, in fusion and loss"),
        TEXT_ONLY: (_text_only(model), "no image at all"),
        "CNN pooled" if grid else "CNN grid": (
            replace(model, fusion=keys),
            "the global stream offers its pooled vector" if grid else "the global stream offers the CNN's cells",
        ),
        "tied query" if own else "own query": (
            replace(model, fusion=query),
            "queries by the key projection, as in the authors' code" if own else "queries by a projection of their own",
        ),
    }
    wanted = {name: pair for name, pair in models.items() if name == FULL or pair[0] != model}
    return tuple(Arm(name=n, run=_varied(run, m), changes=text) for n, (m, text) in wanted.items())


def _varied(run: Recipe, model: ModelConfig) -> Recipe:
    """Return the run with another model; without a contrastive space, it also skips the alignment at the end."""
    if model.alignment.streams:
        return replace(run, model=model)
    align = replace(run.training.align, ridge=None)
    return Recipe(model=model, training=replace(run.training, align=align))


def language_subsets(run: Recipe, languages: Sequence[str]) -> tuple[Arm, ...]:
    """Return one row per language, per pair, and all languages together.

    A subset is read as often as makes it as many sentences as all languages have, so that rows differ in what is read
    and not in the number of steps. Validation, by which the epoch is chosen, is narrowed to the same languages.

    Raises:
        InputError: if there are fewer than two languages.
    """
    if len(languages) < 2:
        raise InputError(f"The data have {', '.join(languages) or 'no language'}: transfer takes two languages.")
    sizes = range(1, min(3, len(languages)))
    subsets = [subset for size in sizes for subset in combinations(languages, size)]
    arms = [
        Arm(name="+".join(s), run=_in_languages(run, s, len(languages)), changes=" and ".join(s), languages=s)
        for s in subsets
    ]
    return (*arms, Arm(name=ALL_LANGUAGES, run=run, changes="all languages", languages=tuple(languages)))


def loss_knobs(run: Recipe, alphas: Sequence[float], temperatures: Sequence[float]) -> tuple[Arm, ...]:
    """Return the preset, other loss weights at its temperature, and other temperatures at its loss weight.

    A temperature asked for is kept fixed; the preset may learn its own.

    Raises:
        InputError: if the model has no contrastive loss, or a value is out of range.
    """
    model = run.model
    if not model.alignment.streams:
        raise InputError("This preset has no contrastive loss, so it has neither weight nor temperature.")
    if bad := [t for t in temperatures if t <= 0]:
        raise InputError(f"A temperature must be above 0, got {bad[0]:g}.")
    learnt = ", learnt from there" if model.alignment.learn_temperature else ""
    base = f"alpha {model.alpha:g}, temperature {model.alignment.temperature:g}{learnt}"
    arms = [Arm(name=FULL, run=run, changes=base)]
    if 1.0 not in alphas:
        arms += [arm for arm in ablations(run) if arm.name == NO_CONTRASTIVE]
    arms += [
        Arm(name=f"alpha {a:g}", run=replace(run, model=replace(model, alpha=a)), changes=f"alpha {a:g}")
        for a in alphas
        if a != model.alpha
    ]
    for value in temperatures:
        alignment = replace(model.alignment, temperature=value, learn_temperature=False)
        changed = replace(run, model=replace(model, alignment=alignment))
        arms.append(Arm(name=f"temperature {value:g}", run=changed, changes=f"temperature {value:g}, fixed"))
    return tuple(arms)


def chosen_arms(arms: Sequence[Arm], wanted: Sequence[str]) -> tuple[Arm, ...]:
    """Return the requested rows; all if none was requested.

    Raises:
        InputError: if there is no row of such a name.
    """
    names = [arm.name for arm in arms]
    if unknown := [name for name in wanted if name not in names]:
        raise InputError(f"There is no variant {unknown[0]!r}; choose among {', '.join(names)}.")
    return tuple(arm for arm in arms if not wanted or arm.name in wanted)


def shares_cnn(model: ModelConfig) -> bool:
    """Whether one CNN feeds both image streams."""
    return model.vit is None and {"vit", "cnn"} <= set(model.fusion.streams)


def _one_stream(model: ModelConfig, stream: Stream) -> ModelConfig:
    """Keep one image stream in fusion and alignment, and only the encoder that feeds it."""
    alignment = model.alignment
    if alignment.streams:
        # The mean of a lone CNN's cells is its pooled vector, which the global stream aligns; flattened cells would
        # make the loss another one.
        pooling = "mean" if model.vit is None else alignment.vit_pooling
        alignment = replace(alignment, streams=(stream,), vit_pooling=pooling)
    fusion = replace(model.fusion, streams=(stream,))
    if model.vit is None:
        return replace(model, fusion=fusion, alignment=alignment)
    dropped = {"cnn": None} if stream == "vit" else {"vit": None}
    return replace(model, fusion=fusion, alignment=alignment, **dropped)  # type: ignore[arg-type]


def _text_only(model: ModelConfig) -> ModelConfig:
    fusion = replace(model.fusion, streams=(), grounded=False, gated=False)
    alignment = replace(model.alignment, streams=())
    return replace(model, fusion=fusion, alignment=alignment, vit=None, cnn=None, alpha=1.0)


def _in_languages(run: Recipe, languages: tuple[str, ...], n_languages: int) -> Recipe:
    def narrowed(source: DataSource, times: int) -> DataSource:
        return replace(source, languages=languages, repeat=source.repeat * times)

    times = round(n_languages / len(languages))
    training = replace(
        run.training,
        train=tuple(narrowed(source, times) for source in run.training.train),
        valid=tuple(narrowed(source, 1) for source in run.training.valid),
    )
    return replace(run, training=training)
