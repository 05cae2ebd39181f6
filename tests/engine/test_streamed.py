"""Large PNG and WebP by libvips: the picture that Pillow would make, in a fraction of the memory."""

import subprocess
import sys
import threading
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from benchmarks.ssim import ssim
from lazyimages import formats, sizes
from lazyimages.engines import libvips, reading, resample, streamed
from lazyimages.engines.base import Job
from lazyimages.engines.pillow import PillowEngine
from lazyimages.exceptions import CorruptImage
from tests.engine import pictures, profiles
from tests.engine.conftest import LIMITS
from tests.engine.pictures import BLUE, RED

pytestmark = pytest.mark.skipif(not libvips.installed(), reason="needs the extra vips")
if libvips.installed():
    import pyvips

WIDTH, HEIGHT = 3600, 2403
BOXES = {
    "all": (0, 0, WIDTH, HEIGHT),
    "whole pixels": (300, 3, 3500, 2403),
    "between pixels": (198.4, 0, 3402.6, 2402.3),
    "a corner": (2000.5, 1500.25, 3600, 2403),
}
FORMATS = {
    "png": ("RGB", "PNG", {"compress_level": 1}),
    "grey png": ("L", "PNG", {"compress_level": 1}),
    "webp": ("RGB", "WEBP", {"quality": 92, "method": 0}),
    "lossless webp": ("RGB", "WEBP", {"lossless": True, "quality": 0, "method": 0}),
}


@pytest.fixture(scope="module")
def large() -> Image.Image:
    """A picture with gradients, waves and noise, and fine lines."""
    drawn = np.asarray(pictures.photo(WIDTH, HEIGHT, 8)).copy()
    drawn[500:900, 400:1400][:, ::7] -= drawn[500:900, 400:1400][:, ::7] // 4
    drawn[1600:2200, 2200:3400][::5] -= drawn[1600:2200, 2200:3400][::5] // 4
    return Image.fromarray(drawn)


@pytest.fixture(scope="module")
def files(large) -> dict[str, bytes]:
    """The same picture in each format."""
    return {
        name: pictures.saved(large.convert(mode), format, **options)
        for name, (mode, format, options) in FORMATS.items()
    }


def streamed_pictures(data, boxes, sizes) -> list[Image.Image] | None:
    image, _ = reading.open_image(data, LIMITS)
    decoded = streamed.decode(image, data, boxes, sizes)
    if decoded is None:
        return None
    source, inside = decoded
    return resample.resize_all(source, list(zip(inside, sizes, strict=True)))


def fits(box: tuple[float, ...], width: int) -> tuple[int, int]:
    return width, round(width * (box[3] - box[1]) / (box[2] - box[0]))


@pytest.mark.parametrize("width", [97, 360, 640, 1150, 1280, 2400])
@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES)
@pytest.mark.parametrize("name", FORMATS)
def test_like_a_full_decode(files, name, box, width):
    size = fits(box, min(width, int(box[2] - box[0])))
    (made,) = streamed_pictures(files[name], [box], [size])
    assert made.mode == FORMATS[name][0]
    expected = pictures.opened(files[name]).resize(size, Image.Resampling.LANCZOS, box)
    assert made.size == expected.size
    assert ssim(made, expected) >= 0.99


@pytest.mark.parametrize("name", FORMATS)
def test_several_from_one_decode(files, name):
    boxes = [*BOXES.values()]
    wanted = [fits(box, width) for box, width in zip(boxes, (360, 640, 1280, 200), strict=True)]
    full = pictures.opened(files[name])
    for made, box, size in zip(streamed_pictures(files[name], boxes, wanted), boxes, wanted, strict=True):
        assert ssim(made, full.resize(size, Image.Resampling.LANCZOS, box)) >= 0.99


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("turned", [False, True])
def test_an_edge_lands_where_it_was(name, turned):
    """Not a tenth of a pixel off, wherever the box begins."""
    mode, format, options = FORMATS[name]
    drawn = np.full((3001, 3301), 40, "uint8")
    drawn[:, 1501:] = 210
    picture = Image.fromarray(drawn.T if turned else drawn).convert(mode)
    data = pictures.saved(picture, format, **options)
    for start in (0, 0.3, 7.75, 600):
        box = (0, start, 3001, 3301 - start / 3) if turned else (start, 0, 3301 - start / 3, 3001)
        for size in ((100, 100), (360, 270), (901, 840)):
            (made,) = streamed_pictures(data, [box], [size])
            profile = np.asarray(made.convert("L"), float).mean(axis=1 if turned else 0)
            place = ((210 - profile) / (210 - 40)).sum()
            expected = (1501 - start) * size[turned] / (box[2 + turned] - start)
            assert abs(place - expected) < 0.1, (start, size)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_cannot_be_seen_does_not_bleed(mode):
    """A red disc on transparent blue: its rim must stay red."""
    y, x = np.ogrid[:1200, :1600]
    inside = (x - 800) ** 2 + (y - 600) ** 2 < 400**2
    drawn = Image.new("RGBA", (1600, 1200), (*BLUE, 0))
    drawn.paste((*RED, 255), mask=Image.fromarray(inside))
    data = pictures.saved(drawn.convert(mode), "PNG")
    expected = drawn.convert(mode).resize((160, 120), Image.Resampling.LANCZOS)
    for box in ((0, 0, 1600, 1200), (0.4, 0.3, 1600, 1200)):
        (made,) = streamed_pictures(data, [box], [(160, 120)])
        pixels, alpha = np.asarray(made.convert("RGBA"), int), np.asarray(made.getchannel("A"), int)
        colour = np.asarray(Image.new("RGB", (1, 1), RED).convert(mode).convert("RGB"), int)[0, 0]
        assert abs(pixels[alpha > 25][:, :3] - colour).max() <= 20
        assert ((alpha > 25) & (alpha < 230)).any(), "a soft rim"
        assert pictures.psnr(made.getchannel("A"), expected.getchannel("A")) > 34


def unsuitable() -> dict[str, bytes]:
    """Return large files that Pillow must decode."""
    photo = pictures.photo(2000, 1500)
    wide = np.zeros((1500, 2000, 3), ">u2").tobytes()
    rows = b"".join(b"\0" + wide[at : at + 12000] for at in range(0, len(wide), 12000))
    moving = {"save_all": True, "append_images": [photo.rotate(180)], "duration": 90}
    return {
        "palette": pictures.saved(photo.convert("P"), "PNG"),
        "one bit": pictures.saved(photo.convert("1"), "PNG"),
        "16 bits": pictures.png(2000, 1500, pictures.zlib.compress(rows), depth=16),
        "transparent colour": pictures.saved(photo, "PNG", transparency=RED),
        "apng": pictures.saved(photo, "PNG", **moving),
        "small": pictures.saved(photo.resize((800, 600)), "PNG"),
        "jpeg": pictures.saved(photo, "JPEG"),
        "gif": pictures.saved(photo, "GIF"),
        "tiff": pictures.saved(photo, "TIFF"),
        "small webp": pictures.saved(photo, "WEBP"),
    }


def test_what_is_left_to_pillow():
    for name, data in unsuitable().items():
        assert streamed_pictures(data, [(0, 0, 800, 600)], [(80, 60)]) is None, name


def test_webp_with_alpha_or_moving_is_left_to_pillow(large):
    moving = {"save_all": True, "append_images": [large.rotate(180)], "duration": 90, "method": 0}
    transparent = large.copy()
    transparent.putalpha(100)
    for picture, options in ((transparent, {"method": 0}), (large, moving)):
        data = pictures.saved(picture, "WEBP", **options)
        assert streamed_pictures(data, [(0, 0, 800, 600)], [(80, 60)]) is None


@pytest.mark.parametrize("name", FORMATS)
def test_no_boxes(files, name):
    assert streamed_pictures(files[name], [], []) is None


@pytest.mark.parametrize("box", [(0, 0, WIDTH, HEIGHT), (0, 0, WIDTH, 60)], ids=["all", "top"])
@pytest.mark.parametrize("name", ["webp", "lossless webp"])
def test_damaged_webp(files, name, box):
    """Its second half is gone, and its lengths are right: refused, also where nobody asks for that half."""
    chunk = files[name][12:16]
    pixels = files[name][20 : len(files[name]) // 4 * 2]
    body = b"WEBP" + chunk + len(pixels).to_bytes(4, "little") + pixels
    data = b"RIFF" + len(body).to_bytes(4, "little") + body
    with pytest.raises(CorruptImage):
        streamed_pictures(data, [box], [fits(box, 300)])


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_png_whose_pixels_end_too_early(truncated_allowed, mode):
    """All its chunks are whole; its rows are not all there."""
    rows = (b"\0" + b"\x80" * 2000 * len(mode)) * 900
    data = pictures.png(2000, 1500, pictures.zlib.compress(rows), colour=2 if mode == "RGB" else 6)
    with pytest.raises(CorruptImage):
        streamed_pictures(data, [(0, 0, 2000, 1500)], [(200, 150)])


def test_profile_and_orientation_are_honoured(large):
    """They are for the small picture, as with every other format."""
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = profiles.matrix(profiles.DISPLAY_P3)
    data = pictures.saved(large, "PNG", exif=exif, icc_profile=profile, compress_level=1)
    engine = PillowEngine()
    assert engine.probe(data, limits=LIMITS).width == HEIGHT
    made = rendered(engine, data, "360x270")
    small = large.transpose(Image.Transpose.ROTATE_270)
    small = pictures.saved(small.resize((600, 900), Image.Resampling.LANCZOS), "PNG", icc_profile=profile)
    assert ssim(made, rendered(engine, small, "360x270")) > 0.97
    assert "icc_profile" not in made.info


def rendered(engine, data: bytes, size: str) -> Image.Image:
    probe = engine.probe(data, limits=LIMITS)
    plan = sizes.parse(size).plan(probe.width, probe.height)
    wanted = Job(plan=plan, format=formats.PNG, quality=None, background="#ffffff", animation="keep")
    (made,) = engine.render(data, [wanted], limits=LIMITS)
    return pictures.opened(made.data)


def test_the_same_bytes_each_time_and_from_many_threads(files):
    expected = {name: rendered(PillowEngine(), data, "480h").tobytes() for name, data in files.items()}
    found: list[bool] = []

    def work(name: str) -> None:
        found.append(rendered(PillowEngine(), files[name], "480h").tobytes() == expected[name])

    threads = [threading.Thread(target=work, args=(name,)) for name in [*files] * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * len(threads)


def test_libvips_is_left_as_it_was(files):
    before = pyvips.cache_get_max(), pyvips.cache_get_max_mem(), pyvips.vips_lib.vips_concurrency_get()
    for data in files.values():
        rendered(PillowEngine(), data, "480h")
    assert pyvips.vips_lib.vips_cache_get_size() == 0, "none of our pictures is kept"
    now = pyvips.cache_get_max(), pyvips.cache_get_max_mem(), pyvips.vips_lib.vips_concurrency_get()
    assert now == before


@pytest.mark.parametrize(("format", "most"), [("PNG", 60), ("WEBP", 40)])
def test_memory(tmp_path, format, most):
    """40 megapixels, 160 MB for Pillow; measured by the kernel."""
    path = tmp_path / "large"
    column = Image.linear_gradient("L").resize((1, 5000))
    Image.merge("RGB", [column.resize((8000, 5000))] * 3).save(path, format, compress_level=1, method=0)
    program = f"""
import re, sys
from pathlib import Path
from tests.engine.test_streamed import PillowEngine, rendered
from tests.engine import pictures

def memory(kind):
    return int(re.search(kind + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

data = Path(sys.argv[1]).read_bytes()
rendered(PillowEngine(), pictures.saved(pictures.photo(1200, 900), {format!r}), "360x270")
before = memory("VmRSS")
Path("/proc/self/clear_refs").write_text("5")
assert rendered(PillowEngine(), data, "360x270").size == (360, 270)
print(memory("VmHWM") - before)
"""
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=False)
    if "PermissionError" in done.stderr:
        pytest.skip("this kernel does not let us reset the peak")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < most, "MiB"


@pytest.mark.parametrize("missing", ["pyvips", "libvips"])
def test_without_libvips(tmp_path, missing):
    """Without the extra, or with pyvips and no shared library, Pillow does it all."""
    (tmp_path / "libvips.so.42").touch()
    block = ["pyvips"] if missing == "pyvips" else ["_libvips"]
    path = tmp_path / "large.png"
    pictures.photo(1600, 1200).save(path, compress_level=1)
    program = f"""
import sys
sys.modules.update(dict.fromkeys({block!r}))
from pathlib import Path
from lazyimages.engines import libvips
from tests.engine.test_streamed import PillowEngine, rendered, streamed_pictures
assert not libvips.installed()
data = Path(sys.argv[1]).read_bytes()
assert streamed_pictures(data, [(0, 0, 1600, 1200)], [(160, 120)]) is None
assert rendered(PillowEngine(), data, "360x270").size == (360, 270)
try:
    from lazyimages.engines.vips import VipsEngine
    VipsEngine()
except ImportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, path],
        capture_output=True,
        text=True,
        check=False,
        env={"LD_LIBRARY_PATH": str(tmp_path), "PYTHONPATH": "."},
    )
    assert done.returncode == 0, done.stderr
    assert 'pip install "django-lazyimages[vips]"' in done.stdout


def test_a_readonly_buffer_is_enough(files):
    """What storage hands over are bytes; what Pillow opened beside is not read to its end."""
    image = Image.open(BytesIO(files["png"]))
    assert streamed.decode(image, files["png"], [(0, 0, WIDTH, HEIGHT)], [(36, 24)]) is not None
    assert image.tile, "it is not decoded"


def test_the_one_large_size_of_several_is_made_by_itself(monkeypatch):
    """A portrait of 12 megapixels has to be decoded whole for one of three sizes alone."""
    data = pictures.saved(pictures.photo(3024, 4032), "JPEG", quality=90)
    engine = PillowEngine()
    plans = [sizes.parse(size).plan(3024, 4032) for size in ("360x270", "1280w", "480h")]
    jobs = [
        Job(plan=plan, format=formats.PNG, quality=None, background="#ffffff", animation="keep")
        for plan in plans
    ]
    whole = []
    monkeypatch.setattr(
        libvips,
        "opened_jpeg",
        lambda *args, opened=libvips.opened_jpeg, **options: (
            whole.append(args[2]) or opened(*args, **options)
        ),
    )
    together = engine.render(data, jobs, limits=LIMITS)
    assert whole == [1], "streamed whole, once"
    assert [(made.width, made.height) for made in together] == [(plan.width, plan.height) for plan in plans]
    assert together[1] == engine.render(data, jobs[1:2], limits=LIMITS)[0]
    full = pictures.opened(data).resize((1280, plans[1].height), Image.Resampling.LANCZOS)
    assert pictures.ssim(pictures.opened(together[1].data), full) >= 0.99
    for made, wanted in zip(together, jobs, strict=True):
        (alone,) = engine.render(data, [wanted], limits=LIMITS)
        assert pictures.ssim(pictures.opened(made.data), pictures.opened(alone.data)) >= 0.998
