"""What is tagged to take the time of it: a sentence of ordinary length in each language, and photos."""

from __future__ import annotations

import io

import numpy as np

SENTENCES = (
    ("en", "In the spring of 1912 the young engineer left Manchester for Buenos Aires, where the Great Southern "
     "Railway had offered her a post."),
    ("fr", "Au printemps de 1912, la jeune ingénieure quitta Lyon pour Buenos Aires, où la Compagnie des chemins de "
     "fer lui avait offert un poste."),
    ("de", "Im Frühjahr 1912 verließ die junge Ingenieurin Hamburg und zog nach Buenos Aires, wo ihr die Große "
     "Südbahn eine Stelle angeboten hatte."),
    ("es", "En la primavera de 1912 la joven ingeniera dejó Sevilla y se fue a Buenos Aires, donde el Gran Ferrocarril "
     "del Sur le había ofrecido un puesto."),
)  # fmt: skip
PHOTO_SIZE = (1600, 1200)


def draw_photo(seed: int, size: tuple[int, int] = PHOTO_SIZE) -> bytes:
    """Return a JPEG of the size and detail of a photo from a web page."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=85)
    return file.getvalue()
