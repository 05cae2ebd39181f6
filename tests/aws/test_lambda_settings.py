"""The function's settings, read from environment variables, and addresses signed for a while."""

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from django.core.exceptions import ImproperlyConfigured
from storages.backends.s3 import S3Storage

from lazyimages import conf
from lazyimages.aws import lambda_urls
from lazyimages.storage.s3 import S3Backend

PATH = Path(lambda_urls.__file__).with_name("lambda_settings.py")
ENOUGH = {"LAZYIMAGES_BUCKET": "photos", "LAZYIMAGES": '{"SIZES": ["360x270"]}', "AWS_REGION": "eu-west-1"}
KNOWN = (
    *ENOUGH,
    "LAZYIMAGES_VARIANTS_BUCKET",
    "LAZYIMAGES_ORIGINALS_LOCATION",
    "LAZYIMAGES_REGION",
    "LAZYIMAGES_ORIGIN_SECRET",
    "LAZYIMAGES_REDIS_URL",
    "LAZYIMAGES_LOG_LEVEL",
)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Run the settings module in this environment, and no other."""

    def run(**variables: str | None) -> dict[str, Any]:
        for name in KNOWN:
            monkeypatch.delenv(name, raising=False)
        for name, value in (ENOUGH | variables).items():
            if value is not None:
                monkeypatch.setenv(name, value)
        return runpy.run_path(str(PATH))

    return run


def test_enough(read: Callable[..., dict[str, Any]]) -> None:
    found = read()
    assert found["DEBUG"] is False
    assert list(found["STORAGES"]) == ["default"]  # one client; VARIANTS falls back to it
    options = found["STORAGES"]["default"]["OPTIONS"]
    assert (options["bucket_name"], options["region_name"]) == ("photos", "eu-west-1")
    assert options["querystring_auth"] is False
    settings, problems = conf.read(found["LAZYIMAGES"])
    assert problems == []
    assert [str(size) for size in settings.whitelist] == ["360x270"]


def test_everything(read: Callable[..., dict[str, Any]]) -> None:
    found = read(
        LAZYIMAGES=json.dumps({"SIZES": ["7w"], "ORIGINALS": "photos", "VARIANTS": "x", "CACHE": "pages"}),
        LAZYIMAGES_VARIANTS_BUCKET="variants",
        LAZYIMAGES_ORIGINALS_LOCATION="uploads",
        LAZYIMAGES_REGION="us-east-1",
        LAZYIMAGES_ORIGIN_SECRET="s3cret",
        LAZYIMAGES_REDIS_URL="redis://127.0.0.1:6379/0",
        LAZYIMAGES_LOG_LEVEL="WARNING",
    )
    originals, variants = (found["STORAGES"][name]["OPTIONS"] for name in ("default", "lazyimages"))
    assert (originals["bucket_name"], originals["location"]) == ("photos", "uploads")
    assert (variants["bucket_name"], variants["location"]) == ("variants", "")
    assert originals["region_name"] == variants["region_name"] == "us-east-1"
    settings, problems = conf.read(found["LAZYIMAGES"])
    assert problems == []
    # The names of the site's own storages and caches are not the function's.
    assert (settings.originals, settings.variants, settings.cache) == ("default", "lazyimages", "default")
    assert settings.origin_secret == "s3cret"
    assert found["CACHES"]["default"]["LOCATION"] == "redis://127.0.0.1:6379/0"
    assert found["LOGGING"]["loggers"]["lazyimages"]["level"] == "WARNING"


def test_a_location_in_the_same_bucket_is_of_originals_alone(read: Callable[..., dict[str, Any]]) -> None:
    storages = read(LAZYIMAGES_ORIGINALS_LOCATION="uploads")["STORAGES"]
    assert storages["default"]["OPTIONS"]["location"] == "uploads"
    assert storages["lazyimages"]["OPTIONS"]["bucket_name"] == "photos"
    assert storages["lazyimages"]["OPTIONS"]["location"] == ""


def test_every_start_has_a_key_of_its_own(read: Callable[..., dict[str, Any]]) -> None:
    keys = {read()["SECRET_KEY"] for _ in range(3)}
    assert len(keys) == 3
    assert all(len(key) >= 50 for key in keys)


@pytest.mark.parametrize(
    "variables, named, remedy",
    [
        ({"LAZYIMAGES": None}, "LAZYIMAGES is not set", '{"SIZES": ["360x270", "480h"]}'),
        ({"LAZYIMAGES": ""}, "LAZYIMAGES is not set", "as JSON"),
        (
            {"LAZYIMAGES": "{'SIZES': ['7w'], 'ORIGIN_SECRET': 'hush'}"},
            "LAZYIMAGES is not JSON",
            "double quotes",
        ),
        ({"LAZYIMAGES": '["7w"]'}, "LAZYIMAGES is not a JSON object", "as JSON"),
        ({"LAZYIMAGES_BUCKET": None}, "LAZYIMAGES_BUCKET is not set", "holds the originals"),
        ({"AWS_REGION": None}, "AWS_REGION is not set", "LAZYIMAGES_REGION"),
        ({"LAZYIMAGES_LOG_LEVEL": "LOUD"}, "LAZYIMAGES_LOG_LEVEL is 'LOUD'", "Choose from DEBUG"),
    ],
)
def test_mistakes_name_the_variable_and_the_remedy(
    read: Callable[..., dict[str, Any]], variables: dict[str, str | None], named: str, remedy: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as raised:
        read(**variables)
    assert named in str(raised.value)
    assert remedy in str(raised.value)
    assert "hush" not in str(raised.value)  # it ends up in a log


def test_redis_without_its_client(
    read: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImproperlyConfigured, match=r"LAZYIMAGES_REDIS_URL is set, but.*--with 'redis>=6'"):
        read(LAZYIMAGES_REDIS_URL="redis://127.0.0.1:6379/0")


def test_every_variable_is_documented(read: Callable[..., dict[str, Any]]) -> None:
    document = (PATH.parents[2] / "docs" / "lambda.md").read_text()
    source = PATH.read_text()
    for name in KNOWN:
        assert f'"{name}"' in source
        assert f"| `{name}`" in document


# The host of all regions is us-east-1's own.
HOSTS = {
    "us-east-1": "photos.s3.amazonaws.com",
    "eu-central-1": "photos.s3.eu-central-1.amazonaws.com",
    "ap-south-2": "photos.s3.ap-south-2.amazonaws.com",
}


@pytest.mark.parametrize("region, host", HOSTS.items())
@pytest.mark.parametrize("config", [None, Config(connect_timeout=1), Config(s3={"addressing_style": "auto"})])
def test_a_signed_url_is_of_the_buckets_own_region(
    aws: None, region: str, host: str, config: Config | None
) -> None:
    """Signature version 4, which buckets made since June 2020 demand; and not the host of all regions,
    which sends on to another at first: what was signed is not valid there ("Request redirection").
    """
    options = {} if config is None else {"client_config": config}
    storage = S3Storage(bucket_name="photos", region_name=region, location="v", **options)
    url = S3Backend(storage).presigned_url("a b/360x270/é+.jpg", 60)
    split = urlsplit(url)
    assert split.netloc == host
    assert split.path == "/v/a%20b/360x270/%C3%A9%2B.jpg"
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in split.query
    assert f"%2F{region}%2Fs3%2F" in split.query
    assert "X-Amz-Expires=60" in split.query


def test_a_signed_url_of_another_s3(aws: None) -> None:
    storage = S3Storage(bucket_name="photos", region_name="eu-central-1", endpoint_url="http://127.0.0.1:9")
    assert S3Backend(storage).presigned_url("a.jpg", 60).startswith("http://127.0.0.1:9/photos/a.jpg?")
