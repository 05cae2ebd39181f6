"""What S3 makes of the offers: ministack's S3, which checks signatures, policies, rights and conditions."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
import requests

from lazyimages import direct as direct_upload
from lazyimages.aws import rules
from marketplace.cloud.children import Child
from marketplace.cloud.cloudfront import start_ministack
from tests.aws.policies import printed
from tests.clock import PATIENCE
from tests.conftest import jpeg
from tests.direct.conftest import Browser, names
from tests.host.models import Photo

pytestmark = pytest.mark.django_db
REGION = "eu-central-1"


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Child]:
    folder = tmp_path_factory.mktemp("ministack")
    places = {"TMPDIR": str(folder), "STATE_DIR": str(folder / "state"), "S3_DATA_DIR": str(folder / "s3")}
    with start_ministack(
        "iam,s3,sts", environment={**places, "AUTH": "true", "MINISTACK_REGION": REGION}
    ) as child:
        yield child


@pytest.fixture
def bucket() -> str:
    return f"enforced-{uuid4().hex[:8]}"


@pytest.fixture
def root(ministack: Child, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make the bucket as the account's root; returns its client."""
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client: Any = boto3.client("s3", endpoint_url=ministack.url, region_name=REGION, **credentials)
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


@pytest.fixture
def browser(root: Any, ministack: Child, bucket: str, settings: Any, lazy: Callable[..., None]) -> Browser:
    """Have the site sign as a user with nothing but the app's policy."""
    settings.ROOT_URLCONF = "tests.direct.pages"
    lazy(DIRECT_UPLOADS="tests.direct.pages.allowed", MAX_BYTES=200_000, CLEANUP=False)
    options = {"bucket_name": bucket, "region_name": REGION, "endpoint_url": ministack.url}
    use(settings, {**options, "access_key": "test", "secret_key": "test"})
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    iam: Any = boto3.client("iam", endpoint_url=ministack.url, region_name=REGION, **credentials)
    iam.create_user(UserName=bucket)
    iam.put_user_policy(UserName=bucket, PolicyName="app", PolicyDocument=json.dumps(printed("app")))
    key = iam.create_access_key(UserName=bucket)["AccessKey"]
    use(settings, {**options, "access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]})
    return Browser(root)


def use(settings: Any, options: dict[str, Any]) -> None:
    on_s3 = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {**options, "querystring_auth": False}}
    settings.STORAGES = {**settings.STORAGES, "default": on_s3, "lazyimages": on_s3}


def post(offer: dict[str, Any], data: bytes, **fields: str) -> requests.Response:
    """Send the form that a browser would send, with some fields changed."""
    sent = {**offer["fields"], **fields}
    return requests.post(offer["url"], data=sent, files={"file": ("bowl.jpg", data)}, timeout=PATIENCE)


def test_what_was_offered_is_taken_and_becomes_an_original(browser: Browser, bucket: str) -> None:
    offer = browser.ask().json()
    assert post(offer, jpeg(640, 480)).status_code == 204
    assert browser.hand_in(offer["token"]).status_code == 302
    photo = Photo.objects.get()
    assert (photo.width, photo.height) == (640, 480)
    assert names(browser.s3, bucket) == [photo.image.name], "deleted where it was"


def test_nothing_else_is_taken(browser: Browser, bucket: str) -> None:
    data = jpeg(640, 480)
    refused = {
        "another key": post(browser.ask().json(), data, key="produs_1/bowl.jpg"),
        "beside it": post(browser.ask().json(), data, key="incoming/mine"),
        "another type": post(browser.ask().json(), data, **{"Content-Type": "text/html"}),
        "a field more": post(browser.ask().json(), data, acl="public-read"),
        "metadata": post(browser.ask().json(), data, **{"x-amz-meta-evil": "1"}),
        "too long": post(browser.ask().json(), data + b"x" * 200_000),
        "empty": post(browser.ask().json(), b""),
        "another signature": post(browser.ask().json(), data, **{"x-amz-signature": "0" * 64}),
    }
    assert {name: answer.status_code for name, answer in refused.items() if answer.status_code < 400} == {}
    assert names(browser.s3, bucket) == []


def test_an_offer_ends(browser: Browser, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_upload, "POST_SECONDS", -60)
    answer = post(browser.ask().json(), jpeg(64, 48))
    assert answer.status_code == 403
    assert "expired" in answer.text.lower()


def test_what_changes_after_it_was_looked_at_is_not_copied(
    browser: Browser, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = browser.ask().json()
    assert post(offer, jpeg(640, 480)).status_code == 204
    look = direct_upload._incoming().__class__.look

    def change(found: Any, name: str, most: int) -> Any:
        head = look(found, name, most)
        assert post(offer, jpeg(320, 240)).status_code == 204
        return head

    monkeypatch.setattr("lazyimages.storage.incoming.Incoming.look", change)
    shown = browser.hand_in(offer["token"], path="/one/").content.decode()
    assert "the file has changed since it was looked at; choose it again" in shown
    assert names(browser.s3, bucket) == [offer["fields"]["key"]]


def test_a_page_may_send_by_the_rule_for_cors(browser: Browser, bucket: str) -> None:
    offer = browser.ask().json()
    rule = rules.upload_cors_rules(["https://shop.example"])
    browser.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rule})

    def preflight(origin: str, method: str) -> requests.Response:
        asking = {"Origin": origin, "Access-Control-Request-Method": method}
        return requests.options(offer["url"], headers=asking, timeout=PATIENCE)

    allowed = preflight("https://shop.example", "POST")
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert preflight("https://other.example", "POST").status_code == 403
    assert preflight("https://shop.example", "DELETE").status_code == 403
