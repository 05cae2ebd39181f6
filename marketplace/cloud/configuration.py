"""From the documents of a distribution to what it does: behaviours, cache policies, error caching.

Source: "DistributionConfig", "CacheBehavior", "CachePolicyConfig" (CloudFront API Reference). No effect
here, as viewers come over plain HTTP on 127.0.0.1: ViewerProtocolPolicy, certificate, aliases, HTTP versions,
IPv6, price class; and Compress and the cache key's EnableAcceptEncoding..., because CloudFront compresses no
photos ("Serve compressed files": its list of types).
Everything else that is not implemented is a ConfigurationFault.
"""

from collections.abc import Mapping
from typing import Any

from marketplace.cloud.backends import Backends, origin_of
from marketplace.cloud.cache import Cache307, CachePolicy
from marketplace.cloud.cdn import ANY_PATH, UNCHANGED, Behaviour, Setup
from marketplace.cloud.documents import Document, Documents, behaviours_of, refuse_unknown
from marketplace.cloud.messages import ConfigurationFault
from marketplace.cloud.origins import Origin
from marketplace.cloud.response_headers import parse_response_headers

DISTRIBUTION = {
    *("Enabled", "Origins", "OriginGroups", "CacheBehaviors", "DefaultCacheBehavior", "CustomErrorResponses"),
    *(
        "CallerReference",
        "Comment",
        "Aliases",
        "ViewerCertificate",
        "PriceClass",
        "HttpVersion",
        "IsIPV6Enabled",
    ),
    *("Restrictions", "ConnectionMode"),
}
BEHAVIOUR = {
    *("PathPattern", "TargetOriginId", "CachePolicyId", "ResponseHeadersPolicyId", "AllowedMethods"),
    *("ViewerProtocolPolicy", "Compress"),
}
CACHE_POLICY = {
    "Name",
    "Comment",
    "MinTTL",
    "DefaultTTL",
    "MaxTTL",
    "ParametersInCacheKeyAndForwardedToOrigin",
}
CACHE_KEY = {
    *("HeadersConfig", "CookiesConfig", "QueryStringsConfig"),
    *("EnableAcceptEncodingGzip", "EnableAcceptEncodingBrotli"),
}
ERROR_RESPONSE = {"ErrorCode", "ErrorCachingMinTTL"}
DEFAULT_TTL = 86_400  # CachePolicyConfig: "The default value for this field is 86400 seconds"
MAX_TTL = 31_536_000


def parse_setup(documents: Documents, backends: Backends, *, cache_307: Cache307) -> Setup:
    """Read a distribution's documents. Raise ConfigurationFault for what the emulator cannot do."""
    config = documents.config
    refuse_unknown(config, DISTRIBUTION, "a distribution")
    _refuse_restrictions(config)
    origins = backends.origins(config, arn=documents.arn, access_controls=documents.access_controls)
    errors = _error_ttls(config)
    return Setup(
        enabled=config["Enabled"],
        behaviours=tuple(
            _behaviour(one, documents, origins, errors, cache_307) for one in behaviours_of(config)
        ),
    )


def _behaviour(
    raw: Document,
    documents: Documents,
    origins: Mapping[str, Origin],
    errors: Mapping[int, int],
    cache_307: Cache307,
) -> Behaviour:
    refuse_unknown(raw, BEHAVIOUR, "a cache behavior")
    if not raw.get("CachePolicyId"):
        raise ConfigurationFault("The emulator wants a CachePolicyId in each cache behavior")
    methods = raw.get("AllowedMethods") or {"Items": ("GET", "HEAD")}
    if "OPTIONS" in methods.get("CachedMethods", {}).get("Items", ()):
        raise ConfigurationFault("The emulator does not cache answers to OPTIONS")
    policy = documents.cache_policies[raw["CachePolicyId"]]
    refuse_unknown(policy, CACHE_POLICY, "a cache policy")
    added = raw.get("ResponseHeadersPolicyId")
    return Behaviour(
        pattern=raw.get("PathPattern", ANY_PATH),
        origin=origin_of(origins, raw["TargetOriginId"]),
        policy=CachePolicy(
            min_ttl=policy["MinTTL"],
            default_ttl=policy.get("DefaultTTL", DEFAULT_TTL),
            max_ttl=policy.get("MaxTTL", MAX_TTL),
            error_min_ttl=errors,
            cache_307=cache_307,
        ),
        methods=tuple(methods["Items"]),
        forwards_query=_forwards_query(policy.get("ParametersInCacheKeyAndForwardedToOrigin") or {}),
        headers=parse_response_headers(documents.response_headers[added]) if added else UNCHANGED,
    )


def _forwards_query(parameters: Mapping[str, Any]) -> bool:
    refuse_unknown(parameters, CACHE_KEY, "a cache policy")
    headers = parameters.get("HeadersConfig", {}).get("HeaderBehavior", "none")
    cookies = parameters.get("CookiesConfig", {}).get("CookieBehavior", "none")
    query = parameters.get("QueryStringsConfig", {}).get("QueryStringBehavior", "none")
    if (headers, cookies) != ("none", "none") or query not in ("none", "all"):
        raise ConfigurationFault(
            "The emulator does not implement a cache key with "
            f"headers: {headers}, cookies: {cookies}, query strings: {query}"
        )
    return bool(query == "all")


def _error_ttls(config: Document) -> dict[int, int]:
    found = {}
    for one in (config.get("CustomErrorResponses") or {}).get("Items") or ():
        refuse_unknown(one, ERROR_RESPONSE, "a custom error response")
        if "ErrorCachingMinTTL" in one:
            found[one["ErrorCode"]] = one["ErrorCachingMinTTL"]
    return found


def _refuse_restrictions(config: Document) -> None:
    geography = (config.get("Restrictions") or {}).get("GeoRestriction") or {}
    if geography.get("RestrictionType", "none") != "none":
        raise ConfigurationFault("The emulator does not implement GeoRestriction")
