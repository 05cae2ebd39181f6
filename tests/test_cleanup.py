"""What no row needs is removed after commit; what any row needs, and what is rolled back, stays."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, models, transaction
from django.db.models.signals import post_save, pre_save
from django.db.utils import ConnectionHandler
from django.test.utils import CaptureQueriesContext

from lazyimages import cleanup, storage, variants
from lazyimages.exceptions import Busy
from lazyimages.signals import variants_purged
from tests.clock import PATIENCE
from tests.conftest import jpeg, upload
from tests.host.models import Bare, Blurred, PlainPhoto, SmallBlurred

pytestmark = pytest.mark.django_db(transaction=True)  # commits are what this is about


def photo(model: Any = Blurred, **values: Any) -> Any:
    return model.objects.create(image=upload(jpeg(80, 60)), **values)


def in_row(row: Any) -> str:
    return str(Blurred.objects.values_list("image", flat=True).get(pk=row.pk))


def originals() -> list[str]:
    return sorted(storage.iter_originals())


def test_after_the_commit_and_not_before() -> None:
    row = photo()
    before = row.image.name
    storage.put_variant(variants.keys_of(before)[0], b"x", "image/jpeg")
    with transaction.atomic():
        with transaction.atomic():
            row.image.move_focal(1, 2)
        assert originals() == sorted([before, row.image.name])
        assert len(list(storage.iter_keys())) == 1
    assert originals() == [row.image.name]
    assert list(storage.iter_keys()) == []


def test_without_a_transaction() -> None:
    row = photo()
    row.image.move_focal(1, 2)
    assert originals() == [row.image.name] == [in_row(row)]


def test_a_rollback_keeps_everything() -> None:
    row = photo()
    before = row.image.name
    storage.put_variant(variants.keys_of(before)[0], b"x", "image/jpeg")
    with transaction.atomic():
        row.image.move_focal(1, 2)
        transaction.set_rollback(True)
    assert in_row(row) == before
    assert before in originals()
    assert list(storage.iter_keys()) == variants.keys_of(before)[:1]


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a transaction"])
@pytest.mark.parametrize("signal", [pre_save, post_save], ids=["before", "after"])
def test_a_row_that_cannot_be_saved(inside: bool, signal: Any) -> None:
    """Somebody's signal raises: the row is as it was, and the copy is gone."""
    row = photo()
    before = row.image.name

    def refuse(**kwargs: object) -> None:
        raise IntegrityError("no")

    def move() -> None:
        with pytest.raises(IntegrityError):
            row.image.move_focal(1, 2)

    signal.connect(refuse, sender=Blurred)
    try:
        if inside:
            with transaction.atomic():
                move()
        else:
            move()
    finally:
        signal.disconnect(refuse, sender=Blurred)
    assert originals() == [before] == [in_row(row)]
    assert (row.image.name, row.image.focal) == (before, (50, 50))
    row.image = "elsewhere/other.jpg"
    row.save()
    assert originals() == [], "the row has another now"


def test_the_image_alone_is_saved_and_signals_are_sent() -> None:
    row = photo(title="bowl")
    row.title = "not to be saved"
    heard: list[Any] = []

    def hear(update_fields: Any, **kwargs: object) -> None:
        heard.append(set(update_fields))

    post_save.connect(hear, sender=Blurred)
    try:
        row.image.move_focal(1, 2)
    finally:
        post_save.disconnect(hear, sender=Blurred)
    assert heard == [{"image"}]
    assert Blurred.objects.get(pk=row.pk).title == "bowl"


class TestWithoutSave:
    def test_the_callers_save_removes_it(self) -> None:
        row = photo()
        before = row.image.name
        row.image.move_focal(1, 2, save=False)
        assert (in_row(row), row.image.focal) == (before, (1, 2))
        assert originals() == sorted([before, row.image.name])
        row.title = "bowl"
        row.save(update_fields=["title"])
        assert originals() == sorted([before, row.image.name]), "the image is not saved yet"
        row.save()
        assert originals() == [row.image.name] == [in_row(row)]

    def test_in_a_transaction(self) -> None:
        row = photo()
        with transaction.atomic():
            row.image.move_focal(1, 2, save=False)
            row.save(update_fields=["image"])
            assert len(originals()) == 2
        assert originals() == [row.image.name] == [in_row(row)]

    def test_twice(self) -> None:
        row = photo()
        row.image.move_focal(1, 2, save=False)
        row.image.move_focal(3, 4, save=False)
        row.save()
        assert originals() == [row.image.name] == [in_row(row)]

    def test_a_row_that_was_never_saved(self) -> None:
        storage.put_original("a/b.jpg", b"x", "image/jpeg")
        row = Blurred(image="a/b.jpg")
        row.image.move_focal(1, 2)
        assert row.pk
        assert originals() == [row.image.name] == [in_row(row)]


@pytest.mark.parametrize("model", [Blurred, Bare, SmallBlurred])
def test_what_another_row_needs_stays(model: Any) -> None:
    row = photo()
    before = row.image.name
    storage.put_variant(variants.keys_of(before)[0], b"x", "image/jpeg")
    other = model.objects.create(image=before)
    row.image.move_focal(1, 2)
    assert originals() == sorted([before, row.image.name])
    assert list(storage.iter_keys()) == variants.keys_of(before)[:1]
    other.image.move_focal(3, 4)
    assert originals() == sorted([row.image.name, other.image.name]), "until the last one leaves"
    assert list(storage.iter_keys()) == []


def test_what_a_row_of_djangos_own_field_needs_stays() -> None:
    """Such as the photo of a thing as it was sold, in a table of its own."""
    row = photo()
    before = row.image.name
    PlainPhoto.objects.create(image=before)
    row.image.move_focal(1, 2)
    assert originals() == sorted([before, row.image.name])


def test_a_fields_default_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one row that has it gets its own; those to come have it again."""
    field = Bare._meta.get_field("image")
    monkeypatch.setattr(field, "default", "a/none.jpg")
    monkeypatch.setitem(field.__dict__, "_get_default", lambda: "a/none.jpg")  # Django keeps it there
    storage.put_original("a/none.jpg", b"x", "image/jpeg")
    row = Bare.objects.create()
    row.image.move_focal(1, 2)
    assert row.image.focal == (1, 2)
    assert originals() == sorted(["a/none.jpg", row.image.name])


def test_what_a_hidden_row_needs_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A project may have its manager for everything hide what is in a bin, and can come back."""

    class Hiding(models.Manager):  # type: ignore[type-arg]
        def get_queryset(self) -> Any:
            return super().get_queryset().exclude(folder="bin")

    hiding = Hiding()
    hiding.model = Bare
    row = photo()
    before = row.image.name
    other = Bare.objects.create(image=before, folder="bin")
    monkeypatch.setitem(Bare._meta.__dict__, "base_manager", hiding)
    assert not Bare._base_manager.filter(pk=other.pk).exists()
    row.image.move_focal(1, 2)
    assert before in originals()


@contextmanager
def second_database() -> Iterator[str]:
    """Have another database, in memory, with one table."""
    settings = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    second = ConnectionHandler({"default": {}, "second": settings})["second"]
    second.ensure_connection()  # while Django's tests do not know of it, and so do not forbid it
    connections.databases["second"], connections["second"] = second.settings_dict, second
    try:
        with second.schema_editor() as editor:
            editor.create_model(Bare)
        yield "second"
    finally:
        second.close()
        del connections["second"], connections.databases["second"]


def test_what_a_row_in_the_same_database_needs_stays(settings: Any) -> None:
    """As in a project that has a database for each customer, and no router for reading and writing."""

    class OneTable:
        def allow_migrate(self, database: str, app_label: str, model_name: str = "", **hints: Any) -> Any:
            return model_name == "bare" if database == "second" else None

    settings.DATABASE_ROUTERS = [OneTable()]
    for name in ("a/needed.jpg", "a/not.jpg"):
        storage.put_original(name, b"x", "image/jpeg")
    with second_database() as second:
        Bare.objects.using(second).create(image="a/needed.jpg")
        for name in originals():
            cleanup.remove_after_commit(name, Blurred._meta.get_field("image"), second)
    assert originals() == ["a/needed.jpg"]


def test_a_row_that_was_read_from_a_replica(settings: Any) -> None:
    """It is written where the router has rows written."""

    class Primary:
        def db_for_write(self, model: Any, **hints: Any) -> str:
            return "default"

    settings.DATABASE_ROUTERS = [Primary()]
    pk = photo().pk
    row, late = Blurred.objects.get(pk=pk), Blurred.objects.get(pk=pk)
    with second_database() as second:
        for each in (row, late):
            each._state.db = second
            each.image.move_focal(1, 2)
    assert originals() == [row.image.name] == [in_row(row)] == [late.image.name]


def test_a_child_with_its_own_table() -> None:
    row = SmallBlurred.objects.create(image=upload(jpeg(80, 60)), note="x")
    row.image.move_focal(1, 2)
    assert originals() == [row.image.name] == [in_row(row)]
    child = SmallBlurred.objects.get(pk=row.pk)
    child.image.move_focal(3, 4, save=False)
    child.save()
    assert originals() == [child.image.name] == [in_row(row)]


def test_one_query_for_each_field_for_files() -> None:
    from django.apps import apps

    fields = [
        field
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, models.FileField)
    ]
    row = photo()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        cleanup.remove_after_commit("nobody/needs.it.jpg", row.image.field, "default")
    assert len(captured) == len(fields)
    assert "host_blurred" in captured[0]["sql"], "the most likely first"


def test_cleanup_off(lazy: Any) -> None:
    lazy(CLEANUP=False)
    row = photo()
    before = row.image.name
    storage.put_variant(variants.keys_of(before)[0], b"x", "image/jpeg")
    with CaptureQueriesContext(connection) as captured:
        row.image.move_focal(1, 2)
    assert originals() == sorted([before, row.image.name])
    assert list(storage.iter_keys()) == variants.keys_of(before)[:1]
    assert not [query for query in captured if query["sql"].startswith("SELECT")]


def test_a_deletion_that_fails_is_logged(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """What is a directory cannot be deleted as a file."""
    (tmp_path / "originals/a/b \u2028+é.jpg").mkdir(parents=True)
    row = Blurred.objects.create(image="a/b \u2028+é.jpg")
    row.image = ""
    row.save()
    assert in_row(row) == ""
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.name == "lazyimages"
    assert record.getMessage() == "not removed: a/b%20%E2%80%A8%2B%C3%A9.jpg"


def test_any_name_and_none() -> None:
    field = Blurred._meta.get_field("image")
    storage.put_original("a/notes.txt", b"x", "text/plain")
    for name in ("", "a/notes.txt", "gone/missing.jpg", "a/480h/b.jpg", "../a.jpg"):
        cleanup.remove_after_commit(name, field, "default")
    assert originals() == []


def test_the_signal() -> None:
    heard: list[str] = []

    def hear(original: str, keys: list[str], **kwargs: object) -> None:
        assert keys == variants.keys_of(original)
        heard.append(original)

    row = photo()
    before = row.image.name
    variants_purged.connect(hear)
    try:
        row.image.move_focal(1, 2)
    finally:
        variants_purged.disconnect(hear)
    assert heard == [before]


def meanwhile(monkeypatch: pytest.MonkeyPatch, *others: Any) -> None:
    """Have others do something while an original is being copied, one at each copy."""
    copy, waiting = storage.copy_original, list(others)

    def slow(name: str, new_name: str) -> None:
        copy(name, new_name)
        if waiting:
            waiting.pop(0)()

    monkeypatch.setattr(storage, "copy_original", slow)


class TestTwoAtOnce:
    def test_the_last_one_wins_and_nothing_is_left_behind(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pk = photo().pk
        one, other = Blurred.objects.get(pk=pk), Blurred.objects.get(pk=pk)
        meanwhile(monkeypatch, lambda: other.image.move_focal(9, 9))
        one.image.move_focal(1, 2)
        assert originals() == [one.image.name] == [in_row(one)]
        assert one.image.focal == (1, 2)

    def test_the_same_point(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pk = photo().pk
        one, other = Blurred.objects.get(pk=pk), Blurred.objects.get(pk=pk)
        meanwhile(monkeypatch, lambda: other.image.move_focal(1, 2))
        one.image.move_focal(1, 2)
        assert originals() == [other.image.name] == [in_row(one)] == [one.image.name]

    def test_before_the_copy(self) -> None:
        """The original that this one knows has been removed."""
        pk = photo().pk
        one, other = Blurred.objects.get(pk=pk), Blurred.objects.get(pk=pk)
        other.image.move_focal(9, 9)
        one.image.move_focal(1, 2)
        assert originals() == [one.image.name] == [in_row(one)]

    def test_a_new_photo(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The point is moved in the new one, and the row keeps the new one's dimensions."""
        pk = photo().pk
        one, other = Blurred.objects.get(pk=pk), Blurred.objects.get(pk=pk)

        def replace() -> None:
            other.image = upload(jpeg(30, 90))
            other.save()

        meanwhile(monkeypatch, replace)
        one.image.move_focal(1, 2)
        fresh = Blurred.objects.get(pk=pk)
        assert fresh.image.name == one.image.name
        assert fresh.image.read() == jpeg(30, 90)
        assert (one.width, one.height, one.placeholder) == (30, 90, other.placeholder)
        assert (fresh.width, fresh.height, fresh.placeholder) == (30, 90, other.placeholder)

    def test_a_row_that_is_deleted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        row = photo()
        meanwhile(monkeypatch, lambda: Blurred.objects.filter(pk=row.pk).delete())
        with pytest.raises(Blurred.DoesNotExist):
            row.image.move_focal(1, 2)
        assert originals() == [], "neither the copy, nor what the row had"

    def test_an_image_that_is_cleared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        row = photo()
        before = row.image.name
        meanwhile(monkeypatch, lambda: Blurred.objects.filter(pk=row.pk).update(image=""))
        with pytest.raises(ValueError, match="no stored image"):
            row.image.move_focal(1, 2)
        assert originals() == [before]
        assert in_row(row) == ""

    def test_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        row = photo()
        storage.put_original("a/b.jpg", b"x", "image/jpeg")
        storage.put_original("a/c.jpg", b"x", "image/jpeg")
        names = ["a/b.jpg", "a/c.jpg"] * 9
        others = [
            lambda name=name: Blurred.objects.filter(pk=row.pk).update(image=name)  # type: ignore[misc]
            for name in names
        ]
        meanwhile(monkeypatch, *others)
        with pytest.raises(Busy, match="was changed 5 times"):
            row.image.move_focal(1, 2)
        assert len(originals()) == 3, "no copy is left"

    @pytest.mark.skipif("connection.vendor == 'sqlite'", reason="SQLite has one writer")
    def test_in_threads(self) -> None:
        pk = photo().pk
        start, failures = threading.Barrier(4), []

        def move(number: int) -> None:
            try:
                row = Blurred.objects.get(pk=pk)
                start.wait(PATIENCE)
                row.image.move_focal(number, number)
            except BaseException as error:
                failures.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=move, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert originals() == [Blurred.objects.get(pk=pk).image.name]
