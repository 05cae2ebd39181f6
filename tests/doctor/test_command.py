"""The command itself: what it prints, how it ends, and that a probe never stays; mostly in local delivery."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command, execute_from_command_line

from lazyimages import storage
from lazyimages.doctor import hops, live, probe
from lazyimages.doctor.findings import finding
from lazyimages.doctor.hops import Chain
from lazyimages.doctor.report import Result
from lazyimages.formats import JPEG
from tests.conftest import jpeg, wait_until
from tests.doctor.conftest import SECRET, Cloud, Shop, ask_doctor, run_doctor

Headers = list[tuple[str, str]]

# In the background of a script SIGINT is ignored, and Python leaves it so.
_RUN = """\
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""


@pytest.fixture
def site(shop: Shop, settings: Any) -> str:
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    return shop.url


class Terminal(io.StringIO):
    """A stdout that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def left() -> list[str]:
    """Return all files and directories in the storages."""
    roots = {Path(storages[alias].path("")) for alias in ("default", "lazyimages")}  # type: ignore[attr-defined]
    return [str(path) for root in roots if root.exists() for path in root.rglob("*")]


class TestLocal:
    def test_all_is_well(self, site: str) -> None:
        told = ask_doctor("--live", "--site", site)
        assert (told.code, told.json["findings"]) == (0, [])
        assert told.hops("a missing variant") == [200]
        assert told.hops("the original, through the app") == [404]
        assert told.hops("after deletion") == [404]
        assert told.json["delivery"] == "local"
        assert left() == []

    def test_a_slash_at_the_end_of_the_site(self, site: str) -> None:
        assert ask_doctor("--live", "--site", f"{site}/").code == 0

    def test_boto3_is_not_needed(self) -> None:
        code = (
            "import sys; sys.modules['boto3'] = sys.modules['botocore'] = sys.modules['storages'] = None\n"
            "import django; from django.conf import settings\n"
            "settings.configure(INSTALLED_APPS=['lazyimages'], ROOT_URLCONF='lazyimages_test_urls',"
            " LAZYIMAGES={'SIZES': ['9w']})\n"
            "import types; urls = types.ModuleType('lazyimages_test_urls')\n"
            "sys.modules['lazyimages_test_urls'] = urls; urls.urlpatterns = []\n"
            "django.setup()\n"
            "from django.urls import include, path\n"
            "urls.urlpatterns = [path('images/', include('lazyimages.urls'))]\n"
            "from django.core.management import call_command; call_command('lazyimages_doctor')\n"
        )
        root = Path(__file__).resolve().parents[2]
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "Nothing is wrong." in done.stdout

    def test_without_a_site(self) -> None:
        told = ask_doctor("--live")
        assert told.code == 0
        assert "--site https://shop.example" in told.findings["site-unknown"]["remedy"]

    def test_what_is_no_site(self) -> None:
        with pytest.raises(CommandError, match="Write it like https://"):
            call_command("lazyimages_doctor", "--live", "--site", "shop.example")

    def test_and_on_a_command_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Django calls the parser outside of what catches CommandError."""
        with pytest.raises(SystemExit) as end:
            execute_from_command_line(["manage.py", "lazyimages_doctor", "--live", "--site", "shop.example"])
        assert end.value.code == 2
        assert "Write it like https://shop.example" in capsys.readouterr().err

    def test_the_app_is_down(self, site: str, shop: Shop) -> None:
        shop.stop()
        told = ask_doctor("--live", "--site", site)
        assert (told.code, told.serious) == (2, ["resizer-unreachable"])
        assert left() == []

    @pytest.mark.parametrize(
        ("header", "value", "name", "code"),
        [
            ("Content-Type", "application/octet-stream", "variant-type", 2),
            ("Cache-Control", "private", "variant-cache-control", 1),
        ],
    )
    def test_a_header_is_changed_on_the_way(
        self, site: str, shop: Shop, header: str, value: str, name: str, code: int
    ) -> None:
        def rewrite(status: str, headers: Headers) -> tuple[str, Headers]:
            changes = {header: value} if status.startswith("200") else {}
            return status, [(one, changes.get(one, text)) for one, text in headers]

        shop.alter = rewrite
        told = ask_doctor("--live", "--site", site)
        assert (told.code, set(told.serious)) == (code, {name})

    def test_another_picture_comes(self, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
        def fetch(url: str) -> Any:
            hop = real(url)
            return hop if "probe" not in url or hop.status != 200 else replaced(hop, jpeg(360, 270))

        real = hops.fetch
        monkeypatch.setattr(hops, "fetch", fetch)
        assert "variant-broken" in ask_doctor("--live", "--site", site).serious

    @pytest.mark.parametrize(
        ("data", "name"), [(jpeg(361, 270), "variant-dimensions"), (b"<html>", "variant-broken")]
    )
    def test_no_such_picture_comes(
        self, site: str, monkeypatch: pytest.MonkeyPatch, data: bytes, name: str
    ) -> None:
        real = hops.fetch

        def fetch(url: str) -> Any:
            hop = real(url)
            return hop if "probe" not in url or hop.status != 200 else replaced(hop, data)

        monkeypatch.setattr(hops, "fetch", fetch)
        assert name in ask_doctor("--live", "--site", site).serious


def replaced(hop: Any, data: bytes) -> Any:
    return hops.Hop(url=hop.url, status=hop.status, headers=hop.headers, body=data, ms=hop.ms)


class TestProbe:
    def test_ctrl_c_removes_it(self, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
        stored: list[str] = []

        def interrupted(url: str) -> Chain:
            stored.extend(left())
            if "/probe." in url:
                raise KeyboardInterrupt
            return follow(url)

        follow = live.follow
        monkeypatch.setattr(live, "follow", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_doctor("--live", "--site", site)
        assert any("probe." in name for name in stored)
        assert left() == []

    @pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 1)])
    def test_a_signal_ends_it_tidily(self, tmp_path: Path, number: signal.Signals, code: int) -> None:
        """A site that never answers: the doctor waits for it with its probe in the storages."""
        settings = {"DJANGO_SETTINGS_MODULE": "marketplace.settings", "DATA_DIR": str(tmp_path)}
        with socket.create_server(("127.0.0.1", 0)) as silent:
            site = f"http://127.0.0.1:{silent.getsockname()[1]}"
            process = subprocess.Popen(
                [sys.executable, "-c", _RUN, "lazyimages_doctor", "--live", "--site", site],
                cwd=Path(__file__).resolve().parents[2],
                env={**os.environ, **settings, "DELIVERY": "local"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                wait_until(lambda: any(tmp_path.rglob("stored.*")))
                process.send_signal(number)
                assert abs(process.wait(timeout=60)) in (code, number)
            finally:
                process.kill()
                process.wait()
        assert list(tmp_path.rglob("lazyimages-doctor-*")) == []

    def test_so_does_who_stops_reading(self, site: str) -> None:
        class Closed(io.StringIO):
            def write(self, text: str) -> int:
                if "missing variant" in text:
                    raise BrokenPipeError
                return super().write(text)

        with pytest.raises(BrokenPipeError):
            call_command("lazyimages_doctor", "--live", "--site", site, stdout=Closed())
        assert left() == []

    def test_what_a_killed_run_has_left_is_removed_by_the_next(self, site: str, settings: Any) -> None:
        this = probe.new(probe.conf.settings())
        storage.put_original(this.original, jpeg(), JPEG.media_type)
        for key in (this.variant, this.stored):
            storage.put_variant(str(key), jpeg(), JPEG.media_type)
        others = [f"{probe.PREFIX}notes/plan.jpg", "products/bowl.jpg"]
        for name in others:
            storage.put_original(name, jpeg(), JPEG.media_type)
        told = ask_doctor("--live", "--site", site)
        assert told.code == 0
        assert told.checks["earlier probes"]["seen"] == ["removed 3 objects of a run that was ended"]
        assert sorted(storage.iter_originals()) == sorted(others)
        assert list(storage.iter_keys()) == []

    def test_a_run_that_was_killed_leaves_what_the_next_one_knows(self) -> None:
        this = probe.new(probe.conf.settings())
        assert all(probe._OURS.fullmatch(name) for name in this.names)
        assert len(set(this.names)) == 4

    def test_with_one_size(self, site: str, lazy: Callable[..., None]) -> None:
        lazy(SIZES=["480h"], PRESETS={})
        told = ask_doctor("--live", "--site", site)
        assert told.code == 0
        assert "another size after deletion" not in told.checks


class TestText:
    def test_without_a_terminal(self, site: str) -> None:
        code, text = run_doctor("--live", "--site", site)
        assert code == 0
        assert "✓ ok       a missing variant" in text
        assert "1. 200 " in text
        assert "Cache-Control: public, max-age=31536000, immutable" in text
        assert "360 by 270 pixels" in text
        assert "\x1b" not in text
        assert text.endswith("\nNothing is wrong.\n")

    def test_findings_have_explanation_and_remedy(self, site: str, shop: Shop) -> None:
        shop.stop()
        code, text = run_doctor("--live", "--site", site)
        assert code == 2
        assert "✗ error    a missing variant                    resizer-unreachable" in text
        assert "✗ error: resizer-unreachable\n    Seen:   http" in text
        assert "\n    Means:  The resizer does not answer" in text
        assert "\n    Remedy: Check that the app runs" in text
        assert text.endswith("\n1 error.\n")

    def test_on_a_terminal_with_the_picture(self, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv("TERM", "xterm-256color")
        out = Terminal()
        call_command("lazyimages_doctor", "--live", "--site", site, stdout=out, force_color=True)
        lines = [line for line in out.getvalue().splitlines() if "▀" in line]
        assert len(lines) == 15
        assert all(line.count("▀") == 40 for line in lines)

    @pytest.mark.parametrize("options", [{"no_color": True}, {}])
    def test_a_terminal_without_colours(
        self, site: str, monkeypatch: pytest.MonkeyPatch, options: dict[str, bool]
    ) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        out = Terminal()
        call_command("lazyimages_doctor", "--live", "--site", site, stdout=out, **options)
        assert "\x1b" not in out.getvalue()
        assert "360 by 270 pixels" in out.getvalue()

    def test_a_terminal_that_has_ascii_alone(self, site: str, shop: Shop) -> None:
        shop.stop()
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, encoding="ascii", errors="replace")
        with suppress(SystemExit):
            call_command("lazyimages_doctor", "--live", "--site", site, stdout=out)
        out.flush()
        text = raw.getvalue().decode()
        assert "x error    a missing variant" in text
        assert "?" not in text

    def test_the_help_teaches(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            call_command("lazyimages_doctor", "--help")
        text = capsys.readouterr().out
        for word in (
            "--live",
            "--site",
            "--website",
            "--dry-run",
            "--format",
            "Exit code: 0",
            "docs/doctor.md",
        ):
            assert word in text
        assert "\n\n--live also sends a probe" in text  # the line breaks are kept

    def test_a_secret_in_an_answer_is_not_shown(self, make_cloud: Callable[..., Cloud], shop: Shop) -> None:
        cloud = make_cloud("failover")

        def leak(status: str, headers: Headers) -> tuple[str, Headers]:
            return status, [*headers, ("X-Cache", SECRET), ("Location", f"/{SECRET}")]

        shop.alter = leak
        told = cloud.ask()
        assert SECRET not in told.text
        assert "(ORIGIN_SECRET)" in told.text
        assert SECRET not in run_doctor("--live")[1]


class TestJson:
    def test_everything_is_in_it(self, site: str) -> None:
        _, text = run_doctor("--live", "--site", site, "--format", "json")
        told = json.loads(text)
        assert set(told) == {"delivery", "exit_code", "checks", "findings"}
        (check,) = (one for one in told["checks"] if one["name"] == "a missing variant")
        (hop,) = check["hops"]
        assert set(hop) == {"url", "status", "ms", "bytes", "headers"}
        assert hop["headers"]["cache-control"] == "public, max-age=31536000, immutable"
        assert check["verdict"] == "ok"

    @pytest.mark.parametrize("secret", ['with "quotes" and \\', "e"])
    def test_a_strange_secret_leaves_it_json(
        self, lazy: Callable[..., None], monkeypatch: pytest.MonkeyPatch, secret: str
    ) -> None:
        lazy(ORIGIN_SECRET=secret)
        seen = f"AWS said: {secret}"
        result = Result(name="CDN", findings=(finding("not-seen", seen, action="s3:Get"),))
        monkeypatch.setattr(live, "run", lambda *args: iter([result]))
        told = ask_doctor("--live", "--site", "http://127.0.0.1:9")
        assert told.json["findings"][0]["what"].endswith("(ORIGIN_SECRET)")
        assert told.json["exit_code"] == 0

    def test_exit_codes(self, site: str, lazy: Callable[..., None], settings: Any) -> None:
        assert run_doctor()[0] == 0
        settings.LAZYIMAGES = {"SIZES": []}
        code, text = run_doctor("--format", "json")
        assert code == json.loads(text)["exit_code"] == 2

    def test_the_exit_code_of_the_process(self) -> None:
        root = Path(__file__).resolve().parents[2]
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DELIVERY": "failover"}
        for name in ("CDN_URL", "RESIZER_URL"):
            environment.pop(name, None)
        done = subprocess.run(
            [sys.executable, "manage.py", "lazyimages_doctor"],
            cwd=root,
            env=environment | {"CDN_URL": "", "RESIZER_URL": ""},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 2, done.stdout + done.stderr
        assert "settings-wrong" in done.stdout
        assert done.stderr == ""


def test_dry_run_writes_nothing_and_says_what_it_would(site: str) -> None:
    code, text = run_doctor("--live", "--site", site, "--dry-run")
    assert code == 0
    assert "would delete what killed runs have left below lazyimages-doctor-*" in text
    assert "then delete all of these, and ask again" in text
    assert left() == []
