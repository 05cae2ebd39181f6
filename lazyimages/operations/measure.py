"""Measuring: dimensions and placeholders for rows that lack them, as an upload would have given them.

Dimensions are in the first 64 KiB of nearly every original, which is one ranged GET on S3.
"""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import quote

from django.db import models, router, transaction

from lazyimages.engines.base import Probe
from lazyimages.exceptions import LazyImagesError
from lazyimages.fields import LazyImageField
from lazyimages.operations import rows, run
from lazyimages.operations.measuring import headers, lacking, since
from lazyimages.operations.measuring.headers import Known
from lazyimages.operations.work import Batch, Outcome, Work

logger = logging.getLogger("lazyimages")

THREADS = 16  # which read at the same time
_BATCH = 500  # rows
_WHOLE = 4  # files in memory as a whole at the same time; of the others it is 64 KiB


class NothingToMeasure(LazyImagesError, ValueError):
    """No field that was asked for has a place for what was asked for."""


def work(
    fields: Sequence[str] = (),
    *,
    placeholder: bool = False,
    limit: int | None = None,
    newer: str = "",
    concurrency: int = THREADS,
) -> Work:
    """Return the work of measuring the rows of some fields, as "shop.Photo.image"; of all without any.

    `placeholder` fills placeholders too, which reads whole files; `limit` is how many rows at the most;
    `newer` is as for `since.condition`. Raises `UnknownField` and `NothingToMeasure`.
    """
    selected = _Selection(fields, placeholder=placeholder, limit=limit, newer=newer)
    return Work(
        name="lazyimages_measure",
        task="measure",
        unit="rows",
        what={"fields": selected.labels, "placeholder": placeholder, "limit": limit, "since": newer},
        batches=selected.batches,
        do=partial(do, concurrency=concurrency),
        look=partial(look, concurrency=concurrency),
        total=lambda: selected.total,
    )


def do(
    field: str, rows: Sequence[Sequence[str]], placeholder: bool = False, *, concurrency: int = THREADS
) -> Outcome:
    """Fill what some rows lack, each given by its primary key as text and by the name of its original.

    A row that was changed, filled or deleted meanwhile is skipped. The figures are `files` that were asked
    for, `whole_files` that were read to the end, and `bytes_read`.
    """
    return _measure(field, rows, placeholder=placeholder, concurrency=concurrency, write=True)


def look(
    field: str, rows: Sequence[Sequence[str]], placeholder: bool = False, *, concurrency: int = THREADS
) -> Outcome:
    """Return what `do` would, from the same reads, and write nothing."""
    return _measure(field, rows, placeholder=placeholder, concurrency=concurrency, write=False)


def store_dimensions(sender: object, *, original: str, probe: Probe, **kwargs: object) -> None:
    """Store what a render has found out: a receiver for `signals.variant_created`.

    Rows with this original that lack dimensions get them, by one UPDATE for each field that has a place for
    them. No signals of models are sent. What goes wrong is logged, and nothing is raised.
    """
    for field in rows.fields():
        if not lacking.dimension_names(field):
            continue
        try:
            values = lacking.values(field, probe.width, probe.height)
            using = router.db_for_write(field.model)
            with transaction.atomic(using=using):  # an error must not spoil a transaction around the view
                same = _all_rows(field, using).filter(**{field.attname: original})
                same.filter(lacking.dimensions(field)).update(**values)
        except Exception:  # whatever a database raises: the variant is made, and somebody waits for it
            logger.exception("dimensions not stored: %s", quote(original, safe="/~"))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """A row of a batch, and what it lacks."""

    key: Any
    name: str
    dimensions: bool
    placeholder: bool


class _Selection:
    """The rows that lack something, in batches."""

    def __init__(self, names: Sequence[str], *, placeholder: bool, limit: int | None, newer: str) -> None:
        self._placeholder, self._limit = placeholder, limit
        self._rows = {
            rows.label(field): _selection(field, placeholder, newer) for field in _chosen(names, placeholder)
        }
        self.labels = list(self._rows)
        self.total: int | None = None

    def batches(self, cursor: Any) -> Iterator[Batch]:
        """Yield batches; a cursor is a field, the last primary key of it, and how many rows are done."""
        label, last, done = cursor or (self.labels[0], None, 0)
        left = self.labels[self.labels.index(label) :]
        rest = self._rows[label]
        if last is not None:
            last = lacking.key(rest.model, last)
            rest = rest.filter(pk__gt=last)
        in_all = done + rest.count() + sum(self._rows[each].count() for each in left[1:])
        self.total = in_all if self._limit is None else min(in_all, self._limit)
        for each in left:
            for part in self._parts(each, last if each == label else None):
                part = part if self._limit is None else part[: self._limit - done]
                if not part:
                    return
                done += len(part)
                yield Batch(
                    arguments={"field": each, "rows": part, "placeholder": self._placeholder},
                    items=len(part),
                    cursor=[each, part[-1][0], done],
                )

    def _parts(self, label: str, after: Any) -> Iterator[list[list[str]]]:
        field, selected = rows.find(label), self._rows[label]
        for page in rows.pages(selected, [field.attname], after):
            pairs = ([lacking.key_text(field.model, key), str(name)] for key, name in page)
            while part := list(islice(pairs, _BATCH)):
                yield part


def _chosen(names: Sequence[str], placeholder: bool) -> list[LazyImageField]:
    """Return the fields to be measured; those that are named have to have a place for it."""
    fields = [rows.find(name) for name in names] or rows.fields()
    able = [
        field
        for field in fields
        if lacking.dimension_names(field) or (placeholder and field.placeholder_field)
    ]
    unable = [rows.label(field) for field in fields if field not in able]
    if unable and (names or not able):
        raise NothingToMeasure(
            f"{', '.join(unable)}: no place for dimensions. Give the field width_field and height_field "
            "(or placeholder_field, for --placeholder), and run makemigrations and migrate."
        )
    if not able:
        raise NothingToMeasure("no model has a LazyImageField")
    return able


def _selection(field: LazyImageField, placeholder: bool, newer: str) -> models.QuerySet[Any]:
    lacks = lacking.dimensions(field)
    if placeholder and field.placeholder_field:
        lacks |= lacking.placeholder(field)
    selected = rows.chosen(field).filter(lacks)
    return selected.filter(since.condition(field.model, newer)) if newer else selected


def _all_rows(field: LazyImageField, using: str) -> models.QuerySet[Any]:
    # A project's own manager may hide rows.
    return models.QuerySet(field.model, using=using)


def _measure(
    label: str, given: Sequence[Sequence[str]], *, placeholder: bool, concurrency: int, write: bool
) -> Outcome:
    field = rows.find(label)
    using = router.db_for_write(field.model)
    wanted = _still_lacking(field, using, given, placeholder=placeholder)
    names: dict[str, bool] = {}  # each once, and whether one of its rows lacks the placeholder
    for row in wanted:
        names[row.name] = row.placeholder or names.get(row.name, False)
    found = _read(names, concurrency)
    done, failures, failed = 0, 0, dict[str, str]()
    with transaction.atomic(using=using):
        for row in wanted:
            try:
                updates = _updates(field, found[row.name], row)
            except ValueError as error:
                failures += 1
                name, key = _printable(row.name), lacking.key_text(field.model, row.key)
                # Rows may share a file.
                failed[name] = f"{failed[name]}, {key}" if name in failed else f"{error} ({label} of {key}"
                continue
            same = _all_rows(field, using).filter(**{"pk": row.key, field.attname: row.name})
            # Somebody may have filled a part of it meanwhile.
            filled = [same.filter(lacks).update(**values) if write else 1 for lacks, values in updates]
            done += any(filled)
    return Outcome(
        done=done,
        skipped=len(given) - done - failures,
        failed={name: f"{why})" for name, why in failed.items()},
        figures={
            "files": len(found),
            "whole_files": sum(known.whole for known in found.values()),
            "bytes_read": sum(known.bytes for known in found.values()),
        },
    )


def _still_lacking(
    field: LazyImageField, using: str, given: Sequence[Sequence[str]], *, placeholder: bool
) -> list[_Row]:
    """Return the rows that have the same image as when they were listed, and lack something now."""
    names = {lacking.key(field.model, key): name for key, name in given}
    there = _all_rows(field, using).filter(pk__in=list(names)).order_by("pk")
    dimensions, blur = lacking.dimensions(field), models.Q()
    if placeholder and field.placeholder_field:
        blur = lacking.placeholder(field)
    unsized, unblurred = (
        set(there.filter(lacks).values_list("pk", flat=True)) if lacks else set()
        for lacks in (dimensions, blur)
    )
    return [
        _Row(key=key, name=name, dimensions=key in unsized, placeholder=key in unblurred)
        for key, name in there.values_list("pk", field.attname)
        if name == names.get(key) and key in unsized | unblurred
    ]


def _read(names: Mapping[str, bool], concurrency: int) -> dict[str, Known]:
    """Read originals, each once; by name whether its placeholder is wanted."""
    room = threading.Semaphore(_WHOLE)

    def read(name: str) -> Known:
        return headers.read(name, placeholder=names[name], room=room)

    with run.threads(concurrency) as over:
        return dict(zip(names, over(read, names), strict=True))


def _updates(field: LazyImageField, known: Known, row: _Row) -> list[tuple[models.Q, dict[str, Any]]]:
    """Return what to update, and where it is still lacking. `ValueError` says why there is nothing."""
    if known.error:
        raise ValueError(known.error)
    updates: list[tuple[models.Q, dict[str, Any]]] = []
    if row.dimensions:
        updates.append((lacking.dimensions(field), lacking.values(field, known.width, known.height)))
    if row.placeholder:
        updates.append((lacking.placeholder(field), lacking.text(field, known.placeholder)))
    return updates


def _printable(name: str) -> str:
    return name if name.isprintable() else quote(name, safe="/~ ", errors="replace")
