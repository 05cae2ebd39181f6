"""What CloudFront is given, as pure values in the shape of its API: policies, origins, behaviours.

Ours are the cache policy, response headers policy and origin access control called `name(bucket)`, the
origins `BUCKET` and `RESIZER`, the origin group `GROUP`, and the behaviours of `PATTERNS` that lead to them.
"""

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from lazyimages import formats
from lazyimages.aws.documents import Conflict, Document
from lazyimages.conf import SECRET_HEADER, Settings

BUCKET = "lazyimages-bucket"
RESIZER = "lazyimages-resizer"
GROUP = "lazyimages"
TAG = "lazyimages"  # its value is the bucket's name

YEAR = 31_536_000
# The extensions that variants have: a key ends in the original's or in that of another format for browsers.
PATTERNS = tuple(
    f"*.{extension}" for output in formats.OUTPUTS for extension in formats.BY_NAME[output].extensions
)
# 403 or 404 is a missing variant, whichever of the two S3 says. The others are an S3 that fails: the app
# reads or makes what is asked for by itself, so that a hiccup shows a picture; while S3 is down for the app
# as well, it answers 503 without rendering anything.
FAILOVER_CODES = (403, 404, 500, 502, 503, 504)
# Seconds that CloudFront keeps an error whatever its headers say; without an entry 10. With 0 the resizer's
# own headers count (10 seconds for a missing original, 300 for an unknown size). 1 for what the server failed
# at, so that a crowd does not come down on a server in trouble.
ERROR_SECONDS = {403: 0, 404: 0, 500: 1, 501: 1, 502: 1, 503: 1, 504: 1}
_PREFLIGHT_SECONDS = 7200  # the most that Chromium keeps an answer to a preflight
_LONGEST_NAME = 64  # CloudFront API, OriginAccessControlConfig: "between 1 and 64 characters"

# S3 user guide, "Website endpoints", with the table in the AWS general reference: these have a dash before
# the region, all others a dot.
_DASHED = frozenset(
    {
        "ap-northeast-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "eu-west-1",
        "sa-east-1",
        "us-east-1",
        "us-gov-west-1",
        "us-west-1",
        "us-west-2",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the variants are: a bucket, its region, and the partition ("aws", "aws-cn")."""

    bucket: str
    region: str
    partition: str = "aws"

    @property
    def suffix(self) -> str:
        """The end of AWS's host names in this partition."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    @property
    def website_host(self) -> str:
        """The host of the bucket's website endpoint."""
        separator = "-" if self.region in _DASHED else "."
        return f"{self.bucket}.s3-website{separator}{self.region}.{self.suffix}"

    @property
    def rest_host(self) -> str:
        """The host of the bucket in the S3 API."""
        return f"{self.bucket}.s3.{self.region}.{self.suffix}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ids:
    """The ids of our policies and, in failover delivery, of our origin access control."""

    cache: str
    headers: str
    access: str = ""


def name(bucket: str) -> str:
    """Return what our policies are called: `lazyimages-<bucket>`.

    Policies are called by letters, digits, `-` and `_` alone; a name with other characters, or over 64, is
    cut and ends in a digest of the bucket's.
    """
    full = f"lazyimages-{bucket}"
    if len(full) <= _LONGEST_NAME and re.fullmatch(r"[\w-]+", full, re.ASCII):
        return full
    digest = hashlib.sha256(bucket.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_-]', '-', full)[: _LONGEST_NAME - 9]}-{digest}"


def cache_policy(bucket: str) -> Document:
    """Return the CachePolicyConfig: the origin's headers count, up to a year, and the path alone is the key.

    The least TTL is 0, or a 307 of S3 would be kept that long, and send browsers in a circle.
    """
    return {
        "Name": name(bucket),
        "Comment": "lazyimages: as long as the origin says, and without query, cookies and headers",
        "MinTTL": 0,
        "DefaultTTL": 0,
        "MaxTTL": YEAR,
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": False,
            "EnableAcceptEncodingBrotli": False,
            "HeadersConfig": {"HeaderBehavior": "none"},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "none"},
        },
    }


def headers_policy(bucket: str, origins: tuple[str, ...]) -> Document:
    """Return the ResponseHeadersPolicyConfig: nosniff, and CORS for origins of pages.

    Cache-Control is not in it: an image is immutable only where the object says so.
    """
    policy: Document = {
        "Name": name(bucket),
        "Comment": "lazyimages: nosniff, and CORS for the site",
        "SecurityHeadersConfig": {"ContentTypeOptions": {"Override": True}},
    }
    if origins:
        policy["CorsConfig"] = {
            "AccessControlAllowOrigins": _items(list(origins)),
            "AccessControlAllowHeaders": _items(["*"]),
            "AccessControlAllowMethods": _items(["GET", "HEAD"]),
            "AccessControlAllowCredentials": False,
            "AccessControlMaxAgeSec": _PREFLIGHT_SECONDS,
            "OriginOverride": True,
        }
    return policy


def access_control(bucket: str) -> Document:
    """Return the OriginAccessControlConfig: CloudFront signs every request to the private bucket."""
    return {
        "Name": name(bucket),
        "Description": "lazyimages: CloudFront reads the variants",
        "SigningProtocol": "sigv4",
        "SigningBehavior": "always",
        "OriginAccessControlOriginType": "s3",
    }


def origins(place: Place, settings: Settings, ids: Ids) -> list[Document]:
    """Return our origins: the website endpoint, or the bucket and the resizer.

    `Conflict` when failover has no path to the resizer.
    """
    if settings.delivery == "redirect":
        return [_website(place)]
    return [_private_bucket(place, ids), _resizer(settings)]


def origin_groups(settings: Settings) -> list[Document]:
    """Return our origin group, which asks the resizer for what the bucket has not; none in redirect.

    A redirect of the first origin goes to the visitor as it is: routing rules or a group, never both.
    """
    if settings.delivery == "redirect":
        return []
    return [
        {
            "Id": GROUP,
            "FailoverCriteria": {"StatusCodes": _items(list(FAILOVER_CODES))},
            "Members": _items([{"OriginId": BUCKET}, {"OriginId": RESIZER}]),
        }
    ]


def behaviour(settings: Settings, ids: Ids) -> Document:
    """Return how variants are served: the default behaviour, or one of a pattern without its PathPattern."""
    return {
        "TargetOriginId": BUCKET if settings.delivery == "redirect" else GROUP,
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": {**_items(["HEAD", "GET"]), "CachedMethods": _items(["HEAD", "GET"])},
        "Compress": False,  # image formats are compressed already
        "CachePolicyId": ids.cache,
        "ResponseHeadersPolicyId": ids.headers,
    }


def behaviours(settings: Settings, ids: Ids) -> list[Document]:
    """Return the behaviours of image extensions, in order.

    CloudFront's patterns are case-sensitive, so `.JPG` is left to the default behaviour.
    """
    return [{"PathPattern": pattern, **behaviour(settings, ids)} for pattern in PATTERNS]


def error_responses() -> list[Document]:
    """Return how long errors are kept, by their code; no page is shown in place of them."""
    return [{"ErrorCode": code, "ErrorCachingMinTTL": seconds} for code, seconds in ERROR_SECONDS.items()]


def serves(alias: str, host: str) -> bool:
    """Tell whether an alias stands for a host; `*.shop.example` does for all hosts below it.

    Source: CloudFront developer guide, "Use wildcards in alternate domain names".
    """
    alias, host = alias.lower(), host.lower()
    return alias == host or (alias.startswith("*.") and host.endswith(alias[1:]))


def certificate(arn: str) -> Document:
    """Return the ViewerCertificate of an ACM certificate: by server name (SNI), TLS 1.2 and newer."""
    return {
        "CloudFrontDefaultCertificate": False,
        "ACMCertificateArn": arn,
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2021",
    }


def comment(bucket: str) -> str:
    """Return the comment of a distribution that we create."""
    return f"lazyimages: {bucket}"


def read_timeout(render_wait: float) -> int:
    """Return how many seconds CloudFront waits for the resizer: 20 more than RENDER_WAIT, from 30 to 60.

    A request may wait RENDER_WAIT for its turn, and then has to be read, made and stored. Were CloudFront to
    give up before, it would ask again for what is still being made, and visitors would get its 504 instead of
    the resizer's 503. 30 is its default, and 60 what every account may set.
    """
    return min(60, max(30, round(render_wait) + 20))


def _website(place: Place) -> Document:
    """The website endpoint, which speaks HTTP alone and takes no signed requests."""
    return {
        "Id": BUCKET,
        "DomainName": place.website_host,
        "OriginPath": "",
        "CustomOriginConfig": {
            "HTTPPort": 80,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "http-only",
            "OriginSslProtocols": _items(["TLSv1.2"]),
        },
    }


def _private_bucket(place: Place, ids: Ids) -> Document:
    return {
        "Id": BUCKET,
        "DomainName": place.rest_host,
        "OriginPath": "",
        "S3OriginConfig": {"OriginAccessIdentity": ""},  # empty beside an origin access control
        "OriginAccessControlId": ids.access,
    }


def _resizer(settings: Settings) -> Document:
    """The app; its path is that of failover's and local delivery's URLs, `/v` beside `/resizer`."""
    url = urlsplit(settings.resizer_url)
    prefix, _, last = url.path.rpartition("/")
    if last != "resizer":
        raise Conflict(
            f"RESIZER_URL is {settings.resizer_url!r}; in failover, CloudFront asks for /v in its place, so "
            'it has to end in /resizer, as in "https://shop.example/images/resizer"'
        )
    plain = url.scheme == "http"
    return {
        "Id": RESIZER,
        "DomainName": url.hostname or "",
        "OriginPath": f"{prefix}/v",
        "CustomHeaders": _items(
            [{"HeaderName": SECRET_HEADER, "HeaderValue": settings.origin_secret}]
            if settings.origin_secret
            else []
        ),
        "CustomOriginConfig": {
            "HTTPPort": (plain and url.port) or 80,
            "HTTPSPort": (not plain and url.port) or 443,
            "OriginProtocolPolicy": "http-only" if plain else "https-only",
            "OriginSslProtocols": _items(["TLSv1.2"]),
            "OriginReadTimeout": read_timeout(settings.render_wait),
        },
    }


def _items(values: list[str] | list[int] | list[Document]) -> Document:
    """Return a list as CloudFront writes it; an empty one has no Items."""
    return {"Quantity": len(values), "Items": values} if values else {"Quantity": 0}
