"""The engine under test, and short ways to have it make something."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils.module_loading import import_string
from PIL import Image, ImageFile

from lazyimages import formats, sizes
from lazyimages.engines import libvips
from lazyimages.engines.base import Engine, Job, Limits
from tests.engine import pictures

ENGINES = ["lazyimages.engines.pillow.PillowEngine"]
ENGINES += ["lazyimages.engines.vips.VipsEngine"] if libvips.installed() else []
LIMITS = Limits(max_pixels=100_000_000, max_bytes=40 * 2**20)


@pytest.fixture(params=ENGINES, ids=lambda path: path.rpartition(".")[2])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Every engine in turn."""
    return import_string(request.param)()


@pytest.fixture
def job(engine: Engine) -> Callable[..., Job]:
    """Return a maker of jobs for a file: `job(data, "360x270", "webp")`."""

    def make(
        data: bytes,
        size: str,
        format: str = "png",
        *,
        focal: tuple[int, int] = sizes.CENTRE,
        quality: int | None = None,
        background: str = "#ffffff",
        animation: Any = "keep",
    ) -> Job:
        probe = engine.probe(data, limits=LIMITS)
        return Job(
            plan=sizes.parse(size).plan(probe.width, probe.height, focal),
            format=formats.BY_NAME[format],
            quality=quality or {"jpeg": 90, "webp": 90, "avif": 80}.get(format),
            background=background,
            animation=animation,
        )

    return make


@pytest.fixture
def variant(engine: Engine, job: Callable[..., Job]) -> Callable[..., bytes]:
    """Return a maker of variants: `variant(data, "360x270", "webp")` gives bytes."""

    def make(data: bytes, size: str, format: str = "png", **options: Any) -> bytes:
        (rendered,) = engine.render(data, [job(data, size, format, **options)], limits=LIMITS)
        picture = pictures.opened(rendered.data)
        assert picture.format == format.upper()
        assert picture.size == (rendered.width, rendered.height)
        return rendered.data

    return make


@pytest.fixture
def picture(variant: Callable[..., bytes]) -> Callable[..., Image.Image]:
    """Return a maker of variants as pictures: `picture(data, "360x270", "webp").size`."""

    def make(*args: Any, **options: Any) -> Image.Image:
        return pictures.opened(variant(*args, **options))

    return make


@pytest.fixture(params=[False, True], ids=["strict", "truncated-allowed"])
def truncated_allowed(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Set what a host project may have set: Pillow's switch that accepts truncated files."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = request.param
    yield request.param
    assert request.param == ImageFile.LOAD_TRUNCATED_IMAGES, "the engine changed a process-wide switch"
    ImageFile.LOAD_TRUNCATED_IMAGES = before
