"""Explains a model's answer: probabilities with words, streams or image cells hidden, and attention maps.

The text is encoded once per sentence and the photo once per variant; the parts that run for every question (attention,
CRF) are cheap. Shapes: U variants of the photo, W words, D width, H heads, K keys, L tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from mmner_core.encoders.image import ImageStates
from mmner_core.errors import InputError
from mmner_core.inference.batches import join_windows, read_windows
from mmner_core.network.fusion import KeyLayout, image_share
from mmner_core.network.model import MMNER
from mmner_core.photos.colour import GREY
from mmner_core.photos.mosaics import Box
from mmner_core.photos.open import Photo, open_image
from mmner_core.photos.preprocess import cut_box, decode_size, to_pixels
from mmner_core.text.encoding import Pixels, SubwordEncoder, Window

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image

    from analysis.heat_maps.attribution import CellScore
    from mmner_core.config import ImageConfig
    from mmner_core.labels import Entity

_VARIANTS_PER_BATCH = 16  # more would not fit the cache of two cores and gain nothing


class Text(NamedTuple):
    """An encoded sentence.

    Attributes:
        words: [W, D] word vectors of the text.
        hidden_words: [W, D] those of as many unknown tokens, what is left of a sentence whose words are hidden.
    """

    words: Tensor
    hidden_words: Tensor


class Sight(NamedTuple):
    """An encoded image.

    Attributes:
        pixels: the photo as the encoders get it, U = 1.
        image: the photo encoded, U = 1.
        seen: per encoder ("vit", "cnn") the part of the photo that it gets.
    """

    pixels: Pixels
    image: ImageStates
    seen: Mapping[str, Box]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedScene:
    """An encoded sentence and its encoded image.

    Attributes:
        words, hidden_words: see :class:`Text`.
        pixels, image, seen: see :class:`Sight`.
    """

    words: Tensor
    hidden_words: Tensor
    pixels: Pixels
    image: ImageStates
    seen: Mapping[str, Box]

    @classmethod
    def of(cls, text: Text, sight: Sight) -> EncodedScene:
        """Put a sentence and a photo together."""
        return cls(**text._asdict(), **sight._asdict())


class ModelExplainer:
    """Asks one model in eval mode about a sentence and an image, with parts of them hidden; the model is not changed.

    Args:
        model: the network.
        subwords: its tokenizer and window; a tagger has both.

    Attributes:
        streams: the image streams.
        grids: (rows, columns) of the cells a stream's attention can point at; a stream that has the pooled photo as
            its only key is not in it.
    """

    def __init__(self, model: MMNER, subwords: SubwordEncoder) -> None:
        self.model = model.eval()
        self.subwords = subwords
        self.streams: tuple[str, ...] = model.config.fusion.streams
        self.layouts: dict[str, KeyLayout] = {stream: model.key_layout(stream) for stream in self.streams}
        self.grids: dict[str, tuple[int, int]] = {
            stream: layout.grid for stream, layout in self.layouts.items() if layout.grid != (0, 0)
        }

    def open(self, path: Path | None) -> Image.Image | None:
        """Read a photo as large as the model needs it; None where there is none that can be decoded."""
        if path is None:
            return None
        try:
            return open_image(path, target=decode_size(self.model.config.vit, self.model.config.cnn))
        except InputError:
            return None

    def scene(self, words: Sequence[str], photo: Image.Image, *, convention: str | None = None) -> EncodedScene:
        """Encode a sentence and an upright RGB photo.

        Raises:
            InputError: if the model reads no images, or does not know the convention.
        """
        return EncodedScene.of(self.read(words, convention=convention), self.look(photo))

    @torch.no_grad()
    def read(self, words: Sequence[str], *, convention: str | None = None) -> Text:
        """Encode a sentence.

        Raises:
            InputError: if the model does not know the convention.
        """
        config = self.model.config
        if convention is not None and convention not in config.conventions:
            known = ", ".join(config.conventions) or "none"
            raise InputError(f"The model knows no convention {convention!r}; it knows: {known}.")
        index = config.conventions.index(convention) if convention is not None else 0
        return Text(
            words=self._word_states(self.subwords.windows([words])[0], index),
            hidden_words=self._word_states(self.subwords.hidden_windows(len(words)), index),
        )

    @torch.no_grad()
    def look(self, photo: Image.Image) -> Sight:
        """Encode an upright RGB photo: its centre, also where the model reads a random part, so that cells have places.

        Raises:
            InputError: if the model reads no images.
        """
        if not self.streams:
            raise InputError("This model reads text only; there is nothing to ask about a photo.")
        read = {
            name: replace(config, random_crop_at_test=False)
            for name, config in (("vit", self.model.config.vit), ("cnn", self.model.config.cnn))
            if config is not None
        }
        pixels, _ = to_pixels([Photo(photo, photo.size)], read.get("vit"), read.get("cnn"))
        lengths = (*photo.size, *photo.size)
        seen = {
            name: Box(*(edge / length for edge, length in zip(cut_box(photo.size, config), lengths, strict=True)))
            for name, config in read.items()
        }
        return Sight(pixels=pixels, image=self.model.encode_pixels(pixels), seen=seen)

    @torch.no_grad()
    def probability(
        self,
        scene: EncodedScene,
        entities: Sequence[Entity],
        *,
        words_seen: bool = True,
        streams: Sequence[str] | None = None,
    ) -> np.ndarray:
        """Return the exact probability of each entity (span and type) when only these players are seen.

        Args:
            scene: from :meth:`scene`.
            entities: spans of words with a type.
            words_seen: False: every word is the unknown token.
            streams: image streams that see the photo; None: all of the model's; (): no photo.
        """
        words = scene.words if words_seen else scene.hidden_words
        emissions, _ = self._emissions(words, scene.image, streams)
        return np.array([self._log_probability(emissions, entity).exp().item() for entity in entities])

    def cell_score(self, scene: EncodedScene, entity: Entity, filler: Pixels | None = None) -> CellScore:
        """Return the question "how probable is the entity when only these cells of the photo are visible?".

        The other cells are replaced in the encoders' input, so the question is the same for every map.

        Args:
            scene: from :meth:`scene`.
            entity: a span of words with a type.
            filler: the photo whose cells are put in their place; None: even grey, which no photo looks like.
        """
        return lambda visible: self.answer(scene.words, self.cover(scene.pixels, visible, filler), entity)

    def cover(self, pixels: Pixels, visible: np.ndarray, filler: Pixels | None = None) -> Iterator[ImageStates]:
        """Encode a photo with cells hidden, a batch of variants after the other; see :meth:`cell_score`.

        Args:
            pixels: the photo.
            visible: [n, rows, columns] bool, true where a cell is visible.
            filler: the photo whose cells are put in the place of hidden ones; None: even grey.
        """
        for start in range(0, len(visible), _VARIANTS_PER_BATCH):
            shown = torch.from_numpy(visible[start : start + _VARIANTS_PER_BATCH])
            with torch.no_grad():
                states = self.model.encode_pixels(self._covered(pixels, shown, filler))
            yield states

    @torch.no_grad()
    def answer(self, words: Tensor, photos: Iterable[ImageStates], entity: Entity) -> np.ndarray:
        """Return the exact probability of an entity beside each of some photos, [n]; ``words``: [W, D], as read."""
        answers = [
            self._log_probability(self._emissions(words, image, None)[0], entity).exp().cpu() for image in photos
        ]
        return torch.cat(answers).numpy()

    @torch.no_grad()
    def cell_types(self, scene: EncodedScene) -> np.ndarray | None:
        """Return the probability of each type in each cell, [rows, columns, T + 1], the last of "no entity".

        None for a model without a reader of cells. Its cells are those of the CNN.
        """
        types = self.model.cell_types(scene.image)
        if types is None or self.model.cnn_encoder is None:
            return None
        return types[0].unflatten(0, self.model.cnn_encoder.grid).float().cpu().numpy()

    @torch.no_grad()
    def share_and_tags(self, text: Text, sight: Sight) -> tuple[np.ndarray, list[str]]:
        """Return the share of each word's attention on the photo, [W], and the best tags with the photo.

        The share is the mean over heads and streams of what is not on "no image".
        """
        emissions, attention = self._emissions(text.words, sight.image, None, need_weights=True)
        shares = [image_share(weights[0].float()).mean(0) for weights in attention.values()]
        return torch.stack(shares).mean(0).cpu().numpy(), self._best(emissions)

    @torch.no_grad()
    def tags_alone(self, text: Text) -> list[str]:
        """Return the best tags of a text without a photo."""
        return self._best(self.model.text_only_emissions(text.words[None]).float())

    def _best(self, emissions: Tensor) -> list[str]:
        mask = torch.ones(emissions.shape[:2], dtype=torch.bool, device=emissions.device)
        return self.model.labels.decode(self.model.crf.viterbi(emissions, mask)[0])

    @torch.no_grad()
    def attention(self, scene: EncodedScene, entity: Entity) -> dict[str, np.ndarray]:
        """Return per stream the attention on the photo's cells [rows, columns], over heads and the entity's words.

        Streams without cells (a pooled vector as only key) are left out. Not scaled: the rest of the attention is on
        the whole-image token and the "no image" key.
        """
        _, attention = self._emissions(scene.words, scene.image, None, need_weights=True)
        return {
            stream: self._cells(attention[stream][0, :, entity.start : entity.end].mean((0, 1)), stream)
            for stream in self.grids
        }

    def weighted_attention(self, scene: EncodedScene, entity: Entity) -> dict[str, np.ndarray]:
        """Return per stream the gradient-weighted attention, [rows, columns].

        Mean over heads of the positive part of gradient times attention (Chefer, Gur & Wolf, ICCV 2021, eq. 5), for
        the log-probability of the entity; summed over all words, since the CRF lets neighbours decide on a span too.
        There is one cross-attention layer, so nothing above it has to be rolled out.
        """
        # Whatever is frozen, the graph must reach the attention: it does through the words.
        words = scene.words.detach().clone().requires_grad_()
        with torch.enable_grad():
            emissions, attention = self._emissions(words, scene.image, None, need_weights=True)
            target = self._log_probability(emissions, entity).sum()
            gradients = torch.autograd.grad(target, [attention[stream] for stream in self.grids])
        return {
            stream: self._cells((gradient * attention[stream].detach()).clamp(min=0).mean(1).sum(1)[0], stream)
            for stream, gradient in zip(self.grids, gradients, strict=True)
        }

    def random_twin(self, seed: int = 0) -> ModelExplainer:
        """Return an explainer of the same model with random weights, whose maps show nothing that was learnt."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            twin = MMNER.build(self.model.config)
        twin = twin.to(self.model.device, self.model.dtype)
        twin.crf.to(next(self.model.crf.parameters()).dtype)
        return ModelExplainer(twin, self.subwords)

    @torch.no_grad()
    def scene_of(self, windows: Sequence[Window], pixels: Pixels, *, convention: str | None = None) -> EncodedScene:
        """Encode what a tagger has prepared, without the hidden words that only Shapley shares need.

        Args:
            windows: of the text.
            pixels: the photo as the encoders get it, U = 1.
            convention: one that the model knows; None for its default.
        """
        config = self.model.config
        index = config.conventions.index(convention) if convention is not None else 0
        words, image = self._word_states(windows, index), self.model.encode_pixels(pixels)
        return EncodedScene(words=words, hidden_words=words[:0], pixels=pixels, image=image, seen={})

    def _cells(self, keys: Tensor, stream: str) -> np.ndarray:
        """Pick the image's cells out of [K] keys, [rows, columns]."""
        return self.layouts[stream].cells(keys).unflatten(0, self.grids[stream]).float().cpu().numpy()

    def _word_states(self, windows: Sequence[Window], convention: int) -> Tensor:
        words, _ = read_windows(self.model, self.subwords, windows, [convention] * len(windows))
        return join_windows(windows, list(words))

    def _emissions(
        self, words: Tensor, image: ImageStates, streams: Sequence[str] | None, *, need_weights: bool = False
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return [U, W, L] tag scores of the sentence beside each image, and the attention [U, H, W, K] per stream."""
        n = next(len(states) for states in image if states is not None)
        index = torch.arange(n, device=words.device)
        keys = self.model.image_keys(image, streams)
        tagged = self.model.tag_words(words.expand(n, -1, -1), keys, index, n_attention_rows=n if need_weights else 0)
        return tagged.emissions.float(), tagged.attention

    def _log_probability(self, emissions: Tensor, entity: Entity) -> Tensor:
        """Return [U] the log of the exact CRF probability of the entity."""
        mask = torch.ones(emissions.shape[:2], dtype=torch.bool, device=emissions.device)
        return self.model.crf.log_span_probability(emissions, mask, entity)

    def _covered(self, pixels: Pixels, visible: Tensor, filler: Pixels | None) -> Pixels:
        """Replace [U, rows, columns] hidden cells by a filler's, or grey; U = 1 photo in, U photos out."""
        config = self.model.config
        other = Pixels() if filler is None else filler
        return replace(
            pixels,
            vit=_cover(pixels.vit, visible, config.vit, other.vit),
            cnn=_cover(pixels.cnn, visible, config.cnn, other.cnn),
        )

    def seen_by(self, stream: str, scene: EncodedScene) -> Box:
        """Return which part of the photo the cells of a stream cover."""
        return scene.seen["vit" if stream == "vit" and self.model.vit_encoder is not None else "cnn"]


def _cover(pixels: Tensor | None, visible: Tensor, config: ImageConfig | None, other: Tensor | None) -> Tensor | None:
    """[1, 3, size, size] and [U, rows, columns] -> [U, 3, size, size]."""
    if pixels is None or config is None:
        return None
    side = torch.arange(config.size)
    rows = visible[:, side * visible.shape[1] // config.size]
    shown = rows[:, :, side * visible.shape[2] // config.size].to(pixels.device)
    if other is None:
        grey = (torch.tensor(GREY) / 255 - torch.tensor(config.mean)) / torch.tensor(config.std)
        other = grey.to(pixels).view(1, 3, 1, 1)
    return torch.where(shown[:, None], pixels, other)
