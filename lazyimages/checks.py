"""System checks: what a project gets wrong before its first image, each with its remedy."""

import copy
import math
from collections.abc import Iterator, Sequence
from typing import Any

import PIL
from django.apps import AppConfig, apps
from django.conf import settings as django_settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import Storage, storages
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from lazyimages import conf, current, sizes
from lazyimages.conf import Settings
from lazyimages.storage import INCOMING, is_file_system, is_s3, variants_alias

LEAST_PILLOW = (13, 0)
# botocore's attempts where none are named, and seconds between two at most ("Retries" in boto3's guide).
_ATTEMPTS = {"legacy": 5, "standard": 3, "adaptive": 3}
_LONGEST_PAUSE = 20


@checks.register("lazyimages")
def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Check LAZYIMAGES, and what it names in the rest of the settings."""
    settings, problems = conf.read(getattr(django_settings, "LAZYIMAGES", {}))
    if problems:
        return [_error(problem.check, problem.message, problem.hint) for problem in problems]
    return [
        *_check_whitelist(settings),
        *_check_presets(settings),
        *_check_delivery(settings),
        *_check_names(settings),
        *_check_storages(settings),
        *_check_engine(settings),
        *_check_direct_uploads(settings),
    ]


def _error(number: str, message: str, hint: str) -> checks.CheckMessage:
    return checks.Error(message, hint=hint, id=f"lazyimages.{number}")


def _check_whitelist(settings: Settings) -> Iterator[checks.CheckMessage]:
    if not settings.whitelist:
        hint = 'Set LAZYIMAGES["SIZES"] = ["360x270", "480h", "1280w"], or PRESETS.'
        yield _error("E006", "LAZYIMAGES allows no sizes, so every image would be a 404.", hint)


def _check_presets(settings: Settings) -> Iterator[checks.CheckMessage]:
    for preset in settings.presets.values():
        places = {f"The preset {preset.name!r}": preset.sizes}
        for number, source in enumerate(preset.sources, 1):
            places[f"Source {number} of the preset {preset.name!r}"] = source.sizes
        for place, listed in places.items():
            other = next((size for size in listed if not size.has_proportions_of(listed[0])), None)
            if other:
                yield checks.Warning(
                    f"{place} mixes proportions: {listed[0]} and {other}.",
                    hint="The page makes room for the first, and is moved about when a browser takes "
                    "another. Give each preset sizes of one proportion; another crop for narrow screens is "
                    "one of its sources.",
                    id="lazyimages.W002",
                )


def _check_delivery(settings: Settings) -> Iterator[checks.CheckMessage]:
    where = f"DELIVERY is {settings.delivery!r}"
    if settings.delivery != "local" and not settings.cdn_url:
        hint = 'Set LAZYIMAGES["CDN_URL"] to your distribution, as in https://d111111abcdef8.cloudfront.net.'
        yield _error("E007", f"{where}, but there is no CDN_URL.", hint)
    if settings.delivery != "local" and not settings.resizer_url:
        hint = 'Set LAZYIMAGES["RESIZER_URL"], as in https://shop.example/images/resizer.'
        yield _error("E008", f"{where}, but there is no RESIZER_URL.", hint)
    try:
        reverse("lazyimages:resizer")
    except NoReverseMatch:
        hint = 'Add path("images/", include("lazyimages.urls")) to the root URLconf.'
        yield _error("E009", "The URLs of lazyimages are not included.", hint)


def _check_names(settings: Settings) -> Iterator[checks.CheckMessage]:
    for key, alias in (("ORIGINALS", settings.originals), ("VARIANTS", settings.variants)):
        # The default of VARIANTS may be missing, in favour of "default".
        name = variants_alias() if (key, alias) == ("VARIANTS", Settings().variants) else alias
        if name not in django_settings.STORAGES:
            hint = f"Choose from {', '.join(django_settings.STORAGES)}, or add it to STORAGES."
            yield _error("E014", f"LAZYIMAGES[{key!r}] is {name!r}, which is not in STORAGES.", hint)
    if settings.cache not in django_settings.CACHES:
        hint = f"Choose from {', '.join(django_settings.CACHES)}, or add it to CACHES."
        yield _error("E016", f'LAZYIMAGES["CACHE"] is {settings.cache!r}, which is not in CACHES.', hint)


def _check_storages(settings: Settings) -> Iterator[checks.CheckMessage]:
    if variants_alias() not in django_settings.STORAGES or settings.originals not in django_settings.STORAGES:
        return
    for alias in dict.fromkeys((variants_alias(), settings.originals)):
        entry: Any = django_settings.STORAGES[alias]
        endpoint = entry.get("OPTIONS", {}).get("endpoint_url")
        if endpoint and not str(endpoint).startswith(("http://", "https://")):
            hint = f"Write it with its scheme: https://{endpoint}"
            yield _error("E018", f"endpoint_url of the storage {alias!r} is {endpoint!r}, no URL.", hint)
            return
    try:
        variants, originals = storages[variants_alias()], storages[settings.originals]
    except (ImproperlyConfigured, TypeError) as error:  # TypeError: an option that it does not have
        hint = "Correct its BACKEND and OPTIONS, and install what it needs."
        yield _error("E018", f"An entry of STORAGES cannot be used: {error}", hint)
        return
    if _renames(variants):
        hint = (
            "Give it the option that overwrites files of the same name (file_overwrite, overwrite_files), "
            "or use FileSystemStorage or S3Storage."
        )
        message = f"The storage {variants_alias()!r} renames a file whose name is taken."
        yield _error("E010", f"{message} Variants must have exactly their key as name.", hint)
    if settings.delivery != "local":
        yield from _check_bucket(settings.delivery, variants)
    yield from _check_location(settings.originals, originals)
    for alias in sorted({settings.originals, variants_alias()}):
        yield from _check_patience(alias, storages[alias], settings)


def _check_bucket(delivery: str, variants: Storage) -> Iterator[checks.CheckMessage]:
    where = f"DELIVERY is {delivery!r}, but the storage {variants_alias()!r}"
    if is_file_system(variants):
        hint = 'Use storages.backends.s3.S3Storage for it, or DELIVERY = "local".'
        yield _error("E017", f"{where} keeps its files on this machine, where no CDN finds them.", hint)
    elif str(getattr(variants, "location", None) or "").strip("/"):
        hint = "Remove location, or the URLs that the CDN asks for would not be the keys in the bucket."
        yield _error("E011", f"{where} has a location.", hint)


def _check_location(alias: str, originals: Storage) -> Iterator[checks.CheckMessage]:
    location = str(getattr(originals, "location", None) or "") if is_s3(originals) else ""
    for segment in location.split("/"):
        if sizes.is_size(segment):
            message = (
                f"location of the storage {alias!r} has the directory {segment!r}, which looks like a size."
            )
            yield _error(
                "E020", message, "Rename it: such directories hold variants, which anybody may read."
            )


def _renames(storage: Storage) -> bool:
    """Ask a copy of the storage, to which one name is taken, what it would call a second such file."""
    if is_s3(storage) or is_file_system(storage):
        return False  # lazyimages writes to these itself, by name
    taken = "lazyimages/check.jpg"
    double = copy.copy(storage)
    double.exists = lambda name: name == taken  # type: ignore[method-assign]
    return double.get_available_name(taken) != taken


def _check_patience(alias: str, storage: Storage, settings: Settings) -> Iterator[checks.CheckMessage]:
    if not is_s3(storage):
        return
    seconds = _patience(storage.client_config)  # type: ignore[attr-defined]
    if seconds > settings.render_wait:
        wait = "for ever" if seconds == math.inf else f"up to {seconds:g} seconds"
        yield checks.Warning(
            f"The storage {alias!r} waits {wait} for one answer of S3, and a worker with it; RENDER_WAIT is "
            f"{settings.render_wait:g}.",
            hint="Set client_config to botocore.config.Config(connect_timeout=1, read_timeout=3, "
            "retries={'mode': 'standard', 'total_max_attempts': 2}): 9 seconds at most.",
            id="lazyimages.W001",
        )


def _patience(config: Any) -> float:
    """Return the seconds that a request may take by a `botocore.config.Config`, with all its attempts."""
    if config.connect_timeout is None or config.read_timeout is None:
        return math.inf
    retries = config.retries or {}
    attempts = _ATTEMPTS.get(retries.get("mode", "legacy"), _ATTEMPTS["legacy"])
    if "max_attempts" in retries:  # which does not count the first
        attempts = 1 + retries["max_attempts"]
    attempts = retries.get("total_max_attempts", attempts)
    pauses = sum(min(2**number, _LONGEST_PAUSE) for number in range(attempts - 1))
    return float(attempts * (config.connect_timeout + config.read_timeout) + pauses)


def _check_direct_uploads(settings: Settings) -> Iterator[checks.CheckMessage]:
    path = settings.direct_uploads
    if path is None:
        return
    try:
        found: object = import_string(path)
    except ImportError:
        found = None
    if not callable(found):
        hint = "Name a function that takes the request and tells whether who sent it may upload."
        yield _error("E022", f'LAZYIMAGES["DIRECT_UPLOADS"] is {path!r}, which cannot be called.', hint)
    for model in apps.get_models():
        for field in model._meta.get_fields():
            directory = getattr(field, "upload_to", None)
            ours = getattr(field, "dimensions_are_oriented", False) and isinstance(directory, str)
            if ours and f"{directory}/".lstrip("/").startswith(INCOMING):
                yield checks.Error(
                    f"upload_to is {directory!r}, where DIRECT_UPLOADS has browsers send files.",
                    hint="Choose another directory, and move what is there: it ends after a day.",
                    obj=field,
                    id="lazyimages.E023",
                )


def _check_engine(settings: Settings) -> Iterator[checks.CheckMessage]:
    if tuple(map(int, PIL.__version__.split(".")[:2])) < LEAST_PILLOW:
        hint = "pip install --upgrade 'Pillow>=13.0'"
        yield _error("E012", f"Pillow {PIL.__version__} has known flaws in reading images.", hint)
    try:
        encoders = current.engine().encoders()
    except (ImportError, AttributeError, TypeError) as error:  # no such thing, or something else
        hint = "Name an engine's class by its dotted path, and install what it needs."
        yield _error("E015", f'LAZYIMAGES["ENGINE"] is {settings.engine!r}, no engine: {error}.', hint)
        return
    for format in settings.formats:
        if format.name not in encoders:
            hint = f"Install a Pillow built with {format.name.upper()}, or take it out of FORMATS."
            yield _error("E013", f"The engine cannot write {format.name.upper()}.", hint)
