"""Resizing with vector units and without: the same picture, at the same place."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from lazyimages.engines import resample
from tests.clock import PATIENCE
from tests.engine import pictures

ROOT = Path(__file__).resolve().parents[2]
needs_vectors = pytest.mark.skipif(resample.cykooz_resizer is None, reason="needs the extra fast")


def drawn(mode: str, size: tuple[int, int] = (900, 620)) -> Image.Image:
    picture = pictures.photo(*size)
    if mode in ("LA", "RGBA"):
        picture.putalpha(Image.radial_gradient("L").resize(size))
    return picture.convert(mode)


def seen(picture: Image.Image) -> Image.Image:
    """Return what one sees of a picture on a coloured page."""
    if picture.mode not in ("LA", "RGBA"):
        return picture.convert("RGB")
    page = Image.new("RGBA", picture.size, "#d08030")
    return Image.alpha_composite(page, picture.convert("RGBA")).convert("RGB")


@needs_vectors
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize(
    "box", [(0, 0, 900, 620), (100.25, 33.5, 700.75, 483.625), (0.4, 0, 899.6, 620)], ids=str
)
@pytest.mark.parametrize("size", [(360, 270), (37, 301), (599, 400)], ids=str)
def test_as_without_the_extra(monkeypatch, mode, box, size):
    source = drawn(mode)
    fast = resample.resize(source, box, size)
    monkeypatch.setattr(resample, "cykooz_resizer", None)
    plain = resample.resize(source, box, size)
    assert (fast.mode, fast.size) == (plain.mode, plain.size) == (mode, size)
    assert pictures.psnr(seen(fast), seen(plain)) > 44


@needs_vectors
def test_a_box_up_to_the_edge_never_goes_over_it():
    """Sums of fractions are rounded, and the resizer refuses a box that is larger by the last bit."""
    for width in range(101, 400, 7):
        source = Image.new("L", (width, 50))
        for left in (0.1, 1 / 3, 17.7, 99.9999999):
            assert resample.resize(source, (left, 0, width, 50), (10, 5)).size == (10, 5)


def test_many_threads_make_what_one_makes():
    source = drawn("RGB")
    box = (10.5, 0, 890.25, 620)
    sizes = [(360, 270), (120, 80), (599, 400), (37, 301)] * 8
    alone = [resample.resize(source, box, size).tobytes() for size in sizes]
    start = threading.Barrier(8)

    def work(size):
        if not start.broken:
            start.wait(PATIENCE)
        return resample.resize(source, box, size).tobytes()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, sizes)) == alone


def test_the_engine_works_without_any_extra():
    """As on linux-aarch64 or musl, where some of them have no wheels: JPEG, PNG and WebP, large ones too."""
    program = """
import sys
sys.modules.update(dict.fromkeys(["cykooz_resizer", "pyvips", "pillow_heif"]))
from lazyimages.engines import libvips, resample
from lazyimages.engines.pillow import PillowEngine
from tests.engine import pictures
from tests.engine.test_streamed import rendered
assert resample.cykooz_resizer is None and not libvips.installed()
for format in ("JPEG", "PNG", "WEBP"):
    picture = pictures.quadrants(4000, 3000)
    small = rendered(PillowEngine(), pictures.saved(picture, format), "360x270")
    assert small.size == (360, 270)
    pictures.assert_quadrants(small)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT, timeout=120
    )
    assert done.returncode == 0, done.stderr
