"""What the objects of a bucket are, by one listing."""

import sqlite3
from typing import Any

import pytest

from lazyimages import storage
from lazyimages.operations.inventory import Inventory, NoRoom, can_have_variants
from tests.conftest import BUCKET

OBJECTS = {
    "produs_1/img.AZ70KuRzw9.jpg": "originals",
    "produs_1/360x270/img.AZ70KuRzw9.jpg": "variants",
    "produs_1/360x270/img.AZ70KuRzw9.jpg.webp": "variants",
    "produs_1/360x270/gone.AZ70KuRzw9.jpg": "variants",
    "produs_1/360x270/readme.txt": "others",
    "produs_1/thumb/img.AZ70KuRzw9.jpg": "originals",
    "480h/a.png": "variants",
    "a.png": "originals",
    "a.jpg.webp": "originals",
    "catalogue.pdf": "others",
    "scan.tiff": "originals",
    "scan.TIF": "originals",
    "1280w/scan.tiff.jpg": "variants",
    "incoming/480h/x.jpg": "variants",
    "incoming/x.jpg": "others",
}


@pytest.fixture
def together(settings: Any) -> None:
    settings.STORAGES = {**settings.STORAGES, "lazyimages": settings.STORAGES["default"]}


def names(inventory: Inventory, table: str) -> list[str]:
    column = "key" if table == "variants" else "name"
    return [name for (name,) in inventory.db.execute(f"SELECT {column} FROM {table} ORDER BY 1")]


@pytest.mark.parametrize("place", ["together", "s3"])
def test_what_each_object_is(place: str, request: pytest.FixtureRequest, s3_calls: list[str]) -> None:
    request.getfixturevalue(place)
    for name in OBJECTS:
        storage.put_variant(name, b"x" * len(name), "image/jpeg")
    s3_calls.clear()
    said: list[tuple[str, int]] = []
    with Inventory() as inventory:
        inventory.take(say=lambda what, number: said.append((what, number)))
        for table in ("originals", "variants", "others"):
            assert names(inventory, table) == sorted(name for name in OBJECTS if OBJECTS[name] == table)
        found = next(inventory.select("v.size = ?", ["1280w"]))
    assert (found.key, found.original, found.format) == ("1280w/scan.tiff.jpg", "scan.tiff", "jpeg")
    assert (found.bytes, found.modified is not None) == (len(found.key), True)
    assert said == [("names", len(OBJECTS))]
    assert s3_calls == (["ListObjectsV2"] if place == "s3" else [])


def test_in_two_storages() -> None:
    storage.put_original("a/b.jpg", b"1", "image/jpeg")
    storage.put_original("a/480h/odd.jpg", b"1", "image/jpeg")
    storage.put_variant("a/480h/b.jpg", b"1", "image/jpeg")
    storage.put_variant("a/banner.jpg", b"1", "image/jpeg")
    with Inventory() as inventory:
        inventory.take()
        assert names(inventory, "originals") == ["a/480h/odd.jpg", "a/b.jpg"]
        assert names(inventory, "variants") == ["a/480h/b.jpg"]
        assert names(inventory, "others") == ["a/banner.jpg"]
        inventory.put_rows([{"a/b.jpg": "host.Photo.image"}, {"a/c.jpg": "host.Photo.image"}])
        assert names(inventory, "rows") == ["a/b.jpg", "a/c.jpg"]


def test_below_a_prefix(s3: Any, s3_calls: list[str]) -> None:
    for number in range(3):
        s3.put_object(Bucket=BUCKET, Key=f"produs_{number}/480h/a.jpg", Body=b"x")
    s3_calls.clear()
    with Inventory() as inventory:
        inventory.take("produs_1/")
        assert names(inventory, "variants") == ["produs_1/480h/a.jpg"]
    assert s3_calls == ["ListObjectsV2"]


def test_questions_inside_of_an_answer() -> None:
    """Who goes through the variants may delete them from the table meanwhile, or ask for something else."""
    for number in range(50):
        storage.put_variant(f"480h/{number:02}.jpg", b"x", "image/jpeg")
    with Inventory() as inventory:
        inventory.take()
        seen = 0
        for found in inventory.select():
            inventory.db.execute("INSERT OR IGNORE INTO rows VALUES (?, '')", [found.original])
            seen += inventory.db.execute("SELECT count(*) FROM rows").fetchone()[0] > 0
        assert seen == 50


def test_no_room_is_said_with_the_remedy() -> None:
    with Inventory() as inventory:
        pages = inventory.db.execute("PRAGMA page_count").fetchone()[0]
        inventory.db.execute(f"PRAGMA max_page_count = {pages + 4}")
        with pytest.raises(NoRoom, match="SQLITE_TMPDIR"):
            inventory.put_rows([{f"{number:0200}.jpg": "x" for number in range(1000)}])


def test_it_is_gone_afterwards() -> None:
    with Inventory() as inventory:
        db = inventory.db
    with pytest.raises(sqlite3.ProgrammingError):
        db.execute("SELECT 1")


@pytest.mark.parametrize(("name", "can"), [("a/b.jpg", True), ("a/480h/b.jpg", False), ("b.jpg.webp", False)])
def test_names_that_can_have_variants(name: str, can: bool) -> None:
    assert can_have_variants(name) is can
