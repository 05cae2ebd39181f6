"""`manage.py lazyimages_setup_bucket` against moto: what it changes, in which order, what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from moto.core import enable_iam_authentication
from moto.s3.models import s3_backends

from lazyimages import sizes
from lazyimages.aws import documents
from lazyimages.aws.statements import is_public
from lazyimages.management.commands.lazyimages_setup_bucket import Command
from tests.aws.conftest import Request, writes
from tests.conftest import BUCKET, RESIZER, SIZES

Setup = Callable[..., str]
Delivery = Callable[..., None]

ARN = "arn:aws:cloudfront::123456789012:distribution/E2QWRUHEXAMPLE"
FOREIGN = {
    "Sid": "Backup",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::{BUCKET}/*",
}
FOREIGN_RULE = {"Condition": {"KeyPrefixEquals": "old/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}}
INDEX = {"Suffix": "index.html"}


@pytest.fixture(autouse=True)
def _whitelist(settings: Any) -> None:
    settings.LAZYIMAGES = {"SIZES": SIZES}


def absent(call: Callable[..., Any], bucket: str = BUCKET) -> bool:
    """Tell whether the bucket lacks what a call reads."""
    try:
        call(Bucket=bucket)
    except ClientError as error:
        return error.response["Error"]["Code"].startswith("NoSuch")
    return False


def policy(client: Any, bucket: str = BUCKET) -> dict[str, Any]:
    return dict(json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"]))


def put_policy(client: Any, *statements: dict[str, Any]) -> None:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))


def statements(client: Any) -> list[str]:
    return [statement["Sid"] for statement in policy(client)["Statement"]]


def rules(client: Any, bucket: str = BUCKET) -> list[dict[str, Any]]:
    return list(client.get_bucket_website(Bucket=bucket)["RoutingRules"])


def flags(client: Any, bucket: str = BUCKET) -> dict[str, bool]:
    return dict(client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"])


def put(client: Any, *names: str) -> None:
    for name in names:
        client.put_object(Bucket=BUCKET, Key=name, Body=b"x")


def granted(*wanted: str) -> list[str]:
    return documents.variant_resources(BUCKET, [sizes.parse(size) for size in wanted])


class TestRedirect:
    @pytest.fixture(autouse=True)
    def _redirect(self, delivery: Delivery) -> None:
        delivery("redirect")

    def test_the_bucket_afterwards(self, s3: Any, setup: Setup) -> None:
        out = setup()
        assert out.endswith("All of it is as the settings want it.\n")
        assert flags(s3) == documents.public_access_block(public=True)
        assert policy(s3) == {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "LazyImagesPublicVariants",
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "s3:GetObject",
                    "Resource": granted(*SIZES),
                }
            ],
        }
        assert rules(s3) == documents.routing_rules(RESIZER)
        assert s3.get_bucket_website(Bucket=BUCKET)["IndexDocument"] == INDEX
        ownership = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]
        assert ownership == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        encryption = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]
        (rule,) = encryption["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}

    def test_public_policies_are_allowed_before_there_is_one(
        self, s3: Any, setup: Setup, requests: list[Request]
    ) -> None:
        setup()
        order = writes(requests)
        assert order.index("PutPublicAccessBlock") < order.index("PutBucketPolicy")
        assert order.index("PutBucketPolicy") < order.index("PutBucketWebsite")

    def test_no_request_has_an_acl_and_only_buckets_are_touched(
        self, s3: Any, setup: Setup, requests: list[Request]
    ) -> None:
        setup()
        for name, parameters in requests:
            assert "Acl" not in name
            assert not any("acl" in key.lower() or key.startswith("Grant") for key in parameters)
            assert set(parameters) <= {
                *(
                    "Bucket",
                    *("EncodingType", "Prefix"),
                    *("LifecycleConfiguration", "CORSConfiguration"),
                    "Policy",
                    "WebsiteConfiguration",
                    "PublicAccessBlockConfiguration",
                ),
                *("OwnershipControls", "ServerSideEncryptionConfiguration"),
            }

    @pytest.mark.parametrize("region", ["us-east-1", "eu-west-3"])
    def test_a_missing_bucket_is_made_where_the_storage_says(
        self, s3: Any, settings: Any, setup: Setup, requests: list[Request], region: str
    ) -> None:
        options = {**settings.STORAGES["lazyimages"]["OPTIONS"], "bucket_name": "new", "region_name": region}
        storage = {**settings.STORAGES["lazyimages"], "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "lazyimages": storage}
        setup()
        (create,) = [parameters for name, parameters in requests if name == "CreateBucket"]
        expected = {"LocationConstraint": region} if region != "us-east-1" else None
        assert create.get("CreateBucketConfiguration") == expected
        of_new = [request for request in requests if request[1]["Bucket"] == "new"]
        assert writes(of_new)[0] == "CreateBucket"
        assert flags(s3, "new") == documents.public_access_block(public=True)
        assert len(rules(s3, "new")) == 2
        assert "Nothing to change." in setup()

    def test_a_second_run_writes_nothing_and_says_so(
        self, s3: Any, setup: Setup, requests: list[Request]
    ) -> None:
        setup()
        requests.clear()
        out = setup()
        assert writes(requests) == []
        assert out.endswith("Nothing to change.\n")
        assert "changed" not in out

    def test_statements_and_rules_of_others_are_kept(
        self, s3: Any, setup: Setup, requests: list[Request]
    ) -> None:
        put_policy(s3, FOREIGN)
        website = {"IndexDocument": INDEX, "RoutingRules": [FOREIGN_RULE]}
        s3.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=website)
        setup()
        added = {
            "IndexDocument": {"Suffix": "start.html"},
            "ErrorDocument": {"Key": "oops.html"},
            "RoutingRules": rules(s3),
        }
        s3.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=added)
        setup()
        assert policy(s3)["Statement"][0] == FOREIGN
        assert statements(s3) == ["Backup", "LazyImagesPublicVariants"]
        assert rules(s3) == [FOREIGN_RULE, *documents.routing_rules(RESIZER)]
        answer = s3.get_bucket_website(Bucket=BUCKET)
        assert answer["IndexDocument"] == {"Suffix": "start.html"}
        assert answer["ErrorDocument"] == {"Key": "oops.html"}
        requests.clear()
        setup()
        assert writes(requests) == []

    def test_dry_run_shows_everything_and_writes_nothing(
        self, s3: Any, setup: Setup, requests: list[Request]
    ) -> None:
        put_policy(s3, FOREIGN)
        requests.clear()
        out = setup("--dry-run")
        assert writes(requests) == []
        assert statements(s3) == ["Backup"]
        assert "would change policy" in out
        assert "    --- before" in out
        assert "    +++ after" in out
        assert '           "Sid": "Backup"' in out  # kept, and shown around the change
        assert '    +      "Sid": "LazyImagesPublicVariants"' in out
        assert '    +        "HostName": "shop.example",' in out
        assert out.endswith("Nothing was written. Run it without --dry-run to do this.\n")

    def test_dry_run_of_a_missing_bucket(
        self, s3: Any, settings: Any, setup: Setup, requests: list[Request]
    ) -> None:
        s3.delete_bucket(Bucket=BUCKET)
        requests.clear()
        assert "would change bucket" in setup("--dry-run")
        assert writes(requests) == []

    def test_dry_run_when_all_is_well(self, s3: Any, setup: Setup) -> None:
        setup()
        out = setup("--dry-run")
        assert out.endswith("Nothing to change.\n")
        assert "  policy: as it should be\n" in out

    def test_json(self, s3: Any, setup: Setup) -> None:
        planned = json.loads(setup("--dry-run", "--format", "json"))
        assert [step["name"] for step in planned] == [
            *("bucket", "object ownership", "encryption", "lifecycle", "cors"),
            *("public access block", "policy", "website"),
        ]
        assert all(set(step) == {"name", "changed", "before", "after"} for step in planned)
        assert planned == json.loads(setup("--format", "json"))
        assert not any(step["changed"] for step in json.loads(setup("--format", "json")))
        assert policy(s3) == next(step["after"] for step in planned if step["name"] == "policy")

    def test_sizes_that_come_and_go(self, s3: Any, setup: Setup, lazy: Callable[..., None]) -> None:
        setup()
        lazy(SIZES=[*SIZES, "96x96"], PRESETS={"hero": {"sizes": "1920w"}})
        setup()
        assert policy(s3)["Statement"][0]["Resource"] == granted(*SIZES, "96x96", "1920w")
        lazy(SIZES=["480h"], PRESETS={})
        assert "changed policy" in setup()
        assert policy(s3)["Statement"][0]["Resource"] == granted("480h")
        assert "Nothing to change." in setup()

    def test_another_resizer(self, s3: Any, setup: Setup, lazy: Callable[..., None]) -> None:
        setup()
        lazy(RESIZER_URL="http://127.0.0.1:8000/photos/resizer")
        setup()
        assert rules(s3) == documents.routing_rules("http://127.0.0.1:8000/photos/resizer")

    def test_encryption_that_a_website_cannot_serve_makes_way(self, s3: Any, setup: Setup) -> None:
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
        s3.put_bucket_encryption(Bucket=BUCKET, ServerSideEncryptionConfiguration={"Rules": [rule]})
        assert "changed encryption" in setup()
        (rule,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
        assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"

    @pytest.mark.parametrize(
        "website",
        [
            {"RedirectAllRequestsTo": {"HostName": "www.example", "Protocol": "https"}},
            {"IndexDocument": {"Suffix": "start.html"}, "ErrorDocument": {"Key": "oops.html"}},
        ],
    )
    def test_a_website_for_something_else_gives_way_only_when_told_so(
        self, s3: Any, setup: Setup, requests: list[Request], website: dict[str, Any]
    ) -> None:
        s3.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=website)
        requests.clear()
        with pytest.raises(
            CommandError, match=r"Nothing was changed: .* website for something else"
        ) as caught:
            setup()
        assert json.dumps(website, indent=2) in str(caught.value)
        assert writes(requests) == []
        out = setup("--replace-website", "--dry-run")
        assert "would change website" in out
        assert writes(requests) == []
        setup("--replace-website")
        answer = s3.get_bucket_website(Bucket=BUCKET)
        assert "ErrorDocument" not in answer
        assert answer["IndexDocument"] == INDEX
        assert rules(s3) == documents.routing_rules(RESIZER)
        assert "Nothing to change." in setup("--replace-website")
        assert "Nothing to change." in setup()


class TestFailover:
    @pytest.fixture(autouse=True)
    def _failover(self, delivery: Delivery) -> None:
        delivery("failover")

    def test_a_private_bucket(self, s3: Any, setup: Setup) -> None:
        setup()
        assert flags(s3) == documents.public_access_block(public=False)
        assert absent(s3.get_bucket_policy)
        assert absent(s3.get_bucket_website)
        assert "Nothing to change." in setup()

    def test_one_distribution_may_read_variants_and_nothing_else(
        self, s3: Any, setup: Setup, lazy: Callable[..., None]
    ) -> None:
        lazy(DISTRIBUTION_ID="E2QWRUHEXAMPLE")
        setup()
        (statement,) = policy(s3)["Statement"]
        assert statement == {
            "Sid": "LazyImagesDistributionVariants",
            "Effect": "Allow",
            "Principal": {"Service": "cloudfront.amazonaws.com"},
            "Action": "s3:GetObject",
            "Resource": granted(*SIZES),
            "Condition": {"StringEquals": {"AWS:SourceArn": ARN}},
        }
        assert flags(s3)["RestrictPublicBuckets"] is True
        assert "Nothing to change." in setup()

    def test_the_policy_is_private_before_public_ones_are_blocked(
        self, s3: Any, setup: Setup, delivery: Delivery, requests: list[Request]
    ) -> None:
        delivery("redirect")
        setup()
        requests.clear()
        delivery("failover", DISTRIBUTION_ID="E2QWRUHEXAMPLE")
        setup()
        assert writes(requests) == ["PutBucketPolicy", "DeleteBucketWebsite", "PutPublicAccessBlock"]
        assert not any("acl" in key.lower() for _, parameters in requests for key in parameters)

    def test_a_foreign_public_statement_is_refused(
        self, s3: Any, setup: Setup, requests: list[Request]
    ) -> None:
        put_policy(s3, {**FOREIGN, "Principal": "*"})
        requests.clear()
        with pytest.raises(CommandError) as caught:
            setup()
        assert str(caught.value).startswith("Nothing was changed: somebody else's statement (Backup)")
        assert "remove the statement, or use another bucket" in str(caught.value)
        assert writes(requests) == []

    def test_a_foreign_website_is_left_alone(self, s3: Any, setup: Setup, requests: list[Request]) -> None:
        s3.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration={"IndexDocument": INDEX})
        requests.clear()
        setup()
        assert {"PutBucketWebsite", "DeleteBucketWebsite"}.isdisjoint(writes(requests))
        assert s3.get_bucket_website(Bucket=BUCKET)["IndexDocument"] == INDEX


class TestFromOneDeliveryToTheOther:
    def test_and_back(self, s3: Any, setup: Setup, delivery: Delivery) -> None:
        delivery("redirect")
        setup()
        delivery("failover", DISTRIBUTION_ID="E2QWRUHEXAMPLE")
        setup()
        assert statements(s3) == ["LazyImagesDistributionVariants"]
        assert not any(is_public(statement) for statement in policy(s3)["Statement"])
        assert absent(s3.get_bucket_website)
        assert flags(s3) == documents.public_access_block(public=False)
        assert "Nothing to change." in setup()
        delivery("redirect")
        setup()
        assert statements(s3) == ["LazyImagesPublicVariants"]
        assert rules(s3) == documents.routing_rules(RESIZER)
        assert flags(s3) == documents.public_access_block(public=True)
        assert "Nothing to change." in setup()

    def test_others_have_theirs_all_the_way(self, s3: Any, setup: Setup, delivery: Delivery) -> None:
        put_policy(s3, FOREIGN)
        website = {"IndexDocument": INDEX, "RoutingRules": [FOREIGN_RULE]}
        s3.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=website)
        for name in ("redirect", "failover", "redirect", "failover"):
            delivery(name)
            setup()
            assert "Nothing to change." in setup()
        assert statements(s3) == ["Backup"]
        assert rules(s3) == [FOREIGN_RULE]


class TestOriginalsThatWouldBecomePublic:
    @pytest.fixture(autouse=True)
    def _redirect(self, delivery: Delivery) -> None:
        delivery("redirect")

    @pytest.mark.parametrize(
        "name",
        [
            "360x270/private.jpg",
            "a/b/480h/private.jpg",
            "480h/deeper/private.jpg",
            "photos/1280w/notes.txt",
            "photos/480h/360x270/private.jpg",
            "photos/480h/left-over.jpg",
        ],
    )
    def test_are_named_and_nothing_is_changed(
        self, s3: Any, setup: Setup, requests: list[Request], name: str
    ) -> None:
        put(s3, "photos/a.jpg", "photos/480h/a.jpg", name)
        requests.clear()
        with pytest.raises(CommandError) as caught:
            setup()
        assert str(caught.value) == (
            "Nothing was changed: objects that are no variants sit in directories that look like sizes, "
            f"and would become public (1):\n  {name}\nMove them, or delete those that are left over."
        )
        assert writes(requests) == []
        assert absent(s3.get_bucket_policy)

    def test_a_few_are_shown_of_many_behind_a_thousand_others(self, s3: Any, setup: Setup) -> None:
        backend = s3_backends["123456789012"]["aws"]
        for number in range(1010):
            backend.put_object(BUCKET, f"a/{number:04}.jpg", b"x")
        for number in range(12):
            backend.put_object(BUCKET, f"z/480h/{number:02}.jpg", b"x")
        with pytest.raises(CommandError) as caught:
            setup()
        assert "would become public (12):\n" in str(caught.value)
        assert "  z/480h/00.jpg\n" in str(caught.value)
        assert "  z/480h/10.jpg" not in str(caught.value)
        assert "  and 2 more\n" in str(caught.value)

    def test_variants_beside_their_originals_are_fine(self, s3: Any, setup: Setup) -> None:
        put(
            s3,
            *("produs 1/é.jpg", "root.tiff", "b/deep/er/c.png"),
            *("produs 1/360x270/é.jpg", "480h/root.tiff.jpg", "b/deep/er/1280w/c.png.webp"),
            *("photos/99x99/not-a-whitelisted-size.jpg", "480h.jpg"),
        )
        setup()
        assert statements(s3) == ["LazyImagesPublicVariants"]

    def test_left_over_variants_of_a_size_that_is_public_already_are_no_reason_to_stop(
        self, s3: Any, setup: Setup, lazy: Callable[..., None]
    ) -> None:
        setup()
        put(s3, "photos/480h/of-a-deleted-original.jpg")
        assert "Nothing to change." in setup()
        lazy(SIZES=[*SIZES, "96x96"])
        setup()
        assert "96x96" in json.dumps(policy(s3))

    def test_a_new_size_is_looked_at(self, s3: Any, setup: Setup, lazy: Callable[..., None]) -> None:
        setup()
        put(s3, "photos/96x96/private.jpg")
        lazy(SIZES=[*SIZES, "96x96"])
        with pytest.raises(CommandError, match=r"photos/96x96/private\.jpg"):
            setup()
        assert "96x96" not in json.dumps(policy(s3))

    @pytest.mark.parametrize("where", ["a directory", "another bucket", "the same bucket, by location"])
    def test_originals_in_another_place(
        self, s3: Any, settings: Any, setup: Setup, tmp_path: Path, where: str
    ) -> None:
        s3_storage = settings.STORAGES["lazyimages"]
        if where == "another bucket":
            s3.create_bucket(
                Bucket="originals", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
            )
            originals = {**s3_storage, "OPTIONS": {**s3_storage["OPTIONS"], "bucket_name": "originals"}}
        elif where == "a directory":
            originals = {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                "OPTIONS": {"location": tmp_path / "originals"},
            }
        else:
            originals = {**s3_storage, "OPTIONS": {**s3_storage["OPTIONS"], "location": "originals"}}
        settings.STORAGES = {**settings.STORAGES, "default": originals}
        storages["default"].save("photos/a.jpg", ContentFile(b"x"))
        put(s3, "photos/480h/a.jpg")
        setup("--dry-run")
        put(s3, "photos/480h/b.jpg")
        with pytest.raises(CommandError, match=r"become public \(1\):\n  photos/480h/b\.jpg"):
            setup("--dry-run")


@pytest.fixture
def caller_without(
    s3: Any, delivery: Delivery, no_pauses: None, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Be somebody who may do everything on AWS but one action."""

    def become(action: str) -> None:
        iam = boto3.client("iam")
        iam.create_user(UserName="deployer")
        document = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": action, "Resource": "*"},
            ],
        }
        iam.put_user_policy(UserName="deployer", PolicyName="p", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName="deployer")["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        monkeypatch.delenv("AWS_SESSION_TOKEN")
        delivery("redirect")

    return become


class TestErrors:
    def test_local_delivery_needs_no_bucket(self, setup: Setup) -> None:
        with pytest.raises(CommandError, match=r"Set LAZYIMAGES\['DELIVERY'\] to 'redirect' or 'failover'"):
            setup()

    def test_another_storage(self, setup: Setup, delivery: Delivery) -> None:
        delivery("redirect")
        with pytest.raises(CommandError, match=r"lazyimages\.E017.*\n.*storages\.backends\.s3\.S3Storage"):
            setup()

    def test_an_endpoint_that_is_not_there(
        self, s3: Any, settings: Any, setup: Setup, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("time.sleep", lambda seconds: None)  # botocore tries five times
        delivery("redirect")
        options = {**settings.STORAGES["lazyimages"]["OPTIONS"], "endpoint_url": "http://127.0.0.1:9"}
        storage = {**settings.STORAGES["lazyimages"], "OPTIONS": options}
        settings.STORAGES = {**settings.STORAGES, "lazyimages": storage}
        with pytest.raises(CommandError) as caught:
            setup()
        assert str(caught.value).startswith(
            f"Nothing was changed: AWS did not answer about the bucket '{BUCKET}': Could not connect"
        )
        assert "Check the network, and region_name and endpoint_url in STORAGES." in str(caught.value)

    def test_without_credentials(
        self, s3: Any, setup: Setup, delivery: Delivery, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        delivery("redirect")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
        with pytest.raises(CommandError, match=r"no AWS credentials.*Set AWS_ACCESS_KEY_ID"):
            setup()

    @pytest.mark.parametrize(
        ("action", "operation"),
        [
            ("s3:ListBucket", "ListObjectsV2"),
            ("s3:GetBucketPolicy", "GetBucketPolicy"),
            ("s3:PutBucketPolicy", "PutBucketPolicy"),
        ],
    )
    def test_what_the_caller_may_not_do(
        self, caller_without: Callable[[str], None], setup: Setup, action: str, operation: str
    ) -> None:
        caller_without(action)
        with enable_iam_authentication(), pytest.raises(CommandError) as caught:
            setup()
        assert f"AWS refused {operation} on the bucket '{BUCKET}'. Give the caller {action}." in str(
            caught.value
        )

    def test_other_refusals_name_no_permission(
        self, s3: Any, delivery: Delivery, refused: Callable[..., None], setup: Setup
    ) -> None:
        delivery("redirect")
        refused("PutBucketPolicy", "MalformedPolicy", status=400)
        with pytest.raises(CommandError, match=r"did not take PutBucketPolicy .*MalformedPolicy") as caught:
            setup()
        assert "Give the caller" not in str(caught.value)

    def test_exit_code_and_message_on_the_command_line(
        self, s3: Any, delivery: Delivery, capsys: pytest.CaptureFixture[str]
    ) -> None:
        delivery("failover")
        put_policy(s3, {**FOREIGN, "Principal": "*"})
        with pytest.raises(SystemExit) as caught:
            Command().run_from_argv(["manage.py", "lazyimages_setup_bucket", "--no-color"])
        assert caught.value.code == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "CommandError: Nothing was changed: somebody else's statement" in captured.err

    def test_a_mistake_in_the_settings_stops_it_on_the_command_line(
        self, s3: Any, delivery: Delivery, capsys: pytest.CaptureFixture[str], s3_calls: list[str]
    ) -> None:
        delivery("redirect", QUALITY=80)
        with pytest.raises(SystemExit) as caught:
            Command().run_from_argv(["manage.py", "lazyimages_setup_bucket", "--no-color"])
        assert caught.value.code == 1
        assert "lazyimages.E004" in capsys.readouterr().err
        assert s3_calls == []

    def test_success_on_the_command_line(
        self, s3: Any, delivery: Delivery, capsys: pytest.CaptureFixture[str]
    ) -> None:
        delivery("redirect")
        Command().run_from_argv(["manage.py", "lazyimages_setup_bucket", "--no-color"])
        assert "All of it is as the settings want it." in capsys.readouterr().out

    def test_help(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as caught:
            call_command("lazyimages_setup_bucket", "--help")
        assert caught.value.code == 0
        shown = capsys.readouterr().out
        assert 'Make the S3 bucket of LAZYIMAGES["VARIANTS"] fit for LAZYIMAGES["DELIVERY"].\n' in shown
        assert "failover: the bucket is private; the distribution alone" in shown
        assert "--dry-run" in shown
        assert "--format {text,json}" in shown
