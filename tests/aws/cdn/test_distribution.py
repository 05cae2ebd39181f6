"""The documents for CloudFront as pure values, and how they are put into a distribution's config."""

import copy
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from lazyimages import conf
from lazyimages.aws import converge, distribution
from lazyimages.aws.distribution import Ids, Place
from lazyimages.aws.documents import Conflict
from tests.aws.cdn.answers import FOREIGN, answer, items

IDS = Ids(cache="cache-id", headers="headers-id", access="access-id")
PLACE = Place(bucket="photos", region="eu-central-1")
PATTERNS = ["*.jpg", "*.jpeg", "*.png", "*.gif", "*.webp", "*.avif"]
ARN = "arn:aws:acm:us-east-1:123456789012:certificate/ours"


def settings(delivery: str = "redirect", **parts: Any) -> conf.Settings:
    raw = {"SIZES": ["480h"], "DELIVERY": delivery, "RESIZER_URL": "https://shop.example/images/resizer"}
    read, problems = conf.read({**raw, **parts})
    assert problems == []
    return read


REDIRECT, FAILOVER = settings(), settings("failover", ORIGIN_SECRET="hush")


def new(made_for: conf.Settings = REDIRECT, **parts: Any) -> dict[str, Any]:
    return converge.new(PLACE, made_for, IDS, reference="lazyimages-photos-1", **parts)


def merged(existing: dict[str, Any], made_for: conf.Settings = REDIRECT, **parts: Any) -> dict[str, Any]:
    """Return a config with ours in it; what existed may not be changed on the way."""
    before = copy.deepcopy(existing)
    result = converge.merge(existing, PLACE, made_for, IDS, **{"owned": True, **parts})
    assert existing == before
    return result


def by_id(config: dict[str, Any], id: str) -> dict[str, Any]:
    return next(origin for origin in items(config, "Origins") if origin["Id"] == id)


def valid(shape: str, document: dict[str, Any]) -> bool:
    """Tell whether botocore would send a document: names, types and what is required."""
    model = botocore.session.get_session().get_service_model("cloudfront")
    return not ParamValidator().validate(document, model.shape_for(shape)).has_errors()


class TestPlace:
    @pytest.mark.parametrize(
        ("region", "host"),
        # Amazon Simple Storage Service endpoints and quotas, "Amazon S3 website endpoints"
        [
            ("us-east-1", "photos.s3-website-us-east-1.amazonaws.com"),
            ("us-east-2", "photos.s3-website.us-east-2.amazonaws.com"),
            ("us-west-1", "photos.s3-website-us-west-1.amazonaws.com"),
            ("us-west-2", "photos.s3-website-us-west-2.amazonaws.com"),
            ("eu-west-1", "photos.s3-website-eu-west-1.amazonaws.com"),
            ("eu-west-2", "photos.s3-website.eu-west-2.amazonaws.com"),
            ("eu-central-1", "photos.s3-website.eu-central-1.amazonaws.com"),
            ("ap-northeast-1", "photos.s3-website-ap-northeast-1.amazonaws.com"),
            ("ap-northeast-2", "photos.s3-website.ap-northeast-2.amazonaws.com"),
            ("ap-southeast-1", "photos.s3-website-ap-southeast-1.amazonaws.com"),
            ("ap-southeast-2", "photos.s3-website-ap-southeast-2.amazonaws.com"),
            ("ap-southeast-3", "photos.s3-website.ap-southeast-3.amazonaws.com"),
            ("sa-east-1", "photos.s3-website-sa-east-1.amazonaws.com"),
            ("us-gov-west-1", "photos.s3-website-us-gov-west-1.amazonaws.com"),
            ("us-gov-east-1", "photos.s3-website.us-gov-east-1.amazonaws.com"),
        ],
    )
    def test_the_website_endpoint_of_a_region(self, region: str, host: str) -> None:
        assert Place(bucket="photos", region=region).website_host == host

    def test_in_china(self) -> None:
        place = Place(bucket="photos", region="cn-north-1", partition="aws-cn")
        assert place.website_host == "photos.s3-website.cn-north-1.amazonaws.com.cn"
        assert place.rest_host == "photos.s3.cn-north-1.amazonaws.com.cn"


class TestName:
    def test_a_bucket_s_name_stands_in_it(self) -> None:
        assert distribution.name("photos") == "lazyimages-photos"
        assert distribution.name("x" * 53) == f"lazyimages-{'x' * 53}"

    @pytest.mark.parametrize("bucket", ["x" * 54, "x" * 63, "photos.shop.example"])
    def test_too_long_or_with_dots_it_ends_in_a_digest(self, bucket: str) -> None:
        name = distribution.name(bucket)
        assert len(name) <= 64
        assert name.replace("-", "").isalnum()
        assert name != distribution.name(bucket[:-1])

    def test_similar_buckets_have_different_names(self) -> None:
        assert distribution.name("a.b") != distribution.name("a-b")
        assert distribution.name("x" * 60) != distribution.name("x" * 61)


class TestPolicies:
    def test_the_cache_policy(self) -> None:
        policy = distribution.cache_policy("photos")
        assert (policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]) == (0, 0, 31_536_000)
        assert policy["ParametersInCacheKeyAndForwardedToOrigin"] == {
            "EnableAcceptEncodingGzip": False,
            "EnableAcceptEncodingBrotli": False,
            "HeadersConfig": {"HeaderBehavior": "none"},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "none"},
        }
        assert valid("CachePolicyConfig", policy)

    def test_the_response_headers_policy(self) -> None:
        policy = distribution.headers_policy("photos", ("https://shop.example", "https://m.shop.example"))
        assert policy["SecurityHeadersConfig"] == {"ContentTypeOptions": {"Override": True}}
        cors = policy["CorsConfig"]
        assert cors["AccessControlAllowOrigins"]["Items"] == [
            "https://shop.example",
            "https://m.shop.example",
        ]
        assert cors["AccessControlAllowOrigins"]["Quantity"] == 2
        assert cors["AccessControlAllowMethods"]["Items"] == ["GET", "HEAD"]
        assert cors["AccessControlAllowCredentials"] is False
        assert cors["OriginOverride"] is True
        assert "cache-control" not in str(policy).lower()
        assert valid("ResponseHeadersPolicyConfig", policy)

    def test_without_origins_there_is_no_cors(self) -> None:
        policy = distribution.headers_policy("photos", ())
        assert "CorsConfig" not in policy
        assert valid("ResponseHeadersPolicyConfig", policy)

    def test_every_request_to_the_private_bucket_is_signed(self) -> None:
        control = distribution.access_control("photos")
        assert control["SigningBehavior"] == "always"
        assert control["SigningProtocol"] == "sigv4"
        assert control["OriginAccessControlOriginType"] == "s3"
        assert valid("OriginAccessControlConfig", control)


class TestOrigins:
    def test_redirect_has_the_website_over_http_alone(self) -> None:
        (website,) = distribution.origins(PLACE, REDIRECT, IDS)
        assert website["Id"] == "lazyimages-bucket"
        assert website["DomainName"] == "photos.s3-website.eu-central-1.amazonaws.com"
        assert website["CustomOriginConfig"]["OriginProtocolPolicy"] == "http-only"
        assert "OriginAccessControlId" not in website
        assert distribution.origin_groups(REDIRECT) == []

    def test_failover_has_the_bucket_and_then_the_resizer(self) -> None:
        bucket, resizer = distribution.origins(PLACE, FAILOVER, IDS)
        assert bucket["DomainName"] == "photos.s3.eu-central-1.amazonaws.com"
        assert bucket["OriginAccessControlId"] == "access-id"
        assert bucket["S3OriginConfig"] == {"OriginAccessIdentity": ""}
        assert (resizer["DomainName"], resizer["OriginPath"]) == ("shop.example", "/images/v")
        assert resizer["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
        assert resizer["CustomHeaders"] == {
            "Quantity": 1,
            "Items": [{"HeaderName": "X-Lazyimages-Secret", "HeaderValue": "hush"}],
        }
        (group,) = distribution.origin_groups(FAILOVER)
        assert [member["OriginId"] for member in group["Members"]["Items"]] == [bucket["Id"], resizer["Id"]]
        assert group["FailoverCriteria"]["StatusCodes"] == {
            "Quantity": 6,
            "Items": [403, 404, 500, 502, 503, 504],
        }

    @pytest.mark.parametrize(
        ("url", "host", "path", "policy", "ports"),
        [
            ("https://shop.example/resizer", "shop.example", "/v", "https-only", (80, 443)),
            ("https://shop.example:8443/a/b/resizer", "shop.example", "/a/b/v", "https-only", (80, 8443)),
            (
                "http://shop.example:8000/images/resizer",
                "shop.example",
                "/images/v",
                "http-only",
                (8000, 443),
            ),
            ("http://shop.example/images/resizer/", "shop.example", "/images/v", "http-only", (80, 443)),
        ],
    )
    def test_the_resizer_s_place(
        self, url: str, host: str, path: str, policy: str, ports: tuple[int, int]
    ) -> None:
        resizer = distribution.origins(PLACE, settings("failover", RESIZER_URL=url), IDS)[1]
        custom = resizer["CustomOriginConfig"]
        assert (resizer["DomainName"], resizer["OriginPath"]) == (host, path)
        assert (custom["OriginProtocolPolicy"], (custom["HTTPPort"], custom["HTTPSPort"])) == (policy, ports)
        assert resizer["CustomHeaders"] == {"Quantity": 0}

    @pytest.mark.parametrize("url", ["https://shop.example", "https://shop.example/images/resize"])
    def test_a_resizer_url_without_resizer_has_no_v(self, url: str) -> None:
        with pytest.raises(Conflict, match=r"has to end in /resizer"):
            distribution.origins(PLACE, settings("failover", RESIZER_URL=url), IDS)

    @pytest.mark.parametrize(("wait", "seconds"), [(0.5, 30), (10, 30), (25, 45), (40, 60), (300, 60)])
    def test_cloudfront_waits_longer_than_a_request_for_its_turn(self, wait: float, seconds: int) -> None:
        assert distribution.read_timeout(wait) == seconds


class TestNew:
    @pytest.mark.parametrize("made_for", [REDIRECT, FAILOVER])
    def test_botocore_would_send_it(self, made_for: conf.Settings) -> None:
        assert valid("DistributionConfig", new(made_for))
        assert valid("DistributionConfig", new(made_for, alias="cdn.example", certificate=ARN))

    def test_what_holds_for_all_of_it(self) -> None:
        config = new()
        assert config["CallerReference"] == "lazyimages-photos-1"
        assert config["Comment"] == "lazyimages: photos"
        assert config["HttpVersion"] == "http2and3"
        assert config["IsIPV6Enabled"] is True
        assert config["Enabled"] is True
        assert config["PriceClass"] == "PriceClass_All"
        assert config["DefaultRootObject"] == ""

    @pytest.mark.parametrize(
        ("made_for", "target"), [(REDIRECT, "lazyimages-bucket"), (FAILOVER, "lazyimages")]
    )
    def test_behaviours_of_image_extensions_and_the_default(
        self, made_for: conf.Settings, target: str
    ) -> None:
        config = new(made_for)
        behaviours = items(config, "CacheBehaviors")
        assert [behaviour["PathPattern"] for behaviour in behaviours] == PATTERNS
        for behaviour in [*behaviours, config["DefaultCacheBehavior"]]:
            assert behaviour["TargetOriginId"] == target
            assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
            assert sorted(behaviour["AllowedMethods"]["Items"]) == ["GET", "HEAD"]
            assert behaviour["Compress"] is False
            assert (behaviour["CachePolicyId"], behaviour["ResponseHeadersPolicyId"]) == (
                "cache-id",
                "headers-id",
            )
            assert "ForwardedValues" not in behaviour

    def test_errors_are_kept_for_a_second_at_most(self) -> None:
        entries = items(new(), "CustomErrorResponses")
        assert {entry["ErrorCode"]: entry["ErrorCachingMinTTL"] for entry in entries} == {
            403: 0,
            404: 0,
            500: 1,
            501: 1,
            502: 1,
            503: 1,
            504: 1,
        }
        assert {entry["ResponsePagePath"] for entry in entries} == {""}

    def test_a_domain_of_one_s_own_needs_a_certificate(self) -> None:
        config = new(alias="cdn.example", certificate=ARN)
        assert config["Aliases"] == {"Quantity": 1, "Items": ["cdn.example"]}
        assert config["ViewerCertificate"] == {
            "CloudFrontDefaultCertificate": False,
            "ACMCertificateArn": ARN,
            "SSLSupportMethod": "sni-only",
            "MinimumProtocolVersion": "TLSv1.2_2021",
        }
        with pytest.raises(Conflict, match=r"cdn\.example.*certificate.*us-east-1.*--certificate"):
            new(alias="cdn.example")


class TestAgain:
    """A second run changes nothing, whatever CloudFront has added meanwhile."""

    @pytest.mark.parametrize("made_for", [REDIRECT, FAILOVER])
    @pytest.mark.parametrize("alias", ["", "cdn.example"])
    def test_of_what_we_created(self, made_for: conf.Settings, alias: str) -> None:
        answered = answer(new(made_for, alias=alias, certificate=ARN))
        assert merged(answered, made_for, alias=alias, certificate=ARN) == answered
        assert merged(answered, made_for, alias=alias) == answered

    @pytest.mark.parametrize("made_for", [REDIRECT, FAILOVER])
    def test_of_what_somebody_else_created(self, made_for: conf.Settings) -> None:
        answered = answer(merged(FOREIGN, made_for, owned=False))
        assert merged(answered, made_for, owned=False) == answered

    @pytest.mark.parametrize("version", ["HTTP2AND3", "http2and3", "HTTP2and3"])
    def test_however_the_version_of_http_is_spelt(self, version: str) -> None:
        answered = answer(new()) | {"HttpVersion": version}
        assert merged(answered) == answered

    def test_with_an_empty_text_left_out(self) -> None:
        answered = answer(new(FAILOVER))
        del by_id(answered, "lazyimages-bucket")["OriginPath"]
        by_id(answered, "lazyimages-bucket")["S3OriginConfig"] = {"OriginAccessIdentity": ""}
        assert merged(answered, FAILOVER) == answered

    def test_what_somebody_added_to_our_parts_stays(self) -> None:
        answered = answer(new(FAILOVER))
        by_id(answered, "lazyimages-bucket")["OriginShield"] = {
            "Enabled": True,
            "OriginShieldRegion": "eu-central-1",
        }
        headers = by_id(answered, "lazyimages-resizer")["CustomHeaders"]
        headers |= {
            "Quantity": 2,
            "Items": [*headers["Items"], {"HeaderName": "X-Via", "HeaderValue": "cdn"}],
        }
        function = {"FunctionARN": "arn:aws:cloudfront::1:function/f", "EventType": "viewer-request"}
        behaviour = items(answered, "CacheBehaviors")[0]
        behaviour["FunctionAssociations"] = {"Quantity": 1, "Items": [function]}
        answered |= {"PriceClass": "PriceClass_100", "Comment": "images", "WebACLId": "acl"}
        assert merged(answered, FAILOVER) == answered


class TestDrift:
    @pytest.mark.parametrize("made_for", [REDIRECT, FAILOVER])
    def test_of_our_parts_is_undone(self, made_for: conf.Settings) -> None:
        right = answer(new(made_for))
        wrong = copy.deepcopy(right)
        wrong |= {"Enabled": False, "HttpVersion": "http1.1", "IsIPV6Enabled": False}
        wrong["DefaultCacheBehavior"]["Compress"] = True
        behaviours = items(wrong, "CacheBehaviors")
        behaviours[0]["CachePolicyId"] = "658327ea-f89d-4fab-a63d-7e88639e58f6"
        behaviours[1]["OriginRequestPolicyId"] = "216adef6-5c7f-47e4-b989-5492eafa07d3"
        wrong["CacheBehaviors"] = {"Quantity": 5, "Items": behaviours[:5]}
        wrong["CustomErrorResponses"] = {"Quantity": 0}
        by_id(wrong, "lazyimages-bucket")["OriginPath"] = "/old"
        assert answer(merged(wrong, made_for)) == right

    def test_old_ttls_make_way_for_the_cache_policy(self) -> None:
        right = answer(new())
        wrong = copy.deepcopy(right)
        del wrong["DefaultCacheBehavior"]["CachePolicyId"]
        legacy = {"ForwardedValues": {"QueryString": True, "Cookies": {"Forward": "all"}}, "MinTTL": 0}
        wrong["DefaultCacheBehavior"] |= legacy | {"DefaultTTL": 86400, "MaxTTL": 31536000}
        assert merged(wrong) == right

    def test_the_order_of_the_group_s_members_counts(self) -> None:
        right = answer(new(FAILOVER))
        wrong = copy.deepcopy(right)
        items(wrong, "OriginGroups")[0]["Members"]["Items"].reverse()
        assert merged(wrong, FAILOVER) == right

    @pytest.mark.parametrize("secret", [None, "other"])
    def test_another_secret_takes_the_place_of_the_first(self, secret: str | None) -> None:
        answered = answer(new(FAILOVER))
        headers = by_id(answered, "lazyimages-resizer")["CustomHeaders"]
        headers["Items"][0]["HeaderName"] = "x-lazyimages-secret"
        headers |= {"Quantity": 2, "Items": [{"HeaderName": "X-Via", "HeaderValue": "a"}, *headers["Items"]]}
        result = merged(answered, settings("failover", ORIGIN_SECRET=secret))
        headers = by_id(result, "lazyimages-resizer")["CustomHeaders"]
        values = {header["HeaderName"]: header["HeaderValue"] for header in headers["Items"]}
        assert values == {"X-Via": "a", **({"X-Lazyimages-Secret": secret} if secret else {})}
        assert headers["Quantity"] == len(values)

    def test_the_last_header_leaves_no_empty_list(self) -> None:
        result = merged(answer(new(FAILOVER)), settings("failover"))
        assert by_id(result, "lazyimages-resizer")["CustomHeaders"] == {"Quantity": 0}

    @pytest.mark.parametrize(("before", "after"), [(REDIRECT, FAILOVER), (FAILOVER, REDIRECT)])
    def test_the_other_delivery_takes_the_place_of_the_first(
        self, before: conf.Settings, after: conf.Settings
    ) -> None:
        assert answer(merged(answer(new(before)), after)) == answer(new(after))
        assert valid("DistributionConfig", merged(answer(new(before)), after))

    def test_a_new_bucket_takes_the_place_of_the_first(self) -> None:
        place = Place(bucket="paintings", region="us-east-1")
        result = converge.merge(answer(new()), place, REDIRECT, IDS, owned=True)
        assert by_id(result, "lazyimages-bucket")["DomainName"] == (
            "paintings.s3-website-us-east-1.amazonaws.com"
        )


class TestForeign:
    @pytest.mark.parametrize("made_for", [REDIRECT, FAILOVER])
    def test_all_of_theirs_is_kept(self, made_for: conf.Settings) -> None:
        result = merged(FOREIGN, made_for, owned=False)
        ours = {"Origins", "OriginGroups", "CacheBehaviors", "CustomErrorResponses"}
        assert {key: result[key] for key in result.keys() - ours} == {
            key: FOREIGN[key] for key in FOREIGN.keys() - ours
        }
        assert items(result, "Origins")[:2] == items(FOREIGN, "Origins")
        assert items(result, "CacheBehaviors")[0] == items(FOREIGN, "CacheBehaviors")[0]
        assert [entry["PathPattern"] for entry in items(result, "CacheBehaviors")[1:]] == PATTERNS
        assert valid("DistributionConfig", result)

    def test_their_pages_and_codes_are_kept_and_ours_stand_beside(self) -> None:
        entries = items(merged(FOREIGN, owned=False), "CustomErrorResponses")
        assert entries[:2] == items(FOREIGN, "CustomErrorResponses")[:2]
        seconds = {entry["ErrorCode"]: entry["ErrorCachingMinTTL"] for entry in entries}
        assert seconds == {404: 300, 414: 60, 503: 1, 403: 0, 500: 1, 501: 1, 502: 1, 504: 1}
        assert converge.pages(FOREIGN) == [404]

    def test_their_certificate_serves_our_alias_too(self) -> None:
        result = merged(FOREIGN, owned=False, alias="images.shop.example")
        assert result["Aliases"]["Items"] == ["www.shop.example", "shop.example", "images.shop.example"]
        assert result["Aliases"]["Quantity"] == 3
        assert result["ViewerCertificate"] == FOREIGN["ViewerCertificate"]

    def test_an_alias_that_is_there_stays_as_it_is_written(self) -> None:
        existing = {**FOREIGN, "Aliases": {"Quantity": 1, "Items": ["Shop.Example"]}}
        assert merged(existing, owned=False, alias="shop.example")["Aliases"] == existing["Aliases"]

    @pytest.mark.parametrize("pattern", ["*.png", "/*.jpg", "*", "/*"])
    def test_a_behaviour_that_takes_images_away_is_named(self, pattern: str) -> None:
        existing = copy.deepcopy(FOREIGN)
        items(existing, "CacheBehaviors")[0]["PathPattern"] = pattern
        with pytest.raises(Conflict) as raised:
            merged(existing, owned=False)
        assert repr(pattern) in str(raised.value)
        assert "'api'" in str(raised.value)

    def test_a_group_of_theirs_is_kept(self) -> None:
        group = copy.deepcopy(distribution.origin_groups(FAILOVER)[0])
        group |= {
            "Id": "site",
            "Members": {"Quantity": 2, "Items": [{"OriginId": "site"}, {"OriginId": "api"}]},
        }
        existing = {**FOREIGN, "OriginGroups": {"Quantity": 1, "Items": [group]}}
        assert [found["Id"] for found in items(merged(existing, FAILOVER, owned=False), "OriginGroups")] == [
            "site",
            "lazyimages",
        ]
        assert merged(existing, owned=False)["OriginGroups"] == existing["OriginGroups"]

    def lead_default(self, config: dict[str, Any]) -> str:
        config["DefaultCacheBehavior"]["TargetOriginId"] = "lazyimages"
        return "the default behaviour"

    def lead_behaviour(self, config: dict[str, Any]) -> str:
        items(config, "CacheBehaviors")[0]["TargetOriginId"] = "lazyimages-resizer"
        return "the behaviour 'api/*'"

    def lead_group(self, config: dict[str, Any]) -> str:
        group = copy.deepcopy(items(config, "OriginGroups")[0]) | {"Id": "theirs"}
        config["OriginGroups"] = {"Quantity": 2, "Items": [*items(config, "OriginGroups"), group]}
        return "the origin group 'theirs'"

    @pytest.mark.parametrize("lead", [lead_default, lead_behaviour, lead_group])
    def test_what_of_theirs_leads_to_an_origin_that_is_to_go_is_named(
        self, lead: Callable[[Any, dict[str, Any]], str]
    ) -> None:
        config = answer(merged(FOREIGN, FAILOVER, owned=False))
        who = lead(self, config)
        with pytest.raises(Conflict) as raised:
            merged(config, REDIRECT, owned=False)
        assert who in str(raised.value)


class TestShown:
    def test_no_secret_is_shown(self) -> None:
        config = merged(FOREIGN, FAILOVER, owned=False)
        text = str(converge.shown(config, FAILOVER))
        assert "hush" not in text
        assert "their-secret" not in text
        assert "(as in ORIGIN_SECRET)" in text
        assert "(not shown)" in text

    @pytest.mark.parametrize("secret", ["rotated", None])
    def test_another_secret_is_told_apart(self, secret: str | None) -> None:
        text = str(converge.shown(new(FAILOVER), settings("failover", ORIGIN_SECRET=secret)))
        assert "(another value)" in text
        assert "hush" not in text

    def test_all_else_is(self) -> None:
        assert converge.shown(new(), REDIRECT) == new()
