"""The system checks, as `manage.py check` prints them."""

import sys
import types
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import PIL
import pytest
from botocore.config import Config
from django.core.checks import CheckMessage, run_checks
from django.core.files.storage import FileSystemStorage, InMemoryStorage, Storage
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import models
from django.test.utils import isolate_apps

from lazyimages.engines.pillow import PillowEngine
from lazyimages.fields import LazyImageField
from tests.conftest import CDN, RESIZER

PATIENT = {"bucket_name": "photos", "region_name": "eu-central-1"}
TWICE = {"mode": "standard", "total_max_attempts": 2}
QUICK = {**PATIENT, "client_config": Config(connect_timeout=1, read_timeout=3, retries=TWICE)}


@pytest.fixture(autouse=True)
def _render_wait(lazy: Callable[..., None]) -> None:
    lazy(RENDER_WAIT=10)  # the default, with which checks compare


class Overwriting(Storage):
    """A storage without `path()` that keeps the names it is given, as some for other clouds do."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name


class OverwritingByExists(Storage):
    """One that keeps names because it says that none is taken."""

    def is_name_available(self, name: str, max_length: int | None = None) -> bool:
        return True


class Located(Overwriting):
    """One that puts a prefix before every name."""

    location = Path("media")


class WithoutLocation(Overwriting):
    """One whose prefix is not set."""

    location = None


class WithoutAvif(PillowEngine):
    """An engine on a Pillow that was built without AVIF."""

    def encoders(self) -> frozenset[str]:
        return super().encoders() - {"avif"}


def found() -> list[CheckMessage]:
    """Return what the checks of lazyimages say."""
    return [message for message in run_checks() if (message.id or "").startswith("lazyimages.")]


def ids() -> list[str]:
    return [str(message.id).removeprefix("lazyimages.") for message in found()]


def only() -> CheckMessage:
    (message,) = found()
    return message


@pytest.fixture
def storages_are(settings: Any) -> Callable[..., None]:
    """Change entries of STORAGES: a class of this module, or the options of an S3Storage."""

    def change(**entries: Any) -> None:
        for alias, entry in entries.items():
            if isinstance(entry, dict):
                value = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": entry}
            else:
                value = {"BACKEND": f"{entry.__module__}.{entry.__qualname__}"}
            settings.STORAGES = {**settings.STORAGES, alias: value}

    return change


def test_a_correct_project_has_nothing_to_mend() -> None:
    assert found() == []
    out = StringIO()
    call_command("check", stdout=out, stderr=out)
    assert out.getvalue() == "System check identified no issues (0 silenced).\n"


def test_so_has_a_correct_project_on_s3(
    storages_are: Callable[..., None], delivery: Callable[..., None]
) -> None:
    storages_are(default=QUICK, lazyimages=QUICK)
    for name in ("redirect", "failover", "local"):
        delivery(name)
        assert found() == []


def test_manage_py_check_prints_message_and_remedy_and_fails(lazy: Callable[..., None]) -> None:
    lazy(DELIVERY="cdn")
    with pytest.raises(SystemCheckError) as caught:
        call_command("check")
    assert "(lazyimages.E004) LAZYIMAGES['DELIVERY']: 'cdn' is not one of the choices." in str(caught.value)
    assert "HINT: Choose from local, redirect, failover." in str(caught.value)


def test_they_can_be_run_alone_by_their_tag(lazy: Callable[..., None]) -> None:
    lazy(DELIVERY="cdn")
    assert [message.id for message in run_checks(tags=["lazyimages"])] == ["lazyimages.E004"]


class TestSettings:
    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            (["480h"], ["E001"]),
            ({"SIZES": ["big"]}, ["E002"]),
            ({"SIZES": ["480h"], "SIZE": []}, ["E003"]),
            ({"SIZES": ["480h"], "QUALITY": {"jpeg": 900}}, ["E004"]),
            ({"PRESETS": {"480h": {"sizes": "480h"}}}, ["E005"]),
            ({"PRESETS": {"card": {"sizes": "480"}}}, ["E005"]),
            ({}, ["E006"]),
            ({"SIZES": []}, ["E006"]),
            ({"SIZES": ["big"], "SIZE": [], "PRESETS": 1}, ["E002", "E003", "E005"]),
        ],
    )
    def test_every_mistake_has_its_id(self, settings: Any, raw: object, expected: list[str]) -> None:
        settings.LAZYIMAGES = raw
        assert ids() == expected

    def test_without_the_setting(self, settings: Any) -> None:
        del settings.LAZYIMAGES
        message = only()
        assert message.id == "lazyimages.E006"
        assert message.msg == "LAZYIMAGES allows no sizes, so every image would be a 404."
        assert 'LAZYIMAGES["SIZES"] = ["360x270", "480h", "1280w"]' in str(message.hint)

    def test_the_sizes_of_presets_are_enough(self, settings: Any) -> None:
        settings.LAZYIMAGES = {"PRESETS": {"card": {"sizes": "480h"}}}
        assert found() == []


class TestProportions:
    @staticmethod
    def presets(sizes: str, source: str = "480x600") -> dict[str, object]:
        sources = [{"media": "(max-width: 40rem)", "sizes": source}]
        return {"card": {"sizes": "96x96"}, "hero": {"sizes": sizes, "sources": sources}}

    @pytest.mark.parametrize(
        "sizes",
        [
            "360x270 720x540",
            "1280w 640w",
            "1280w 480h",
            "333x250 1000x750",  # rounded: 333.3 by 250
            "67x50 133x100 267x200",
            "96x96",
        ],
    )
    def test_one_proportion_in_a_preset_is_fine(self, lazy: Callable[..., None], sizes: str) -> None:
        lazy(PRESETS=self.presets(sizes))
        assert ids() == []

    @pytest.mark.parametrize(
        ("sizes", "mixed"),
        [
            ("360x270 720x480", "360x270 and 720x480"),
            ("360x270 720x540 640w", "360x270 and 640w"),
            ("480h 640x480", "480h and 640x480"),
            ("96x96 100x96", "96x96 and 100x96"),
            ("360x270 270x360", "360x270 and 270x360"),
        ],
    )
    def test_several_move_the_page(self, lazy: Callable[..., None], sizes: str, mixed: str) -> None:
        lazy(PRESETS=self.presets(sizes))
        message = only()
        assert message.id == "lazyimages.W002"
        assert message.msg == f"The preset 'hero' mixes proportions: {mixed}."
        assert "sources" in (message.hint or "")

    def test_a_source_has_proportions_of_its_own(self, lazy: Callable[..., None]) -> None:
        lazy(PRESETS=self.presets("1280w", source="480x600 960x1000"))
        assert only().msg == "Source 1 of the preset 'hero' mixes proportions: 480x600 and 960x1000."

    def test_sizes_are_a_list_and_no_image(self, lazy: Callable[..., None]) -> None:
        lazy(SIZES=["360x270", "96x96", "480h"])
        assert ids() == []


class TestDelivery:
    @pytest.mark.parametrize("name", ["redirect", "failover"])
    @pytest.mark.parametrize(
        ("parts", "expected"),
        [
            ({}, ["E007", "E008"]),
            ({"RESIZER_URL": RESIZER}, ["E007"]),
            ({"CDN_URL": CDN}, ["E008"]),
            ({"CDN_URL": CDN, "RESIZER_URL": RESIZER}, []),
        ],
    )
    def test_both_urls_are_needed_with_a_cdn(
        self,
        storages_are: Callable[..., None],
        lazy: Callable[..., None],
        name: str,
        parts: dict[str, str],
        expected: list[str],
    ) -> None:
        storages_are(default=QUICK, lazyimages=QUICK)
        lazy(DELIVERY=name, **parts)
        assert ids() == expected
        assert all(f"DELIVERY is {name!r}" in message.msg for message in found())

    @pytest.mark.parametrize("name", ["redirect", "failover"])
    def test_no_cdn_finds_files_on_this_machine(self, delivery: Callable[..., None], name: str) -> None:
        delivery(name)
        message = only()
        assert message.id == "lazyimages.E017"
        assert message.msg == (
            f"DELIVERY is {name!r}, but the storage 'lazyimages' keeps its files on this machine, "
            "where no CDN finds them."
        )
        assert message.hint == 'Use storages.backends.s3.S3Storage for it, or DELIVERY = "local".'

    def test_urls_that_are_not_included(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        module = types.ModuleType("tests_without_urls")
        module.urlpatterns = []  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        settings.ROOT_URLCONF = module.__name__
        message = only()
        assert message.id == "lazyimages.E009"
        assert message.hint == 'Add path("images/", include("lazyimages.urls")) to the root URLconf.'


class TestStorages:
    def test_one_that_renames_is_refused(self, storages_are: Callable[..., None]) -> None:
        storages_are(lazyimages=InMemoryStorage)
        message = only()
        assert message.id == "lazyimages.E010"
        assert message.msg.startswith("The storage 'lazyimages' renames a file whose name is taken.")
        assert "file_overwrite" in str(message.hint)

    @pytest.mark.parametrize(
        "storage", [Overwriting, OverwritingByExists, Located, WithoutLocation, FileSystemStorage]
    )
    def test_one_that_keeps_names_is_not(self, storages_are: Callable[..., None], storage: type) -> None:
        storages_are(lazyimages=storage)
        assert found() == []

    def test_s3_is_written_by_name_whatever_its_options(self, storages_are: Callable[..., None]) -> None:
        storages_are(lazyimages={**QUICK, "file_overwrite": False})
        assert found() == []

    def test_originals_may_be_renamed(self, storages_are: Callable[..., None]) -> None:
        storages_are(default=InMemoryStorage)
        assert found() == []

    def test_asking_leaves_the_storage_as_it_was(self, storages_are: Callable[..., None]) -> None:
        from django.core.files.storage import storages

        storages_are(lazyimages=InMemoryStorage)
        found()
        assert not storages["lazyimages"].exists("lazyimages/check.jpg")
        assert "exists" not in vars(storages["lazyimages"])

    @pytest.mark.parametrize("location", ["media", "media/", "a/b"])
    def test_a_location_on_s3(
        self, storages_are: Callable[..., None], delivery: Callable[..., None], location: str
    ) -> None:
        storages_are(lazyimages={**QUICK, "location": location})
        delivery("redirect")
        message = only()
        assert message.id == "lazyimages.E011"
        assert "the storage 'lazyimages' has a location" in message.msg
        assert str(message.hint).startswith("Remove location")
        delivery("local")
        assert found() == []

    @pytest.mark.parametrize("alias", ["default", "lazyimages"])
    @pytest.mark.parametrize(
        ("entry", "reason"),
        [
            ({"BACKEND": "no.such.Storage"}, "Could not find backend 'no.such.Storage'"),
            (
                {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {"location": "/media"}},
                "cannot begin with a leading slash",
            ),
        ],
    )
    def test_one_that_cannot_be_made(
        self, settings: Any, alias: str, entry: dict[str, Any], reason: str
    ) -> None:
        settings.STORAGES = {**settings.STORAGES, alias: entry}
        message = only()
        assert message.id == "lazyimages.E018"
        assert reason in message.msg

    def test_an_endpoint_without_its_scheme(self, settings: Any) -> None:
        """boto3 would raise ValueError when the first request is made."""
        options = {"bucket_name": "b", "endpoint_url": "minio.shop.example:9000"}
        entry = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "lazyimages": entry}
        message = only()
        assert message.id == "lazyimages.E018"
        assert "'minio.shop.example:9000', no URL" in message.msg
        assert "https://minio.shop.example:9000" in str(message.hint)

    def test_a_location_of_another_cloud(
        self, storages_are: Callable[..., None], delivery: Callable[..., None]
    ) -> None:
        delivery("failover")
        storages_are(lazyimages=Located)
        assert ids() == ["E011"]
        storages_are(lazyimages=WithoutLocation)
        assert found() == []

    def test_originals_may_have_a_location(
        self, storages_are: Callable[..., None], delivery: Callable[..., None]
    ) -> None:
        storages_are(default={**QUICK, "location": "originals"}, lazyimages=QUICK)
        delivery("redirect")
        assert found() == []

    def test_but_none_like_a_size(
        self, storages_are: Callable[..., None], delivery: Callable[..., None]
    ) -> None:
        """The bucket's policy would open it to everybody."""
        storages_are(default={**QUICK, "location": "photos/480h"}, lazyimages=QUICK)
        delivery("redirect")
        message = only()
        assert message.id == "lazyimages.E020"
        assert "location of the storage 'default' has the directory '480h'" in message.msg

    @pytest.mark.parametrize("key", ["ORIGINALS", "VARIANTS"])
    def test_an_alias_that_is_not_there(self, lazy: Callable[..., None], key: str) -> None:
        lazy(**{key: "photos"})
        message = only()
        assert message.id == "lazyimages.E014"
        assert message.msg == f"LAZYIMAGES[{key!r}] is 'photos', which is not in STORAGES."
        assert "default, lazyimages" in str(message.hint)

    def test_variants_may_be_left_out_in_favour_of_default(self, settings: Any) -> None:
        settings.STORAGES = {k: v for k, v in settings.STORAGES.items() if k != "lazyimages"}
        assert found() == []

    def test_but_originals_may_not(self, settings: Any, lazy: Callable[..., None]) -> None:
        settings.STORAGES = {k: v for k, v in settings.STORAGES.items() if k != "lazyimages"}
        lazy(ORIGINALS="lazyimages")
        message = only()
        assert message.msg == "LAZYIMAGES['ORIGINALS'] is 'lazyimages', which is not in STORAGES."

    def test_nor_is_there_anything_to_fall_back_to(self, settings: Any, lazy: Callable[..., None]) -> None:
        settings.STORAGES = {"staticfiles": settings.STORAGES["staticfiles"]}
        assert ids() == ["E014", "E014"]

    def test_an_unknown_cache(self, lazy: Callable[..., None]) -> None:
        lazy(CACHE="redis")
        message = only()
        assert message.id == "lazyimages.E016"
        assert message.msg == "LAZYIMAGES[\"CACHE\"] is 'redis', which is not in CACHES."
        assert "Choose from default" in str(message.hint)

    @pytest.mark.parametrize(
        ("config", "waits"),
        [
            (None, "up to 615 seconds"),
            (Config(), "up to 615 seconds"),
            (Config(connect_timeout=2), "up to 325 seconds"),
            (Config(read_timeout=5, retries=TWICE), "up to 131 seconds"),
            (Config(connect_timeout=1, read_timeout=None), "for ever"),
            (Config(connect_timeout=None, read_timeout=1), "for ever"),
            (Config(connect_timeout=1, read_timeout=3), "up to 35 seconds"),
            (Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard"}), "up to 15 seconds"),
            (Config(connect_timeout=1, read_timeout=3, retries={"mode": "adaptive"}), "up to 15 seconds"),
            (Config(connect_timeout=1, read_timeout=3, retries={"max_attempts": 2}), "up to 15 seconds"),
            (Config(connect_timeout=2, read_timeout=3, retries=TWICE), "up to 11 seconds"),
            (Config(connect_timeout=1, read_timeout=3, retries=TWICE), None),
            (Config(connect_timeout=1, read_timeout=3, retries={"max_attempts": 1}), None),
            (Config(connect_timeout=2, read_timeout=8, retries={"total_max_attempts": 1}), None),
        ],
    )
    def test_waiting_long_for_s3(
        self, storages_are: Callable[..., None], config: Config | None, waits: str | None
    ) -> None:
        storages_are(lazyimages={**PATIENT, "client_config": config})
        assert ids() == ([] if waits is None else ["W001"])
        for message in found():
            assert message.msg == (
                f"The storage 'lazyimages' waits {waits} for one answer of S3, and a worker with it; "
                "RENDER_WAIT is 10."
            )
            assert "connect_timeout=1, read_timeout=3" in str(message.hint)
            assert "'total_max_attempts': 2" in str(message.hint)
            assert not message.is_serious()

    def test_waiting_longer_than_render_wait(
        self, storages_are: Callable[..., None], lazy: Callable[..., None]
    ) -> None:
        storages_are(lazyimages=QUICK)
        lazy(RENDER_WAIT=9)
        assert ids() == []
        lazy(RENDER_WAIT=8)
        assert ids() == ["W001"]

    def test_each_storage_that_waits_is_named_once(self, storages_are: Callable[..., None]) -> None:
        storages_are(default=PATIENT, lazyimages=PATIENT)
        assert [message.msg.split("'")[1] for message in found()] == ["default", "lazyimages"]

    def test_the_checks_call_no_cloud(self, s3: Any, s3_calls: list[str]) -> None:
        found()
        assert s3_calls == []


class TestEngine:
    @pytest.mark.parametrize("version", ["12.9.1", "12.0.0.dev0", "9.5.0"])
    def test_pillow_too_old(self, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
        monkeypatch.setattr(PIL, "__version__", version)
        message = only()
        assert message.id == "lazyimages.E012"
        assert version in message.msg
        assert message.hint == "pip install --upgrade 'Pillow>=13.0'"

    @pytest.mark.parametrize("version", ["13.0.0", "13.1.0.dev0", "14.2"])
    def test_pillow_new_enough(self, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
        monkeypatch.setattr(PIL, "__version__", version)
        assert found() == []

    def test_a_format_that_the_engine_cannot_write(self, lazy: Callable[..., None]) -> None:
        lazy(FORMATS=["webp", "avif"], ENGINE=f"{__name__}.WithoutAvif")
        message = only()
        assert message.id == "lazyimages.E013"
        assert message.msg == "The engine cannot write AVIF."
        assert "take it out of FORMATS" in str(message.hint)
        lazy(FORMATS=["webp"])
        assert found() == []

    @pytest.mark.parametrize(
        "path",
        [
            "",
            "pillow",
            "lazyimages.engines.pillow",
            "lazyimages.engines.pillow.Missing",
            "no.such.package.Engine",
            "lazyimages.conf.settings",
            "lazyimages.sizes.parse",
        ],
    )
    def test_no_engine(self, lazy: Callable[..., None], path: str) -> None:
        lazy(ENGINE=path)
        message = only()
        assert message.id == "lazyimages.E015"
        assert message.msg.startswith(f'LAZYIMAGES["ENGINE"] is {path!r}, no engine: ')
        assert "dotted path" in str(message.hint)


class TestField:
    @isolate_apps("tests.host")
    @pytest.mark.parametrize("directory", ["480h", "photos/360x270", "1280w/photos"])
    def test_a_directory_that_looks_like_a_size(self, directory: str) -> None:
        class Misplaced(models.Model):
            image = LazyImageField(upload_to=directory)

            class Meta:
                app_label = "host"

        (message,) = [m for m in Misplaced.check() if str(m.id).startswith("lazyimages.")]
        assert message.id == "lazyimages.E020"
        assert "which looks like a size" in message.msg
        assert message.hint == "Rename it: such directories hold variants."

    @isolate_apps("tests.host")
    @pytest.mark.parametrize("directory", ["", "photos", "480", "photos/480h.d", "0480h"])
    def test_others_do_not(self, directory: str) -> None:
        class Placed(models.Model):
            image = LazyImageField(upload_to=directory)

            class Meta:
                app_label = "host"

        assert [m for m in Placed.check() if str(m.id).startswith("lazyimages.")] == []
