"""Animation: kept where the format can and the setting says so, else the first picture; within limits."""

import struct

import pytest
from PIL import Image, ImageDraw

from lazyimages.engines.base import Limits
from lazyimages.exceptions import CorruptImage, ImageTooLarge
from tests.engine import pictures
from tests.engine.conftest import LIMITS
from tests.engine.pictures import BLUE, GREEN, RED, YELLOW, mean, near

COLOURS = [RED, GREEN, BLUE, YELLOW]
DURATIONS = [100, 200, 300, 400]
ANIMATED = ["GIF", "WEBP", "PNG", "AVIF"]


def animation(format: str, frames: list[Image.Image] | None = None, **options: object) -> bytes:
    """Return an animation; by default of four colours."""
    pages = frames or [Image.new("RGB", (120, 90), colour) for colour in COLOURS]
    options = {"duration": DURATIONS, "save_all": True, "append_images": pages[1:], **options}
    return pictures.saved(pages[0], format, **options)


def played(data: bytes) -> list[tuple[Image.Image, int]]:
    """Return the frames of a file as they are seen, and how long each."""
    picture = Image.open(pictures.BytesIO(data))
    shown = []
    for number in range(getattr(picture, "n_frames", 1)):
        picture.seek(number)
        picture.load()
        shown.append((picture.convert("RGBA"), round(picture.info.get("duration", 0))))
    return shown


@pytest.mark.parametrize("output", ["gif", "webp", "png", "avif"])
@pytest.mark.parametrize("format", ANIMATED)
def test_frames_and_their_times_are_kept(variant, format, output):
    frames = played(variant(animation(format), "40w", output))
    assert [duration for _, duration in frames] == DURATIONS
    for (frame, _), colour in zip(frames, COLOURS, strict=True):
        assert frame.size == (40, 30)
        assert near(mean(frame)[:3], colour, 16)


@pytest.mark.parametrize("format", ANIMATED)
def test_jpeg_is_the_first_frame(picture, format):
    assert near(mean(picture(animation(format), "40w", "jpeg")), RED, 12)


@pytest.mark.parametrize("output", ["gif", "webp", "png", "avif"])
@pytest.mark.parametrize("format", ANIMATED)
def test_first_frame_by_setting(variant, format, output):
    ((frame, _),) = played(variant(animation(format), "40w", output, animation="first"))
    assert near(mean(frame)[:3], RED, 12)


def test_each_job_gets_what_it_asks_for(engine, job):
    data = animation("GIF")
    jobs = [job(data, "40w", "jpeg"), job(data, "40w", "webp"), job(data, "20w", "gif", animation="first")]
    made = [rendered.data for rendered in engine.render(data, jobs, limits=LIMITS)]
    assert [len(played(each)) for each in made] == [1, 4, 1]


@pytest.mark.parametrize("output", ["gif", "webp", "png", "avif"])
@pytest.mark.parametrize("format", ["GIF", "PNG", "AVIF"])
def test_what_moves_leaves_no_trail(variant, format, output):
    """Where a frame is transparent, the frame before must not shine through."""
    frames = []
    for step in range(4):
        frame = Image.new("RGBA", (160, 40), (0, 0, 0, 0))
        ImageDraw.Draw(frame).ellipse((step * 40 + 4, 4, step * 40 + 36, 36), fill=(*RED, 255))
        frames.append(frame)
    data = animation(format, frames, **({"disposal": 2} if format == "GIF" else {}))
    shown = played(variant(data, "80w", output))
    assert len(shown) == 4
    for step, (frame, _) in enumerate(shown):
        opaque = [mean(frame, (i / 4 + 0.1, 0.3, i / 4 + 0.15, 0.7))[3] > 128 for i in range(4)]
        assert opaque == [i == step for i in range(4)]


@pytest.mark.parametrize("output", ["gif", "webp", "png"])
@pytest.mark.parametrize(("loop", "plays"), [(None, 1), (0, 0), (4, 5)])
def test_a_gif_is_played_as_often_as_before(variant, output, loop, plays):
    """GIF says how often it is shown again, and nothing when it is shown once; the others say how often."""
    data = animation("GIF", **({} if loop is None else {"loop": loop}))
    said = Image.open(pictures.BytesIO(variant(data, "40w", output))).info.get("loop")
    assert said == (loop if output == "gif" else plays)


@pytest.mark.parametrize("output", ["gif", "webp", "png", "avif"])
def test_extreme_counts_and_times_do_not_break_an_encoder(variant, output):
    """2³² plays and 18 hours for a frame are what an APNG can say and others cannot."""
    data = animation("PNG", duration=100, loop=3)
    data = data.replace(struct.pack(">II", 4, 3), struct.pack(">II", 4, 2**32 - 1))
    at, patched = 0, bytearray(data)
    while (at := patched.find(b"fcTL", at + 1)) > 0:
        patched[at + 24 : at + 28] = struct.pack(">HH", 65535, 1)
        patched[at + 30 : at + 34] = struct.pack(">I", pictures.zlib.crc32(patched[at : at + 30]))
    at = patched.find(b"acTL")
    patched[at + 12 : at + 16] = struct.pack(">I", pictures.zlib.crc32(patched[at : at + 12]))
    assert len(played(variant(bytes(patched), "40w", output))) == 4


@pytest.mark.parametrize("format", ANIMATED)
def test_limit_counts_the_pixels_of_all_frames(engine, job, format):
    data = animation(format)
    wanted = [job(data, "40w", "webp")]
    exactly = Limits(max_pixels=4 * 120 * 90, max_bytes=10**6)
    one_less = Limits(max_pixels=4 * 120 * 90 - 1, max_bytes=10**6)
    assert engine.probe(data, limits=exactly).frames == 4
    assert engine.render(data, wanted, limits=exactly)
    for call in (
        lambda: engine.probe(data, limits=one_less),
        lambda: engine.render(data, wanted, limits=one_less),
    ):
        with pytest.raises(ImageTooLarge, match=r"120 × 90 pixels in 4 frames; at most 43,199 pixels"):
            call()


@pytest.mark.parametrize("number", [0, 1])
def test_gif_that_grows_beyond_the_limit(engine, job, monkeypatch, number):
    """A frame may lie outside of the screen that the header promises; the host may allow Pillow anything."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    data = bytearray(animation("GIF", [Image.new("L", (8, 8), shade) for shade in (0, 255)]))
    start = -1
    for _ in range(number + 1):
        start = data.index(struct.pack("<cHHHH", b",", 0, 0, 8, 8), start + 1)
    data[start + 1 : start + 5] = struct.pack("<HH", 12_000, 12_000)
    small = job(pictures.saved(Image.new("L", (8, 8)), "GIF"), "4w", "gif")
    with pytest.raises(ImageTooLarge, match="12008 × 12008 pixels"):
        engine.render(bytes(data), [small], limits=LIMITS)


@pytest.mark.parametrize("format", ANIMATED)
def test_cut_in_a_later_frame(engine, job, format, truncated_allowed):
    """It is not whole, also when only the first frame is wanted."""
    noisy = [pictures.photo(120, 90, noise) for noise in (10, 40, 80)]
    data = animation(format, noisy, duration=50)
    wanted = job(data, "40w", "png", animation="first")
    for cut in (1, 10, 200, len(data) // 4):
        with pytest.raises(CorruptImage):
            engine.render(data[:-cut], [wanted], limits=LIMITS)


def with_a_frame_at(left: int) -> bytes:
    """Return a GIF of 120 × 90 whose last frame begins further to the right than its screen ends."""
    data = bytearray(animation("GIF"))
    at = data.rindex(b"\x2c")
    data[at + 1 : at + 3] = struct.pack("<H", left)
    return bytes(data)


def test_a_frame_may_be_a_little_beyond_the_screen(variant):
    assert len(played(variant(with_a_frame_at(100), "40w", "gif"))) == 4


def test_a_frame_far_beyond_the_screen_is_refused(variant):
    """The slots that a render takes are weighted by what the header says."""
    with pytest.raises(ImageTooLarge, match="much larger than the animation says"):
        variant(with_a_frame_at(60_000), "40w", "gif")
