"""`images/health`: what the storage can do, how the CDN behaves, and that nothing is left behind."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import pytest
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client

from lazyimages import arrivals, health, storage, views
from lazyimages.exceptions import StorageUnavailable
from tests.clock import PATIENCE, Clock
from tests.conftest import BUCKET, jpeg

ORIGINAL, KEY = "a/b.jpg", "a/360x270/b.jpg"


@pytest.fixture(autouse=True)
def _nothing_logged_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "_told", 0.0)


def look(path: str = "/images/health") -> tuple[int, dict[str, Any]]:
    response = Client().get(path)
    assert response["Cache-Control"] == "no-store"
    return response.status_code, response.json()


class TestStorage:
    def test_plain_files(self, tmp_path: Path) -> None:
        status, told = look()
        assert (status, told["status"]) == (200, "ok")
        assert told["storage"] == {"read": "ok", "write": "ok"}
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]

    def test_s3(self, s3: Any, s3_calls: list[str]) -> None:
        status, told = look()
        assert (status, told["storage"]) == (200, {"read": "ok", "write": "ok"})
        assert sorted(s3_calls) == ["DeleteObjects", "GetObject", "GetObject", "PutObject"]
        assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)

    def test_it_is_looked_up_once_in_a_while(self, s3: Any, s3_calls: list[str]) -> None:
        for _ in range(20):
            look()
        assert s3_calls.count("PutObject") == 1

    def test_it_is_looked_up_again(
        self, monkeypatch: pytest.MonkeyPatch, s3: Any, s3_calls: list[str]
    ) -> None:
        monkeypatch.setattr(health, "SECONDS", 0)
        look()
        look()
        assert s3_calls.count("PutObject") == 2

    def test_a_bucket_that_is_gone(self, s3: Any) -> None:
        s3.delete_bucket(Bucket=BUCKET)
        status, told = look()
        assert (status, told["status"]) == (503, "degraded")
        assert told["storage"] == {"read": "unavailable", "write": "unavailable"}

    def test_bad_news_are_not_mailed_each_minute(self, s3: Any, settings: Any) -> None:
        settings.ADMINS = ["a@example.com"] if django.VERSION >= (6, 0) else [("a", "a@example.com")]
        s3.delete_bucket(Bucket=BUCKET)
        assert look()[0] == 503
        assert mail.outbox == []

    def test_a_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "variants").write_text("a file, where the folder was to be")
        status, told = look()
        assert status == 503
        assert told["storage"] == {"read": "ok", "write": "unavailable"}

    def test_originals_that_cannot_be_read(self, tmp_path: Path) -> None:
        loop = tmp_path / "originals"
        loop.symlink_to(loop)
        status, told = look()
        assert status == 503
        assert told["storage"] == {"read": "unavailable", "write": "ok"}

    def test_variants_that_may_be_written_but_not_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """On S3, a refusal to read looks like a missing object, but what was just written is not missing."""
        monkeypatch.setattr(storage, "get_variant", lambda *args, **options: None)
        assert look()[1]["storage"] == {"read": "unavailable", "write": "ok"}

    def test_another_process_that_deletes_the_object(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        read = storage.get_variant
        answers = [None]
        monkeypatch.setattr(
            storage, "get_variant", lambda *args, **options: answers.pop() if answers else read(*args)
        )
        assert look()[1]["storage"] == {"read": "ok", "write": "ok"}

    def test_what_may_not_be_deleted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(keys: Any) -> None:
            raise StorageUnavailable("AccessDenied")

        monkeypatch.setattr(storage, "delete", refuse)
        assert look()[1]["storage"]["write"] == "unavailable"

    def test_while_one_looks_others_go_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        look()
        monkeypatch.setattr(health, "SECONDS", 0)
        monkeypatch.setattr(health, "_known", (0.0, health.storage_state()))
        looking, end = threading.Event(), threading.Event()
        original = storage.put_variant

        def slow(*args: Any, **options: Any) -> None:
            looking.set()
            end.wait(PATIENCE)
            original(*args, **options)

        monkeypatch.setattr(storage, "put_variant", slow)
        thread = threading.Thread(target=look)
        thread.start()
        try:
            assert looking.wait(PATIENCE)
            assert look()[0] == 200
            assert thread.is_alive()
        finally:
            end.set()
            thread.join()


class TestLive:
    def test_it_asks_no_storage(self, s3: Any, s3_calls: list[str]) -> None:
        s3.delete_bucket(Bucket=BUCKET)
        s3_calls.clear()
        status, told = look("/images/health?live")
        assert (status, told["status"]) == (200, "ok")
        assert not {"storage", "cdn"} & set(told)
        assert s3_calls == []

    def test_a_thousand_parameters(self) -> None:
        """Django refuses to read them, by an answer that is not ours."""
        query = "&".join(f"x{number}=1" for number in range(1500))
        response = Client().get(f"/images/health?{query}")
        assert response.status_code == 200
        assert response["X-Content-Type-Options"] == "nosniff"


class TestLateArrivals:
    """A variant that exists, and for which somebody is sent to the resizer all the same."""

    @pytest.fixture(autouse=True)
    def clock(self, stop_clock: Callable[..., Clock]) -> Clock:
        """A variant does not grow older while the test runs."""
        return stop_clock(views, arrivals)

    def arrive(self, mode: str, times: int = 1) -> None:
        url = f"/images/resizer?key={KEY}" if mode == "redirect" else f"/images/v/{KEY}"
        for _ in range(times):
            assert Client().get(url).status_code == 200

    def make(self, mode: str, tmp_path: Path, age: float, clock: Clock) -> None:
        storages["default"].save(ORIGINAL, ContentFile(jpeg()))
        Client().get(f"/images/v/{KEY}")
        then = clock.time() - age
        os.utime(tmp_path / "variants" / KEY, (then, then))

    @pytest.mark.parametrize(
        ("mode", "remedy"), [("redirect", "TTL"), ("failover", "lazyimages_setup_bucket")]
    )
    def test_they_are_told(
        self,
        mode: str,
        remedy: str,
        delivery: Callable[..., None],
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        clock: Clock,
    ) -> None:
        delivery(mode)
        self.make(mode, tmp_path, age=3600, clock=clock)
        self.arrive(mode, times=arrivals.MANY)
        cdn = look()[1]["cdn"]
        assert (cdn["status"], cdn["late_arrivals_last_hour"]) == ("misconfigured", arrivals.MANY)
        assert remedy in cdn["advice"]
        (line,) = [text for text in caplog.messages if text.startswith("cdn misconfigured:")]
        assert f"key={KEY} age_s=3600 late_arrivals_last_hour=1" in line

    def test_a_few_are_no_misconfiguration(
        self, delivery: Callable[..., None], tmp_path: Path, clock: Clock
    ) -> None:
        delivery("redirect")
        self.make("redirect", tmp_path, age=3600, clock=clock)
        self.arrive("redirect", times=arrivals.MANY - 1)
        assert look()[1]["cdn"] == {
            "status": "ok",
            "late_arrivals_last_hour": arrivals.MANY - 1,
            "advice": "",
        }

    def test_who_comes_just_after_it_was_made_is_not_late(
        self, delivery: Callable[..., None], tmp_path: Path, clock: Clock
    ) -> None:
        delivery("redirect")
        self.make("redirect", tmp_path, age=30, clock=clock)
        self.arrive("redirect", times=20)
        assert look()[1]["cdn"]["late_arrivals_last_hour"] == 0

    def test_in_local_delivery_all_arrive(self, tmp_path: Path, clock: Clock) -> None:
        self.make("local", tmp_path, age=3600, clock=clock)
        self.arrive("local", times=20)
        assert look()[1]["cdn"]["late_arrivals_last_hour"] == 0

    def test_browsers_that_come_by_a_routing_rule_without_the_secret(
        self, delivery: Callable[..., None], caplog: pytest.LogCaptureFixture
    ) -> None:
        """In failover no rule should be there; they get a 404, so that the operator is to know."""
        delivery("failover", ORIGIN_SECRET="open sesame")
        for _ in range(arrivals.MANY):
            assert Client().get(f"/images/resizer?key={KEY}").status_code == 404
        cdn = look()[1]["cdn"]
        assert (cdn["status"], cdn["late_arrivals_last_hour"]) == ("misconfigured", arrivals.MANY)
        assert "removes our routing rules" in cdn["advice"]
        assert "cdn misconfigured: sent_by=routing-rule" in caplog.text

    def test_a_scanner_is_no_routing_rule(self, delivery: Callable[..., None]) -> None:
        delivery("failover", ORIGIN_SECRET="open sesame")
        for key in ("/etc/passwd", "a/999w/b.jpg", "", "wp-login.php"):
            assert Client().get(f"/images/resizer?key={key}").status_code == 404
        assert arrivals.in_the_last_hour() == 0

    def test_on_s3(self, s3: Any, delivery: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
        delivery("redirect")
        s3.put_object(Bucket=BUCKET, Key=KEY, Body=jpeg())
        monkeypatch.setattr(arrivals, "LATE_SECONDS", -3600)  # S3 has its own clock
        self.arrive("redirect")
        assert look()[1]["cdn"]["late_arrivals_last_hour"] == 1

    def test_all_processes_of_a_machine_are_counted(self) -> None:
        children = []
        for _ in range(4):
            if (child := os.fork()) == 0:
                for _ in range(50):
                    arrivals._count()
                os._exit(0)
            children.append(child)
        for child in children:
            os.waitpid(child, 0)
        assert arrivals.in_the_last_hour() == 200

    def test_they_are_forgotten_after_an_hour(self, clock: Clock) -> None:
        arrivals._count()
        clock.sleep(1800)
        arrivals._count()
        assert arrivals.in_the_last_hour() == 2
        clock.sleep(1800)
        assert arrivals.in_the_last_hour() == 1
        arrivals._count()  # in the place of the first
        assert arrivals.in_the_last_hour() == 2
        clock.sleep(5400)
        assert arrivals.in_the_last_hour() == 0

    def test_without_a_directory_for_the_count(
        self, delivery: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
        assert arrivals.in_the_last_hour() == 0
        delivery("redirect")
        assert look()[0] == 200
