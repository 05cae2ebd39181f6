"""Run the command against moto or ministack, and write down every request with its parameters."""

import copy
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore import handlers, loaders
from botocore.awsrequest import AWSResponse
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from marketplace.cloud.children import Child
from marketplace.cloud.cloudfront import ACCOUNT as ACCOUNT
from marketplace.cloud.cloudfront import start_ministack

Request = tuple[str, dict[str, Any]]

SERVICES = "acm,apigateway,cloudformation,cloudfront,iam,lambda,logs,s3,sts"


@pytest.fixture(scope="session", autouse=True)
def _one_loader() -> Iterator[None]:
    """Read AWS's descriptions of its services once, not for each client: 11 ms of CPU instead of 70."""
    loader = loaders.create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.session.create_loader", lambda search_path=None: loader)
        yield


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait before AWS is asked once more."""
    monkeypatch.setattr("lazyimages.aws.bucket._PAUSES", ())


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start ministack, which takes any credentials, and give its URL; tests share it: name buckets apart."""
    with _start(tmp_path_factory.mktemp("ministack"), enforce_iam=False) as child:
        yield child.url


@pytest.fixture(scope="session")
def ministack_with_iam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a ministack that enforces policies and signatures, and give its URL.

    The access key "test" with the secret "test" is the account's root, who may do everything.
    """
    with _start(tmp_path_factory.mktemp("ministack"), enforce_iam=True) as child:
        yield child.url


def _start(folder: Path, *, enforce_iam: bool) -> Child:
    places = {"TMPDIR": str(folder), "STATE_DIR": str(folder / "state"), "S3_DATA_DIR": str(folder / "s3")}
    auth = {"AUTH": str(enforce_iam).lower(), "MINISTACK_REGION": "eu-central-1"}
    return start_ministack(SERVICES, environment=places | auth)


@pytest.fixture
def requests(request: pytest.FixtureRequest) -> Iterator[list[Request]]:
    """Record operation and parameters of every S3 request by clients that are made afterwards."""
    made: list[Request] = []

    def record(params: dict[str, Any], model: Any, **kwargs: Any) -> None:
        made.append((model.name, copy.deepcopy(params)))

    entry = ("before-parameter-build.s3", record)
    handlers.BUILTIN_HANDLERS.append(entry)
    yield made
    handlers.BUILTIN_HANDLERS.remove(entry)


@pytest.fixture
def setup() -> Callable[..., str]:
    """Run `lazyimages_setup_bucket` and return what it prints."""

    def run(*arguments: str) -> str:
        out = StringIO()
        call_command("lazyimages_setup_bucket", *arguments, stdout=out, no_color=True)
        return out.getvalue()

    return run


@pytest.fixture
def refused() -> Iterator[Callable[..., None]]:
    """Let S3 refuse an operation on the wire: `refused("PutBucketPolicy", "MalformedPolicy", status=400)`.

    It holds for clients that are made afterwards. With `times` S3 takes the operation after so many refusals.
    """
    entries = []

    def refuse(
        operation: str,
        code: str = "AccessDenied",
        *,
        status: int = 403,
        message: str = "",
        headers: dict[str, str] | None = None,
        times: int | None = None,
    ) -> None:
        left = [times]

        def answer(request: Any, **kwargs: Any) -> AWSResponse | None:
            if left[0] is not None:
                left[0] -= 1
                if left[0] < 0:
                    return None
            text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            # AWS answers HEAD without a body, also when it refuses (S3 API, HeadBucket).
            body = b"" if operation.startswith("Head") else text.encode()
            raw = SimpleNamespace(stream=lambda: [body], read=lambda: body)
            return AWSResponse(request.url, status, headers or {}, raw)

        entries.append((f"before-send.s3.{operation}", answer, handlers.REGISTER_FIRST))
        handlers.BUILTIN_HANDLERS.append(entries[-1])

    yield refuse
    for entry in entries:
        handlers.BUILTIN_HANDLERS.remove(entry)


READS = ("Get", "Head", "List")


def writes(requests: list[Request]) -> list[str]:
    """Return the operations among the requests that change something."""
    return [name for name, _ in requests if not name.startswith(READS)]


def bucket_state(client: Any, bucket: str) -> dict[str, Any]:
    """Return every document of a bucket; None for those that are not there."""
    found: dict[str, Any] = {}
    for call in (
        client.get_bucket_policy,
        client.get_public_access_block,
        client.get_bucket_ownership_controls,
        client.get_bucket_encryption,
        client.get_bucket_lifecycle_configuration,
        client.get_bucket_cors,
        client.get_bucket_website,
    ):
        try:
            answer = call(Bucket=bucket)
        except client.exceptions.ClientError:
            answer = {}
        found[call.__name__] = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    return found


@pytest.fixture
def without_database() -> Iterator[None]:
    """Let WSGI requests close no connections of the tests' database, as Django's own test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
