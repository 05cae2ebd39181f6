"""Formats: told by their first bytes, never by the name."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from lazyimages import formats
from tests.engine import pictures

EXTENSIONS = {
    "jpg": "jpeg", "jpeg": "jpeg", "png": "png", "gif": "gif", "webp": "webp", "avif": "avif",
    "tiff": "tiff", "tif": "tiff", "heic": "heic", "heif": "heic",
}  # fmt: skip


@pytest.mark.parametrize(("extension", "name"), EXTENSIONS.items())
def test_extensions(extension, name):
    for filename in (
        f"a.{extension}",
        f"a.{extension.upper()}",
        f"a.b.{extension}",
        f".{extension}",
        f"d/a.{extension}",
    ):
        assert formats.by_extension(filename).name == name


@pytest.mark.parametrize(
    "filename", ["", ".", "jpg", "a.", "a.jpg ", "a.jpg.", "a.jp", "a.svg", "a.bmp", "a.jpgx", "a/jpg"]
)
def test_other_names(filename):
    assert formats.by_extension(filename) is None


@pytest.mark.parametrize("name", ["jpeg", "png", "gif", "webp", "avif", "tiff"])
@pytest.mark.parametrize("size", [(1, 1), (64, 48)])
def test_real_files(name, size):
    data = pictures.saved(Image.new("RGB", size, pictures.RED), name.upper())
    assert formats.sniff(data) is formats.BY_NAME[name]


def test_flavours():
    red = Image.new("RGB", (64, 48), pictures.RED)
    moving = {"save_all": True, "append_images": [Image.new("RGB", (64, 48), pictures.BLUE)]}
    assert formats.sniff(pictures.saved(red, "JPEG", progressive=True)) is formats.JPEG
    assert formats.sniff(pictures.saved(red, "MPO", **moving)) is formats.JPEG
    assert formats.sniff(pictures.saved(red, "WEBP", lossless=True)) is formats.WEBP
    assert formats.sniff(pictures.saved(red, "WEBP", **moving)) is formats.WEBP
    assert formats.sniff(pictures.saved(red, "GIF", **moving)) is formats.GIF
    assert formats.sniff(pictures.saved(red, "AVIF", **moving)) is formats.AVIF
    assert formats.sniff(b"GIF87a") is formats.GIF
    assert formats.sniff(b"MM\0*\0\0\0\x08") is formats.TIFF


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    """Return the first box of an ISO file: its major brand, and those it is compatible with."""
    box = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return (len(box) + 4).to_bytes(4) + box


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (ftyp(b"avif", b"mif1", b"miaf"), "avif"),
        (ftyp(b"avis", b"msf1"), "avif"),
        (ftyp(b"mif1", b"avif", b"miaf"), "avif"),
        (ftyp(b"mif1", b"miaf", b"avif"), "avif"),
        (ftyp(b"heic", b"mif1", b"heic"), "heic"),
        (ftyp(b"heix", b"mif1"), "heic"),
        (ftyp(b"mif1", b"heic", b"hevc"), "heic"),
        (ftyp(b"msf1", b"hevc"), "heic"),
        (ftyp(b"mif1", b"miaf"), None),
        (ftyp(b"isom", b"mp42"), None),
        (ftyp(b"qt  "), None),
    ],
)
def test_brands(data, name):
    for tail in (b"", bytes(400), b"avifheic" * 9):
        assert formats.sniff(data + tail) is (formats.BY_NAME[name] if name else None)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"\xff\xd8",
        b"\x89PNG",
        b"GIF",
        b"GIF88a",
        b"RIFF",
        b"RIFF\0\0\0\0WAVE",
        b"WEBP",
        b"II*",
        b"II+\0",
        b"MM*\0",
        b"BM",
        b"<svg/>",
        b"<!doctype html>",
        b"%PDF",
        b"hello",
        b"\0\0\0\x18ftyp",
        b"\0\0\0\x00ftypabcd",
    ],
)
def test_junk(data):
    assert formats.sniff(data) is None


@settings(deadline=None)
@given(st.binary(max_size=64))
@example(b"\xff\xff\xff\xffftyp")
@example(b"\0\0\0\0ftypavif")
def test_any_bytes(data):
    found = formats.sniff(data)
    assert found is None or found in formats.BY_NAME.values()


def test_outputs_are_what_browsers_show():
    assert formats.OUTPUTS == ("jpeg", "png", "gif", "webp", "avif")
    for name in formats.OUTPUTS:
        assert formats.BY_NAME[name].media_type == f"image/{name}"
    assert formats.JPEG.extension == "jpg"
