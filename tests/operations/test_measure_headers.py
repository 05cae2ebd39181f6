"""The beginning of a file says what the whole says, or nothing: in every format, turned, with much before."""

import struct
import threading
import warnings
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from lazyimages import formats, storage
from lazyimages.engines import beginning
from lazyimages.engines.pillow import PillowEngine
from lazyimages.exceptions import ImageError
from lazyimages.operations.measuring import headers
from tests.conftest import upload
from tests.engine import pictures
from tests.engine.conftest import LIMITS
from tests.engine.test_bad_files import FILES
from tests.engine.test_orientation import STORED, stored
from tests.fuzz.corpus import seeds
from tests.host.models import Photo

MUCH = bytes(range(256)) * 400  # 100 KiB, more than a beginning
PICTURE = pictures.quadrants(240, 160)
EXAMPLES = Path(__file__).parents[1] / "fuzz" / "examples"


def exif(orientation: int, much: bool = False) -> Image.Exif:
    made = Image.Exif()
    made[0x0112] = orientation
    if much:
        made[0x010F] = "camera" * 9_000  # 54 kB, and an APP1 holds 64
    return made


def turned(orientation: int) -> Image.Image:
    turn = STORED[orientation]
    return PICTURE if turn is None else PICTURE.transpose(turn)


def profile_and_exif(format: str, orientation: int) -> bytes:
    return pictures.saved(turned(orientation), format, exif=exif(orientation, much=True), icc_profile=MUCH)


def heic(orientation: int) -> bytes:
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = BytesIO()
    pillow_heif.from_pillow(turned(orientation)).save(buffer, exif=exif(orientation).tobytes())
    return buffer.getvalue()


def mpo(orientation: int) -> bytes:
    more = [PICTURE.rotate(180)]
    return pictures.saved(
        turned(orientation), "MPO", save_all=True, append_images=more, exif=exif(orientation, much=True)
    )


def jpeg_with_thumbnails(orientation: int) -> bytes:
    """As of a camera: previews in segments of their own stand between EXIF and picture."""
    data = stored(PICTURE, orientation, "JPEG")
    preview = b"\xff\xe2" + struct.pack(">H", 60_002) + b"\0" * 60_000
    at = data.index(b"\xff\xdb")
    return data[:at] + preview * 3 + data[at:]


def png_behind_text(orientation: int) -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "x" * 100_000)
    return pictures.saved(turned(orientation), "PNG", exif=exif(orientation), pnginfo=text)


def png_with_raw_profile(orientation: int) -> bytes:
    """As ImageMagick writes EXIF: in hexadecimal, as text."""
    plain = exif(orientation).tobytes()
    text = PngImagePlugin.PngInfo()
    text.add_text("Raw profile type exif", f"\nexif\n{len(plain):8}\n{plain.hex()}\n", zip=True)
    return pictures.saved(turned(orientation).resize(turned(orientation).size), "PNG", pnginfo=text)


def webp_turned_by_xmp(orientation: int) -> bytes:
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="{orientation}"/></x:xmpmeta>'
    return pictures.saved(turned(orientation), "WEBP", lossless=True, xmp=xmp.encode())


def avif_turned_by_xmp(orientation: int) -> bytes:
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="{orientation}"/></x:xmpmeta>'
    return pictures.saved(turned(orientation), "AVIF", speed=10, xmp=xmp)


def tiff_with_its_directory_behind(orientation: int) -> bytes:
    return pictures.saved(
        turned(orientation), "TIFF", exif=exif(orientation), compression="tiff_deflate", icc_profile=MUCH
    )


def gif(orientation: int) -> bytes:
    frames = [pictures.photo(240, 160).rotate(30 * number) for number in range(4)]
    return pictures.saved(frames[0], "GIF", save_all=True, append_images=frames[1:])


TURNED = {
    "jpeg": lambda turn: stored(PICTURE, turn, "JPEG"),
    "png": lambda turn: stored(PICTURE, turn, "PNG"),
    "webp": lambda turn: stored(PICTURE, turn, "WEBP"),
    "tiff": lambda turn: stored(PICTURE, turn, "TIFF"),
    "avif": lambda turn: stored(PICTURE, turn, "AVIF"),
    "gif": gif,
    "heic": heic,
    "jpeg-profile": lambda turn: profile_and_exif("JPEG", turn),
    "png-profile": lambda turn: profile_and_exif("PNG", turn),
    "webp-profile": lambda turn: profile_and_exif("WEBP", turn),
    "tiff-profile": lambda turn: profile_and_exif("TIFF", turn),
    "avif-profile": lambda turn: profile_and_exif("AVIF", turn),
    "mpo": mpo,
    "jpeg-thumbnails": jpeg_with_thumbnails,
    "png-text": png_behind_text,
    "png-raw-profile": png_with_raw_profile,
    "webp-xmp": webp_turned_by_xmp,
    "avif-xmp": avif_turned_by_xmp,
    "tiff-deflate": tiff_with_its_directory_behind,
}


def measured(name: str, **options: Any) -> headers.Known:
    return headers.read(name, room=threading.Semaphore(), **{"placeholder": False, **options})


@pytest.mark.django_db
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", TURNED)
def test_as_an_upload(kind: str, orientation: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured is what uploading the same file stores; also of a beginning that is too short."""
    data = TURNED[kind](orientation)
    row = Photo.objects.create(image=upload(data, f"x.{formats.sniff(data).extension}"))  # type: ignore[union-attr]
    assert sorted((row.width, row.height)) == [160, 240]
    for most in (headers.MOST, len(data) // 2, 1_000, 40):
        monkeypatch.setattr(headers, "MOST", most)
        known = measured(row.image.name)
        assert (known.width, known.height, known.error) == (row.width, row.height, ""), most
        assert known.whole or known.bytes == min(most, len(data))


@cache
def whole(name: str) -> tuple[bytes, tuple[int, int] | None]:
    path = EXAMPLES / name
    data = path.read_bytes() if path.exists() else (seeds() | FILES)[name]
    return data, dimensions(data)


def dimensions(data: bytes) -> tuple[int, int] | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of broken TIFF
        try:
            probe = PillowEngine().probe(data, limits=LIMITS)
        except ImageError:
            return None
    return probe.width, probe.height


NAMES = sorted([*seeds(), *(path.name for path in EXAMPLES.iterdir())])


@given(name=st.sampled_from(NAMES), share=st.floats(0, 1), data=st.data())
def test_no_beginning_says_anything_else(name: str, share: float, data: st.DataObject) -> None:
    """Wherever a file is cut, and with bytes of its head exchanged: the same dimensions, or "read on"."""
    file = bytearray(whole(name)[0])
    for at in data.draw(st.lists(st.integers(12, min(2_000, len(file) - 1)), max_size=2)):
        file[at] = data.draw(st.integers(0, 255))
    cut = bytes(file[: round(share * len(file))])
    format = formats.sniff(cut)
    enough = beginning.readable(cut, format, most=LIMITS.max_bytes) if format else None
    found, expected = dimensions(enough) if enough else None, dimensions(bytes(file))
    if found is not None and expected is not None:  # a header may be good, and what comes behind it not
        assert found == expected


# Their directory, or what turns them, stands behind the pixels; or the plugin wants to see all frames.
BEHIND = {"tiff-lzw", "tiff-deflate", "tiff-cmyk", "tiff-1-bit", "tiff-jpeg", "webp-profile", "avif-moving"}
BEHIND |= {"webp-moving", "webp-moving-alpha"}


@pytest.mark.parametrize("name", sorted(set(seeds()) - BEHIND))
def test_little_is_enough(name: str) -> None:
    data, expected = whole(name)
    format = formats.sniff(data)
    assert format is not None
    enough = beginning.readable(data[:1_500], format, most=LIMITS.max_bytes)
    assert enough is not None
    assert expected is not None
    assert dimensions(enough) == expected


@pytest.mark.parametrize("kind", ["webp", "webp-xmp", "avif-xmp", "png-raw-profile"])
def test_what_may_turn_it_stands_behind_the_pixels(kind: str) -> None:
    data = TURNED[kind](6)
    format = formats.sniff(data)
    assert format is not None
    assert beginning.readable(data[:-1], format, most=LIMITS.max_bytes) is None


def test_a_length_that_lies_takes_no_memory() -> None:
    webp = bytearray(pictures.saved(pictures.photo(64, 48), "WEBP"))
    webp[4:8] = struct.pack("<I", 2**32 - 10)
    assert beginning.readable(bytes(webp[:500]), formats.WEBP, most=LIMITS.max_bytes) is None


def put(data: bytes, name: str = "a/x.jpg") -> str:
    return storage.put_original(name, data, "image/jpeg")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("a/gone.jpg", "there is no original 'a/gone.jpg'"),
        ("../x.jpg", "the name leads out of the originals"),
        ("a/../../x.jpg", "the name leads out of the originals"),
        ("a\\..\\x.jpg", "the name leads out of the originals"),
        ("/etc/passwd", "the name leads out of the originals"),
        ("a/x\0.jpg", "the name leads out of the originals"),
    ],
)
def test_names_without_a_file(name: str, error: str) -> None:
    assert measured(name) == measured(name, placeholder=True) == headers.Known(error=error)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "no image that we can read"),
        (b"%PDF-1.7" * 20_000, "no image that we can read"),
        (b"\xff\xd8\xff" + b"\0" * 90_000, "damaged"),
        (pictures.saved(PICTURE, "JPEG", quality=95)[:-400], "ends too early"),
        (pictures.saved(PICTURE, "WEBP")[:-40], "damaged"),
        (pictures.png(60_000, 60_000, b""), "60000 × 60000 pixels"),
    ],
    ids=["empty", "pdf", "head", "cut", "cut-webp", "bomb"],
)
def test_files_that_are_none(data: bytes, error: str) -> None:
    known = measured(put(data))
    assert error in known.error
    assert (known.width, known.height) == (0, 0)
    assert error in measured(put(data), placeholder=True).error


def test_too_many_bytes(lazy: Any) -> None:
    lazy(MAX_BYTES=70_000)
    assert "are allowed" in measured(put(profile_and_exif("JPEG", 1))).error


def test_damage_behind_the_header_is_not_looked_for() -> None:
    data = pictures.saved(pictures.photo(900, 600), "JPEG", quality=95)
    assert len(data) > headers.MOST
    name = put(data[:-1_000])
    assert not measured(name).whole
    assert (measured(name).width, measured(name).error) == (900, "")
    assert "too early" in measured(name, placeholder=True).error


def test_a_file_that_this_user_may_not_read(tmp_path: Path) -> None:
    name = put(pictures.saved(PICTURE, "JPEG"))
    path = tmp_path / "originals" / name
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        assert "this user may not read it" in measured(name).error
    else:
        pytest.skip("root may read all files")
