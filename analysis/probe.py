"""Ask a model about one sentence and one photo, with words, streams or cells of the photo hidden; and for its maps.

The text is encoded once per sentence and the photo once per variant; what is asked again and again (attention, CRF) is
cheap. Shapes: U variants of the photo, W words, D width, H heads, K keys, L tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.data.colour import GREY
from mmner_core.data.images import Photo
from mmner_core.encoders.image import ImageStates
from mmner_core.encoding import Pixels, SubwordEncoder, Window, collate
from mmner_core.errors import InputError
from mmner_core.inference import join_windows
from mmner_core.model import MMNER, TaggedWords
from mmner_core.prediction import attention_map
from mmner_core.preprocess import to_pixels

if TYPE_CHECKING:
    from PIL import Image

    from analysis.attribution import CellScore
    from mmner_core.config import ImageConfig
    from mmner_core.labels import Entity

_VARIANTS_PER_BATCH = 16  # more would not fit the cache of two cores and gain nothing
_IMPOSSIBLE = -1e4  # as the CRF has it: finite, so that gradients stay finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One sentence and its photo, ready to be asked about.

    Attributes:
        words: [W, D] word vectors of the text.
        hidden_words: [W, D] those of as many unknown tokens, what is left of a sentence whose words are hidden.
        pixels: the photo as the encoders get it, U = 1.
        image: the photo encoded, U = 1.
    """

    words: Tensor
    hidden_words: Tensor
    pixels: Pixels
    image: ImageStates


class Probe:
    """Questions to one model in eval mode; it is not changed.

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
        layouts = {stream: attention_map(model, stream, torch.zeros(1, 1, 2)) for stream in self.streams}
        self.grids = {stream: layout.grid for stream, layout in layouts.items() if layout.grid != (0, 0)}

    @torch.no_grad()
    def scene(self, words: Sequence[str], photo: Image.Image, *, convention: str | None = None) -> Scene:
        """Encode a sentence and an upright RGB photo.

        Raises:
            InputError: if the model reads no images, or does not know the convention.
        """
        config = self.model.config
        if not self.streams:
            raise InputError("This model reads text only; there is nothing to ask about a photo.")
        if convention is not None and convention not in config.conventions:
            known = ", ".join(config.conventions) or "none"
            raise InputError(f"The model knows no convention {convention!r}; it knows: {known}.")
        index = config.conventions.index(convention) if convention is not None else 0
        pixels, _ = to_pixels([Photo(photo, photo.size)], config.vit, config.cnn)
        pixels = pixels.to(self._device, self._dtype)
        return Scene(
            words=self._word_states(self.subwords.windows([words])[0], index),
            hidden_words=self._word_states(hidden_windows(self.subwords, len(words)), index),
            pixels=pixels,
            image=self.model.encode_pixels(pixels),
        )

    @torch.no_grad()
    def probability(
        self,
        scene: Scene,
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

    def cell_score(self, scene: Scene, entity: Entity) -> CellScore:
        """Return the question "how probable is the entity when only these cells of the photo are visible?".

        The other cells are made even grey in the encoders' input, so the question is the same for every map.
        """

        @torch.no_grad()
        def score(visible: np.ndarray) -> np.ndarray:
            answers = []
            for start in range(0, len(visible), _VARIANTS_PER_BATCH):
                shown = torch.from_numpy(visible[start : start + _VARIANTS_PER_BATCH])
                image = self.model.encode_pixels(self._covered(scene.pixels, shown))
                emissions, _ = self._emissions(scene.words, image, None)
                answers.append(self._log_probability(emissions, entity).exp())
            return torch.cat(answers).cpu().numpy()

        return score

    @torch.no_grad()
    def attention(self, scene: Scene, entity: Entity) -> dict[str, np.ndarray]:
        """Return per stream the attention on the photo's cells [rows, columns], over heads and the entity's words.

        Streams without cells (a pooled vector as only key) are left out. Not scaled: the rest of the attention is on
        the whole-image token and the "no image" key.
        """
        _, attention = self._emissions(scene.words, scene.image, None, need_weights=True)
        return {
            stream: self._cells(attention[stream][0, :, entity.start : entity.end].mean((0, 1)), stream)
            for stream in self.grids
        }

    def weighted_attention(self, scene: Scene, entity: Entity) -> dict[str, np.ndarray]:
        """Return per stream the gradient-weighted attention, [rows, columns].

        Mean over heads of the positive part of gradient times attention (Chefer, Gur & Wolf, ICCV 2021, eq. 5), for
        the log-probability of the entity; summed over all words, since the CRF lets neighbours decide on a span too.
        There is one cross-attention layer, so nothing above it has to be rolled out.
        """
        # Whatever is frozen, the graph must reach the attention: it does through the words.
        words = scene.words.detach().clone().requires_grad_()
        with torch.enable_grad():
            tagged = self._tag(words, scene.image, None, need_weights=True)
            weights = [tagged.mixed[stream] for stream in self.grids]
            target = self._log_probability(tagged.emissions.float(), entity).sum()
            gradients = torch.autograd.grad(target, weights)
        beside = int(self.model.config.fusion.grounded)  # the "no image" key, which is not among what is mixed
        return {
            stream: self._cells(
                F.pad((gradient * own.detach()).clamp(min=0).mean(1).sum(1)[0], (beside, 0)),
                stream,
            )
            for stream, own, gradient in zip(self.grids, weights, gradients, strict=True)
        }

    def random_twin(self, seed: int = 0) -> Probe:
        """Return a probe of a model of the same build with random weights: what its maps show was not learnt."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            twin = MMNER.build(self.model.config)
        twin = twin.to(self._device, self._dtype)
        twin.crf.to(next(self.model.crf.parameters()).dtype)
        return Probe(twin, self.subwords)

    @torch.no_grad()
    def scene_of(self, windows: Sequence[Window], pixels: Pixels, *, convention: str | None = None) -> Scene:
        """Encode what a tagger has prepared, to ask about it what hides no words.

        Args:
            windows: of the text.
            pixels: the photo as the encoders get it, U = 1.
            convention: one that the model knows; None for its default.
        """
        config = self.model.config
        index = config.conventions.index(convention) if convention is not None else 0
        words, pixels = self._word_states(windows, index), pixels.to(self._device, self._dtype)
        return Scene(words=words, hidden_words=words[:0], pixels=pixels, image=self.model.encode_pixels(pixels))

    def _cells(self, keys: Tensor, stream: str) -> np.ndarray:
        """Pick the photo's cells out of [K] keys, as :meth:`AttentionMap.cells` does."""
        return attention_map(self.model, stream, keys[None, None]).cells()[0, 0]

    def _word_states(self, windows: Sequence[Window], convention: int) -> Tensor:
        batch = collate(windows, pad=self.subwords.pad, conventions=[convention] * len(windows)).to(self._device)
        states = self.model.word_states(self.model.encode_text(batch), batch)
        return join_windows(windows, list(states))

    def _emissions(
        self, words: Tensor, image: ImageStates, streams: Sequence[str] | None, *, need_weights: bool = False
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return [U, W, L] tag scores of the sentence beside each image, and the attention [U, H, W, K] per stream."""
        tagged = self._tag(words, image, streams, need_weights=need_weights)
        return tagged.emissions.float(), tagged.attention

    def _tag(
        self, words: Tensor, image: ImageStates, streams: Sequence[str] | None, *, need_weights: bool
    ) -> TaggedWords:
        """Let the sentence look at each image with some of the streams, None for all."""
        n = next(len(states) for states in image if states is not None)
        index = torch.arange(n, device=self._device)
        keys = self.model.image_keys(image)
        for stream in self.streams:
            if streams is not None and stream not in streams:
                keys[stream] = self.model.fusion.keys(stream, None)
        weighed = n if need_weights else 0
        mask = torch.ones(n, len(words), dtype=torch.bool, device=self._device)
        return self.model.tag_words(words.expand(n, -1, -1), mask, keys, index, weighed=weighed)

    def _log_probability(self, emissions: Tensor, entity: Entity) -> Tensor:
        """Return [U] the log of the exact CRF probability of the entity.

        Constrained over whole partition function, for all images at once: on the entity's words only its tags are left,
        on the word after it anything but its continuation (``CRF.span_probabilities`` for one image is the same).
        """
        labels, crf = self.model.labels, self.model.crf
        allowed = torch.ones(emissions.shape[1:], dtype=torch.bool, device=emissions.device)
        allowed[entity.start : entity.end] = False
        allowed[entity.start, labels.begin(entity.type)] = True
        allowed[entity.start + 1 : entity.end, labels.inside(entity.type)] = True
        if entity.end < len(allowed):
            allowed[entity.end, labels.inside(entity.type)] = False
        mask = torch.ones(emissions.shape[:2], dtype=torch.bool, device=emissions.device)
        constrained = crf.log_partition(emissions.masked_fill(~allowed, _IMPOSSIBLE), mask)
        return constrained - crf.log_partition(emissions, mask)

    def _covered(self, pixels: Pixels, visible: Tensor) -> Pixels:
        """Make [U, rows, columns] hidden cells grey; U = 1 photo in, U photos out."""
        config = self.model.config
        return replace(
            pixels,
            vit=_cover(pixels.vit, visible, config.vit),
            cnn=_cover(pixels.cnn, visible, config.cnn),
        )

    @property
    def _device(self) -> torch.device:
        return self.model.classifier.weight.device

    @property
    def _dtype(self) -> torch.dtype:
        return self.model.classifier.weight.dtype


def _cover(pixels: Tensor | None, visible: Tensor, config: ImageConfig | None) -> Tensor | None:
    """[1, 3, size, size] and [U, rows, columns] -> [U, 3, size, size]."""
    if pixels is None or config is None:
        return None
    side = torch.arange(config.size)
    rows = visible[:, side * visible.shape[1] // config.size]
    shown = rows[:, :, side * visible.shape[2] // config.size].to(pixels.device)
    grey = (torch.tensor(GREY) / 255 - torch.tensor(config.mean)) / torch.tensor(config.std)
    return torch.where(shown[:, None], pixels, grey.to(pixels).view(1, 3, 1, 1))


def hidden_windows(subwords: SubwordEncoder, n_words: int) -> list[Window]:
    """Return the windows of a sentence of ``n_words`` words, each read as one unknown token."""
    windows, start = [], 0
    while True:
        stop = min(start + subwords.capacity, n_words)
        unknown = [subwords.unknown] * (stop - start)
        places = [i + subwords.first for i in range(stop - start)]
        ids = [subwords.prefix, *unknown, subwords.suffix]
        windows.append(Window(input_ids=ids, word_to_token=places, start=start, stop=stop))
        if stop == n_words:
            return windows
        start = max(start + 1, stop - subwords.overlap)
