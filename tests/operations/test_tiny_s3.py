"""The small S3 of the benchmarks answers boto3 as S3 does."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.operations import tiny_s3
from benchmarks.operations.layout import DROPPED, SIZES, Layout
from lazyimages import keys
from tests.conftest import jpeg

LAYOUT = Layout(originals=990)
ALL = sorted(name for product in range(LAYOUT.products) for name in LAYOUT.names(product))
CONTENT = jpeg(2, 2)


@pytest.fixture
def bucket() -> tiny_s3.Bucket:
    return tiny_s3.Bucket(LAYOUT, CONTENT)


@pytest.fixture
def client(bucket: tiny_s3.Bucket) -> Iterator[Any]:
    with tiny_s3.serving(bucket) as url:
        yield client_of(url)


@pytest.fixture(scope="module")
def unchanged() -> Iterator[Any]:
    """Return a client for looking alone: to make one takes long."""
    with tiny_s3.serving(tiny_s3.Bucket(LAYOUT, CONTENT)) as url:
        yield client_of(url)


def client_of(url: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id="anybody",
        aws_secret_access_key="anything",
        config=Config(connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 1}),
    )


def listed(client: Any, **options: Any) -> list[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket="shop", **options)
    return [each["Key"] for page in pages for each in page.get("Contents", ())]


class TestLayout:
    def test_numbers(self) -> None:
        variants = [name for name in ALL if name.count("/") == 2]
        assert len(ALL) - len(variants) == LAYOUT.originals
        assert len(variants) == LAYOUT.variants == 3300
        assert len(set(ALL)) == len(ALL)

    def test_what_the_variants_are(self) -> None:
        there = set(ALL)
        parsed = [keys.parse(name) for name in ALL if name.count("/") == 2]
        assert {str(key.size) for key in parsed} == {*SIZES, DROPPED}
        assert sum(key.original not in there for key in parsed) == LAYOUT.originals // 30
        assert sum(str(key.size) == DROPPED for key in parsed) == LAYOUT.originals * 9 // 30

    def test_names_are_of_our_own_form(self) -> None:
        assert keys.slug_of(LAYOUT.original(5)) == "img"

    def test_more_originals_keep_the_names_of_fewer(self) -> None:
        assert set(ALL) < {name for product in range(200) for name in Layout(originals=1200).names(product)}


class TestListing:
    def test_all_in_order_by_pages_of_a_thousand(self, client: Any, bucket: tiny_s3.Bucket) -> None:
        assert listed(client) == ALL
        assert bucket.calls == {"ListObjectsV2": -(-len(ALL) // 1000)}

    @pytest.mark.parametrize(
        "prefix",
        ["", "produs_20000", "produs_200007", "produs_200007/", "produs_200007/480h/", ALL[40], "a", "z"],
    )
    @pytest.mark.parametrize(
        "after",
        ["", "a", "produs_200007", "produs_200007!", "produs_200007/4", ALL[39], ALL[40], ALL[-1], "z"],
    )
    def test_prefix_and_start_after(self, unchanged: Any, prefix: str, after: str) -> None:
        expected = [name for name in ALL if name.startswith(prefix) and name > after]
        assert listed(unchanged, Prefix=prefix, StartAfter=after) == expected

    def test_max_keys_and_token(self, unchanged: Any) -> None:
        first = unchanged.list_objects_v2(Bucket="shop", MaxKeys=7)
        assert (first["KeyCount"], first["IsTruncated"]) == (7, True)
        token = first["NextContinuationToken"]
        second = unchanged.list_objects_v2(
            Bucket="shop", MaxKeys=7, ContinuationToken=token, StartAfter="zzz"
        )
        assert [each["Key"] for each in second["Contents"]] == ALL[7:14]

    def test_the_last_page_has_no_token(self, unchanged: Any) -> None:
        answer = unchanged.list_objects_v2(Bucket="shop", StartAfter=ALL[-3])
        assert [each["Key"] for each in answer["Contents"]] == ALL[-2:]
        assert answer["IsTruncated"] is False
        assert "NextContinuationToken" not in answer

    def test_what_is_said_of_an_object(self, unchanged: Any) -> None:
        (entry,) = unchanged.list_objects_v2(Bucket="shop", MaxKeys=1)["Contents"]
        head = unchanged.get_object(Bucket="shop", Key=entry["Key"])
        assert entry["Size"] == head["ContentLength"] == len(CONTENT)
        assert entry["ETag"] == head["ETag"]
        assert entry["LastModified"] == head["LastModified"]


class TestObjects:
    def test_read(self, unchanged: Any) -> None:
        assert unchanged.get_object(Bucket="shop", Key=ALL[5])["Body"].read() == CONTENT

    def test_a_range(self, unchanged: Any) -> None:
        answer = unchanged.get_object(Bucket="shop", Key=ALL[5], Range="bytes=2-9")
        assert answer["Body"].read() == CONTENT[2:10]
        assert answer["ContentRange"] == f"bytes 2-9/{len(CONTENT)}"
        assert (
            unchanged.get_object(Bucket="shop", Key=ALL[5], Range="bytes=0-99999")["Body"].read() == CONTENT
        )

    @pytest.mark.parametrize("key", ["produs_200007/no.jpg", "a.jpg", "zzz", "produs_300000/img.jpg"])
    def test_a_missing_object(self, unchanged: Any, key: str) -> None:
        with pytest.raises(unchanged.exceptions.NoSuchKey):
            unchanged.get_object(Bucket="shop", Key=key)

    def test_a_range_beyond_the_end(self, unchanged: Any) -> None:
        with pytest.raises(ClientError, match="InvalidRange"):
            unchanged.get_object(Bucket="shop", Key=ALL[5], Range="bytes=99999-")

    def test_what_is_put_is_there_and_listed(self, client: Any, bucket: tiny_s3.Bucket) -> None:
        names = ["a/ä b+&.jpg", "produs_200007!.jpg", "produs_200007/a.jpg", "zz.jpg", ALL[8]]
        for name in names:
            client.put_object(Bucket="shop", Key=name, Body=b"new")
        assert listed(client) == sorted({*ALL, *names})
        assert client.get_object(Bucket="shop", Key=names[0])["Body"].read() == b"new"
        (entry,) = client.list_objects_v2(Bucket="shop", Prefix=ALL[8])["Contents"]
        assert entry["Size"] == 3
        assert bucket.calls["PutObject"] == len(names)

    def test_what_is_deleted_is_gone_until_it_is_put_again(self, client: Any, bucket: tiny_s3.Bucket) -> None:
        objects = [{"Key": name} for name in ALL[:1000]]
        assert "Errors" not in client.delete_objects(Bucket="shop", Delete={"Objects": objects})
        assert listed(client) == ALL[1000:]
        with pytest.raises(client.exceptions.NoSuchKey):
            client.get_object(Bucket="shop", Key=ALL[3])
        client.put_object(Bucket="shop", Key=ALL[3], Body=b"new")
        assert listed(client) == [ALL[3], *ALL[1000:]]
        assert bucket.calls["DeleteObjects"] == 1

    def test_more_than_a_thousand_are_refused(self, unchanged: Any) -> None:
        objects = [{"Key": name} for name in ALL[:1001]]
        with pytest.raises(ClientError, match="MalformedXML"):
            unchanged.delete_objects(Bucket="shop", Delete={"Objects": objects})

    def test_what_it_cannot_do_it_says(self, client: Any) -> None:
        with pytest.raises(ClientError, match="NotImplemented"):
            client.list_objects_v2(Bucket="shop", Delimiter="/")
        with pytest.raises(ClientError, match="NotImplemented"):
            client.copy_object(Bucket="shop", Key="b.jpg", CopySource={"Bucket": "shop", "Key": ALL[0]})
