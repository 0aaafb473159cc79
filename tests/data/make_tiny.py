"""Draw the images of tests/data/tiny: a face, a landscape, a badge or a star in four variants each.

Run as ``python tests/data/make_tiny.py``; the drawings are the same every time.
"""

from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).parent / "tiny" / "images"
VARIANTS = {1: "#c0392b", 2: "#2471a3", 3: "#8e44ad", 4: "#d68910"}
SIZES = {1: (48, 48), 2: (64, 48), 3: (48, 64), 4: (40, 56)}


def draw_per(pen: ImageDraw.ImageDraw, width: int, height: int, colour: str) -> None:
    """Draw a face over shoulders."""
    pen.rectangle((0, 0, width, height), fill="#eeeeee")
    pen.ellipse((width * 0.1, height * 0.7, width * 0.9, height * 1.4), fill=colour)
    pen.ellipse((width * 0.28, height * 0.12, width * 0.72, height * 0.72), fill="#f0c8a0")
    for x in (0.42, 0.58):
        pen.ellipse((width * x - 2, height * 0.36, width * x + 2, height * 0.36 + 4), fill="black")
    pen.arc((width * 0.4, height * 0.45, width * 0.6, height * 0.62), 20, 160, fill="black")


def draw_loc(pen: ImageDraw.ImageDraw, width: int, height: int, colour: str) -> None:
    """Draw a mountain under the sky with the sun."""
    pen.rectangle((0, 0, width, height), fill="#87ceeb")
    pen.ellipse((width * 0.7, height * 0.08, width * 0.9, height * 0.25), fill="#ffe066")
    pen.polygon([(0, height * 0.75), (width * 0.45, height * 0.2), (width, height * 0.75)], fill=colour)
    pen.rectangle((0, height * 0.7, width, height), fill="#3a7d34")


def draw_org(pen: ImageDraw.ImageDraw, width: int, height: int, colour: str) -> None:
    """Draw a badge: a ring and a bar on white."""
    pen.rectangle((0, 0, width, height), fill="white")
    pen.ellipse((6, 6, width - 7, height - 7), outline=colour, width=5)
    pen.rectangle((4, height * 0.42, width - 5, height * 0.58), fill=colour)


def draw_misc(pen: ImageDraw.ImageDraw, width: int, height: int, colour: str) -> None:
    """Draw a four-pointed star on black."""
    pen.rectangle((0, 0, width, height), fill="black")
    x, y = width / 2, height / 2
    pen.polygon([(x, 2), (x + 6, y - 6), (width - 3, y), (x + 6, y + 6)], fill=colour)
    pen.polygon([(x, height - 3), (x - 6, y + 6), (2, y), (x - 6, y - 6)], fill=colour)
    pen.ellipse((x - 7, y - 7, x + 7, y + 7), fill=colour)


def main() -> None:
    """Write the sixteen images."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, draw in (("per", draw_per), ("loc", draw_loc), ("org", draw_org), ("misc", draw_misc)):
        for variant, colour in VARIANTS.items():
            image = Image.new("RGB", SIZES[variant])
            draw(ImageDraw.Draw(image), *image.size, colour)
            image.save(FOLDER / f"{name}-{variant}.jpg", quality=85)


if __name__ == "__main__":
    main()
