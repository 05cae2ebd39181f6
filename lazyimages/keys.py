"""Keys: the name of a variant, which original it belongs to, and the names of originals. Pure.

The key of a variant is `<dir>/<size>/<file>`. Parsing is total: every text gives a `VariantKey` or
raises `InvalidKey`, and formatting the result gives the same text again.
"""

import re
import secrets
import string
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from lazyimages import formats, sizes
from lazyimages.exceptions import InvalidKey, InvalidSize, RefusedName
from lazyimages.formats import Format
from lazyimages.sizes import CENTRE, Size

MAX_KEY_BYTES = 1024  # S3: "Object key naming", the limit of a key in UTF-8

_ALPHABET = string.ascii_letters + string.digits
_RANDOM_LENGTH = 10
_SLUG_LENGTH = 40
_FORBIDDEN = re.compile(r"[\\\x00-\x1f\x7f-\x9f]")
# Printable ASCII in which every % begins an escape: what a query holds unless it was never escaped.
_ESCAPED = re.compile(rb"(?:[!-$&-~]|%[0-9A-Fa-f]{2})*")
_KEY_PARAMETER = re.compile(r"(?:^|&)key=(.*)\Z", re.DOTALL)
_OWN_NAME = re.compile(
    r"(?P<slug>[A-Za-z0-9_-]+)\.[A-Za-z0-9]{10}(?:\.f(?P<x>[0-9]{2})(?P<y>[0-9]{2}))?\.[a-z]+"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantKey:
    """An original's name, a size, and the format to make; `str()` gives the key."""

    original: str
    size: Size
    format: Format

    def __str__(self) -> str:
        before, after = _around_size(self.original, self.format)
        return f"{before}{self.size}{after}"

    @property
    def quoted(self) -> str:
        """The key percent-encoded, fit for a line in a log."""
        return quote(str(self), safe="/~")

    @property
    def focal(self) -> tuple[int, int]:
        """The focal point that the original's name carries, in percent from the left and the top."""
        return focal_point(self.original)


def parse(key: str) -> VariantKey:
    """Return what a key stands for; `InvalidKey` when it is hostile, or not a key in canonical form."""
    _refuse_hostile(key)
    directory, _, filename = key.rpartition("/")
    parent, slash, size_text = directory.rpartition("/")
    try:
        size = sizes.parse(size_text)
    except InvalidSize as error:
        raise InvalidKey(f"the last directory of {key!r} is not a size") from error
    original_file, output = _split_format(filename)
    variant = VariantKey(original=f"{parent}{slash}{original_file}", size=size, format=output)
    try:
        check_original(variant.original)
    except RefusedName as error:
        raise InvalidKey(str(error)) from error
    if str(variant) != key:
        raise InvalidKey(f"{key!r} is not in canonical form, which is {str(variant)!r}")
    return variant


def in_query(query: str) -> str | None:
    """Return the key in the raw query of the resizer's URL: all that follows `key=`, + and & as they are.

    How S3 escapes a key in a routing rule's Location is not documented, so both forms are read.
    """
    match = _KEY_PARAMETER.search(query)
    if match is None:
        return None
    try:
        raw = match[1].encode("latin-1")  # WSGI (PEP 3333) hands over bytes as Latin-1
        return (unquote_to_bytes(raw) if _ESCAPED.fullmatch(raw) else raw).decode()
    except UnicodeError:
        return match[1] if not match[1].isascii() else None


def variant_key(original: str, size: Size, output: Format | None = None) -> VariantKey:
    """Return the key of an original's variant, by default in the format that `native_format` names.

    `RefusedName` when the original's name cannot have variants.
    """
    check_original(original)
    variant = VariantKey(original=original, size=size, format=output or native_format(original))
    if len(str(variant).encode()) > MAX_KEY_BYTES:
        raise RefusedName(f"the variants of {original!r} would have keys of more than {MAX_KEY_BYTES} bytes")
    return variant


def around_size(original: str, output: Format | None = None) -> tuple[str, str]:
    """Return what stands before and after the size in the keys of an original's variants.

    `RefusedName` when the original's name cannot have variants; the length of the keys is not looked at.
    """
    check_original(original)
    return _around_size(original, output or native_format(original))


def _around_size(original: str, output: Format) -> tuple[str, str]:
    directory, slash, filename = original.rpartition("/")
    suffix = "" if formats.by_extension(filename) == output else f".{output.extension}"
    return f"{directory}{slash}", f"/{filename}{suffix}"


def native_format(original: str) -> Format:
    """Return the format of an original's variants when no other is asked for: its own, or JPEG."""
    own = formats.by_extension(original)
    if own is None:
        raise RefusedName(f"{original!r} does not end in the extension of an image")
    return own if own.browsers else formats.JPEG


@lru_cache(maxsize=1024)  # a page asks once for each size of each photo
def check_original(name: str) -> None:
    """Raise `RefusedName` when an original's variants could be mistaken for those of another, or be
    reached by no key.
    """
    try:
        _refuse_hostile(name)
    except InvalidKey as error:
        raise RefusedName(str(error)) from error
    *directories, filename = name.split("/")
    for segment in directories:
        if sizes.is_size(segment):
            raise RefusedName(
                f"the directory {segment!r} in {name!r} looks like a size; rename it, "
                "because such directories hold the variants"
            )
    native_format(filename)
    check_client_name(filename)


def check_client_name(filename: str) -> None:
    """Raise `RefusedName` for a file name that ends in two image extensions."""
    if formats.by_extension(filename) and formats.by_extension(filename.rpartition(".")[0]):
        raise RefusedName(
            f"the name {filename!r} ends in two image extensions; rename the file so that it has one, "
            "such as photo.jpg"
        )


def focal_point(original: str) -> tuple[int, int]:
    """Return the focal point in an original's name, in percent from the left and the top.

    Only names of our own form (`slug.RANDOM.fXXYY.ext`) carry one; all others mean the centre.
    """
    match = _OWN_NAME.fullmatch(original.rpartition("/")[2])
    return (int(match["x"]), int(match["y"])) if match and match["x"] else CENTRE


def is_own(original: str) -> bool:
    """Tell whether an original's file name is of our own form, which hardly anybody else would choose."""
    return _OWN_NAME.fullmatch(original.rpartition("/")[2]) is not None


def slug_of(original: str) -> str:
    """Return the slug in an original's name; one is made of a name that is not of our own form."""
    filename = original.rpartition("/")[2]
    match = _OWN_NAME.fullmatch(filename)
    return match["slug"] if match else slug(filename)


def slug(client_name: str) -> str:
    """Return a client's file name without directories and extension, in ASCII letters, digits and -."""
    stem = client_name.replace("\\", "/").rpartition("/")[2]
    if formats.by_extension(stem):
        stem = stem.rpartition(".")[0]
    ascii_stem = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", ascii_stem)[:_SLUG_LENGTH].strip("-").lower() or "img"


def fresh_filename(slug: str, output: Format, room: int, focal: tuple[int, int] = CENTRE) -> str:
    """Return a new, unguessable file name, `slug.RANDOM[.fXXYY].ext`, of at most `room` characters.

    `focal` is in percent, 0 to 99 each, and the centre is not written. `RefusedName` when not even a slug of
    one character fits.
    """
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    point = "" if focal == CENTRE else f".f{focal[0]:02}{focal[1]:02}"
    tail = f".{random}{point}.{output.extension}"
    if room <= len(tail):
        raise RefusedName(
            f"the directory leaves {room} characters for the name of a file, which needs {len(tail) + 1}; "
            "shorten upload_to, or raise the field's max_length"
        )
    return f"{slug[: room - len(tail)]}{tail}"


def _refuse_hostile(key: str) -> None:
    try:
        encoded = key.encode()
    except UnicodeEncodeError as error:
        raise InvalidKey("the name cannot be written in UTF-8") from error
    if not 0 < len(encoded) <= MAX_KEY_BYTES:
        raise InvalidKey(f"a key has 1 to {MAX_KEY_BYTES} bytes, not {len(encoded)}")
    if _FORBIDDEN.search(key):
        raise InvalidKey(f"{key!r} has a backslash or a control character")
    if any(segment in ("", ".", "..") for segment in key.split("/")):
        raise InvalidKey(f"{key!r} has an empty, '.' or '..' segment")


def _split_format(filename: str) -> tuple[str, Format]:
    """Split a variant's file name into the original's file name and the variant's format."""
    output = formats.by_extension(filename)
    if output is None or not output.browsers:
        raise InvalidKey(f"{filename!r} does not end in the extension of a format that browsers show")
    stem = filename.rpartition(".")[0]
    return (stem if formats.by_extension(stem) else filename), output
