"""The form's part: a file input with the picture beside it, and a focal point to choose."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.widgets import FILE_INPUT_CONTRADICTION
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from lazyimages import accepting, keys
from lazyimages.admin import focal, previews
from lazyimages.field_files import LazyImageFieldFile
from lazyimages.forms import LazyImageFormField
from lazyimages.sizes import CENTRE

_PICKER_BOX = (320, 320)
_CROP_BOX = (132, 99)
_HIGHEST = 99  # percent: a name has two digits for each


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """What a browser sent: the file (or what stands for it), and the two numbers as they came.

    `of` is the name of the image that they were shown with, which says where the point was then; None from
    who does not say.
    """

    file: Any
    point: tuple[str, str] | None
    of: str | None = None

    def is_moved(self, initial: Any) -> bool:
        """Tell whether the person who sent the form has moved the point."""
        before = focal.current(initial) if self.of is None else keys.focal_point(self.of)
        return self.point is not None and self.point != tuple(map(str, before))

    def is_late(self, initial: Any) -> bool:
        """Tell whether the image is another one now, or has got another point, by somebody else."""
        return self.of is not None and self.of != str(getattr(initial, "name", "") or "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Redrawn:
    """What a form shows again after a mistake: the stored image, and the numbers as they came."""

    file: Any
    point: tuple[str, str] | None


class LazyImageAdminWidget(forms.ClearableFileInput):
    """A file input that shows the stored image, and never leads to the original."""

    template_name = "lazyimages/admin/image_input.html"
    panel_url: Callable[[Any], str] | None = None  # from the image to the page of its sizes, "" for none

    class Media:
        css = {"all": ["lazyimages/admin.css"]}
        js = ["lazyimages/focal.js", "lazyimages/admin.js"]

    def is_initial(self, value: Any) -> bool:
        """Tell whether there is an image; its URL, which Django looks at, is not asked for."""
        return bool(value)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Return the file with its focal point."""
        point = (data.get(f"{name}-focal-x"), data.get(f"{name}-focal-y"))
        whole = point if None not in point else None
        file = super().value_from_datadict(data, files, name)
        return Posted(file=file, point=whole, of=data.get(f"{name}-focal-of"))

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return what the template draws; all of it comes from the row and the settings."""
        file, point = (value.file, value.point) if isinstance(value, Redrawn) else (value, None)
        context = super().get_context(name, file, attrs)
        context["widget"]["attrs"]["accept"] = accepting.attribute()
        context["widget"]["image"] = _facts(file, self.panel_url) if file else None
        context["widget"]["focal"] = {
            "point": point or focal.current(file),
            "picker": _or_none(previews.whole, file, _PICKER_BOX) if file else None,
            "crops": previews.crops(_CROP_BOX),
            "highest": _HIGHEST,
        }
        return context


class _Shown(LazyImageFieldFile):
    """An image as Django prints it where it cannot be changed: a link to `url` around `__html__`."""

    address = ""

    @property
    def url(self) -> str:
        """Lead to the page of its sizes: the original's own URL is nobody's."""
        return self.address

    def __html__(self) -> str:
        return previews.draw(self)


def without_links(form: type[Any], names: Iterable[str], panel_url: Callable[[Any], str]) -> type[Any]:
    """Return a form that prints no link to an original where its row is shown without inputs."""

    class Form(form):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            for name in names:
                file = getattr(self.instance, name)
                if file and self.instance.pk is not None:
                    image = _Shown(self.instance, file.field, file.name)
                    image.address = panel_url(image) or "#"
                    self.instance.__dict__[name] = image

    return Form


def shown(file: Any, panel_url: Callable[[Any], str]) -> str:
    """Return an image as it is shown to people who may not change it."""
    image = _facts(file, panel_url) if file else None
    return render_to_string("lazyimages/admin/image_shown.html", {"image": image})


def _facts(file: Any, panel_url: Callable[[Any], str] | None) -> dict[str, Any]:
    return {
        "thumbnail": previews.draw(file),
        "name": file.name,
        "width": getattr(file, "width", None),
        "height": getattr(file, "height", None),
        "panel_url": panel_url(file) if panel_url else "",
    }


def _or_none(show: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return show(*arguments)
    except previews.NoPreview:
        return None


class LazyImageAdminFormField(LazyImageFormField):
    """Cleans the file as any form does, and leaves the focal point with it for when the row is saved."""

    complain: Callable[[str], None] | None = None
    point_error = _("The focal point is two whole numbers from 0 to 99, in percent.")

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return what the file's field returns; `ValidationError` for numbers that are no focal point."""
        posted = data if isinstance(data, Posted) else Posted(file=data, point=None)
        cleaned = super().clean(posted.file, initial)
        point = self._point(posted, initial)
        complain = self.complain or (lambda sentence: None)
        if cleaned and cleaned is initial and posted.is_late(initial):
            if posted.is_moved(initial):
                complain(focal.not_moved(initial.name))
            return cleaned
        before = focal.current(cleaned) if cleaned is initial else CENTRE
        if cleaned and point is not None and point != before:
            focal.wish(cleaned, point, complain)
        return cleaned

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Tell whether there is a new file, or another focal point for the one that is there."""
        if not isinstance(data, Posted) or data.file is not None:
            return super().has_changed(initial, data.file if isinstance(data, Posted) else data)
        if self.disabled or not initial or data.point is None:
            return False
        return data.is_moved(initial)

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what is shown again; a file input cannot show a file that was sent."""
        is_theirs = isinstance(data, Posted) and (data.file or not data.is_late(initial))
        return Redrawn(file=initial, point=data.point if is_theirs else None)

    def _point(self, posted: Posted, initial: Any) -> tuple[int, int] | None:
        is_removed = posted.file is False or posted.file is FILE_INPUT_CONTRADICTION
        if posted.point is None or is_removed or not (posted.file or initial):
            return None
        try:
            x, y = (int(text) for text in posted.point)
        except ValueError as error:
            raise ValidationError(self.point_error, code="focal_point") from error
        if not (0 <= x <= _HIGHEST and 0 <= y <= _HIGHEST):
            raise ValidationError(self.point_error, code="focal_point")
        return x, y
