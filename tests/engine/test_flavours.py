"""Every flavour of a format: how the pixels are coded, in what order, and what else is in the file."""

import struct
import zlib
from base64 import b85decode

import numpy as np
import pytest
from PIL import Image

from tests.engine import pictures
from tests.engine.conftest import LIMITS
from tests.engine.pictures import GREY


@pytest.mark.parametrize(
    "options", [{"progressive": True}, {"subsampling": 0}, {"subsampling": 2}, {"restart_marker_rows": 1}]
)
def test_jpeg_flavours(picture, options):
    made = picture(pictures.saved(pictures.quadrants(), "JPEG", quality=95, **options), "60w")
    pictures.assert_quadrants(made)


def test_mpo_is_its_first_picture(engine, picture):
    """Phones write two JPEGs in one file: the picture, and a depth or gain map."""
    data = pictures.saved(
        pictures.quadrants(),
        "MPO",
        save_all=True,
        append_images=[Image.new("RGB", (240, 160), GREY)],
        quality=95,
    )
    assert pictures.opened(data).format == "MPO"
    assert engine.probe(data, limits=LIMITS).frames == 1
    for output in ("jpeg", "webp"):
        made = picture(data, "60w", output)
        assert getattr(made, "n_frames", 1) == 1
        pictures.assert_quadrants(made)


def segment(marker: int, body: bytes) -> bytes:
    """Return a JPEG segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def ultra_hdr(primary: bytes, gain_map: bytes) -> bytes:
    """Return a JPEG with a gain map for bright screens behind it: XMP, and the table of CIPA DC-007."""
    xmp = (
        b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF><rdf:Description "
        b"xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/' hdrgm:Version='1.0'/></rdf:RDF></x:xmpmeta>"
    )
    entry = struct.Struct(">IIIHH")
    table_at = 8 + 2 + 3 * 12 + 4
    head = b"MM\0*" + struct.pack(">IH", 8, 3) + struct.pack(">HHI4s", 0xB000, 7, 4, b"0100")
    head += struct.pack(">HHII", 0xB001, 4, 1, 2) + struct.pack(">HHII", 0xB002, 7, 32, table_at) + bytes(4)
    mpf_length = 4 + 4 + len(head) + 32
    xmp_segment = segment(0xE1, xmp)
    first = len(primary) + len(xmp_segment) + mpf_length
    mpf_at = 2 + len(xmp_segment) + 8  # offsets count from the byte order mark
    entries = entry.pack(0x20030000, first, 0, 0, 0) + entry.pack(0, len(gain_map), first - mpf_at, 0, 0)
    mpf = segment(0xE2, b"MPF\0" + head + entries)
    assert len(mpf) == mpf_length
    return primary[:2] + xmp_segment + mpf + primary[2:] + gain_map


@pytest.mark.parametrize("output", ["jpeg", "webp", "avif"])
def test_ultra_hdr_is_its_picture(engine, variant, output):
    """Of the gain map and of the words about it nothing is left: without each other they are of no use."""
    gain_map = pictures.saved(Image.new("L", (60, 40), 200), "JPEG")
    data = ultra_hdr(pictures.saved(pictures.quadrants(), "JPEG", quality=95), gain_map)
    shown = Image.open(pictures.BytesIO(data))
    assert (shown.format, shown.n_frames) == ("MPO", 2)
    shown.seek(1)
    assert shown.size == (60, 40)
    probe = engine.probe(data, limits=LIMITS)
    assert (probe.format.name, probe.frames, probe.width, probe.height) == ("jpeg", 1, 240, 160)
    for size in ("60w", "240w"):
        made = variant(data, size, output)
        pictures.assert_quadrants(pictures.opened(made), 16)
        assert not [word for word in (b"hdrgm", b"MPF\0", b"http://ns.adobe.com") if word in made]
        assert made.count(b"\xff\xd8\xff") == (output == "jpeg")


def test_only_the_first_page_of_a_tiff(engine, picture):
    pages = [Image.new("RGB", (300, 300), GREY), Image.new("L", (50, 40), 9)]
    for options in ({}, {"compression": "tiff_lzw"}, {"compression": "tiff_adobe_deflate"}):
        data = pictures.saved(pictures.quadrants(), "TIFF", save_all=True, append_images=pages, **options)
        assert pictures.opened(data).n_frames == 3
        probe = engine.probe(data, limits=LIMITS)
        assert (probe.frames, probe.width, probe.height) == (1, 240, 160)
        for output in ("jpeg", "gif", "webp"):
            made = picture(data, "60w", output)
            assert getattr(made, "n_frames", 1) == 1
            pictures.assert_quadrants(made, 20)


def test_interlaced_png(picture):
    """Written by hand, since Pillow reads Adam7 but does not write it (PNG specification, 8.2)."""
    pixels = np.asarray(pictures.photo(48, 32))
    rows = b""
    for x0, y0, dx, dy in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        rows += b"".join(b"\0" + row.tobytes() for row in pixels[y0::dy, x0::dx])
    data = bytearray(pictures.png(48, 32, zlib.compress(rows)))
    data[28] = 1
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    for size in ("48w", "12w"):
        made = picture(bytes(data), size)
        assert pictures.psnr(made, pictures.photo(48, 32).resize(made.size, Image.Resampling.LANCZOS)) > 45


# `quadrants(48, 32)` at quality 90, through `jpegtran -arithmetic -copy none`, the second `-progressive` too.
# Few programs write this, and Pillow is not one of them.
ARITHMETIC = {
    "sequential": (
        "|JeWF01!$>Nk#wx0RR9200961|JwjV00RO70|EjA0|NsD0|NvF2n7WM1O*BQ2L=cX3JeSj3JVJj4iXRz4iOFu3lJ6%5fc;@6%`B*7Z?"
        "^47!ni}6#v@*LjeN>1O)^I2?YfS6b%av6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6cqo-01*fPAO"
        "J7}0U`hb5di}c0sqVZ3IGrg1pyEd1^?Or3<CiG0ucid06zf#0MYG+!#`^w&?$1SUP+pKfEB7>9Rj%m`S2%|wT*sdrf5Nqn}4liQU`L0vG"
        "ImJb=}3Vw<hLU7Ik~B-T&D"
    ),
    "progressive": (
        "|JeWF01!$>Nk#wx0RR9200961|JwjV00RO70|EjA0|NsD0|NvF2n7WM1O*BQ2L=cX3JeSj3JVJj4iXRz4iOFu3lJ6%5fc;@6%`B*7Z?"
        "^47!ni}6#v@*LjeN>1O)^I2?YfS6b%av6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6ciK`6cqo;01*fPAO"
        "J7}0U`hb5di}c0sqVZ1^^HN5dYc$3<CiG0uTcb000610HfZ6-JIwD0E!^j<c}aJn@7BhABp!DFjddDNy4Sr7&Ml^|I7dc5C#9*00;pA00"
        "9L8u>Z^e1Q7-Q+5iXv0|5a)0q(`(Z=9a3PhXUdJ#nD_%m4%t1^?Or2mt~C0Y3rmLj+%b0G9E1pu9By%m4%s1^?Or2mt{A20sF@|I7dc5C"
        "#9*00;pA00BQCu>aZs3<CiG0ssR5000pG0286z!2iqu1Q7-Q+5iXv0|5a)5T)a^JljD3%m4%t1^?Or2mt~C0Y4C><9sc7K>y4D1P}%P+5"
        "iXv0RRC%5U~H*"
    ),
}


@pytest.mark.parametrize("kind", ARITHMETIC)
def test_arithmetic_coding(engine, picture, kind):
    data = b85decode(ARITHMETIC[kind])
    assert data[data.index(b"\xff\xc4" if b"\xff\xc4" in data else b"\xff\xcc") + 1] == 0xCC, (
        "no Huffman tables"
    )
    probe = engine.probe(data, limits=LIMITS)
    assert (probe.width, probe.height) == (48, 32)
    for size in ("48w", "24w", "6w"):
        pictures.assert_quadrants(picture(data, size), 12 if size != "6w" else 40)


def test_interlaced_gif(picture):
    pictures.assert_quadrants(picture(pictures.saved(pictures.quadrants(), "GIF", interlace=1), "60w"), 20)
