"""What visitors ask: sentences in four languages, each with a number of its own, and photos drawn here."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass

NAMES = ("Ada Lovelace", "Marie Curie", "Simón Bolívar", "Clara Schumann", "Jordan", "Washington", "Anne Frank")
PLACES = ("Berlin", "Lyon", "Sevilla", "Edinburgh", "Zürich", "Buenos Aires", "New York", "Petra")
ORGANISATIONS = ("Siemens", "Real Madrid", "the United Nations", "Le Monde", "Deutsche Bahn", "NASA")
PATTERNS = (
    "{name} met people from {organisation} in {place}, ticket {number}.",
    "who else loves {place}? greetings from {name} and friends ({number}) 🎉",
    "{name} a visité {place} avec {organisation}, billet {number}.",
    "Qui a vu {name} hier soir à {place} ? Numéro {number}",
    "{name} fuhr mit {organisation} nach {place}, Fahrschein {number}.",
    "Gestern in {place}: {name} und {organisation}\nNummer {number}",
    "{name} viajó a {place} con {organisation}, billete {number}.",
    "¡Qué noche en {place}! {name}, entrada {number}",
)
SIZES = ((320, 240), (640, 480), (1024, 768), (1600, 1200), (768, 1024), (2048, 1365), (480, 480), (1280, 720))
FORMATS = ("jpeg", "jpeg", "png", "webp")
PHOTOS = 16
_JPEG_COMMENT = b"\xff\xfe"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedPhoto:
    """An image file as a visitor uploads it."""

    name: str
    mime_type: str
    content: bytes

    def numbered(self, number: int) -> UploadedPhoto:
        """Return the photo with other bytes but the same image, so that no cache of the app knows it; JPEG only."""
        if self.mime_type != "image/jpeg":
            return self
        comment = f"question {number}".encode()
        segment = _JPEG_COMMENT + (len(comment) + 2).to_bytes(2, "big") + comment
        content = self.content[:2] + segment + self.content[2:]
        return UploadedPhoto(name=self.name, mime_type=self.mime_type, content=content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A text that holds ``number``, which no other question holds, and a photo or None."""

    number: int
    text: str
    photo: UploadedPhoto | None


def draw_photos(seed: int, count: int = PHOTOS) -> list[UploadedPhoto]:
    """Draw images of several sizes and formats: soft colours with a coloured disc, and noise as a camera has it."""
    import numpy as np
    from PIL import Image

    random_numbers = np.random.default_rng(seed)
    photos = []
    for i in range(count):
        width, height = SIZES[i % len(SIZES)]
        rows, columns = np.mgrid[0:height, 0:width]
        slopes = random_numbers.uniform(-80, 80, size=(2, 3))
        pixels = 128 + (rows / height)[..., None] * slopes[0] + (columns / width)[..., None] * slopes[1]
        centre = random_numbers.uniform(0.2, 0.8, size=2) * (height, width)
        disc = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < (height / 5) ** 2
        pixels[disc] = random_numbers.uniform(0, 255, size=3)
        pixels += random_numbers.normal(0, 6, size=pixels.shape)
        kind = FORMATS[i % len(FORMATS)]
        file = io.BytesIO()
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(file, kind)
        photos.append(UploadedPhoto(name=f"photo{i}.{kind}", mime_type=f"image/{kind}", content=file.getvalue()))
    return photos


def make_question(number: int, photos: list[UploadedPhoto], chance: random.Random, *, photo_share: float) -> Question:
    """Make question ``number``; a share of the questions has a photo."""
    text = chance.choice(PATTERNS).format(
        name=chance.choice(NAMES),
        place=chance.choice(PLACES),
        organisation=chance.choice(ORGANISATIONS),
        number=number,
    )
    photo = chance.choice(photos).numbered(number) if chance.random() < photo_share else None
    return Question(number=number, text=text, photo=photo)
