"""2M-NER: the paper's figure as one forward pass.

Shapes: B sentences, S sub-words, W words, U distinct images, P patch tokens, C CNN channels, K keys, H heads,
D width, L tags.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.config import ModelConfig
from mmner_core.encoders.image import CnnEncoder, ImageStates, VitEncoder, load_pretrained_image
from mmner_core.encoders.text import TextEncoder, TextStates, load_pretrained_text
from mmner_core.labels import LabelSet
from mmner_core.network.alignment import NTXent, Projection
from mmner_core.network.crf import CRF
from mmner_core.network.fusion import Fusion, Guide, KeyLayout, Keys, on_image
from mmner_core.network.gate import TextGate
from mmner_core.network.grounding import Grounding, believe
from mmner_core.network.linear import BatchInvariantLinear
from mmner_core.network.losses import training_losses
from mmner_core.network.outputs import ModelOutput, TaggedWords
from mmner_core.text.encoding import Batch, Pixels

UNNAMED = 0.02
"""How much a word that is surely no name counts in the vector of a text, beside one that surely is."""


class MMNER(nn.Module):
    """Multilingual, multimodal named entity recognition (arXiv 2404.17122).

    Args:
        config: the model's description.
        text_encoder: module (input_ids, attention_mask, convention) -> TextStates, with a ``width``; this and the
            others may be any module of the form described.
        vit_encoder: module [U, 3, size, size] -> [U, 1 + h * w, width], with ``width`` and ``grid`` (h, w); None where
            the CNN's cells serve as patch tokens.
        cnn_encoder: module [U, 3, size, size] -> [U, C, h, w], with ``width`` C and ``grid``; None for text only.
    """

    def __init__(
        self,
        config: ModelConfig,
        text_encoder: TextEncoder,
        vit_encoder: VitEncoder | None = None,
        cnn_encoder: CnnEncoder | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.labels = LabelSet(config.types)
        self.text_encoder = text_encoder
        self.vit_encoder = vit_encoder
        self.cnn_encoder = cnn_encoder
        width = text_encoder.width
        self._build_alignment(config, width)
        looked_at = config.fusion.streams if self.sees else ()
        self.to_width = nn.ModuleDict({s: self._token_projection(s, width) for s in looked_at})
        self.fusion = Fusion(width, config.fusion)
        self.grounding = self._build_grounding(config) if config.fusion.grounded and self.sees else None
        self.gate = TextGate(width, len(config.types)) if config.fusion.gated and self.grounding is not None else None
        self.classifier = BatchInvariantLinear(width, len(self.labels))
        self.crf = CRF(self.labels, constrained=config.crf_constrained)

    @classmethod
    def build(cls, config: ModelConfig, *, images: bool = True) -> MMNER:
        """Build the encoders that the config describes, with random weights, and the model around them.

        Args:
            config: the model's description.
            images: whether to build the image encoders; without them the model knows only the state "no image".
        """
        return cls(
            config,
            TextEncoder(config.text, len(config.conventions)),
            VitEncoder(config.vit) if config.vit and images else None,
            CnnEncoder(config.cnn) if config.cnn and images else None,
        )

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.classifier.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Number format of the weights."""
        return self.classifier.weight.dtype

    @property
    def sees(self) -> bool:
        """Whether there is an image encoder."""
        return self.vit_encoder is not None or self.cnn_encoder is not None

    @property
    def grids(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of the photo's cells, per stream whose attention is grounded."""
        return {} if self.grounding is None else {s: self._encoder_of(s).grid for s in self.config.fusion.streams}

    def cell_types(self, image: ImageStates) -> Tensor | None:
        """Return the type of entity that each cell of an image shows, whatever the text.

        Args:
            image: what :meth:`encode_pixels` returned for U photos.

        Returns:
            [U, P, T + 1] probabilities of the types, in the order of ``config.types``, and last of "nothing that has a
            name", for the P cells of the photo in row order, as the first stream sees them; None for a model without a
            reader of cells.
        """
        if self.grounding is None:
            return None
        stream = self.config.fusion.streams[0]
        rows, columns = self.grids[stream]
        return self.grounding.read(stream, self._tokens(image, stream))[:, -rows * columns :].exp()

    def load_pretrained(self) -> None:
        """Load the pretrained encoder weights that the config names.

        Raises:
            InputError: if they are not to be had or do not fit.
        """
        load_pretrained_text(self.text_encoder)
        for encoder in (self.vit_encoder, self.cnn_encoder):
            if encoder is not None:
                load_pretrained_image(encoder)

    def _build_alignment(self, config: ModelConfig, width: int) -> None:
        streams = config.alignment.streams
        text_width = width if config.text.early_layer is None else 2 * width  # an early layer beside the last
        self.text_projection = Projection(text_width, width) if streams else None
        seen = streams if self.sees else ()
        self.image_projections = nn.ModuleDict({s: Projection(self._pooled_width(s), width) for s in seen})
        self.contrastive = NTXent(config.alignment)

    def _pooled_width(self, stream: str) -> int:
        """Width of the vector that stands for the whole image in the contrastive loss."""
        encoder = self._encoder_of(stream)
        if stream == "vit" and self.config.alignment.vit_pooling == "flatten":
            rows, columns = encoder.grid
            return (rows * columns + (encoder is self.vit_encoder)) * encoder.width
        return encoder.width

    def _token_projection(self, stream: str, width: int) -> nn.Module:
        """Bring a stream's tokens to the width of the words; a ViT's in the paper have it already."""
        encoder = self._encoder_of(stream)
        same = encoder is self.vit_encoder and encoder.width == width
        return nn.Identity() if same else BatchInvariantLinear(encoder.width, width)

    def _build_grounding(self, config: ModelConfig) -> Grounding:
        feeders: dict[str, str] = {
            s: "vit" if self._encoder_of(s) is self.vit_encoder else "cnn" for s in config.fusion.streams
        }
        widths = {feeders[s]: self._encoder_of(s).width for s in config.fusion.streams}
        return Grounding(widths, feeders, len(config.types))

    def _encoder_of(self, stream: str) -> VitEncoder | CnnEncoder:
        """Return the network that feeds a stream; the CNN feeds both where there is no ViT."""
        encoder = self.vit_encoder if stream == "vit" and self.vit_encoder is not None else self.cnn_encoder
        if encoder is None:
            raise ValueError(f"Nothing feeds the {stream!r} stream.")  # ModelConfig does not let this happen
        return encoder

    def forward(self, batch: Batch, *, need_weights: bool = False) -> ModelOutput:
        """Read sentences and their images; return emissions, and losses where gold tags are given."""
        text = self.encode_text(batch)  # tokens [B, S, D], sentence [B, D]
        image = self.encode_image(batch)  # vit [U, P, D], cnn [U, C, h, w]
        words = self.word_states(text, batch)  # [B, W, D]
        keys = self.image_keys(image if bool(batch.image_present.any()) else None)  # per stream, of U images
        pointed = bool(batch.regions) or batch.looking is not None  # attention itself is taught
        n_attention_rows = len(words) if need_weights or (pointed and batch.tags is not None) else 0
        tagged = self.tag_words(words, keys, batch.image_index, n_attention_rows=n_attention_rows)
        text_projection = self.project_text(text, words, batch)  # [B, D]
        image_projection = {} if image is None else self.project_image(image)  # per stream [U, D]
        output = ModelOutput(
            emissions=tagged.emissions,
            word_states=words,
            attention=tagged.attention,
            photo_share=tagged.photo_share,
            text_projection=text_projection,
            image_projection=image_projection,
        )
        if batch.tags is not None:
            losses = training_losses(
                output,
                batch,
                self.config,
                crf=self.crf,
                contrastive=self.contrastive,
                streams=tuple(self.image_projections),
                grounded=self.grounding is not None,
                training=self.training,
            )
            output.losses.update(losses)
        return output

    def encode_text(self, batch: Batch) -> TextStates:
        """Encode the sentences' sub-words, or hand on what was encoded before."""
        if batch.text_states is not None:
            return batch.text_states
        return self.text_encoder(batch.input_ids, batch.attention_mask, batch.convention)

    def encode_image(self, batch: Batch) -> ImageStates | None:
        """Encode the batch's distinct images, or hand on what was encoded before; None where there is no image."""
        if batch.pixels is None:
            return batch.image_states
        encoded, known = self.encode_pixels(batch.pixels), batch.image_states
        if known is None:
            return encoded
        return ImageStates(*(before if now is None else now for before, now in zip(known, encoded, strict=True)))

    def encode_pixels(self, pixels: Pixels) -> ImageStates:
        """Encode preprocessed photos, [U, 3, size, size], wherever and in whatever number format they are."""
        pixels = pixels.to(self.device, self.dtype)
        vit = None if self.vit_encoder is None or pixels.vit is None else self.vit_encoder(pixels.vit)
        cnn = None if self.cnn_encoder is None or pixels.cnn is None else self.cnn_encoder(pixels.cnn)
        return ImageStates(vit, cnn)

    def word_states(self, text: TextStates, batch: Batch) -> Tensor:
        """Pick the sub-word that stands for each word, [B, W, D]."""
        return _pick(text.tokens, batch)

    def tag_words(
        self,
        words: Tensor,
        keys: dict[str, Keys],
        image_index: Tensor,
        *,
        n_attention_rows: int = 0,
        text_only_emissions: Tensor | None = None,
    ) -> TaggedWords:
        """Compute the emissions of words that attend to their images.

        Args:
            words: [B, W, D].
            keys: what :meth:`image_keys` returned for the images.
            image_index: [B] which of these each sentence has, -1 where it has none.
            n_attention_rows: of how many sentences, from the first on, to say where the words looked.
            text_only_emissions: what :meth:`text_only_emissions` returned for these words, where that is known.
        """
        if self.config.fusion.grounded:
            text_only = self.text_only_emissions(words) if text_only_emissions is None else text_only_emissions
            return self._tag_grounded(words, keys, image_index, n_attention_rows, text_only)
        fused, attention = self.fusion(words, keys, image_index, n_attention_rows=n_attention_rows)  # [B, W, D]
        return TaggedWords(self.classifier(fused), attention, None)

    def _tag_grounded(
        self, words: Tensor, keys: dict[str, Keys], image_index: Tensor, n_attention_rows: int, text_only: Tensor
    ) -> TaggedWords:
        """Compute :meth:`tag_words` with grounded attention: by what the cells show and what the text leaves open."""
        seen = {stream: own.types for stream, own in keys.items() if own.types is not None}
        if self.grounding is None or not seen:
            nothing = torch.ones(n_attention_rows, self.config.fusion.heads, words.shape[1], 1, device=words.device)
            return TaggedWords(text_only, dict.fromkeys(keys, nothing) if n_attention_rows else {}, None)
        belief = believe(text_only.detach(), len(self.config.types))
        cells = {stream: types[image_index.clamp(min=0)] for stream, types in seen.items()}  # [B, P, T]
        evidence = {stream: self.grounding.evidence(belief, own) for stream, own in cells.items()}  # [B, W, P]
        share = self.grounding.share(belief, list(cells.values()), list(evidence.values()))
        share = share * (image_index >= 0)[:, None]  # [B, W]
        hidden = next(iter(evidence.values()))[..., :0]
        strength = self.grounding.strength
        guides = {s: Guide(strength[s].float() * evidence[s] if s in seen else hidden, share) for s in keys}
        fused, attention = self.fusion(words, keys, image_index, guides=guides)
        # The share as the attention has it, so that what the photo changes goes through each cell's weight alone.
        looked = torch.stack([on_image(attention[stream]).sum(-1).mean(1) for stream in seen]).mean(0)  # [B, W]
        follows = looked if self.gate is None else looked * self.gate(words, belief)  # [B, W]
        emissions = text_only + follows[..., None].to(text_only.dtype) * (self.classifier(fused) - text_only)
        if n_attention_rows < len(words):
            attention = {s: w[:n_attention_rows] for s, w in attention.items()} if n_attention_rows else {}
        return TaggedWords(emissions, attention, share)

    def text_only_emissions(self, words: Tensor) -> Tensor:
        """Return the emissions of the text without a photo, [B, W, L]."""
        if self.config.fusion.grounded:
            return self.classifier(words)
        nothing = torch.full((len(words),), -1, device=words.device)
        fused, _ = self.fusion(words, self.image_keys(None), nothing)
        return self.classifier(fused)

    def image_keys(self, image: ImageStates | None, seeing: Collection[str] | None = None) -> dict[str, Keys]:
        """Return the attention keys of images, per stream.

        Args:
            image: of U images; None: of no image.
            seeing: the streams that see them; None: all; the others have the keys of no image.
        """
        streams = self.config.fusion.streams
        return {s: self._keys(image if seeing is None or s in seeing else None, s) for s in streams}

    def key_layout(self, stream: str) -> KeyLayout:
        """Return the order of a stream's keys."""
        if stream == "cnn" and self.config.fusion.cnn_keys == "pooled":
            return KeyLayout(has_whole=True, grid=(0, 0))
        encoder = self._encoder_of(stream)
        return KeyLayout(has_whole=encoder is self.vit_encoder, grid=encoder.grid)

    def _keys(self, image: ImageStates | None, stream: str) -> Keys:
        if image is None:
            return self.fusion.keys(stream, None)
        tokens = self._tokens(image, stream)
        keys = self.fusion.keys(stream, self.to_width[stream](tokens))
        return keys if self.grounding is None else keys._replace(types=self.grounding.read(stream, tokens))

    def _tokens(self, image: ImageStates, stream: str) -> Tensor:
        """Return a stream's tokens, [U, P, D or C]."""
        if stream == "vit" and image.vit is not None:
            return image.vit
        assert image.cnn is not None  # noqa: S101 (ModelConfig guarantees it)
        cells = image.cnn.flatten(2).transpose(1, 2)  # [U, h*w, C]
        pooled = stream == "cnn" and self.config.fusion.cnn_keys == "pooled"
        return cells.mean(1, keepdim=True) if pooled else cells

    def project_text(self, text: TextStates, words: Tensor, batch: Batch) -> Tensor | None:
        """Map texts into the contrastive space, [B, D] of unit length; None without alignment.

        Args:
            text: of the encoder.
            words: [B, W, D] word states.
            batch: whose text it is.
        """
        if self.text_projection is None:
            return None
        return F.normalize(self.text_projection(self.text_vector(text, words, batch)).float(), dim=-1)

    def text_vector(self, text: TextStates, words: Tensor, batch: Batch) -> Tensor:
        """Return the vector of each text before its projection into the contrastive space, [B, D or 2D]."""
        if self.config.alignment.text == "sentence":
            return text.sentence
        named = 1 - self.text_only_emissions(words).double().softmax(-1)[..., 0]  # [B, W]
        weights = (named.clamp(min=UNNAMED) * batch.word_mask)[:, None]  # [B, 1, W]
        states = words if text.early is None else torch.cat([words, _pick(text.early, batch)], dim=-1)
        return ((weights @ states.double()) / weights.sum(-1, keepdim=True))[:, 0].to(words.dtype)

    def project_image(self, image: ImageStates) -> dict[str, Tensor]:
        """Map images into the contrastive space, per aligned stream [U, D] of unit length."""
        return {
            stream: F.normalize(projection(self.pooled(image, stream)).float(), dim=-1)
            for stream, projection in self.image_projections.items()
        }

    def pooled(self, image: ImageStates, stream: str) -> Tensor:
        """Return one vector per image for the contrastive loss, [U, pooled width]."""
        if stream == "cnn":
            assert image.cnn is not None  # noqa: S101 (ModelConfig guarantees it)
            return image.cnn.mean((2, 3))
        tokens = self._tokens(image, "vit")
        return tokens.flatten(1) if self.config.alignment.vit_pooling == "flatten" else tokens.mean(1)


def _pick(subwords: Tensor, batch: Batch) -> Tensor:
    """Pick the state of the sub-word that stands for each word, [B, S, D] -> [B, W, D]."""
    return subwords.gather(1, batch.word_to_token[..., None].expand(-1, -1, subwords.shape[-1]))
