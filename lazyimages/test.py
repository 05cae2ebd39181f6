"""For the tests of a project that uses lazyimages: images without a storage and without pixels."""

import base64
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings as django_settings
from django.core.files.storage import InMemoryStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.utils import override_settings

from lazyimages import conf, formats
from lazyimages.engines.base import Job, Limits, Probe, Rendered
from lazyimages.engines.pillow import PillowEngine
from lazyimages.formats import Format

_ORIGINALS = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
_VARIANTS = {"BACKEND": "lazyimages.test.MemoryStorage"}
_ENGINE = "lazyimages.test.FakeEngine"


class fake_images(override_settings):  # as Django calls its own
    """Keep originals and variants in memory, and make variants without decoding any photo.

    A decorator of a `SimpleTestCase`, one of its methods, or any function, and a context manager. The
    files are gone when it ends. `parts` are parts of LAZYIMAGES that are to be other than in the project's
    settings; beside `override_settings(LAZYIMAGES=…)` it has to be the outer one.
    """

    def __init__(self, **parts: Any) -> None:
        self.parts = parts
        super().__init__()

    def enable(self) -> None:
        """Put the fakes in place, on top of the settings that are in force now."""
        self.options = self._fakes({})
        super().enable()

    def decorate_class(self, cls: Any) -> Any:
        """Do so for all of a `SimpleTestCase`, what its class sets up included."""
        self.options = self._fakes(getattr(cls, "_overridden_settings", None) or {})
        return super().decorate_class(cls)

    def _fakes(self, overridden: Mapping[str, Any]) -> dict[str, Any]:
        before = overridden.get("LAZYIMAGES", getattr(django_settings, "LAZYIMAGES", {}))
        storages = overridden.get("STORAGES", django_settings.STORAGES)
        changed = {**before, "ENGINE": _ENGINE, **self.parts}
        read, _ = conf.read(changed)
        return {
            "LAZYIMAGES": changed,
            "STORAGES": {**storages, read.originals: _ORIGINALS, read.variants: _VARIANTS},
        }


class MemoryStorage(InMemoryStorage):
    """Django's own, but a file of the same name is replaced, as variants need it."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Return the name, whether it is taken or not."""
        return name

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        """Store a file, in place of one that is there."""
        if name is not None:
            self.delete(name)
        return super().save(name, content, max_length)


class FakeEngine(PillowEngine):
    """Reads headers as the default engine does, and answers every job with one colour.

    So files that are no images are refused as ever, but not those that break off behind their header.
    JPEG, PNG and WebP have the dimensions that were asked for, GIF and AVIF are of one pixel.
    """

    def cost(self, probe: Probe, jobs: Sequence[Job]) -> int:
        """Return hardly anything, so that nothing waits for memory."""
        return 1

    def render(self, data: bytes, jobs: Sequence[Job], *, limits: Limits) -> list[Rendered]:
        """Draw nothing, whatever the original shows."""
        return [
            Rendered(
                data=_DRAWN[job.format](job.plan.width, job.plan.height),
                width=job.plan.width,
                height=job.plan.height,
            )
            for job in jobs
        ]

    def encoders(self) -> frozenset[str]:
        """Return all formats that browsers show."""
        return frozenset(formats.OUTPUTS)


def image_file(
    width: int = 1600, height: int = 1200, *, format: str = "jpeg", name: str = ""
) -> SimpleUploadedFile:
    """Return an upload that is a real image, of one colour: 8 kB and no time at all by default.

    `format` is jpeg, png or webp; sides are in pixels, at most 65,535, and 16,383 in WebP. It passes
    validation by any engine.
    """
    if format not in ("jpeg", "png", "webp"):
        raise ValueError(f"{format!r} is not one of: jpeg, png, webp")
    found = formats.BY_NAME[format]
    content = _DRAWN[found](width, height)
    return SimpleUploadedFile(name or f"image.{found.extension}", content, found.media_type)


def image_values(field: Any, width: int, height: int, *, name: str = "") -> dict[str, Any]:
    """Return what a row holds of an image that is nowhere stored: `Photo(**image_values(Photo.image, 8, 6))`.

    `field` is the attribute of the model's class. Pages that show the row need no more, because they never
    look for the file. `width` and `height` are left out where the model has no fields for them.
    """
    field = field.field
    values = {field.name: name or f"{field.name}.jpg", field.width_field: width, field.height_field: height}
    return {attribute: value for attribute, value in values.items() if attribute}


def _jpeg(width: int, height: int) -> bytes:
    """Return a JPEG (ITU-T T.81) of one component: every block is its average, which is that of the last."""
    frame = struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0)
    only_code = bytes([1, *[0] * 15, 0])  # a Huffman table whose one code, a bit 0, means 0
    blocks = -(-width // 8) * -(-height // 8)
    whole, rest = divmod(2 * blocks, 8)  # a bit for the average, and one for the end of the block
    scan = bytes(whole) + (bytes([0xFF >> rest]) if rest else b"")
    return b"".join(
        [
            b"\xff\xd8",
            _segment(0xDB, bytes([0, *[1] * 64])),
            _segment(0xC0, frame),
            _segment(0xC4, b"\x00" + only_code + b"\x10" + only_code),
            _segment(0xDA, bytes([1, 1, 0, 0, 63, 0])),
            scan,
            b"\xff\xd9",
        ]
    )


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _png(width: int, height: int) -> bytes:
    """Return a PNG (W3C: PNG, third edition) of one bit a pixel."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + -(-width // 8)) * height), 1)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _webp(width: int, height: int) -> bytes:
    """Return a WebP (RFC 9649, 3) without loss, whose five prefix codes have one symbol each and no bits."""
    bits = _Bits()
    for value, count in ((0x2F, 8), (width - 1, 14), (height - 1, 14), (0, 1), (0, 3)):
        bits.add(value, count)
    bits.add(0, 3)  # no transform, no colour cache, no meta prefix codes
    for symbol in (128, 128, 128, 255, 0):  # green, red, blue, alpha, distance
        bits.add(1, 1)  # a simple code
        bits.add(0, 1)  # of one symbol
        bits.add(1, 1)  # in eight bits
        bits.add(symbol, 8)
    chunk = bits.bytes()
    chunk += bytes(len(chunk) % 2)
    body = b"WEBPVP8L" + struct.pack("<I", len(chunk)) + chunk
    return b"RIFF" + struct.pack("<I", len(body)) + body


class _Bits:
    """Bits, the lowest first."""

    def __init__(self) -> None:
        self._value = self._count = 0

    def add(self, value: int, count: int) -> None:
        self._value |= value << self._count
        self._count += count

    def bytes(self) -> bytes:
        return self._value.to_bytes(-(-self._count // 8), "little")


def _gif(width: int, height: int) -> bytes:
    """Return a GIF (CompuServe: GIF89a) of one pixel."""
    screen = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes([128] * 6)
    return screen + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00;"


def _avif(width: int, height: int) -> bytes:
    """Return an AVIF of one pixel."""
    return base64.b64decode(
        "AAAAHGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZgAAAOltZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
        "AA5waXRtAAAAAAABAAAAHmlsb2MAAAAARAAAAQABAAAAAQAAAQ0AAAAYAAAAKGlpbmYAAAAAAAEAAAAaaW5mZQIAAAAAAQAAYXYw"
        "MUNvbG9yAAAAAGhpcHJwAAAASWlwY28AAAAUaXNwZQAAAAAAAAABAAAAAQAAAA5waXhpAAAAAAEIAAAADGF2MUOBABwAAAAAE2Nv"
        "bHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAAAIG1kYXQSAAoHGAAGmAhoNTILHEXd00wsAJA1r0A="
    )


_DRAWN: dict[Format, Callable[[int, int], bytes]] = {
    formats.JPEG: _jpeg,
    formats.PNG: _png,
    formats.WEBP: _webp,
    formats.GIF: _gif,
    formats.AVIF: _avif,
}
