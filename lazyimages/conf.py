"""The LAZYIMAGES setting: one frozen object, read at call time, with every mistake named.

`settings()` is what the rest of lazyimages calls. `read()` reports the mistakes one by one; the system
checks print them.
"""

import difflib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from lazyimages import formats, sizes
from lazyimages.exceptions import InvalidSize
from lazyimages.formats import Format
from lazyimages.sizes import Size

T = TypeVar("T")

DELIVERIES = ("local", "redirect", "failover")
ANIMATIONS = ("keep", "first")
EFFORTS = ("fast", "small")
SECRET_HEADER = "X-Lazyimages-Secret"  # noqa: S105  # the name of the header that carries ORIGIN_SECRET
DEFAULT_QUALITY = {"jpeg": 80, "webp": 80, "avif": 52}


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """Sizes under a name; `layout` is the value of the HTML attribute `sizes`."""

    name: str
    sizes: tuple[Size, ...]
    layout: str = ""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Settings:
    """The LAZYIMAGES setting, checked and typed; `docs/settings.md` says what each part means.

    `whitelist` is derived: SIZES and the sizes of PRESETS, in the order in which they are written. Where
    CORS_ORIGINS is not set, it is the origin of RESIZER_URL.
    """

    sizes: tuple[Size, ...] = ()
    formats: tuple[Format, ...] = ()
    presets: Mapping[str, Preset] = field(default_factory=dict)
    cdn_url: str = ""
    delivery: str = "local"
    resizer_url: str = ""
    cors_origins: tuple[str, ...] = ()
    originals: str = "default"
    variants: str = "lazyimages"
    engine: str = "lazyimages.engines.pillow.PillowEngine"
    quality: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_QUALITY))
    background: str = "#ffffff"
    animation: str = "keep"
    effort: str = "fast"
    cache: str = "default"
    cache_control: str = "public, max-age=31536000, immutable"
    max_pixels: int = 100_000_000
    max_bytes: int = 40 * 2**20
    max_renders: int = field(default_factory=lambda: os.cpu_count() or 1)
    render_wait: float = 10.0
    threads: int | None = None
    origin_secret: str | None = field(default=None, repr=False)  # tracebacks show the repr of variables
    distribution_id: str | None = None
    expire_variants_days: int | None = None
    cleanup: bool = True
    whitelist: Mapping[Size, None] = field(default_factory=dict)

    def allows(self, size: Size, output: Format, native: Format) -> bool:
        """Tell whether a variant may be made: a whitelisted size, in the native format or one of FORMATS."""
        return size in self.whitelist and (output == native or output in self.formats)


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in LAZYIMAGES: which system check reports it, what is wrong, and the remedy."""

    check: str
    message: str
    hint: str


_cached: Settings | None = None


def settings() -> Settings:
    """Return the settings in force; `ImproperlyConfigured` names every mistake."""
    global _cached
    if _cached is None:
        result, problems = read(getattr(django_settings, "LAZYIMAGES", {}))
        if problems:
            lines = "\n".join(f"- {problem.message} {problem.hint}" for problem in problems)
            raise ImproperlyConfigured(f"LAZYIMAGES has mistakes:\n{lines}")
        _cached = result
    return _cached


def _reset(*, setting: str, **kwargs: object) -> None:
    global _cached
    if setting == "LAZYIMAGES":
        _cached = None


setting_changed.connect(_reset)


def read(raw: object) -> tuple[Settings, list[Problem]]:
    """Return the settings that a LAZYIMAGES dictionary stands for, and its mistakes.

    A part with a mistake keeps its default, so that one mistake does not hide the next.
    """
    if not isinstance(raw, Mapping):
        problem = Problem("E001", "LAZYIMAGES is not a dictionary.", 'Write LAZYIMAGES = {"SIZES": [...]}.')
        return Settings(), [problem]
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in raw.items():
        if key not in _READERS:
            problems.append(_unknown(key))
            continue
        try:
            values[key.lower()] = _READERS[key](value)
        except _Mistake as mistake:
            problems.append(Problem(mistake.check, f"LAZYIMAGES[{key!r}]: {mistake.message}", mistake.hint))
    if values.get("max_renders", ...) is None:
        del values["max_renders"]
    if values.get("cors_origins") is None:
        values["cors_origins"] = _origin_of(values.get("resizer_url", ""))
    presets = values.get("presets", {})
    listed = [*values.get("sizes", ()), *(size for preset in presets.values() for size in preset.sizes)]
    return Settings(**values, whitelist=dict.fromkeys(listed)), problems


class _Mistake(Exception):
    def __init__(self, message: str, hint: str, check: str = "E004") -> None:
        self.message, self.hint, self.check = message, hint, check


def _unknown(key: object) -> Problem:
    near = difflib.get_close_matches(str(key).upper(), _READERS, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(_READERS)}."
    return Problem("E003", f"LAZYIMAGES[{key!r}] is no setting of lazyimages.", hint)


def _size_list(value: object) -> tuple[Size, ...]:
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)):
        raise _Mistake(f"{value!r} is not a list of sizes.", 'Write ["360x270", "480h", "1280w"].', "E002")
    try:
        return tuple(dict.fromkeys(sizes.parse(str(word)) for word in words))
    except InvalidSize as error:
        raise _Mistake(f"{error}.", "Correct it, or leave it out.", "E002") from error


def _presets(value: object) -> dict[str, Preset]:
    return {name: _preset(name, preset) for name, preset in _mapping(value, "E005").items()}


def _preset(name: str, value: object) -> Preset:
    if sizes.is_size(name) or name.split() != [name]:
        hint = "Use one word that is not a size, such as 'card'."
        raise _Mistake(f"the preset's name {name!r} cannot be told from a list of sizes.", hint, "E005")
    try:
        parts = _mapping(value)
        preset_sizes, layout = _size_list(parts.get("sizes", ())), _text(parts.get("layout", ""))
    except _Mistake as error:
        raise _Mistake(f"the preset {name!r}: {error.message}", error.hint, "E005") from error
    if unknown := set(parts) - {"sizes", "layout"}:
        hint = "A preset has 'sizes' and 'layout'."
        raise _Mistake(f"the preset {name!r} has an unknown part {min(unknown)!r}.", hint, "E005")
    if not preset_sizes:
        raise _Mistake(f"the preset {name!r} has no sizes.", 'Add "sizes": "360x270 720x540".', "E005")
    return Preset(name=name, sizes=preset_sizes, layout=layout)


def _formats(value: object) -> tuple[Format, ...]:
    if not isinstance(value, (list, tuple)):
        raise _Mistake(f"{value!r} is not a list.", 'Write ["avif", "webp"].')
    return tuple(formats.BY_NAME[_choice(formats.OUTPUTS)(name)] for name in value)


def _quality(value: object) -> dict[str, int]:
    known = tuple(DEFAULT_QUALITY)
    given = {_choice(known)(name): _whole(1, 100)(number) for name, number in _mapping(value).items()}
    return DEFAULT_QUALITY | given


def _mapping(value: object, check: str = "E004") -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        hint = "See docs/settings.md for an example."
        raise _Mistake(f"{value!r} is not a dictionary whose keys are texts.", hint, check)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Mistake(f"{value!r} is not a text.", "Write a string.")
    return value


def _header(value: object) -> str:
    text = _text(value)
    if not text.isprintable() or not text.isascii():
        raise _Mistake(f"{text!r} has characters that no HTTP header may carry.", "Use printable ASCII.")
    return text


def _base_url(value: object) -> str:
    text = _header(value)
    if not text:
        return text
    try:
        parts = urlsplit(text)
        is_place = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that hold no IPv6 address, or a port that is no number
        is_place = False
    if not is_place or set(" ?#") & set(text):  # a space would end a srcset's URL
        hint = "Write scheme and host, as in https://d111111abcdef8.cloudfront.net, without ?, # and spaces."
        raise _Mistake(f"{text!r} is not the absolute URL of a place.", hint)
    return text.rstrip("/")


def _origins(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise _Mistake(f"{value!r} is not a list.", 'Write ["https://shop.example"].')
    return tuple(dict.fromkeys(_origin(origin) for origin in value))


def _origin(value: object) -> str:
    if value == "*":
        return "*"
    text = _base_url(value)
    if _origin_of(text) != (text,):
        hint = "Write scheme and host alone, as in https://shop.example; a port if it is not the usual one."
        raise _Mistake(f"{text!r} is not an origin.", hint)
    return text


def _origin_of(url: str) -> tuple[str, ...]:
    """Return the origin of a URL (RFC 6454, 6.2) as the only entry; none for an empty text."""
    parts = urlsplit(url)
    return (f"{parts.scheme}://{parts.netloc.lower()}",) if url else ()


def _secret(value: object) -> str:
    if not isinstance(value, str) or not value or not value.isprintable() or not value.isascii():
        # Unlike other mistakes this one is not quoted: check output ends up in logs.
        raise _Mistake("no secret that an HTTP header can carry.", "Write a random ASCII text, or None.")
    return value


def _colour(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", text):
        raise _Mistake(f"{text!r} is not a colour.", "Write it like #ffffff.")
    return text


def _choice(choices: tuple[str, ...]) -> Callable[[object], str]:
    def reader(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise _Mistake(f"{value!r} is not one of the choices.", f"Choose from {', '.join(choices)}.")
        return value

    return reader


def _whole(least: int, most: int) -> Callable[[object], int]:
    def reader(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise _Mistake(f"{value!r} is out of range.", f"Write a whole number from {least} to {most}.")
        return value

    return reader


def _seconds(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 300:
        raise _Mistake(f"{value!r} is out of range.", "Write seconds, above 0 and at most 300.")
    return float(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Mistake(f"{value!r} is neither True nor False.", "Write True or False.")
    return value


def _optional(reader: Callable[[object], T]) -> Callable[[object], T | None]:
    return lambda value: None if value is None else reader(value)


_READERS: dict[str, Callable[[object], Any]] = {
    "SIZES": _size_list,
    "FORMATS": _formats,
    "PRESETS": _presets,
    "CDN_URL": _base_url,
    "DELIVERY": _choice(DELIVERIES),
    "RESIZER_URL": _base_url,
    "CORS_ORIGINS": _optional(_origins),
    "ORIGINALS": _text,
    "VARIANTS": _text,
    "ENGINE": _text,
    "QUALITY": _quality,
    "BACKGROUND": _colour,
    "ANIMATION": _choice(ANIMATIONS),
    "EFFORT": _choice(EFFORTS),
    "CACHE": _text,
    "CACHE_CONTROL": _header,
    "MAX_PIXELS": _whole(1, 10**12),
    "MAX_BYTES": _whole(1, 2**40),
    "MAX_RENDERS": _optional(_whole(1, 1024)),
    "RENDER_WAIT": _seconds,
    "THREADS": _optional(_whole(1, 1024)),
    "ORIGIN_SECRET": _optional(_secret),
    "DISTRIBUTION_ID": _optional(_text),
    "EXPIRE_VARIANTS_DAYS": _optional(_whole(1, 36500)),
    "CLEANUP": _flag,
}
