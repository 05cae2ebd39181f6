"""Which sizes of an image are stored, asked when somebody wants to know, and deleting them."""

from __future__ import annotations  # django-stubs has ModelAdmin generic, Django has not

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.admin.options import BaseModelAdmin, ModelAdmin
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from lazyimages import conf, keys, markup, variants
from lazyimages.exceptions import LazyImagesError, RefusedName
from lazyimages.fields import LazyImageField
from lazyimages.variants import Variant

logger = logging.getLogger("lazyimages")

SHOWN = "lazyimages_"  # before a field's name: what stands in its place where it cannot be changed
_COPIES = gettext_lazy("Copies in a CDN and in browsers live on until they expire or are invalidated.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """The image that a page is about, and what the person in front of it may do."""

    admin: ModelAdmin[Any]
    top: Model
    file: Any
    may_change: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One variant in the table: its public address, its size in bytes and its age, where they are known."""

    url: str
    bytes: int | None
    age: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What is stored of an image: a row for each size of which something is, with a cell for each format."""

    formats: list[str]
    rows: list[tuple[str, list[Cell | None]]]
    missing: list[str]
    count: int
    possible: int
    bytes: int


def sizes(admin: ModelAdmin[Any], request: HttpRequest, **address: str) -> HttpResponse:
    """Show which sizes are stored: a whole page, or for scripts the part of it that matters."""
    return _page(request, _subject(admin, request, **address), address)


def purge(admin: ModelAdmin[Any], request: HttpRequest, **address: str) -> HttpResponse:
    """Ask whether to delete the stored sizes, and do so on POST."""
    subject = _subject(admin, request, **address)
    if not subject.may_change:
        raise PermissionDenied
    if request.method != "POST":
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET", "POST"])
        return TemplateResponse(
            request,
            "lazyimages/admin/purge.html",
            _context(request, subject, address, _("Delete stored sizes")),
        )
    try:
        count = len(variants.existing(subject.file.name))  # purge() cannot tell which were there
        variants.purge(subject.file.name)
    except LazyImagesError as error:
        logger.warning("in the admin: %s", error)
        level, said = messages.ERROR, _trouble(error)
    else:
        said = ngettext("%(count)d file was deleted.", "%(count)d files were deleted.", count) % {
            "count": count
        }
        said = f"{said} {_COPIES}"
        level = messages.SUCCESS
        what = _("Deleted the stored sizes of “%s”.") % subject.file.name
        subject.admin.log_change(request, subject.top, what)
    if _is_by_script(request):
        return _page(request, subject, address, said=said, is_error=level == messages.ERROR)
    messages.add_message(request, level, said)
    return HttpResponseRedirect(_address(subject.admin, "sizes", address))


def _page(
    request: HttpRequest, subject: Subject, address: dict[str, str], *, said: str = "", is_error: bool = False
) -> HttpResponse:
    listing, trouble = None, ""
    try:
        listing = _listing(subject.file.name)
    except LazyImagesError as error:
        logger.warning("in the admin: %s", error)
        trouble = _trouble(error)
    context = _context(request, subject, address, _("Stored sizes"))
    context |= {"listing": listing, "trouble": trouble, "said": said, "is_error": is_error}
    name = "panel" if _is_by_script(request) else "sizes"
    return TemplateResponse(request, f"lazyimages/admin/{name}.html", context)


def _context(request: HttpRequest, subject: Subject, address: dict[str, str], title: str) -> dict[str, Any]:
    opts = subject.admin.opts
    return {
        **subject.admin.admin_site.each_context(request),
        "title": title,
        "opts": opts,
        "object": subject.top,
        "name": subject.file.name,
        "may_change": subject.may_change,
        "changelist_url": f"admin:{opts.app_label}_{opts.model_name}_changelist",
        "change_url": f"admin:{opts.app_label}_{opts.model_name}_change",
        "sizes_url": _address(subject.admin, "sizes", address),
        "purge_url": _address(subject.admin, "sizes_purge", address),
    }


def _address(admin: ModelAdmin[Any], page: str, address: dict[str, str]) -> str:
    page = f"inline_{page}" if "inline" in address else page
    name = f"admin:{admin.opts.app_label}_{admin.opts.model_name}_{page}"
    return reverse(name, kwargs=address, current_app=admin.admin_site.name)


def _is_by_script(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == "XMLHttpRequest"


def _trouble(error: LazyImagesError) -> str:
    if isinstance(error, RefusedName):
        return _("The name of this file is one that can have no sizes.")
    return _("The storage of the images does not answer. Try again in a moment.")


def _subject(
    admin: ModelAdmin[Any],
    request: HttpRequest,
    *,
    object_id: str,
    field: str,
    inline: str = "",
    pk: str = "",
) -> Subject:
    """Return what an address is about. 404 for what is not there, 403 for who may not see it."""
    top = admin.get_object(request, unquote(object_id))
    if top is None:
        raise Http404
    if not admin.has_view_or_change_permission(request, top):
        raise PermissionDenied
    row, may_change = top, admin.has_change_permission(request, top)
    shows: BaseModelAdmin[Any] = admin
    if inline:
        row, shows = _inline_row(admin, request, top, inline, unquote(pk))
        may_change = may_change and shows.has_change_permission(request, top)
    if not {field, SHOWN + field} & set(flatten_fieldsets(shows.get_fieldsets(request, top))):
        raise Http404  # a field that this form has not, or not for everybody
    try:
        known = row._meta.get_field(field)
    except FieldDoesNotExist as error:
        raise Http404 from error
    file = getattr(row, field) if isinstance(known, LazyImageField) else None
    if not file:
        raise Http404
    return Subject(admin=admin, top=top, file=file, may_change=may_change)


def _inline_row(
    admin: ModelAdmin[Any], request: HttpRequest, top: Model, label: str, pk: str
) -> tuple[Model, BaseModelAdmin[Any]]:
    for inline in admin.get_inline_instances(request, top):
        if inline.model._meta.label_lower != label:
            continue
        # The formset knows by what foreign key, or generic relation, its rows belong to the parent.
        formset = inline.get_formset(request, top)(instance=top, queryset=inline.get_queryset(request))
        try:
            row = formset.get_queryset().filter(pk=pk).first()
        except (ValueError, ValidationError) as error:
            raise Http404 from error
        if row is not None and inline.has_view_or_change_permission(request, top):
            return row, inline
    raise Http404


def _listing(name: str) -> Listing:
    settings = conf.settings()
    if not variants.keys_of(name):
        raise RefusedName(f"{name!r} can have no variants")
    found = {(variant.size, variant.format): variant for variant in variants.existing(name)}
    outputs = list(dict.fromkeys([keys.native_format(name), *settings.formats]))
    rows = [
        (str(size), [_cell(name, found.get((size, output))) for output in outputs])
        for size in settings.whitelist
    ]
    return Listing(
        formats=[output.name.upper() for output in outputs],
        rows=[(size, cells) for size, cells in rows if any(cells)],
        missing=[size for size, cells in rows if not any(cells)],
        count=len(found),
        possible=len(rows) * len(outputs),
        bytes=sum(variant.bytes or 0 for variant in found.values()),
    )


def _cell(name: str, variant: Variant | None) -> Cell | None:
    if variant is None:
        return None
    return Cell(url=markup.public_url(variant.key), bytes=variant.bytes, age=_age(variant.modified))


def _age(modified: datetime | None) -> str:
    if modified is None:
        return ""
    if timezone.now() - modified < timedelta(minutes=1):
        return _("just made")
    return _("%(time)s old") % {"time": timesince(modified, depth=1)}
