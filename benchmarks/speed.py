"""One variant at a time, JPEG at quality 80, in one thread: the engine beside sharp."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageCms, ImageOps

from benchmarks import originals, ours
from benchmarks.peers import say
from benchmarks.sharp import Sharp
from benchmarks.ssim import ssim
from benchmarks.tables import Pair, geometric_mean, interleaved, markdown, medians

ROUNDS = 21

CASES: dict[str, Callable[[], Path]] = {
    "baseline 3 MP": lambda: originals.baseline(3),
    "baseline 12 MP": lambda: originals.baseline(12),
    "baseline 24 MP": lambda: originals.baseline(24),
    "baseline 48 MP": lambda: originals.baseline(48),
    "portrait 12 MP": originals.portrait,
    "phone 12 MP (Display P3, EXIF 6)": originals.phone,
    "progressive 12 MP": originals.progressive,
    "PNG 12 MP": lambda: originals.png(12),
    "WebP 12 MP": lambda: originals.webp(12),
}
HEAD = (
    "original",
    "size",
    "ours, ms",
    "sharp, ms",
    "times as fast",
    "bytes, of sharp's",
    "SSIM",
    "sharp's SSIM",
)


@dataclass(frozen=True)
class Measured:
    """One case: how much faster than sharp, and how the two pictures compare."""

    case: str
    size: str
    times_as_fast: float
    row: tuple[object, ...]


def run() -> str:
    """Return the tables, as Markdown."""
    with Sharp() as sharp, TemporaryDirectory() as scratch:
        measured = [
            _measure(case, path(), size, sharp, Path(scratch) / "variant")
            for case, path in CASES.items()
            for size in ours.SIZES
        ]
        together = _together(sharp)
    baseline = [each.times_as_fast for each in measured if each.case.startswith("baseline")]
    summary = (
        f"Baseline JPEG, {len(baseline)} cases: {geometric_mean(baseline):.2f} times as fast in the "
        f"geometric mean, {min(baseline):.2f} at the least."
    )
    return "\n\n".join([markdown(HEAD, [each.row for each in measured]), summary, together])


def _measure(case: str, path: Path, size: str, sharp: Sharp, scratch: Path) -> Measured:
    say(f"{case}, {size}")
    data = path.read_bytes()
    pairs = interleaved(
        lambda: ours.timed(data, [size])[0],
        lambda: sharp.resize(path, size, quality=80).ms,
        ROUNDS,
    )
    mine, other, ratio = medians(pairs)
    theirs = sharp.resize(path, size, quality=80, save=scratch)
    (made,) = ours.render(data, [size])
    reference = _reference(path, (made.width, made.height))
    quality = ssim(reference, Image.open(BytesIO(made.data)))
    their_quality = ssim(reference, Image.open(scratch))
    row = (
        *(case, size, f"{mine:.1f}", f"{other:.1f}", f"{ratio:.2f}"),
        *(f"{len(made.data) / theirs.bytes:.3f}", f"{quality:.4f}", f"{their_quality:.4f}"),
    )
    return Measured(case=case, size=size, times_as_fast=ratio, row=row)


def _reference(path: Path, size: tuple[int, int]) -> Image.Image:
    """Return the picture as it should be: decoded whole, turned, in sRGB, cropped, and Lanczos."""
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        profile = image.info.get("icc_profile")
    if profile:
        srgb = ImageCms.createProfile("sRGB")
        upright = ImageCms.profileToProfile(upright, BytesIO(profile), srgb, outputMode="RGB") or upright
    return ImageOps.fit(upright, size, Image.Resampling.LANCZOS)


def _together(sharp: Sharp) -> str:
    """Return the table of all three sizes of one original, as the warm-up makes them."""
    rows = []
    for case in list(CASES)[:7]:
        say(f"{case}, three sizes at once")
        path = CASES[case]()
        data = path.read_bytes()
        pairs: list[Pair] = interleaved(
            lambda data=data: ours.timed(data, ours.SIZES)[0],  # type: ignore[misc]
            lambda path=path: sum(sharp.resize(path, size, quality=80).ms for size in ours.SIZES),  # type: ignore[misc]
            ROUNDS,
        )
        mine, other, ratio = medians(pairs)
        rows.append((case, f"{mine:.1f}", f"{other:.1f}", f"{ratio:.2f}"))
    return markdown(("all three sizes", "ours, ms", "sharp, ms", "times as fast"), rows)
