"""What a purge tells CloudFront: which paths, how many at a time, and what when it is busy or refuses."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from django.core.management import CommandError

from lazyimages import keys
from lazyimages.aws import invalidations
from lazyimages.aws.invalidations import NotInvalidated
from lazyimages.operations import purge as operation
from lazyimages.operations.purging.paths import Paths
from marketplace.cloud.children import Child
from marketplace.cloud.embedded import DistributionCloud
from marketplace.cloud.s3 import start_s3
from tests.clock import Clock
from tests.cloud.conftest import BucketSetup
from tests.cloud.distributions import CloudFront, bucket_origin
from tests.cloud.tools import fetch
from tests.conftest import CDN, RESIZER
from tests.operations.distributions import api, invalidated
from tests.operations.distributions import cloudfront_api as cloudfront_api
from tests.operations.distributions import distribution as distribution
from tests.operations.shelves import BOWL, VASE, left, purge, put, put_originals

NEW = "produs_1/tea pot (é)~1*.aaaaaaaaaa.jpg"


@pytest.fixture(scope="module")
def s3_api() -> Iterator[Child]:
    with start_s3() as child:
        yield child


@pytest.fixture
def shop(
    s3_api: Child, cloudfront_api: str, distribution: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Have originals and variants in a bucket behind a distribution, and return its id."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFRONT", cloudfront_api)
    bucket = f"shop-{distribution.lower()}"
    keys = {"access_key": "test", "secret_key": "test"}
    options = {"bucket_name": bucket, "region_name": "us-east-1", "endpoint_url": s3_api.url, **keys}
    s3 = boto3.client(
        "s3",
        endpoint_url=s3_api.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    BucketSetup(s3, bucket).open()
    place = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": place, "lazyimages": place}
    settings.LAZYIMAGES = {
        "SIZES": ["480h", "360x270"],
        "DELIVERY": "redirect",
        "CDN_URL": f"{CDN}/photos",
        "RESIZER_URL": RESIZER,
        "DISTRIBUTION_ID": distribution,
    }
    put_originals(BOWL, VASE, NEW)
    put("produs_1/480h/bowl.aaaaaaaaaa.jpg", "produs_2/480h/vase.bbbbbbbbbb.jpg")
    put("produs_1/360x270/tea pot (é)~1*.aaaaaaaaaa.jpg")
    return distribution


@pytest.mark.django_db
class TestThePurge:
    def test_by_exact_paths_as_in_pages(self, shop: str, cloudfront_api: str) -> None:
        said = purge("--all", "--dry-run")
        assert "CloudFront would be told to forget 3 paths. CloudFront takes the first 1,000 paths" in said
        assert invalidated(cloudfront_api, shop) == []

        assert purge("--all").endswith("CloudFront was told to forget 3 paths.\n")

        assert invalidated(cloudfront_api, shop) == [
            [
                "/photos/produs_1/360x270/tea%20pot%20%28%C3%A9%29~1%2A.aaaaaaaaaa.jpg",
                "/photos/produs_1/480h/bowl.aaaaaaaaaa.jpg",
                "/photos/produs_2/480h/vase.bbbbbbbbbb.jpg",
            ]
        ]

    def test_not_at_all(self, shop: str, cloudfront_api: str, lazy: Callable[..., None]) -> None:
        assert "CloudFront" not in purge("--original", BOWL, "--no-invalidate")
        lazy(DISTRIBUTION_ID=None)
        assert "a CDN keeps what it has until it expires" in purge("--original", VASE)
        operation.purge_originals([NEW])
        lazy(DISTRIBUTION_ID=shop)
        operation.purge_originals([NEW], invalidate=False)
        assert "forget" not in purge("--all"), "for nothing is left"

        assert invalidated(cloudfront_api, shop) == []

    def test_from_code(self, shop: str, cloudfront_api: str) -> None:
        operation.purge_originals([BOWL])

        assert invalidated(cloudfront_api, shop) == [
            ["/photos/produs_1/480h/bowl.aaaaaaaaaa.jpg", "/photos/produs_1/360x270/bowl.aaaaaaaaaa.jpg"]
        ]

    def test_paths_of_a_person(self, shop: str, cloudfront_api: str) -> None:
        before = left()
        assert purge("--invalidate", "/a/*", "--dry-run") == "CloudFront would be told to forget 1 path.\n"
        said = json.loads(purge("--invalidate", "/a/*", "/b.jpg", "--format", "json"))

        assert said["invalidated"] == 2
        assert sorted(invalidated(cloudfront_api, shop)) == [["/a/*"], ["/b.jpg"]]
        assert left() == before

    def test_a_refusal_is_made_up_for_by_resume(
        self, shop: str, cloudfront_api: str, lazy: Callable[..., None]
    ) -> None:
        lazy(DISTRIBUTION_ID="ENOTTHERE")
        with pytest.raises(CommandError, match=r"NoSuchDistribution.*--resume"):
            purge("--all")
        assert left() == {BOWL, VASE, NEW}
        lazy(DISTRIBUTION_ID=shop)

        said = purge("--all", "--resume")

        assert said.startswith("Deleted 3 variants (30 bytes).")
        (paths,) = invalidated(cloudfront_api, shop)
        assert len(paths) == 3

    def test_viewers_see_it(self, shop: str, cloudfront_api: str, s3_api: Child, settings: Any) -> None:
        settings.LAZYIMAGES = settings.LAZYIMAGES | {"CDN_URL": CDN}
        bucket = settings.STORAGES["default"]["OPTIONS"]["bucket_name"]
        made = CloudFront(api(cloudfront_api)).create(bucket_origin(bucket))
        settings.LAZYIMAGES = settings.LAZYIMAGES | {"DISTRIBUTION_ID": made["Id"]}
        options = {"s3_endpoint": s3_api.url, "cloudfront_endpoint": cloudfront_api, "state_ttl": 0}
        with DistributionCloud(distribution=made["Id"], **options) as cloud:
            url = f"{cloud.cdn_url}/produs_1/480h/bowl.aaaaaaaaaa.jpg"
            assert [fetch(url).x_cache for _ in range(2)] == ["Miss from cloudfront", "Hit from cloudfront"]
            purge("--all", "--no-invalidate")
            assert fetch(url).x_cache == "Hit from cloudfront"

            put("produs_1/480h/bowl.aaaaaaaaaa.jpg")
            purge("--all")

            assert fetch(url).status == 403


class TestPaths:
    @pytest.fixture(autouse=True)
    def _cdn(self, settings: Any) -> None:
        settings.LAZYIMAGES = {"SIZES": ["480h"], "DELIVERY": "failover", "CDN_URL": CDN}

    def result(self, texts: list[str], **options: bool) -> list[str]:
        paths = Paths(**options)
        for key in texts:
            paths.add(key, keys.parse(key).original)
        return paths.result()

    def test_up_to_3000_each_by_itself(self) -> None:
        texts = [f"produs_1/480h/{number}.jpg" for number in range(3000)]
        assert self.result(texts) == [f"/{key}" for key in texts]

    def test_beyond_by_directory(self) -> None:
        texts = [f"shop é/{number % 15}/480h/{number}.jpg" for number in range(3001)]
        assert self.result(texts) == sorted(f"/shop%20%C3%A9/{number}/*" for number in range(15))

    def test_or_all(self) -> None:
        texts = [f"produs_{number % 16}/480h/{number}.jpg" for number in range(3001)]
        assert self.result(texts) == ["/*"]

    def test_at_the_top(self) -> None:
        assert self.result([f"480h/{number}.jpg" for number in range(3001)]) == ["/*"]

    def test_few_are_given_by_directory_where_a_person_types_them(self) -> None:
        assert self.result(["a/480h/x.jpg", "a/b/480h/x.jpg"], exact=False) == ["/a/*", "/a/b/*"]

    def test_local_delivery_behind_a_cdn(self, settings: Any) -> None:
        settings.LAZYIMAGES = {"SIZES": ["480h"]}
        assert self.result(["a/480h/x.jpg"]) == ["/images/v/a/480h/x.jpg"]
        assert self.result(["480h/x.jpg"], exact=False) == ["/images/v/*"]


ID = "EDFDVBD6EXAMPLE"


class TestARequest:
    """CloudFront as its API reference describes it; ministack is never busy."""

    @pytest.fixture
    def client(self) -> Any:
        return boto3.client(
            "cloudfront", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )

    @pytest.fixture
    def stub(self, client: Any) -> Iterator[Stubber]:
        with Stubber(client) as stub:
            yield stub
            stub.assert_no_pending_responses()

    @pytest.fixture
    def clock(self, stop_clock: Callable[..., Clock]) -> Clock:
        return stop_clock(invalidations)

    def lists(self, stub: Stubber, *statuses: tuple[str, str]) -> None:
        items = [{"Id": id, "CreateTime": 0, "Status": status} for id, status in statuses]
        listed = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": len(items), "Items": items}
        stub.add_response("list_invalidations", {"InvalidationList": listed}, {"DistributionId": ID})

    def shows(self, stub: Stubber, id: str, *paths: str) -> None:
        stub.add_response("get_invalidation", self.made(id, *paths), {"DistributionId": ID, "Id": id})

    def made(self, id: str, *paths: str) -> dict[str, Any]:
        batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": "x"}
        return {
            "Invalidation": {"Id": id, "Status": "InProgress", "CreateTime": 0, "InvalidationBatch": batch}
        }

    def takes(self, stub: Stubber, id: str, *paths: str) -> None:
        batch = {"Paths": {"Quantity": len(paths), "Items": list(paths)}, "CallerReference": ANY}
        stub.add_response(
            "create_invalidation", self.made(id), {"DistributionId": ID, "InvalidationBatch": batch}
        )

    def test_at_once_when_there_is_room(self, client: Any, stub: Stubber, clock: Clock) -> None:
        self.lists(stub, ("I1", "InProgress"), ("I0", "Completed"))
        self.shows(stub, "I1", "/a/*")
        self.takes(stub, "I2", "/b/*")

        assert invalidations.invalidate(client, ID, ["/b/*"]) == ["I2"]
        assert clock.slept == 0

    def test_it_waits_for_room(self, client: Any, stub: Stubber, clock: Clock) -> None:
        self.lists(stub, ("I1", "InProgress"))
        self.shows(stub, "I1", *(f"/{number}.jpg" for number in range(2999)))
        self.lists(stub, ("I1", "Completed"))
        self.takes(stub, "I2", "/x.jpg", "/y.jpg")
        said: list[str] = []

        invalidations.invalidate(client, ID, ["/x.jpg", "/y.jpg"], say=said.append)

        assert clock.slept == 10
        assert said == [f"CloudFront is busy with other invalidations of {ID}; waiting for room"]

    def test_wildcards_have_room_of_their_own(self, client: Any, stub: Stubber, clock: Clock) -> None:
        self.lists(stub, ("I1", "InProgress"))
        self.shows(stub, "I1", *(f"/{number}/*" for number in range(15)))
        self.takes(stub, "I2", "/x.jpg")

        invalidations.invalidate(client, ID, ["/x.jpg"])
        assert clock.slept == 0

    def test_too_many_is_waited_out(self, client: Any, stub: Stubber, clock: Clock) -> None:
        for _ in range(2):
            self.lists(stub)
            stub.add_client_error("create_invalidation", "TooManyInvalidationsInProgress")
        self.lists(stub)
        self.takes(stub, "I2", "/*")

        assert invalidations.invalidate(client, ID, ["/*"]) == ["I2"]
        assert clock.slept == 20

    def test_but_not_for_ever(self, client: Any, stub: Stubber, clock: Clock) -> None:
        for _ in range(3):
            self.lists(stub)
            stub.add_client_error("create_invalidation", "TooManyInvalidationsInProgress")

        with pytest.raises(NotInvalidated, match=r"still busy with other invalidations .* after 0 minutes"):
            invalidations.invalidate(client, ID, ["/*"], longest=20)

    def test_who_may_not_look_may_tell(self, client: Any, stub: Stubber, clock: Clock) -> None:
        stub.add_client_error("list_invalidations", "AccessDenied")
        self.takes(stub, "I2", "/*")

        assert invalidations.invalidate(client, ID, ["/*"]) == ["I2"]

    def test_a_permission_that_is_missing_is_named(self, client: Any, stub: Stubber, clock: Clock) -> None:
        self.lists(stub)
        stub.add_client_error("create_invalidation", "AccessDenied")

        with pytest.raises(NotInvalidated, match="Give the caller cloudfront:CreateInvalidation"):
            invalidations.invalidate(client, ID, ["/*"])

    def test_more_than_fits_at_once(self, client: Any, stub: Stubber, clock: Clock) -> None:
        wildcards = [f"/{number}/*" for number in range(16)]
        self.lists(stub)
        self.takes(stub, "I1", *wildcards[:15])
        self.lists(stub, ("I1", "InProgress"))
        self.shows(stub, "I1", *wildcards[:15])
        self.lists(stub, ("I1", "Completed"))
        self.takes(stub, "I2", "/15/*")

        assert invalidations.invalidate(client, ID, wildcards) == ["I1", "I2"]
