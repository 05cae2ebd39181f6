"""A progressive JPEG without what 1/8 does not need: the same pixels, bit by bit."""

import random
from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageFile

from lazyimages.engines import progressive
from lazyimages.engines.pillow import PillowEngine
from tests.engine.conftest import LIMITS

KINDS = ("4:2:0", "4:2:2", "4:4:4", "grey", "cmyk")


def drawn(kind: str, *, seed: int, size: tuple[int, int], **options) -> bytes:
    """Return a progressive JPEG with coarse and fine structure, different for every seed."""
    randomly = random.Random(seed)
    mode = {"grey": "L", "cmyk": "CMYK"}.get(kind, "RGB")
    bands = [
        ImageChops.add(
            Image.frombytes("L", (7, 5), randomly.randbytes(35)).resize(size, Image.Resampling.BICUBIC),
            Image.frombytes("L", size, randomly.randbytes(size[0] * size[1])).point(lambda value: value // 6),
        )
        for _ in Image.new(mode, (1, 1)).getbands()
    ]
    buffer = BytesIO()
    if ":" in kind:
        options["subsampling"] = kind
    Image.merge(mode, bands).save(buffer, "JPEG", progressive=True, **options)
    return buffer.getvalue()


def at_an_eighth(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
    assert image.decoderconfig[0] == 8
    image.load()
    return image


def identical(one: Image.Image, other: Image.Image) -> bool:
    return one.mode == other.mode and one.size == other.size and one.tobytes() == other.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_pixels_at_an_eighth(kind):
    """200 files a kind: any side from 8 to 200 pixels, any quality, with and without restart markers."""
    for seed in range(200):
        randomly = random.Random(f"{kind}{seed}")
        size = randomly.randrange(8, 200), randomly.randrange(8, 200)
        options = {"quality": randomly.randrange(5, 99)}
        if seed % 4 == 0:
            options["restart_marker_blocks"] = randomly.randrange(1, 40)
        data = drawn(kind, seed=seed, size=size, **options)
        trimmed = progressive.for_an_eighth(data)
        assert trimmed != data, f"{seed} {size} {options}"
        assert identical(at_an_eighth(data), at_an_eighth(trimmed)), f"{seed} {size} {options}"


def test_a_scan_of_more_blocks_than_one_run_covers():
    data = drawn("grey", seed=1, size=(2400, 1600), quality=80)  # 60,000 blocks; a run has at most 32,767
    trimmed = progressive.for_an_eighth(data)
    assert len(trimmed) < len(data) / 4
    assert identical(at_an_eighth(data), at_an_eighth(trimmed))


def test_without_the_empty_scan_the_decoder_guesses():
    """Why there is one. Should this fail, libjpeg-turbo has changed, and the empty scan can go."""
    data = drawn("grey", seed=2, size=(400, 400), quality=60)
    trimmed = progressive.for_an_eighth(data)
    without = trimmed[: trimmed.rindex(b"\xff\xdd\x00\x04")] + b"\xff\xd9"
    assert not identical(at_an_eighth(data), at_an_eighth(without))


def test_an_unfinished_file_is_left_alone():
    """The decoder smooths it, and would not any more if it took what is missing for zero."""
    data = drawn("4:2:0", seed=3, size=(160, 120), quality=80)
    last_scan = data.rindex(b"\xff\xda")
    unfinished = data[:last_scan] + b"\xff\xd9"
    assert progressive.for_an_eighth(unfinished) is unfinished


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xd8\xff", id="cut after the first bytes"),
        pytest.param(b"\xff\xd8" + b"\x00" * 50, id="no segments"),
        pytest.param(
            b"\xff\xd8\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00\xff\xd9", id="a scan without a frame"
        ),
        pytest.param(b"\xff\xd8\xff\xc2\x00\x02\xff\xd9", id="a frame without content"),
    ],
)
def test_what_is_not_understood_is_left_alone(data):
    assert progressive.for_an_eighth(data) is data


def test_baseline_is_left_alone():
    buffer = BytesIO()
    Image.effect_noise((64, 64), 50).save(buffer, "JPEG")
    assert progressive.for_an_eighth(buffer.getvalue()) == buffer.getvalue()


def test_bytes_cut_or_damaged_anywhere_raise_nothing():
    data = drawn("4:2:0", seed=4, size=(96, 64), quality=70)
    randomly = random.Random(5)
    for length in range(0, len(data), 3):
        progressive.for_an_eighth(data[:length])
    for _ in range(2000):
        damaged = bytearray(data)
        damaged[randomly.randrange(len(data))] = randomly.randrange(256)
        progressive.for_an_eighth(bytes(damaged))


def test_the_engine_decodes_less(job, monkeypatch):
    """What a render gives Pillow's decoder of a large progressive file: the file without its luma details."""
    data = drawn("4:2:0", seed=6, size=(1600, 1200), quality=85)
    fed = []
    decoder = ImageFile.ImageFile.load

    def load(self):
        if self.tile:
            fed.append(len(self.fp.getvalue()))
        return decoder(self)

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    PillowEngine().render(data, [job(data, "120x90", "jpeg")], limits=LIMITS)
    assert fed
    assert max(fed) < len(data) / 2
