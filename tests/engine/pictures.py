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


def chart(columns: int = 8, rows: int = 6, patch: int = 60) -> Image.Image:
    """Draw patches of colours all over the cube, as on a card for colour calibration."""
    steps = np.random.default_rng(24).integers(0, 6, (rows, columns, 3)) * 51
    steps[0, :2] = (0, 0, 0), (255, 255, 255)
    return Image.fromarray(steps.astype("uint8").repeat(patch, 0).repeat(patch, 1), "RGB")


def lab(picture: Image.Image) -> np.ndarray:
    """Return the CIE Lab values of an sRGB picture (IEC 61966-2-1); white is 100, 0, 0."""
    encoded = np.asarray(picture.convert("RGB"), float) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
    share = linear @ to_xyz.T / to_xyz.sum(axis=1)
    root = np.where(share > (6 / 29) ** 3, np.cbrt(share), share / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = np.moveaxis(root, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def delta_e(one: Image.Image, other: Image.Image) -> np.ndarray:
    """Return how different two pictures' colours are, pixel by pixel (CIE76); 2.3 can just be noticed."""
    return np.sqrt(((lab(one) - lab(other)) ** 2).sum(axis=-1))


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Return how alike the structure of two pictures is, at most 1 (Wang et al. 2004, σ 1.5, on luma)."""
    a, b = (np.asarray(each.convert("RGB").convert("L"), "float32") for each in (one, other))
    window = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = (window / window.sum()).astype("float32")

    def blurred(plane: np.ndarray) -> np.ndarray:
        for _ in range(2):
            kept = len(plane) - len(window) + 1
            if kept > 0:
                plane = sum(weight * plane[at : at + kept] for at, weight in enumerate(window))
            plane = plane.T
        return plane

    mean_a, mean_b = blurred(a), blurred(b)
    spread_a, spread_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
    together = blurred(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_a * mean_b + c1) * (2 * together + c2)
    return float((top / ((mean_a**2 + mean_b**2 + c1) * (spread_a + spread_b + c2))).mean())
