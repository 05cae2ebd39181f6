"""The project around: its Pillow is left as it set it, and its warnings may be errors."""

import subprocess
import sys
import warnings

import pytest
from PIL import AvifImagePlugin, GifImagePlugin, Image, ImageFile, PngImagePlugin, TiffImagePlugin

from tests.engine.conftest import ENGINES
from tests.engine.test_bad_files import FILES, attempt

# Pillow warns of what it finds in damaged TIFFs and EXIF.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::DeprecationWarning:PIL")


@pytest.mark.parametrize("name", FILES)
def test_good_and_cut_files_when_warnings_are_errors(engine, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert attempt(engine, FILES[name]) is not None
        for cut in (20, len(FILES[name]) // 2, len(FILES[name]) - 1):
            assert attempt(engine, FILES[name][:cut]) is None


def pillow() -> tuple:
    """Return all that a program can set in Pillow for the whole process."""
    registries = Image.ID, Image.OPEN, Image.SAVE, Image.SAVE_ALL, Image.EXTENSION, Image.MIME, Image.DECODERS
    switches = (
        ImageFile.LOAD_TRUNCATED_IMAGES,
        ImageFile.MAXBLOCK,
        Image.MAX_IMAGE_PIXELS,
        Image.WARN_POSSIBLE_FORMATS,
        PngImagePlugin.MAX_TEXT_CHUNK,
        GifImagePlugin.LOADING_STRATEGY,
        TiffImagePlugin.READ_LIBTIFF,
        AvifImagePlugin.DEFAULT_MAX_THREADS,
        list(warnings.filters),
    )
    return *map(repr, registries), *switches


@pytest.mark.parametrize("limit", [12_345, None])
def test_pillow_is_left_as_it_was(engine, monkeypatch, truncated_allowed, limit):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    before = pillow()
    for data in FILES.values():
        for output in ("jpeg", "png", "gif", "webp", "avif"):
            attempt(engine, data, output)
        attempt(engine, data[:-30])
        assert pillow() == before


@pytest.mark.parametrize("path", ENGINES)
def test_from_the_first_import_on_where_warnings_are_errors(path):
    """In a process of its own, as a careful host runs it; the registry is what Pillow itself makes of it."""
    program = f"""
from PIL import Image
Image.init()
from tests.engine import test_host
before = test_host.pillow()
from django.utils.module_loading import import_string
engine = import_string({path!r})()
for name, data in test_host.FILES.items():
    assert test_host.attempt(engine, data, "jpeg"), name
    assert test_host.attempt(engine, data[:-30]) is None, name
assert test_host.pillow() == before
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
