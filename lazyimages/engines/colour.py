"""Colour: modes that can be resized well, ICC profiles to sRGB, and what formats can hold."""

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

if TYPE_CHECKING:
    from PIL import ImageCms

_KEPT_PROFILE = 2**20  # bytes; larger ones are not kept in memory, where uploads could fill it with them
_SPACES = {"RGB": "RGB ", "CMYK": "CMYK", "L": "GRAY"}


def resizable(image: Image.Image) -> Image.Image:
    """Return the loaded image in a mode whose values may be averaged: L, LA, RGB, RGBA or CMYK."""
    if image.mode.startswith("I") or image.mode == "F":
        return _sixteen_to_eight(image)
    if "transparency" in image.info or image.mode in ("PA", "RGBa", "La"):
        return image.convert("RGBA")
    if image.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Return the image in sRGB, or grey: through its ICC profile, or by plain conversion without one.

    A profile that is broken, or is for another colour space, is ignored. The image given may be changed.
    """
    colours = image.convert(image.mode[:-1]) if image.mode in ("LA", "RGBA") else image
    transform = _transform(profile, colours.mode) if profile else None
    if transform is not None:
        managed = colours
        if colours.mode == "RGB":
            transform.apply_in_place(colours)  # a new picture of this size takes a tenth of the time
        else:
            managed = transform.apply(colours)
        if colours is not image:
            managed.putalpha(image.getchannel("A"))
        return managed
    return image.convert("RGB") if image.mode == "CMYK" else image


def flatten(image: Image.Image, background: str) -> Image.Image:
    """Return the image on a background, without alpha."""
    if image.mode not in ("LA", "RGBA"):
        return image
    flat = Image.new("RGB", image.size, background)
    flat.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return flat


def _sixteen_to_eight(image: Image.Image) -> Image.Image:
    # Pillow's own conversion clips at 255. 16-bit modes have 65,535 for white, whole bytes for each 257.
    if image.mode == "F":
        return image.convert("L")
    wide = image.convert("I")
    grey = wide.point(lambda value: value * (1 / 257) + 0.5).convert("L")
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return grey
    # Clipped at 0 and 255, what is above and what is below the transparent value are 1 and more.
    above = wide.point(lambda value: value * 1 - transparent).convert("L")
    below = wide.point(lambda value: value * -1 + transparent).convert("L")
    alpha = ImageChops.lighter(above, below).point([0] + [255] * 255)
    return Image.merge("LA", (grey, alpha))


def _transform(profile: bytes, mode: str) -> "ImageCms.ImageCmsTransform | None":
    return (_kept_transform if len(profile) <= _KEPT_PROFILE else _new_transform)(profile, mode)


def _new_transform(profile: bytes, mode: str) -> "ImageCms.ImageCmsTransform | None":
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if source.profile.xcolor_space != _SPACES[mode]:
            return None
        return ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


_kept_transform = lru_cache(maxsize=32)(_new_transform)
