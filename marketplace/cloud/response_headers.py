"""A response headers policy of CloudFront: headers that it adds to, or takes from, what viewers get.

Sources: "Understand response headers policies" (CloudFront Developer Guide), "ResponseHeadersPolicyConfig"
(API Reference). Not emulated: Server-Timing, and a sampled part of the answers (both refused).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from marketplace.cloud.messages import Answer, ConfigurationFault, Request
from marketplace.cloud.wildcards import matches

SECTIONS = {
    "Name",
    "Comment",
    "CorsConfig",
    "SecurityHeadersConfig",
    "CustomHeadersConfig",
    "RemoveHeadersConfig",
}


@dataclass(frozen=True, kw_only=True)
class Header:
    """A header to add; one that the origin has sent stays, unless `override`."""

    name: str
    value: str
    override: bool


@dataclass(frozen=True, kw_only=True)
class Cors:
    """What requests with an Origin header get; `methods`, `headers` and `max_age` go to OPTIONS alone."""

    origins: tuple[str, ...]
    override: bool
    credentials: bool = False
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age: int | None = None

    def added(self, request: Request) -> Iterator[Header]:
        """Yield the headers for a request; none for an origin that is not allowed."""
        origin = request.origin
        if not origin or not any(matches(pattern, origin) for pattern in self.origins):
            return
        values = {"Allow-Origin": "*" if "*" in self.origins else origin}
        if self.credentials:
            values["Allow-Credentials"] = "true"
        if self.exposed:
            values["Expose-Headers"] = ", ".join(self.exposed)
        if request.method == "OPTIONS":
            values |= {"Allow-Methods": ", ".join(self.methods), "Allow-Headers": ", ".join(self.headers)}
            values |= {} if self.max_age is None else {"Max-Age": str(self.max_age)}
        for name, value in values.items():
            if value:
                yield Header(name=f"Access-Control-{name}", value=value, override=self.override)


@dataclass(frozen=True, kw_only=True)
class ResponseHeaders:
    """A whole policy. One without anything leaves answers as they are."""

    added: tuple[Header, ...] = ()
    removed: frozenset[str] = frozenset()
    cors: Cors | None = None

    def apply(self, answer: Answer, request: Request) -> Answer:
        """Return the answer as the viewer gets it. Names are compared without case."""
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in self.removed}
        for header in (*self.added, *(self.cors.added(request) if self.cors else ())):
            present = [name for name in headers if name.lower() == header.name.lower()]
            if present and not header.override:
                continue
            for name in present:
                del headers[name]
            headers[header.name] = header.value
        return replace(answer, headers=headers)


def parse_response_headers(config: Mapping[str, Any]) -> ResponseHeaders:
    """Read a ResponseHeadersPolicyConfig. Raise ConfigurationFault for what is not emulated."""
    timing = config.get("ServerTimingHeadersConfig") or {}
    unknown = set(config) - SECTIONS - ({"ServerTimingHeadersConfig"} if not timing.get("Enabled") else set())
    if unknown:
        raise ConfigurationFault(
            f"The emulator does not implement {', '.join(sorted(unknown))} in a response headers policy"
        )
    security = config.get("SecurityHeadersConfig") or {}
    if unknown := set(security) - set(SECURITY):
        raise ConfigurationFault(f"The emulator does not implement {', '.join(sorted(unknown))}")
    custom = (config.get("CustomHeadersConfig") or {}).get("Items") or ()
    removed = (config.get("RemoveHeadersConfig") or {}).get("Items") or ()
    cors = config.get("CorsConfig")
    return ResponseHeaders(
        added=(
            *(_security(kind, value) for kind, value in security.items()),
            *(Header(name=one["Header"], value=one["Value"], override=one["Override"]) for one in custom),
        ),
        removed=frozenset(one["Header"].lower() for one in removed),
        cors=_cors(cors) if cors else None,
    )


def _cors(config: Mapping[str, Any]) -> Cors:
    def items(name: str) -> tuple[str, ...]:
        return tuple((config.get(name) or {}).get("Items") or ())

    return Cors(
        origins=items("AccessControlAllowOrigins"),
        override=config["OriginOverride"],
        credentials=config["AccessControlAllowCredentials"],
        methods=items("AccessControlAllowMethods"),
        headers=items("AccessControlAllowHeaders"),
        exposed=items("AccessControlExposeHeaders"),
        max_age=config.get("AccessControlMaxAgeSec"),
    )


def _security(kind: str, config: Mapping[str, Any]) -> Header:
    name, write = SECURITY[kind]
    return Header(name=name, value=write(config), override=config["Override"])


def _transport_security(config: Mapping[str, Any]) -> str:
    parts = [f"max-age={config['AccessControlMaxAgeSec']}"]
    parts += ["includeSubDomains"] * bool(config.get("IncludeSubdomains"))
    parts += ["preload"] * bool(config.get("Preload"))
    return "; ".join(parts)


SECURITY: Mapping[str, Any] = {
    "ContentTypeOptions": ("X-Content-Type-Options", lambda config: "nosniff"),
    "FrameOptions": ("X-Frame-Options", lambda config: config["FrameOption"]),
    "ReferrerPolicy": ("Referrer-Policy", lambda config: config["ReferrerPolicy"]),
    "ContentSecurityPolicy": ("Content-Security-Policy", lambda config: config["ContentSecurityPolicy"]),
    "StrictTransportSecurity": ("Strict-Transport-Security", _transport_security),
}
