"""The probe's picture is recognised at every size, and nothing else is."""

from io import BytesIO

import pytest
from PIL import Image, ImageOps

from lazyimages import sizes
from lazyimages.doctor import picture
from lazyimages.engines.base import Job, Limits
from lazyimages.engines.pillow import PillowEngine
from lazyimages.formats import JPEG

LIMITS = Limits(max_bytes=2**20, max_pixels=10**7)


def made(size: str) -> bytes:
    """Make a variant of the probe as the app does."""
    plan = sizes.parse(size).plan(picture.WIDTH, picture.HEIGHT)
    job = Job(plan=plan, format=JPEG, quality=80, background="#ffffff", animation="keep")
    return PillowEngine().render(picture.draw(), [job], limits=LIMITS)[0].data


def encoded(image: Image.Image, format: str = "JPEG") -> bytes:
    buffer = BytesIO()
    image.save(buffer, format)
    return buffer.getvalue()


@pytest.mark.parametrize("size", ["360x270", "480h", "1280w", "100x700", "900x100", "16w", "2000x2000"])
def test_a_variant_is_recognised(size: str) -> None:
    plan = sizes.parse(size).plan(picture.WIDTH, picture.HEIGHT)
    shown = picture.read(made(size))
    assert shown is not None
    assert (shown.width, shown.height) == (plan.width, plan.height)
    assert picture.is_probe(shown, plan)


def test_other_pictures_are_not() -> None:
    plan = sizes.parse("360x270").plan(picture.WIDTH, picture.HEIGHT)
    shown = picture.read(made("360x270"))
    assert shown is not None
    upright = shown.image
    others = [
        Image.new("RGB", (360, 270), "white"),
        ImageOps.mirror(upright),
        ImageOps.flip(upright),
        ImageOps.invert(upright),
    ]
    for other in others:
        read = picture.read(encoded(other))
        assert read is not None
        assert not picture.is_probe(read, plan)


@pytest.mark.parametrize(
    "data", [b"", b"<html>", made("360x270")[:900], encoded(Image.new("RGB", (9, 9)), "PNG")]
)
def test_what_is_no_whole_jpeg_is_none(data: bytes) -> None:
    assert picture.read(data) is None


def test_a_huge_one_is_not_decoded() -> None:
    assert picture.read(encoded(Image.new("L", (9000, 9000)))) is None


def test_half_blocks_are_two_pixels_each() -> None:
    image = Image.new("RGB", (40, 30), (1, 2, 3))
    image.paste((200, 100, 50), (0, 15, 40, 30))
    lines = picture.half_blocks(picture.Shown(40, 30, image), columns=40)
    assert len(lines) == 15
    assert lines[0] == "\x1b[38;2;1;2;3;48;2;1;2;3m▀" * 40 + "\x1b[0m"
    assert lines[-1] == "\x1b[38;2;200;100;50;48;2;200;100;50m▀" * 40 + "\x1b[0m"
    assert lines[7].startswith("\x1b[38;2;1;2;3;48;2;200;100;50m▀")
