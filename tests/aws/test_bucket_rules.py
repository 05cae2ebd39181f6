"""Lifecycle and CORS: the rules as values, and what they make of a bucket in moto."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import CommandError

from lazyimages import storage
from lazyimages.aws import rules
from lazyimages.aws.documents import Conflict
from tests.aws.conftest import Request, writes
from tests.conftest import BUCKET

Setup = Callable[..., str]
Delivery = Callable[..., None]

ABORT = {
    "ID": "lazyimages-abort-multipart",
    "Filter": {"Prefix": ""},
    "Status": "Enabled",
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}
EXPIRE = {
    "ID": "lazyimages-expire-variants",
    "Filter": {"Tag": {"Key": "lazyimages", "Value": "variant"}},
    "Status": "Enabled",
    "Expiration": {"Days": 90},
}
CORS = {
    "ID": "lazyimages-cors",
    "AllowedMethods": ["GET", "HEAD"],
    "AllowedOrigins": ["https://shop.example"],
    "MaxAgeSeconds": 7200,
}
LOGS = {"ID": "logs", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 3}}
UPLOADS = {"ID": "uploads", "AllowedMethods": ["PUT"], "AllowedOrigins": ["https://admin.example"]}


class TestValues:
    def test_lifecycle(self) -> None:
        assert rules.lifecycle_rules(None) == [ABORT]
        assert rules.lifecycle_rules(90) == [ABORT, EXPIRE]

    def test_cors(self) -> None:
        assert rules.cors_rules(["https://shop.example"]) == [CORS]
        assert rules.cors_rules([]) == []

    def test_nothing_but_ours(self) -> None:
        assert rules.merge_lifecycle(None, [ABORT]) == {"Rules": [ABORT]}
        assert rules.merge_cors(None, [CORS]) == {"CORSRules": [CORS]}
        assert rules.merge_cors(None, []) is None
        assert rules.merge_cors({"CORSRules": [CORS]}, []) is None

    def test_those_of_others_stay_with_all_that_is_beside_them(self) -> None:
        existing = {"Rules": [EXPIRE, LOGS], "TransitionDefaultMinimumObjectSize": "varies_by_storage_class"}
        assert rules.merge_lifecycle(existing, [ABORT]) == {
            "Rules": [LOGS, ABORT],
            "TransitionDefaultMinimumObjectSize": "varies_by_storage_class",
        }
        assert rules.merge_cors({"CORSRules": [CORS, UPLOADS]}, []) == {"CORSRules": [UPLOADS]}
        assert rules.merge_cors({"CORSRules": [{"AllowedMethods": ["PUT"]}]}, [CORS]) == {
            "CORSRules": [{"AllowedMethods": ["PUT"]}, CORS]
        }

    def test_rules_of_the_first_version_are_put_into_the_words_of_ours(self) -> None:
        old = {"ID": "logs", "Prefix": "logs/", "Status": "Enabled", "Expiration": {"Days": 3}}
        assert rules.merge_lifecycle({"Rules": [old]}, [ABORT]) == {"Rules": [LOGS, ABORT]}
        assert rules.merge_lifecycle({"Rules": [old, ABORT]}, [ABORT]) == {"Rules": [old, ABORT]}

    def test_the_same_in_another_order_stays_as_it_is(self) -> None:
        existing = {"Rules": [EXPIRE, LOGS, ABORT]}
        assert rules.merge_lifecycle(existing, [ABORT, EXPIRE]) is existing

    def test_a_hundred_rules_for_cors_and_no_more(self) -> None:
        foreign = [{**UPLOADS, "ID": str(number)} for number in range(100)]
        assert len((rules.merge_cors({"CORSRules": foreign[:99]}, [CORS]) or {})["CORSRules"]) == 100
        with pytest.raises(Conflict, match=r"101 CORS rules \(100 are somebody else's\); S3 takes 100"):
            rules.merge_cors({"CORSRules": foreign}, [CORS])

    def test_a_thousand_for_the_lifecycle(self) -> None:
        foreign = [{**LOGS, "ID": str(number)} for number in range(1000)]
        with pytest.raises(Conflict, match="1001 lifecycle rules"):
            rules.merge_lifecycle({"Rules": foreign}, [ABORT])


def lifecycle(s3: Any) -> list[dict[str, Any]]:
    return list(s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"])


def cors(s3: Any) -> list[dict[str, Any]]:
    return list(s3.get_bucket_cors(Bucket=BUCKET)["CORSRules"])


@pytest.mark.parametrize("name", ["redirect", "failover"])
class TestBucket:
    @pytest.fixture(autouse=True)
    def _delivery(self, s3: Any, delivery: Delivery, name: str) -> None:
        delivery(name, DISTRIBUTION_ID="E2QWRUHEXAMPLE")

    def test_uploads_that_were_broken_off_end_and_nothing_expires(self, s3: Any, setup: Setup) -> None:
        setup()
        assert lifecycle(s3) == [ABORT]

    def test_the_sites_own_origin_may_read(self, s3: Any, setup: Setup) -> None:
        setup()
        assert cors(s3) == [CORS]

    def test_other_origins(self, s3: Any, setup: Setup, lazy: Callable[..., None]) -> None:
        s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [UPLOADS]})
        setup()
        assert cors(s3) == [UPLOADS, CORS]
        lazy(CORS_ORIGINS=["https://a.example", "http://127.0.0.1:8000"])
        setup()
        assert cors(s3)[1]["AllowedOrigins"] == ["https://a.example", "http://127.0.0.1:8000"]
        assert "Nothing to change." in setup()
        lazy(CORS_ORIGINS=[])
        setup()
        assert cors(s3) == [UPLOADS]
        assert "Nothing to change." in setup()

    def test_too_many_rules_stop_it_before_anything_is_written(
        self, s3: Any, setup: Setup, requests: list[Request]
    ) -> None:
        foreign = [{**UPLOADS, "ID": str(number)} for number in range(100)]
        s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": foreign})
        requests.clear()
        with pytest.raises(CommandError, match=r"Nothing was changed: .* 101 CORS rules"):
            setup()
        assert writes(requests) == []

    def test_expiry_comes_and_goes_beside_the_rules_of_others(
        self, s3: Any, setup: Setup, lazy: Callable[..., None], requests: list[Request]
    ) -> None:
        dated = {
            "ID": "dated",
            "Filter": {"Prefix": "old/"},
            "Status": "Enabled",
            "Expiration": {"Date": datetime(2030, 1, 1, tzinfo=UTC)},
        }
        s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [LOGS, dated]})
        theirs = lifecycle(s3)
        lazy(EXPIRE_VARIANTS_DAYS=90)
        setup("--dry-run")
        setup()
        assert lifecycle(s3) == [*theirs, ABORT, EXPIRE]
        requests.clear()
        assert "Nothing to change." in setup()
        assert writes(requests) == []
        lazy(EXPIRE_VARIANTS_DAYS=30)
        setup()
        assert [rule.get("Expiration", {}).get("Days") for rule in lifecycle(s3)] == [3, None, None, 30]
        lazy(EXPIRE_VARIANTS_DAYS=None)
        setup()
        assert lifecycle(s3) == [*theirs, ABORT]


def test_what_is_beside_the_rules_is_sent_back(
    s3: Any, delivery: Delivery, setup: Setup, requests: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rely on the S3 API's PutBucketLifecycleConfiguration: without it S3 goes back to its own default.

    moto does not keep it, so what is there already is put in the place of moto's answer.
    """
    from lazyimages.aws import reading

    read = reading.document
    size = {"TransitionDefaultMinimumObjectSize": "varies_by_storage_class"}

    def answer(call: Any, bucket: str, part: str = "") -> Any:
        found = read(call, bucket, part)
        is_it = call.__name__ == "get_bucket_lifecycle_configuration"
        return {"Rules": [LOGS], **size} if is_it else found

    monkeypatch.setattr(reading, "document", answer)
    delivery("redirect")
    setup()
    (sent,) = [parameters for name, parameters in requests if name == "PutBucketLifecycleConfiguration"]
    assert sent == {"Bucket": BUCKET, "LifecycleConfiguration": {"Rules": [LOGS, ABORT]}, **size}


def test_the_rule_fits_variants_and_no_original(
    s3: Any, delivery: Delivery, setup: Setup, lazy: Callable[..., None]
) -> None:
    delivery("redirect", EXPIRE_VARIANTS_DAYS=90)
    setup()
    storage.put_original("photos/a.jpg", b"original", "image/jpeg")
    storage.put_variant("photos/480h/a.jpg", b"variant", "image/jpeg")
    (rule,) = [rule for rule in lifecycle(s3) if "Expiration" in rule]

    def fits(key: str) -> bool:
        tags = s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
        return rule["Filter"] == {"Tag": tags[0]} if tags else False

    assert fits("photos/480h/a.jpg")
    assert not fits("photos/a.jpg")
    assert s3.get_object_tagging(Bucket=BUCKET, Key="photos/a.jpg")["TagSet"] == []
