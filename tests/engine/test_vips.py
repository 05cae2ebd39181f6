"""What is VipsEngine's own; all that an engine must do, the other tests ask of it too."""

from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from benchmarks.ssim import ssim
from lazyimages import conf, current
from lazyimages.checks import check_settings
from lazyimages.engines import libvips
from lazyimages.engines.pillow import PillowEngine
from lazyimages.engines.vips import VipsEngine
from lazyimages.exceptions import ImageError
from tests.engine import pictures
from tests.engine.conftest import LIMITS

PATH = "lazyimages.engines.vips.VipsEngine"
needs_libvips = pytest.mark.skipif(not libvips.installed(), reason="needs the extra vips")


@pytest.fixture(scope="module", params=[{}, {"progressive": True}], ids=["baseline", "progressive"])
def camera(request) -> bytes:
    """A photo whose sides no power of two divides."""
    return pictures.saved(pictures.photo(2503, 1877), "JPEG", quality=90, **request.param)


def both(job, data: bytes, size: str, format: str, **options) -> tuple[bytes, bytes]:
    wanted = [job(data, size, format, **options)]
    return tuple(
        engine.render(data, wanted, limits=LIMITS)[0].data for engine in (PillowEngine(), VipsEngine())
    )


@needs_libvips
@pytest.mark.parametrize("size", ["100x100", "360x270", "480h", "900w", "1280w", "2503w"])
def test_like_the_default_engine(job, camera, size):
    """A JPEG is decoded as small, its last pixels where they were."""
    ours, vips = (pictures.opened(data) for data in both(job, camera, size, "png", focal=(20, 70)))
    assert ours.size == vips.size
    assert pictures.psnr(ours, vips) > 40
    assert ssim(ours, vips) > 0.99


@needs_libvips
@pytest.mark.parametrize("format", ["jpeg", "webp", "avif"])
@pytest.mark.parametrize("quality", [40, 80])
def test_quality_means_about_the_same(job, camera, format, quality):
    ours, vips = both(job, camera, "480h", format, quality=quality)
    assert 0.5 < len(vips) / len(ours) < 2
    assert pictures.psnr(pictures.opened(ours), pictures.opened(vips)) > 29


@needs_libvips
@pytest.mark.parametrize("format", ["jpeg", "webp", "avif"])
def test_libvips_writes(job, camera, format):
    """Its encoders are not Pillow's, nor set as Pillow sets them: the bytes differ."""
    ours, vips = both(job, camera, "480h", format)
    assert ours != vips
    assert pictures.opened(vips).format == format.upper()


@needs_libvips
def test_what_libvips_complains_of_is_for_pillow_to_decide(job):
    """Bytes between the scans are a warning of libjpeg's; the picture is whole."""
    data = pictures.saved(pictures.quadrants(1200, 800), "JPEG", quality=95)
    padded = data[:-2] + b"\0\x12\x34" + data[-2:]
    (made,) = VipsEngine().render(padded, [job(data, "60w")], limits=LIMITS)
    pictures.assert_quadrants(pictures.opened(made.data))


@needs_libvips
@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_large_stills_with_alpha(job, mode):
    drawn = pictures.photo(2200, 1500).convert(mode)
    if mode.endswith("A"):
        drawn.putalpha(Image.linear_gradient("L").resize(drawn.size))
    data = pictures.saved(drawn, "PNG", compress_level=1)
    expected = drawn.resize((220, 150), Image.Resampling.LANCZOS).convert("RGBA")
    for format in ("webp", "avif", "png"):
        made = pictures.opened(both(job, data, "220w", format, quality=95)[1]).convert("RGBA")
        difference = np.asarray(made, float) - np.asarray(expected, float)
        assert abs(difference[..., 3]).max() < 12
        assert abs(difference[75:]).mean() < 6


@needs_libvips
@pytest.mark.parametrize("installed", [True, False])
def test_the_check_names_the_remedy(settings, monkeypatch, installed):
    settings.LAZYIMAGES = {**settings.LAZYIMAGES, "ENGINE": PATH}
    current._load.cache_clear()
    monkeypatch.setattr(libvips, "installed", lambda: installed)
    errors = [message for message in check_settings() if message.id == "lazyimages.E015"]
    assert conf.settings().engine == PATH
    if installed:
        assert errors == []
    else:
        assert 'pip install "django-lazyimages[vips]"' in errors[0].msg
    current._load.cache_clear()


@needs_libvips
def test_libvips_runs_no_python_in_its_threads(caplog, camera, job):
    """Its warnings did, and a garbage collection there once aborted the process."""
    damaged = bytearray(camera)
    for at in range(len(damaged) // 2, len(damaged) - 100, 997):
        damaged[at] ^= 0x5A
    for _ in range(3):
        with suppress(ImageError):
            VipsEngine().render(bytes(damaged), [job(camera, "480h", "jpeg")], limits=LIMITS)
    import pyvips

    assert pyvips._log_handler_id is None
    assert [record for record in caplog.records if record.name.startswith("pyvips")] == []
