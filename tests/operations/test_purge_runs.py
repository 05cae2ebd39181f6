"""Runs of `lazyimages_purge`: interrupted, twice at once, refused, throttled, enqueued; their S3 calls."""

import json
import signal
from collections.abc import Callable
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from moto.s3.models import s3_backends

from lazyimages.operations import single
from lazyimages.storage.s3 import client
from tests.aws.conftest import _one_loader as _one_loader  # S3 clients in less time
from tests.aws.conftest import refused as refused
from tests.conftest import BUCKET, RESIZER
from tests.operations.distributions import cloudfront_api as cloudfront_api
from tests.operations.distributions import distribution as distribution
from tests.operations.distributions import invalidated
from tests.operations.shelves import BOWL, VASE, left, purge, put, put_originals
from tests.operations.workers.project import Project

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_sizes(lazy: Callable[..., None]) -> None:
    lazy(PRESETS={})


def names(number: int) -> list[str]:
    return [f"produs_{each % 7}/img.{each:010}.jpg" for each in range(number)]


def variants_of(some: list[str], size: str = "480h") -> list[str]:
    return [f"{name.partition('/')[0]}/{size}/{name.partition('/')[2]}" for name in some]


def put_into(keys: list[str]) -> None:
    """Put objects into moto's bucket, without a request each."""
    (backend,) = [one["aws"] for one in s3_backends.values() if BUCKET in one["aws"].buckets]
    for key in keys:
        backend.put_object(BUCKET, key, b"x")


@pytest.fixture
def full(s3: Any) -> list[str]:
    """Have 500 originals and 3,500 objects in all on S3."""
    some = names(500)
    put_into(some)
    gone = [key for size in ("480h", "1w", "2w", "3w", "4w", "5w") for key in variants_of(some, size)]
    put_into(gone)
    return gone


def test_calls_on_s3(full: list[str], s3_calls: list[str]) -> None:
    assert purge("--dropped", "--dry-run").startswith("Would delete 2,500 variants (2.5 kB).")
    assert s3_calls == ["ListObjectsV2"] * 4

    s3_calls.clear()
    assert purge("--dropped").startswith("Deleted 2,500 variants (2.5 kB).")
    assert s3_calls == ["ListObjectsV2"] * 4 + ["DeleteObjects"] * 3

    s3_calls.clear()
    assert purge("--all", "--concurrency", "2").startswith("Deleted 500 variants ")
    assert s3_calls == ["ListObjectsV2", "DeleteObjects"]

    s3_calls.clear()
    assert purge("--original", *names(500)).startswith("Asked to delete up to 1,500 keys")
    assert s3_calls == ["DeleteObjects"] * 2


def test_orphans_on_s3(s3: Any, s3_calls: list[str]) -> None:
    put_into([key for size in ("480h", "1w", "2w") for key in variants_of(names(400), size)])

    assert purge("--orphans").startswith("Deleted 1,200 variants ")

    assert s3_calls.count("DeleteObjects") == 2
    # Two for the inventory, and two and one more on the way for originals that came back.
    assert s3_calls.count("ListObjectsV2") <= 2 + 2 + 1
    assert left() == set()


def test_several_requests_at_once(full: list[str], s3_calls: list[str]) -> None:
    assert purge("--dropped", "--concurrency", "3").startswith("Deleted 2,500 variants ")
    assert s3_calls == ["ListObjectsV2"] * 4 + ["DeleteObjects"] * 3


def test_what_s3_refuses_is_named(s3: Any) -> None:
    put_originals(BOWL, VASE)
    put("produs_1/480h/bowl.aaaaaaaaaa.jpg", "produs_2/480h/vase.bbbbbbbbbb.jpg")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteObject",
        "Resource": "arn:aws:s3:::shop-photos/produs_1/480h/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [deny]}
    s3.put_bucket_policy(Bucket="shop-photos", Policy=json.dumps(policy))
    out = StringIO()

    with pytest.raises(SystemExit) as end:
        call_command("lazyimages_purge", "--all", stdout=out, stderr=StringIO(), no_color=True)

    assert end.value.code == 1
    assert out.getvalue().splitlines() == [
        "Deleted 1 variant (10 bytes).",
        "  failed: produs_1/480h/bowl.aaaaaaaaaa.jpg: AccessDenied",
    ]
    assert left() == {BOWL, VASE, "produs_1/480h/bowl.aaaaaaaaaa.jpg"}


@pytest.mark.parametrize("code", ["SlowDown", "InternalError"])
def test_throttling_is_waited_out(s3: Any, refused: Any, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    refused("DeleteObjects", code, status=503, times=2)
    refused("ListObjectsV2", code, status=503, times=2)
    put_originals(BOWL)
    put("produs_1/480h/bowl.aaaaaaaaaa.jpg")

    assert purge("--all").startswith("Deleted 1 variant ")
    assert left() == {BOWL}


def test_single_keys_that_s3_did_not_get_to(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 answers 200 with an error for single keys when it is busy; botocore is given such an answer."""
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    put_originals(BOWL)
    keys = ["produs_1/480h/bowl.aaaaaaaaaa.jpg", "produs_1/360x270/bowl.aaaaaaaaaa.jpg"]
    put(*keys)
    asked: list[list[str]] = []

    def busy(params: Any, **kwargs: Any) -> None:
        asked.append([each["Key"] for each in params["Delete"]["Objects"]])
        if len(asked) == 1:
            params["Delete"] = {"Quiet": True, "Objects": params["Delete"]["Objects"][:1]}

    def answer(parsed: Any, **kwargs: Any) -> None:
        if len(asked) == 1:
            parsed["Errors"] = [{"Key": asked[0][1], "Code": "InternalError"}]

    events = client(storages["lazyimages"]).meta.events
    events.register("before-parameter-build.s3.DeleteObjects", busy)
    events.register("after-call.s3.DeleteObjects", answer)

    assert purge("--all").startswith("Deleted 2 variants (20 bytes).")
    assert left() == {BOWL}
    assert [len(each) for each in asked] == [2, 1], "the other alone was asked for once more"


def test_two_operators(tmp_path: Path) -> None:
    said = "lazyimages_purge is running already on this machine, by "
    with single.alone("lazyimages_purge"), pytest.raises(CommandError, match=said):
        purge("--all")


def test_it_is_enqueued(s3: Any, settings: Any, lazy: Callable[..., None]) -> None:
    """Django's own backend does tasks at once."""
    lazy(DISTRIBUTION_ID="E1", CDN_URL="https://cdn.example", DELIVERY="redirect", RESIZER_URL=RESIZER)
    pytest.importorskip("lazyimages.tasks", reason="no Tasks API", exc_type=ImportError)
    module = "django.tasks" if find_spec("django.tasks") else "django_tasks"
    settings.TASKS = {"default": {"BACKEND": f"{module}.backends.immediate.ImmediateBackend"}}
    put_originals(BOWL)
    put("produs_1/480h/bowl.aaaaaaaaaa.jpg")

    said = purge("--all", "--enqueue")

    assert left() == {BOWL}
    assert said.startswith("Enqueued 1 task for 1 file.")
    assert said.endswith('  python manage.py lazyimages_purge --invalidate "/produs_1/*"\n')


@pytest.fixture
def project(tmp_path: Path, cloudfront_api: str, distribution: str) -> Project:
    """Give a project whose commands may be killed, with a distribution to tell."""
    made = Project(
        tmp_path / "shop",
        "none",
        DJANGO_SETTINGS_MODULE="tests.operations.purging_settings",
        DISTRIBUTION_ID=distribution,
        AWS_ENDPOINT_URL_CLOUDFRONT=cloudfront_api,
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION="us-east-1",
    )
    made.migrate()
    return made


def test_killed_in_the_middle(project: Project, cloudfront_api: str, distribution: str) -> None:
    """What was deleted and not written down is invalidated, and no more than a batch is looked at again."""
    originals = names(2500)
    for folder, some in ((project.originals, originals), (project.variants, variants_of(originals))):
        for name in some:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
    gone = sorted(variants_of(originals))

    middle = gone[1500].replace("/480h", "")
    project.manage("lazyimages_purge", "--all", code=-signal.SIGKILL, KILL_AT=middle)
    left = sorted(str(path.relative_to(project.variants)) for path in project.variants.rglob("*.jpg"))
    assert left == gone[2000:]
    assert invalidated(cloudfront_api, distribution) == []

    said = project.manage("lazyimages_purge", "--all", "--resume")

    assert "Deleted 1,500 variants" in said, "of which 1,000 before: the second thousand is in no journal"
    assert "CloudFront was told to forget 2,500 paths." in said
    assert not list(project.variants.rglob("*.jpg"))
    assert len(list(project.originals.rglob("*.jpg"))) == 2500
    (paths,) = invalidated(cloudfront_api, distribution)
    assert sorted(paths) == [f"/images/v/{key}" for key in gone]
    assert "no interrupted run" in project.manage("lazyimages_purge", "--all", "--resume")


def test_a_killed_run_that_is_not_resumed(project: Project, cloudfront_api: str, distribution: str) -> None:
    """What it has deleted is in no listing any more, and invalidated all the same."""
    for folder, name in ((project.originals, BOWL), (project.variants, variants_of([BOWL])[0])):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(b"x")
    project.manage("lazyimages_purge", "--all", code=-signal.SIGKILL, KILL_AT=BOWL)
    assert not list(project.variants.rglob("*.jpg"))

    project.manage("lazyimages_purge", "--all")

    assert invalidated(cloudfront_api, distribution) == [[f"/images/v/{variants_of([BOWL])[0]}"]]
