"""The files of a row that is deleted go after commit, in whichever way it is deleted."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection, connections, models, transaction
from django.db.migrations.state import ProjectState
from django.db.models.signals import post_delete, post_init, pre_delete
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lazyimages import storage, variants
from marketplace.models import Category, Product, Seller
from marketplace.models import Photo as ShopPhoto
from tests.conftest import jpeg, upload
from tests.host.models import Album, AlbumPhoto, Bare, Blurred, Faded, Photo, PlainPhoto, SmallBlurred

ADMIN = "/workshop/host"

pytestmark = pytest.mark.django_db(transaction=True)  # commits are what this is about


def photo(model: Any = Blurred, **values: Any) -> Any:
    """Store a photo with one of its variants."""
    row = model.objects.create(image=upload(jpeg(80, 60)), **values)
    storage.put_variant(variants.keys_of(row.image.name)[0], b"x", "image/jpeg")
    return row


def files() -> list[str]:
    return [*storage.iter_originals(), *storage.iter_keys()]


WAYS: dict[str, Callable[[Any], object]] = {
    "the row": lambda row: row.delete(),
    "loaded anew": lambda row: Blurred.objects.get(pk=row.pk).delete(),
    "a query": lambda row: Blurred.objects.filter(pk=row.pk).delete(),
    "without its image": lambda row: Blurred.objects.only("id").get(pk=row.pk).delete(),
    "a query without images": lambda row: Blurred.objects.only("title").filter(pk=row.pk).delete(),
    "through a proxy": lambda row: Faded.objects.get(pk=row.pk).delete(),
    "a proxy's query": lambda row: Faded.objects.filter(pk=row.pk).delete(),
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_delete_a_row(way: str) -> None:
    row, other = photo(), photo()
    WAYS[way](row)
    assert files() == [other.image.name, variants.keys_of(other.image.name)[0]]


@pytest.mark.parametrize("way", WAYS)
def test_after_the_commit_and_not_before(way: str) -> None:
    row = photo()
    before = files()
    with transaction.atomic():
        WAYS[way](row)
        assert files() == before
    assert files() == []


@pytest.mark.parametrize("way", WAYS)
def test_a_rollback_removes_nothing(way: str) -> None:
    row = photo()
    before = files()
    with transaction.atomic():
        WAYS[way](row)
        transaction.set_rollback(True)
    assert files() == before
    photo().delete()  # another transaction takes nothing of it along
    assert files() == before


def test_a_cascade() -> None:
    album = Album.objects.create(title="bowls", cover=upload(jpeg(80, 60)))
    for _ in range(3):
        AlbumPhoto.objects.create(album=album, image=upload(jpeg(80, 60)))
    assert len(files()) == 4
    album.delete()
    assert files() == []


class TestChildWithATableOfItsOwn:
    def test_the_child(self) -> None:
        row = photo(SmallBlurred, note="x")
        SmallBlurred.objects.get(pk=row.pk).delete()
        assert files() == []

    def test_its_query_without_the_image(self) -> None:
        row = photo(SmallBlurred, note="x")
        SmallBlurred.objects.only("note").filter(pk=row.pk).delete()
        assert files() == []

    def test_the_parent(self) -> None:
        row = photo(SmallBlurred, note="x")
        Blurred.objects.filter(pk=row.pk).delete()
        assert files() == []

    def test_the_parent_is_kept(self) -> None:
        row = photo(SmallBlurred, note="x")
        before = files()
        row.delete(keep_parents=True)
        assert files() == before
        assert Blurred.objects.count() == 1

    def test_one_deletion(self, s3: Any, s3_calls: list[str]) -> None:
        row = photo(SmallBlurred, note="x")
        s3_calls.clear()
        row.delete()
        assert s3_calls == ["DeleteObjects"]


class TestWhatIsLeft:
    """A row that was given another image, and is deleted without having been saved with it."""

    def test_an_upload(self) -> None:
        row = photo()
        row.image = upload(jpeg(30, 30))
        row.delete()
        assert files() == []

    def test_an_upload_that_was_stored(self) -> None:
        row = photo()
        row.image.save("bowl.jpg", upload(jpeg(30, 30)), save=False)
        row.delete()
        assert files() == []

    def test_a_focal_point_that_was_moved(self) -> None:
        row = photo()
        row.image.move_focal(1, 2, save=False)
        row.delete()
        assert files() == []

    def test_a_name_that_was_never_the_rows(self) -> None:
        storage.put_original("a/b.jpg", b"x", "image/jpeg")
        row = photo()
        row.image = "a/b.jpg"
        row.delete()
        assert files() == ["a/b.jpg"]

    def test_in_place_of_one_that_was_not_loaded(self) -> None:
        row = Blurred.objects.only("id").get(pk=photo().pk)
        row.image = upload(jpeg(30, 30))
        row.delete()
        assert files() == []

    def test_an_upload_that_was_never_saved(self) -> None:
        row = photo()
        Blurred(pk=row.pk, image=upload(jpeg(30, 30), "bowl.jpg")).delete()
        assert len(files()) == 2, "nobody knows what the row had"


@pytest.mark.parametrize("model", [Blurred, Bare, Photo, PlainPhoto])
def test_what_another_row_needs_stays(model: Any) -> None:
    row = photo()
    before = files()
    other = model.objects.create(image=row.image.name)
    row.delete()
    assert files() == before
    if model is not PlainPhoto:  # Django's own field deletes nothing
        other.delete()
        assert files() == []


@pytest.mark.parametrize("name", ["produs_1//bowl.jpg", "/produs_1/bowl.jpg", "./produs_1/bowl.jpg"])
@pytest.mark.parametrize("kind", ["files", "s3"])
def test_another_spelling_of_a_name(name: str, kind: str, request: Any) -> None:
    """Storages find the same file by it, of which a row may have the usual name."""
    if kind == "s3":
        request.getfixturevalue("s3")
    storage.put_original("produs_1/bowl.jpg", b"x", "image/jpeg")
    other = Blurred.objects.create(image="produs_1/bowl.jpg")
    Blurred.objects.create(image=name).delete()
    assert list(storage.iter_originals()) == ["produs_1/bowl.jpg"]
    other.delete()
    assert list(storage.iter_originals()) == []


def test_two_rows_that_share_a_file_go_together() -> None:
    row = photo()
    Blurred.objects.create(image=row.image.name)
    Blurred.objects.all().delete()
    assert files() == []


def test_an_empty_image(s3: Any, s3_calls: list[str]) -> None:
    Blurred.objects.create().delete()
    assert s3_calls == []


def test_cleanup_off(lazy: Any) -> None:
    photo()
    before = files()
    lazy(CLEANUP=False)
    with CaptureQueriesContext(connection) as captured:
        Blurred.objects.only("id").delete()
    assert files() == before
    assert not [query for query in captured if "DISTINCT" in query["sql"] or "LIMIT" in query["sql"]]


def test_models_of_migrations_delete_nothing() -> None:
    """A data migration may move rows about, whose files other tables take over."""
    row = photo()
    before = files()
    historical = ProjectState.from_apps(Blurred._meta.apps).apps.get_model("host", "Blurred")
    assert historical is not Blurred
    past = historical.objects.get(pk=row.pk)
    past.image = "elsewhere/b.jpg"
    past.save()
    past.delete()
    assert not Blurred.objects.exists()
    assert files() == before


@pytest.mark.urls("tests.host.admin_site")
def test_in_the_admin(admin_client: Client) -> None:
    """One row, and several at once."""
    rows = [Photo.objects.create(image=upload(jpeg(80, 60))) for _ in range(3)]
    admin_client.post(f"{ADMIN}/photo/{rows[0].pk}/delete/", {"post": "yes"})
    assert files() == sorted(row.image.name for row in rows[1:])
    chosen = {"action": "delete_selected", "_selected_action": [row.pk for row in rows[1:]], "post": "yes"}
    admin_client.post(f"{ADMIN}/photo/", chosen)
    assert not Photo.objects.exists()
    assert files() == []


@pytest.mark.urls("tests.host.admin_site")
def test_an_inline_in_the_admin(admin_client: Client) -> None:
    album = Album.objects.create(title="bowls")
    gone, stays = (AlbumPhoto.objects.create(album=album, image=upload(jpeg(80, 60))) for _ in range(2))
    form = {
        "title": "bowls",
        "photos-TOTAL_FORMS": 2,
        "photos-INITIAL_FORMS": 2,
        "photos-0-id": gone.pk,
        "photos-0-album": album.pk,
        "photos-0-DELETE": "on",
        "photos-1-id": stays.pk,
        "photos-1-album": album.pk,
    }
    answer = admin_client.post(f"{ADMIN}/album/{album.pk}/change/", form)
    assert answer.status_code == 302, answer.context["errors"]
    assert files() == [stays.image.name]


def test_a_product_of_the_shop(product: Product) -> None:
    names = [ShopPhoto.objects.create(product=product, image=upload(jpeg(80, 60))).image.name for _ in "ab"]
    assert files() == sorted(names)
    product.delete()
    assert files() == []


@pytest.fixture
def product() -> Product:
    seller = Seller.objects.create(user=User.objects.create_user("ana"), name="Ana", slug="ana")
    category = Category.objects.create(name="Clay", slug="clay")
    return Product.objects.create(seller=seller, category=category, title="Bowl", price=10)


class TestCounts:
    """However many rows are deleted: one question a field, and one request for a thousand files."""

    @pytest.mark.parametrize("rows", [1, 40, 500])
    def test_queries(self, rows: int) -> None:
        Bare.objects.bulk_create(Bare(image=f"a/{number}.jpg") for number in range(rows))
        with CaptureQueriesContext(connection) as captured:
            Bare.objects.all().delete()
        selects = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
        deletes = [query["sql"] for query in captured if query["sql"].startswith("DELETE")]
        assert len(selects) == 1 + len(fields_for_files()), "the rows, and who else has their files"
        assert len(deletes) == -(-rows // 100), "as Django does it"

    @pytest.mark.parametrize("rows", [1, 40, 500])
    def test_requests(self, rows: int, s3: Any, s3_calls: list[str]) -> None:
        names = [f"a/{number}.jpg" for number in range(rows)]
        Bare.objects.bulk_create(Bare(image=name) for name in names)
        keys = rows * (1 + len(variants.keys_of(names[0])))
        storage.put_original(names[0], b"x", "image/jpeg")
        storage.put_original(names[-1], b"x", "image/jpeg")
        s3_calls.clear()
        Bare.objects.all().delete()
        assert s3_calls == ["DeleteObjects"] * -(-keys // 1000)
        assert files() == []


def fields_for_files() -> list[models.FileField]:
    every = [field for model in apps.get_models() for field in model._meta.local_fields]
    return [field for field in every if isinstance(field, models.FileField)]


def test_only_models_with_images_are_loaded_before_they_are_deleted() -> None:
    """For whom nobody listens, Django deletes without a look."""
    assert post_delete.has_listeners(Blurred)
    assert post_delete.has_listeners(Faded)
    for model in (User, PlainPhoto, SmallBlurred):  # the last one's images are its parent's
        assert not pre_delete.has_listeners(model)
        assert not post_delete.has_listeners(model)


def test_loading_rows_connects_nothing() -> None:
    """No handler is called for each row that is loaded, where a field has no facts to look after."""
    assert not post_init.has_listeners(Bare)
    row = photo(Bare)
    assert set(Bare.objects.get(pk=row.pk).__dict__) == {"_state", "id", "folder", "image"}


def test_the_connection_is_as_before() -> None:
    photo().delete()
    assert connections["default"].run_on_commit == []
