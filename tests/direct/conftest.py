"""A site that lets browsers send to S3, and what a browser does: ask, send, and hand in the form."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, TestCase

from tests.aws.conftest import _one_loader as _one_loader  # clients are made in a sixth of the time
from tests.conftest import jpeg


@pytest.fixture
def site(settings: Any) -> None:
    """Serve the pages of `tests.direct.pages`."""
    settings.ROOT_URLCONF = "tests.direct.pages"


@pytest.fixture
def direct(site: None, s3: Any, lazy: Callable[..., None]) -> Any:
    """Switch direct upload on; returns a boto3 client for looking."""
    lazy(DIRECT_UPLOADS="tests.direct.pages.allowed")
    return s3


class Browser:
    """A browser without JavaScript of its own: the test does what upload.js does."""

    def __init__(self, s3: Any = None) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.s3 = s3

    def csrf(self, path: str = "/several/") -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.client.get(path).content.decode())
        assert found
        return found[1]

    def ask(self, *, headers: dict[str, str] | None = None, csrf: str | None = None, **file: Any) -> Any:
        fields = {"name": "bowl.jpg", "type": "image/jpeg", "size": "1000"} | file
        token = self.csrf() if csrf is None else csrf
        return self.client.post("/images/uploads", fields, headers={"X-CSRFToken": token, **(headers or {})})

    def send(self, data: bytes | None = None, **file: Any) -> dict[str, Any]:
        """Ask for a place and put a file there; returns the offer."""
        offer: dict[str, Any] = self.ask(**file).json()
        assert offer["method"] == "direct", offer
        fields = offer["fields"]
        self.s3.put_object(
            Bucket=offer["url"].split("//")[1].split(".")[0],
            Key=fields["key"],
            Body=jpeg() if data is None else data,
            ContentType=fields["Content-Type"],
        )
        return offer

    def hand_in(self, *tokens: str, path: str = "/several/", title: str = "Bowls", **more: Any) -> Any:
        field = "photos-sent" if "several" in path else "image-sent"
        data = {"title": title, field: list(tokens), "csrfmiddlewaretoken": self.csrf(), **more}
        with TestCase.captureOnCommitCallbacks(execute=True):
            return self.client.post(path, data)


@pytest.fixture
def browser(direct: Any) -> Browser:
    return Browser(direct)


def names(s3: Any, bucket: str = "shop-photos") -> list[str]:
    """Return all keys of the bucket."""
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]
