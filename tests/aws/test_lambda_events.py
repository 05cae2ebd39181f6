"""The function's handler, asked by every kind of event, over moto's S3 in this process."""

import base64
import json
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from lazyimages import conf
from tests.aws.lambda_events import KINDS, Event, function_url, http_api, rest
from tests.conftest import BUCKET, CDN, jpeg

ORIGINAL = "produs_1/bowl.AZ70KuRzw9.jpg"
KEY = "produs_1/360x270/bowl.AZ70KuRzw9.jpg"
KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
# Everything that escaping can get wrong, as old names have it.
NAMES = ["a b.jpg", "a+b.jpg", "a&b=c.jpg", "100%.jpg", "100%41.jpg", "a#b.jpg", "é.jpg", "漢字 ?;,.jpg"]


# In a path: it decodes twice, and cuts at a ? that was escaped (see lambda_events).
NOT_BY_HTTP_API = {"100%.jpg", "100%41.jpg", "漢字 ?;,.jpg"}


@pytest.fixture
def ask(
    s3: Any, settings: Any, delivery: Callable[..., None], without_database: None
) -> Callable[[Event], Any]:
    """Call the handler with the function's own routes; the answer as `Answer`."""
    settings.ROOT_URLCONF = "lazyimages.aws.lambda_urls"
    settings.ALLOWED_HOSTS = ["*"]  # the middleware of the tests' project looks; the function has none
    delivery("redirect")
    from lazyimages.aws.lambda_handler import handler

    s3.put_object(Bucket=BUCKET, Key=ORIGINAL, Body=jpeg())
    return lambda event: Answer(handler(json.loads(json.dumps(event)), None))


class Answer:
    """What the handler returned, and what a client would see of it."""

    def __init__(self, returned: dict[str, Any]) -> None:
        self.returned = json.loads(json.dumps(returned))  # as Lambda sends it
        self.status = returned["statusCode"]
        many = returned.get("multiValueHeaders") or {name: [v] for name, v in returned["headers"].items()}
        self.headers = {name.lower(): values for name, values in many.items()}
        body = returned["body"]
        self.body = base64.b64decode(body) if returned["isBase64Encoded"] else body.encode()

    def __getitem__(self, header: str) -> str:
        (value,) = self.headers[header.lower()]
        return value


def stored(s3: Any) -> set[str]:
    return {entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


@KIND
def test_made_then_found(ask: Callable[[Event], Answer], s3: Any, kind: Callable[..., Event]) -> None:
    first = ask(kind(f"/resizer?key={KEY}"))
    assert first.status == 301
    assert first["Location"] == f"{CDN}/{KEY}"
    assert first["Cache-Control"] == "no-store"
    assert first.returned["isBase64Encoded"] is False
    second = ask(kind(f"/resizer?key={KEY}"))
    assert second.status == 200
    assert second["Content-Type"] == "image/jpeg"
    assert second["Cache-Control"] == "max-age=60"
    assert second["Link"] == f'<{CDN}/{KEY}>; rel="canonical"'
    assert second["X-Content-Type-Options"] == "nosniff"
    assert second["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert second.returned["isBase64Encoded"] is True
    assert second.body == s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    assert Image.open(BytesIO(second.body)).size == (360, 270)


@pytest.fixture
def old_names(s3: Any) -> list[str]:
    for name in NAMES:
        s3.put_object(Bucket=BUCKET, Key=f"old/{name}", Body=jpeg(800, 600))
    return NAMES


@KIND
def test_names(
    ask: Callable[[Event], Answer], s3: Any, kind: Callable[..., Event], old_names: list[str]
) -> None:
    for name in old_names:
        answer = ask(kind(f"/resizer?key={quote(f'old/360x270/{name}', safe='')}"))
        assert (answer.status, answer["Location"]) == (301, f"{CDN}/old/360x270/{quote(name)}")
        assert f"old/360x270/{name}" in stored(s3)


@KIND
def test_names_in_the_path(
    ask: Callable[[Event], Answer],
    s3: Any,
    kind: Callable[..., Event],
    old_names: list[str],
    delivery: Callable[..., None],
) -> None:
    delivery("failover")
    for name in sorted(set(old_names) - (NOT_BY_HTTP_API if "http_api" in kind.__name__ else set())):
        answer = ask(kind(f"/v/{quote(f'old/360x270/{name}')}"))
        assert answer.status == 200, name
        assert answer.body == s3.get_object(Bucket=BUCKET, Key=f"old/360x270/{name}")["Body"].read()


@pytest.mark.parametrize("kind", [http_api, function_url])
def test_names_that_s3_does_not_escape(
    ask: Callable[[Event], Answer], s3: Any, kind: Callable[..., Event], old_names: list[str]
) -> None:
    # No client sends a # in a query; and %41 is, raw, the escaped form of another name.
    for name in sorted(set(old_names) - {"a#b.jpg", "100%41.jpg"}):
        answer = ask(kind(f"/resizer?key=old/360x270/{name}"))
        assert (answer.status, answer["Location"]) == (301, f"{CDN}/old/360x270/{quote(name)}")


def test_a_rest_api_has_lost_a_plus_that_was_not_escaped(ask: Callable[[Event], Answer], s3: Any) -> None:
    """As docs/lambda.md says; it must not become another's picture, nor an error."""
    s3.put_object(Bucket=BUCKET, Key="old/a+b.jpg", Body=jpeg(800, 600))
    assert ask(rest("/resizer?key=old/360x270/a+b.jpg")).status == 404


PLACES = [
    (rest(f"/resizer?key={KEY}", stage="prod"), "https://x.execute-api.example/prod/resizer"),
    (rest(f"/resizer?key={KEY}", base_path="/pictures"), "https://img.example/pictures/resizer"),
    (http_api(f"/resizer?key={KEY}", stage="prod"), "https://x.execute-api.example/prod/resizer"),
    (http_api(f"/resizer?key={KEY}", stage="prod"), "https://img.example/resizer"),
    (http_api(f"/resizer?key={KEY}", stage="prod"), "https://img.example/pictures/resizer"),
    (http_api(f"/images/resizer?key={KEY}"), "https://shop.example/images/resizer"),
    (function_url(f"/resizer?key={KEY}"), "https://x.lambda-url.example/resizer"),
    (function_url(f"/images/resizer?key={KEY}"), "https://shop.example/images/resizer"),
]


def test_below_a_stage_or_a_base_path(ask: Callable[[Event], Answer], s3: Any, lazy: Any) -> None:
    for event, resizer_url in PLACES:
        lazy(RESIZER_URL=resizer_url)
        answer = ask(event)
        assert (answer.status, answer["Location"]) == (301, f"{CDN}/{KEY}"), event
        s3.delete_object(Bucket=BUCKET, Key=KEY)


def test_routes_of_ones_own(ask: Callable[[Event], Answer], settings: Any) -> None:
    settings.ROOT_URLCONF = "marketplace.urls"
    for event in (
        rest(f"/images/resizer?key={KEY}"),
        http_api(f"/images/resizer?key={KEY}", stage="prod"),
        function_url(f"/images/resizer?key={KEY}"),
    ):
        assert ask(event).status in (301, 200)


@KIND
def test_head(ask: Callable[[Event], Answer], kind: Callable[..., Event]) -> None:
    ask(kind(f"/resizer?key={KEY}"))
    full = ask(kind(f"/resizer?key={KEY}"))
    answer = ask(kind(f"/resizer?key={KEY}", method="HEAD"))
    assert (answer.status, answer.body) == (200, b"")
    assert answer["ETag"] == full["ETag"]
    assert answer["Content-Length"] == str(len(full.body))


@KIND
def test_other_methods(ask: Callable[[Event], Answer], s3: Any, kind: Callable[..., Event]) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        answer = ask(kind(f"/resizer?key={KEY}", method=method))
        assert (answer.status, answer["Allow"]) == (405, "GET, HEAD")
    assert stored(s3) == {ORIGINAL}


@KIND
def test_what_is_not_there(
    ask: Callable[[Event], Answer], s3_calls: list[str], kind: Callable[..., Event]
) -> None:
    s3_calls.clear()
    for target in (
        "/",
        "/resizer",
        "/resizer?",
        "/resizer?key=",
        "/resizer?key=produs_1/999x999/bowl.AZ70KuRzw9.jpg",
        f"/resizer?key={ORIGINAL}",
        "/resizer?key=../360x270/a.jpg",
        "/v/360x270/%00.jpg",
        "/v/360x270/a%0Ab.jpg",
        "/nothing/here",
        "/prod",
    ):
        answer = ask(kind(target))
        assert answer.status == 404, target
        assert answer["Cache-Control"] == "max-age=60, s-maxage=300"
    assert s3_calls == []


@KIND
def test_the_secret_and_conditions_come_through(
    ask: Callable[[Event], Answer], kind: Callable[..., Event], delivery: Callable[..., None]
) -> None:
    delivery("failover", ORIGIN_SECRET="s3cret")
    secret = {conf.SECRET_HEADER: "s3cret"}
    assert ask(kind(f"/v/{KEY}")).status == 404
    assert ask(kind(f"/v/{KEY}", headers={conf.SECRET_HEADER: "other"})).status == 404
    made = ask(kind(f"/v/{KEY}", headers=secret))
    assert made.status == 200
    again = ask(kind(f"/v/{KEY}", headers=secret | {"If-None-Match": made["ETag"]}))
    assert (again.status, again.body) == (304, b"")


def test_headers_that_come_twice_are_both_kept(
    ask: Callable[[Event], Answer], delivery: Callable[..., None]
) -> None:
    delivery("failover")
    etag = ask(rest(f"/v/{KEY}"))["ETag"]
    event = rest(f"/v/{KEY}")
    event["multiValueHeaders"]["If-None-Match"] = [etag, '"another"']
    assert ask(event).status == 304
    event["multiValueHeaders"]["If-None-Match"] = ['"another"', etag]
    assert ask(event).status == 304
    event = rest(f"/v/{KEY}")
    answer = ask(event)
    assert answer.returned["multiValueHeaders"]["Content-Type"] == ["image/jpeg"]
    single = rest(f"/resizer?key={KEY}")
    del single["multiValueHeaders"]
    assert ask(single).returned["headers"]["Content-Type"] == "image/jpeg"


@KIND
def test_health(ask: Callable[[Event], Answer], s3_calls: list[str], kind: Callable[..., Event]) -> None:
    s3_calls.clear()
    answer = ask(kind("/health?live"))
    assert (answer.status, s3_calls) == (200, [])
    assert json.loads(answer.body)["delivery"] == "redirect"
    assert json.loads(ask(kind("/health")).body)["storage"] == {"read": "ok", "write": "ok"}


@KIND
def test_no_header_of_the_client_leads_anywhere(
    ask: Callable[[Event], Answer], kind: Callable[..., Event]
) -> None:
    hostile = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "lazyimages.most_bytes": "1",
        "Lazyimages.Most-Bytes": "1",
    }
    assert ask(kind(f"/resizer?key={KEY}", headers=hostile))["Location"] == f"{CDN}/{KEY}"
    assert ask(kind(f"/resizer?key={KEY}", headers=hostile)).status == 200


def test_another_event_is_refused_with_the_remedy(ask: Callable[[Event], Answer]) -> None:
    from lazyimages.aws.lambda_handler import handler

    with pytest.raises(ValueError, match="requestContext"):
        handler({"key1": "value1"}, None)
