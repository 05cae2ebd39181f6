"""The command against ministack, which refuses what AWS does: by IAM, by region and by public access."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from django.core.management import CommandError

from lazyimages import storage
from tests.aws.conftest import bucket_state
from tests.conftest import SIZES

Setup = Callable[..., str]
Delivery = Callable[..., None]

REGION = "eu-central-1"
_numbers = itertools.count()


class Account:
    """An account of ministack: its root's clients, and a bucket's name in it that nobody has yet."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key
        self.bucket = f"shop-photos-{next(_numbers)}"

    def client(self, service: str, **options: Any) -> Any:
        keys = {"aws_access_key_id": self.key, "aws_secret_access_key": "test"}
        return boto3.session.Session().client(
            service, **{"endpoint_url": self.url, "region_name": REGION, **keys, **options}
        )

    def storage(self, **options: Any) -> dict[str, Any]:
        own = {
            "bucket_name": self.bucket,
            "endpoint_url": self.url,
            "region_name": REGION,
            "access_key": self.key,
            "secret_key": "test",
            "querystring_auth": False,
        }
        return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": {**own, **options}}


@pytest.fixture
def use(settings: Any, delivery: Delivery, no_pauses: None) -> Callable[..., Account]:
    """Keep originals and variants in an account: `use(url, key="test", region_name="us-east-1")`."""

    def at(url: str, key: str = "test", name: str = "redirect", **options: Any) -> Account:
        account = Account(url, key)
        entry = account.storage(**options)
        settings.STORAGES = {**settings.STORAGES, "default": entry, "lazyimages": entry}
        delivery(name)
        return account

    return at


def said(setup: Setup, *arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        setup(*arguments)
    return str(caught.value)


class TestPublicAccess:
    """A new bucket blocks public policies and knows no ACLs, as on AWS since April 2023.

    ministack blocks policies so while it enforces IAM alone, and knows no block for a whole account.
    """

    def test_a_policy_that_a_new_bucket_refuses_is_taken_after_the_command_has_opened_it(
        self, ministack_with_iam: str, use: Callable[..., Account], setup: Setup
    ) -> None:
        account = use(ministack_with_iam)
        setup()
        s3 = account.client("s3")
        policy = s3.get_bucket_policy(Bucket=account.bucket)["Policy"]
        assert "LazyImagesPublicVariants" in policy
        s3.create_bucket(
            Bucket=f"{account.bucket}-new", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.put_bucket_policy(Bucket=f"{account.bucket}-new", Policy=policy)
        assert "Nothing to change." in setup()

    @pytest.mark.parametrize("name", ["redirect", "failover"])
    def test_acls_are_refused_and_the_product_sends_none(
        self,
        ministack: str,
        use: Callable[..., Account],
        setup: Setup,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
    ) -> None:
        monkeypatch.setattr("lazyimages.aws.cdn.find", lambda *args: None)
        account = use(ministack, name=name, default_acl="public-read")
        setup()
        with pytest.raises(ClientError, match="AccessControlListNotSupported"):
            account.client("s3").put_object(Bucket=account.bucket, Key="a", Body=b"x", ACL="public-read")
        storage.put_variant("photos/480h/a.jpg", b"x", "image/jpeg")
        storage.put_original("photos/a.jpg", b"x", "image/jpeg")

    def test_there_and_back(
        self, ministack: str, use: Callable[..., Account], setup: Setup, delivery: Delivery
    ) -> None:
        account = use(ministack)
        s3 = account.client("s3")
        setup()
        redirect = bucket_state(s3, account.bucket)
        delivery("failover", DISTRIBUTION_ID="E2QWRUHEXAMPLE", EXPIRE_VARIANTS_DAYS=90)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL_STS", ministack)
            patch.setenv("AWS_ENDPOINT_URL_CLOUDFRONT", ministack)
            setup()
            assert "Nothing to change." in setup()
        failover = bucket_state(s3, account.bucket)
        assert "distribution/E2QWRUHEXAMPLE" in failover["get_bucket_policy"]["Policy"]
        assert failover["get_bucket_website"] == {}
        delivery("redirect", EXPIRE_VARIANTS_DAYS=None)
        setup()
        assert bucket_state(s3, account.bucket) == redirect


class TestPlaces:
    def test_a_bucket_in_another_region(
        self, ministack: str, use: Callable[..., Account], setup: Setup
    ) -> None:
        account = use(ministack, region_name="us-east-1")
        account.client("s3").create_bucket(
            Bucket=account.bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        assert said(setup) == (
            f"Nothing was changed: the bucket '{account.bucket}' is in the region eu-central-1, and "
            "region_name in STORAGES says us-east-1. Set it to 'eu-central-1', or choose another bucket_name."
        )

    def test_a_bucket_of_another_account(
        self, ministack: str, use: Callable[..., Account], setup: Setup
    ) -> None:
        account = use(ministack)
        Account(ministack, "444455556666").client("s3").create_bucket(
            Bucket=account.bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        message = said(setup)
        assert message.startswith("Nothing was changed: ")
        assert "it belongs to another account, or the caller lacks s3:ListBucket" in message


@pytest.fixture
def caller(
    ministack_with_iam: str, use: Callable[..., Account], settings: Any
) -> Callable[[dict[str, Any]], Account]:
    """Be a user with one policy, of whom ministack asks it, in a bucket that is there."""

    def become(*statements: dict[str, Any]) -> Account:
        account = use(ministack_with_iam)
        iam, name = account.client("iam"), f"deployer-{next(_numbers)}"
        iam.create_user(UserName=name)
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        account.client("s3").create_bucket(
            Bucket=account.bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        entry = account.storage(access_key=key["AccessKeyId"], secret_key=key["SecretAccessKey"])
        settings.STORAGES = {**settings.STORAGES, "default": entry, "lazyimages": entry}
        return account

    return become


EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


class TestPermissions:
    @pytest.mark.parametrize(
        "action",
        [
            "s3:ListBucket",
            "s3:GetBucketCORS",
            "s3:GetLifecycleConfiguration",
            "s3:PutBucketCORS",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketWebsite",
            "s3:PutLifecycleConfiguration",
        ],
    )
    def test_the_missing_action_is_named(
        self, caller: Callable[..., Account], setup: Setup, action: str
    ) -> None:
        caller(EVERYTHING, {"Effect": "Deny", "Action": action, "Resource": "*"})
        assert f"the caller {action}" in said(setup).replace("lacks ", "")

    def test_the_actions_that_are_documented_suffice(
        self, caller: Callable[..., Account], setup: Setup, delivery: Delivery
    ) -> None:
        from tests.aws.test_bucket_errors import DELETING, READING, WRITING

        actions = sorted({*READING.values(), *WRITING.values(), *DELETING.values()})
        caller({"Effect": "Allow", "Action": actions, "Resource": "*"})
        setup()
        delivery("redirect", CORS_ORIGINS=[], SIZES=SIZES[:1])
        setup()
        assert "Nothing to change." in setup()

    def test_a_wrong_secret(self, caller: Callable[..., Account], settings: Any, setup: Setup) -> None:
        caller(EVERYTHING)
        entry = settings.STORAGES["lazyimages"]
        wrong = {**entry, "OPTIONS": {**entry["OPTIONS"], "secret_key": "wrong"}}
        settings.STORAGES = {**settings.STORAGES, "default": wrong, "lazyimages": wrong}
        assert "AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID." in said(setup)

    def test_a_key_that_is_unknown(self, caller: Callable[..., Account], settings: Any, setup: Setup) -> None:
        caller(EVERYTHING)
        entry = settings.STORAGES["lazyimages"]
        wrong = {**entry, "OPTIONS": {**entry["OPTIONS"], "access_key": "AKIAIOSFODNN7EXAMPLE"}}
        settings.STORAGES = {**settings.STORAGES, "default": wrong, "lazyimages": wrong}
        assert "AWS does not know this access key." in said(setup)
