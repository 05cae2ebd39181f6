"""`<img>` and `<picture>`."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from django.utils.safestring import SafeString

from lazyimages import conf, formats, keys, placeholders
from lazyimages.formats import Format
from lazyimages.markup import addresses
from lazyimages.markup.attributes import escaped, named, plain, printed
from lazyimages.markup.candidates import Slot, parts, slot
from lazyimages.markup.messages import message_url
from lazyimages.markup.pictures import Picture
from lazyimages.markup.specs import Spec
from lazyimages.sizes import CENTRE, Size


def img(
    picture: Picture | None,
    spec: Spec,
    *,
    priority: bool | None = None,
    placeholder: bool = True,
    email: bool = False,
    attributes: Mapping[str, Any],
) -> SafeString:
    """Return an `<img>` whose src, width and height are those of the spec's first size.

    `attributes` are added, escaped, `_` in a name read as `-`; they replace what is generated, and None
    or False leaves one out. But `style` comes after ours, `sizes` takes the place of the layout, and `alt`
    is always there (HTML Standard, "Requirements for providing text").

    `priority` is for the picture that a visitor sees first: it is not loaded lazily; None leaves it to the
    preset. `placeholder=False` leaves the background out. `email` gives one absolute URL, and nothing that
    mail programs do not know.
    """
    if picture is None or not spec.sizes:
        return SafeString()
    given = named(attributes)
    if email:
        return SafeString(_in_message(picture, spec, given))
    spec = with_layout(spec, given)
    return SafeString(_img(picture, spec, priority, placeholder, given))


def picture(
    picture: Picture | None,
    spec: Spec,
    *,
    priority: bool | None = None,
    placeholder: bool = True,
    attributes: Mapping[str, Any],
) -> SafeString:
    """Return a `<picture>`: for each source of a preset, and then for the preset itself, every format.

    Everything else is as with `img`, which is the last of its children and has the author's attributes.
    Each `<source>` has the dimensions of its own first size, so that another crop moves nothing.
    """
    if picture is None or not spec.sizes:
        return SafeString()
    given = named(attributes)
    spec = with_layout(spec, given)
    last = _img(picture, spec, priority, placeholder, given)
    if not last:
        return SafeString()
    outputs = offered(picture.name)
    children = [
        _source(picture, source.sizes, source.layout, output, media=source.media)
        for source in spec.sources
        for output in (*outputs, None)
    ]
    sized = not {"width", "height"} & given.keys()  # else those of the <img> are for all of these
    children += [_source(picture, spec.sizes, spec.layout, output, sized=sized) for output in outputs]
    return SafeString(f"<picture>{''.join(children)}{last}</picture>")


def offered(name: str) -> tuple[Format, ...]:
    """Return the formats in which a picture is offered besides its own: those of FORMATS before that.

    `RefusedName` when it can have no variants.
    """
    return _offered(keys.native_format(name), conf.settings())


@lru_cache(maxsize=64)
def _offered(native: Format, settings: conf.Settings) -> tuple[Format, ...]:
    # Browsers take the first that they know, so after its own, which comes in any case, nothing is chosen.
    before = settings.formats
    if native in before:
        before = before[: before.index(native)]
    stills = (formats.JPEG,) if native == formats.GIF else ()  # which would stop an animation
    return tuple(dict.fromkeys(output for output in before if output not in stills))


def with_layout(spec: Spec, given: dict[str, Any]) -> Spec:
    """Return the spec with an author's attribute `sizes`, which is taken out, as its layout."""
    if "sizes" not in given:
        return spec
    layout = given.pop("sizes")
    return replace(spec, layout="" if layout is None or isinstance(layout, bool) else plain(layout))


def sized_as(place: Slot) -> dict[str, str]:
    """Return the attributes width and height, where both are known."""
    return {} if place.width is None else {"width": str(place.width), "height": str(place.height)}


def _img(
    picture: Picture, spec: Spec, priority: bool | None, placeholder: bool, given: Mapping[str, Any]
) -> str:
    around = parts(picture, spec.sizes)
    if around is None:
        return ""
    place = slot(spec.sizes, spec.layout, picture.width, picture.height)
    start = addresses.escaped_base(addresses.base()) + around[0]
    ours = {"src": f"{start}{place.first}{around[1]}"}
    if not place.alone:
        ours["srcset"] = place.srcset(start, around[1])
        ours["sizes"] = place.layout
    ours |= sized_as(place)
    urgent = spec.priority if priority is None else priority
    ours |= {"loading": "eager" if urgent else "lazy", "decoding": "async"}
    if urgent:
        ours["fetchpriority"] = "high"
    return _closed(ours, given, _style(picture, placeholder))


def _in_message(picture: Picture, spec: Spec, given: Mapping[str, Any]) -> str:
    src = message_url(picture, spec)
    if not src:
        return ""
    place = slot(spec.sizes[:1], "", picture.width, picture.height)
    return _closed({"src": src} | sized_as(place), given, "")


@lru_cache(maxsize=1024)
def _focal(name: str) -> tuple[int, int]:
    return keys.focal_point(name)


def _style(picture: Picture, placeholder: bool) -> str:
    focal = _focal(picture.name)
    found = []
    if focal != CENTRE:
        found.append(f"object-position:{focal[0]}% {focal[1]}%")
    if placeholder and picture.placeholder:
        background = placeholders.background(picture.placeholder, focal)
        found += [f"background:{background}"] if background else []
    return ";".join(found)


def _closed(ours: dict[str, str], given: Mapping[str, Any], style: str) -> str:
    """Return an `<img>` with an author's attributes."""
    ours["alt"] = ""
    theirs = dict(given)
    if theirs.get("alt", "") is None or theirs.get("alt") is False:
        del theirs["alt"]
    wanted = theirs.pop("style", "")
    if wanted is None or wanted is False:
        style = ""
    elif wanted:
        style = f"{style};{escaped(wanted)}" if style else escaped(wanted)
    if style:
        ours["style"] = style
    return f"<img{printed(ours, theirs)}>"


def _source(
    picture: Picture,
    sizes: tuple[Size, ...],
    layout: str,
    output: Format | None,
    *,
    media: str = "",
    sized: bool = True,
) -> str:
    around = parts(picture, sizes, output)
    if around is None:
        return ""
    place = slot(sizes, layout, picture.width, picture.height)
    ours = {}
    if media:
        ours["media"] = escaped(media)
    if output is not None:
        ours["type"] = output.media_type
    ours["srcset"] = place.srcset(addresses.escaped_base(addresses.base()) + around[0], around[1])
    if place.entries:
        ours["sizes"] = place.layout
    if sized:
        ours |= sized_as(place)
    return f"<source{printed(ours, {})}>"
