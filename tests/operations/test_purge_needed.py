"""`lazyimages_purge` and files that somebody needs, though a listing does not show it."""

from typing import Any

import pytest
from django.core.management import CommandError

from lazyimages import storage
from lazyimages.operations import purge as operation
from tests.host.models import Bare, Photo, PlainPhoto
from tests.operations.shelves import BOWL, DAY, VASE, age, left, purge, put, put_originals
from tests.test_cleanup import second_database

pytestmark = pytest.mark.django_db

OF_BOWL = "produs_1/480h/bowl.aaaaaaaaaa.jpg"
THUMBNAIL = "produs_1/100x100/bowl.aaaaaaaaaa.jpg"


@pytest.fixture(autouse=True)
def shelf(lazy: Any) -> None:
    """A photo of a row, with a variant."""
    lazy(PRESETS={}, SIZES=["480h", "100x100"])
    put_originals(BOWL)
    Photo.objects.create(image=BOWL, width=1, height=1)
    put(OF_BOWL)


@pytest.mark.django_db(transaction=True)
def test_a_row_in_another_database(shelf: None) -> None:
    """As in a project with a database for each customer, and no router."""
    put_originals(VASE, "produs_3/jug.cccccccccc.jpg")
    age(31 * DAY, VASE, "produs_3/jug.cccccccccc.jpg")
    with second_database() as second:
        Bare.objects.using(second).create(image=VASE)
        said = purge("--orphans", "--delete-originals")
        assert "0 variants (0 bytes) and 1 original." in said
        assert "Originals that no row points to: 1 (100 bytes)" in said
        assert operation.do(originals=[VASE]).skipped == 1, "also when the row came after the listing"
    assert left() == {BOWL, OF_BOWL, VASE}


def test_a_database_of_another_project() -> None:
    """Such as a new one, or that of tests, with the storages of the real shop."""
    Photo.objects.update(image="produs_1/jug.cccccccccc.jpg")
    age(31 * DAY, BOWL)
    for options in (["--dry-run"], []):
        with pytest.raises(CommandError, match="do not seem to belong together"):
            purge("--orphans", "--delete-originals", *options)
    assert left() == {BOWL, OF_BOWL}
    assert purge("--orphans", "--delete-originals", "--original", BOWL).startswith("Deleted 1 variant ")


def test_a_prefix_without_rows_is_no_other_project() -> None:
    put_originals(VASE)
    age(31 * DAY, VASE)
    said = purge("--orphans", "--delete-originals", "--prefix", "produs_2/")
    assert said.startswith("Deleted 0 variants (0 bytes) and 1 original.")
    assert left() == {BOWL, OF_BOWL}


def test_a_new_copy_of_an_old_file() -> None:
    """As when the focal point is moved in a transaction that is still open."""
    age(31 * DAY, BOWL)
    storage.copy_original(BOWL, VASE)
    said = purge("--orphans", "--delete-originals")
    assert "1 (100 bytes), 0 of them older" in said
    assert VASE in left()


@pytest.mark.parametrize(
    "options", [["--all"], ["--sizes", "100x100"], ["--original", BOWL], ["--orphans"]], ids=" ".join
)
def test_a_rows_own_file_with_a_name_like_a_key(options: list[str]) -> None:
    """A thumbnail that the shop made itself before, in a field of Django's own."""
    put(THUMBNAIL)
    PlainPhoto.objects.create(image=THUMBNAIL)
    if options == ["--orphans"]:
        Photo.objects.all().delete()
        storage.delete_originals([BOWL])
    purge(*options)
    assert THUMBNAIL in left()
    PlainPhoto.objects.all().delete()
    purge(*options)
    assert THUMBNAIL not in left()


def test_many_originals_are_asked_for_by_what_their_keys_are_like() -> None:
    put(THUMBNAIL)
    PlainPhoto.objects.create(image=THUMBNAIL)
    purge("--original", BOWL, *[f"produs_5/{number:03}.jpg" for number in range(251)])
    assert left() == {BOWL, THUMBNAIL}
