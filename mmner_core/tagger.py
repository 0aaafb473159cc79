"""Text and photo in, names out: the one object that an application needs.

Text and photo are encoded once; the answers with and without the photo differ only in the fusion, which is cheap.

Shapes: W words, L tags, H heads, K attention keys, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mmner_core.checkpoint import Checkpoint, load_checkpoint
from mmner_core.data.images import DEFAULT_LIMITS, ImageLimits, Photo, open_photo
from mmner_core.encoders.image import ImageStates
from mmner_core.encoding import SubwordEncoder, Window, collate
from mmner_core.errors import InputError
from mmner_core.inference import join_windows, window_batches
from mmner_core.labels import LabelSet
from mmner_core.language import resolve_language
from mmner_core.precision import choose_dtype
from mmner_core.prediction import Reading, build_prediction
from mmner_core.preprocess import decode_size, to_pixels
from mmner_core.results import Crop, Prediction, Word
from mmner_core.text_limits import DEFAULT_TEXT_LIMITS, TextLimits
from mmner_core.words import split_words

if TYPE_CHECKING:
    from PIL.Image import Image

WINDOW = 256
"""Longest window in sub-words: beyond it attention's quadratic cost outweighs the gain from context."""
BATCH_SUBWORDS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRequest:
    """One text to tag.

    Attributes:
        text: any text that holds at least one character that is not white space.
        image: a file, its bytes, or a picture; None for text only.
        lang: "en", "fr", "de", "es", or None to detect it.
        convention: annotation convention to read by; None for the checkpoint's default.
        words: words with offsets, where the caller has split the text already.
    """

    text: str
    image: Path | str | bytes | Image | None = None
    lang: str | None = None
    convention: str | None = None
    words: tuple[Word, ...] | None = None


@dataclass(slots=True, kw_only=True)
class TagJob:
    """A request on its way: words, windows, photo, and what the model said of each window."""

    request: TagRequest
    language: str
    detected: bool
    words: tuple[Word, ...]
    windows: list[Window]
    notes: list[str]
    photo: Photo | None
    image_row: int = -1
    crop: Crop | None = None
    passes: dict[str, dict[int, Tensor]] = field(default_factory=dict)
    image_vectors: dict[str, Tensor] = field(default_factory=dict)


class Tagger:
    """A loaded checkpoint, ready to tag.

    Args:
        checkpoint: what :func:`~mmner_core.checkpoint.load_checkpoint` returned.
        device: where to run.
        limits: which pictures to refuse.
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
            limits: which pictures to refuse.
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
    ) -> Prediction:
        """Tag one text; see :meth:`tag_batch`."""
        request = TagRequest(text=text, image=image, lang=lang, convention=convention)
        return self.tag_batch([request], attention=attention, compare=compare)[0]

    def tag_batch(
        self, requests: Sequence[TagRequest], *, attention: bool = True, compare: bool = True
    ) -> list[Prediction]:
        """Tag many texts at once, in order.

        Args:
            requests: the texts.
            attention: also return where the words looked.
            compare: where there is an image, also say what the text alone would have given.

        Raises:
            InputError: if a text is blank, a picture cannot be read, or a language or convention is unknown.
        """
        return self.tag_prepared([self.prepare(request) for request in requests], attention=attention, compare=compare)

    @torch.no_grad()
    def tag_prepared(self, jobs: Sequence[TagJob], *, attention: bool = True, compare: bool = True) -> list[Prediction]:
        """Tag what :meth:`prepare` returned, each once; see :meth:`tag_batch`."""
        states = self._encode_photos(jobs)
        windows = [job.windows for job in jobs]
        for ids in window_batches(windows, batch_subwords=BATCH_SUBWORDS, batch_rows=64):
            self._read(jobs, ids, states, attention=attention, compare=compare)
        return [self._finish(job) for job in jobs]

    def prepare(self, request: TagRequest) -> TagJob:
        """Split a request's text and open its photo, all that can be at fault in it; several threads may do so.

        Raises:
            InputError: as :meth:`tag_batch`.
        """
        text = request.text
        self.text_limits.check(text)
        if request.convention is not None and request.convention not in self.conventions:
            known = ", ".join(self.conventions) or "none to choose from"
            raise InputError(f"This checkpoint has no convention {request.convention!r} ({known}).")
        language, detected, notes = resolve_language(text, request.lang)
        words = request.words if request.words is not None else tuple(split_words(text, language))
        windows = self.subwords.windows([[word.text for word in words]])[0]
        notes = [*notes, *_window_notes(windows)]
        photo = None
        if request.image is not None:
            config = self.model.config
            target = decode_size(config.vit, config.cnn) if self.reads_images else None
            photo = open_photo(request.image, target=target, limits=self.limits)
        notes += photo.notes if photo is not None else ()
        if photo is None:
            notes.append("No photo: tagged from the text alone.")
        elif not self.reads_images:
            notes.append("This checkpoint reads text only: the photo was not looked at.")
        return TagJob(
            request=request,
            language=language,
            detected=detected,
            words=words,
            windows=windows,
            notes=notes,
            photo=photo,
        )

    def _encode_photos(self, jobs: Sequence[TagJob]) -> ImageStates | None:
        """Encode each job's photo and remember which part of it the model saw."""
        shown = [job for job in jobs if job.photo is not None] if self.reads_images else []
        if not shown:
            return None
        config = self.model.config
        pixels, crops = to_pixels([job.photo for job in shown if job.photo is not None], config.vit, config.cnn)
        for row, (job, crop) in enumerate(zip(shown, crops, strict=True)):
            job.image_row, job.crop = row, crop
        dtype = next(self.model.classifier.parameters()).dtype
        return self.model.encode_pixels(pixels.to(self.device, dtype))

    def _read(
        self,
        jobs: Sequence[TagJob],
        ids: Sequence[tuple[int, int]],
        states: ImageStates | None,
        *,
        attention: bool,
        compare: bool,
    ) -> None:
        """Read a batch of windows: text once, then fusion with the photo and, to compare, without."""
        names = {name: i for i, name in enumerate(self.conventions)}
        batch = collate(
            [jobs[j].windows[w] for j, w in ids],
            pad=self.subwords.pad,
            conventions=[names.get(jobs[j].request.convention or "", 0) for j, _ in ids],
            image_index=[jobs[j].image_row for j, _ in ids],
        ).to(self.device)
        text = self.model.encode_text(batch)
        words = self.model.word_states(text, batch)
        keys = self.model.image_keys(states, batch.image_index)
        emissions, weights = self.model.tag_words(words, keys, need_weights=attention and states is not None)
        projected, images = self.model.project(text, states)
        results: dict[str, Tensor] = {"emissions": emissions, "words": words}
        if projected is not None:
            results["text"] = projected[:, None]  # [B, 1, D]
        seen: dict[str, Tensor] = {f"attention/{s}": w.transpose(1, 2) for s, w in weights.items()}  # [B, W, H, K]
        if compare and states is not None:
            alone = self.model.image_keys(None, torch.full_like(batch.image_index, -1))
            seen["text_only"], _ = self.model.tag_words(words, alone)
        for row, (j, window) in enumerate(ids):
            job = jobs[j]
            for name, value in (results | seen if job.image_row >= 0 else results).items():
                job.passes.setdefault(name, {})[window] = value[row].float()
            if job.image_row >= 0:
                job.image_vectors = {stream: vectors[job.image_row] for stream, vectors in images.items()}

    def _finish(self, job: TagJob) -> Prediction:
        """Join a text's windows and decode."""
        parts = {name: [by_window[w] for w in range(len(job.windows))] for name, by_window in job.passes.items()}
        text = parts.pop("text", None)
        joined = {name: join_windows(job.windows, states) for name, states in parts.items()}
        reading = Reading(
            emissions=joined["emissions"],
            word_states=joined["words"],
            text_only=joined.get("text_only"),
            attention={
                name.removeprefix("attention/"): value.transpose(0, 1)  # [H, W, K]
                for name, value in joined.items()
                if name.startswith("attention/")
            },
            text_vector=torch.stack(text).mean((0, 1)) if text else None,
            image_vectors=job.image_vectors,
        )
        return build_prediction(
            self.model,
            reading,
            text=job.request.text,
            words=job.words,
            language=job.language,
            language_detected=job.detected,
            image_size=job.photo.size if job.photo is not None else None,
            crop=job.crop,
            windows=len(job.windows),
            notes=tuple(job.notes),
        )


def _window_notes(windows: Sequence[Window]) -> list[str]:
    notes = []
    if len(windows) > 1:
        notes.append(f"Long text: read in {len(windows)} overlapping windows, no word left out.")
    if shortened := sum(window.shortened for window in windows):
        notes.append(f"{shortened} very long string(s) without spaces were read by their beginning only.")
    return notes
