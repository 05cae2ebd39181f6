"""From the origins of a DistributionConfig to origins that answer: buckets, and servers of this machine.

Source: "Origin", "CustomOriginConfig", "OriginGroup" (CloudFront API Reference). What it cannot do is a
ConfigurationFault, but a server elsewhere is what CloudFront says of one that it cannot find: nothing here
ever asks another machine.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import urllib3

from marketplace.cloud.buckets import Bucket, MissingStatus, View
from marketplace.cloud.documents import refuse_unknown
from marketplace.cloud.messages import ConfigurationFault
from marketplace.cloud.origins import (
    Below,
    CustomOrigin,
    Origin,
    OriginGroup,
    RequestLog,
    RestEndpoint,
    Unreachable,
    WebsiteEndpoint,
    make_pool,
)
from marketplace.cloud.policy import anonymous, cloudfront
from marketplace.cloud.website import LocationEncoding

LOOPBACK = ("127.0.0.1", "localhost")
# "Website endpoints" (S3 User Guide): s3-website-REGION in older regions, s3-website.REGION in newer ones.
WEBSITE = re.compile(r"(?P<bucket>.+)\.s3-website[.-](?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")
# Without a region it is the global endpoint, which finds the bucket wherever it is.
REST = re.compile(r"(?P<bucket>.+)\.s3(\.(?P<region>[a-z0-9-]+))?\.amazonaws\.com(\.cn)?")
ORIGIN = {
    *("Id", "DomainName", "OriginPath", "CustomHeaders", "S3OriginConfig", "CustomOriginConfig"),
    *("OriginAccessControlId", "ConnectionAttempts", "ConnectionTimeout"),
}
S3_ORIGIN = {"OriginReadTimeout"}
CUSTOM_ORIGIN = {
    *("HTTPPort", "HTTPSPort", "OriginProtocolPolicy", "OriginSslProtocols"),
    *("OriginReadTimeout", "OriginKeepaliveTimeout", "IpAddressType"),
}
GROUP = {"Id", "FailoverCriteria", "Members", "SelectionCriteria"}


class Backends:
    """Makes origins; they share connections, and buckets by name."""

    def __init__(
        self,
        *,
        s3_endpoint: str,
        log: RequestLog,
        missing: MissingStatus,
        location_encoding: LocationEncoding,
        state_ttl: float,
    ) -> None:
        self.pool: urllib3.PoolManager = make_pool()
        self._s3_endpoint = s3_endpoint
        self._log = log
        self._missing: MissingStatus = missing
        self._location_encoding: LocationEncoding = location_encoding
        self._state_ttl = state_ttl
        self._buckets: dict[str, Bucket] = {}

    def bucket(self, name: str) -> Bucket:
        """Return a bucket, the same whenever the name is the same."""
        if name not in self._buckets:
            self._buckets[name] = Bucket(name, endpoint=self._s3_endpoint, state_ttl=self._state_ttl)
        return self._buckets[name]

    def forget_states(self) -> None:
        """Read the settings of all buckets anew at the next request."""
        for bucket in self._buckets.values():
            bucket.forget_state()

    def close(self) -> None:
        """Close all connections."""
        self.pool.clear()
        for bucket in self._buckets.values():
            bucket.close()

    def website(self, bucket: str, *, domain: str, region: str = "") -> WebsiteEndpoint:
        """Make a bucket's website endpoint."""
        view = View(bucket=self.bucket(bucket), caller=anonymous(), missing=self._missing)
        return WebsiteEndpoint(
            view=view,
            log=self._log,
            domain=domain,
            region=region,
            location_encoding=self._location_encoding,
        )

    def rest(self, bucket: str, *, reader: str | None, region: str = "") -> RestEndpoint:
        """Make a bucket's REST endpoint; `reader` is the ARN of a distribution that signs its requests."""
        caller = cloudfront(reader) if reader else anonymous(secure=True)
        view = View(bucket=self.bucket(bucket), caller=caller, missing=self._missing)
        return RestEndpoint(view=view, log=self._log, region=region)

    def origins(
        self, config: Mapping[str, Any], *, arn: str, access_controls: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Origin]:
        """Make the origins and origin groups of a DistributionConfig, by their ids."""
        single = {
            one["Id"]: self._origin(one, arn=arn, access_controls=access_controls)
            for one in config["Origins"]["Items"]
        }
        groups = (config.get("OriginGroups") or {}).get("Items") or ()
        return single | {one["Id"]: _group(one, single) for one in groups}

    def _origin(
        self, raw: Mapping[str, Any], *, arn: str, access_controls: Mapping[str, Mapping[str, Any]]
    ) -> Origin:
        refuse_unknown(raw, ORIGIN, "an origin")
        refuse_unknown(raw.get("CustomOriginConfig") or {}, CUSTOM_ORIGIN, "a custom origin")
        domain = raw["DomainName"]
        origin: Origin
        if found := WEBSITE.fullmatch(domain):
            origin = self._website_origin(raw, found["bucket"], found["region"])
        elif found := REST.fullmatch(domain):
            reader = arn if _signs(raw, access_controls) else None
            origin = self.rest(found["bucket"], reader=reader, region=found["region"] or "")
        else:
            return self._custom_origin(raw)
        path = raw.get("OriginPath")
        return Below(path=path, origin=origin) if path else origin

    def _website_origin(self, raw: Mapping[str, Any], bucket: str, region: str) -> Origin:
        if "CustomOriginConfig" not in raw:
            raise ConfigurationFault(f"{raw['DomainName']} is a website endpoint, which is a custom origin")
        if raw.get("OriginAccessControlId"):
            raise ConfigurationFault("A website endpoint takes no origin access control")
        if raw["CustomOriginConfig"]["OriginProtocolPolicy"] != "http-only":
            # "Website endpoints": they speak HTTP only. "match-viewer" is HTTPS behind redirect-to-https.
            return Unreachable(
                status=HTTPStatus.GATEWAY_TIMEOUT, reason="The origin's website endpoint speaks no HTTPS."
            )
        return self.website(bucket, domain=raw["DomainName"], region=region)

    def _custom_origin(self, raw: Mapping[str, Any]) -> Origin:
        domain, custom = raw["DomainName"], raw.get("CustomOriginConfig")
        if custom is None or domain.endswith((".amazonaws.com", ".amazonaws.com.cn")):
            raise ConfigurationFault(f"The emulator does not know the endpoint {domain}")
        if raw.get("OriginAccessControlId"):
            raise ConfigurationFault(f"The emulator signs no requests to {domain}")
        if domain not in LOOPBACK:
            return Unreachable(
                status=HTTPStatus.BAD_GATEWAY,
                reason=f"CloudFront wasn't able to resolve the origin domain name {domain}.",
            )
        # The emulated CDN's viewers come over HTTP, so that is what "match-viewer" means here.
        secure = custom["OriginProtocolPolicy"] == "https-only"
        scheme, port = ("https", custom["HTTPSPort"]) if secure else ("http", custom["HTTPPort"])
        headers = (raw.get("CustomHeaders") or {}).get("Items") or ()
        return CustomOrigin(
            url=f"{scheme}://{domain}:{port}{raw.get('OriginPath') or ''}",
            pool=self.pool,
            log=self._log,
            headers={one["HeaderName"]: one["HeaderValue"] for one in headers},
            attempts=raw.get("ConnectionAttempts", 3),
            connect_seconds=raw.get("ConnectionTimeout", 10),
            read_seconds=custom.get("OriginReadTimeout", 30),
        )


def origin_of(origins: Mapping[str, Origin], identifier: str) -> Origin:
    """Return an origin or a group by its id. Raise ConfigurationFault where CloudFront says NoSuchOrigin."""
    if identifier not in origins:
        raise ConfigurationFault(f"The distribution has no origin {identifier!r}")
    return origins[identifier]


def _signs(raw: Mapping[str, Any], access_controls: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether CloudFront signs its requests to a bucket (OriginAccessControlConfig, SigningBehavior)."""
    s3 = raw.get("S3OriginConfig") or {}
    if s3.get("OriginAccessIdentity"):
        raise ConfigurationFault("The emulator does not implement origin access identities")
    refuse_unknown(s3, S3_ORIGIN, "an S3 origin")
    identifier = raw.get("OriginAccessControlId")
    if not identifier:
        return False
    if "S3OriginConfig" not in raw:
        raise ConfigurationFault("An origin access control for S3 needs S3OriginConfig in its origin")
    control = access_controls[identifier]
    if control["OriginAccessControlOriginType"] != "s3":
        raise ConfigurationFault(f"The origin access control {identifier} is not for S3")
    return bool(control["SigningBehavior"] != "never")


def _group(raw: Mapping[str, Any], origins: Mapping[str, Origin]) -> OriginGroup:
    refuse_unknown(raw, GROUP, "an origin group")
    if raw.get("SelectionCriteria", "default") != "default":
        raise ConfigurationFault(
            f"The emulator does not implement SelectionCriteria {raw['SelectionCriteria']}"
        )
    primary, secondary = (origin_of(origins, one["OriginId"]) for one in raw["Members"]["Items"])
    codes = tuple(raw["FailoverCriteria"]["StatusCodes"]["Items"])
    return OriginGroup(primary=primary, secondary=secondary, codes=codes)
