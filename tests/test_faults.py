"""Faults that once were there: each test failed before its fault was mended."""

import errno
import fcntl
import gc
import hashlib
import os
import time
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import InvalidCacheBackendError, caches
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client
from PIL import Image

from lazyimages import checks, conf, formats, keys, render, signals, sizes, storage, tags
from lazyimages.engines.base import Job, Limits
from lazyimages.engines.pillow import PillowEngine
from lazyimages.exceptions import Busy
from lazyimages.locks import Flight
from tests.clock import PATIENCE
from tests.conftest import jpeg, upload
from tests.host.models import DimensionsFirst, MeasuredPhoto, Photo

ORIGINAL = "produs_1/img.AZ70KuRzw9.jpg"
KEY = "produs_1/360x270/img.AZ70KuRzw9.jpg"


class DimensionsFirstProxy(DimensionsFirst):
    """Django sends `post_init` for the proxy, and the field listens to the model."""

    class Meta:
        proxy = True
        app_label = "host"


@pytest.fixture
def original() -> None:
    """Store an original that KEY is a variant of."""
    storages["default"].save(ORIGINAL, ContentFile(jpeg()))


def get(key: str = KEY) -> Any:
    """Ask as a browser does: what escapes from the view is a 500."""
    return Client(raise_request_exception=False).get(f"/images/v/{quote(key)}")


class TestLocks:
    def test_without_a_directory_for_the_locks(
        self, original: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", "/no/such/directory")
        response = get()
        assert (response.status_code, response["Retry-After"]) == (503, "5")
        assert "error=StorageUnavailable the lock files cannot be used" in caplog.text

    def test_a_system_without_locks_to_give(self, original: None, monkeypatch: pytest.MonkeyPatch) -> None:
        flock = fcntl.flock

        def none_left(file: int, operation: int) -> None:
            if operation & fcntl.LOCK_EX:
                raise OSError(errno.ENOLCK, "No locks available")
            flock(file, operation)

        monkeypatch.setattr(fcntl, "flock", none_left)
        assert get().status_code == 503

    def test_a_full_disk_below_the_locks(self, original: None, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*arguments: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "pwrite", full)
        assert get().status_code == 200
        assert storage.get_variant(KEY) is not None

    def test_a_receiver_may_make_another_variant(self, original: None, lazy: Callable[..., None]) -> None:
        """Its lock may be in the same file as the one that the sender of the signal holds."""
        widths = [f"{width}w" for width in range(100, 1600)]
        lazy(SIZES=["360x270", *widths], RENDER_WAIT=0.3)
        others = (f"produs_1/{width}/img.AZ70KuRzw9.jpg" for width in widths)
        other = next(key for key in others if stripe(key) == stripe(KEY))

        def make_other(key: str, **kwargs: Any) -> None:
            if key == KEY:
                render.get_or_make(keys.parse(other))

        signals.variant_created.connect(make_other)
        try:
            get()
        finally:
            signals.variant_created.disconnect(make_other)
        assert storage.get_variant(other) is not None

    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of threads, which are the point
    def test_a_fork_does_not_inherit_taken_slots(self) -> None:
        taken, end = Event(), Event()

        def hold() -> None:
            with render._renders.take(of=1, deadline=time.monotonic() + 1):
                taken.set()
                end.wait(PATIENCE)

        thread = Thread(target=hold)
        thread.start()
        assert taken.wait(PATIENCE)
        child = os.fork()
        if child == 0:
            try:
                with render._renders.take(of=1, deadline=time.monotonic() + 0.2):
                    os._exit(0)
            except Busy:
                os._exit(1)
        status = os.waitpid(child, 0)[1]
        end.set()
        thread.join()
        assert os.waitstatus_to_exitcode(status) == 0


def stripe(key: str) -> int:
    """Return which of the lock files is a key's."""
    return hashlib.sha256(key.encode()).digest()[0]


def test_a_cache_whose_client_cannot_be_made(
    original: None, settings: Any, lazy: Callable[..., None]
) -> None:
    """As when the package of the cache's client is not installed."""
    settings.CACHES = {**settings.CACHES, "shared": {"BACKEND": "no.such.Cache"}}
    lazy(CACHE="shared")
    with pytest.raises(InvalidCacheBackendError):
        caches["shared"]
    assert get().status_code == 200


class TestLog:
    """Every answer of 503 has its reason in the log."""

    def test_a_variant_that_cannot_be_looked_for(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        loop = tmp_path / "variants"
        loop.symlink_to(loop)
        assert get().status_code == 503
        assert f"failed key={KEY} error=StorageUnavailable" in caplog.text

    def test_waiting_in_vain(
        self, original: None, lazy: Callable[..., None], caplog: pytest.LogCaptureFixture
    ) -> None:
        lazy(RENDER_WAIT=0.1)
        with Flight(KEY) as flight, flight.turn(lambda: None, deadline=time.monotonic() + 1):
            assert get().status_code == 503
        assert f"failed key={KEY} error=Busy" in caplog.text


class TestFileSystem:
    @pytest.mark.parametrize("key", [f"a/360x270/{'x' * 300}.jpg", f"{'x' * 300}/360x270/a.jpg"])
    def test_a_name_that_is_too_long_is_no_failure(self, key: str, tmp_path: Path) -> None:
        """Above 255 bytes, where keys have up to 1,024: there is no such file."""
        (tmp_path / "variants" / "a" / "360x270").mkdir(parents=True)
        (tmp_path / "originals" / "a").mkdir(parents=True)
        assert get(key).status_code == 404

    def test_no_file_stays_open_without_proc(self, monkeypatch: pytest.MonkeyPatch) -> None:
        before = len(list(Path("/proc/self/fd").iterdir()))
        system_open = os.open

        def without_proc(path: Any, *arguments: Any, **options: Any) -> int:
            if str(path).startswith("/proc"):
                raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
            return system_open(path, *arguments, **options)

        monkeypatch.setattr(os, "open", without_proc)
        for _ in range(5):
            storage.put_variant(KEY, b"bytes", "image/jpeg")
        assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_secret_is_not_in_tracebacks(lazy: Callable[..., None]) -> None:
    """Those of Django and of error trackers show the repr of local variables."""
    lazy(ORIGIN_SECRET="hunter2")
    assert conf.settings().origin_secret == "hunter2"
    assert "hunter2" not in repr(conf.settings())


def test_check_of_a_storage_with_an_unknown_option(settings: Any) -> None:
    entry = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"locaton": "/media"}}
    settings.STORAGES = {**settings.STORAGES, "lazyimages": entry}
    (message,) = checks.check_settings()
    assert message.id == "lazyimages.E018"
    assert "locaton" in message.msg


def test_large_profiles_are_not_kept() -> None:
    """What uploads hold may not stay in memory: 32 profiles of 40 MB would be more than a gigabyte."""
    job = Job(
        plan=sizes.parse("10w").plan(20, 20),
        format=formats.PNG,
        quality=None,
        background="#ffffff",
        animation="first",
    )
    tracemalloc.start()
    try:
        for _ in range(4):
            buffer = BytesIO()
            Image.new("RGB", (20, 20)).save(buffer, "WEBP", icc_profile=os.urandom(2**21))
            PillowEngine().render(buffer.getvalue(), [job], limits=Limits(max_pixels=10**6, max_bytes=2**22))
        del buffer
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 2**21
    finally:
        tracemalloc.stop()


@pytest.mark.django_db
class TestField:
    def test_dimensions_of_a_proxys_row(self) -> None:
        made = DimensionsFirstProxy.objects.create(image=upload(jpeg(40, 30)))
        row = DimensionsFirst.objects.get(pk=made.pk)
        assert (row.width, row.height) == (40, 30)

    def test_a_row_made_with_another_rows_image(self) -> None:
        one = Photo.objects.create(image=upload(jpeg(40, 30)))
        other = Photo.objects.create(image=one.image)
        assert (other.width, other.height) == (40, 30)

    def test_a_name_in_place_of_an_image_that_was_not_loaded(self) -> None:
        pk = Photo.objects.create(image=upload(jpeg(40, 30))).pk
        photo = Photo.objects.defer("image").get(pk=pk)
        photo.image = "elsewhere/other.jpg"
        assert (photo.width, photo.height) == (None, None)

    def test_an_upload_can_be_validated_without_a_row(self) -> None:
        file = upload(jpeg(40, 30))
        assert Photo._meta.get_field("image").clean(file, None) is file
        with pytest.raises(ValidationError):
            Photo._meta.get_field("image").clean(upload(b"no image"), None)

    def test_the_url_of_a_format_that_is_not_allowed(self) -> None:
        """It would be a 404 for ever."""
        with pytest.raises(ValueError, match="choose from jpeg"):
            Photo(image="a/b.jpg").image.variant_url("480h", "avif")


def test_dimensions_before_rotation_are_not_trusted(delivery: Callable[..., None]) -> None:
    """A portrait that is stored on its side: Django's field says 4032×3024, and `480h` is 360 wide."""
    delivery("redirect")
    photo = MeasuredPhoto(image="plain/a.jpg", width=4032, height=3024)
    assert tags.srcset(photo.image, "480h 1280w") == "https://cdn.example/plain/1280w/a.jpg 1280w"
    assert "height=" not in tags.img(photo.image, "1280w")
