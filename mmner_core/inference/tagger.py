"""The tagger: text and image in, entities out; the one object that an application needs.

Text and photo are encoded once; the answers with the photo, without it and with another one differ only in the fusion,
which is cheap. Recent texts and photos stay encoded, so a second question about a photo, or another photo for a text,
is half the work.

Shapes: W words, L tags, H heads, K attention keys, D width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from mmner_core.checkpoints.folder import Checkpoint, load_checkpoint
from mmner_core.encoders.image import ImageStates
from mmner_core.errors import InputError
from mmner_core.inference.batches import BATCH_ROWS, BATCH_SUBWORDS, read_windows, window_batches
from mmner_core.inference.photo_reader import EncodedImage, PhotoReader
from mmner_core.inference.pieces import Pieces, finish
from mmner_core.inference.prediction import ImageCondition, predict_in_pieces
from mmner_core.inference.tag_job import EncodedText, TagJob, TagRequest, WindowOutput, facts, join, window_notes
from mmner_core.labels import LabelSet
from mmner_core.network.fusion import Keys
from mmner_core.network.precision import choose_dtype
from mmner_core.photos.limits import DEFAULT_LIMITS, ImageLimits
from mmner_core.results import Prediction
from mmner_core.runtime.available_cores import side_by_side
from mmner_core.runtime.cache import RecentlyUsed
from mmner_core.runtime.fast import is_fast
from mmner_core.text.encoding import SubwordEncoder, Window
from mmner_core.text.language import resolve_language
from mmner_core.text.segments import parts_of
from mmner_core.text.text_limits import DEFAULT_TEXT_LIMITS, TextLimits
from mmner_core.text.words import split_words

if TYPE_CHECKING:
    from PIL.Image import Image

WINDOW = 256
"""Longest window in sub-words: beyond it attention's quadratic cost outweighs the gain from context."""
TEXT_CACHE_BYTES = 16 << 20  # some 700 sentences of the shipped model
LIGHT = 100_000_000
"""Weights up to which the operations on one sentence are too small to be worth several cores each."""
REMEMBERED_REQUESTS = 32
"""Texts of larger calls are not kept: a long job rarely reads a text twice, and would push visitors' texts out."""


class _Look(NamedTuple):
    """A text to be tagged with an image: the condition, the row of the batch, the row of the image."""

    condition: ImageCondition
    row: int
    image: int


class Tagger:
    """A loaded checkpoint, ready to tag.

    Args:
        checkpoint: what :func:`~mmner_core.checkpoints.folder.load_checkpoint` returned.
        device: where to run.
        limits: which images to refuse.
        text_limits: which texts to refuse.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        *,
        device: str = "cpu",
        limits: ImageLimits = DEFAULT_LIMITS,
        text_limits: TextLimits = DEFAULT_TEXT_LIMITS,
    ) -> None:
        self.checkpoint = checkpoint
        self.device = torch.device(device)
        self.limits = limits
        self.text_limits = text_limits
        self.model = choose_dtype(checkpoint.model, self.device)
        config = self.model.config
        self.labels: LabelSet = self.model.labels
        self.conventions = config.conventions
        self.digest = checkpoint.digest
        self.subwords = SubwordEncoder(
            checkpoint.tokenizer,
            max_subwords=min(WINDOW, self.model.text_encoder.max_subwords),
            word_position=config.text.word_position,
        )
        self.reads_images = bool(config.fusion.streams) and self.model.sees
        self.photos = PhotoReader(self.model, limits)
        self.texts: RecentlyUsed[EncodedText] = RecentlyUsed(TEXT_CACHE_BYTES)
        weights = sum(parameter.numel() for parameter in self.model.parameters())
        self._is_light = self.device.type == "cpu" and weights <= LIGHT and is_fast("two_cores")

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        device: str = "cpu",
        limits: ImageLimits = DEFAULT_LIMITS,
        text_limits: TextLimits = DEFAULT_TEXT_LIMITS,
        images: bool = True,
    ) -> Tagger:
        """Load a checkpoint folder.

        Args:
            path: the folder.
            device: where to run.
            limits: which images to refuse.
            text_limits: which texts to refuse.
            images: whether photos will be shown; a tagger for text alone is ready much sooner.

        Raises:
            InputError: if the folder is not a whole, undamaged checkpoint.
        """
        return cls(load_checkpoint(path, images=images), device=device, limits=limits, text_limits=text_limits)

    def tag(
        self,
        text: str,
        image: Path | str | bytes | Image | None = None,
        lang: str | None = None,
        *,
        convention: str | None = None,
        attention: bool = True,
        compare: bool = True,
        other_image: Path | str | bytes | Image | None = None,
    ) -> Prediction:
        """Tag one text; see :meth:`tag_batch`."""
        request = TagRequest(text=text, image=image, lang=lang, convention=convention, other_image=other_image)
        if self._is_light and self.reads_images and image is not None:
            job = self._prepare_on_all_cores(request, image)
        else:
            job = self.prepare(request)
        return self.tag_prepared([job], attention=attention, compare=compare)[0]

    def tag_batch(
        self, requests: Sequence[TagRequest], *, attention: bool = True, compare: bool = True
    ) -> list[Prediction]:
        """Tag many texts at once, in order.

        Args:
            requests: the texts.
            attention: also return where the words looked.
            compare: where there is an image, also say what the text alone would have given.

        Raises:
            InputError: if a text is blank, an image cannot be read, or a language or convention is unknown.
        """
        return self.tag_prepared([self.prepare(request) for request in requests], attention=attention, compare=compare)

    def tag_prepared(self, jobs: Sequence[TagJob], *, attention: bool = True, compare: bool = True) -> list[Prediction]:
        """Tag what :meth:`prepare` returned, each once; see :meth:`tag_batch`."""
        return finish(self.tag_in_pieces(jobs, attention=attention, compare=compare))

    @torch.inference_mode()
    def tag_in_pieces(
        self,
        jobs: Sequence[TagJob],
        *,
        attention: bool = True,
        compare: bool = True,
        batch_subwords: int = BATCH_SUBWORDS,
    ) -> Pieces[list[Prediction]]:
        """Tag what :meth:`prepare` returned, each once, some of the text in each piece; see :meth:`tag_batch`.

        Args:
            jobs: what to tag.
            attention: also return where the words looked.
            compare: where there is an image, also say what the text alone would have given.
            batch_subwords: most padded sub-words that are read in a piece; a window is read whole.
        """
        states = self._encode_photos(jobs)
        keys = self.model.image_keys(states)
        windows = [job.windows for job in jobs]
        for ids in window_batches(windows, batch_subwords=batch_subwords, batch_rows=BATCH_ROWS):
            self._read(jobs, ids, keys, attention=attention, compare=compare)
            yield
        vectors = self.model.project_image(states) if states is not None else {}
        for job in jobs:
            if job.image_row >= 0:
                job.image_vectors = {stream: images[job.image_row] for stream, images in vectors.items()}
        readings = [join(job) for job in jobs]
        yield  # ten thousand windows, of as many cells, take a tenth of a second to join
        return (
            yield from predict_in_pieces(
                self.model, readings, [job.words for job in jobs], [facts(job) for job in jobs]
            )
        )

    def prepare(self, request: TagRequest) -> TagJob:
        """Split a request's text and open its photo, which is where bad input shows; several threads may do so.

        Raises:
            InputError: as :meth:`tag_batch`.
        """
        job = self._prepare_text(request)
        self._show(job, self.photos.open(request.image) if request.image is not None else None)
        return job

    @torch.inference_mode()
    def _prepare_on_all_cores(self, request: TagRequest, image: Path | str | bytes | Image) -> TagJob:
        """Prepare a single request: one core opens and encodes a new photo, the others read the text.

        The photo's path is long and narrow, and a second core is of little use to a sentence: side by side both are
        ready sooner than one after the other on all cores.
        """
        key, photo = self.photos.look_up(image)
        if photo is None:
            photo, job = side_by_side(lambda: self.photos.read(image, key), lambda: self._encode_text_early(request))
        else:
            job = self._prepare_text(request)
        self._show(job, photo)
        return job

    def _encode_text_early(self, request: TagRequest) -> TagJob:
        """Prepare a text and, unless it is long enough for all cores, encode it already."""
        job = self._prepare_text(request)
        if len(job.windows) == 1:
            job.prefetched[0] = self._encode_texts([job], [(0, 0)])[0]
        return job

    def _prepare_text(self, request: TagRequest) -> TagJob:
        """Check and split a request's text."""
        text = request.text
        self.text_limits.check(text)
        if request.convention is not None and request.convention not in self.conventions:
            known = ", ".join(self.conventions) or "none to choose from"
            raise InputError(f"This checkpoint has no convention {request.convention!r} ({known}).")
        language, detected, notes = resolve_language(text, request.lang)
        words = request.words if request.words is not None else tuple(split_words(text, language))
        parts = parts_of(text, words)
        windows = self.subwords.windows_of_parts([word.text for word in words], parts)
        return TagJob(
            request=request,
            language=language,
            detected=detected,
            words=words,
            parts=parts,
            windows=windows,
            notes=[*notes, *window_notes(parts, windows)],
        )

    def _show(self, job: TagJob, photo: EncodedImage | None) -> None:
        """Attach the photo to a job, and the one to compare it with if there is one."""
        job.photo = photo
        if photo is None:
            job.notes.append("No photo: tagged from the text alone.")
            return
        job.notes += photo.notes
        if not self.reads_images:
            job.notes.append("This checkpoint reads text only: the photo was not looked at.")
        elif job.request.other_image is not None:
            job.other = self.photos.open(job.request.other_image)

    def _encode_photos(self, jobs: Sequence[TagJob]) -> ImageStates | None:
        """Encode the jobs' photos and remember which row is whose."""
        shown = [job for job in jobs if job.photo is not None] if self.reads_images else []
        compared = [job for job in shown if job.other is not None]
        photos = [job.photo for job in shown] + [job.other for job in compared]
        states, rows = self.photos.encode([photo for photo in photos if photo is not None])
        for job, row in zip(shown, rows, strict=False):
            job.image_row = row
        for job, row in zip(compared, rows[len(shown) :], strict=True):
            job.other_row = row
        return states

    def _read(
        self,
        jobs: Sequence[TagJob],
        ids: Sequence[tuple[int, int]],
        keys: dict[str, Keys],
        *,
        attention: bool,
        compare: bool,
    ) -> None:
        """Read a batch of windows: encode the text once, then tag it without image, with its own and with the other."""
        texts = self._encode_texts(jobs, ids)
        words = torch.nn.utils.rnn.pad_sequence([text.words for text in texts], batch_first=True)  # [B, W, D]
        for (j, window), text in zip(ids, texts, strict=True):
            jobs[j].outputs[window] = WindowOutput(words=text.words.float(), vector=text.vector)
        text_only = self.model.text_only_emissions(words)
        for row, scores in enumerate(text_only.float()):
            j, window = ids[row]
            condition = ImageCondition.TEXT_ONLY if jobs[j].image_row >= 0 else ImageCondition.AS_ASKED
            if condition is ImageCondition.AS_ASKED or compare:
                jobs[j].outputs[window].emissions[condition] = scores
        self._look(jobs, ids, words, text_only, keys, attention=attention)

    def _look(
        self,
        jobs: Sequence[TagJob],
        ids: Sequence[tuple[int, int]],
        words: Tensor,
        text_only: Tensor,
        keys: dict[str, Keys],
        *,
        attention: bool,
    ) -> None:
        """Tag the windows of a batch that have a photo with it and, to compare, with another one."""
        seen = [
            _Look(ImageCondition.AS_ASKED, row, jobs[j].image_row)
            for row, (j, _) in enumerate(ids)
            if jobs[j].image_row >= 0
        ]
        if not seen:
            return
        looks = seen + [
            _Look(ImageCondition.OTHER_IMAGE, row, jobs[j].other_row)
            for row, (j, _) in enumerate(ids)
            if jobs[j].other_row >= 0
        ]
        rows = [look.row for look in looks]
        images = torch.tensor([look.image for look in looks], device=self.device)
        n_attention_rows = len(seen) if attention else 0
        tagged = self.model.tag_words(
            words[rows], keys, images, n_attention_rows=n_attention_rows, text_only_emissions=text_only[rows]
        )
        for look, scores in zip(looks, tagged.emissions.float(), strict=True):
            j, window = ids[look.row]
            jobs[j].outputs[window].emissions[look.condition] = scores
        by_word = {stream: weights.transpose(1, 2).float() for stream, weights in tagged.attention.items()}
        for i, look in enumerate(seen):
            j, window = ids[look.row]
            output = jobs[j].outputs[window]
            output.attention = {stream: weights[i] for stream, weights in by_word.items()}  # [W, H, K] each
            output.photo_share = None if tagged.photo_share is None else tagged.photo_share[i]

    def _encode_texts(self, jobs: Sequence[TagJob], ids: Sequence[tuple[int, int]]) -> list[EncodedText]:
        """Encode some windows: from the cache, those that are not there in one pass."""
        names = {name: i for i, name in enumerate(self.conventions)}
        windows = [jobs[j].windows[w] for j, w in ids]
        conventions = [names.get(jobs[j].request.convention or "", 0) for j, _ in ids]
        kept = len(jobs) <= REMEMBERED_REQUESTS
        keys = [
            _key(window, convention) if kept else None for window, convention in zip(windows, conventions, strict=True)
        ]
        known = [
            jobs[j].prefetched.get(w) or (self.texts.get(key) if key else None)
            for (j, w), key in zip(ids, keys, strict=True)
        ]
        fresh = [row for row, text in enumerate(known) if text is None]
        if fresh:
            words, vectors = read_windows(
                self.model, self.subwords, [windows[row] for row in fresh], [conventions[row] for row in fresh]
            )
            for i, row in enumerate(fresh):
                own = words[i, : len(windows[row].word_to_token)]
                text = EncodedText(own.clone() if kept else own, None if vectors is None else vectors[i])
                known[row] = text
                if kept:
                    self.texts.put(keys[row], text, own.numel() * own.element_size())
        return [text for text in known if text is not None]


def _key(window: Window, convention: int) -> bytes:
    """Return the digest of the text encoder's input for a window."""
    given = (window.input_ids, window.word_to_token, convention)
    return hashlib.sha256(repr(given).encode()).digest()
