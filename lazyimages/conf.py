"""The LAZYIMAGES setting: one frozen object, read at call time, with every mistake named.

`settings()` is what the rest of lazyimages calls. `read()` reports the mistakes one by one; the system
checks print them.
"""

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed

from lazyimages import formats, presets, readers
from lazyimages.formats import Format
from lazyimages.presets import Preset
from lazyimages.sizes import Size

DELIVERIES = ("local", "redirect", "failover")
ANIMATIONS = ("keep", "first")
EFFORTS = ("fast", "small")
SECRET_HEADER = "X-Lazyimages-Secret"  # noqa: S105  # the name of the header that carries ORIGIN_SECRET
DEFAULT_QUALITY = {"jpeg": 80, "webp": 80, "avif": 52}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Settings:
    """The LAZYIMAGES setting, checked and typed; `docs/settings.md` says what each part means.

    `whitelist` is derived: SIZES and the sizes of PRESETS with their sources, in the order in which they
    are written. Where CORS_ORIGINS is not set, it is the origin of RESIZER_URL.
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
    direct_uploads: str | None = None
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
        except readers.Mistake as mistake:
            problems.append(Problem(mistake.check, f"LAZYIMAGES[{key!r}]: {mistake.message}", mistake.hint))
    if values.get("max_renders", ...) is None:
        del values["max_renders"]
    if values.get("cors_origins") is None:
        values["cors_origins"] = readers.origin_of(values.get("resizer_url", ""))
    listed = list(values.get("sizes", ()))
    for preset in values.get("presets", {}).values():
        listed += preset.all_sizes
    return Settings(**values, whitelist=dict.fromkeys(listed)), problems


def _unknown(key: object) -> Problem:
    near = difflib.get_close_matches(str(key).upper(), _READERS, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(_READERS)}."
    return Problem("E003", f"LAZYIMAGES[{key!r}] is no setting of lazyimages.", hint)


def _formats(value: object) -> tuple[Format, ...]:
    if not isinstance(value, (list, tuple)):
        raise readers.Mistake(f"{value!r} is not a list.", 'Write ["avif", "webp"].')
    return tuple(formats.BY_NAME[readers.choice(formats.OUTPUTS)(name)] for name in value)


def _quality(value: object) -> dict[str, int]:
    known = tuple(DEFAULT_QUALITY)
    percent = readers.whole(1, 100)
    given = {readers.choice(known)(name): percent(number) for name, number in readers.mapping(value).items()}
    return DEFAULT_QUALITY | given


_READERS: dict[str, Callable[[object], Any]] = {
    "SIZES": readers.size_list,
    "FORMATS": _formats,
    "PRESETS": presets.read,
    "CDN_URL": readers.base_url,
    "DELIVERY": readers.choice(DELIVERIES),
    "RESIZER_URL": readers.base_url,
    "CORS_ORIGINS": readers.optional(readers.origins),
    "ORIGINALS": readers.text,
    "VARIANTS": readers.text,
    "ENGINE": readers.text,
    "QUALITY": _quality,
    "BACKGROUND": readers.colour,
    "ANIMATION": readers.choice(ANIMATIONS),
    "EFFORT": readers.choice(EFFORTS),
    "CACHE": readers.text,
    "CACHE_CONTROL": readers.header,
    "MAX_PIXELS": readers.whole(1, 10**12),
    "MAX_BYTES": readers.whole(1, 2**40),
    "MAX_RENDERS": readers.optional(readers.whole(1, 1024)),
    "RENDER_WAIT": readers.seconds,
    "THREADS": readers.optional(readers.whole(1, 1024)),
    "ORIGIN_SECRET": readers.optional(readers.secret),
    "DISTRIBUTION_ID": readers.optional(readers.text),
    "EXPIRE_VARIANTS_DAYS": readers.optional(readers.whole(1, 36500)),
    "CLEANUP": readers.flag,
    "DIRECT_UPLOADS": readers.optional(readers.text),
}
