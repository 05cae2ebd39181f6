"""Real files of every format and flavour, from which damaged ones are made."""

from base64 import b85decode
from functools import cache

from PIL import Image

from tests.engine import pictures, profiles
from tests.engine.test_bad_files import FILES
from tests.engine.test_flavours import ARITHMETIC, ultra_hdr


@cache
def seeds() -> dict[str, bytes]:
    """Return files that engines can read, by a name that begins with the format; drawn once a process."""
    return {_titled(name): data for name, data in FILES.items()} | _flavours() | _large()


def format_of(name: str) -> str:
    """Return the format that a seed's name begins with."""
    return name.partition("-")[0]


def _titled(name: str) -> str:
    kinds = {"restarts": "jpeg", "progressive": "jpeg", "cmyk": "jpeg", "palette": "png", "apng": "png"}
    kinds |= {"lzw": "tiff", "deflate": "tiff"}
    if name in kinds:
        return f"{kinds[name]}-{name}"
    flavour, dash, format = name.rpartition("-")
    return f"{format}{dash}{flavour}"


def _flavours() -> dict[str, bytes]:
    picture, grey = pictures.photo(64, 48), pictures.photo(64, 48).convert("L")
    p3, inks = profiles.matrix(profiles.DISPLAY_P3), profiles.cmyk()
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = exif.tobytes()
    fading = [picture, picture.rotate(180), grey.convert("RGB")]
    moving = {"save_all": True, "append_images": fading[1:], "duration": [40, 80, 120]}
    see_through = picture.convert("RGBA")
    see_through.putalpha(grey)
    gain_map = pictures.saved(grey, "JPEG")
    return {
        "jpeg-mpo": pictures.saved(picture, "MPO", save_all=True, append_images=[grey]),
        "jpeg-ultra-hdr": ultra_hdr(pictures.saved(picture, "JPEG"), gain_map),
        "jpeg-profile": pictures.saved(picture, "JPEG", icc_profile=p3, exif=turned),
        "jpeg-cmyk-profile": pictures.saved(picture.convert("CMYK"), "JPEG", icc_profile=inks),
        "jpeg-grey-progressive": pictures.saved(grey, "JPEG", progressive=True, comment=b"hello"),
        "jpeg-arithmetic": b85decode(ARITHMETIC["sequential"]),
        "jpeg-arithmetic-progressive": b85decode(ARITHMETIC["progressive"]),
        "png-profile": pictures.saved(see_through, "PNG", icc_profile=p3, exif=turned),
        "png-16-bits": pictures.saved(grey.convert("I;16"), "PNG"),
        "png-1-bit": pictures.saved(grey.convert("1"), "PNG"),
        "png-transparent": pictures.saved(picture.convert("P"), "PNG", transparency=3),
        "png-moving-alpha": pictures.saved(see_through, "PNG", **moving),
        "gif-moving-alpha": pictures.saved(see_through, "GIF", **moving, disposal=2, loop=3),
        "gif-interlaced": pictures.saved(picture, "GIF", interlace=1, comment=b"hello"),
        "webp-profile": pictures.saved(see_through, "WEBP", icc_profile=p3, exif=turned),
        "webp-moving-alpha": pictures.saved(see_through, "WEBP", **moving),
        "avif-moving": pictures.saved(picture, "AVIF", speed=10, **moving),
        "avif-turned": pictures.saved(picture, "AVIF", speed=10, exif=turned, icc_profile=p3),
        "tiff-pages": pictures.saved(picture, "TIFF", save_all=True, append_images=fading[1:]),
        "tiff-cmyk": pictures.saved(picture.convert("CMYK"), "TIFF", compression="tiff_lzw"),
        "tiff-1-bit": pictures.saved(grey.convert("1"), "TIFF", compression="group4"),
        "tiff-jpeg": pictures.saved(picture, "TIFF", compression="jpeg"),
        "tiff-16-bits": pictures.saved(grey.convert("I;16"), "TIFF"),
        "tiff-turned": pictures.saved(picture, "TIFF", exif=turned, icc_profile=p3),
    }


def _large() -> dict[str, bytes]:
    """Return files large enough to be decoded by libvips, but of few bytes."""
    flat = pictures.quadrants(1200, 900)
    return {
        "png-streamed": pictures.saved(flat, "PNG"),
        "png-streamed-alpha": pictures.saved(flat.convert("RGBA"), "PNG"),
        "webp-streamed": pictures.saved(pictures.quadrants(3200, 2600), "WEBP", method=0, quality=10),
        "jpeg-streamed": pictures.saved(pictures.quadrants(2600, 2000), "JPEG"),
        "jpeg-streamed-progressive": pictures.saved(pictures.quadrants(2600, 2000), "JPEG", progressive=True),
    }
