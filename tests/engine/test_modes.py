"""Every kind of pixel: grey, palette, CMYK, 16 bits, alpha."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.engine import pictures
from tests.engine.pictures import BLACK, BLUE, GREEN, GREY, RED, WHITE, mean, near

WITH_ALPHA = ["png", "webp", "avif"]
ALL_OUTPUTS = ["jpeg", "png", "gif", "webp", "avif"]


def halves(mode: str, left: object, right: object, size: tuple[int, int] = (200, 100)) -> Image.Image:
    """Draw two colours side by side."""
    picture = Image.new(mode, size, right)
    picture.paste(left, (0, 0, size[0] // 2, size[1]))
    return picture


LEFT, RIGHT = (0.05, 0.1, 0.4, 0.9), (0.6, 0.1, 0.95, 0.9)


@pytest.mark.parametrize("output", ALL_OUTPUTS)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF"])
def test_every_format_into_every_other(picture, format, output):
    made = picture(pictures.saved(pictures.quadrants(), format), "60w", output)
    assert made.size == (60, 40)
    pictures.assert_quadrants(made, 20)


@pytest.mark.parametrize("output", ALL_OUTPUTS)
@pytest.mark.parametrize("alpha", [False, True], ids=["opaque", "alpha"])
def test_one_pixel_in_every_format(engine, picture, alpha, output):
    source = Image.new("RGBA" if alpha else "RGB", (1, 1), (200, 40, 40, 255)[: 3 + alpha])
    for format in ("PNG", "WEBP", "AVIF", "GIF", *(() if alpha else ("JPEG",))):
        made = picture(pictures.saved(source, format), "360x270", output)
        assert made.size == (1, 1)
        assert near(mean(made)[:3], (200, 40, 40), 12), format


@pytest.mark.parametrize("size", [(1, 20000), (20000, 1)])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF"])
def test_a_line_keeps_its_order(picture, size, format):
    """Red, then green, then blue, along 20,000 pixels."""
    wide = size[0] > 1
    drawn = Image.new("RGB", size, GREEN)
    drawn.paste(RED, (0, 0, 5000 if wide else 1, 1 if wide else 5000))
    drawn.paste(BLUE, (15000, 0, 20000, 1) if wide else (0, 15000, 1, 20000))
    made = picture(
        pictures.saved(drawn, format, **({"quality": 95} if format == "JPEG" else {})),
        "400w" if wide else "400h",
    )
    assert made.size == ((400, 1) if wide else (1, 400))
    for part, colour in ((0.1, RED), (0.5, GREEN), (0.9, BLUE)):
        place = (int(400 * part), 0) if wide else (0, int(400 * part))
        assert near(made.convert("RGB").getpixel(place), colour, 10)


@pytest.mark.parametrize("output", ALL_OUTPUTS)
@pytest.mark.parametrize("size", [(1, 20000), (20000, 1)])
def test_extreme_sides(picture, size, output):
    for format in ("PNG", "JPEG"):
        data = pictures.saved(Image.new("RGB", size, BLUE), format)
        long_side = "1280w" if size[0] > 1 else "480h"
        made = picture(data, long_side, output)
        assert made.size == ((1280, 1) if size[0] > 1 else (1, 480))
        assert near(mean(made.convert("RGB")), BLUE, 12)
        assert picture(data, "360x270", output).size == ((1, 1))


def test_cmyk_jpeg_without_a_profile(picture):
    inks = halves("CMYK", (255, 0, 0, 0), (0, 0, 0, 255))
    made = picture(pictures.saved(inks, "JPEG", quality=95), "60w")
    assert made.mode == "RGB"
    assert near(mean(made, LEFT), (0, 255, 255), 8)
    assert near(mean(made, RIGHT), BLACK, 8)


@pytest.mark.parametrize("output", ALL_OUTPUTS)
def test_cmyk_in_every_output(picture, output):
    data = pictures.saved(Image.new("CMYK", (300, 200), (0, 255, 255, 0)), "JPEG", quality=95)
    assert near(mean(picture(data, "60w", output).convert("RGB")), (255, 0, 0), 12)


def test_palette_with_alpha(picture):
    drawn = halves("P", 0, 1)
    drawn.putpalette([*RED, *GREEN])
    made = picture(pictures.saved(drawn, "PNG", transparency=bytes([255, 64])), "60w")
    assert near(mean(made, LEFT), (*RED, 255), 1)
    assert near(mean(made, RIGHT), (*GREEN, 64), 2)


def test_palette_with_one_transparent_entry(picture):
    drawn = halves("P", 0, 1)
    drawn.putpalette([*RED, *GREEN])
    made = picture(pictures.saved(drawn, "PNG", transparency=1), "60w")
    assert near(mean(made, LEFT), (*RED, 255), 1)
    assert mean(made, RIGHT)[3] == 0


def test_palette_is_averaged_as_colours(picture):
    """Averaging palette indices would give colours that are not in the picture."""
    drawn = Image.fromarray(np.indices((200, 200)).sum(axis=0).astype("uint8") % 2 * 9, "P")
    drawn.putpalette([*BLACK, *RED * 8, *WHITE])
    assert near(mean(picture(pictures.saved(drawn, "PNG"), "20w")), (128, 128, 128), 2)


def test_one_bit(picture):
    drawn = Image.fromarray((np.indices((200, 200)).sum(axis=0) % 2 * 255).astype("uint8")).convert("1")
    made = picture(pictures.saved(drawn, "PNG"), "20w")
    assert near(mean(made), GREY, 2), "a fine pattern of black and white is grey when it is small"
    split = picture(pictures.saved(halves("1", 255, 0), "PNG"), "20w")
    assert near(mean(split, LEFT), WHITE, 1)
    assert near(mean(split, RIGHT), BLACK, 1)


@pytest.mark.parametrize(("mode", "colour"), [("1", 0), ("L", 90), ("RGB", GREEN)])
def test_one_colour_transparent(picture, mode, colour):
    """PNG's tRNS chunk for grey and truecolour names one colour that is transparent."""
    other = 255 if mode == "1" else 200 if mode == "L" else RED
    made = picture(pictures.saved(halves(mode, colour, other), "PNG", transparency=colour), "60w")
    assert mean(made, LEFT)[3] == 0
    assert mean(made, RIGHT)[3] == 255
    assert near(mean(made, RIGHT)[:3], other if mode == "RGB" else (other,) * 3, 1)


@pytest.mark.parametrize("output", WITH_ALPHA)
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_kept(picture, output, mode):
    colour = RED if mode == "RGBA" else (70,)
    drawn = halves(mode, (*colour, 255), (*colour, 0))
    made = picture(pictures.saved(drawn, "PNG"), "60w", output)
    assert near(mean(made, LEFT), (*(colour * 3)[:3], 255), 8)
    assert mean(made, RIGHT)[3] <= 2


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("background", ["#ffffff", "#204060"])
def test_alpha_into_jpeg_gets_the_background(picture, mode, background):
    colour = RED if mode == "RGBA" else (70,)
    drawn = halves(mode, (*colour, 255), (*colour, 0))
    made = picture(pictures.saved(drawn, "PNG"), "60w", "jpeg", background=background)
    ground = tuple(bytes.fromhex(background[1:]))
    assert near(mean(made, LEFT), (colour * 3)[:3], 8)
    assert near(mean(made, RIGHT), ground, 8)
    half = pictures.saved(Image.new(mode, (60, 60), (*colour, 128)), "PNG")
    between = tuple(round((a + b) / 2) for a, b in zip((colour * 3)[:3], ground, strict=True))
    assert near(mean(picture(half, "30w", "jpeg", background=background)), between, 8)


def test_alpha_into_gif_is_cut_out(picture):
    made = picture(pictures.saved(halves("RGBA", (*RED, 255), (0, 0, 0, 0)), "PNG"), "60w", "gif")
    assert near(mean(made.convert("RGBA"), LEFT), (*RED, 255), 8)
    assert mean(made.convert("RGBA"), RIGHT)[3] == 0
    faint = picture(pictures.saved(halves("RGBA", (*RED, 140), (*RED, 110)), "PNG"), "60w", "gif")
    assert mean(faint.convert("RGBA"), LEFT)[3] == 255
    assert mean(faint.convert("RGBA"), RIGHT)[3] == 0


@pytest.mark.parametrize("background", ["#ffffff", "#dc1e1e"])
def test_no_fringe_around_what_is_cut_out(picture, background):
    """Transparent pixels are often black; averaged in as colours they would darken the rim."""
    y, x = np.indices((400, 400))
    inside = (x - 200) ** 2 + (y - 200) ** 2 < 150**2
    pixels = np.zeros((400, 400, 4), "uint8")
    pixels[inside] = (*RED, 255)
    data = pictures.saved(Image.fromarray(pixels, "RGBA"), "PNG")
    rim = np.asarray(picture(data, "50w"), int)
    seen = rim[rim[..., 3] > 25]
    assert (abs(seen[:, :3] - RED) <= 20).all(), "the rim has the colour of the disc"
    assert ((rim[..., 3] > 25) & (rim[..., 3] < 230)).any(), "and it is soft"
    flat = np.asarray(picture(data, "50w", "jpeg", background=background), int)
    if background == "#dc1e1e":
        assert (abs(flat - RED) <= 12).all(), "a red disc on red cannot be seen"


def sixteen_bit(values: np.ndarray, colour: int, more: bytes = b"") -> bytes:
    """Return a PNG of 16 bits a channel; `values` has height × width × channels."""
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return pictures.png(width, height, zlib.compress(rows), depth=16, colour=colour, more=more)


@pytest.mark.parametrize("value", [0, 1, 128, 257, 32768, 32896, 65278, 65534, 65535])
@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_sixteen_bits_keep_their_value(picture, value, colour, channels):
    values = np.full((40, 60, channels), value)
    if colour in (4, 6):
        values[..., -1] = 65535
    made = picture(sixteen_bit(values, colour), "30w")
    assert near(mean(made.convert("RGB")), (round(value / 257),) * 3, 1)


@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (6, 4)])
def test_sixteen_bit_photo(picture, colour, channels):
    """The same as the photo in 8 bits, to the pixel."""
    photo = pictures.photo(300, 200) if channels > 1 else pictures.photo(300, 200).convert("L")
    values = np.asarray(photo, int).reshape(200, 300, -1) * 257
    if channels == 4:
        values = np.concatenate([values, np.full((200, 300, 1), 65535)], axis=2)
    made = picture(sixteen_bit(values, colour), "100w")
    reference = photo.convert("RGB").resize((100, 67), Image.Resampling.LANCZOS)
    assert pictures.psnr(made.convert("RGB"), reference) > 45


def test_sixteen_bit_grey_has_all_its_steps(picture):
    values = np.broadcast_to(np.linspace(0, 65535, 256)[None, :, None], (64, 256, 1)).round()
    made = np.asarray(picture(sixteen_bit(values, 0), "128w").convert("L"), int)[16]
    assert made[0] <= 2
    assert made[-1] >= 253
    assert (np.diff(made) >= 1).all()
    assert abs(made[64] - 128) <= 2


def test_sixteen_bit_grey_with_a_transparent_value(picture):
    values = np.full((40, 60, 1), 65535)
    values[:, :30] = 300
    data = sixteen_bit(values, 0, pictures.chunk(b"tRNS", struct.pack(">H", 300)))
    made = picture(data, "30w")
    assert mean(made, RIGHT) == (255, 255, 255, 255)
    assert mean(made, LEFT)[3] == 0


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_sixteen_bit_tiff(picture, compression, order):
    ramp = np.broadcast_to(np.linspace(0, 65535, 120).astype(order)[None, :], (60, 120)).copy()
    grey = Image.fromarray(ramp)
    made = picture(
        pictures.saved(grey, "TIFF", **({"compression": compression} if compression else {})), "60w"
    )
    assert near(mean(made.convert("RGB"), (0.49, 0, 0.52, 1)), (128,) * 3, 4)
    assert near(mean(made.convert("RGB"), (0.98, 0, 1, 1)), WHITE, 4)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LA"])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "jpeg"])
def test_tiff(picture, mode, compression):
    if compression == "jpeg" and mode in ("1", "P", "RGBA", "LA"):
        pytest.skip("TIFF has no such thing")
    drawn = halves("RGB", BLACK, WHITE).convert(mode)
    made = picture(pictures.saved(drawn, "TIFF", compression=compression), "60w", "jpeg")
    assert near(mean(made, LEFT), BLACK, 8)
    assert near(mean(made, RIGHT), WHITE, 8)


def test_grey_jpeg(picture):
    made = picture(pictures.saved(halves("L", 30, 220), "JPEG", quality=95), "60w", "jpeg")
    assert near(mean(made, LEFT), (30,) * 3, 4)
    assert near(mean(made, RIGHT), (220,) * 3, 4)
