"""`manage.py lazyimages_setup_cdn` against ministack: what CloudFront has afterwards, and what goes wrong.

ministack differs from AWS in what the tests are not about, or say otherwise: a distribution is deployed at
once, nothing is added to a config, hosts and certificates are not looked at, and the order of lists is kept.
`tests.aws.cdn.answers` has the answers that AWS gives.
"""

import copy
import io
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command

from lazyimages import conf
from lazyimages.aws import cdn, distribution, trouble
from lazyimages.aws.cdn import Place
from lazyimages.aws.documents import Conflict
from tests.aws.cdn.answers import FOREIGN, items
from tests.aws.cdn.conftest import Configure, Hook, distributions, error_answer, run, writes
from tests.clock import Clock

SECRET = "hush-hush"
ARN = "arn:aws:acm:us-east-1:123456789012:certificate/ours"
CREATES = ["CreateCachePolicy", "CreateResponseHeadersPolicy"]
PATTERNS = list(distribution.PATTERNS)


def take(client: Any, settings: conf.Settings, place: Place, **options: Any) -> list[str]:
    """Take the steps that change anything, and return their names."""
    steps = [step for step in cdn.plan(client, settings, place, **options) if step.changes]
    for step in steps:
        step.action()
    return [step.name for step in steps]


def refuse(client: Any, operation: str, **said: Any) -> None:
    """Have the next call of an operation fail before it reaches CloudFront."""

    def fail(model: Any, **kwargs: Any) -> None:
        client.meta.events.unregister(f"before-call.cloudfront.{operation}", fail)
        raise ClientError({"Error": {"Code": "Interrupted", "Message": "", **said}}, model.name)

    client.meta.events.register(f"before-call.cloudfront.{operation}", fail)


def config_of(client: Any, bucket: str) -> dict[str, Any]:
    (found,) = distributions(client, bucket)
    return dict(found["DistributionConfig"])


def policies(client: Any, bucket: str) -> dict[str, list[str]]:
    """Return the ids of all that has our name, by its kind."""
    name = distribution.name(bucket)
    caches = client.list_cache_policies(Type="custom")["CachePolicyList"].get("Items", [])
    headers = client.list_response_headers_policies(Type="custom")["ResponseHeadersPolicyList"]
    access = client.list_origin_access_controls()["OriginAccessControlList"].get("Items", [])
    return {
        "cache": [
            entry["CachePolicy"]["Id"]
            for entry in caches
            if entry["CachePolicy"]["CachePolicyConfig"]["Name"] == name
        ],
        "headers": [
            entry["ResponseHeadersPolicy"]["Id"]
            for entry in headers.get("Items", [])
            if entry["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]["Name"] == name
        ],
        "access": [entry["Id"] for entry in access if entry["Name"] == name],
    }


def create(client: Any, config: dict[str, Any], **tags: str) -> str:
    """Create a distribution as somebody else would, and return its id."""
    config = {**config, "CallerReference": uuid4().hex}
    tagged = {"Items": [{"Key": key, "Value": value} for key, value in tags.items()]}
    answer = client.create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": config, "Tags": tagged}
    )
    return str(answer["Distribution"]["Id"])


class TestRedirect:
    def test_the_distribution_afterwards(
        self, cloudfront: Any, configure: Configure, bucket: str, calls: list[str]
    ) -> None:
        configure("redirect")
        out = run()
        (found,) = distributions(cloudfront, bucket)
        config = found["DistributionConfig"]
        (origin,) = items(config, "Origins")
        assert origin["DomainName"] == f"{bucket}.s3-website.eu-central-1.amazonaws.com"
        assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "http-only"
        assert items(config, "OriginGroups") == []
        there = policies(cloudfront, bucket)
        (cache,), (headers,) = there["cache"], there["headers"]
        assert there["access"] == []
        behaviours = items(config, "CacheBehaviors")
        assert [behaviour["PathPattern"] for behaviour in behaviours] == PATTERNS
        for behaviour in [config["DefaultCacheBehavior"], *behaviours]:
            assert behaviour["TargetOriginId"] == origin["Id"]
            assert (behaviour["CachePolicyId"], behaviour["ResponseHeadersPolicyId"]) == (cache, headers)
        tags = cloudfront.list_tags_for_resource(Resource=found["ARN"])["Tags"]["Items"]
        assert tags == [{"Key": "lazyimages", "Value": bucket}]
        assert f'"CDN_URL": "https://{found["DomainName"]}"' in out
        assert f'"DISTRIBUTION_ID": "{found["Id"]}"' in out
        assert writes(calls) == [
            *CREATES,
            "CreateDistributionWithTags",
        ]

    def test_the_policies_afterwards(self, cloudfront: Any, configure: Configure, place: Place) -> None:
        take(cloudfront, configure("redirect"), place)
        there = policies(cloudfront, place.bucket)
        cache = cloudfront.get_cache_policy(Id=there["cache"][0])["CachePolicy"]["CachePolicyConfig"]
        parameters = cache["ParametersInCacheKeyAndForwardedToOrigin"]
        for part in ("HeadersConfig", "CookiesConfig", "QueryStringsConfig"):
            assert next(iter(parameters[part].values())) == "none"
        assert (cache["MinTTL"], cache["DefaultTTL"], cache["MaxTTL"]) == (0, 0, 31_536_000)
        answer = cloudfront.get_response_headers_policy(Id=there["headers"][0])
        config = answer["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]
        assert config["CorsConfig"]["AccessControlAllowOrigins"]["Items"] == ["https://shop.example"]
        assert config["SecurityHeadersConfig"]["ContentTypeOptions"] == {"Override": True}

    def test_again_changes_nothing_and_says_so(
        self, cloudfront: Any, configure: Configure, bucket: str, calls: list[str]
    ) -> None:
        configure("redirect")
        run()
        before = config_of(cloudfront, bucket)
        calls.clear()
        out = run()
        assert "Nothing to change." in out
        assert writes(calls) == []
        assert config_of(cloudfront, bucket) == before

    def test_with_the_settings_that_it_asked_for_it_is_short(
        self, cloudfront: Any, configure: Configure, place: Place
    ) -> None:
        take(cloudfront, configure("redirect"), place)
        (found,) = distributions(cloudfront, place.bucket)
        configure("redirect", CDN_URL=f"https://{found['DomainName']}", DISTRIBUTION_ID=found["Id"])
        assert run() == (
            "  cache policy: as it should be\n"
            "  response headers policy: as it should be\n"
            "  distribution: as it should be\n"
            "Nothing to change.\n"
        )


class TestFailover:
    def test_the_distribution_afterwards(self, cloudfront: Any, configure: Configure, bucket: str) -> None:
        configure("failover", ORIGIN_SECRET=SECRET)
        out = run()
        config = config_of(cloudfront, bucket)
        private, resizer = items(config, "Origins")
        (access,) = policies(cloudfront, bucket)["access"]
        control = cloudfront.get_origin_access_control(Id=access)["OriginAccessControl"]
        assert control["OriginAccessControlConfig"] == distribution.access_control(bucket)
        assert private["OriginAccessControlId"] == access
        assert private["DomainName"] == f"{bucket}.s3.eu-central-1.amazonaws.com"
        assert (resizer["DomainName"], resizer["OriginPath"]) == ("shop.example", "/images/v")
        assert items(resizer, "CustomHeaders") == [
            {"HeaderName": "X-Lazyimages-Secret", "HeaderValue": SECRET}
        ]
        (group,) = items(config, "OriginGroups")
        assert group["FailoverCriteria"]["StatusCodes"]["Items"] == [403, 404, 500, 502, 503, 504]
        members = [member["OriginId"] for member in group["Members"]["Items"]]
        assert members == [private["Id"], resizer["Id"]]
        assert config["DefaultCacheBehavior"]["TargetOriginId"] == group["Id"]
        assert SECRET not in out

    def test_the_secret_is_never_shown(
        self, cloudfront: Any, configure: Configure, capsys: pytest.CaptureFixture[str]
    ) -> None:
        configure("failover", ORIGIN_SECRET=SECRET)
        shown = [run("--dry-run", "--format", "json"), run(), run("--format", "json")]
        configure("failover", ORIGIN_SECRET="rotated")
        shown += [run("--dry-run"), run("--format", "json")]
        captured = capsys.readouterr()
        text = "".join([*shown, captured.out, captured.err])
        assert "(another value)" in text
        assert "(as in ORIGIN_SECRET)" in text
        assert SECRET not in text
        assert "rotated" not in text

    def test_a_rotated_secret_is_all_that_changes(
        self, cloudfront: Any, configure: Configure, place: Place
    ) -> None:
        take(cloudfront, configure("failover", ORIGIN_SECRET=SECRET), place)
        before = config_of(cloudfront, place.bucket)
        assert take(cloudfront, configure("failover", ORIGIN_SECRET="rotated"), place) == ["distribution"]
        after = config_of(cloudfront, place.bucket)
        assert str(after) == str(before).replace(SECRET, "rotated")

    def test_without_a_path_to_the_resizer_nothing_is_written(
        self, configure: Configure, calls: list[str]
    ) -> None:
        configure("failover", RESIZER_URL="https://shop.example/images/")
        with pytest.raises(CommandError, match=r"Nothing was changed: RESIZER_URL .* end in /resizer"):
            run()
        assert writes(calls) == []


class TestSwitching:
    @pytest.mark.parametrize(("first", "second"), [("redirect", "failover"), ("failover", "redirect")])
    def test_one_run_is_enough(
        self, cloudfront: Any, configure: Configure, place: Place, first: str, second: str
    ) -> None:
        take(cloudfront, configure(first), place)
        (before,) = distributions(cloudfront, place.bucket)
        take(cloudfront, configure(second), place)
        assert take(cloudfront, configure(second), place) == []
        (after,) = distributions(cloudfront, place.bucket)
        assert after["Id"] == before["Id"]
        made = [origin["Id"] for origin in items(after["DistributionConfig"], "Origins")]
        assert made == ["lazyimages-bucket", *(["lazyimages-resizer"] if second == "failover" else [])]
        assert len(items(after["DistributionConfig"], "OriginGroups")) == (second == "failover")

    def test_there_and_back_is_what_it_was(self, cloudfront: Any, configure: Configure, place: Place) -> None:
        take(cloudfront, configure("redirect"), place)
        before = config_of(cloudfront, place.bucket)
        take(cloudfront, configure("failover"), place)
        take(cloudfront, configure("redirect"), place)
        assert config_of(cloudfront, place.bucket) == before
        assert len(policies(cloudfront, place.bucket)["access"]) == 1  # left, as docs/commands.md says


class TestWithoutWriting:
    @pytest.mark.parametrize("delivery", ["redirect", "failover"])
    def test_a_dry_run_shows_what_would_be_made(
        self, cloudfront: Any, configure: Configure, bucket: str, calls: list[str], delivery: str
    ) -> None:
        configure(delivery)
        out = run("--dry-run")
        assert f"(id of cache policy lazyimages-{bucket})" in out
        assert f"(id of response headers policy lazyimages-{bucket})" in out
        assert (f"(id of origin access control lazyimages-{bucket})" in out) == (delivery == "failover")
        assert "would change distribution" in out
        assert writes(calls) == []
        assert distributions(cloudfront, bucket) == []

    def test_a_dry_run_shows_what_would_change(
        self, cloudfront: Any, configure: Configure, place: Place, calls: list[str]
    ) -> None:
        take(cloudfront, configure("redirect"), place)
        configure("redirect", CORS_ORIGINS=["https://other.example"])
        out = run("--dry-run")
        assert '-        "https://shop.example"' in out
        assert '+        "https://other.example"' in out
        assert "  distribution: as it should be" in out
        assert writes(calls) == []

    def test_check_is_for_ci(
        self, cloudfront: Any, configure: Configure, place: Place, calls: list[str]
    ) -> None:
        configure("redirect")
        with pytest.raises(CommandError, match=r"cache policy, response headers policy, distribution\.$"):
            run("--check")
        take(cloudfront, configure("redirect"), place)
        assert "Nothing to change." in run("--check")
        configure("failover")
        with pytest.raises(CommandError, match=r"Not as the settings want it: .*distribution\.$"):
            run("--check")
        assert writes(calls) == []

    def test_json_is_all_of_standard_output(
        self, cloudfront: Any, configure: Configure, capsys: pytest.CaptureFixture[str]
    ) -> None:
        configure("redirect")
        steps = json.loads(run("--format", "json"))
        assert [(step["name"], step["changed"]) for step in steps] == [
            ("cache policy", True),
            ("response headers policy", True),
            ("distribution", True),
        ]
        assert steps[0]["before"] is None
        assert steps[2]["after"]["CallerReference"].endswith("(random)")
        assert '"DISTRIBUTION_ID"' in capsys.readouterr().err


class TestDrift:
    def test_of_a_policy_is_undone_and_what_was_added_stays(
        self, cloudfront: Any, configure: Configure, place: Place
    ) -> None:
        settings = configure("redirect")
        take(cloudfront, settings, place)
        there = policies(cloudfront, place.bucket)
        cache = cloudfront.get_cache_policy(Id=there["cache"][0])
        wrong = cache["CachePolicy"]["CachePolicyConfig"] | {"MinTTL": 1, "DefaultTTL": 86400}
        cloudfront.update_cache_policy(Id=there["cache"][0], IfMatch=cache["ETag"], CachePolicyConfig=wrong)
        headers = cloudfront.get_response_headers_policy(Id=there["headers"][0])
        added = headers["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]
        added["SecurityHeadersConfig"] = {
            "StrictTransportSecurity": {"Override": True, "AccessControlMaxAgeSec": 63072000}
        }
        cloudfront.update_response_headers_policy(
            Id=there["headers"][0], IfMatch=headers["ETag"], ResponseHeadersPolicyConfig=added
        )
        assert take(cloudfront, settings, place) == ["cache policy", "response headers policy"]
        assert take(cloudfront, settings, place) == []
        cache = cloudfront.get_cache_policy(Id=there["cache"][0])["CachePolicy"]["CachePolicyConfig"]
        assert (cache["MinTTL"], cache["DefaultTTL"]) == (0, 0)
        headers = cloudfront.get_response_headers_policy(Id=there["headers"][0])["ResponseHeadersPolicy"]
        assert set(headers["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]) == {
            "StrictTransportSecurity",
            "ContentTypeOptions",
        }

    def test_cors_goes_away_with_its_origins(
        self, cloudfront: Any, configure: Configure, place: Place
    ) -> None:
        take(cloudfront, configure("redirect"), place)
        assert take(cloudfront, configure("redirect", CORS_ORIGINS=[]), place) == ["response headers policy"]
        (headers,) = policies(cloudfront, place.bucket)["headers"]
        policy = cloudfront.get_response_headers_policy(Id=headers)["ResponseHeadersPolicy"]
        assert not policy["ResponseHeadersPolicyConfig"].get("CorsConfig")

    def test_of_the_access_control_is_undone(
        self, cloudfront: Any, configure: Configure, place: Place
    ) -> None:
        settings = configure("failover")
        take(cloudfront, settings, place)
        (access,) = policies(cloudfront, place.bucket)["access"]
        answer = cloudfront.get_origin_access_control(Id=access)
        wrong = answer["OriginAccessControl"]["OriginAccessControlConfig"] | {"SigningBehavior": "never"}
        cloudfront.update_origin_access_control(
            Id=access, IfMatch=answer["ETag"], OriginAccessControlConfig=wrong
        )
        assert take(cloudfront, settings, place) == ["origin access control"]
        control = cloudfront.get_origin_access_control(Id=access)["OriginAccessControl"]
        assert control["OriginAccessControlConfig"]["SigningBehavior"] == "always"

    def test_policies_are_found_on_later_pages(
        self, cloudfront: Any, configure: Configure, place: Place
    ) -> None:
        """AWS lists 100 at most at a time, and says with NextMarker that there are more."""
        take(cloudfront, configure("redirect"), place)
        listed: list[dict[str, Any]] = []

        def first_page(parsed: dict[str, Any], **kwargs: Any) -> None:
            if len(listed) == 1:
                parsed["CachePolicyList"] |= {"Items": [], "NextMarker": "next"}

        def record(params: dict[str, Any], **kwargs: Any) -> None:
            listed.append(params)

        events = cloudfront.meta.events
        events.register("before-parameter-build.cloudfront.ListCachePolicies", record)
        events.register("after-call.cloudfront.ListCachePolicies", first_page)
        try:
            assert take(cloudfront, configure("redirect"), place) == []
        finally:
            events.unregister("before-parameter-build.cloudfront.ListCachePolicies", record)
            events.unregister("after-call.cloudfront.ListCachePolicies", first_page)
        assert listed == [{"Type": "custom"}, {"Type": "custom", "Marker": "next"}]


class TestFinding:
    def test_by_its_id(self, cloudfront: Any, configure: Configure, place: Place) -> None:
        id = create(cloudfront, FOREIGN)
        settings = configure("redirect", DISTRIBUTION_ID=id)
        take(cloudfront, settings, place)
        (found,) = distributions(cloudfront, place.bucket)
        assert found["Id"] == id

    def test_an_id_that_is_none(self, configure: Configure) -> None:
        configure("redirect", DISTRIBUTION_ID="E000000000000")
        with pytest.raises(CommandError, match=r"DISTRIBUTION_ID is 'E000000000000'.*no such distribution"):
            run()

    @pytest.mark.parametrize("host", ["Images.Shop.Example", None])
    def test_by_the_host_of_cdn_url(
        self, cloudfront: Any, configure: Configure, place: Place, host: str | None
    ) -> None:
        alias = f"{place.bucket}.shop.example"
        id = create(cloudfront, {**FOREIGN, "Aliases": {"Quantity": 2, "Items": ["a.example", alias]}})
        domain = cloudfront.get_distribution(Id=id)["Distribution"]["DomainName"]
        settings = configure("redirect", CDN_URL=f"https://{alias.title() if host else domain}")
        found = cdn.find(cloudfront, settings, place.bucket)
        assert found is not None
        assert (found.id, found.tag) == (id, "")

    def test_by_its_tag(self, cloudfront: Any, configure: Configure, place: Place) -> None:
        settings = configure("redirect")
        take(cloudfront, settings, place)
        settings = configure("redirect", CDN_URL="https://images.elsewhere.example")
        found = cdn.find(cloudfront, settings, place.bucket)
        assert found is not None
        assert found.tag == place.bucket
        assert found.status == "Deployed"
        assert cdn.find(cloudfront, settings, "another") is None

    def test_two_with_the_tag_are_named(self, cloudfront: Any, configure: Configure, place: Place) -> None:
        settings = configure("redirect")
        take(cloudfront, settings, place)
        (first,) = distributions(cloudfront, place.bucket)
        second = create(cloudfront, first["DistributionConfig"], lazyimages=place.bucket)
        with pytest.raises(CommandError) as raised:
            run()
        assert first["Id"] in str(raised.value)
        assert second in str(raised.value)
        assert "DISTRIBUTION_ID" in str(raised.value)
        settings = configure("redirect", DISTRIBUTION_ID=second)
        assert take(cloudfront, settings, place) == []

    def test_one_that_was_made_for_another_bucket_is_left_alone(
        self, cloudfront: Any, configure: Configure, place: Place
    ) -> None:
        id = create(cloudfront, FOREIGN, lazyimages="paintings")
        with pytest.raises(Conflict, match=rf"{id} was created for the bucket 'paintings'"):
            cdn.plan(cloudfront, configure("redirect", DISTRIBUTION_ID=id), place)


class TestForeign:
    @pytest.mark.parametrize("delivery", ["redirect", "failover"])
    def test_all_of_theirs_is_kept(
        self, cloudfront: Any, configure: Configure, place: Place, delivery: str
    ) -> None:
        id = create(cloudfront, FOREIGN)
        before = cloudfront.get_distribution_config(Id=id)["DistributionConfig"]
        settings = configure(delivery, DISTRIBUTION_ID=id, CDN_URL="https://shop.example")
        take(cloudfront, settings, place)
        assert take(cloudfront, settings, place) == []
        after = cloudfront.get_distribution_config(Id=id)["DistributionConfig"]
        ours = {"Origins", "OriginGroups", "CacheBehaviors", "CustomErrorResponses"}
        assert {key: after[key] for key in after.keys() - ours} == {
            key: before[key] for key in before.keys() - ours
        }
        assert items(after, "Origins")[:2] == items(before, "Origins")
        assert items(after, "CacheBehaviors")[0] == items(before, "CacheBehaviors")[0]
        assert len(items(after, "CacheBehaviors")) == 1 + len(PATTERNS)

    def test_what_one_should_know_of_theirs_is_said(self, cloudfront: Any, configure: Configure) -> None:
        id = create(cloudfront, {**FOREIGN, "Enabled": False})
        configure("failover", DISTRIBUTION_ID=id, CDN_URL="https://shop.example")
        out = run()
        assert f"Note: The distribution {id} is disabled" in out
        assert f"Note: The distribution {id} shows pages of its own for 404" in out
        configure("redirect", DISTRIBUTION_ID=id, CDN_URL="https://shop.example")
        assert "pages of its own" not in run()

    def test_a_behaviour_that_takes_images_away_stops_it_before_anything_is_written(
        self, cloudfront: Any, configure: Configure, calls: list[str]
    ) -> None:
        theirs = copy.deepcopy(FOREIGN)
        items(theirs, "CacheBehaviors")[0]["PathPattern"] = "*.jpg"
        configure("redirect", DISTRIBUTION_ID=create(cloudfront, theirs))
        with pytest.raises(CommandError, match=r"Nothing was changed: .*'\*\.jpg'.*'api'"):
            run()
        assert writes(calls) == []


class TestAlias:
    def test_with_a_certificate(self, cloudfront: Any, configure: Configure, place: Place) -> None:
        configure("redirect", CDN_URL="https://images.example")
        out = run("--certificate", ARN)
        (found,) = distributions(cloudfront, place.bucket)
        config = found["DistributionConfig"]
        assert config["Aliases"] == {"Quantity": 1, "Items": ["images.example"]}
        assert config["ViewerCertificate"]["ACMCertificateArn"] == ARN
        assert config["ViewerCertificate"]["MinimumProtocolVersion"] == "TLSv1.2_2021"
        assert f"images.example has to be a CNAME record for {found['DomainName']}" in out
        assert '"CDN_URL"' not in out
        assert "Nothing to change." in run()

    def test_without_one(self, configure: Configure) -> None:
        configure("redirect", CDN_URL="https://images.example")
        with pytest.raises(CommandError, match=r"'images\.example'.*us-east-1.*--certificate"):
            run()

    @pytest.mark.parametrize(
        ("url", "alias"),
        [
            ("", ""),
            ("https://d111111abcdef8.cloudfront.net", ""),
            ("https://d111111abcdef8.cloudfront.cn", ""),
            ("http://127.0.0.1:8001", ""),
            ("http://[::1]:8001", ""),
            ("http://localhost:8001", ""),
            ("http://cdn.localhost:8001", ""),
            ("https://Images.Shop.example:443", "images.shop.example"),
        ],
    )
    def test_which_hosts_need_one(self, configure: Configure, url: str, alias: str) -> None:
        assert cdn.alias(configure("redirect", CDN_URL=url)) == alias


class TestInterrupted:
    @pytest.mark.parametrize(
        ("delivery", "operation"),
        [
            *(("redirect", name) for name in [*CREATES, "CreateDistributionWithTags"]),
            *(
                ("failover", name)
                for name in [*CREATES, "CreateOriginAccessControl", "CreateDistributionWithTags"]
            ),
        ],
    )
    def test_at_any_step_a_rerun_completes(
        self, cloudfront: Any, configure: Configure, place: Place, delivery: str, operation: str
    ) -> None:
        settings = configure(delivery)
        refuse(cloudfront, operation)
        with pytest.raises(ClientError):
            take(cloudfront, settings, place)
        take(cloudfront, settings, place)
        assert take(cloudfront, settings, place) == []
        there = policies(cloudfront, place.bucket)
        assert [len(ids) for ids in there.values()] == [1, 1, int(delivery == "failover")]
        assert len(distributions(cloudfront, place.bucket)) == 1

    def test_when_it_switches(self, cloudfront: Any, configure: Configure, place: Place) -> None:
        take(cloudfront, configure("redirect"), place)
        settings = configure("failover")
        for operation in ("CreateOriginAccessControl", "UpdateDistribution"):
            refuse(cloudfront, operation)
            with pytest.raises(ClientError):
                take(cloudfront, settings, place)
            assert len(items(config_of(cloudfront, place.bucket), "Origins")) == 1
        take(cloudfront, settings, place)
        assert len(items(config_of(cloudfront, place.bucket), "Origins")) == 2
        assert take(cloudfront, settings, place) == []

    def test_when_the_answer_is_lost(self, cloudfront: Any, configure: Configure, place: Place) -> None:
        settings = configure("redirect")
        event = "after-call.cloudfront.CreateDistributionWithTags"

        def lose(model: Any, **kwargs: Any) -> None:
            raise ClientError({"Error": {"Code": "Lost"}}, model.name)

        cloudfront.meta.events.register(event, lose)
        try:
            with pytest.raises(ClientError):
                take(cloudfront, settings, place)
        finally:
            cloudfront.meta.events.unregister(event, lose)
        assert take(cloudfront, settings, place) == []
        assert len(distributions(cloudfront, place.bucket)) == 1

    def test_what_was_done_before_is_told(self, configure: Configure, hook: Hook) -> None:
        configure("redirect")
        hook("before-send.cloudfront.CreateDistributionWithTags", error_answer("TooManyDistributions", 400))
        with pytest.raises(
            CommandError, match=r"Changed before this happened: cache policy, response headers policy\. Run"
        ):
            run()


class TestRefused:
    def test_somebody_else_was_faster(self, cloudfront: Any, configure: Configure, place: Place) -> None:
        take(cloudfront, configure("redirect"), place)
        (found,) = distributions(cloudfront, place.bucket)
        step = cdn.plan(cloudfront, configure("failover"), place)[-1]
        theirs = cloudfront.get_distribution_config(Id=found["Id"])
        cloudfront.update_distribution(
            Id=found["Id"],
            IfMatch=theirs["ETag"],
            DistributionConfig=theirs["DistributionConfig"] | {"Comment": "theirs"},
        )
        with pytest.raises(ClientError) as raised:
            step.action()
        said = trouble.explain(raised.value, "the distribution")
        assert said == "Somebody else changed the distribution at the same time. Run the command again."
        assert config_of(cloudfront, place.bucket)["Comment"] == "theirs"

    @pytest.mark.parametrize(
        ("operation", "code", "status", "said"),
        [
            ("ListDistributions", "AccessDenied", 403, "Give the caller cloudfront:ListDistributions"),
            ("ListCachePolicies", "AccessDenied", 403, "Give the caller cloudfront:ListCachePolicies"),
            ("CreateCachePolicy", "AccessDenied", 403, "Give the caller cloudfront:CreateCachePolicy"),
            (
                "CreateDistributionWithTags",
                "AccessDenied",
                403,
                "Give the caller cloudfront:CreateDistribution and cloudfront:TagResource",
            ),
            ("CreateDistributionWithTags", "TooManyDistributions", 400, "a quota is reached"),
            ("CreateDistributionWithTags", "CNAMEAlreadyExists", 409, "alias of another distribution"),
            ("CreateDistributionWithTags", "InvalidViewerCertificate", 400, "in us-east-1"),
            ("CreateDistributionWithTags", "DistributionAlreadyExists", 409, "Run the command again"),
            ("CreateCachePolicy", "CachePolicyAlreadyExists", 409, "Run the command again"),
            ("ListDistributions", "ExpiredToken", 403, "has expired"),
        ],
    )
    def test_the_remedy_is_said(
        self, configure: Configure, hook: Hook, operation: str, code: str, status: int, said: str
    ) -> None:
        configure("redirect", CDN_URL="https://images.example")
        hook(f"before-send.cloudfront.{operation}", error_answer(code, status))
        with pytest.raises(CommandError) as raised:
            run("--certificate", ARN)
        assert said in str(raised.value)

    def test_what_asks_to_slow_down_is_asked_again(
        self, configure: Configure, hook: Hook, calls: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("botocore.endpoint.time", Clock())
        throttle, refused = error_answer("Throttling", 400), iter([True, True])
        hook(
            "before-send.cloudfront.ListDistributions",
            lambda request, **kwargs: throttle(request) if next(refused, False) else None,
        )
        configure("redirect")
        assert "All of it is as the settings want it." in run()
        assert next(refused, None) is None


class TestDeploying:
    """AWS answers with InProgress for some minutes after each change; ministack never does."""

    def test_it_waits_and_says_every_half_minute_that_it_does(
        self, configure: Configure, deploys: Callable[[float], None], clock: Clock
    ) -> None:
        configure("redirect")
        deploys(20)
        out = run()
        assert "is being deployed, which takes some minutes." in out
        assert "  deploying for 0:30\n  deploying for 1:00\n  deploying for 1:30\nThe dist" in out
        assert "is deployed.\nPut this into LAZYIMAGES:" in out
        assert clock.slept == 95

    def test_on_a_terminal_one_line_is_rewritten(
        self, configure: Configure, deploys: Callable[[float], None], clock: Clock
    ) -> None:
        configure("redirect")
        deploys(4)
        out = io.StringIO()
        out.isatty = lambda: True  # type: ignore[method-assign]
        call_command("lazyimages_setup_cdn", stdout=out, no_color=True)
        assert (
            "\r  deploying for 0:00\r  deploying for 0:05\r  deploying for 0:10\nThe distribution"
            in out.getvalue()
        )

    def test_it_does_not_wait_when_told_so(
        self, configure: Configure, deploys: Callable[[float], None], clock: Clock
    ) -> None:
        configure("redirect")
        deploys(20)
        out = run("--no-wait")
        assert "is being deployed. CloudFront goes on by itself." in out
        assert '"CDN_URL"' in out
        assert clock.slept == 0

    def test_with_nothing_to_change_it_waits_as_well(
        self, cloudfront: Any, configure: Configure, place: Place, deploys: Any, clock: Clock
    ) -> None:
        take(cloudfront, configure("redirect"), place)
        deploys(5)
        out = run()
        assert "is still being deployed, which takes some minutes." in out
        assert "Nothing to change." in out
        assert clock.slept > 0
        deploys(5)
        assert "is still being deployed. CloudFront goes on by itself." in run("--no-wait")

    def test_it_waits_for_half_an_hour_at_most(
        self, configure: Configure, deploys: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        configure("redirect")
        deploys(float("inf"))
        monkeypatch.setattr(cdn.wait, "__kwdefaults__", {**cdn.wait.__kwdefaults__, "pause": 300.0})
        with pytest.raises(CommandError, match=r"still being deployed after 30 minutes\. CloudFront goes on"):
            run()
        assert clock.slept == 1800

    def test_ctrl_c_leaves_it_to_cloudfront(
        self, configure: Configure, deploys: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def press(seconds: float) -> None:
            raise KeyboardInterrupt

        configure("redirect")
        deploys(20)
        monkeypatch.setattr(clock, "sleep", press)
        out = io.StringIO()
        with pytest.raises(CommandError, match=r"Interrupted\. CloudFront goes on by itself") as raised:
            call_command("lazyimages_setup_cdn", stdout=out, no_color=True)
        assert raised.value.returncode == 130
        assert '"DISTRIBUTION_ID"' in out.getvalue()


class TestSettings:
    def test_local_delivery_needs_none(self, configure: Configure, calls: list[str]) -> None:
        configure("local")
        with pytest.raises(CommandError, match="DELIVERY is 'local'"):
            run()
        assert calls == []

    def test_other_mistakes_than_a_missing_cdn_url_stop_it(
        self, configure: Configure, settings: Any, calls: list[str]
    ) -> None:
        configure("redirect", RESIZER_URL="")
        with pytest.raises(CommandError, match=r"lazyimages\.E008") as raised:
            run()
        assert "E007" not in str(raised.value)
        assert calls == []
