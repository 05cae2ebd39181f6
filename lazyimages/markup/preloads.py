"""`<link rel="preload">` of what a `<picture>` or an `<img>` will choose."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.safestring import SafeString

from lazyimages.markup import addresses
from lazyimages.markup.attributes import escaped, named, printed
from lazyimages.markup.candidates import parts, slot
from lazyimages.markup.elements import offered, with_layout
from lazyimages.markup.pictures import Picture
from lazyimages.markup.specs import Spec
from lazyimages.sizes import Size


def preload(
    picture: Picture | None, spec: Spec, *, img: bool = False, attributes: Mapping[str, Any]
) -> SafeString:
    """Return a `<link>` for each media range of a preset, of which one holds at a time.

    imagesrcset and imagesizes are those of the first `<source>` that `elements.picture` has for the range;
    a browser that does not know its format passes over the link by its type. With `img` there is one link,
    for `elements.img`. There is no href beside imagesrcset: browsers that do not know the latter would load
    the former, and then another (HTML Standard, "The link element"). `attributes` are added, escaped.
    """
    if picture is None or not spec.sizes:
        return SafeString()
    given = named(attributes)
    spec = with_layout(spec, given)
    if parts(picture, spec.sizes) is None:
        return SafeString()
    output = None if img else next(iter(offered(picture.name)), None)
    links = []
    for media, sizes, layout in ranges(Spec(spec.sizes, spec.layout) if img else spec):
        around = parts(picture, sizes, output)
        if around is None:
            continue
        place = slot(sizes, layout, picture.width, picture.height)
        start = addresses.escaped_base(addresses.base()) + around[0]
        ours = {"rel": "preload", "as": "image"}
        if output is not None:
            ours["type"] = output.media_type
        if place.alone:
            ours["href"] = f"{start}{place.first}{around[1]}"
        else:
            ours |= {"imagesrcset": place.srcset(start, around[1]), "imagesizes": place.layout}
        if media:
            ours["media"] = escaped(media)
        ours["fetchpriority"] = "high"
        links.append(f"<link{printed(ours, given)}>")
    return SafeString("".join(links))


def ranges(spec: Spec) -> Iterator[tuple[str, tuple[Size, ...], str]]:
    """Yield a media condition, sizes and layout for each source of a spec, and for the spec itself.

    In a `<picture>` the first source that fits is taken. Links know no first, so each condition excludes
    those before it (Media Queries Level 4, <media-condition>).
    """
    excluded: list[str] = []
    for source in spec.sources:
        others = [f"(not {condition})" for condition in excluded]
        yield _all_of(source.media, others), source.sizes, source.layout
        excluded.append(_in_brackets(source.media))
    if len(excluded) == 1:
        yield f"not {excluded[0]}", spec.sizes, spec.layout
    else:
        yield " and ".join(f"(not {condition})" for condition in excluded), spec.sizes, spec.layout


def _all_of(condition: str, others: list[str]) -> str:
    return " and ".join([_in_brackets(condition), *others]) if others else condition


def _in_brackets(condition: str) -> str:
    """Return a condition as one operand of `not` and `and`."""
    depth = 0
    for position, character in enumerate(condition):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and position < len(condition) - 1:
            return f"({condition})"
    return condition
