"""Fixtures for all tests: storages of their own, S3 by moto, counters of what is observable."""

import signal
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest
from botocore import handlers
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from tests.clock import PATIENCE, Clock

# Wall time says nothing on a shared machine.
hypothesis.settings.register_profile(
    "shared", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared")

# What a shell starts in the background ignores Ctrl-C, and so does every process that the tests start then.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SIZES = ["360x270", "480h", "1280w"]
CDN = "https://cdn.example"
RESIZER = "https://shop.example/images/resizer"
BUCKET = "shop-photos"


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every test its own originals, variants and locks, and the default settings, but for patience."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cache.clear()  # in Redis, the leases of an earlier test would be remembered
    settings.STORAGES = {
        **settings.STORAGES,
        "default": _file_system(tmp_path / "originals"),
        "lazyimages": _file_system(tmp_path / "variants"),
    }
    presets = settings.LAZYIMAGES.get("PRESETS", {})
    settings.LAZYIMAGES = {"SIZES": SIZES, "PRESETS": presets, "RENDER_WAIT": PATIENCE}


def _file_system(location: Path) -> dict[str, Any]:
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": location}}


@pytest.fixture
def stop_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Clock]:
    """Give modules a clock that goes on only by who sleeps by it: `clock = stop_clock(locks, leases)`."""

    def stop(*modules: ModuleType) -> Clock:
        clock = Clock()
        for module in modules:
            monkeypatch.setattr(module, "time", clock)
        return clock

    return stop


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as a condition holds; AssertionError when it does not come about."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.005)


@pytest.fixture
def lazy(settings: Any) -> Callable[..., None]:
    """Change parts of LAZYIMAGES: `lazy(FORMATS=["webp"])`."""

    def change(**parts: Any) -> None:
        settings.LAZYIMAGES = {**settings.LAZYIMAGES, **parts}

    return change


@pytest.fixture
def delivery(lazy: Callable[..., None]) -> Callable[..., None]:
    """Switch the delivery: `delivery("redirect")`."""

    def change(name: str, **parts: Any) -> None:
        lazy(DELIVERY=name, CDN_URL=CDN, RESIZER_URL=RESIZER, **parts)

    return change


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put moto in the place of AWS, in this process."""
    moto = pytest.importorskip("moto")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with moto.mock_aws():
        yield


@pytest.fixture
def s3(aws: None, settings: Any) -> Any:
    """Keep originals and variants in one bucket of moto's S3; returns a boto3 client for looking."""
    import boto3
    from botocore.config import Config

    client = boto3.client("s3", region_name="eu-central-1")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    options = {
        "bucket_name": BUCKET,
        "region_name": "eu-central-1",
        "querystring_auth": False,
        "client_config": Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1}),
    }
    s3_storage = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": s3_storage, "lazyimages": s3_storage}
    return client


@pytest.fixture
def s3_calls() -> Iterator[list[str]]:
    """Record the operations that any S3 client made afterwards calls: `["GetObject", "PutObject"]`."""
    calls: list[str] = []

    def record(model: Any, **kwargs: Any) -> None:
        calls.append(model.name)

    entry = ("before-call.s3", record)
    handlers.BUILTIN_HANDLERS.append(entry)
    yield calls
    handlers.BUILTIN_HANDLERS.remove(entry)


def jpeg(width: int = 1600, height: int = 1200, orientation: int = 1, quality: int = 85) -> bytes:
    """Draw a photo-like JPEG: a gradient, with red in its upright top left corner."""
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    picture.paste((200, 30, 30), (0, 0, max(1, width // 4), max(1, height // 4)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=quality, exif=exif)
    return buffer.getvalue()


def upload(data: bytes | None = None, name: str = "bowl.jpg") -> SimpleUploadedFile:
    """Return an upload as a browser would send it."""
    return SimpleUploadedFile(name, jpeg() if data is None else data, content_type="image/jpeg")
