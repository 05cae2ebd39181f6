"""ThumbHash: the bytes and pixels of the format's own library, and nothing else taken for a hash."""

import hashlib
from base64 import b64decode, b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazyimages import thumbhash

# Size and the corners' colours; then what npm's `thumbhash` 0.1.1 makes of it: the hash, the size that it is
# decoded in, and the MD5 of those pixels (RGB). Left out are pictures with waves of just
# nothing: which way half a step is rounded is decided there by the last bit of a float.
BY_THE_LIBRARY = [
    (
        "64x48 204020ff f0e0a0ff 102080ff 60a060ff",
        "GtgNLYSAd4dqeHd4d4iHd3CeePeD",
        (32, 23),
        "5805167ecdca",
    ),
    (
        "10x10 ff0000ff 00ff00ff 0000ffff ffff00ff",
        "2gkGdxxwh4ewh4eHh3h4iIiHCLiLj7gI",
        (32, 32),
        "682f832f32b5",
    ),
    (
        "100x13 000000ff ffffffff 804020ff 204080ff",
        "2QcOIYRwh3dLd4eHj0j4V3Q=",
        (32, 5),
        "16930b38dcce",
    ),
    (
        "24x32 20406080 20406080 f0f0f0ff 00000000",
        "WueFDAIorxhkh4h3mAh2iWD3iIh0h3h4Bw==",
        (26, 32),
        "8a71aae21b55",
    ),
    (
        "100x100 ffd0b0ff 503010ff 90a0c0ff fff8f0ff",
        "qigKHwSMiIjAh4h4d3eIeHiHWPiJh58I",
        (32, 32),
        "ded323f57739",
    ),
    (
        "2x2 00000000 00000000 00000000 00000000",
        "AAiCBQAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        (32, 32),
        "dd70bd7d7933",
    ),
]


def drawn(description: str) -> tuple[int, int, bytes]:
    """Return a picture that fades between its corners: top left, top right, bottom left, bottom right."""
    size, *corners = description.split()
    width, height = map(int, size.split("x"))
    a, b, c, d = map(bytes.fromhex, corners)
    pixels = bytearray()
    for y in range(height):
        for x in range(width):
            fx, fy = x / max(1, width - 1), y / max(1, height - 1)
            pixels.extend(
                int((a[k] * (1 - fx) + b[k] * fx) * (1 - fy) + (c[k] * (1 - fx) + d[k] * fx) * fy + 0.5)
                for k in range(4)
            )
    return width, height, bytes(pixels)


@pytest.mark.parametrize(("picture", "hash", "size", "md5"), BY_THE_LIBRARY)
def test_as_the_library_encodes(picture: str, hash: str, size: object, md5: str) -> None:
    assert b64encode(thumbhash.encode(*drawn(picture))).decode() == hash


@pytest.mark.parametrize(("picture", "hash", "size", "md5"), BY_THE_LIBRARY)
def test_as_the_library_decodes(picture: str, hash: str, size: tuple[int, int], md5: str) -> None:
    thumb = thumbhash.decode(b64decode(hash), 32)
    assert (thumb.width, thumb.height) == size
    assert hashlib.md5(thumb.rgb).hexdigest().startswith(md5)
    assert thumb.has_alpha is not picture.endswith("ff")


def test_an_even_area() -> None:
    hash = thumbhash.encode(*drawn("30x20 336699ff 336699ff 336699ff 336699ff"))
    thumb = thumbhash.decode(hash)
    assert (thumb.width, thumb.height) == (8, 6)
    assert thumb.rgb == bytes(thumbhash.average(hash)) * 48
    assert all(abs(got - want) <= 4 for got, want in zip(thumb.rgb, b"\x33\x66\x99" * 48, strict=True))


@pytest.mark.parametrize(
    ("size", "side", "decoded"),
    [("64x8", 8, (8, 1)), ("8x64", 8, (1, 8)), ("64x64", 8, (8, 8)), ("60x40", 3, (3, 2))],
)
def test_the_longer_side_is_as_asked_for(size: str, side: int, decoded: tuple[int, int]) -> None:
    hash = thumbhash.encode(*drawn(f"{size} 000000ff ff0000ff 00ff00ff ffffffff"))
    thumb = thumbhash.decode(hash, side)
    assert (thumb.width, thumb.height) == decoded
    assert len(thumb.rgb) == 3 * decoded[0] * decoded[1]


def test_colours_are_where_they_were() -> None:
    hash = thumbhash.encode(*drawn("40x30 ff0000ff 0000ffff ff0000ff 0000ffff"))
    thumb = thumbhash.decode(hash)
    first, last = thumb.rgb[:3], thumb.rgb[21:24]
    assert first[0] > 180 > 60 > first[2]
    assert last[2] > 180 > 60 > last[0]


@pytest.mark.parametrize(
    ("width", "height", "length"), [(0, 4, 0), (101, 1, 404), (1, 101, 404), (2, 2, 15), (2, 2, 17)]
)
def test_what_cannot_be_encoded(width: int, height: int, length: int) -> None:
    with pytest.raises(ValueError, match=r"pixels a side|pixels have"):
        thumbhash.encode(width, height, bytes(length))


@given(st.binary(max_size=40))
def test_any_bytes_are_a_hash_or_a_value_error(data: bytes) -> None:
    try:
        thumb = thumbhash.decode(data)
    except ValueError:
        with pytest.raises(ValueError, match="hash"):
            thumbhash.average(data)
        return
    assert len(data) <= thumbhash.MOST_BYTES
    assert len(thumb.rgb) == 3 * thumb.width * thumb.height


@pytest.mark.parametrize(("picture", "hash", "size", "md5"), BY_THE_LIBRARY)
def test_a_hash_that_is_cut_or_longer(picture: str, hash: str, size: object, md5: str) -> None:
    data = b64decode(hash)
    for wrong in [*(data[:end] for end in range(len(data))), data + b"\0"]:
        with pytest.raises(ValueError, match="hash"):
            thumbhash.decode(wrong)


@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_any_picture_has_a_hash(width: int, height: int, data: st.DataObject) -> None:
    pixels = data.draw(st.binary(min_size=4 * width * height, max_size=4 * width * height))
    hash = thumbhash.encode(width, height, pixels)
    thumb = thumbhash.decode(hash)
    assert len(hash) <= thumbhash.MOST_BYTES
    assert (thumb.width >= thumb.height) or height > width
