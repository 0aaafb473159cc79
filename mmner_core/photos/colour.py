"""Converts any colour mode, depth and profile to 8-bit sRGB."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

GREY = (128, 128, 128)
"""What stands for no image where there must be one."""
_WHITE = (255, 255, 255)
_PREMULTIPLIED = {"RGBa": "RGBA", "La": "LA"}
_SPACES = {"RGB": "RGB", "RGBA": "RGB", "L": "GRAY", "CMYK": "CMYK"}
"""Pillow's modes that a colour profile may speak about, and the name of their colour space in the profile."""


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to 8-bit sRGB.

    Colours are those of the embedded profile, if there is a sound one; transparency lies on white; 16 bits are scaled
    down; wider greys are stretched to 0-255.
    """
    if image.mode.startswith("I;16"):
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    elif image.mode in ("I", "F"):
        image = _stretch(image)
    elif image.mode in _PREMULTIPLIED:
        image = image.convert(_PREMULTIPLIED[image.mode])
    elif image.mode == "LAB":
        image = _lab_to_rgb(image)
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        image = _to_srgb(image, profile) if profile else image
        flat = Image.new("RGB", image.size, _WHITE)
        flat.paste(image, mask=image.getchannel("A"))
        return flat
    if profile:
        image = _to_srgb(image if image.mode in _SPACES else image.convert("RGB"), profile)
    return image if image.mode == "RGB" else image.convert("RGB")


def _to_srgb(image: Image.Image, content: bytes) -> Image.Image:
    """Turn colours from those of an embedded profile into sRGB's; a profile that does not fit is no reason to refuse.

    A profile that calls itself sRGB, as most do, is believed, which saves the time.
    """
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        space = profile.profile.xcolor_space.strip()
        if space != _SPACES[image.mode] or (profile.profile.profile_description or "").startswith("sRGB"):
            return image
        srgb, mode = ImageCms.createProfile("sRGB"), "RGBA" if image.mode == "RGBA" else "RGB"
        intent = ImageCms.Intent(ImageCms.getDefaultIntent(profile))
        converted = ImageCms.profileToProfile(image, profile, srgb, renderingIntent=intent, outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image
    assert converted is not None  # noqa: S101 (None only when converting in place)
    return converted


def _stretch(image: Image.Image) -> Image.Image:
    """Map 32-bit greys, whose range no file states, from their own minimum and maximum to 0-255."""
    low, high = image.convert("F").getextrema()
    assert isinstance(low, float) and isinstance(high, float)  # one band
    scale = 255 / (high - low) if high > low else 0.0
    return image.convert("F").point(lambda value: value * scale - low * scale).convert("L")


def _lab_to_rgb(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    assert converted is not None  # None only when converting in place
    return converted
