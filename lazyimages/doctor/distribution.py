"""Examine the CloudFront distribution: what it reads, what it keeps, and when it asks the resizer."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from lazyimages.aws import cdn, distribution
from lazyimages.aws.cdn import Distribution
from lazyimages.aws.documents import Conflict, Document
from lazyimages.conf import SECRET_HEADER
from lazyimages.doctor.case import Case
from lazyimages.doctor.examination import Examination, Seen
from lazyimages.doctor.findings import finding
from lazyimages.doctor.kinds import Finding, Severity

_DELIVERIES = ("redirect", "failover")
_CODES = {403, 404}
_SERVER_ERRORS = (500, 502, 503, 504)
_DAY = 86_400  # CloudFront API, DefaultCacheBehavior: the default TTL of a behaviour without a cache policy
_UNSET = 10  # CloudFront developer guide, "Control how long CloudFront caches errors": seconds
_DOMAINS = (".cloudfront.net", ".cloudfront.cn")


def _look(case: Case) -> Iterator[Seen]:
    settings = case.settings
    try:
        found = case.distribution
    except Conflict as error:
        if not settings.distribution_id:
            raise
        yield finding("cdn-missing", f"{error}.")
        return
    if found is None:
        host, bucket = urlsplit(settings.cdn_url).hostname, case.place.bucket
        what = f"None has the domain or alias {host}, or the tag of {bucket!r}."
        # A host of one's own may be that of another CDN, which will do before a website endpoint.
        maybe = settings.delivery == "redirect" and bool(cdn.alias(settings))
        severity: Severity | None = "warning" if maybe else None
        assert case.variants is not None
        if not case.has(case.variants, "cloudfront"):
            what = "The storage has an endpoint_url that is not AWS's: CloudFront was not asked."
            severity = "note"
        yield finding("cdn-missing", what, severity=severity)
        return
    yield f"{found.id}, {found.domain}"
    if not found.config.get("Enabled"):
        yield finding("cdn-disabled", f"The distribution {found.id} is disabled.")
    if found.status != "Deployed":
        yield finding("cdn-deploying", f"The distribution {found.id} is {found.status}.", id=found.id)
    yield from _names(case, found)


def _names(case: Case, found: Distribution) -> Iterator[Seen]:
    host = (urlsplit(case.settings.cdn_url).hostname or "").lower()
    names = {
        found.domain.lower(),
        *(name.lower() for name in found.config.get("Aliases", {}).get("Items", [])),
    }
    if host in names or any(distribution.serves(name, host) for name in names):
        return
    if cdn.alias(case.settings) or host.endswith(_DOMAINS):
        what = f"CDN_URL leads to {host}; the distribution {found.id} has {', '.join(sorted(names))}."
        yield finding("cdn-url-other", what, domain=found.domain)
    else:
        yield f"CDN_URL leads to {host}, which stands in for it"


def _look_at_origins(case: Case) -> Iterator[Seen]:
    found = case.distribution
    assert found is not None
    target = _behaviour(case, found.config)["TargetOriginId"]
    origins = {origin["Id"]: origin for origin in _items(found.config, "Origins")}
    if case.settings.delivery == "redirect":
        yield from _website_origin(case, origins.get(target, {}))
        return
    groups = {group["Id"]: group for group in _items(found.config, "OriginGroups")}
    if target not in groups:
        yield finding("cdn-no-failover", f"Images come from the origin {target!r}, which is no origin group.")
        yield from _first_origin(case, origins.get(target, {}))
        return
    codes = set(_items(groups[target]["FailoverCriteria"], "StatusCodes"))
    if missing := sorted(_CODES - codes):
        yield finding("cdn-no-failover", f"The origin group does not ask the resizer on {_listed(missing)}.")
    first, second = (origins[member["OriginId"]] for member in _items(groups[target], "Members"))
    yield from _first_origin(case, first)
    yield from _second_origin(case, second)


def _website_origin(case: Case, origin: Document) -> Iterator[Finding]:
    host = str(origin.get("DomainName", "")).lower()
    if host == case.place.website_host.lower():
        return
    if _is_bucket(host, case) or "S3OriginConfig" in origin:
        yield finding("cdn-rest-endpoint", f"The origin is {host}, not {case.place.website_host}.")
    else:
        yield finding("cdn-other-origin", f"The origin is {host}, not {case.place.website_host}.")


def _first_origin(case: Case, origin: Document) -> Iterator[Finding]:
    host = str(origin.get("DomainName", "")).lower()
    if ".s3-website" in host:
        yield finding("cdn-website-endpoint", f"The first origin is {host}.")
    elif not _is_bucket(host, case):
        yield finding("cdn-other-origin", f"The first origin is {host}, not {case.place.rest_host}.")


def _second_origin(case: Case, origin: Document) -> Iterator[Finding]:
    settings = case.settings
    (wanted,) = (
        one
        for one in distribution.origins(case.place, settings, distribution.Ids(cache="", headers=""))
        if one["Id"] == distribution.RESIZER
    )
    seen, meant = _address(origin), _address(wanted)
    if seen != meant:
        yield finding("resizer-elsewhere", f"The second origin is {seen}, not {meant}.")
    if not settings.origin_secret:
        return
    headers = {one["HeaderName"].lower(): one["HeaderValue"] for one in _items(origin, "CustomHeaders")}
    value = headers.get(SECRET_HEADER.lower())
    if value is None:
        yield finding("cdn-secret", f"The second origin gets no {SECRET_HEADER}.")
    elif value != settings.origin_secret:
        yield finding("cdn-secret", f"{SECRET_HEADER} is another value than ORIGIN_SECRET.")


def _is_bucket(host: str, case: Case) -> bool:
    """Tell whether a host is the bucket's in the S3 API, in one of its forms."""
    place = case.place
    region_and_without = (
        f".s3.{place.region}",
        f".s3-{place.region}",
        f".s3.dualstack.{place.region}",
        ".s3",
    )
    return host in {f"{place.bucket}{form}.{place.suffix}".lower() for form in region_and_without}


def _address(origin: Document) -> str:
    custom = origin.get("CustomOriginConfig", {})
    plain = custom.get("OriginProtocolPolicy") == "http-only"
    port = custom.get("HTTPPort" if plain else "HTTPSPort")
    usual = port in (None, 80 if plain else 443)
    path = origin.get("OriginPath", "")
    host = str(origin.get("DomainName", "")).lower()
    return f"{'http' if plain else 'https'}://{host}{'' if usual else f':{port}'}{path}"


def _look_at_keeping(case: Case) -> Iterator[Seen]:
    found = case.distribution
    assert found is not None
    if case.settings.delivery == "redirect":
        least, usual = _ttls(case, _behaviour(case, found.config))
        if least > 0 or usual > 0:
            what = f"The minimum TTL is {least} s and the default TTL {usual} s."
            yield finding("cdn-keeps-redirects", what, id=found.id)
    kept = {
        one["ErrorCode"]: one.get("ErrorCachingMinTTL", _UNSET)
        for one in _items(found.config, "CustomErrorResponses")
    }
    longer = [
        f"{code} for {kept.get(code, _UNSET)} s" for code in _SERVER_ERRORS if kept.get(code, _UNSET) > 1
    ]
    if longer:
        yield finding("cdn-keeps-errors", f"It keeps {', '.join(longer)}.")


def _ttls(case: Case, behaviour: Document) -> tuple[int, int]:
    """Return minimum and default TTL in seconds, also of a behaviour in the older form (ForwardedValues)."""
    policy = behaviour.get("CachePolicyId")
    if not policy:
        return behaviour.get("MinTTL", 0), behaviour.get("DefaultTTL", _DAY)
    assert case.variants is not None
    answer = case.client(case.variants, "cloudfront").get_cache_policy(Id=policy)
    config = answer["CachePolicy"]["CachePolicyConfig"]
    return config["MinTTL"], config.get("DefaultTTL", _DAY)


def _behaviour(case: Case, config: Document) -> Document:
    """Return the behaviour that a variant of a JPEG is served by: the first whose pattern fits its path."""
    path = f"/{next(iter(case.settings.whitelist))}/probe.jpg"
    for behaviour in _items(config, "CacheBehaviors"):
        pattern = "/" + behaviour["PathPattern"].removeprefix("/")
        if fnmatchcase(path, pattern):
            found: Document = behaviour
            return found
    default: Document = config["DefaultCacheBehavior"]
    return default


def _items(document: Document, name: str) -> list[Any]:
    found: list[Any] = document.get(name, {}).get("Items", [])
    return found


def _listed(codes: list[int]) -> str:
    return " and ".join(map(str, codes))


_UNLESS = ("credentials", "cdn-missing")
EXAMINATION = Examination(name="CDN", look=_look, unless=("credentials",), deliveries=_DELIVERIES)
ORIGINS = Examination(name="CDN: origins", look=_look_at_origins, unless=_UNLESS, deliveries=_DELIVERIES)
KEEPING = Examination(
    name="CDN: what it keeps", look=_look_at_keeping, unless=_UNLESS, deliveries=_DELIVERIES
)
