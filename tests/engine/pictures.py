"""Pictures drawn for the tests, as files; and what can be said about a picture's pixels."""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 180, 40), (30, 40, 210), (230, 210, 30)
WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (128, 128, 128)
TOP_LEFT, TOP_RIGHT = (0.05, 0.05, 0.4, 0.4), (0.6, 0.05, 0.95, 0.4)
BOTTOM_LEFT, BOTTOM_RIGHT = (0.05, 0.6, 0.4, 0.95), (0.6, 0.6, 0.95, 0.95)
ALL = (0.0, 0.0, 1.0, 1.0)

Colour = tuple[int, ...]


def saved(picture: Image.Image, format: str, **options: Any) -> bytes:
    """Return a picture as a file."""
    buffer = BytesIO()
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    """Return a file as a loaded picture."""
    picture = Image.open(BytesIO(data))
    picture.load()
    return picture


def quadrants(width: int = 240, height: int = 160) -> Image.Image:
    """Draw red, green over blue, yellow: a picture that shows how it is turned."""
    picture = Image.new("RGB", (width, height), YELLOW)
    picture.paste(RED, (0, 0, width // 2, height // 2))
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    return picture


def photo(width: int, height: int, noise: int = 24) -> Image.Image:
    """Draw gradients, waves and noise: what a camera would see, as far as resampling cares."""
    x, y = np.linspace(0, 1, width)[None, :], np.linspace(0, 1, height)[:, None]
    grain = np.random.default_rng(7).integers(-noise, noise + 1, (height, width, 1))
    waves = 60 * np.sin(40 * x * y + 9 * x)
    planes = [200 * x + waves * y, 255 * y - waves / 2, 90 + 120 * (1 - x) * y + waves]
    pixels = np.stack([np.broadcast_to(plane, (height, width)) for plane in planes], axis=2) + grain
    return Image.fromarray(pixels.clip(0, 255).astype("uint8"), "RGB")


def mean(picture: Image.Image, region: tuple[float, float, float, float] = ALL) -> Colour:
    """Return the mean colour of a region, which is given in parts of the sides."""
    width, height = picture.size
    left, top, right, bottom = region
    box = round(left * width), round(top * height), round(right * width), round(bottom * height)
    shown = picture.convert("RGBA" if picture.has_transparency_data else "RGB").crop(box)
    return tuple(round(value) for value in np.asarray(shown, float).mean(axis=(0, 1)))


def near(found: Colour, expected: Colour, tolerance: int = 6) -> bool:
    """Tell whether two colours are as good as the same."""
    assert len(found) == len(expected), f"{found} and {expected} do not have the same channels"
    return all(abs(a - b) <= tolerance for a, b in zip(found, expected, strict=True))


def assert_quadrants(picture: Image.Image, tolerance: int = 8) -> None:
    """Assert that the picture is `quadrants()`, upright."""
    for region, colour in (
        (TOP_LEFT, RED),
        (TOP_RIGHT, GREEN),
        (BOTTOM_LEFT, BLUE),
        (BOTTOM_RIGHT, YELLOW),
    ):
        found = mean(picture.convert("RGB"), region)
        assert near(found, colour, tolerance), f"{region} is {found}, not {colour}"


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Return how near two pictures are, in decibels; 37 and more cannot be told apart by eye."""
    difference = np.asarray(one.convert("RGB"), float) - np.asarray(other.convert("RGB"), float)
    square = (difference**2).mean()
    return float("inf") if square == 0 else 10 * np.log10(255**2 / square)


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 2, more: bytes = b"") -> bytes:
    """Return a PNG written by hand: `rows` is compressed already, `more` are chunks before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", header) + more + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def zeros(count: int) -> bytes:
    """Return that many zero bytes compressed, without ever holding them."""
    packer = zlib.compressobj(1)
    block = bytes(2**20)
    parts = [packer.compress(block[: min(2**20, count - at)]) for at in range(0, count, 2**20)]
    return b"".join([*parts, packer.flush()])


def matrix_profile(primaries: tuple[tuple[float, float, float], ...], gamma: float) -> bytes:
    """Return a minimal ICC v2 display profile (ICC.1:2001-04): three colorants and one gamma."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    def xyz(values: tuple[float, ...]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    text = b"test\0"
    desc = b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(8 + 3 + 67)
    tags = {
        b"desc": desc + bytes(-len(desc) % 4),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": xyz((0.9642, 1.0, 0.8249)),
        b"rXYZ": xyz(primaries[0]),
        b"gXYZ": xyz(primaries[1]),
        b"bXYZ": xyz(primaries[2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value
    header = struct.pack(
        ">I4sI4s4s4s12s4s", start + len(body), b"", 0x02100000, b"mntr", b"RGB ", b"XYZ ", b"", b"acsp"
    )
    header += bytes(68 - len(header)) + b"".join(map(fixed, (0.9642, 1.0, 0.8249)))
    return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + table + body


# The colorants of Display P3, adapted to D50 (SMPTE EG 432-1; the values in Apple's own profile).
DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
