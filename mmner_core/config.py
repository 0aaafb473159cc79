"""What a model is: frozen, validated dataclasses that round-trip through JSON.

Each oddity of the authors' code (docs: "facts a faithful port must know") is a named field whose default is the
sensible value; the preset ``paper_code`` sets theirs.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar

from mmner_core.errors import InputError
from mmner_core.labels import DEFAULT_TYPES

Stream = Literal["vit", "cnn"]
FORMAT_VERSION = 1
MAX_IMAGE_SIZE = 4096
T = TypeVar("T")
_STRICT = {"extra": "forbid", "allow_inf_nan": False}


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """The multilingual text encoder (paper: mBERT, 12 layers, D = 768)."""

    __pydantic_config__ = _STRICT

    name: str = "bert-base-multilingual-cased"
    """Hub name or local folder to take pretrained weights and tokenizer from when training starts."""
    architecture: dict[str, Any] | None = None
    """Hugging Face config of the encoder, so that a checkpoint loads without the hub; None until it is built."""
    word_position: Literal["first_subword", "one_before"] = "first_subword"
    """Which sub-word stands for a word. ``one_before`` is the authors' off-by-one: it ignores the leading [CLS]."""
    sentence_vector: Literal["pooler", "mean"] = "pooler"
    """[B, D]: the pooler's output (paper) or the mean of the sub-words (what sentence encoders were trained for)."""
    freeze_embeddings: bool = False
    """Leave the word-embedding table as it is: most of a small multilingual model's weights, little of its skill."""
    early_layer: int | None = None
    """Also keep the states after this layer, counted from 1, which stand beside the last ones for a text in the
    contrastive space (``AlignmentConfig.text = "names"``): they still tell which thing is named, the last its type."""
    dropout: float = 0.1
    """Dropout on hidden states in training."""
    attention_dropout: float = 0.1
    """Dropout on attention weights in training."""


@dataclass(frozen=True, kw_only=True)
class ImageConfig:
    """One image encoder and the preprocessing that it expects."""

    __pydantic_config__ = _STRICT

    library: Literal["open_clip", "timm"]
    name: str
    pretrained: str | None = None
    """open_clip's pretrained tag, a weights file, or for timm "default"; None: random weights."""
    size: int = 224
    crop_fraction: float = 1.0
    """The short side is resized to ``size / crop_fraction`` before the centre crop of ``size``."""
    stretch: float = 1.0
    """How many times its short side the cut from a photo may be long; it is squeezed into the encoder's square. 1: cut
    a square, which squeezes nothing and loses the ends of a long photo."""
    resized: bool = True
    """Resize a photo before the crop; False: cut ``size`` pixels from it as it is, enlarging only what is smaller (the
    authors' code does for ResNet)."""
    interpolation: Literal["bicubic", "bilinear"] = "bicubic"
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    train_crop: Literal["random", "centre"] = "random"
    """Which square of a photo is read in training: a random one, half of the time flipped, or the one read later."""
    frozen: bool = False
    """Keep the weights as they are."""
    batchnorm_drifts: bool = False
    """Leave a frozen network in train mode, so that its BatchNorm statistics drift (the authors' code does)."""
    random_crop_at_test: bool = False
    """Random crop and flip in evaluation too (the authors' code does; evaluation is then not deterministic)."""

    @property
    def is_constant(self) -> bool:
        """Whether the encoder's output for a photo never changes, so that it can be computed once for all epochs."""
        return self.frozen and not self.batchnorm_drifts and not self.random_crop_at_test

    @property
    def sees_one_square(self) -> bool:
        """Whether the encoder reads the same pixels of a photo every time, so that they can be cropped once."""
        return self.train_crop == "centre" and not self.random_crop_at_test

    def __post_init__(self) -> None:
        if not 0 < self.crop_fraction <= 1:
            raise InputError(f"crop_fraction must lie in (0, 1], got {self.crop_fraction}.")
        if not 1 <= self.stretch < math.inf:
            raise InputError(f"stretch must be a number of at least 1, got {self.stretch}.")
        if self.stretch > 1 and not self.resized:
            raise InputError("stretch squeezes photos, resized=False leaves them as they are; choose one of the two.")
        if not 1 <= self.size <= MAX_IMAGE_SIZE:
            raise InputError(f"size must lie between 1 and {MAX_IMAGE_SIZE} pixels, got {self.size}.")
        if not all(0 < value < math.inf for value in self.std) or not all(map(math.isfinite, self.mean)):
            raise InputError(f"mean and std must be numbers, std above 0; got {self.mean} and {self.std}.")


@dataclass(frozen=True, kw_only=True)
class FusionConfig:
    """The multimodal collaboration module: one cross-attention block per image stream."""

    __pydantic_config__ = _STRICT

    streams: tuple[Stream, ...] = ("vit", "cnn")
    """Image streams that words attend to; empty: text only."""
    heads: int = 12
    query: Literal["own", "tied_to_key"] = "own"
    """``tied_to_key``: the authors' code computes queries with the key projection."""
    cnn_keys: Literal["grid", "pooled"] = "grid"
    """Keys of block R: the cells of the CNN's map, or (authors' code) its pooled vector, attention then uniform."""
    null_sink: bool = False
    """Offer the learnt "no image" key beside the photo's, so that a word can look away; without it that key is
    used only when there is no image."""
    word_residual: bool = False
    """Add the word vector to the fused vector, so that an untrained fusion cannot hide the text."""
    grounded: bool = False
    """Let what each cell shows and what the text leaves open guide the attention, and let its share on the photo say
    how far the photo changes a word's tag (ours, not the paper's; :mod:`mmner_core.network.grounding`)."""
    gated: bool = False
    """With grounded attention, let the text say as well how far a word's tag may follow the photo (ours;
    :mod:`mmner_core.network.gate`)."""
    dropout: float = 0.1

    def __post_init__(self) -> None:
        if self.gated and not self.grounded:
            raise InputError("gated is a part of grounded attention; set grounded as well.")
        if self.grounded and not (self.null_sink and self.word_residual and self.cnn_keys == "grid"):
            raise InputError("grounded attention needs null_sink and word_residual, and cnn_keys of 'grid'; set them.")


@dataclass(frozen=True, kw_only=True)
class AlignmentConfig:
    """Contrastive alignment of sentence and image (NT-Xent)."""

    __pydantic_config__ = _STRICT

    streams: tuple[Stream, ...] = ("vit", "cnn")
    """Image streams aligned with the text, one loss each; empty: no contrastive loss."""
    text: Literal["sentence", "names"] = "sentence"
    """What stands for a text: the sentence vector (paper), or the mean of its words, each by how surely the text takes
    it for part of a name (ours: a photo shows what is named, and little of what else is said)."""
    vit_pooling: Literal["flatten", "mean"] = "flatten"
    """How the ViT's tokens become one vector: flattened (paper: 50 * 768 -> D) or their mean."""
    temperature: float = 0.5
    learn_temperature: bool = False
    """Learn the temperature (as log inverse temperature, like CLIP), starting from ``temperature``."""
    mask_same_image: bool = True
    """Do not push apart two sentences that share one image; the authors' code does."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """A whole 2M-NER model.

    Raises:
        InputError: if a field contradicts another or lies out of range.
    """

    __pydantic_config__ = _STRICT

    types: tuple[str, ...] = DEFAULT_TYPES
    conventions: tuple[str, ...] = ()
    """Annotation conventions, each with a learnt input vector; the first is the default. Empty: one convention."""
    text: TextConfig = field(default_factory=TextConfig)
    vit: ImageConfig | None = None
    """None: the CNN's cells serve as the patch tokens, so one network feeds both streams."""
    cnn: ImageConfig | None = None
    """None: no image encoder at all (text only, or no "cnn" stream)."""
    fusion: FusionConfig = field(default_factory=FusionConfig)
    alignment: AlignmentConfig = field(default_factory=AlignmentConfig)
    alpha: float = 0.8
    """Total loss = 2 * (alpha * L_crf + (1 - alpha) * L_contrastive) (paper, training objective)."""
    crf_constrained: bool = True
    """Give illegal IOB2 sequences probability zero; the authors' CRF allows them."""
    seqeval_strict: bool = True
    """The headline score's rule: strict IOB2, or (the authors' call) seqeval's lenient default."""

    def __post_init__(self) -> None:
        if not 0 <= self.alpha <= 1:
            raise InputError(f"alpha must lie in [0, 1], got {self.alpha}.")
        if len(set(self.conventions)) != len(self.conventions):
            raise InputError(f"conventions must be distinct, got {list(self.conventions)}.")
        self._check_early_layer()
        wanted = {*self.fusion.streams, *self.alignment.streams}
        if "cnn" in wanted and self.cnn is None:
            raise InputError("The 'cnn' stream is asked for, but the config has no cnn; set cnn or drop the stream.")
        if "vit" in wanted and self.vit is None and self.cnn is None:
            raise InputError("The 'vit' stream is asked for, but the config has neither vit nor cnn to feed it.")

    def _check_early_layer(self) -> None:
        layer, layers = self.text.early_layer, (self.text.architecture or {}).get("num_hidden_layers")
        if layer is None:
            return
        if layer < 1 or (layers is not None and layer > layers):
            raise InputError(
                f"text.early_layer must be one of the encoder's layers, 1 to {layers or 'the last'}: {layer}."
            )
        if self.alignment.text != "names":
            raise InputError('text.early_layer is read where alignment.text is "names" only; leave it out.')

    @property
    def deterministic_crop(self) -> bool:
        """Whether evaluation crops an image the same way each time, so that it can be encoded once and kept."""
        return not any(c.random_crop_at_test for c in (self.vit, self.cnn) if c is not None)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form."""
        return {"format_version": FORMAT_VERSION, **asdict(self)}

    @classmethod
    def from_dict(cls, record: dict[str, Any], where: str = "config.json") -> ModelConfig:
        """Read back what :meth:`to_dict` wrote.

        Raises:
            InputError: naming the field that is unknown, of the wrong type, or from a newer version.
        """
        version = record.get("format_version") if isinstance(record, dict) else None
        if version != FORMAT_VERSION:
            raise InputError(
                f"{where}: format_version is {version!r}, this program reads {FORMAT_VERSION}; "
                "use the version of the workbench that wrote the checkpoint."
            )
        body = {key: value for key, value in record.items() if key != "format_version"}
        return parse(cls, body, where)


def parse(cls: type[T], record: dict[str, Any], where: str) -> T:
    """Build a dataclass from plain data, checking every field.

    Raises:
        InputError: naming the first offending field and what is wrong with it.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(cls).validate_python(record)
    except ValidationError as error:
        first = error.errors()[0]
        if isinstance(cause := first.get("ctx", {}).get("error"), InputError):  # from the dataclass itself
            raise InputError(f"{where}: {cause}") from None
        name = ".".join(str(part) for part in first["loc"]) or cls.__name__
        raise InputError(f"{where}: field {name}: {first['msg']}.") from None
