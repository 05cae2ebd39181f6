"""What AVIF saves on the cards of a listing, at the default qualities and at equal likeness to the photo."""

from functools import partial
from pathlib import Path
from statistics import mean

from PIL import Image, ImageOps

from benchmarks import originals, ours
from benchmarks.formats import _bytes_at, _encode, _likeness
from benchmarks.peers import say
from benchmarks.tables import markdown

SIDE = 360


def table() -> str:
    """Return the table as Markdown; bytes are sums over all photos."""
    pictures = [_square(path) for path in originals.demo_photos()]
    jpegs = [_encode("jpeg", "fast", picture, ours.QUALITY["jpeg"]) for picture in pictures]
    likeness = [_likeness(picture, jpeg) for picture, jpeg in zip(pictures, jpegs, strict=True)]
    whole = sum(map(len, jpegs))
    rows = [(f"JPEG {ours.QUALITY['jpeg']}", "1.00", f"{mean(likeness):.4f}", "1.00")]
    for effort in ("fast", "small"):
        say(f"AVIF at {SIDE} pixels beside JPEG, {effort}, {len(pictures)} photos")
        made = [_encode("avif", effort, picture, ours.QUALITY["avif"]) for picture in pictures]
        alike = sum(
            _bytes_at(target, picture, partial(_encode, "avif", effort, picture))
            for target, picture in zip(likeness, pictures, strict=True)
        )
        rows.append(
            (
                f"AVIF {ours.QUALITY['avif']}, EFFORT {effort}",
                f"{sum(map(len, made)) / whole:.2f}",
                f"{mean(map(_likeness, pictures, made)):.4f}",
                f"{alike / whole:.2f}",
            )
        )
    head = (f"{len(pictures)} demo photos at {SIDE}x{SIDE}", "bytes, of JPEG's", "SSIM")
    return markdown((*head, "bytes, of JPEG's, at its SSIM"), rows)


def _square(path: Path) -> Image.Image:
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    return ImageOps.fit(upright, (SIDE, SIDE), Image.Resampling.LANCZOS)
