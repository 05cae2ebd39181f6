"""What a browser is offered, to whom, and under which conditions."""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.conftest import BUCKET
from tests.direct.conftest import Browser, names

pytestmark = pytest.mark.django_db
Lazy = Callable[..., None]


def policy(offer: dict[str, Any]) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.b64decode(offer["fields"]["policy"]))
    return decoded


def test_everything_that_counts_is_fixed_by_the_server(
    browser: Browser, lazy: Lazy, s3_calls: list[str]
) -> None:
    lazy(MAX_BYTES=5_000_000)
    answer = browser.ask(name="Schüssel.png", type="image/png", size="4000000")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    offer = answer.json()
    assert set(offer) == {"method", "url", "fields", "token"}
    assert offer["method"] == "direct"
    assert offer["url"] == f"https://{BUCKET}.s3.eu-central-1.amazonaws.com/"
    key = offer["fields"]["key"]
    assert re.fullmatch(r"incoming/[0-9a-f]{32}", key)
    conditions = policy(offer)["conditions"]
    assert {"key": key} in conditions
    assert {"bucket": BUCKET} in conditions
    assert {"Content-Type": "image/png"} in conditions
    assert ["content-length-range", 1, 5_000_000] in conditions
    fixed = {next(iter(one)) if isinstance(one, dict) else one[0] for one in conditions}
    sent = set(offer["fields"]) - {"policy", "x-amz-signature"}
    assert sent <= fixed, "S3 refuses a form with a field that no condition names"
    assert not [one for one in conditions if isinstance(one, list) and one[0] == "starts-with"]
    expires = datetime.fromisoformat(policy(offer)["expiration"].replace("Z", "+00:00"))
    assert timedelta(minutes=9) < expires - datetime.now(UTC) <= timedelta(minutes=10)
    assert s3_calls == []


def test_each_has_a_place_of_its_own(browser: Browser) -> None:
    keys = {browser.ask().json()["fields"]["key"] for _ in range(5)}
    assert len(keys) == 5


def test_a_folder_of_the_storage_comes_first(browser: Browser, settings: Any) -> None:
    own = settings.STORAGES["default"]
    folder = {**own, "OPTIONS": {**own["OPTIONS"], "location": "shop"}}
    settings.STORAGES = {**settings.STORAGES, "default": folder}
    assert browser.ask().json()["fields"]["key"].startswith("shop/incoming/")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ({"type": "text/plain"}, "This is no picture that can be used here."),
        ({"type": "image/svg+xml"}, "This is no picture that can be used here."),
        ({"type": "", "name": "notes.txt"}, "This is no picture that can be used here."),
        ({"size": "41943041"}, "The file has 41,943,041 bytes; at most 41,943,040 are allowed."),
        ({"name": "bowl.jpg.png"}, "The name 'bowl.jpg.png' ends in two image extensions"),
        ({"size": "many"}, "size is the number of bytes"),
        ({"size": "-1"}, "size is the number of bytes"),
        ({"size": ""}, "size is the number of bytes"),
    ],
)
def test_what_would_be_refused_is_refused_before(browser: Browser, file: dict[str, str], text: str) -> None:
    answer = browser.ask(**file)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(text)


def test_where_the_browser_knows_no_type_the_extension_counts(browser: Browser) -> None:
    offer = browser.ask(type="", name="IMG_1.TIFF").json()
    assert offer["fields"]["Content-Type"] == "image/tiff"


def test_off_is_404_for_everybody(site: None, s3: Any) -> None:
    answer = Client(enforce_csrf_checks=True).post("/images/uploads", {"size": "1"})
    assert answer.status_code == 404
    assert Client().get("/images/uploads").status_code == 404


def test_no_is_403(browser: Browser) -> None:
    assert browser.ask(headers={"X-Test-Refuse": "1"}).status_code == 403


@pytest.mark.parametrize("csrf", ["", "x" * 64])
def test_it_is_protected_against_other_sites(browser: Browser, csrf: str) -> None:
    browser.csrf()
    assert browser.ask(csrf=csrf).status_code == 403


def test_it_is_protected_without_the_middleware(browser: Browser, settings: Any) -> None:
    token = browser.csrf()
    settings.MIDDLEWARE = [one for one in settings.MIDDLEWARE if "Csrf" not in one]
    assert browser.ask(csrf=token).status_code == 200
    assert browser.ask(csrf="x" * 64).status_code == 403


def test_it_is_post_alone(browser: Browser) -> None:
    answer = browser.client.get("/images/uploads")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_with_other_storages_the_form_is_the_way(site: None, lazy: Lazy) -> None:
    lazy(DIRECT_UPLOADS="tests.direct.pages.allowed")
    assert Browser().ask().json() == {"method": "form"}


def test_with_a_key_of_the_customers_the_form_is_the_way(browser: Browser, settings: Any) -> None:
    own = settings.STORAGES["default"]
    keyed = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}
    options = {**own["OPTIONS"], "object_parameters": keyed}
    settings.STORAGES = {**settings.STORAGES, "default": {**own, "OPTIONS": options}}
    assert browser.ask().json() == {"method": "form"}


def test_every_answer_has_the_headers_of_the_prefix(browser: Browser) -> None:
    for answer in (browser.ask(), browser.client.get("/images/uploads"), browser.ask(size="")):
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert "sessionid" not in answer.cookies


def test_nothing_there_is_ever_public(browser: Browser, s3_calls: list[str]) -> None:
    """The resizer knows no name without an extension, and asks no storage for it."""
    offer = browser.send()
    random = offer["fields"]["key"].partition("/")[2]
    s3_calls.clear()
    for key in (f"incoming/{random}", f"incoming/360x270/{random}", f"incoming/360x270/{random}.jpg"):
        assert Client().get(f"/images/v/{key}").status_code == 404
        assert Client().get("/images/resizer", {"key": key}).status_code == 404
    assert [call for call in s3_calls if call != "GetObject"] == []
    assert names(browser.s3) == [offer["fields"]["key"]]


def test_a_login_makes_another_browser_of_it(browser: Browser) -> None:
    offer = browser.send()
    browser.client.force_login(User.objects.create_user("ana"))
    User.objects.create_user("ion", password="ion")
    browser.client.login(username="ion", password="ion")
    browser.client.cookies.pop("csrftoken", None)  # as Django's login view changes it
    answer = browser.hand_in(offer["token"])
    assert "This file was sent by somebody else; choose it again." in answer.content.decode()
