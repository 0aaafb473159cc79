"""What a training run is: hyper-parameters and the data it reads, as frozen dataclasses."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from mmner_core.config import ModelConfig
from mmner_core.errors import InputError
from mmner_core.training.sentences.augment import AugmentConfig


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """One corpus in the training mixture; paths are relative to the data folder of the run."""

    path: str
    images: str | None = None
    """Folder of its photos."""
    convention: str | None = None
    """Annotation convention of its gold tags; None: the model's default."""
    pairs: str | None = None
    """A ``pairs.tsv`` beside it whose column ``text_source`` names the corpus of each sentence; ``conventions_by``
    maps that to a convention."""
    conventions_by: dict[str, str] = field(default_factory=dict)
    repeat: int = 1
    """How often an epoch reads it."""
    image_dropout: float = 0.0
    """Share of its sentences that lose their image in an epoch, to learn the state "no image"."""
    random_image: float = 0.0
    """Share of its sentences that get a random other image in an epoch, to learn when to ignore it."""
    nothing: float = 0.0
    """Share of its sentences that get an image of nothing in an epoch (:mod:`mmner_core.photos.images_of_nothing`),
    which their names are to leave alone."""
    near: float = 0.0
    """How much it counts that names look at the photo that shows them, beside that they leave one of nothing alone."""
    away: float = 0.0
    """How much it counts that names leave a photo alone that does not show them, beside an image of nothing (1): a
    photo of another thing is no nonsense beside a name that may be of another type."""
    mosaics: int = 0
    """How many mosaics to make of its photos, each read with a sentence of every photo in it: they teach where to
    look."""
    contexts: float = 0.0
    """Share of its sentences whose name is moved into an open context of ours in an epoch
    (:mod:`mmner_core.training.sentences.contexts`)."""
    bare: float = 0.0
    """Share of those whose name is left alone instead, without a word beside it."""
    cut: bool = False
    """Cut each of its sentences to one name and a few words (:mod:`mmner_core.training.sentences.cuts`)."""
    limit: int | None = None
    """Read only so many sentences of each file."""
    condition: Literal["matched", "none", "shuffled"] = "matched"
    """For validation: which image each sentence is shown."""
    languages: tuple[str, ...] = ()
    """Read only these languages; empty: all."""
    augmented: bool = True
    unannotated: tuple[str, ...] = ()
    """Types that its annotators did not mark: a word tagged ``O`` may be of one of them, in training, and validation
    scores the others alone."""

    @property
    def key(self) -> str:
        """Name of a validation score: the path, and the image condition where it is not the plain one."""
        return self.path if self.condition == "matched" else f"{self.path} {self.condition}"


@dataclass(frozen=True, kw_only=True)
class AlignConfig:
    """How the projections into the contrastive space are set after training (:mod:`mmner_core.training.align`)."""

    ridge: float | None = None
    """Added to the variance of every number of standardised texts and photos; None: leave what the loss has learnt."""
    power: float = 1.5
    """Each direction counts by its correlation to this power, at least 1."""
    sources: tuple[str, ...] = ()
    """The paths of the sources whose pairs are read; empty: all. Whole sentences teach more than clippings of them."""

    def __post_init__(self) -> None:
        if (self.ridge is not None and self.ridge <= 0) or self.power < 1:
            raise InputError(f"ridge must be above 0 and power at least 1, got {self.ridge} and {self.power}.")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Hyper-parameters of a run; the data it reads; where seeds come from.

    Raises:
        InputError: if a number lies out of range.
    """

    train: tuple[DataSource, ...]
    valid: tuple[DataSource, ...]
    """One score each; the best epoch is that of the highest mean. The test split is never read."""
    init: str | None = None
    """Checkpoint folder whose weights to begin with; None: the pretrained encoders alone."""
    trainable: tuple[str, ...] = ()
    """Train only parameters whose names begin so; empty: all that the model leaves free."""
    captions: str | None = None
    """A table (image, split, caption) of photo captions without names, relative to the data folder."""
    plain: int = 0
    """How often an epoch reads our own sentences without names."""
    name_free_clauses: int = 0
    """How many name-free clauses to cut from the training sentences."""
    boxes: str | None = None
    """JSON lines of photos with boxes around what they name, relative to the data folder; the photos lie in ``images``
    beside it."""
    box_repeat: int = 1
    """In how many contexts an epoch names each of them, per language."""
    templates: int = 0
    """How many sentences of each language to fill from templates (:mod:`mmner_core.training.sentences.templates`)."""
    epochs: int = 8
    batch_subwords: int = 1400
    """Padded sub-words per batch; sentences of similar length go together."""
    batch_sentences: int = 64
    """Most sentences per batch."""
    encoder_lr: float = 5e-5
    head_lr: float = 5e-5
    gate_lr: float | None = None
    """Of what decides how far words look at a photo, and follow it; None: ``head_lr``."""
    layer_decay: float = 1.0
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.01
    warmup: float = 0.0
    """Share of the steps over which the learning rate rises from zero."""
    clip: float = 1.0
    """Largest gradient norm; inf: no limit."""
    accumulation: int = 1
    """Batches whose gradients are added up before each step; the contrastive loss is still within each batch."""
    patience: int = 3
    """Stop after so many epochs without a better score."""
    precision: Literal["no", "bf16", "fp16"] = "bf16"
    seed: int = 19
    workers: int = 0
    """Processes that decode images; 0 with precomputed features."""
    precompute_images: bool = True
    """Decode and encode images once, where what the encoders read or say of them never changes."""
    checkpoint_activations: bool = False
    """Keep only the input of each encoder layer and compute the rest again for the backward pass: a third more work,
    a fraction of the memory."""
    compile_layers: bool = False
    """Compile the layers of the transformers with torch.compile; needs a C++ compiler."""
    window: int = 256
    """Longest window, in sub-words."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    align: AlignConfig = field(default_factory=AlignConfig)
    """How the projections into the contrastive space are set after the last epoch."""

    def __post_init__(self) -> None:
        if not self.train or not self.valid:
            raise InputError("A run needs at least one training and one validation source.")
        for name in ("epochs", "batch_subwords", "batch_sentences", "accumulation", "patience"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}.")
        rates = {name: getattr(self, name) for name in ("encoder_lr", "head_lr", "weight_decay", "layer_decay", "clip")}
        rates["gate_lr"] = self.head_lr if self.gate_lr is None else self.gate_lr
        for name, value in rates.items():
            if not value >= 0 or (math.isinf(value) and name != "clip"):
                raise InputError(f"{name} must be a number from 0 on, got {value}.")
        if not 0 <= self.warmup <= 1 or not all(0 <= beta < 1 for beta in self.betas):
            raise InputError(f"warmup and betas must lie between 0 and 1, got {self.warmup} and {self.betas}.")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A named run: the model and how to train it.

    Attributes:
        model: what is trained.
        training: how.
        then: how to go on from the best epoch of that; None: that is all.
    """

    model: ModelConfig
    training: TrainConfig
    then: TrainConfig | None = None
