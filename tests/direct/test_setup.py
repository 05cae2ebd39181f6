"""What direct upload needs on AWS: a day for `incoming/`, CORS for POST, and the rights of the app."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.test import Client

from lazyimages import conf
from lazyimages.aws import bucket as bucket_plans
from lazyimages.aws import incoming, rules
from lazyimages.storage.s3 import client as s3_client
from tests.aws.policies import Need, allows, printed, recorded
from tests.conftest import BUCKET, jpeg
from tests.direct.conftest import Browser
from tests.host.models import Photo

ORIGINALS = "shop-originals"
Lazy = Callable[..., None]

RULE = {
    "ID": "lazyimages-expire-incoming",
    "Filter": {"Prefix": "incoming/"},
    "Status": "Enabled",
    "Expiration": {"Days": 1},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
}
CORS = {
    "ID": "lazyimages-cors-uploads",
    "AllowedMethods": ["POST"],
    "AllowedOrigins": ["https://shop.example"],
    "MaxAgeSeconds": 7200,
}


@pytest.fixture(params=["one bucket", "two buckets"])
def where(request: pytest.FixtureRequest, s3: Any, settings: Any, delivery: Lazy) -> str:
    """Have originals beside the variants, or in a bucket of their own; returns the name of the bucket."""
    delivery("redirect", DIRECT_UPLOADS="tests.direct.pages.allowed")
    if request.param == "one bucket":
        return BUCKET
    own = settings.STORAGES["default"]
    apart = {**own, "OPTIONS": {**own["OPTIONS"], "bucket_name": ORIGINALS}}
    settings.STORAGES = {**settings.STORAGES, "default": apart}
    return ORIGINALS


def setup() -> str:
    out = StringIO()
    call_command("lazyimages_setup_bucket", stdout=out, no_color=True)
    return out.getvalue()


def lifecycle(s3: Any, bucket: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    return found


def cors(s3: Any, bucket: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
    except s3.exceptions.ClientError:
        return []
    return found


def test_the_rules_are_there_while_it_is_on_and_gone_in_one_run(s3: Any, where: str, lazy: Lazy) -> None:
    setup()
    assert RULE in lifecycle(s3, where)
    assert CORS in cors(s3, where)
    if where == ORIGINALS:
        assert [rule["ID"] for rule in lifecycle(s3, BUCKET)] == ["lazyimages-abort-multipart"]
        assert cors(s3, where) == [CORS]
        assert CORS not in cors(s3, BUCKET)
    assert "Nothing to change." in setup()

    lazy(DIRECT_UPLOADS=None)
    setup()
    assert [rule["ID"] for rule in lifecycle(s3, where)] == ["lazyimages-abort-multipart"]
    assert CORS not in cors(s3, where)
    assert "Nothing to change." in setup()


def test_a_folder_is_all_that_the_rule_is_about(s3: Any, settings: Any, delivery: Lazy) -> None:
    own = settings.STORAGES["default"]
    folder = {**own, "OPTIONS": {**own["OPTIONS"], "location": "media/"}}
    settings.STORAGES = {**settings.STORAGES, "default": folder}
    delivery("redirect", DIRECT_UPLOADS="tests.direct.pages.allowed")
    setup()
    assert {**RULE, "Filter": {"Prefix": "media/incoming/"}} in lifecycle(s3, BUCKET)


def test_originals_that_would_end_stop_it(s3: Any, where: str) -> None:
    if where == ORIGINALS:
        place: Any = {"LocationConstraint": "eu-central-1"}
        s3.create_bucket(Bucket=ORIGINALS, CreateBucketConfiguration=place)
    s3.put_object(Bucket=where, Key="incoming/2019/bowl.jpg", Body=jpeg(8, 8))
    with pytest.raises(CommandError, match=r"incoming/2019/bowl\.jpg is where browsers would send files"):
        setup()
    s3.delete_object(Bucket=where, Key="incoming/2019/bowl.jpg")
    s3.put_object(Bucket=where, Key="incoming/0123456789abcdef", Body=b"sent")
    setup()
    assert RULE in lifecycle(s3, where)


def test_the_doctor_sees_that_it_was_switched_on_and_off(s3: Any, where: str, lazy: Lazy) -> None:
    def drift() -> list[str]:
        settings = conf.settings()
        found = storages["default"]
        prefix = incoming.prefix_in(where, settings, found)
        client = s3_client(found)  # type: ignore[arg-type]
        if where == BUCKET:
            steps = bucket_plans.plan(client, where, settings, incoming=prefix)
        else:
            origins = settings.cors_origins
            steps = bucket_plans.plan_originals(client, where, incoming=prefix, cors_origins=origins)
        return [step.name.partition(" (")[0] for step in steps if step.changes]

    setup()
    assert drift() == []
    lazy(DIRECT_UPLOADS=None)
    assert drift() == ["lifecycle", "cors"]


def test_the_template_says_the_same(s3: Any, where: str) -> None:
    out = StringIO()
    call_command("lazyimages_cloudformation", stdout=out)
    logical = "VariantsBucket" if where == BUCKET else "OriginalsBucket"
    own = json.loads(out.getvalue())["Resources"][logical]["Properties"]
    (rule,) = [rule for rule in own["LifecycleConfiguration"]["Rules"] if rule["Id"] == RULE["ID"]]
    assert (rule["Prefix"], rule["ExpirationInDays"]) == ("incoming/", 1)
    (posting,) = [rule for rule in own["CorsConfiguration"]["CorsRules"] if rule["Id"] == CORS["ID"]]
    assert posting["AllowedMethods"] == ["POST"]


@pytest.mark.django_db
def test_the_app_may_do_all_of_it_and_delete_no_original(browser: Browser, lazy: Lazy) -> None:
    lazy(CLEANUP=False)
    with recorded() as needs:
        offer = browser.send()
        assert browser.hand_in(offer["token"]).status_code == 302
        assert Client().get(Photo.objects.get().image.variant_url("360x270")).status_code == 200
    policy = printed("app")
    # boto3 takes the signing of a POST for the making of a bucket, and sends nothing.
    sent_to_s3 = [need for need in needs if need.action != "s3:CreateBucket"]
    assert [need for need in sent_to_s3 if not allows(policy, need)] == []
    # The signature of a POST has the rights of who signed it (S3: "POST Object", "Permissions").
    sent = f"arn:aws:s3:::{BUCKET}/{offer['fields']['key']}"
    for action in ("s3:PutObject", "s3:GetObject", "s3:DeleteObject"):
        assert allows(policy, Need(action, sent))
    original = f"arn:aws:s3:::{BUCKET}/{Photo.objects.get().image.name}"
    assert not allows(policy, Need("s3:DeleteObject", original))


def test_off_is_without_the_right_to_delete_there(s3: Any, lazy: Lazy) -> None:
    lazy(CLEANUP=False)
    assert "LazyImagesIncoming" not in json.dumps(printed("app"))


def test_the_rules_as_values() -> None:
    assert rules.incoming_prefix("") == "incoming/"
    assert rules.incoming_prefix("media/shop/") == "media/shop/incoming/"
    assert rules.upload_cors_rules([]) == []
    assert rules.lifecycle_rules(None, incoming="incoming/")[1:] == [RULE]
