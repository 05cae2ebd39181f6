"""`lazyimages_purge --orphans`: variants whose original is gone, and originals that no row needs."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.storage import InMemoryStorage
from django.core.management import CommandError
from django.db import models

from lazyimages import storage
from lazyimages.operations import purge as operation
from lazyimages.operations.purge import Purge
from lazyimages.operations.purging.choosing import Choice
from tests.aws.conftest import _one_loader as _one_loader  # S3 clients in less time
from tests.host.models import Photo, PlainPhoto
from tests.operations.shelves import BOWL, DAY, FOREIGN, VASE, age, left, purge, put, put_originals

pytestmark = pytest.mark.django_db

GONE = "produs_3/gone.cccccccccc.f1020.jpg"
LOST = "produs_4/lost.dddddddddd.jpg"
ORPHANS = ["produs_3/480h/gone.cccccccccc.f1020.jpg", "produs_3/99w/gone.cccccccccc.f1020.jpg.webp"]
STRANGER = "produs_3/480h/dsc0001.jpg"
SEPARATE = "separate"


@pytest.fixture(params=["files", "s3"])
def bucket(request: pytest.FixtureRequest, lazy: Callable[..., None]) -> None:
    """Rows and files in every relation: together on S3, apart on disk."""
    if request.param == "s3":
        request.getfixturevalue("s3")
    lazy(PRESETS={})
    put_originals(BOWL, VASE)
    Photo.objects.create(image=BOWL, width=1, height=1)
    Photo.objects.create(image=LOST, width=1, height=1)
    put("produs_1/480h/bowl.aaaaaaaaaa.jpg", "produs_2/480h/vase.bbbbbbbbbb.jpg")
    put("produs_4/480h/lost.dddddddddd.jpg")
    put(*ORPHANS, STRANGER, *FOREIGN)


def test_variants_whose_original_is_gone(bucket: None) -> None:
    before = left()
    assert purge("--orphans", "--dry-run").startswith("Would delete 2 variants (20 bytes).")
    assert left() == before

    said = purge("--orphans")

    assert before - left() == set(ORPHANS)
    assert "Deleted 2 variants (20 bytes)." in said
    assert "1 variant whose original is gone though a row points to it." in said
    assert "2 that look like variants, of no known original, such as banners/480w/summer.jpg." in said
    assert "Originals that no row points to: 1 (100 bytes), 0 of them older than 30 days." in said


def test_with_other_filters(bucket: None) -> None:
    before = left()

    purge("--orphans", "--formats", "webp", "--prefix", "produs_3/")
    assert before - left() == {ORPHANS[1]}
    purge("--orphans", "--original", "produs_3/dsc0001.jpg")
    assert before - left() == {ORPHANS[1], STRANGER}


def test_originals_are_listed_and_stay(bucket: None) -> None:
    age(31 * DAY, VASE)
    put_originals("produs_1/pasted.png", "incoming/late.eeeeeeeeee.jpg")

    said = purge("--orphans", verbosity=2)

    assert {VASE, "produs_1/pasted.png", "incoming/late.eeeeeeeeee.jpg"} < left()
    assert "Originals that no row points to: 1 (100 bytes), 1 of them older than 30 days." in said
    assert " --delete-originals deletes those.\n  produs_2/vase.bbbbbbbbbb.jpg\n" in said
    assert " that no row points to, with names that lazyimages did not give." in said
    found = json.loads(purge("--orphans", "--format", "json"))["originals_without_a_row"]
    others = 1 + storage.are_together()  # produs_1/0480h/bowl.jpg
    assert found == {"count": 1, "bytes": 100, "old_enough": 1, "of_other_names": others, "names": [VASE]}


def test_originals_are_deleted_with_their_variants_when_they_are_old(bucket: None) -> None:
    before = left()
    age(20 * DAY, VASE)
    assert "Deleted 2 variants (20 bytes)." in purge("--orphans", "--delete-originals")

    said = purge("--orphans", "--delete-originals", "--grace", "2w")

    assert said.startswith("Deleted 1 variant (10 bytes) and 1 original.")
    assert before - left() == {VASE, "produs_2/480h/vase.bbbbbbbbbb.jpg", *ORPHANS}


def test_a_name_that_is_not_ours_goes_when_it_is_named(bucket: None) -> None:
    name = "produs_1/pasted.png"
    put_originals(name)
    put("produs_1/480h/pasted.png")
    age(31 * DAY, name)
    purge("--orphans", "--delete-originals")
    assert name in left()

    said = purge("--orphans", "--delete-originals", "--original", name)

    assert said.startswith("Deleted 1 variant (10 bytes) and 1 original.")
    assert not {name, "produs_1/480h/pasted.png"} & left()


def test_an_original_of_unknown_age_stays(settings: Any, lazy: Callable[..., None]) -> None:
    memory = {"BACKEND": "tests.operations.test_purge_orphans.Ageless"}
    settings.STORAGES = {**settings.STORAGES, "default": memory}
    put_originals(VASE)

    said = purge("--orphans", "--delete-originals", "--grace", "0d")

    assert "to: 1 (100 bytes), 0 of them older than 0 days." in said
    assert VASE in left()


class Ageless(InMemoryStorage):
    """A storage that does not know when a file was written."""

    def get_modified_time(self, name: str) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize("model", [Photo, PlainPhoto])
def test_any_field_for_files_keeps_an_original(bucket: None, model: type[models.Model]) -> None:
    age(31 * DAY, VASE)
    model(image=VASE).save_base(raw=True)

    purge("--orphans", "--delete-originals")

    assert {VASE, "produs_2/480h/vase.bbbbbbbbbb.jpg"} < left()


def test_a_fields_default_keeps_an_original(bucket: None, monkeypatch: pytest.MonkeyPatch) -> None:
    age(31 * DAY, VASE)
    field = PlainPhoto._meta.get_field("image")
    monkeypatch.setattr(field, "default", VASE)
    # Django keeps the answer with the field, and any test before may have made a row.
    monkeypatch.setattr(field, "_get_default", lambda: VASE)

    purge("--orphans", "--delete-originals")

    assert VASE in left()


def test_a_row_that_comes_between_listing_and_deleting_keeps_it(bucket: None) -> None:
    age(31 * DAY, VASE)
    batches = Purge(Choice(orphans=True, delete_originals=True)).work.batches(None)
    first = next(iter(batches))
    assert first.arguments == {"originals": [VASE]}

    Photo.objects.create(image=VASE, width=1, height=1)

    assert operation.do(**first.arguments).as_dict() | {"failed": {}} == {
        "done": 0,
        "skipped": 1,
        "failed": {},
        "figures": {},
    }
    (second,) = batches
    assert "produs_2/480h/vase.bbbbbbbbbb.jpg" in second.arguments["keys"]
    outcome = operation.do(**second.arguments)
    assert (outcome.done, outcome.skipped) == (2, 1)
    assert {VASE, "produs_2/480h/vase.bbbbbbbbbb.jpg"} < left()


def test_an_original_that_comes_back_meanwhile_keeps_its_variants(bucket: None) -> None:
    (batch,) = Purge(Choice(orphans=True)).work.batches(None)
    put_originals(GONE)

    outcome = operation.do(**batch.arguments)

    assert (outcome.done, outcome.skipped) == (0, 2)
    assert set(ORPHANS) < left()


def test_a_batch_that_is_done_twice(bucket: None) -> None:
    age(31 * DAY, VASE)
    work = Purge(Choice(orphans=True, delete_originals=True)).work
    batches = json.loads(json.dumps([dict(batch.arguments) for batch in work.batches(None)]))

    for _ in range(2):
        assert [operation.do(**arguments).failed for arguments in batches] == [{}, {}]

    assert not {VASE, *ORPHANS} & left()
    assert {BOWL, *FOREIGN} < left()


@pytest.fixture
def apart(s3: Any, settings: Any) -> Iterator[None]:
    """Originals at the top of a bucket, and variants in a folder of it, where a listing shows both."""
    options = settings.STORAGES["default"]["OPTIONS"] | {"location": "variants"}
    inside = settings.STORAGES["default"] | {"OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "lazyimages": inside}
    return


def test_variants_are_no_originals_where_their_folder_is_below(apart: None) -> None:
    put_originals(BOWL)
    Photo.objects.create(image=BOWL, width=1, height=1)
    put("produs_1/480h/bowl.aaaaaaaaaa.jpg")
    age(31 * DAY, BOWL, "variants/produs_1/480h/bowl.aaaaaaaaaa.jpg")

    said = purge("--orphans", "--delete-originals")

    assert said.startswith("Deleted 0 variants (0 bytes).")
    assert set(storage.iter_originals()) == {BOWL, "variants/produs_1/480h/bowl.aaaaaaaaaa.jpg"}


def test_keys_that_are_none_are_refused(bucket: None) -> None:
    before = left()

    outcome = operation.do(keys=["banners/summer.jpg", "../480h/x.jpg", BOWL])

    assert (outcome.done, set(outcome.failed)) == (0, {"banners/summer.jpg", "../480h/x.jpg", BOWL})
    assert left() == before


def test_an_empty_storage_of_originals_loses_no_image_that_a_row_has(lazy: Callable[..., None]) -> None:
    lazy(PRESETS={})
    Photo.objects.create(image=BOWL, width=1, height=1)
    put("produs_1/480h/bowl.aaaaaaaaaa.jpg")

    purge("--orphans")

    assert left() == {"produs_1/480h/bowl.aaaaaaaaaa.jpg"}
    with pytest.raises(CommandError):
        purge("--orphans", "--grace", "soon")
