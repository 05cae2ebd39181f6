"""A survey: an inventory of the storages and of the names in rows, and what in it does not fit together."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from typing import Any

from django.db import models, router

from lazyimages import keys, needs, storage
from lazyimages.operations import rows
from lazyimages.operations.inventory import Inventory, Say, room

_ASKED_AGAIN = 500  # names in a query

# Conditions in SQL: of a name in a row, as `r`, of which there is no file; of an original, as `o`, that no
# row points to and that was there before a moment.
MISSING = (
    "r.field IN (SELECT field FROM image_fields) "
    "AND NOT EXISTS (SELECT 1 FROM originals WHERE name = r.name) "
    "AND NOT EXISTS (SELECT 1 FROM variants WHERE key = r.name) "
    "AND NOT EXISTS (SELECT 1 FROM others WHERE name = r.name)"
)
UNUSED = "NOT EXISTS (SELECT 1 FROM rows WHERE name = o.name) AND coalesce(o.modified < ?, 1)"

# What a variant is, as `v`, with its original, as `o`. Purge deletes orphans, and leaves alone what has a row
# that still points to its original, and what nobody knows.
KNOWN, LOST, ORPHAN, STRANGER = "known", "lost", "orphan", "stranger"
STATE = (
    f"CASE WHEN o.name IS NOT NULL THEN '{KNOWN}' "  # noqa: S608
    f"WHEN EXISTS (SELECT 1 FROM rows WHERE name = v.original) THEN '{LOST}' "
    f"WHEN is_own(v.original) THEN '{ORPHAN}' ELSE '{STRANGER}' END"
)
VARIANTS = "variants v LEFT JOIN originals o ON o.name = v.original"


def fill(inventory: Inventory, say: Say) -> float:
    """Put names of rows and what is stored into an inventory; return when that began.

    Rows come first: a photo that is uploaded meanwhile is then one without a row, and young, by which it is
    told apart. One that is deleted meanwhile is asked for again.
    """
    began, number = time.time(), 0

    def told(pages: Iterator[Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
        nonlocal number
        for page in pages:
            number += len(page)
            say("names in rows", number)
            yield page

    # Of a name that several fields have, the first counts: those for images.
    images = image_fields()
    others = [field for field in needs.file_fields() if field not in images]
    inventory.put_rows(told(rows.all_names([*images, *others])))
    # A picture for rows without one of their own is needed as well, and may be anywhere.
    defaults = (str(field.get_default() or "") for field in (*images, *others) if field.has_default())
    inventory.put_rows([{name: "" for name in defaults if name}])
    inventory.db.execute("CREATE TABLE image_fields (field TEXT PRIMARY KEY) WITHOUT ROWID")
    inventory.db.executemany("INSERT INTO image_fields VALUES (?)", [(label(field),) for field in images])
    inventory.db.create_function("is_own", 1, keys.is_own, deterministic=True)
    inventory.take(say=say)
    with room():
        for field in images:
            _ask_again(inventory.db, field)
    return began


def missing(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """Yield the names in rows of which there is no file, and the field of each."""
    yield from inventory.db.execute(f"SELECT name, field FROM rows r WHERE {MISSING} ORDER BY name")  # noqa: S608


def unused(inventory: Inventory, before: float) -> Iterator[str]:
    """Yield the names of originals that no row points to, and that were there before a moment."""
    found = inventory.db.execute(f"SELECT name FROM originals o WHERE {UNUSED} ORDER BY name", (before,))  # noqa: S608
    return (name for (name,) in found)


def without_original(inventory: Inventory, state: str) -> Iterator[str]:
    """Yield the keys of variants whose original is not there: LOST, ORPHAN or STRANGER."""
    query = f"SELECT v.key FROM {VARIANTS} WHERE o.name IS NULL AND {STATE} = ? ORDER BY v.key"  # noqa: S608
    return (key for (key,) in inventory.db.execute(query, (state,)))


def image_fields() -> list[models.FileField]:
    """Return the fields for images whose files are in the storage of the originals, ours first."""
    ours: list[models.FileField] = list(rows.fields())
    plain = [
        field
        for field in needs.file_fields()
        if isinstance(field, models.ImageField)
        and field not in ours
        and field.storage == storage.originals_storage
    ]
    return [*ours, *plain]


def label(field: models.FileField) -> str:
    """Return a field's name: "shop.Photo.image"."""
    return f"{field.model._meta.label}.{field.name}"


def _ask_again(db: sqlite3.Connection, field: models.FileField) -> None:
    """Take names out whose row has gone since it was read, for its file may have gone with it."""
    last = ""
    while True:
        lost = db.execute(
            f"SELECT r.name FROM rows r WHERE r.field = ? AND r.name > ? AND {MISSING} "  # noqa: S608
            "ORDER BY r.name LIMIT ?",
            (label(field), last, _ASKED_AGAIN),
        )
        names = [name for (name,) in lost]
        if not names:
            return
        rows_there: models.QuerySet[Any] = models.QuerySet(field.model, using=router.db_for_read(field.model))
        there = rows_there.filter(**{f"{field.attname}__in": names}).values_list(field.attname, flat=True)
        gone = set(names).difference(map(str, there))
        db.executemany("DELETE FROM rows WHERE name = ?", [(name,) for name in gone])
        last = names[-1]
