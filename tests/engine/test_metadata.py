"""No variant carries what an original says about its maker, place, time or tool."""

import re
import struct

import pytest
from PIL import Image, PngImagePlugin

from tests.engine import pictures, profiles

# The latitude of `exif()` as EXIF has it, in either byte order.
LATITUDE = [struct.pack(f"{order}6I", 52, 1, 31, 1, 12, 1) for order in "<>"]
SECRETS = [b"SECRET-ARTIST", b"SECRET-XMP", b"SECRET-COMMENT", b"SECRET-MAKER", *LATITUDE]
OUTPUTS = ["jpeg", "png", "gif", "webp", "avif"]


def exif() -> Image.Exif:
    """Return EXIF with a GPS position, a name, a thumbnail, and an orientation."""
    found = Image.Exif()
    found[0x0112] = 1
    found[0x013B] = "SECRET-ARTIST"
    found[0x010F] = "SECRET-MAKER"
    found.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return found


def telling(format: str, animated: bool = False) -> bytes:
    """Return a file that tells everything its format can tell."""
    picture = pictures.photo(120, 90)
    options: dict = {"exif": exif(), "icc_profile": profiles.matrix(profiles.DISPLAY_P3)}
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">SECRET-XMP</x:xmpmeta>'
    if format == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode())
        text.add_text("Comment", "SECRET-COMMENT")
        text.add_text("Author", "SECRET-ARTIST", zip=True)
        options["pnginfo"] = text
    elif format == "TIFF":
        options["tiffinfo"] = {700: xmp, 270: "SECRET-COMMENT", 315: "SECRET-ARTIST"}
        del options["exif"]
    elif format == "GIF":
        options = {"comment": b"SECRET-COMMENT"}
    else:
        options["xmp"] = xmp
    if format == "JPEG":
        options["comment"] = b"SECRET-COMMENT"
    if animated:
        options |= {"save_all": True, "append_images": [pictures.photo(120, 90, 60)], "duration": 50}
    data = pictures.saved(picture, format, **options)
    assert any(secret in data for secret in SECRETS[:4]), "the fixture itself has something to hide"
    assert format in ("GIF", "TIFF") or any(place in data for place in LATITUDE)
    return data


def structure(data: bytes) -> list[bytes]:
    """Return the kinds of segments, chunks or boxes that a file has beside its pixels."""
    if data[:2] == b"\xff\xd8":
        return [
            b"APP%d" % (marker[1] - 0xE0)
            for marker in re.findall(rb"\xff[\xe1-\xef\xfe]", data[: data.find(b"\xff\xda")])
        ]
    return [
        kind
        for kind in (b"eXIf", b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"pHYs", b"tIME", b"EXIF", b"ICCP", b"XMP ")
        if kind in data
    ]


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF"])
def test_nothing_is_left(variant, format, output):
    data = variant(telling(format), "60w", output)
    assert not [secret for secret in SECRETS if secret in data]
    assert structure(data) == []
    made = pictures.opened(data)
    assert not dict(made.getexif())
    assert not {"icc_profile", "exif", "xmp", "comment", "dpi", "photoshop", "mp"} & made.info.keys() - {
        "dpi"
    }
    assert not any(word in data for word in (b"Exif\0", b"http://ns.adobe.com", b"<x:xmpmeta", b"acsp"))


@pytest.mark.parametrize("output", ["gif", "webp", "png", "avif"])
@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_nothing_is_left_in_an_animation(variant, format, output):
    data = variant(telling(format, animated=True), "60w", output)
    assert getattr(pictures.opened(data), "n_frames", 1) == 2
    assert not [secret for secret in SECRETS if secret in data]
    assert structure(data) == []
    assert not any(word in data for word in (b"Exif\0", b"http://ns.adobe.com", b"<x:xmpmeta", b"acsp"))


@pytest.mark.parametrize("output", OUTPUTS)
def test_nothing_is_left_when_nothing_is_resized(variant, output):
    """At the original's own size no pixel changes, and the picture might be passed on with all it says."""
    data = variant(telling("JPEG"), "120w", output)
    assert not [secret for secret in SECRETS if secret in data]
    assert structure(data) == []


@pytest.mark.parametrize("output", OUTPUTS)
def test_thumbnail_in_the_exif_is_gone(variant, output):
    """Its picture may show what was cropped away."""
    thumbnail = pictures.saved(Image.new("RGB", (32, 24), pictures.RED), "JPEG")
    directory = (
        b"\0\x02"
        + b"\x02\x01\0\x04\0\0\0\x01\0\0\0\x2c"
        + b"\x02\x02\0\x04\0\0\0\x01"
        + len(thumbnail).to_bytes(4)
    )
    tiff = b"MM\0*\0\0\0\x08" + b"\0\0" + b"\0\0\0\x0e" + directory + b"\0\0\0\0" + thumbnail
    data = pictures.saved(pictures.photo(120, 90), "JPEG", exif=b"Exif\0\0" + tiff)
    assert data.count(b"\xff\xd8\xff") == 2
    for size in ("60w", "120w"):
        made = variant(data, size, output)
        assert made.count(b"\xff\xd8\xff") == (output == "jpeg")
        assert thumbnail[20:200] not in made
