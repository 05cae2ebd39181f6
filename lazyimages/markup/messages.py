"""Images in messages: one absolute URL, in a format that mail programs show."""

from django.utils.safestring import SafeString

from lazyimages import conf, formats, keys
from lazyimages.formats import Format
from lazyimages.markup import addresses
from lazyimages.markup.candidates import parts
from lazyimages.markup.pictures import Picture
from lazyimages.markup.specs import Spec

_SHOWN = (formats.JPEG, formats.PNG, formats.GIF)  # by every mail program, as WebP and AVIF are not


def message_url(picture: Picture | None, spec: Spec) -> SafeString:
    """Return the escaped absolute URL of the spec's first size; empty for an empty field.

    It is empty, too, where `addresses.absolute_base` has none.
    """
    if picture is None or not spec.sizes or parts(picture, spec.sizes[:1]) is None:
        return SafeString()
    around = parts(picture, spec.sizes[:1], _format(picture.name))
    base = addresses.absolute_base()
    if around is None or base is None:
        return SafeString()
    return SafeString(f"{addresses.escaped_base(base)}{around[0]}{spec.sizes[0]}{around[1]}")


def _format(name: str) -> Format | None:
    """Return None for a picture's own format if it is shown, else the first of FORMATS that is, or None."""
    if keys.native_format(name) in _SHOWN:
        return None
    return next((output for output in conf.settings().formats if output in _SHOWN), None)
