"""docs/aws.md can be followed by copying: commands exist, settings are right, and teardown tears down."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import get_commands, load_command_class
from django.test import Client

from lazyimages import conf
from lazyimages.aws import distribution, documents
from tests.aws import aws_cli
from tests.conftest import SIZES, jpeg
from tests.test_docs import DOCS, assigned, section

TEXT = (DOCS / "aws.md").read_text()
OURS = sorted(name for name, app in get_commands().items() if app == "lazyimages")
ABOUT_AWS = re.compile(r"lazyimages_(setup\w*|iam_policy|cloudformation|doctor)$")

BUCKET = "teardown-photos"
NAME = f"lazyimages-{BUCKET}"
ORIGINALS = ["produs_1/bowl.AZ70KuRzw9.jpg", "bowl.jpg", "360x270.jpg", "a1280w/480h.jpg", "x/360x270y/b.jpg"]
VARIANTS = ["produs_1/360x270/bowl.AZ70KuRzw9.jpg", "480h/bowl.jpg", "a/b/1280w/bowl.jpg.webp"]


def blocks(language: str, text: str = TEXT) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def typed(text: str = TEXT) -> list[str]:
    """Return the lines that are typed at a prompt."""
    return re.findall(r"^\$ (.+)$", "\n".join(blocks("console", text)), re.MULTILINE)


def ours() -> list[list[str]]:
    """Return the words after manage.py of every command in the document, also of those within a sentence."""
    within = re.findall(r"`python manage\.py ([^`]+)`", TEXT)
    lines = [line.split("manage.py ")[1] for line in typed() if "manage.py " in line]
    found = (shlex.split(line.partition(">")[0], comments=True) for line in (*lines, *within))
    return [list(words) for words in dict.fromkeys(map(tuple, found))]


class TestCommands:
    @pytest.mark.parametrize("words", ours(), ids=" ".join)
    def test_it_exists_and_has_these_options(self, words: list[str]) -> None:
        name, *arguments = words
        assert name in OURS
        parser = load_command_class("lazyimages", name).create_parser("manage.py", name)
        parser.parse_args(arguments)  # CommandError for what it does not know

    @pytest.mark.parametrize("name", [name for name in OURS if ABOUT_AWS.match(name)])
    def test_every_one_is_explained(self, name: str) -> None:
        assert f"| [`{name}`](commands.md#{name}) |" in section(TEXT, "What each command does")

    def test_options_that_are_named_in_sentences(self) -> None:
        parser = load_command_class("lazyimages", "lazyimages_setup").create_parser("manage.py", "setup")
        known = {option for action in parser._actions for option in action.option_strings}
        named = {"--dry-run", "--check", "--format", "--no-wait", "--certificate", "--replace-website"}
        assert all(f"`{option}" in TEXT or f"{option} " in TEXT for option in named)
        assert named <= known


class TestSettings:
    @pytest.mark.parametrize("block", blocks("python"))
    def test_they_are_right(self, block: str) -> None:
        assert conf.read(assigned(block)["LAZYIMAGES"])[1] == []

    def test_those_to_copy_pass_the_checks(self, settings: Any) -> None:
        """Without an address of the CDN before the first setup, which tells it."""
        from tests.test_checks import ids

        (example,) = re.findall(
            r"```python\n(from boto3.+?)```", (DOCS / "settings.md").read_text(), re.DOTALL
        )
        settings.STORAGES = assigned(example)["STORAGES"]
        found = []
        for block in blocks("python")[:3]:
            settings.LAZYIMAGES = assigned(block)["LAZYIMAGES"]
            found.append(ids())
        assert found == [["E007"], [], ["E007"]]


class TestWhatIsSaidOfCloudFront:
    SAID = section(TEXT, "Why CloudFront is set so")

    def test_times_to_live(self) -> None:
        policy = distribution.cache_policy("photos")
        assert [policy[name] for name in ("MinTTL", "DefaultTTL", "MaxTTL")] == [0, 0, 365 * 86400]
        for row in ("| minimum TTL 0 |", "| default TTL 0 |", "| maximum TTL a year |"):
            assert row in self.SAID

    def test_failover_codes(self) -> None:
        rows = re.findall(
            r"^\| (?:failover: an origin group on|and on) ([0-9, and]+) \|", self.SAID, re.MULTILINE
        )
        said = [int(code) for row in rows for code in re.findall("[0-9]+", row)]
        assert tuple(said) == distribution.FAILOVER_CODES

    def test_errors(self) -> None:
        said = dict.fromkeys((403, 404), 0) | dict.fromkeys(range(500, 505), 1)
        assert said == distribution.ERROR_SECONDS
        assert "| error caching: 0 for 403 and 404 |" in self.SAID
        assert "| error caching: 1 second for 500 to 504 |" in self.SAID

    def test_the_response_timeout(self) -> None:
        assert "| response timeout: `RENDER_WAIT` and 20 seconds, from 30 to 60 |" in self.SAID
        assert [distribution.read_timeout(wait) for wait in (1, 10, 25, 300)] == [30, 30, 45, 60]

    def test_the_secret(self) -> None:
        assert f"| the header `{conf.SECRET_HEADER}` |" in self.SAID


class TestAnotherDelivery:
    """Which order leaves no gap follows from who answers whom while app and CDN are of different minds."""

    KEY = "produs_1/{}/bowl.AZ70KuRzw9.jpg"

    @pytest.fixture(autouse=True)
    def _original(self) -> None:
        storages["default"].save("produs_1/bowl.AZ70KuRzw9.jpg", ContentFile(jpeg()))

    def test_an_app_in_redirect_serves_both(self, delivery: Callable[..., None]) -> None:
        delivery("redirect", ORIGIN_SECRET="open sesame")
        by_rule = Client().get(f"/images/resizer?key={self.KEY.format('480h')}")
        by_group = Client().get(f"/images/v/{self.KEY.format('360x270')}")
        assert (by_rule.status_code, by_group.status_code) == (301, 200)
        assert by_group["Content-Type"] == "image/jpeg"

    def test_an_app_in_failover_turns_browsers_away(self, delivery: Callable[..., None]) -> None:
        delivery("failover", ORIGIN_SECRET="open sesame")
        assert Client().get(f"/images/resizer?key={self.KEY.format('480h')}").status_code == 404

    def test_the_document_says_so(self) -> None:
        text = section(TEXT, "Changing it later")
        assert "to `failover`, **AWS first, the app last**" in text
        assert "to `redirect`, **the app first, AWS last**" in text


class TestTeardown:
    SECTION = TEXT.partition("\n## Taking it down\n")[2]

    def test_the_order(self) -> None:
        steps = (
            '"local"',
            "update-distribution",
            "wait distribution-deployed",
            "delete-distribution",
            "delete-cache-policy",
            "delete-origin-access-control",
            "put-public-access-block",
            "delete-bucket-policy",
            "aws s3 rm",
            "delete-role-policy",
        )
        places = [self.SECTION.index(step) for step in steps]
        assert places == sorted(places)

    def test_every_command_is_explained(self) -> None:
        for block in blocks("sh", self.SECTION):
            lines = block.replace("\\\n", "").splitlines()
            for before, line in zip(["", *lines], lines, strict=False):
                indented_or_shared = line.startswith((" ", "done")) or "get-bucket-cors" in before
                assert line.startswith("#") or before.startswith("#") or indented_or_shared, line

    # `aws cloudformation deploy` is the command line's own, and no operation of the API.
    @pytest.mark.parametrize(
        "line", [line for line in typed() if line.startswith("aws ") and " deploy " not in line]
    )
    def test_other_commands_are_known_to_aws(self, line: str, tmp_path: Path) -> None:
        _, service, command, *options = shlex.split(line)
        client = boto3.client(service, region_name="us-east-1")
        operation = "".join(word.title() for word in command.split("-"))
        (tmp_path / "app.json").write_text("{}")
        parameters, _ = aws_cli.read(client, operation, options, tmp_path)
        shape = client.meta.service_model.operation_model(operation).input_shape
        assert set(shape.required_members) <= set(parameters)

    def test_it_takes_everything_of_ours_and_no_original(
        self, ministack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On ministack, by the shell, with a stand-in for the AWS command line.

        ministack's distributions are deployed at once, so that waiting takes no time.
        """
        environment = {
            "AWS_ENDPOINT_URL": ministack,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        clients = {name: boto3.client(name) for name in ("s3", "cloudfront", "iam")}
        s3, cloudfront, iam = clients.values()
        distribution_id = set_up(s3, cloudfront, iam)
        assert json.dumps(everything(cloudfront), default=str).count(f'"{NAME}"') == 3
        printed = self.run(tmp_path, distribution_id)
        assert sorted(
            re.findall(r"^\(dryrun\) delete: s3://teardown-photos/(.+)$", printed, re.MULTILINE)
        ) == sorted(VARIANTS)
        left = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
        assert sorted(left) == sorted(ORIGINALS)
        assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
        for read in (s3.get_bucket_policy, s3.get_bucket_website, s3.get_bucket_cors):
            with pytest.raises(s3.exceptions.ClientError, match="NoSuch"):
                read(Bucket=BUCKET)
        remaining = json.dumps(everything(cloudfront), default=str)
        assert NAME not in remaining
        assert distribution_id not in remaining
        assert iam.list_role_policies(RoleName="shop-setup")["PolicyNames"] == []

    def run(self, folder: Path, distribution_id: str) -> str:
        """Run the section as it stands, but for names, and delete the variants without --dryrun, too."""
        script = "\n".join(blocks("sh", self.SECTION))
        for old, new in (("shop-photos", BUCKET), ("E2QWRUHEXAMPLE", distribution_id)):
            assert old in script
            script = script.replace(old, new)
        rm = blocks("sh", self.SECTION)[-2]
        script += rm.replace(" --dryrun\n", "\n")
        with aws_cli.install(folder):
            done = subprocess.run(
                ["sh", "-eu"],
                input=script,
                cwd=folder,
                env={**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def set_up(s3: Any, cloudfront: Any, iam: Any) -> str:
    """Make what the section is about, by the product's own documents, and return the distribution's id."""
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for key in (*ORIGINALS, *VARIANTS):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    settings = conf.read(
        {"SIZES": SIZES, "DELIVERY": "failover", "RESIZER_URL": "https://shop.example/images/resizer"}
    )[0]
    cors = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://shop.example"]}
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [cors]})
    rule = {"ID": "lazyimages-x", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 9}}
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    website = documents.merge_website(None, documents.routing_rules(settings.resizer_url))
    s3.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=website)
    ids = distribution.Ids(
        cache=cloudfront.create_cache_policy(CachePolicyConfig=distribution.cache_policy(BUCKET))[
            "CachePolicy"
        ]["Id"],
        headers=cloudfront.create_response_headers_policy(
            ResponseHeadersPolicyConfig=distribution.headers_policy(BUCKET, ())
        )["ResponseHeadersPolicy"]["Id"],
        access=cloudfront.create_origin_access_control(
            OriginAccessControlConfig=distribution.access_control(BUCKET)
        )["OriginAccessControl"]["Id"],
    )
    origins = distribution.origins(distribution.Place(bucket=BUCKET, region="eu-central-1"), settings, ids)
    groups = distribution.origin_groups(settings)
    made = cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": NAME,
            "Comment": distribution.comment(BUCKET),
            "Enabled": True,
            "Origins": {"Quantity": len(origins), "Items": origins},
            "OriginGroups": {"Quantity": len(groups), "Items": groups},
            "DefaultCacheBehavior": distribution.behaviour(settings, ids),
        }
    )["Distribution"]
    statement = documents.distribution_statement(BUCKET, settings.whitelist, made["ARN"])
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(documents.merge_policy(None, [statement])))
    allow = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
    iam.create_role(
        RoleName="shop-setup", AssumeRolePolicyDocument=json.dumps(documents.merge_policy(None, [trust]))
    )
    policy = json.dumps(documents.merge_policy(None, [allow]))
    iam.put_role_policy(RoleName="shop-setup", PolicyName="lazyimages", PolicyDocument=policy)
    return str(made["Id"])


def everything(cloudfront: Any) -> list[Any]:
    """Return all that CloudFront has, of which other tests may have made some."""
    return [
        cloudfront.list_distributions(),
        cloudfront.list_cache_policies(Type="custom"),
        cloudfront.list_response_headers_policies(Type="custom"),
        cloudfront.list_origin_access_controls(),
    ]
