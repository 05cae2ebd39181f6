"""Response headers policies, as CloudFront applies them."""

from typing import Any

import pytest

from marketplace.cloud.messages import Answer, ConfigurationFault, Request
from marketplace.cloud.response_headers import parse_response_headers


def applied(config: dict[str, Any], *, method: str = "GET", origin: str | None = None, **sent: str) -> Any:
    """Return the headers that a viewer gets of an answer with the headers `sent`."""
    headers = {name.replace("_", "-"): value for name, value in sent.items()}
    request = Request(method=method, path="/", origin=origin)
    policy = parse_response_headers({"Name": "policy"} | config)
    return policy.apply(Answer(status=200, headers=headers), request).headers


def cors(*origins: str, override: bool = True, **extra: Any) -> dict[str, Any]:
    return {
        "CorsConfig": {
            "AccessControlAllowOrigins": {"Items": list(origins)},
            "AccessControlAllowMethods": {"Items": ["GET", "HEAD"]},
            "AccessControlAllowHeaders": {"Items": ["*"]},
            "AccessControlAllowCredentials": False,
            "OriginOverride": override,
        }
        | extra
    }


def test_an_empty_policy_changes_nothing() -> None:
    assert applied({}, ETag='"one"') == {"ETag": '"one"'}


@pytest.mark.parametrize("override, value", [(True, "nosniff"), (False, "its own")])
def test_a_header_of_the_origin_stays_unless_overridden(override: bool, value: str) -> None:
    config = {"SecurityHeadersConfig": {"ContentTypeOptions": {"Override": override}}}

    assert applied(config) == {"X-Content-Type-Options": "nosniff"}
    assert applied(config, x_content_type_options="its own") in (
        {"X-Content-Type-Options": value},
        {"x-content-type-options": value},
    )


def test_every_security_header() -> None:
    transport = {"AccessControlMaxAgeSec": 60, "IncludeSubdomains": True, "Preload": True}
    config = {
        "FrameOptions": {"FrameOption": "DENY"},
        "ReferrerPolicy": {"ReferrerPolicy": "same-origin"},
        "ContentSecurityPolicy": {"ContentSecurityPolicy": "default-src 'none'"},
        "StrictTransportSecurity": transport,
    }
    sections = {name: value | {"Override": True} for name, value in config.items()}

    assert applied({"SecurityHeadersConfig": sections}) == {
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Content-Security-Policy": "default-src 'none'",
        "Strict-Transport-Security": "max-age=60; includeSubDomains; preload",
    }


def test_headers_are_added_and_removed() -> None:
    config = {
        "CustomHeadersConfig": {"Items": [{"Header": "X-Own", "Value": "1", "Override": True}]},
        "RemoveHeadersConfig": {"Items": [{"Header": "Server"}]},
    }
    assert applied(config, server="moto", ETag="x") == {"X-Own": "1", "ETag": "x"}


@pytest.mark.parametrize(
    "allowed, origin, value",
    [
        ("*", "https://a.example", "*"),
        ("https://a.example", "https://a.example", "https://a.example"),
        ("https://*.example", "https://a.example", "https://a.example"),
        ("https://a.example", "https://b.example", None),
        ("https://a.example", None, None),
        ("*", None, None),
    ],
)
def test_cors_is_for_the_origins_that_are_named(allowed: str, origin: str | None, value: str | None) -> None:
    headers = applied(cors("https://other.example", allowed), origin=origin)
    assert headers == ({} if value is None else {"Access-Control-Allow-Origin": value})


def test_a_preflight_gets_methods_headers_and_age_too() -> None:
    config = cors("*", AccessControlMaxAgeSec=600, AccessControlExposeHeaders={"Items": ["ETag"]})

    assert applied(config, method="OPTIONS", origin="https://a.example") == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD",
        "Access-Control-Allow-Headers": "*",
        "Access-Control-Expose-Headers": "ETag",
        "Access-Control-Max-Age": "600",
    }


def test_cors_without_override_leaves_the_origins_own() -> None:
    config, own = cors("*", override=False), {"access_control_allow_origin": "https://own.example"}
    assert applied(config, origin="https://a.example", **own) == {
        "access-control-allow-origin": "https://own.example"
    }


@pytest.mark.parametrize(
    "config, name",
    [
        ({"ServerTimingHeadersConfig": {"Enabled": True, "SamplingRate": 5}}, "ServerTimingHeadersConfig"),
        (
            {"SecurityHeadersConfig": {"XSSProtection": {"Override": True, "Protection": True}}},
            "XSSProtection",
        ),
    ],
)
def test_what_is_not_emulated_is_named(config: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigurationFault, match=name):
        parse_response_headers(config)
