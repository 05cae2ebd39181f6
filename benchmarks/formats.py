"""AVIF and WebP: bytes at equal likeness to the picture, and the time that they take."""

import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from PIL import Image, ImageOps

from benchmarks import originals, ours
from benchmarks.peers import say
from benchmarks.sharp import Sharp
from benchmarks.ssim import ssim
from benchmarks.tables import geometric_mean, interleaved, markdown, medians
from lazyimages import formats
from lazyimages.engines import encoding
from lazyimages.engines.base import Job
from lazyimages.sizes import Plan

SIZE = "1280w"
ROUNDS = 7
SHARP_ROUNDS = 3
_QUALITIES = (20, 98)


def run() -> str:
    """Return the tables, as Markdown."""
    return "\n\n".join((_against_jpeg(), _cold(), _against_sharp()))


ENCODERS = [("webp", "fast"), ("webp", "small"), ("avif", "fast"), ("avif", "small")]


def _encode(format: str, effort: str, picture: Image.Image, quality: int) -> bytes:
    plan = Plan(box=(0, 0, picture.width, picture.height), width=picture.width, height=picture.height)
    job = Job(
        plan=plan,
        format=formats.BY_NAME[format],
        quality=quality,
        background="#ffffff",
        animation="first",
        effort="small" if effort == "small" else "fast",
    )
    return encoding.encode([picture], job, [], 0).data


def _against_jpeg() -> str:
    """Return bytes and time for demo photos, beside JPEGs that are as like the pictures."""
    pictures = [_small(path) for path in originals.demo_photos()[::3]]
    rows = []
    for format, effort in ENCODERS:
        say(f"{format}, {effort}: bytes beside JPEG, {len(pictures)} photos")
        encode = partial(_encode, format, effort)
        at_default, at_jpeg_80, times = [], [], []
        for picture in pictures:
            started = time.perf_counter()
            made = encode(picture, ours.QUALITY[format])
            times.append((time.perf_counter() - started) * 1000)
            as_jpeg = partial(_encode, "jpeg", "fast", picture)
            at_default.append(len(made) / _bytes_at(_likeness(picture, made), picture, as_jpeg))
            jpeg = as_jpeg(80)
            at_jpeg_80.append(
                _bytes_at(_likeness(picture, jpeg), picture, partial(encode, picture)) / len(jpeg)
            )
        rows.append(
            (
                f"{format}, EFFORT {effort}",
                f"{median(times):.0f}",
                *(f"{geometric_mean(at_default):.2f}", f"{max(at_default):.2f}"),
                *(f"{geometric_mean(at_jpeg_80):.2f}", f"{max(at_jpeg_80):.2f}"),
            )
        )
    head = (f"{len(pictures)} demo photos at {SIZE}", "encoding, ms", "bytes, of JPEG's", "at the most")
    return markdown((*head, "at the SSIM of JPEG 80", "at the most"), rows)


def _cold() -> str:
    """Return the time from a 12 MP original to its variant, by format."""
    data = originals.baseline(12).read_bytes()
    rows = []
    for format, effort in (("avif", "fast"), ("avif", "small"), ("webp", "fast"), ("webp", "small")):
        say(f"{format}, {effort}: a cold variant")
        mine, jpeg, _ = medians(
            interleaved(
                lambda format=format, effort=effort: ours.timed(data, [SIZE], format, effort=effort)[0],  # type: ignore[misc]
                lambda: ours.timed(data, [SIZE])[0],
                ROUNDS,
            )
        )
        rows.append((f"{format}, EFFORT {effort}", f"{mine:.0f}", f"{jpeg:.0f}", f"{mine / jpeg:.1f}"))
    return markdown((f"12 MP JPEG to {SIZE}", "ms", "as JPEG, ms", "times as long"), rows)


def _against_sharp() -> str:
    """Return our AVIF beside sharp's at its default quality and effort, at equal likeness."""
    path = originals.baseline(12)
    data = path.read_bytes()
    rows = []
    with Sharp() as sharp, TemporaryDirectory() as scratch:
        saved = Path(scratch) / "variant.avif"
        sharp.resize(path, SIZE, "avif", save=saved)
        (lossless,) = ours.render(data, [SIZE], "png")
        picture = Image.open(BytesIO(lossless.data)).convert("RGB")
        target = _likeness(picture, saved.read_bytes())
        for effort in ("fast", "small"):
            say(f"AVIF beside sharp, {effort}")
            encode = partial(_encode, "avif", effort, picture)
            quality = _quality_at(target, picture, encode)
            pairs = interleaved(
                lambda quality=quality, effort=effort: ours.timed(  # type: ignore[misc]
                    data, [SIZE], "avif", quality=quality, effort=effort
                )[0],
                lambda: sharp.resize(path, SIZE, "avif").ms,
                SHARP_ROUNDS,
            )
            mine, other, ratio = medians(pairs)
            share = _bytes_at(target, picture, encode) / saved.stat().st_size
            row = (f"EFFORT {effort}, quality {quality}", f"{mine:.0f}", f"{other:.0f}", f"{ratio:.1f}")
            rows.append((*row, f"{share:.2f}"))
    head = (f"12 MP JPEG to AVIF {SIZE}, at equal SSIM", "ours, ms", "sharp, ms", "times as fast")
    return markdown((*head, "bytes, of sharp's"), rows)


def _small(path: Path) -> Image.Image:
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    width = min(upright.width, 1280)
    return upright.resize((width, round(upright.height * width / upright.width)), Image.Resampling.LANCZOS)


def _likeness(picture: Image.Image, data: bytes) -> float:
    return ssim(picture, Image.open(BytesIO(data)))


def _quality_at(target: float, picture: Image.Image, encode: Callable[[int], bytes]) -> int:
    """Return the least quality whose file is at least as like the picture as the target."""
    low, high = _QUALITIES
    while low < high:
        middle = (low + high) // 2
        if _likeness(picture, encode(middle)) >= target:
            high = middle
        else:
            low = middle + 1
    return low


def _bytes_at(target: float, picture: Image.Image, encode: Callable[[int], bytes]) -> float:
    """Return the bytes that the target likeness takes, between those of the two nearest qualities."""
    above = _quality_at(target, picture, encode)
    files = [encode(quality) for quality in (above - 1, above)]
    less, more = (_likeness(picture, file) for file in files)
    part = min(1.0, max(0.0, (target - less) / (more - less))) if more > less else 1.0
    return len(files[0]) + part * (len(files[1]) - len(files[0]))
