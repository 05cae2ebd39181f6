"""JPEGs that were cut, and closed again by a program: refused, and nothing else is for it."""

import numpy as np
import pytest
from PIL import Image

from lazyimages.exceptions import CorruptImage
from tests.engine import pictures
from tests.engine.conftest import LIMITS
from tests.engine.test_bad_files import FILES, attempt


def grey_framed(mode: str = "RGB") -> Image.Image:
    """Draw a photo on just the grey that decoders give to what is missing."""
    drawn = Image.new("RGB", (200, 160), (128, 128, 128))
    drawn.paste(pictures.photo(96, 72), (20, 20))
    return drawn.convert(mode)


JPEGS = {
    "plain": {},
    "4:4:4": {"subsampling": 0},
    "coarse": {"quality": 20},
    "restarts": {"restart_marker_blocks": 3},
    "restart-rows": {"restart_marker_rows": 1},
    "grey": {"mode": "L"},
    "cmyk": {"mode": "CMYK"},
}


@pytest.mark.parametrize("name", JPEGS)
@pytest.mark.parametrize("drawn", [lambda mode: pictures.photo(200, 160).convert(mode), grey_framed])
def test_jpeg_cut_and_closed_is_not_half_grey(engine, job, truncated_allowed, name, drawn):
    """Programs that repair files append the end marker, and decoders paint what is missing grey."""
    options = dict(JPEGS[name])
    data = pictures.saved(drawn(options.pop("mode", "RGB")), "JPEG", **options)
    scan = data.rindex(b"\xff\xda")
    for size in ("200w", "60w", "16w"):
        wanted = [job(data, size)]
        assert engine.render(data, wanted, limits=LIMITS)
        for share in (0.1, 0.5, 0.9, 0.99):
            cut = data[: scan + 20 + int((len(data) - scan - 20) * share)]
            for closed in (cut + b"\xff\xd9", cut + FILES["jpeg"]):
                with pytest.raises(CorruptImage):
                    engine.render(closed, wanted, limits=LIMITS)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_what_is_grey_by_itself_is_not_refused(engine, mode):
    """Its last pixel looks like a missing one; also with more behind it, as phones and cameras leave it."""
    noise = np.random.default_rng(8)
    for number in range(60):
        drawn = grey_framed().crop((0, 0, *noise.integers(1, 200, 2).tolist())).convert(mode)
        options = {"quality": int(noise.integers(5, 98)), "progressive": bool(number % 3 == 0)}
        if number % 4 == 0:
            options["restart_marker_blocks"] = int(noise.integers(1, 30))
        data = pictures.saved(drawn, "JPEG", **options)
        for good in (data, data[:-2] + b"\0\x12\x34" + data[-2:], data + data, data + bytes(9)):
            assert attempt(engine, good) is not None, (number, options)
