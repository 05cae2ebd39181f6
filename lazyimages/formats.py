"""Image formats: file extensions, media types, and what browsers show."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """A format by its name in settings.

    `extensions` are lower case and without the dot, the canonical one first; `browsers` tells whether
    variants are made in it, which is whether every current browser shows it.
    """

    name: str
    media_type: str
    extensions: tuple[str, ...]
    browsers: bool

    @property
    def extension(self) -> str:
        """The extension that new names get."""
        return self.extensions[0]


JPEG = Format(name="jpeg", media_type="image/jpeg", extensions=("jpg", "jpeg"), browsers=True)
PNG = Format(name="png", media_type="image/png", extensions=("png",), browsers=True)
GIF = Format(name="gif", media_type="image/gif", extensions=("gif",), browsers=True)
WEBP = Format(name="webp", media_type="image/webp", extensions=("webp",), browsers=True)
AVIF = Format(name="avif", media_type="image/avif", extensions=("avif",), browsers=True)
TIFF = Format(name="tiff", media_type="image/tiff", extensions=("tiff", "tif"), browsers=False)
HEIC = Format(name="heic", media_type="image/heic", extensions=("heic", "heif"), browsers=False)

BY_NAME = {format.name: format for format in (JPEG, PNG, GIF, WEBP, AVIF, TIFF, HEIC)}
OUTPUTS = tuple(format.name for format in BY_NAME.values() if format.browsers)

_BY_EXTENSION = {extension: format for format in BY_NAME.values() for extension in format.extensions}


def by_extension(filename: str) -> Format | None:
    """Return the format that a file name's last extension stands for, in either case; None for others."""
    _, dot, extension = filename.rpartition(".")
    return _BY_EXTENSION.get(extension.lower()) if dot else None


def sniff(data: bytes) -> Format | None:
    """Return the format that the first bytes of a file show; None when it is none of ours.

    The signatures are those of the WHATWG MIME Sniffing Standard, TIFF 6.0 and ISO/IEC 14496-12 (ftyp).
    """
    for signature, found in _SIGNATURES:
        if data.startswith(signature):
            return found
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data[4:8] == b"ftyp":
        return _sniff_brands(data)
    return None


_SIGNATURES = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
)
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}


def _sniff_brands(data: bytes) -> Format | None:
    length = min(int.from_bytes(data[:4]), 256)
    brands = {data[8:12]} | {data[at : at + 4] for at in range(16, length - 3, 4)}
    if brands & _AVIF_BRANDS:
        return AVIF
    if brands & _HEIC_BRANDS:
        return HEIC
    return None
