"""`lazyimages_cloudformation`: what a stack has in the end is what the commands set up, to the letter.

The stacks are made by ministack's CloudFormation, which is another's translation of CloudFormation's words
into those of the APIs. Of a bucket it takes no lifecycle, encryption and ownership, so these are translated
here, as the template reference has them (AWS::S3::Bucket). It writes the website host of every region with a
dash, so the region here is one that has it.
"""

import itertools
import json
import os
import re
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

import lazyimages.aws
from lazyimages import conf
from tests.aws.stacks import Document, client, deploy, of_bucket, of_distribution, renamed
from tests.conftest import RESIZER

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"
SECRET = "hush-hush"
ALIAS = "img.shop.example"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0"
Configure = Callable[..., None]


@pytest.fixture
def configure(settings: Any, lazy: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Set buckets and LAZYIMAGES: `configure("failover", "photos", originals="originals")`."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)

    def change(delivery: str, variants: str, *, originals: str = "", **parts: Any) -> None:
        def s3(bucket: str) -> dict[str, Any]:
            options = {"bucket_name": bucket, "region_name": REGION}
            return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}

        used = {"default": s3(originals or variants), "lazyimages": s3(variants)}
        settings.STORAGES = settings.STORAGES | used
        lazy(**{"DELIVERY": delivery, "RESIZER_URL": RESIZER, "CDN_URL": "", "ORIGIN_SECRET": SECRET} | parts)

    return change


@pytest.fixture
def cloud(ministack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every client ask ministack."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack)


def printed() -> str:
    out = StringIO()
    call_command("lazyimages_cloudformation", stdout=out)
    return out.getvalue()


def run(command: str, *arguments: str) -> None:
    call_command(command, *arguments, stdout=StringIO(), stderr=StringIO())


@pytest.mark.parametrize("two", [False, True], ids=["one bucket", "two buckets"])
@pytest.mark.parametrize("delivery", ["redirect", "failover"])
def test_a_stack_is_what_the_commands_set_up(
    cloud: None, configure: Configure, delivery: str, two: bool
) -> None:
    days = 30 if two else None
    alias = f"{delivery}-{two}.shop.example".lower()
    origins = None if two else ["https://a.example", "https://b.example"]
    parts: dict[str, Any] = {"EXPIRE_VARIANTS_DAYS": days, "CORS_ORIGINS": origins}
    parts["DIRECT_UPLOADS"] = "tests.direct.pages.allowed"
    found = []
    for way in ("commands", "stack"):
        variants, originals = (f"{delivery}-{two}-{way}-{part}".lower() for part in ("v", "o"))
        configure(
            delivery,
            variants,
            originals=originals if two else "",
            CDN_URL=f"https://{way}.{alias}",
            **parts,
        )
        if way == "stack":
            id = stack(delivery, variants)
            run("lazyimages_setup_cdn", "--check")  # finds nothing to change
            translated = {
                variants: in_the_words_of_s3("VariantsBucket"),
                originals: in_the_words_of_s3("OriginalsBucket") if two else {},
            }
        else:
            id = set_up(delivery, variants)
            translated = {}
        names = {variants: "variants", originals: "originals", id: "id", f"{way}.{alias}": "alias"}
        documents = [
            of_distribution(id),
            *(of_bucket(bucket) | translated.get(bucket, {}) for bucket in [variants, originals][: 1 + two]),
        ]
        found.append(renamed(documents, names))

    commands, stacks = found
    for one, other in zip(commands, stacks, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            assert other[name] == one[name], name


def stack(delivery: str, bucket: str) -> str:
    """Make a stack, and return the id of its distribution."""
    return deploy(bucket, printed(), CertificateArn=CERTIFICATE, **secret(delivery))["DistributionId"]


def set_up(delivery: str, bucket: str) -> str:
    """Run the commands in their order, and return the id of the distribution."""
    commands = [("lazyimages_setup_cdn", "--certificate", CERTIFICATE), ("lazyimages_setup_bucket",)]
    for command in commands if delivery == "failover" else reversed(commands):
        run(*command)
    for entry in client("cloudfront").list_distributions()["DistributionList"]["Items"]:
        tags = client("cloudfront").list_tags_for_resource(Resource=entry["ARN"])["Tags"]["Items"]
        if {"Key": "lazyimages", "Value": bucket} in tags:
            return str(entry["Id"])
    raise AssertionError("there is none")


def in_the_words_of_s3(logical: str) -> dict[str, Document | None]:
    """Return what the template says of a bucket that ministack does not take over, as S3 would say it."""
    own = json.loads(printed())["Resources"][logical]["Properties"]
    lifecycle = [
        {
            "ID": rule["Id"],
            "Status": rule["Status"],
            "Filter": {"Tag": rule["TagFilters"][0]} if "TagFilters" in rule else {"Prefix": rule["Prefix"]},
            **({"Expiration": {"Days": rule["ExpirationInDays"]}} if "ExpirationInDays" in rule else {}),
            **{key: rule[key] for key in ("AbortIncompleteMultipartUpload",) if key in rule},
        }
        for rule in own["LifecycleConfiguration"]["Rules"]
    ]
    encryption = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule["BucketKeyEnabled"],
        }
        for rule in own["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    ]
    return {
        # S3 adds its default for the size.
        "lifecycle": {
            "Rules": lifecycle,
            "TransitionDefaultMinimumObjectSize": "all_storage_classes_128K",
        },
        "encryption": {"ServerSideEncryptionConfiguration": {"Rules": encryption}},
        "ownership": {"OwnershipControls": own["OwnershipControls"]},
    }


def variations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a name and settings for every combination of what changes the template."""
    choices = itertools.product(("redirect", "failover"), ("", "photos-originals"), (None, 90), ("", ALIAS))
    for number, (delivery, originals, days, alias) in enumerate(choices):
        yield (
            f"{number:02}-{delivery}",
            {
                "delivery": delivery,
                "originals": originals,
                "EXPIRE_VARIANTS_DAYS": days,
                "CDN_URL": alias and f"https://{alias}",
                "ORIGIN_SECRET": SECRET if days else None,
            },
        )


def test_cfn_lint_has_nothing_to_say(configure: Configure, tmp_path: Path) -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    if not lint.exists():
        pytest.skip("cfn-lint is missing: pip install cfn-lint")
    files = []
    for name, parts in variations():
        configure(variants="photos", **parts)
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(printed())
    configure("failover", "v" * 63, originals="o" * 63, CORS_ORIGINS=[], SIZES=["100w"], PRESETS={})
    files.append(tmp_path / "bare.json")
    files[-1].write_text(printed())

    # Informational rules too; either value of each condition is looked at.
    command = [str(lint), "--include-checks", "I", "--template", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("delivery", ["redirect", "failover"])
def test_the_resizer_may_be_on_lambda(cloud: None, configure: Configure, delivery: str) -> None:
    name = f"on-lambda-{delivery}"
    configure(delivery, name)
    outputs = deploy(
        name, printed(), ResizerOnLambda="yes", CodeKey="code.zip", **code(name), **secret(delivery)
    )

    url = outputs["ResizerUrl"]
    host = re.fullmatch(rf"https://([a-z0-9]+\.execute-api\.{REGION}\.amazonaws\.com)/resizer", url)
    assert host, url
    documents = of_bucket(name) | of_distribution(outputs["DistributionId"])
    if delivery == "redirect":
        website = documents["website"]
        assert website
        for rule in website["RoutingRules"]:
            assert rule["Redirect"]["HostName"] == host[1]
            assert rule["Redirect"]["ReplaceKeyPrefixWith"] == "resizer?key="
    else:
        config = documents["distribution"]
        assert config
        _, resizer = config["Origins"]["Items"]
        assert (resizer["DomainName"], resizer["OriginPath"]) == (host[1], "/v")
    function = client("lambda").get_function_configuration(FunctionName=f"lazyimages-{name}")
    assert function["Handler"] == "lazyimages.aws.lambda_handler.handler"
    assert (function["Runtime"], function["MemorySize"], function["Timeout"]) == ("python3.13", 1024, 15)
    assert function["Architectures"] == ["arm64"]
    api = next(one for one in client("apigatewayv2").get_apis()["Items"] if host[1].startswith(one["ApiId"]))
    routes = client("apigatewayv2").get_routes(ApiId=api["ApiId"])["Items"]
    path = "/resizer" if delivery == "redirect" else "/v/{proxy+}"
    assert sorted(route["RouteKey"] for route in routes) == [f"GET {path}", f"HEAD {path}"]


def code(bucket: str) -> dict[str, str]:
    """Store a function's zip that does nothing, and return the parameter that names its bucket."""
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("lazyimages/aws/lambda_handler.py", "def handler(event, context): ...")
    s3 = client("s3")
    s3.create_bucket(Bucket=f"{bucket}-code", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=f"{bucket}-code", Key="code.zip", Body=data.getvalue())
    return {"CodeBucket": f"{bucket}-code"}


def secret(delivery: str) -> dict[str, str]:
    return {"OriginSecret": SECRET} if delivery == "failover" else {}


class Environment(dict[str, str]):
    """Environment variables that remember who asked for them."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        """Return a variable."""
        self.read.add(key)
        return super().get(key, default)


@pytest.mark.parametrize("two", [False, True], ids=["one bucket", "two buckets"])
@pytest.mark.parametrize("delivery", ["redirect", "failover"])
def test_the_function_reads_every_variable_that_it_is_given(
    configure: Configure, settings: Any, monkeypatch: pytest.MonkeyPatch, delivery: str, two: bool
) -> None:
    parts = {"EXPIRE_VARIANTS_DAYS": 30, "QUALITY": {"webp": 71}, "FORMATS": ["webp"], "MAX_PIXELS": 10**7}
    configure(delivery, "photos", originals="photos-originals" if two else "", **parts)
    settings.STORAGES["default"]["OPTIONS"]["location"] = "media"
    expected = conf.settings()
    given = json.loads(printed())["Resources"]["Resizer"]["Properties"]["Environment"]["Variables"]
    environment = Environment(
        {name: resolved(value) for name, value in given.items()} | {"AWS_REGION": REGION}
    )
    monkeypatch.setattr(os, "environ", environment)
    path = Path(lazyimages.aws.__file__).with_name("lambda_settings.py")

    made = runpy.run_path(str(path))

    assert set(given) <= environment.read
    options = [made["STORAGES"][alias]["OPTIONS"] for alias in ("default", "lazyimages")]
    assert [one["bucket_name"] for one in options] == ["photos-originals" if two else "photos", "photos"]
    assert [one["location"] for one in options] == ["media", ""]
    found, problems = conf.read(made["LAZYIMAGES"])
    assert problems == []
    assert found.origin_secret == (SECRET if delivery == "failover" else None)
    assert found.cdn_url == "https://d0.cloudfront.net"
    assert found.resizer_url == f"https://a0.execute-api.{REGION}.amazonaws.com/resizer"
    same = ("delivery", "quality", "formats", "max_pixels", "expire_variants_days", "cache_control", "engine")
    assert all(getattr(found, name) == getattr(expected, name) for name in same)
    assert list(found.whitelist) == list(expected.whitelist)


@pytest.mark.parametrize("delivery", ["redirect", "failover"])
def test_the_function_starts_with_what_it_is_given(configure: Configure, delivery: str) -> None:
    pytest.importorskip("apig_wsgi", reason="apig-wsgi is missing: pip install apig-wsgi")
    configure(delivery, "photos", originals="photos-originals", EXPIRE_VARIANTS_DAYS=30)
    function = json.loads(printed())["Resources"]["Resizer"]["Properties"]
    given = {name: resolved(value) for name, value in function["Environment"]["Variables"].items()}
    module, _, name = function["Handler"].rpartition(".")
    program = f"from {module} import {name}; {name}"
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": REGION}

    done = subprocess.run(
        [sys.executable, "-c", program], env=given | keys, cwd=ROOT, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr


def resolved(value: Any) -> str:
    """Return what CloudFormation makes of a Ref, a Sub or a text."""
    names = {
        "VariantsBucket": "photos",
        "OriginalsBucket": "photos-originals",
        "OriginSecret": SECRET,
        "ResizerApi": "a0",
        "Distribution.DomainName": "d0.cloudfront.net",
        "AWS::Region": REGION,
        "AWS::URLSuffix": "amazonaws.com",
    }
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return names[value["Ref"]]
    return re.sub(r"\$\{([^!}]+)\}", lambda found: names[found[1]], value["Fn::Sub"])


def test_no_secret_is_printed(configure: Configure) -> None:
    for delivery in ("redirect", "failover"):
        configure(delivery, "photos")
        text = printed()
        assert SECRET not in text
        parameters = json.loads(text)["Parameters"]
        assert ("OriginSecret" in parameters) == (delivery == "failover")
    assert parameters["OriginSecret"]["NoEcho"] is True
    assert "Default" not in parameters["OriginSecret"]


def test_buckets_stay_when_the_stack_goes(configure: Configure) -> None:
    configure("failover", "photos", originals="photos-originals")
    resources = json.loads(printed())["Resources"]
    buckets = [entry for entry in resources.values() if entry["Type"] == "AWS::S3::Bucket"]
    assert len(buckets) == 2
    kept = [*buckets, resources["AppPolicy"]]
    assert all(entry["UpdateReplacePolicy"] == "Retain" for entry in kept)
    assert all(entry["DeletionPolicy"] == "RetainExceptOnCreate" for entry in kept)


def test_every_parameter_is_explained(configure: Configure) -> None:
    for _, parts in variations():
        configure(variants="photos", **parts)
        for name, parameter in json.loads(printed())["Parameters"].items():
            assert len(parameter["Description"]) > 20, name


def test_the_defaults_are_the_settings(configure: Configure) -> None:
    configure("redirect", "a.bucket-with-dots", originals="photos-originals")
    parameters = json.loads(printed())["Parameters"]
    assert parameters["VariantsBucketName"]["Default"] == "a.bucket-with-dots"
    assert parameters["OriginalsBucketName"]["Default"] == "photos-originals"
    assert re.fullmatch(parameters["Name"]["AllowedPattern"], parameters["Name"]["Default"])


def test_dollars_of_the_settings_are_no_placeholders(configure: Configure) -> None:
    configure("redirect", "photos", CACHE_CONTROL='public, extension="${AWS::Region}"')
    resources = json.loads(printed())["Resources"]
    text = resources["Resizer"]["Properties"]["Environment"]["Variables"]["LAZYIMAGES"]["Fn::Sub"]
    assert "${!AWS::Region}" in text


def test_a_path_that_failover_cannot_ask_is_refused(configure: Configure) -> None:
    configure("failover", "photos", RESIZER_URL="https://shop.example/resize")
    with pytest.raises(CommandError, match="it has to end in /resizer"):
        printed()


def test_more_sizes_than_a_bucket_policy_takes_are_refused(configure: Configure) -> None:
    many = [f"{width}x{height}" for width in range(100, 120) for height in range(100, 120)]
    configure("redirect", "photos", originals="photos-originals", SIZES=many, PRESETS={})
    with pytest.raises(CommandError, match="bytes for 400 sizes, and S3 takes 20,480; allow fewer sizes"):
        printed()


def test_mistakes_in_the_settings_are_named(configure: Configure) -> None:
    configure("redirect", "photos", RESIZER_URL="")
    with pytest.raises(CommandError, match="there is no RESIZER_URL"):
        printed()
    configure("redirect", "photos", SIZES=["0x0"])
    with pytest.raises(CommandError, match="LAZYIMAGES\\['SIZES'\\]"):
        printed()


def test_local_delivery_has_no_stack(configure: Configure) -> None:
    configure("local", "photos")
    with pytest.raises(CommandError, match="DELIVERY is 'local'"):
        printed()


def test_originals_have_to_be_on_s3_too(configure: Configure, settings: Any, tmp_path: Path) -> None:
    configure("redirect", "photos")
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = settings.STORAGES | {"default": files}
    with pytest.raises(CommandError, match="originals and variants on S3"):
        printed()
