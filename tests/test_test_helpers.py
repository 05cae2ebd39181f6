"""`lazyimages.test`: a host project's tests need neither a storage nor pixels."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import InMemoryStorage, storages
from django.test import Client, override_settings
from PIL import Image, ImageFile

from lazyimages import conf, current, storage, uploads
from lazyimages.checks import check_settings
from lazyimages.engines.pillow import PillowEngine
from lazyimages.forms import LazyImageFormField
from lazyimages.test import FakeEngine, fake_images, image_file, image_values
from tests.conftest import jpeg
from tests.host.models import Bare, MeasuredPhoto, Photo, PlainPhoto

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "testing.md").read_text()
MODULES: dict[str, str] = dict(re.findall(r"```python\n# ([\w/]+\.py)\n(.*?)```", GUIDE, re.DOTALL))
SIDES = [(1, 1), (7, 9), (16, 8), (1600, 1200), (1200, 1600), (4032, 3024), (5000, 3)]


@pytest.fixture
def closed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every look into a project's storage be a failure, and every decoding of more than 64 pixels a side.

    Placeholders are made of what the engine makes of an upload, which is no larger.
    """
    nothing = {"BACKEND": "tests.host.closed.Closed"}
    settings.STORAGES = {**settings.STORAGES, "default": nothing, "lazyimages": nothing}

    def refuse(image: Any, *args: Any, **kwargs: Any) -> Any:
        assert max(getattr(image, "size", (9999,))) <= 64, "a photo was decoded"
        return load(image, *args, **kwargs)

    load = ImageFile.ImageFile.load
    monkeypatch.setattr(Image, "open", refuse)
    monkeypatch.setattr(ImageFile.ImageFile, "load", refuse)


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
@pytest.mark.parametrize(("width", "height"), SIDES)
def test_an_image_file_is_a_real_image(format: str, width: int, height: int) -> None:
    file = image_file(width, height, format=format)
    picture = Image.open(file)
    picture.load()
    assert (picture.format, picture.size) == (format.upper(), (width, height))
    assert all(least == most for least, most in picture.convert("RGB").getextrema())
    file.seek(0)
    probe = uploads.inspect(file, file.name)
    assert (probe.format.name, probe.width, probe.height) == (format, width, height)
    assert file.content_type == probe.format.media_type


def test_an_image_file_has_the_name_that_it_is_given() -> None:
    assert image_file().name == "image.jpg"
    assert image_file(format="webp").name == "image.webp"
    assert image_file(name="bowl.jpeg").name == "bowl.jpeg"
    assert image_file(4000, 3000).size < 50_000


def test_other_formats_are_named() -> None:
    with pytest.raises(ValueError, match="'avif' is not one of: jpeg, png, webp"):
        image_file(format="avif")


@pytest.mark.django_db
class TestFakeImages:
    def test_an_upload_and_its_variants_touch_no_storage_and_decode_nothing(self, closed: None) -> None:
        with fake_images():
            file = LazyImageFormField().clean(image_file(1600, 1200, name="bowl.jpg"))
            photo = Photo.objects.create(image=file)
            photo = Photo.objects.get(pk=photo.pk)
            response = Client().get(photo.image.variant_url("360x270"))
            keys = list(storage.iter_keys())
        assert (photo.width, photo.height) == (1600, 1200)
        assert response.status_code == 200
        assert [key for key in keys if "/360x270/" in key] == [f"produs_1/360x270/{photo.image.name[9:]}"]

    @pytest.mark.parametrize("name", ["jpeg", "png", "webp"])
    def test_variants_have_the_dimensions_that_were_asked_for(self, name: str) -> None:
        with fake_images(FORMATS=["avif", "webp", "gif"], DELIVERY="local"):
            photo = Photo.objects.create(image=image_file(1200, 1600, format=name))
            for size, width, height in (("360x270", 360, 270), ("480h", 360, 480), ("1280w", 1200, 1600)):
                for output in (name, "avif", "webp", "gif"):
                    response = Client().get(photo.image.variant_url(size, format=output))
                    assert response.headers["Content-Type"] == f"image/{output}"
                    picture = Image.open(BytesIO(response.content))
                    picture.load()
                    assert picture.format == output.upper()
                    expected = (width, height) if output not in ("avif", "gif") else (1, 1)
                    assert picture.size == expected

    def test_what_is_no_image_is_refused(self) -> None:
        with fake_images(), pytest.raises(Exception, match="JPEG, PNG"):
            LazyImageFormField().clean(image_file(name="notes.jpg").__class__("notes.jpg", b"Dear diary"))

    def test_files_are_gone_when_it_ends(self, settings: Any) -> None:
        before = settings.STORAGES, settings.LAZYIMAGES
        with fake_images():
            name = Photo.objects.create(image=image_file()).image.name
            assert isinstance(storages["default"], InMemoryStorage)
            assert storages["default"].exists(name)
            # Django's own field counts on another name for a second file.
            plain = [PlainPhoto.objects.create(image=image_file(name="a.jpg")).image.name for _ in range(2)]
            assert plain[0] != plain[1]
            for data in (b"first", b"second"):
                storage.put_variant("1w/a.jpg", data, "image/jpeg")
            stored = storage.get_variant("1w/a.jpg")
            assert stored is not None
            assert stored.data == b"second"
        with fake_images():
            assert not storages["default"].exists(name)
        assert before == (settings.STORAGES, settings.LAZYIMAGES)
        assert type(current.engine()) is PillowEngine

    def test_parts_of_the_settings(self, lazy: Callable[..., None]) -> None:
        lazy(SIZES=["10w"], FORMATS=["webp"], PRESETS={})

        @fake_images(SIZES=["20w"])
        def look() -> tuple[Any, ...]:
            return [*map(str, conf.settings().whitelist)], [f.name for f in conf.settings().formats]

        assert look() == (["20w"], ["webp"])

    def test_the_real_engine_with_storages_in_memory(self) -> None:
        with fake_images(ENGINE="lazyimages.engines.pillow.PillowEngine"):
            photo = Photo.objects.create(image=image_file(800, 600))
            url = photo.image.variant_url("360x270")
            assert type(current.engine()) is PillowEngine
            assert Image.open(BytesIO(Client().get(url).content)).size == (360, 270)

    def test_the_settings_that_it_makes_pass_the_checks(self) -> None:
        with fake_images(FORMATS=["avif", "webp"]):
            assert isinstance(current.engine(), FakeEngine)
            assert check_settings() == []

    def test_other_storages_are_left_alone(self, lazy: Callable[..., None], settings: Any) -> None:
        lazy(ORIGINALS="photos", VARIANTS="sizes")
        settings.STORAGES = {**settings.STORAGES, "photos": settings.STORAGES["default"]}
        with fake_images():
            assert settings.STORAGES["default"]["BACKEND"].endswith("FileSystemStorage")
            photo = Photo.objects.create(image=image_file())
            assert isinstance(storages["photos"], InMemoryStorage)
            assert isinstance(storages["sizes"], InMemoryStorage)
            assert storages["photos"].exists(photo.image.name)

    def test_inside_of_other_settings(self) -> None:
        with override_settings(LAZYIMAGES={"SIZES": ["33w"]}), fake_images():
            assert list(map(str, conf.settings().whitelist)) == ["33w"]

    def test_real_photos_are_read_as_ever(self, closed: None) -> None:
        with fake_images():
            photo = Photo(image=image_file().__class__("a.jpg", ROTATED))
            assert (photo.width, photo.height) == (1200, 1600)


ROTATED = jpeg(1600, 1200, orientation=6)


@pytest.mark.django_db
class TestImageValues:
    def test_a_row_without_a_file(self, closed: None) -> None:
        values = image_values(Photo.image, 1600, 1200)
        assert values == {"image": "image.jpg", "width": 1600, "height": 1200}
        photo = Photo.objects.get(pk=Photo.objects.create(**values).pk)
        assert photo.image.variant_url("480h") == "/images/v/480h/image.jpg"
        assert (photo.image.width, photo.image.height) == (1600, 1200)

    def test_a_name(self) -> None:
        assert image_values(Photo.image, 8, 6, name="produs_1/bowl.jpg")["image"] == "produs_1/bowl.jpg"

    def test_without_fields_for_the_dimensions(self, closed: None) -> None:
        assert image_values(Bare.image, 8, 6) == {"image": "image.jpg"}
        assert image_values(PlainPhoto.image, 8, 6) == {"image": "image.jpg"}

    def test_djangos_own_field(self, closed: None) -> None:
        photo = MeasuredPhoto.objects.create(**image_values(MeasuredPhoto.image, 8, 6))
        assert (photo.width, photo.height) == (8, 6)


SETTINGS = """
SECRET_KEY = "x"
ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = ["lazyimages", "shop"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "urls"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
STORAGES = {
    "default": {"BACKEND": "tests.host.closed.Closed"},
    "lazyimages": {"BACKEND": "tests.host.closed.Closed"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
LAZYIMAGES = {"SIZES": ["360x270", "720x540"]}

from PIL import Image, ImageFile


def refuse(image, *args, **kwargs):
    assert max(getattr(image, "size", (9999,))) <= 64, "a photo was decoded"
    return load(image, *args, **kwargs)


load = ImageFile.ImageFile.load
Image.open = ImageFile.ImageFile.load = refuse
"""
URLS = """
from django.urls import include, path

urlpatterns = [path("images/", include("lazyimages.urls"))]
"""


@pytest.fixture
def host(tmp_path: Path) -> Callable[..., str]:
    """Make the guide's project, whose storages refuse everything; returns how to run Python in it."""
    for name, code in {**MODULES, "settings.py": SETTINGS, "urls.py": URLS, "shop/__init__.py": ""}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "DJANGO_SETTINGS_MODULE": "settings", **PATH},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


PATH = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}


class TestTheGuide:
    def test_its_modules(self) -> None:
        assert list(MODULES) == [
            "shop/models.py",
            "shop/test_pages.py",
            "shop/test_uploads.py",
            "conftest.py",
            "shop/test_with_pytest.py",
        ]

    def test_djangos_runner(self, host: Callable[..., str]) -> None:
        (test_count,) = re.findall(r"Ran ([0-9]+) tests", host("-m", "django", "test", "-p", "test_[pu]*.py"))
        assert int(test_count) == 4

    def test_pytest(self, host: Callable[..., str]) -> None:
        assert "8 passed" in host("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "shop")

    def test_pytest_is_not_needed_to_import_it(self) -> None:
        code = "import json, sys, lazyimages.test; print(json.dumps('pytest' in sys.modules))"
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": str(ROOT), "DJANGO_SETTINGS_MODULE": "tests.settings", **PATH},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) is False
