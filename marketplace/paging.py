"""Keyset paging: a page begins where the one before it ended, so the thousandth costs what the first does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models import F, Func, Value
from django.http import HttpRequest

PARAMETER = "page"
# See `page`: the more, the sooner PostgreSQL reads a search index; the fewer, the less is read for a page.
WINDOW = 500
_LONGEST = 300  # characters; no cursor of ours comes near it


@dataclass(frozen=True, kw_only=True)
class Order:
    """A total order of rows: by one value, and by the primary key where the values are equal.

    `field` is the kind of the value; both go in the same direction, so that one index serves both ways.
    """

    name: str
    by: str
    field: models.Field[Any, Any]
    descending: bool = False

    def sort(self, rows: models.QuerySet[Any], *, backward: bool = False) -> models.QuerySet[Any]:
        """Return the rows in this order, or in the opposite one."""
        sign = "-" if self.descending != backward else ""
        return rows.order_by(f"{sign}{self.by}", f"{sign}pk")


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some rows in their order, and the cursors of the neighbouring pages; empty where there is none."""

    rows: list[Any]
    next: str = ""
    previous: str = ""

    def urls(self, request: HttpRequest) -> dict[str, str]:
        """Return the addresses of the neighbouring pages, for a template: the request's with a cursor."""
        return {
            "next_url": _address(request, self.next),
            "previous_url": _address(request, self.previous),
        }


class _Beyond(Func):
    """A comparison of rows, `(created, id) < (…, …)`: an index finds its place by both at once."""

    output_field = models.BooleanField()

    def __init__(self, order: Order, value: Any, pk: int, *, backward: bool) -> None:
        values = Value(value, output_field=order.field), Value(pk, output_field=models.BigIntegerField())
        super().__init__(F(order.by), F("pk"), *values)
        self.sign = "<" if order.descending != backward else ">"

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:
        compiled = [compiler.compile(expression) for expression in self.get_source_expressions()]
        texts = [sql for sql, _ in compiled]
        parameters = [parameter for _, own in compiled for parameter in own]
        return f"({texts[0]}, {texts[1]}) {self.sign} ({texts[2]}, {texts[3]})", parameters


def page(
    rows: models.QuerySet[Any],
    order: Order,
    cursor: str,
    size: int,
    *,
    fetch: models.QuerySet[Any] | None = None,
) -> Page:
    """Return the page that a cursor leads to, in one query; the first one when it leads nowhere.

    A cursor that was tampered with, cut off or made for another order is no error, and neither is one whose
    rows are gone: those cost a second query.

    `fetch`, all rows without a condition, is for conditions of which an index in the page's order knows
    nothing, such as words. PostgreSQL then believes that what matches is spread evenly over the order, walks
    along it, and reads nearly everything when all of it is at the far end. So the ids of 500 rows are asked
    for first, in the same query, which makes it look for the words unless they are everywhere.
    """
    place = _read(order, cursor)
    if place is None:
        found = _take(rows, order, size, fetch)
        goes_on = len(found) > size
        found = found[:size]
        return Page(rows=found, next=cursor_at(found[-1], order, "after") if goes_on else "")
    way, value, pk = place
    backward = way == "before"
    beyond = rows.filter(_Beyond(order, value, pk, backward=backward))
    found = _take(beyond, order, size, fetch, backward=backward)
    if not found or (backward and len(found) < size):
        return page(rows, order, "", size, fetch=fetch)
    goes_on = len(found) > size
    found = found[:size]
    if backward:
        found.reverse()
    return Page(
        rows=found,
        next=cursor_at(found[-1], order, "after") if backward or goes_on else "",
        previous=cursor_at(found[0], order, "before") if not backward or goes_on else "",
    )


def _take(
    rows: models.QuerySet[Any],
    order: Order,
    size: int,
    fetch: models.QuerySet[Any] | None,
    *,
    backward: bool = False,
) -> list[Any]:
    """Return a page's rows, and one more if there is one."""
    found = order.sort(rows, backward=backward)
    if fetch is not None:
        found = order.sort(fetch.filter(pk__in=found.values("pk")[:WINDOW]), backward=backward)
    return list(found[: size + 1])


def cursor_of(request: HttpRequest) -> str:
    """Return the cursor that a request carries, whatever it is worth."""
    return request.GET.get(PARAMETER, "")


def cursor_at(row: Any, order: Order, way: str) -> str:
    """Return the cursor of the page `after` or `before` a row."""
    return _signer(order).sign_object([way, str(getattr(row, order.by)), row.pk])


def _signer(order: Order) -> Signer:
    return Signer(sep=".", salt=f"marketplace.paging.{order.name}")


def _read(order: Order, cursor: str) -> tuple[str, Any, int] | None:
    if not cursor or len(cursor) > _LONGEST:
        return None
    try:
        way, value, pk = _signer(order).unsign_object(cursor)
        return way, order.field.to_python(value), pk
    except (BadSignature, ValidationError):
        return None


def _address(request: HttpRequest, cursor: str) -> str:
    if not cursor:
        return ""
    query = [(name, value) for name, values in request.GET.lists() for value in values if name != PARAMETER]
    return f"{request.path}?{urlencode([*query, (PARAMETER, cursor)])}"
