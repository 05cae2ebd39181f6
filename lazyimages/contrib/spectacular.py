"""What drf-spectacular writes into an OpenAPI schema, as soon as our serializer field is imported."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, append_meta, build_basic_type
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import Direction, OpenApiParameter

_TEXT = {"type": "string"}
_SRCSET = {
    "type": "object",
    "additionalProperties": _TEXT,
    "description": "Values of the HTML attribute srcset, by format: the media type is image/ and its name.",
}
_LAYOUT = {**_TEXT, "description": "Value of the HTML attribute sizes; empty when the layout is not known."}
_MEDIA = {**_TEXT, "description": "A media query; the first that fits wins."}


def image_parameters(
    *, presets: Iterable[str] | None = None, formats: Iterable[str] | None = None
) -> list[OpenApiParameter]:
    """Return the query parameters by which a reader asks for less, for `@extend_schema(parameters=…)`.

    The schema names what is offered of each, where the arguments say it.
    """
    return [
        OpenApiParameter(
            name=name,
            type={"type": "array", "items": {**_TEXT, **({"enum": list(offered)} if offered else {})}},
            style="form",
            explode=False,
            description=f"Only these {what} of each image, with commas between them.",
        )
        for name, what, offered in (
            ("image_presets", "presets", presets),
            ("image_formats", "formats", formats),
        )
    ]


class LazyImageFieldExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Describes `LazyImageField`: a file in requests, an object in responses."""

    target_class = "lazyimages.contrib.rest_framework.LazyImageField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        """Return the schema of the field."""
        if direction == "request":
            return dict(build_basic_type(OpenApiTypes.BINARY) or {})
        properties = {
            "url": {**_TEXT, "format": "uri", "description": "The first size of the first preset."},
            **_sides(),
            "focal": {
                "type": "array",
                "items": {"type": "integer", "minimum": 0, "maximum": 99},
                "minItems": 2,
                "maxItems": 2,
                "description": "The point to keep in view, in percent from the left and the top.",
            },
            "placeholder": {**_TEXT, "description": "A ThumbHash in base64; empty when there is none."},
            "presets": {
                "type": "object",
                "properties": dict.fromkeys(self.target.offered_presets, _preset(auto_schema)),
            },
        }
        if self.target._background:
            properties["background"] = {**_TEXT, "description": "Value of the CSS property background."}
        return append_meta(_object(properties), {"nullable": True})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _sides() -> dict[str, Any]:
    side = {"type": "integer", "minimum": 1, "description": "In pixels; null when the row does not hold it."}
    # OpenAPI 3.0 and 3.1 write it differently, which append_meta knows.
    return {name: append_meta(side, {"nullable": True}) for name in ("width", "height")}


def _preset(auto_schema: AutoSchema) -> dict[str, Any]:
    """Return a reference to the component that describes an image in one preset."""
    name = "LazyImagePreset"
    component = ResolvedComponent(name, ResolvedComponent.SCHEMA, object=name)  # type: ignore[no-untyped-call]
    if component not in auto_schema.registry:
        described = {**_sides(), "sizes": _LAYOUT, "srcset": _SRCSET}
        source = _object({"media": _MEDIA, **described})
        component.schema = _object(
            {
                "url": {**_TEXT, "format": "uri"},
                **described,
                "sources": {
                    "type": "array",
                    "items": source,
                    "description": "Other crops for other screens.",
                },
            }
        )
        auto_schema.registry.register(component)
    return dict(component.ref)
