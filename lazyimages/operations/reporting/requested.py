"""How many of the stored variants access logs ask for."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from lazyimages.operations.inventory import Say
from lazyimages.operations.warming import requests

_PORTION = 5000  # keys of a log that are put in together


@dataclass(frozen=True, kw_only=True, slots=True)
class Requested:
    """What access logs say: their requests, for how many variants, and how many of the stored those are."""

    lines: int
    variants: int
    stored: int
    asked: int


def read(db: sqlite3.Connection, logs: Sequence[Path], stored: int, say: Say) -> Requested:
    """Read logs, and compare them with the variants of an inventory, of which `stored` are allowed."""
    db.execute("CREATE TABLE requested (key TEXT PRIMARY KEY) WITHOUT ROWID")
    number = 0
    for path in logs:
        try:
            with path.open("rb") as file:
                found = (str(key) for key in requests.variants(file) if key)
                while portion := [(key,) for key in islice(found, _PORTION)]:
                    db.execute("BEGIN")
                    db.executemany("INSERT OR IGNORE INTO requested VALUES (?)", portion)
                    db.execute("COMMIT")
                    number += len(portion)
                    say("requests in logs", number)
        except OSError as error:
            raise requests.UnreadableList(f"{path} cannot be read: {error}") from error
    (variants,) = db.execute("SELECT count(*) FROM requested").fetchone()
    (asked,) = db.execute(
        "SELECT count(*) FROM requested r JOIN variants v ON v.key = r.key "
        "JOIN originals o ON o.name = v.original"
    ).fetchone()
    return Requested(lines=number, variants=variants, stored=stored, asked=asked)
