"""One run makes a bucket what the settings want, a second one nothing; --check and --dry-run never write."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any, ClassVar

import pytest
from django.core.management import CommandError, call_command

from lazyimages.management.commands.lazyimages_setup_bucket import Command
from tests.aws.conftest import ACCOUNT, Request, bucket_state, writes
from tests.conftest import BUCKET

Setup = Callable[..., str]
Delivery = Callable[..., None]

ID = "E2QWRUHEXAMPLE"
ARN = f"arn:aws:cloudfront::{ACCOUNT}:distribution/{ID}"


def test_there_and_back_and_sizes_that_come_and_go(
    s3: Any, setup: Setup, delivery: Delivery, requests: list[Request]
) -> None:
    seen: dict[str, Any] = {}
    for name, sizes in [
        ("redirect", ["480h"]),
        ("failover", ["480h"]),
        ("redirect", ["480h", "96x96"]),
        ("failover", ["480h", "96x96"]),
        ("failover", ["480h"]),
        ("redirect", ["480h"]),
    ]:
        delivery(name, DISTRIBUTION_ID=ID, SIZES=sizes, PRESETS={})
        with pytest.raises(CommandError, match="Not as the settings want it: "):
            setup("--check")
        setup()
        requests.clear()
        assert "Nothing to change." in setup()
        assert "Nothing to change." in setup("--check")
        assert writes(requests) == []
        state = bucket_state(s3, BUCKET)
        assert seen.setdefault(f"{name} {sizes}", state) == state  # however it came about


class TestCheck:
    def test_drift_is_named_and_left_as_it_is(
        self, s3: Any, setup: Setup, delivery: Delivery, requests: list[Request]
    ) -> None:
        delivery("redirect")
        setup()
        s3.delete_bucket_website(Bucket=BUCKET)
        s3.delete_bucket_lifecycle(Bucket=BUCKET)
        before = bucket_state(s3, BUCKET)
        requests.clear()
        out = StringIO()
        with pytest.raises(CommandError) as caught:
            call_command("lazyimages_setup_bucket", "--check", stdout=out, no_color=True)
        assert str(caught.value) == "Not as the settings want it: lifecycle, website."
        assert caught.value.returncode == 1
        assert "would change website" in out.getvalue()
        assert '    +    "Suffix": "index.html"' in out.getvalue()
        assert writes(requests) == []
        assert bucket_state(s3, BUCKET) == before

    def test_exit_codes(self, s3: Any, delivery: Delivery, capsys: pytest.CaptureFixture[str]) -> None:
        delivery("redirect")
        with pytest.raises(SystemExit) as caught:
            Command().run_from_argv(["manage.py", "lazyimages_setup_bucket", "--check", "--no-color"])
        assert caught.value.code == 1
        Command().run_from_argv(["manage.py", "lazyimages_setup_bucket", "--no-color"])
        Command().run_from_argv(["manage.py", "lazyimages_setup_bucket", "--check", "--no-color"])
        assert capsys.readouterr().out.endswith("Nothing to change.\n")

    def test_json(self, s3: Any, delivery: Delivery) -> None:
        delivery("redirect")
        out = StringIO()
        with pytest.raises(CommandError):
            call_command("lazyimages_setup_bucket", "--check", "--format", "json", stdout=out)
        assert {step["name"] for step in json.loads(out.getvalue()) if step["changed"]} >= {
            "policy",
            "website",
        }


class TestWhoIsLetIn:
    """moto's CloudFront knows too little of distributions: what finds one is put in its place."""

    @pytest.fixture(autouse=True)
    def _failover(self, s3: Any, delivery: Delivery) -> None:
        delivery("failover")

    def run(self, *arguments: str) -> tuple[str, str]:
        out, err = StringIO(), StringIO()
        call_command("lazyimages_setup_bucket", *arguments, stdout=out, stderr=err, no_color=True)
        return out.getvalue(), err.getvalue()

    def test_the_distribution_that_is_found(self, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = []

        class Found:
            arn = ARN
            status = "Deployed"
            config: ClassVar = {"Origins": {"Items": [{"Id": "lazyimages-bucket", "S3OriginConfig": {}}]}}

        def find(client: Any, settings: Any, bucket: str) -> Found:
            asked.append((client.meta.service_model.service_name, bucket))
            return Found()

        monkeypatch.setattr("lazyimages.aws.cdn.find", find)
        _, err = self.run()
        assert err == ""
        assert asked == [("cloudfront", BUCKET)]
        (statement,) = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
        assert statement["Condition"] == {"StringEquals": {"AWS:SourceArn": ARN}}
        assert all("*" in arn.split("/", 1)[1] for arn in statement["Resource"])
        assert f"arn:aws:s3:::{BUCKET}/*" not in statement["Resource"]

    @pytest.mark.parametrize("arguments", [(), ("--dry-run",), ("--check",), ("--format", "json")])
    def test_nobody_yet_is_said_plainly(
        self, s3: Any, setup: Setup, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
    ) -> None:
        monkeypatch.setattr("lazyimages.aws.cdn.find", lambda *args: None)
        setup()
        out, err = self.run(*arguments)
        assert err.startswith(
            "Nobody may read the variants yet: there is no distribution. Run lazyimages_setup_cdn"
        )
        assert bucket_state(s3, BUCKET)["get_bucket_policy"] == {}
        if "json" in arguments:
            assert json.loads(out)

    def test_the_distribution_that_is_named_is_not_looked_for(
        self, delivery: Delivery, monkeypatch: pytest.MonkeyPatch, s3: Any
    ) -> None:
        delivery("failover", DISTRIBUTION_ID=ID)
        monkeypatch.setattr("lazyimages.aws.cdn.find", None)
        self.run()
        assert ARN in bucket_state(s3, BUCKET)["get_bucket_policy"]["Policy"]


def test_the_first_run_comes_before_there_is_a_cdn_url(
    s3: Any, setup: Setup, delivery: Delivery, settings: Any
) -> None:
    delivery("redirect")
    settings.LAZYIMAGES = {key: value for key, value in settings.LAZYIMAGES.items() if key != "CDN_URL"}
    assert "All of it is as the settings want it." in setup()


def test_fifty_routing_rules_are_counted_before_anything_is_written(
    s3: Any, setup: Setup, delivery: Delivery, requests: list[Request]
) -> None:
    rules = [
        {"Condition": {"KeyPrefixEquals": f"{number}/"}, "Redirect": {"ReplaceKeyPrefixWith": "new/"}}
        for number in range(49)
    ]
    website = {"IndexDocument": {"Suffix": "index.html"}, "RoutingRules": rules}
    s3.put_bucket_website(Bucket=BUCKET, WebsiteConfiguration=website)
    requests.clear()
    delivery("redirect")
    with pytest.raises(
        CommandError, match=r"Nothing was changed: .* 51 routing rules; S3 takes 50\. 49 are "
    ):
        setup()
    assert writes(requests) == []
