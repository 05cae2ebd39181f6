"""A shop's files below a directory and its rows in SQLite, growing from one point of the curve to the next.

All files are links to a few, which makes a million of them within a minute.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks.operations.layout import Layout
from benchmarks.operations.layout import folder as folder_of

_LINKS = 50_000  # of one file; ext4 allows 65,000
_TABLE = """
CREATE TABLE IF NOT EXISTS operations_photo (
    id INTEGER PRIMARY KEY AUTOINCREMENT, image VARCHAR(100) NOT NULL,
    width INTEGER UNSIGNED, height INTEGER UNSIGNED
)
"""


def tiny_jpeg() -> bytes:
    """Return a whole JPEG of 2 × 2 pixels."""
    buffer = BytesIO()
    Image.new("L", (2, 2), 90).save(buffer, "JPEG", quality=60, optimize=True)
    return buffer.getvalue()


def grow(folder: Path, layout: Layout) -> None:
    """Make what is missing of a layout's files and rows, and forget what has been measured."""
    rows(folder, layout)
    files(folder, layout)


def rows(folder: Path, layout: Layout) -> None:
    """Make the rows of a layout, all without dimensions."""
    with closing(sqlite3.connect(folder / "rows.sqlite3")) as db, db:
        db.execute(_TABLE)
        (there,) = db.execute("SELECT COUNT(*) FROM operations_photo").fetchone()
        names = ((layout.original(number),) for number in range(there, layout.originals))
        db.executemany("INSERT INTO operations_photo (image) VALUES (?)", names)
        db.execute("UPDATE operations_photo SET width = NULL, height = NULL WHERE width IS NOT NULL")


def files(folder: Path, layout: Layout) -> None:
    """Make the files of a layout that are not there."""
    sources = _sources(folder / "sources")
    media = folder / "media"
    media.mkdir(exist_ok=True)
    for product in range(layout.products):
        made: set[str] = set()
        for name in layout.names(product):
            directory = name.rpartition("/")[0]
            if directory not in made:
                (media / directory).mkdir(parents=True, exist_ok=True)
                made.add(directory)
            with suppress(FileExistsError):
                os.link(next(sources), media / name)


def _sources(folder: Path) -> Iterator[Path]:
    """Yield files to link to, each so often as a file system allows it."""
    folder.mkdir(parents=True, exist_ok=True)
    data, number = tiny_jpeg(), 0
    while True:
        path = folder / f"{number}.jpg"
        path.touch()
        if not path.stat().st_size:
            path.write_bytes(data)
        for _ in range(_LINKS - path.stat().st_nlink):
            yield path
        number += 1


def restore(folder: Path, layout: Layout, size: str) -> None:
    """Make the files of one size again as the layout has them, and remove all others of it."""
    sources = _sources(folder / "sources")
    media = folder / "media"
    for product in range(layout.products):
        directory = f"{folder_of(product)}/{size}"
        wanted = {name for name in layout.names(product) if name.startswith(f"{directory}/")}
        there = {f"{directory}/{path.name}" for path in (media / directory).glob("*")}
        for name in there - wanted:
            (media / name).unlink()
        for name in wanted - there:
            (media / directory).mkdir(exist_ok=True)
            os.link(next(sources), media / name)
