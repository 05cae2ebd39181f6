"""What one transaction leaves is removed at once; what fails is tried again later."""

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lazyimages import cleanup, storage, variants
from lazyimages.signals import variants_purged
from tests.conftest import BUCKET, jpeg, upload
from tests.host.models import Bare, Blurred
from tests.host.queues import TASK_BACKENDS

commits = pytest.mark.django_db(transaction=True)


def photos(count: int) -> list[Any]:
    """Make rows with a file each."""
    rows = [Bare(image=f"a/{number}.jpg") for number in range(count)]
    for row in rows:
        storage.put_original(row.image.name, b"x", "image/jpeg")
        row.save()
    return rows


def originals() -> list[str]:
    return list(storage.iter_originals())


@commits
class TestOneTransaction:
    def test_all_that_it_leaves_is_one_request(self, s3: Any, s3_calls: list[str]) -> None:
        one, two, three = photos(3)
        moved = Blurred.objects.create(image=upload(jpeg(80, 60)))
        s3_calls.clear()
        with transaction.atomic():
            one.delete()
            two.image = ""
            two.save()
            with transaction.atomic(savepoint=False):
                three.image.delete()
            moved.delete()
            assert s3_calls == []
        assert s3_calls == ["DeleteObjects"]
        assert originals() == []

    def test_one_question_a_field(self) -> None:
        from tests.test_cleanup_deletes import fields_for_files

        rows = photos(9)
        with CaptureQueriesContext(connection) as captured, transaction.atomic():
            for row in rows:
                row.delete()
        assert len([query for query in captured if "DISTINCT" in query["sql"]]) == len(fields_for_files())
        assert originals() == []

    def test_outside_of_one_each_is_its_own(self, s3: Any, s3_calls: list[str]) -> None:
        rows = photos(3)
        s3_calls.clear()
        for row in rows:
            row.delete()
        assert s3_calls == ["DeleteObjects"] * 3

    def test_a_shared_file_whose_last_row_goes_in_it(self) -> None:
        (row,) = photos(1)
        other = Bare.objects.create(image=row.image.name)
        with transaction.atomic():
            row.delete()
            other.delete()
        assert originals() == []

    def test_a_file_that_another_row_takes_over_in_it(self) -> None:
        (row,) = photos(1)
        with transaction.atomic():
            row.delete()
            Bare.objects.create(image="a/0.jpg")
        assert originals() == ["a/0.jpg"]

    def test_durable(self) -> None:
        (row,) = photos(1)
        with transaction.atomic(durable=True):
            row.delete()
        assert originals() == []

    def test_without_autocommit(self) -> None:
        """It is known of a deletion, which has an atomic block of its own."""
        one, two = photos(2)
        transaction.set_autocommit(False)
        try:
            one.delete()
            two.image = ""
            two.save()  # and not of this; so its file stays
            assert len(originals()) == 2
            transaction.commit()
        finally:
            transaction.set_autocommit(True)
        assert originals() == ["a/1.jpg"]

    def test_what_is_deleted_when_it_is_over(self) -> None:
        """As by a project that looks after the rest once the transaction is committed."""
        one, two, three = photos(3)
        with transaction.atomic():
            transaction.on_commit(two.delete)
            one.delete()
            transaction.on_commit(three.delete, robust=True)
        assert originals() == []


@commits
class TestSavepoints:
    """Each letter is a row that is deleted, in brackets where that is within a savepoint, `!` rolled back."""

    @pytest.mark.parametrize(
        ("story", "stay"),
        [
            ("a(b)c", ""),
            ("a(b!)c", "b"),
            ("(a!)b", "a"),
            ("a(b!)", "b"),
            ("(a)(b!)(c)", "b"),
            ("(a(b)!)c", "ab"),
            ("(a(b!)c)d", "b"),
            ("(a(b(c)!)d)e", "bc"),
            ("a(b)(c!)!", "abc"),
            ("(a!)(b!)(c!)", "abc"),
            ("a(b(c(d)!)!)e", "bcd"),
        ],
    )
    def test_what_is_rolled_back_stays(self, story: str, stay: str) -> None:
        rows = dict(zip("abcde", photos(5), strict=True))
        names = {letter: row.image.name for letter, row in rows.items()}
        blocks = [transaction.atomic()]
        blocks[0].__enter__()
        for letter in story:
            if letter == "(":
                blocks.append(transaction.atomic())
                blocks[-1].__enter__()
            elif letter == ")":
                blocks.pop().__exit__(None, None, None)
            elif letter == "!":
                transaction.set_rollback(True)
            else:
                rows[letter].delete()
        blocks.pop().__exit__(None, None, None)
        told = {letter for letter in "abcde" if letter in story}
        expected = {names[letter] for letter in "abcde" if letter in stay or letter not in told}
        assert set(originals()) == expected

    def test_what_was_rolled_back_is_not_asked_for(self) -> None:
        before, one, after = photos(3)
        with CaptureQueriesContext(connection) as captured, transaction.atomic():
            before.delete()
            with transaction.atomic():
                one.delete()
                transaction.set_rollback(True)
            after.delete()
        asked = " ".join(query["sql"] for query in captured if "DISTINCT" in query["sql"])
        assert [name for name in ("a/0.jpg", "a/1.jpg", "a/2.jpg") if name in asked] == ["a/0.jpg", "a/2.jpg"]
        assert originals() == ["a/1.jpg"]

    def test_nor_in_the_next_transaction(self) -> None:
        one, two = photos(2)
        with transaction.atomic():
            one.delete()
            transaction.set_rollback(True)
        with CaptureQueriesContext(connection) as captured, transaction.atomic():
            two.delete()
        asked = " ".join(query["sql"] for query in captured if "DISTINCT" in query["sql"])
        assert [name for name in ("a/0.jpg", "a/1.jpg") if name in asked] == ["a/1.jpg"]

    def test_a_savepoint_by_hand(self) -> None:
        """Django forgets nothing then; the row is there, and so the file stays."""
        one, two = photos(2)
        with transaction.atomic():
            savepoint = transaction.savepoint()
            one.delete()
            transaction.savepoint_rollback(savepoint)
            two.delete()
        assert originals() == ["a/0.jpg"]


class TestInTestsOfAProject(TestCase):
    """`TestCase` never commits, and can be told to do what follows a commit."""

    def test_nothing_is_removed(self) -> None:
        photos(1)[0].delete()
        assert originals() == ["a/0.jpg"]

    def test_what_is_captured(self) -> None:
        rows = photos(4)
        rows[0].delete()  # nobody captures this one
        with self.captureOnCommitCallbacks(execute=True):
            rows[1].delete()
            rows[2].delete()
            assert len(originals()) == 4
        assert not {"a/1.jpg", "a/2.jpg"} & set(originals())
        with self.captureOnCommitCallbacks(execute=True):
            rows[3].delete()
        assert "a/3.jpg" not in originals()

    def test_what_is_captured_and_not_done(self) -> None:
        with self.captureOnCommitCallbacks() as callbacks:
            photos(1)[0].delete()
        assert originals() == ["a/0.jpg"]
        for callback in callbacks:
            callback()
        assert originals() == []


@pytest.fixture
def shelf(settings: Any) -> list[Any]:
    """Have tasks kept, as by a system with workers."""
    settings.TASKS = {"default": {"BACKEND": "tests.host.queues.Shelf"}}
    found: list[Any] = TASK_BACKENDS["default"].results
    return found


def block(tmp_path: Path, name: str) -> Path:
    """Put a directory where a file should be, which cannot be deleted as a file."""
    path = tmp_path / "originals" / name
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)
    return path


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


@commits
class TestWhatFails:
    def test_without_a_task_system(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        photos(3)
        block(tmp_path, "a/1.jpg")
        Bare.objects.all().delete()
        assert messages(caplog, logging.ERROR) == ["not removed: a/1.jpg"]
        assert [path.name for path in (tmp_path / "originals/a").iterdir()] == ["1.jpg"], "the others went"

    def test_it_is_tried_again(
        self, shelf: list[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        photos(3)
        path = block(tmp_path, "a/1.jpg")
        Bare.objects.all().delete()
        (task,) = shelf
        assert (task.task.module_path, task.kwargs) == (
            "lazyimages.tasks.remove",
            {"names": ["a/1.jpg"], "attempt": 1, "using": "default"},
        )
        assert timezone.now() < task.task.run_after < timezone.now() + timedelta(minutes=2)
        assert messages(caplog, logging.WARNING) == ["not removed yet, attempt 1 of 8 follows: a/1.jpg"]
        assert messages(caplog, logging.ERROR) == []
        path.rmdir()
        path.touch()
        assert cleanup.remove(**task.kwargs) == []
        assert not path.exists()
        assert len(shelf) == 1

    def test_until_it_was_often_enough(
        self, shelf: list[Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        photos(1)
        block(tmp_path, "a/0.jpg")
        Bare.objects.all().delete()
        pauses = []
        done = 0
        while done < len(shelf):
            pauses.append(round((shelf[done].task.run_after - timezone.now()).total_seconds()))
            cleanup.remove(**shelf[done].kwargs)
            done += 1
        assert done == 8
        assert pauses == sorted(pauses)
        assert pauses[:4] == [60, 240, 960, 3840]
        assert 12 * 3600 < sum(pauses) < 48 * 3600
        assert messages(caplog, logging.ERROR) == ["not removed: a/0.jpg"]

    def test_another_row_has_it_by_then(self, shelf: list[Any], tmp_path: Path) -> None:
        photos(1)
        path = block(tmp_path, "a/0.jpg")
        Bare.objects.all().delete()
        path.rmdir()
        path.touch()
        Bare.objects.create(image="a/0.jpg")
        assert cleanup.remove(**shelf[0].kwargs) == []
        assert path.exists()

    def test_cleanup_is_off_by_then(self, lazy: Any) -> None:
        storage.put_original("a/0.jpg", b"x", "image/jpeg")
        lazy(CLEANUP=False)
        assert cleanup.remove(["a/0.jpg"]) == []
        assert originals() == ["a/0.jpg"]

    def test_a_task_system_that_is_down(
        self, settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.TASKS = {"default": {"BACKEND": "tests.host.queues.Broken"}}
        photos(1)
        block(tmp_path, "a/0.jpg")
        Bare.objects.all().delete()
        assert messages(caplog, logging.ERROR) == [
            "not enqueued: lazyimages.tasks.remove",
            "not removed: a/0.jpg",
        ]

    def test_a_storage_that_is_not_there(
        self, s3: Any, s3_calls: list[str], shelf: list[Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        """It is asked once, and not for each of the thousands; what is left is one task for 500 names."""
        s3.delete_bucket(Bucket=BUCKET)
        Bare.objects.bulk_create(Bare(image=f"a/{number}.jpg") for number in range(1200))
        s3_calls.clear()
        Bare.objects.all().delete()
        assert not Bare.objects.exists()
        assert s3_calls == ["DeleteObjects"]
        assert [len(task.kwargs["names"]) for task in shelf] == [500, 500, 200]
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        storage.put_original("a/700.jpg", b"x", "image/jpeg")
        for task in list(shelf):
            assert cleanup.remove(**task.kwargs) == []
        assert originals() == []

    def test_a_variant_that_is_not_deleted_keeps_its_original_on_the_list(
        self, shelf: list[Any], tmp_path: Path
    ) -> None:
        purged: list[str] = []

        def hear(original: str, **kwargs: object) -> None:
            purged.append(original)

        photos(2)
        (tmp_path / "variants" / variants.keys_of("a/0.jpg")[1]).mkdir(parents=True)
        variants_purged.connect(hear)
        try:
            Bare.objects.all().delete()
        finally:
            variants_purged.disconnect(hear)
        assert [task.kwargs["names"] for task in shelf] == [["a/0.jpg"]]
        assert purged == ["a/1.jpg"]

    def test_a_question_that_fails(self, caplog: pytest.LogCaptureFixture) -> None:
        """A table is not there, as in the middle of a deployment."""
        from tests.host.models import PlainPhoto

        photos(1)
        with connection.schema_editor() as editor:
            editor.delete_model(PlainPhoto)
        try:
            Bare.objects.all().delete()
        finally:
            with connection.schema_editor() as editor:
                editor.create_model(PlainPhoto)
        assert originals() == ["a/0.jpg"]
        assert messages(caplog, logging.ERROR) == ["not removed: a/0.jpg"]

    def test_many_names_are_several_lines(self, caplog: pytest.LogCaptureFixture, s3: Any) -> None:
        s3.delete_bucket(Bucket=BUCKET)
        Bare.objects.bulk_create(Bare(image=f"a/{number}.jpg") for number in range(120))
        Bare.objects.all().delete()
        lines = messages(caplog, logging.ERROR)
        assert len(lines) == 3
        assert {name for line in lines for name in line.removeprefix("not removed: ").split()} == {
            f"a/{number}.jpg" for number in range(120)
        }
