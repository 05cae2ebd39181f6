"""What may be chosen for uploading: the formats that can be read here, and how a file input names them."""

from importlib.util import find_spec

from lazyimages import formats
from lazyimages.formats import Format


def taken() -> list[Format]:
    """Return the formats that become originals; HEIC where its extra is installed.

    Safari turns photos into JPEG by itself where HEIC is not asked for.
    """
    has_heic = find_spec("pillow_heif") is not None
    return [one for one in formats.BY_NAME.values() if one is not formats.HEIC or has_heic]


def attribute() -> str:
    """Return the value of `accept` (HTML Standard, "File Upload state"): media types and extensions.

    Extensions too, because systems do not know the media types of all of them.
    """
    types = [one.media_type for one in taken()]
    return ",".join([*types, *(f".{extension}" for one in taken() for extension in one.extensions)])


def media_type(claimed: str, client_name: str) -> str | None:
    """Return the media type under which a browser may send a file; None when it is none of ours.

    Where the browser has none to say, the extension counts. Both are the client's words, and say nothing
    of what the file is.
    """
    allowed = {one.media_type for one in taken()}
    if claimed in allowed:
        return claimed
    if claimed == "image/heif":
        return formats.HEIC.media_type if formats.HEIC.media_type in allowed else None
    by_name = formats.by_extension(client_name)
    return by_name.media_type if not claimed and by_name in taken() and by_name else None
