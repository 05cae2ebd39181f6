"""What a `ModelAdmin` or an inline gets by `LazyImageAdminMixin`."""

from __future__ import annotations  # django-stubs has ModelAdmin generic, Django has not

import logging
from collections.abc import Callable, Sequence
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import BaseModelAdmin, InlineModelAdmin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from lazyimages.admin import focal, panel, previews
from lazyimages.admin.inputs import LazyImageAdminFormField, LazyImageAdminWidget, shown, without_links
from lazyimages.exceptions import StorageUnavailable
from lazyimages.fields import LazyImageField

logger = logging.getLogger("lazyimages")

if TYPE_CHECKING:
    _Admin = BaseModelAdmin[Any]
else:
    _Admin = object


class LazyImageAdminMixin(_Admin):
    """Previews, a focal point to choose, and the stored sizes, for each `LazyImageField` of the model.

    Stands before `ModelAdmin`, `TabularInline` or `StackedInline`. An image in `list_display` is a preview,
    and so is one in `readonly_fields`. The page of the stored sizes is below the address of the row, and an
    inline's below that of the row it is in, whose admin has to have the mixin too.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        focal.grant_wishes_of(self.model)
        self._parent: Model | None = None  # of an inline, which Django makes anew for every request
        self._columns: dict[str, Callable[[Model], str]] = {}
        for field in self.model._meta.fields:
            if isinstance(field, LazyImageField):
                words = capfirst(str(field.verbose_name))
                self._columns[field.name] = previews.thumbnail(field.name, description=words)
                setattr(self, panel.SHOWN + field.name, self._shown(field.name, words))

    @property
    def media(self) -> forms.Media:
        """Add our style and scripts to those of the admin."""
        return super().media + LazyImageAdminWidget().media

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Give an image its input, unless `formfield_overrides` names another widget for it."""
        if not isinstance(db_field, LazyImageField) or LazyImageField in self.formfield_overrides:
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        widget = LazyImageAdminWidget()
        widget.panel_url = self._panel_url
        if isinstance(self, InlineModelAdmin):  # whose table has a heading, and no labels
            widget.attrs["aria-label"] = capfirst(str(db_field.verbose_name))
        field = db_field.formfield(**{"form_class": LazyImageAdminFormField, "widget": widget, **kwargs})
        if request is not None and isinstance(field, LazyImageAdminFormField):
            field.complain = partial(messages.warning, request)
        return field

    def get_list_display(self, request: HttpRequest) -> Sequence[Any]:
        """Show previews in place of images' names."""
        editable = set(getattr(self, "list_editable", ()))
        columns = {name: column for name, column in self._columns.items() if name not in editable}
        return [columns.get(name, name) for name in super().get_list_display(request)]  # type: ignore[misc]

    def get_list_display_links(self, request: HttpRequest, list_display: Sequence[Any]) -> Any:
        """Let previews be links where the images' names were to be."""
        links = super().get_list_display_links(request, list_display)  # type: ignore[misc]
        return links and [self._columns.get(name, name) for name in links]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Add what stands in the place of images that cannot be changed."""
        names = list(super().get_readonly_fields(request, obj))
        return names + [panel.SHOWN + name for name in self._shown_alone(request, obj, names)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put it there: Django itself would link to the original."""
        fixed = set(self._shown_alone(request, obj, super().get_readonly_fields(request, obj)))
        fieldsets = super().get_fieldsets(request, obj)
        if not fixed:
            return fieldsets
        return [(title, {**parts, "fields": _replaced(parts["fields"], fixed)}) for title, parts in fieldsets]

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Remember which row an inline is in, and keep Django from linking to originals."""
        self._parent = obj
        if self._is_fixed(request, obj):
            form = kwargs.get("form", self.form)
            kwargs["form"] = without_links(form, self._columns, self._panel_url)
        return super().get_formset(request, obj, **kwargs)  # type: ignore[misc]

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the stored sizes, of this model's rows and of those of its inlines."""

        def view(show: Callable[..., HttpResponseBase]) -> Any:
            def wrapper(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
                return self.admin_site.admin_view(partial(show, self))(request, **kwargs)

            return update_wrapper(wrapper, show)

        name = f"{self.opts.app_label}_{self.opts.model_name}"
        own = "<path:object_id>/sizes/<str:field>/"
        inline = "<path:object_id>/sizes/<str:inline>/<str:pk>/<str:field>/"
        return [
            path(own, view(panel.sizes), name=f"{name}_sizes"),
            path(f"{own}purge/", view(panel.purge), name=f"{name}_sizes_purge"),
            path(inline, view(panel.sizes), name=f"{name}_inline_sizes"),
            path(f"{inline}purge/", view(panel.purge), name=f"{name}_inline_sizes_purge"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Say so when the storage does not take an upload; nothing is saved then."""
        try:
            return super().changeform_view(request, *args, **kwargs)  # type: ignore[misc,no-any-return]
        except StorageUnavailable as error:
            logger.warning("in the admin: %s", error)
            said = _("The storage of the images does not answer. Nothing was saved; try again in a moment.")
            messages.error(request, said)
            return HttpResponseRedirect(request.get_full_path())

    def _shown_alone(self, request: HttpRequest, obj: Any, fixed: Sequence[Any]) -> list[str]:
        """Return the images that no form has an input for; `fixed` are the fields that are always so."""
        is_fixed = self._is_fixed(request, obj) and not self._takes_new_rows(request, obj)
        return [name for name in self._columns if is_fixed or name in fixed]

    def _is_fixed(self, request: HttpRequest, obj: Any) -> bool:
        """Tell whether rows that exist are shown without inputs; `obj` is the row, or an inline's parent."""
        if obj is None:
            return False
        parent = _admin_of(request) if isinstance(self, InlineModelAdmin) else None
        may_change = parent is None or parent.has_change_permission(request, obj)
        return not (may_change and self.has_change_permission(request, obj))

    def _takes_new_rows(self, request: HttpRequest, obj: Any) -> bool:
        """Tell whether an inline whose rows are shown without inputs has some for new ones."""
        if not isinstance(self, InlineModelAdmin):
            return False
        parent = _admin_of(request)
        may_change = parent is None or parent.has_change_permission(request, obj)
        return may_change and self.has_add_permission(request, obj)

    def _panel_url(self, file: Any) -> str:
        """Return the address of the page of an image's stored sizes; "" where there is none."""
        row, field = file.instance, file.field.name
        if row.pk is None:
            return ""
        if not isinstance(self, InlineModelAdmin):
            return self._address(self.model, "sizes", [quote(row.pk), field])
        if self._parent is None or self._parent.pk is None:
            return ""
        arguments = [quote(self._parent.pk), row._meta.label_lower, quote(row.pk), field]
        return self._address(self.parent_model, "inline_sizes", arguments)

    def _address(self, model: type[Model], page: str, arguments: list[str]) -> str:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
        try:
            return reverse(name, args=arguments, current_app=self.admin_site.name)
        except NoReverseMatch:  # an inline in an admin without the mixin
            return ""

    def _shown(self, name: str, words: str) -> Callable[[Model], str]:
        def show(row: Model) -> str:
            return shown(getattr(row, name), self._panel_url)

        return admin.display(show, description=words)


def _admin_of(request: HttpRequest) -> Any:
    """Return the `ModelAdmin` whose page is asked for, which Django notes at its views."""
    return getattr(getattr(request.resolver_match, "func", None), "model_admin", None)


def _replaced(fields: Any, fixed: set[str]) -> list[Any]:
    """Put the stand-ins in place of fields, once each, in whatever lines they are."""
    lines: list[Any] = []
    seen: set[Any] = set()
    for line in fields:
        names = line if isinstance(line, (list, tuple)) else [line]
        kept = [panel.SHOWN + name if name in fixed else name for name in names]
        kept = [name for name in kept if name not in seen]
        seen.update(kept)
        if kept:
            lines.append(kept if isinstance(line, (list, tuple)) else kept[0])
    return lines
