"""Small files that promise much, drawn byte by byte; and a program that asks for them and measures itself."""

import struct
import zlib
from io import BytesIO

from PIL import Image

from tests.engine import pictures
from tests.engine.pictures import chunk
from tests.engine.test_limits import bombs as absurd_dimensions
from tests.security.conftest import saved

TINY = Image.new("RGB", (16, 16), (200, 30, 30))


def outside_of_the_list() -> dict[str, bytes]:
    """Return ICO, PSD, BMP and JPEG 2000 of 60,000 × 60,000: formats that are never opened."""
    huge = pictures.png(60000, 60000, zlib.compress(bytes(1000)))
    icon = struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, len(huge), 22) + huge
    layered = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 60000, 60000, 8, 3) + bytes(64)
    bitmap = b"BM" + struct.pack("<IIIIiiHHIIIIII", 200, 0, 54, 40, 60000, 60000, 1, 24, 0, 0, 0, 0, 0, 0)
    wavelet = b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100)
    return {"ico": icon, "psd": layered, "bmp": bitmap + bytes(99), "jp2": wavelet}


def png_with(*chunks: bytes) -> bytes:
    """Return a small PNG with chunks between its header and its pixels."""
    data = saved(TINY, "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def inflating_chunks(packed: bytes) -> dict[str, bytes]:
    """Return PNGs whose profile, text and EXIF unpack to much."""
    return {
        "iCCP": png_with(chunk(b"iCCP", b"icc\0\0" + packed)),
        "zTXt": png_with(chunk(b"zTXt", b"Comment\0\0" + packed)),
        "iTXt": png_with(chunk(b"iTXt", b"Comment\0\1\0\0\0" + packed)),
        "EXIF in zTXt": png_with(chunk(b"zTXt", b"Raw profile type exif\0\0" + packed)),
        "many zTXt": png_with(*[chunk(b"zTXt", b"Comment\0\0" + pictures.zeros(1_000_000))] * 200),
    }


def inflating_pixels(packed: bytes) -> dict[str, bytes]:
    """Return pictures of 16 × 16 whose compressed pixels unpack to much."""
    deflated = saved(TINY.convert("L"), "TIFF", compression="tiff_adobe_deflate")
    gif = saved(TINY.convert("P"), "GIF")
    codes = b"".join(bytes((255,)) + b"\x00\x51\xfc\x1b\x28\x70" * 42 + b"\0\0\0" for _ in range(4000))
    at = gif.index(b"\x2c") + 11  # behind the frame's header: the size of codes, and the blocks of codes
    return {
        "PNG": pictures.png(16, 16, packed),
        "TIFF": deflated[:4]
        + struct.pack("<I", len(packed) + 8 & ~1)
        + packed
        + bytes(len(packed) & 1)
        + strip_of(8, len(packed)),
        "GIF": gif[:at] + codes + gif[at:],
    }


def strip_of(offset: int, length: int, count: int = 1, compression: int = 8) -> bytes:
    """Return the directory of a grey TIFF of 16 × 16 with one strip, or as many as `count` says."""
    tags = [(256, 4, 1, 16), (257, 4, 1, 16), (258, 3, 1, 8), (259, 3, 1, compression), (262, 3, 1, 1)]
    tags += [(273, 4, count, offset), (277, 3, 1, 1), (278, 4, 1, 16), (279, 4, count, length)]
    return struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)


def directories() -> dict[str, bytes]:
    """Return TIFFs and EXIF whose directories promise too much, or lead back to themselves."""
    head = b"II*\0\x08\0\0\0"
    circle = strip_of(8 + 2 + 9 * 12 + 4, 256, compression=1)
    exif_circle = struct.pack("<H", 3) + b"".join(
        struct.pack("<HHII", *tag) for tag in [(0x0112, 3, 1, 1), (0x8769, 4, 1, 8), (0x8825, 4, 1, 8)]
    )
    exif = b"Exif\0\0" + head + exif_circle + struct.pack("<I", 8)  # the thumbnail's directory is the first
    many = struct.pack("<H", 5000) + struct.pack("<HHII", 0x010E, 2, 60000, 8) * 5000
    return {
        "strips without end": head + strip_of(8, 16, count=2**32 - 1),
        "a million strips": head + strip_of(8, 16, count=10**6) + bytes(5 * 10**6),
        "a directory that is its own next": head + circle[:-4] + struct.pack("<I", 8) + bytes(256),
        "a directory outside": b"II*\0\xff\xff\xff\x7f" + bytes(50),
        "EXIF in a circle": saved(TINY, "JPEG", exif=exif),
        "EXIF of five thousand texts": saved(TINY, "JPEG", exif=b"Exif\0\0" + head + many[:60000]),
    }


def many_frames() -> dict[str, bytes]:
    """Return animations of a few kilobytes whose frames have more than 100 megapixels in all."""
    screen = Image.new("P", (1000, 1000))
    gif = saved(screen, "GIF", save_all=True, append_images=[Image.new("P", (1000, 1000), 1)], duration=9)
    start = gif.index(b"\x21\xf9")
    webp = saved(Image.new("RGB", (1000, 1000)), "WEBP", lossless=True)[12:]
    frame = bytes(6) + (999).to_bytes(3, "little") * 2 + b"\x0a\0\0\0" + webp
    frames = (b"ANMF" + struct.pack("<I", len(frame)) + frame + bytes(len(frame) & 1)) * 101
    body = b"WEBPVP8X\x0a\0\0\0\x02\0\0\0" + (999).to_bytes(3, "little") * 2
    body += b"ANIM\x06\0\0\0" + bytes(6) + frames
    apng = pictures.png(
        1000, 1000, pictures.zeros(3_001_000), more=chunk(b"acTL", struct.pack(">II", 101, 0))
    )
    return {
        "GIF": gif[:-1] + gif[start:-1] * 101 + b"\x3b",
        "WebP": b"RIFF" + struct.pack("<I", len(body)) + body,
        "APNG": apng,
    }


def profiles() -> dict[str, bytes]:
    """Return JPEGs with a profile in 255 segments: 16 MB that are none, and the same in a wrong order."""
    data = saved(TINY, "JPEG")

    def segments(numbers: list[int]) -> bytes:
        body = bytes(65519)
        return b"".join(b"\xff\xe2\xff\xffICC_PROFILE\0" + bytes((n, 255)) + body for n in numbers)

    whole = data[:2] + segments([*range(1, 256)]) + data[2:]
    return {"255 segments": whole, "the same segment": data[:2] + segments([1] * 255) + data[2:]}


def everything() -> dict[str, tuple[bytes, set[int]]]:
    """Return all of them, each with the statuses that are right for it."""
    packed = pictures.zeros(200_000_000)
    groups = {
        "dimensions": (absurd_dimensions(), {422}),
        "format": (outside_of_the_list(), {415}),
        "metadata": (inflating_chunks(packed), {200, 415}),
        "pixels": (inflating_pixels(packed), {200, 415}),
        "directory": (directories(), {200, 415, 422}),
        "frames": (many_frames(), {422}),
        "profile": (profiles(), {200, 415}),
    }
    return {
        f"{group}: {name}": (data, statuses)
        for group, (files, statuses) in groups.items()
        for name, data in files.items()
    }


# ru_maxrss would not do: a new program inherits it from the process that started it.
PROGRAM = """
import json, sys, time
import django
from django.conf import settings
settings.configure(
    MEDIA_ROOT=sys.argv[1],
    ROOT_URLCONF="lazyimages.urls",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["lazyimages"],
    STORAGES={"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}},
    LAZYIMAGES={"SIZES": ["64w"], "VARIANTS": "default"},
    SECRET_KEY="x",
    LOGGING_CONFIG=None,
)
django.setup()
from django.test import Client
def most():
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024
client = Client(raise_request_exception=False)
for name in json.loads(sys.argv[3]):
    assert client.get(f"/v/64w/{name}").status_code == 200, name  # every decoder is loaded
before = most()
for name in json.loads(sys.argv[2]):
    started = time.process_time()  # of this process's threads, however long others keep the processor
    status = client.get(f"/v/64w/{name}").status_code
    print(json.dumps([name, status, time.process_time() - started, round(most() - before)]), flush=True)
"""


def warm_files() -> dict[str, bytes]:
    """Return a good file of each format, for loading the decoders before anything is measured."""
    formats = {"jpg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WEBP", "avif": "AVIF"}
    return {f"warm.{extension}": saved(TINY, format) for extension, format in formats.items()}


def is_small_and_whole(data: bytes) -> bool:
    """Tell whether bytes are a picture of the size that all these files say they have."""
    with Image.open(BytesIO(data)) as picture:
        picture.load()
        return picture.size == (16, 16)
