"""What is wrong in the settings, before anything else is looked at."""

from collections.abc import Callable
from typing import Any

import pytest

from lazyimages import conf
from lazyimages.doctor import project
from lazyimages.doctor.kinds import Finding
from tests.doctor.conftest import ask_doctor

Delivery = Callable[..., None]


@pytest.fixture
def found(s3: Any) -> Callable[[], list[Finding]]:
    return lambda: list(project.examine(conf.settings()))


def names(found: list[Finding]) -> list[str]:
    return [one.name for one in found]


@pytest.mark.parametrize("name", ["redirect", "failover", "local"])
def test_good_settings(delivery: Delivery, found: Callable[[], list[Finding]], name: str) -> None:
    delivery(name)
    assert found() == []


def test_a_slash_at_the_end_of_cdn_url(
    delivery: Delivery, lazy: Delivery, found: Callable[[], list[Finding]]
) -> None:
    delivery("redirect")
    lazy(CDN_URL="https://cdn.example/")
    (one,) = found()
    assert (one.name, one.severity) == ("cdn-url-slash", "warning")
    assert one.remedy == 'Write LAZYIMAGES["CDN_URL"] = "https://cdn.example".'


@pytest.mark.parametrize("url", ["https://cdn.example/images", "https://cdn.example/images/"])
def test_a_path_in_cdn_url(
    delivery: Delivery, lazy: Delivery, found: Callable[[], list[Finding]], url: str
) -> None:
    delivery("failover")
    lazy(CDN_URL=url)
    (one,) = found()
    assert (one.name, one.severity) == ("cdn-url-path", "error")
    assert one.remedy == 'Write LAZYIMAGES["CDN_URL"] = "https://cdn.example".'


def test_resizer_url_without_its_end(
    delivery: Delivery, lazy: Delivery, found: Callable[[], list[Finding]]
) -> None:
    delivery("redirect")
    lazy(RESIZER_URL="https://shop.example/images")
    (one,) = found()
    assert one.name == "resizer-url-path"
    assert '"https://shop.example/images/resizer"' in one.remedy


def test_system_checks_are_findings(
    delivery: Delivery, lazy: Delivery, found: Callable[[], list[Finding]]
) -> None:
    delivery("redirect")
    lazy(CDN_URL="", RENDER_WAIT=0.1)
    assert set(names(found())) == {"settings-wrong", "settings-risky"}
    assert "lazyimages.E007" in found()[0].what
    assert "Set LAZYIMAGES" in found()[0].remedy


@pytest.mark.parametrize("wrong", [{"DELIVERY": "cdn"}, {"SIZES": []}, {"ORIGINALS": "nowhere"}, {"SIZE": 1}])
def test_with_settings_that_cannot_work_nothing_else_is_looked_at(
    settings: Any, wrong: dict[str, Any]
) -> None:
    settings.LAZYIMAGES = {"SIZES": ["360x270"]} | wrong
    told = ask_doctor("--live")
    assert told.code == 2
    assert set(told.serious) == {"settings-wrong"}
    assert list(told.checks) == ["settings", "everything else"]
    assert told.checks["everything else"]["verdict"] == "skipped"


def test_a_secret_that_is_wrong_is_not_shown(settings: Any) -> None:
    settings.LAZYIMAGES = {"SIZES": ["360x270"], "ORIGIN_SECRET": "tüp-secret"}
    told = ask_doctor()
    assert told.serious == ["settings-wrong"]
    assert "tüp" not in told.text
