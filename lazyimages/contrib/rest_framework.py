"""Images in Django REST framework: as variants on the way out, as checked uploads on the way in."""

import logging
from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS

from lazyimages import conf, fields, keys, markup, placeholders
from lazyimages.exceptions import RefusedName
from lazyimages.formats import Format
from lazyimages.forms import LazyImageFormField
from lazyimages.markup import Candidate, Picture, Spec
from lazyimages.sizes import Size

if find_spec("drf_spectacular") is not None:
    import lazyimages.contrib.spectacular  # noqa: F401  # importing it tells drf-spectacular of the field

ORIGINAL = "original"  # in place of a format: the one that the original is in

logger = logging.getLogger("lazyimages")


class LazyImageField(serializers.ImageField):
    """An image as an object of URLs and dimensions; null for an empty field. Needs no storage and no query.

    `presets` are those to offer, by default all in the settings; each is a preset's name, or sizes between
    spaces. `formats` are names in FORMATS, and "original" for the original's own; by default all of these.
    `background` adds the placeholder as a CSS value. A reader may ask for less by `?image_presets=card`
    and `?image_formats=avif`; what is not offered is a 400 that names the choices. The two count for GET
    and HEAD alone: elsewhere the answer comes too late to refuse what has been done.

    Takes uploads as `ImageField` does, with the checks of our form field. As there, the length of the
    client's file name does not matter.
    """

    presets_parameter = "image_presets"
    formats_parameter = "image_formats"

    def __init__(
        self,
        *,
        presets: Sequence[str] | None = None,
        formats: Sequence[str] | None = None,
        background: bool = False,
        **kwargs: Any,
    ) -> None:
        for name, value in (("presets", presets), ("formats", formats)):
            if isinstance(value, str):
                raise TypeError(f"LazyImageField's {name} are a list: {name}=[{value!r}]")
            if value is not None and not value:
                raise ValueError(f"LazyImageField's {name} are empty; leave the argument out to offer all")
        self._presets, self._formats, self._background = presets, formats, background
        kwargs.pop("max_length", None)
        super().__init__(**{"_DjangoImageField": LazyImageFormField, **kwargs})

    @cached_property
    def offered_presets(self) -> dict[str, Spec]:
        """What a reader may choose from; `ImproperlyConfigured` when the argument names what there is not."""
        settings = conf.settings()
        # A project that has no presets yet has its sizes.
        names = self._presets or list(settings.presets) or list(map(str, settings.whitelist))
        if not names:
            raise ImproperlyConfigured("LazyImageField needs a size: set LAZYIMAGES['SIZES'] or ['PRESETS']")
        try:
            return {name: markup.parse_spec(name) for name in names}
        except markup.UnknownSpec as error:
            raise ImproperlyConfigured(f"LazyImageField's presets: {error}") from error

    @cached_property
    def offered_formats(self) -> list[str]:
        """What a reader may choose from; `ImproperlyConfigured` when the argument names what there is not."""
        known = [*(format.name for format in conf.settings().formats), ORIGINAL]
        wanted = known if self._formats is None else list(self._formats)
        for name in wanted:
            if name not in known:
                raise ImproperlyConfigured(
                    f"LazyImageField's formats: {name!r} is not one; choose from {', '.join(known)}"
                )
        return wanted

    @cached_property
    def _chosen_presets(self) -> list[tuple[str, Spec]]:
        names = self._choice(self.presets_parameter, self.offered_presets)
        return [(name, self.offered_presets[name]) for name in names]

    @cached_property
    def _chosen_formats(self) -> list[str]:
        return self._choice(self.formats_parameter, self.offered_formats)

    def _choice(self, parameter: str, offered: Iterable[str]) -> list[str]:
        request = self.context.get("request")
        if request is None or request.method not in SAFE_METHODS or parameter not in request.GET:
            return list(offered)
        names = list(dict.fromkeys(request.GET[parameter].split(",")))
        for name in names:
            if name not in offered:
                message = f"{name!r} is not one of: {', '.join(offered)}."
                raise serializers.ValidationError({parameter: [message]})
        return names

    @cached_property
    def _start(self) -> str:
        """What stands before a URL without a host, as in `local` delivery; "" when no request is known."""
        request = self.context.get("request")
        return request.build_absolute_uri("/").rstrip("/") if request is not None else ""

    def to_representation(self, value: Any) -> dict[str, Any] | None:  # type: ignore[override]
        """Return what docs/api.md describes; None for an empty field, and for a name without variants."""
        picture = markup.picture_of(value)
        if picture is None:
            return None
        presets = self._chosen_presets
        try:
            formats = self._formats_of(picture)
            shown = {name: self._preset(picture, preset, formats) for name, preset in presets}
        except RefusedName as error:
            logger.warning("no variants: %s", error)
            return None
        first = next(iter(shown.values()))
        focal, placeholder = keys.focal_point(picture.name), picture.placeholder
        return {
            **{part: first[part] for part in ("url", "width", "height")},
            "focal": list(focal),
            "placeholder": placeholder,
            **({"background": placeholders.background(placeholder, focal)} if self._background else {}),
            "presets": shown,
        }

    def _formats_of(self, picture: Picture) -> list[Format]:
        native = keys.native_format(picture.name)
        known = {format.name: format for format in conf.settings().formats} | {ORIGINAL: native}
        return list(dict.fromkeys(known[name] for name in self._chosen_formats))

    def _preset(self, picture: Picture, preset: Spec, formats: list[Format]) -> dict[str, Any]:
        return {
            "url": self._absolute(markup.variant_url(picture.name, preset.sizes[0])),
            **self._described(picture, preset.sizes, preset.layout, formats),
            "sources": [
                {"media": source.media, **self._described(picture, source.sizes, source.layout, formats)}
                for source in preset.sources
            ],
        }

    def _described(
        self, picture: Picture, wanted: tuple[Size, ...], layout: str, formats: list[Format]
    ) -> dict[str, Any]:
        first = markup.candidates(picture, wanted[:1])
        return {
            "width": first[0].width if first else None,
            "height": first[0].height if first else None,
            "sizes": layout,
            "srcset": {
                format.name: self._srcset(markup.candidates(picture, wanted, format)) for format in formats
            },
        }

    def _srcset(self, candidates: list[Candidate]) -> str:
        return ", ".join(f"{self._absolute(found.url)} {found.width}w" for found in candidates)

    def _absolute(self, url: str) -> str:
        return f"{self._start}{url}" if url.startswith("/") else url


class LazyImageSerializerMixin:
    """Gives a `ModelSerializer` our field for every `LazyImageField` of its model."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        fields.LazyImageField: LazyImageField,
    }
