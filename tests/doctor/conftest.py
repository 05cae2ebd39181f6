"""A whole chain to examine: moto's S3, ministack's CloudFront, the embedded CDN, and the app behind HTTP."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import StringIO
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from storages.backends.s3 import S3Storage

from lazyimages import conf
from lazyimages.aws import cdn, clients
from marketplace.cloud.children import Child
from marketplace.cloud.cloudfront import start_cloudfront
from marketplace.cloud.embedded import DistributionCloud
from marketplace.cloud.s3 import start_s3
from tests.conftest import BUCKET

REGION = "eu-central-1"
SECRET = "a-secret-that-is-never-printed"
SECRET_KEY = "the-secret-key-neither"
_numbers = itertools.count()

Alter = Callable[[str, list[tuple[str, str]]], tuple[str, list[tuple[str, str]]]]


class Told:
    """What the doctor said: exit code, the JSON, and the names of its findings by severity."""

    def __init__(self, code: int, text: str) -> None:
        self.code, self.text = code, text
        self.json: dict[str, Any] = json.loads(text)

    @property
    def findings(self) -> dict[str, dict[str, str]]:
        return {one["name"]: one for one in self.json["findings"]}

    @property
    def serious(self) -> list[str]:
        """Errors and warnings, by name."""
        return [one["name"] for one in self.json["findings"] if one["severity"] != "note"]

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.json["checks"]}

    def hops(self, name: str) -> list[int]:
        return [hop["status"] for hop in self.checks[name]["hops"]]


def ask_doctor(*arguments: str) -> Told:
    """Run the command with --format json."""
    code, out = run_doctor("--format", "json", *arguments)
    return Told(code, out)


def run_doctor(*arguments: str, **options: Any) -> tuple[int, str]:
    """Run the command; return its exit code and what it printed."""
    out = StringIO()
    try:
        call_command("lazyimages_doctor", *arguments, stdout=out, **options)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


class Shop:
    """The app on 127.0.0.1, in a thread; `alter` changes each answer's status and headers."""

    def __init__(self) -> None:
        self.alter: Alter | None = None
        self._app = WSGIHandler()
        self._server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet)
        self._server.set_app(self._answer)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def _answer(self, environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(*(self.alter(status, headers) if self.alter else (status, headers)), *rest)

        return self._app(environ, start)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Child]:
    with start_s3() as child:
        yield child


@pytest.fixture(scope="session")
def cloudfront_server() -> Iterator[Child]:
    with start_cloudfront() as child:
        yield child


@pytest.fixture
def shop() -> Iterator[Shop]:
    started = Shop()
    yield started
    started.stop()


class Cloud:
    """A bucket, the CDN before it and the app behind it; `set_up` does what the commands do."""

    def __init__(self, s3: Any, cloudfront: Any, shop: Shop, bucket: str, lazy: Callable[..., None]) -> None:
        self.s3, self.cloudfront, self.shop, self.bucket = s3, cloudfront, shop, bucket
        self.lazy = lazy
        self.cdn: DistributionCloud | None = None

    def set_up(self) -> None:
        """Write bucket and distribution as the settings want them."""
        call_command("lazyimages_setup", "--no-wait", stdout=StringIO())

    @property
    def distribution(self) -> dict[str, Any]:
        found = cdn.find(self.cloudfront, conf.settings(), self.bucket)
        assert found is not None
        return {"Id": found.id, "config": found.config, "etag": found.etag, "ARN": found.arn}

    def change_distribution(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the config in place, and have CloudFront take it."""
        found = self.cloudfront.get_distribution_config(Id=self.distribution["Id"])
        change(found["DistributionConfig"])
        self.cloudfront.update_distribution(
            Id=self.distribution["Id"], IfMatch=found["ETag"], DistributionConfig=found["DistributionConfig"]
        )

    def remove(self) -> None:
        """Delete the distribution: who looks for one by its tag looks at every other one too."""
        settings = conf.Settings(delivery=conf.settings().delivery)
        if (found := cdn.find(self.cloudfront, settings, self.bucket)) is None:
            return
        self.cloudfront.update_distribution(
            Id=found.id, IfMatch=found.etag, DistributionConfig={**found.config, "Enabled": False}
        )
        etag = self.cloudfront.get_distribution_config(Id=found.id)["ETag"]
        self.cloudfront.delete_distribution(Id=found.id, IfMatch=etag)

    def ask(self, *arguments: str) -> Told:
        """Send the doctor down the chain, by the settings that bucket and distribution have now."""
        assert self.cdn is not None
        self.cdn.reset()
        website = self.cdn.website_url
        return ask_doctor("--live", *(("--website", website) if website else ()), *arguments)

    def policy(self, *statements: dict[str, Any]) -> None:
        """Add statements to the bucket's policy."""
        policy = json.loads(self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"])
        policy["Statement"] += statements
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))

    def rules(self, change: Callable[[list[dict[str, Any]]], object]) -> None:
        """Change the website's routing rules in place."""
        website = self.s3.get_bucket_website(Bucket=self.bucket)
        del website["ResponseMetadata"]
        change(website["RoutingRules"])
        self.s3.put_bucket_website(Bucket=self.bucket, WebsiteConfiguration=website)

    def stored(self) -> list[str]:
        """Return the names of all objects."""
        return [one["Key"] for one in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]


@pytest.fixture(scope="session")
def one_session() -> boto3.Session:
    """Return a session for all tests: each new one reads megabytes of API descriptions."""
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key=SECRET_KEY)


@pytest.fixture
def quick(one_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> dict[Any, Any]:
    """Let all storages make their clients of one session, and each once in a test; return the clients."""
    monkeypatch.setattr(S3Storage, "_create_session", lambda storage: one_session)
    made: dict[Any, Any] = {}
    make = clients.client

    def kept(storage: S3Storage, service: str) -> Any:
        if (storage, service) not in made:
            made[storage, service] = make(storage, service)
        return made[storage, service]

    monkeypatch.setattr(clients, "client", kept)
    return made


@pytest.fixture
def s3(aws: None, quick: dict[Any, Any], one_session: boto3.Session, settings: Any) -> Any:
    """Keep originals and variants in one bucket of moto's S3 in this process; return a client."""
    options = {"bucket_name": BUCKET, "region_name": REGION, "querystring_auth": False}
    options["client_config"] = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1})
    storage = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": storage, "lazyimages": storage}
    client = one_session.client("s3", region_name=REGION)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


@pytest.fixture
def make_cloud(
    quick: dict[Any, Any],
    s3_server: Child,
    cloudfront_server: Child,
    shop: Shop,
    settings: Any,
    lazy: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Cloud]]:
    """Make a chain for a delivery, set up and running: `make_cloud("redirect")`; keywords are the CDN's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFRONT", cloudfront_server.url)
    stack = ExitStack()

    def make(delivery: str, *, set_up: bool = True, **options: Any) -> Cloud:
        bucket = f"doctor-{next(_numbers)}"
        storage = {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": bucket,
                "region_name": REGION,
                "endpoint_url": s3_server.url,
                "querystring_auth": False,
                "client_config": Config(
                    connect_timeout=1,
                    read_timeout=3,
                    retries={"total_max_attempts": 1},
                    s3={"addressing_style": "path"},
                ),
            },
        }
        settings.STORAGES = {**settings.STORAGES, "default": storage, "lazyimages": storage}
        settings.ALLOWED_HOSTS = ["127.0.0.1"]
        running = stack.enter_context(
            DistributionCloud(
                s3_endpoint=s3_server.url,
                cloudfront_endpoint=cloudfront_server.url,
                distribution_tag=("lazyimages", bucket),
                **{"state_ttl": 600, "website_port": 0, "website_bucket": bucket} | options,
            )
        )
        lazy(
            DELIVERY=delivery,
            CDN_URL=running.cdn_url,
            RESIZER_URL=f"{shop.url}/images/resizer",
            RENDER_WAIT=10,
            ORIGIN_SECRET=SECRET if delivery == "failover" else None,
        )
        cloud = Cloud(
            _client("s3", s3_server.url), _client("cloudfront", cloudfront_server.url), shop, bucket, lazy
        )
        cloud.cdn = running
        stack.callback(cloud.remove)
        if set_up:
            cloud.set_up()
        return cloud

    with stack:
        yield make


def _client(service: str, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        config=Config(s3={"addressing_style": "path"}),
    )


@pytest.fixture
def answer(quick: dict[Any, Any], one_session: boto3.Session) -> Iterator[Callable[..., None]]:
    """Have an operation answered as no stand-in does: `answer("s3", "GetBucketPolicy", "AccessDenied")`.

    `status`, `headers` and `message` are those of an error; with `parsed` it is no error at all. It is for
    clients that are made afterwards. `asked` gets the parameters of each call.
    """
    given: list[tuple[str, Any]] = []

    def give(
        service: str,
        operation: str,
        code: str = "",
        *,
        status: int = 403,
        message: str = "as the test wants it",
        headers: dict[str, str] | None = None,
        parsed: dict[str, Any] | None = None,
        asked: list[dict[str, Any]] | None = None,
    ) -> None:
        number = 200 if parsed is not None else status
        metadata = {"HTTPStatusCode": number, "HTTPHeaders": headers or {}}

        def reply(**kwargs: Any) -> tuple[AWSResponse, dict[str, Any]]:
            body = parsed if parsed is not None else {"Error": {"Code": code, "Message": message}}
            return AWSResponse("http://127.0.0.1/", number, headers or {}, None), {
                **body,
                "ResponseMetadata": metadata,
            }

        def note(params: dict[str, Any], **kwargs: Any) -> None:
            if asked is not None:
                asked.append(dict(params))

        given.append((f"before-call.{service}.{operation}", reply))
        given.append((f"before-parameter-build.{service}.{operation}", note))
        for event, handler in given[-2:]:
            one_session.events.register(event, handler)
        quick.clear()

    yield give
    for event, handler in given:
        one_session.events.unregister(event, handler)
