"""Ways around the limits on pieces and scans that once worked, and good files that were once refused."""

import tracemalloc

import pytest
from PIL import Image

from lazyimages.engines import pieces, scans
from lazyimages.engines.base import Engine
from lazyimages.exceptions import ImageTooLarge
from lazyimages.formats import sniff
from tests.engine import pictures
from tests.engine.conftest import LIMITS

GREY = Image.new("RGB", (64, 64), (128, 128, 128))
JPEG, PNG = pictures.saved(GREY, "JPEG"), pictures.saved(GREY, "PNG")
GIF = pictures.saved(GREY.convert("P"), "GIF")
TABLE = 13 + 3 * (2 << (GIF[10] & 7))  # where what follows the global colour table begins


def check(data: bytes) -> None:
    format = sniff(data)
    assert format is not None
    pieces.check(data, format)


@pytest.mark.parametrize("marker", [0xF0, 0xC8, 0xD9, 0xFB])
def test_a_marker_whose_length_is_none(marker: int) -> None:
    """Pillow reads on right behind it, and not behind the "length" that follows."""
    data = JPEG[:2] + bytes([0xFF, marker, 0xFF, 0xFB]) + b"\xff\xfe\0\2" * 60_000 + JPEG[2:]
    with pytest.raises(ImageTooLarge):
        check(data)


def test_a_stray_byte_before_the_blocks() -> None:
    data = GIF[:TABLE] + b"\1" + b"\x21\xfe\0" * 60_000 + GIF[TABLE:]
    with pytest.raises(ImageTooLarge):
        check(data)


def test_looking_for_scans_takes_no_memory() -> None:
    data = JPEG + b"\xff\xda" * 1_000_000
    tracemalloc.start()
    try:
        scans.check(data)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("data", [PNG, JPEG, GIF], ids=["png", "jpeg", "gif"])
def test_what_is_appended_does_not_count(engine: Engine, data: bytes) -> None:
    """Programs that recover files append a megabyte of zeros."""
    assert engine.probe(data + bytes(2**20), limits=LIMITS).width == 64
