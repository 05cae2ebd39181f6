"""Fields by their names, rows by conditions, and names a page at a time."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lazyimages.operations import rows
from lazyimages.operations.rows import UnknownField
from tests.host.models import Album, Blurred, Photo, SmallBlurred

pytestmark = pytest.mark.django_db


def bulk(number: int, model: Any = Photo, column: str = "image") -> None:
    model.objects.bulk_create(model(**{column: f"produs_1/{n:05}.jpg"}) for n in range(number))


def test_every_field_once() -> None:
    labels = [rows.label(field) for field in rows.fields()]
    assert {"host.Photo.image", "host.Album.cover", "host.Blurred.image", "marketplace.Photo.image"} <= {
        *labels
    }
    assert len(labels) == len(set(labels))
    assert not any(SmallBlurred.__name__ in label or "Plain" in label for label in labels)


@pytest.mark.parametrize("text", ["host.Photo.image", "host.photo.image", "host.Photo", "HOST.PHOTO"])
def test_find(text: str) -> None:
    assert rows.find(text) is Photo._meta.get_field("image")


@pytest.mark.parametrize("text", ["host.Photo.width", "host.PlainPhoto.image", "nothing", "", "image"])
def test_an_unknown_field_names_the_choices(text: str) -> None:
    with pytest.raises(UnknownField, match=r"is no field for images\. Choose from: .*host\.Photo\.image"):
        rows.find(text)


def test_conditions() -> None:
    field = rows.find("host.Album")
    for title, cover in (("a", "covers/a.jpg"), ("b", "covers/b.jpg"), ("c", "")):
        Album.objects.create(title=title, cover=cover)
    assert rows.chosen(field).count() == 2, "a row without an image is none of them"
    assert rows.chosen(field, ["title=b"]).get().title == "b"
    assert rows.chosen(field, ["title__in=a,b,c", "title__gt=a"]).get().title == "b"


@pytest.mark.parametrize(
    ("lookup", "message"),
    [
        ("title", "'title' is no condition. Write it like"),
        ("=x", "is no condition"),
        ("nothing=1", "host.Album.cover has no such rows: Cannot resolve keyword 'nothing'"),
        ("pk=x", "host.Album.cover has no such rows"),
        ("title__like=x", "host.Album.cover has no such rows"),
    ],
)
def test_bad_conditions(lookup: str, message: str) -> None:
    with pytest.raises(UnknownField) as error:
        rows.chosen(rows.find("host.Album"), [lookup])
    assert message in str(error.value)


def test_pages_are_flat_and_go_on_after_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PAGE", 10)
    bulk(25)
    chosen = rows.chosen(rows.find("host.Photo"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = list(rows.pages(chosen, ["image"]))
    assert [len(page) for page in found] == [10, 10, 5]
    assert len(queries) == 3
    together = [row for page in found for row in page]
    assert [name for _, name in together] == [f"produs_1/{n:05}.jpg" for n in range(25)]
    rest = [row for page in rows.pages(chosen, ["image"], after=together[16][0]) for row in page]
    assert rest == together[17:]


def test_rows_that_go_meanwhile_hide_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PAGE", 10)
    bulk(30)
    seen: list[str] = []
    for page in rows.pages(rows.chosen(rows.find("host.Photo")), ["image"]):
        seen += [name for _, name in page]
        Photo.objects.filter(pk__in=[pk for pk, _ in page[:5]]).delete()
    assert len(seen) == 30


def test_newest() -> None:
    bulk(5)
    newest = rows.newest(rows.chosen(rows.find("host.Photo")), ["image"], 2)
    assert [name for page in newest for _, name in page] == ["produs_1/00004.jpg", "produs_1/00003.jpg"]


def test_the_newest_of_many_are_one_query(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    """A list of their keys in each query would be too long for a database, and slow."""
    monkeypatch.setattr(rows, "PAGE", 10)
    bulk(45)
    with django_assert_num_queries(1):
        pages = list(rows.newest(rows.chosen(rows.find("host.Photo")), ["image"], 42))
    assert [len(page) for page in pages] == [10, 10, 10, 10, 2]


@pytest.mark.parametrize(
    ("lookup", "number"),
    [("width__isnull=true", 3), ("width__isnull=0", 0), ("image__range=produs_1/00001,produs_1/00002", 1)],
)
def test_lookups_that_take_no_text(lookup: str, number: int) -> None:
    bulk(3)
    assert rows.chosen(rows.find("host.Photo"), [lookup]).count() == number


def test_a_value_that_django_refuses_only_as_sql() -> None:
    with pytest.raises(rows.UnknownField, match="isnull lookup must be True or False"):
        rows.chosen(rows.find("host.Photo"), ["width__isnull=maybe"])


def test_all_names() -> None:
    bulk(2)
    bulk(1, Album, "cover")
    Blurred.objects.create(image="")
    fields = [rows.find(name) for name in ("host.Photo", "host.Album", "host.Blurred")]
    found = {name: label for page in rows.all_names(fields) for name, label in page.items()}
    assert found == {
        "produs_1/00000.jpg": "host.Album.cover",
        "produs_1/00001.jpg": "host.Photo.image",
    }
