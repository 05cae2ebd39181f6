"""Presets: sizes under a name, and per breakpoint. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lazyimages import readers, sizes
from lazyimages.readers import Mistake
from lazyimages.sizes import Size


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """What takes a preset's place where a media condition holds: art direction."""

    media: str
    sizes: tuple[Size, ...]
    layout: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """Sizes under a name; `layout` is the value of the HTML attribute `sizes`.

    `priority` is for a picture that visitors see first. Of the `sources` the first whose media condition
    holds is used, and the preset's own sizes where none does.
    """

    name: str
    sizes: tuple[Size, ...]
    layout: str = ""
    priority: bool = False
    sources: tuple[Source, ...] = ()

    @property
    def all_sizes(self) -> tuple[Size, ...]:
        """Its own sizes and those of its sources."""
        return self.sizes + tuple(size for source in self.sources for size in source.sizes)


def read(value: object) -> dict[str, Preset]:
    """Return the presets that a dictionary stands for; `Mistake` names the first that is wrong, and where."""
    try:
        parts = readers.mapping(value)
    except Mistake as mistake:
        raise Mistake(mistake.message, mistake.hint, "E005") from mistake
    return {name: _preset(name, preset) for name, preset in parts.items()}


def _preset(name: str, value: object) -> Preset:
    if sizes.is_size(name) or name.split() != [name]:
        hint = "Use one word that is not a size, such as 'card'."
        raise Mistake(f"the preset's name {name!r} cannot be told from a list of sizes.", hint, "E005")
    where = f"the preset {name!r}"
    try:
        parts = _parts(value, "sizes", "layout", "priority", "sources")
        return Preset(
            name=name,
            sizes=_sizes(parts),
            layout=_layout(parts),
            priority=readers.flag(parts.get("priority", False)),
            sources=_sources(parts.get("sources", ())),
        )
    except Mistake as mistake:
        raise Mistake(f"{where}: {mistake.message}", mistake.hint, "E005") from mistake


def _sources(value: object) -> tuple[Source, ...]:
    if not isinstance(value, (list, tuple)):
        hint = 'Write [{"media": "(max-width: 40rem)", "sizes": "480x600", "layout": "100vw"}].'
        raise Mistake("'sources' is not a list.", hint)
    found: dict[str, Source] = {}
    for number, one in enumerate(value, 1):
        try:
            parts = _parts(one, "media", "sizes", "layout")
            source = Source(media=_media(parts.get("media", "")), sizes=_sizes(parts), layout=_layout(parts))
        except Mistake as mistake:
            raise Mistake(f"source {number}: {mistake.message}", mistake.hint) from mistake
        if source.media in found:
            hint = "The first source that fits is shown; take one of them out."
            raise Mistake(f"source {number}: {source.media!r} is there twice.", hint)
        found[source.media] = source
    return tuple(found.values())


def _parts(value: object, *known: str) -> Mapping[str, Any]:
    parts = readers.mapping(value)
    if unknown := set(parts) - set(known):
        names = f"{', '.join(map(repr, known[:-1]))} and {known[-1]!r}"
        raise Mistake(f"the part {min(unknown)!r} is unknown.", f"Known are {names}.")
    return parts


def _sizes(parts: Mapping[str, Any]) -> tuple[Size, ...]:
    found = readers.size_list(parts.get("sizes", ()))
    if not found:
        raise Mistake("there are no sizes.", 'Add "sizes": "360x270 720x540".')
    return found


def _layout(parts: Mapping[str, Any]) -> str:
    layout = readers.text(parts.get("layout", "")).strip()
    if not layout.isprintable():
        raise Mistake(f"the layout {layout!r} has control characters.", "Write it in one line.")
    return layout


_INNERMOST = re.compile(r"\([^()]*\)")
# Media Queries Level 4, <media-condition>: one condition in brackets, its opposite, or several of them.
_CONDITION = re.compile(r"(not +)?\*|\*( +and +\*)+|\*( +or +\*)+", re.IGNORECASE)


def _media(value: object) -> str:
    """Read a media condition, as CSS writes it in brackets, so that `not` can be put before it."""
    text = readers.text(value).strip()
    hint = "Write a condition in brackets, as in (max-width: 40rem)."
    if not text:
        raise Mistake("there is no media.", hint)
    if not text.isprintable() or set(text) & set("*{};\"'\\"):
        raise Mistake(f"the media {text!r} has characters that no condition has.", hint)
    if "," in text:
        hint = "Write `or` between conditions in brackets, or make two sources of them."
        raise Mistake(f"the media {text!r} has a comma, which makes two conditions of it.", hint)
    if "()" in text.replace(" ", ""):
        raise Mistake(f"the media {text!r} has brackets with nothing in them.", hint)
    shape = text
    while (shorter := _INNERMOST.sub("*", shape)) != shape:
        shape = shorter
    if not _CONDITION.fullmatch(shape):
        hint += " Join several by and, or, not; types such as screen and print have no place here."
        what = "is no condition in brackets" if "(" in text else "has no brackets"
        raise Mistake(f"the media {text!r} {what}.", hint)
    return text
