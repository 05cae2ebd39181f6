"""How many requests to S3 the commands make: those that they cannot do without, and no more.

The bucket is the one of the benchmarks, which has the same proportions as one of a million keys.
"""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from botocore.config import Config
from django.core.management import call_command

from benchmarks.operations import tiny_s3
from benchmarks.operations.commands import COMMANDS, Measured
from benchmarks.operations.layout import SIZES, Layout
from tests.conftest import jpeg
from tests.host.models import Photo

LAYOUT = Layout(originals=600)  # with 2,000 variants


@pytest.fixture
def bucket(settings: Any, db: None) -> Iterator[tiny_s3.Bucket]:
    Photo.objects.bulk_create(Photo(image=LAYOUT.original(number)) for number in range(LAYOUT.originals))
    bucket = tiny_s3.Bucket(LAYOUT, jpeg(2, 2))
    with tiny_s3.serving(bucket) as url:
        options = {
            "bucket_name": "shop",
            "endpoint_url": url,
            "region_name": "eu-central-1",
            "access_key": "anybody",
            "secret_key": "anything",
            "querystring_auth": False,
            "client_config": Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 1}),
        }
        storage = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "default": storage, "lazyimages": storage}
        yield bucket


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("measured", COMMANDS, ids=lambda measured: measured.name)
def test_requests_are_the_fewest_possible(measured: Measured, bucket: tiny_s3.Bucket, settings: Any) -> None:
    settings.LAZYIMAGES = {"SIZES": [*SIZES, *measured.sizes.split()]}
    out = StringIO()
    call_command(*measured.arguments, stdout=out)
    answer = json.loads(out.getvalue())
    assert {name: answer.get(name) for name in measured.expects(LAYOUT)} == measured.expects(LAYOUT)
    assert dict(bucket.calls) == measured.fewest(LAYOUT)
