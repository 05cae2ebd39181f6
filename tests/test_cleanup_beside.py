"""django-cleanup, which deletes the files of all models after commit, and lazyimages side by side."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.db.models.signals import post_delete, post_init, post_save, pre_save
from django_cleanup import cache, handlers

from lazyimages import storage, variants
from tests.clock import PATIENCE
from tests.conftest import jpeg, upload
from tests.host.models import Bare, Blurred, PlainPhoto

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def django_cleanup() -> Iterator[None]:
    """Do what its AppConfig does when Django starts, and take it back."""
    cache.prepare(False)
    handlers.connect()
    yield
    for model in cache.cleanup_models():
        for name, signal in {
            "post_init": post_init,
            "pre_save": pre_save,
            "post_save": post_save,
            "post_delete": post_delete,
        }.items():
            uid = f"{name}_django_cleanup_{cache.get_model_name(model)}"
            assert signal.disconnect(sender=model, dispatch_uid=uid)
    cache.FIELDS.clear()


def photo() -> Any:
    row = Blurred.objects.create(image=upload(jpeg(80, 60)))
    storage.put_variant(variants.keys_of(row.image.name)[0], b"x", "image/jpeg")
    return Blurred.objects.get(pk=row.pk)


def files() -> list[str]:
    return sorted({*storage.iter_originals(), *storage.iter_keys()})


def assign(row: Any, value: Any) -> None:
    row.image = value
    row.save()


WAYS: dict[str, Callable[[Any], object]] = {
    "delete the row": lambda row: row.delete(),
    "delete by a query": lambda row: Blurred.objects.filter(pk=row.pk).delete(),
    "an upload": lambda row: assign(row, upload(jpeg(30, 30))),
    "clear": lambda row: assign(row, ""),
    "delete the file": lambda row: row.image.delete(),
    "another focal point": lambda row: row.image.move_focal(1, 2),
}


@pytest.mark.parametrize("way", WAYS)
def test_old_files_go_by_one_request(way: str, s3: Any, s3_calls: list[str]) -> None:
    row = photo()
    s3_calls.clear()
    WAYS[way](row)
    assert s3_calls.count("DeleteObjects") == 1
    assert not {"DeleteObject", "GetObject", "HeadObject"} & set(s3_calls)
    assert files() == list(Blurred.objects.exclude(image="").values_list("image", flat=True))


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a transaction"])
@pytest.mark.parametrize("way", WAYS)
class TestWays:
    def test_old_files_go(self, way: str, inside: bool) -> None:
        row = photo()
        before = files()
        if inside:
            with transaction.atomic():
                WAYS[way](row)
                assert set(before) <= set(files())
        else:
            WAYS[way](row)
        assert files() == list(Blurred.objects.exclude(image="").values_list("image", flat=True))

    def test_a_shared_file_stays(self, way: str, inside: bool) -> None:
        row = photo()
        before = files()
        Bare.objects.create(image=row.image.name)
        if inside:
            with transaction.atomic():
                WAYS[way](row)
        else:
            WAYS[way](row)
        assert set(before) <= set(files())

    def test_a_rollback(self, way: str, inside: bool) -> None:
        row = photo()
        before = files()
        with transaction.atomic():
            if inside:
                with transaction.atomic():
                    WAYS[way](row)
            else:
                WAYS[way](row)
            transaction.set_rollback(True)
        assert set(before) <= set(files())


def test_many_rows_are_few_requests(s3: Any, s3_calls: list[str]) -> None:
    Blurred.objects.bulk_create(Blurred(image=f"a/{number}.jpg") for number in range(40))
    keys = 40 * (1 + len(variants.keys_of("a/0.jpg")))
    s3_calls.clear()
    Blurred.objects.all().delete()
    assert s3_calls == ["DeleteObjects"] * -(-keys // 1000)


def test_what_it_alone_notices() -> None:
    """It compares names, so that a row's file may be given another one; we learn of it by what it deletes."""
    row = photo()
    storage.put_original("a/b.jpg", b"x", "image/jpeg")
    row.image.name = "a/b.jpg"
    row.save()
    assert files() == ["a/b.jpg"]


def test_other_fields_are_its_own() -> None:
    row = PlainPhoto.objects.create(image=upload(jpeg(30, 30)))
    assert len(files()) == 1
    row.delete()
    assert files() == []


def test_cleanup_off(lazy: Any) -> None:
    """Then it does what it does with Django's own field."""
    row = photo()
    before = files()
    lazy(CLEANUP=False)
    row.delete()
    assert files() == [name for name in before if "/480h/" in name or "/360x270/" in name]
    assert len(files()) == 1


SCRIPT = """
import os, sys
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
assert apps.is_installed("django_cleanup")
call_command("migrate", run_syncdb=True, verbosity=0)
from lazyimages import storage, variants
from tests.conftest import jpeg
from tests.host.models import Blurred
def photo():
    row = Blurred.objects.create(image=SimpleUploadedFile("x.jpg", jpeg(80, 60)))
    storage.put_variant(variants.keys_of(row.image.name)[0], b"x", "image/jpeg")
    return row
one, two, three = photo(), photo(), photo()
shared = Blurred.objects.create(image=three.image.name)
one.delete()
two.image = ""
two.save()
three.delete()
assert list(storage.iter_originals()) == [shared.image.name], list(storage.iter_originals())
assert list(storage.iter_keys()) == variants.keys_of(shared.image.name)[:1]
print("as it should be")
"""


def test_really_installed(tmp_path: Path) -> None:
    """In a process of its own, as an app among others."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "--command", SCRIPT],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.host.beside",
            "DATA_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "as it should be"
