"""The files of an image that is replaced or cleared go once the row is saved, and committed."""

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from django import forms
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import pre_save
from django.test.utils import CaptureQueriesContext

from lazyimages import storage, variants
from tests.conftest import jpeg, upload
from tests.host.models import Bare, Blurred, Faded, SmallBlurred

pytestmark = pytest.mark.django_db(transaction=True)  # commits are what this is about


def photo(model: Any = Blurred, **values: Any) -> Any:
    """Store a photo with one of its variants, and load its row."""
    row = model.objects.create(image=upload(jpeg(80, 60)), **values)
    storage.put_variant(variants.keys_of(row.image.name)[0], b"x", "image/jpeg")
    return model.objects.get(pk=row.pk)


def files() -> list[str]:
    return [*storage.iter_originals(), *storage.iter_keys()]


def in_row(row: Any) -> str:
    return str(type(row).objects.values_list("image", flat=True).get(pk=row.pk))


class BlurredForm(forms.ModelForm):
    class Meta:
        model = Blurred
        fields = ["title", "image"]


def by_form(row: Any, data: dict[str, Any], sent: dict[str, Any]) -> None:
    form = BlurredForm(data, sent, instance=row)
    assert form.is_valid(), form.errors
    form.save()


def assign(row: Any, value: Any) -> None:
    row.image = value
    row.save()


WAYS: dict[str, Callable[[Any], object]] = {
    "an upload": lambda row: assign(row, upload(jpeg(30, 30))),
    "an upload that is stored": lambda row: row.image.save("x.jpg", upload(jpeg(30, 30))),
    "None": lambda row: assign(row, None),
    "an empty text": lambda row: assign(row, ""),
    "delete": lambda row: row.image.delete(),
    "a form": lambda row: by_form(row, {}, {"image": upload(jpeg(30, 30))}),
    "the form's checkbox": lambda row: by_form(row, {"image-clear": "on"}, {}),
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_replace_an_image(way: str) -> None:
    row = photo()
    WAYS[way](row)
    assert files() == [name for name in [in_row(row)] if name]
    row.delete()
    assert files() == []


@pytest.mark.parametrize("way", WAYS)
def test_after_the_commit_and_not_before(way: str) -> None:
    row = photo()
    before = files()
    with transaction.atomic():
        WAYS[way](row)
        assert set(before) <= set(files())
    assert not set(before) & set(files())


@pytest.mark.parametrize("way", WAYS)
def test_a_rollback_removes_nothing(way: str) -> None:
    row = photo()
    before = files()
    with transaction.atomic():
        WAYS[way](row)
        transaction.set_rollback(True)
    assert set(before) <= set(files())
    assert in_row(row) == before[0]


@pytest.mark.parametrize("way", WAYS)
def test_cleanup_off(way: str, lazy: Any) -> None:
    lazy(CLEANUP=False)
    row = photo()
    before = files()
    WAYS[way](row)
    left = set(before) & set(files())
    assert left == (set(before) if way != "delete" else set(before[1:])), "as Django's own field"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("model", [Faded, SmallBlurred])
def test_a_proxy_and_a_child(model: Any, way: str) -> None:
    row = photo(model)
    before = files()
    WAYS[way](row)
    assert not set(before) & set(files())


def test_another_rows_image() -> None:
    """It is shared then, until both are gone."""
    one, other = photo(), photo()
    assign(one, other.image)
    shared = files()
    assert shared == [other.image.name, variants.keys_of(other.image.name)[0]]
    other.delete()
    assert files() == shared
    one.delete()
    assert files() == []


class TestUntilItIsSaved:
    def test_nothing_is_removed(self) -> None:
        row = photo()
        before = files()
        row.image = ""
        assert files() == before
        row.save(update_fields=["title"])
        assert files() == before
        row.save(update_fields=["image"])
        assert files() == []

    def test_the_same_name_again(self) -> None:
        row = photo()
        before = files()
        name = row.image.name
        row.image = ""
        row.image = name
        with CaptureQueriesContext(connection) as captured:
            row.save()
        assert files() == before
        assert not [query for query in captured if "DISTINCT" in query["sql"]], "it is not even asked for"

    def test_several_uploads(self) -> None:
        row = photo()
        for number in range(3):
            row.image.save("x.jpg", upload(jpeg(30 + number, 30)), save=False)
        assert len(files()) == 5
        row.save()
        assert files() == [in_row(row)]

    def test_several_uploads_of_a_new_row(self) -> None:
        row = Blurred()
        for number in range(3):
            row.image.save("x.jpg", upload(jpeg(30 + number, 30)), save=False)
        row.save()
        assert files() == [in_row(row)]

    def test_names_that_were_never_the_rows(self) -> None:
        """Whoever assigns a name does not thereby own the file."""
        storage.put_original("a/b.jpg", b"x", "image/jpeg")
        row = Blurred(image="a/b.jpg")
        row.image = upload(jpeg(30, 30))
        row.save()
        assert files() == ["a/b.jpg", row.image.name]
        row.image = "a/b.jpg"
        row.image = ""
        row.save()
        assert files() == ["a/b.jpg"]

    def test_loaded_again(self) -> None:
        row = photo()
        before = files()
        row.image = "a/b.jpg"
        row.refresh_from_db()
        row.title = "bowl"
        row.save()
        assert files() == before
        assign(row, "")
        assert files() == []

    def test_loaded_again_after_another_has_changed_it(self) -> None:
        row = photo()
        row.image = "a/b.jpg"
        assign(Blurred.objects.get(pk=row.pk), upload(jpeg(30, 30)))
        row.refresh_from_db()
        assign(row, "")
        assert files() == []

    def test_deleted_without_saving(self) -> None:
        row = photo()
        before = files()
        row.image.delete(save=False)
        assert (files(), bool(row.image), in_row(row)) == (before, False, before[0])
        row.save()
        assert files() == []

    def test_deleted_and_the_row_updated(self) -> None:
        """As some do it who want no signals."""
        row = photo()
        with transaction.atomic():
            row.image.delete(save=False)
            Blurred.objects.filter(pk=row.pk).update(image="")
        assert files() == []

    def test_deleted_by_a_handler_of_the_project(self) -> None:
        """The usual advice for Django's own field: look up the old row before saving."""
        row = photo()

        def handle(instance: Any, **kwargs: object) -> None:
            Blurred.objects.get(pk=instance.pk).image.delete(save=False)

        pre_save.connect(handle, sender=Blurred)
        try:
            assign(row, upload(jpeg(30, 30)))
        finally:
            pre_save.disconnect(handle, sender=Blurred)
        assert files() == [in_row(row)]

    def test_the_open_file_is_closed(self) -> None:
        row = photo()
        opened = row.image.open()
        file = opened.file
        row.image.delete()
        assert file.closed
        assert not row.image

    def test_an_upload_that_was_not_stored(self) -> None:
        row = photo()
        row.image = upload(jpeg(30, 30))
        row.image.delete()
        assert files() == []

    def test_in_a_pickle(self) -> None:
        row = photo()
        row.image = ""
        pickle.loads(pickle.dumps(row)).save()  # our own
        assert files() == []


class TestNotLoaded:
    def test_an_upload(self) -> None:
        row = Blurred.objects.only("id").get(pk=photo().pk)
        assign(row, upload(jpeg(30, 30)))
        assert files() == [in_row(row)]

    def test_assigning_sends_no_query(self) -> None:
        row = Blurred.objects.defer("image").get(pk=photo().pk)
        with CaptureQueriesContext(connection) as captured:
            row.image = upload(jpeg(30, 30))
        assert len(captured) == 0

    def test_loaded_later(self) -> None:
        row = Blurred.objects.only("id").get(pk=photo().pk)
        before = files()
        assert row.image.name == before[0]
        row.save()
        assert files() == before
        assign(row, "")
        assert files() == []

    def test_it_is_not_asked_for_where_it_stays(self) -> None:
        row = Blurred.objects.only("title").get(pk=photo().pk)
        row.title = "bowl"
        with CaptureQueriesContext(connection) as captured:
            row.save()
        assert not [query for query in captured if query["sql"].startswith("SELECT")]


def test_saving_without_a_new_image_asks_nothing() -> None:
    row = photo()
    row.title = "bowl"
    with CaptureQueriesContext(connection) as captured:
        row.save()
    assert not [query for query in captured if query["sql"].startswith("SELECT")]


def test_a_new_row_asks_nothing() -> None:
    with CaptureQueriesContext(connection) as captured:
        Blurred.objects.create(image=upload(jpeg(30, 30)))
    assert not [query for query in captured if query["sql"].startswith("SELECT")]


def test_loading_rows_asks_nothing(settings: Any, s3_calls: list[str]) -> None:
    Blurred.objects.bulk_create(Blurred(image=f"a/{number}.jpg") for number in range(9))
    with CaptureQueriesContext(connection) as captured:
        rows = list(Blurred.objects.all())
    assert len(rows) == 9
    assert len(captured) == 1
    assert {key for row in rows for key in row.__dict__ if "lazyimages" in key} == set()


def test_a_copy_of_a_row() -> None:
    """Django's way to copy: the first row keeps what it has."""
    row = photo()
    before = files()
    row.pk = None
    row.image = upload(jpeg(30, 30))
    row.save()
    assert Blurred.objects.count() == 2
    assert sorted(files()) == sorted([*before, row.image.name])


def test_a_row_that_cannot_be_saved_and_is_saved_later() -> None:
    row = photo()
    before = files()

    def refuse(**kwargs: object) -> None:
        raise IntegrityError("no")

    pre_save.connect(refuse, sender=Blurred)
    try:
        with pytest.raises(IntegrityError):
            assign(row, upload(jpeg(30, 30)))
    finally:
        pre_save.disconnect(refuse, sender=Blurred)
    assert files() == before
    row.save()
    assert files() == [in_row(row)]


def test_in_bulk_nothing_is_noticed() -> None:
    """`lazyimages_purge --orphans` finds them."""
    row = photo()
    before = files()
    Blurred.objects.filter(pk=row.pk).update(image="a/b.jpg")
    assert files() == before
    row.image = "a/c.jpg"
    Blurred.objects.bulk_update([row], ["image"])
    assert files() == before


def test_the_default_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    field = Bare._meta.get_field("image")
    monkeypatch.setattr(field, "default", "a/none.jpg")
    monkeypatch.setitem(field.__dict__, "_get_default", lambda: "a/none.jpg")  # Django keeps it there
    storage.put_original("a/none.jpg", b"x", "image/jpeg")
    assign(Bare.objects.create(), upload(jpeg(30, 30)))
    Bare.objects.create().delete()
    assert "a/none.jpg" in files()
