"""The S3 website endpoint as a pure function: a bucket's website configuration, a request → an answer.

Sources: "Configuring a webpage redirect", "Website endpoints", "Setting permissions for website access"
(S3 User Guide), "PutBucketWebsite" (API Reference), and the order of rules as recorded from AWS. Not
emulated: object redirects, the redirect to a folder's slash, RedirectAllRequestsTo (refused).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

from marketplace.cloud.messages import Answer, ConfigurationFault, Request, error_page, unless_known

LocationEncoding = Literal["escaped", "raw"]
Read = Callable[[str], Answer]  # key -> 200 with the object, or 403, or 404

MAX_RULES = 50
METHODS = ("GET", "HEAD")
# PutBucketWebsite names no default; 301 is what s3rver settled on for routing rules (its pull request 490).
DEFAULT_REDIRECT = 301


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One routing rule. `error` 0 means: no HttpErrorCodeReturnedEquals; `prefix` "": no KeyPrefixEquals."""

    prefix: str = ""
    error: int = 0
    status: int = DEFAULT_REDIRECT
    protocol: str = "http"
    host: str = ""
    new_prefix: str | None = None
    new_key: str | None = None

    def location(self, key: str, *, domain: str, encoding: LocationEncoding) -> str:
        """Build the Location header for a request key that the rule applies to.

        Without a HostName it points to `domain`, the website endpoint's own: behind a CDN, away from it.

        The configured text is sent as it is (it may hold "?key="). How S3 writes what it takes from the
        request is not documented, so both are offered: "escaped" leaves only unreserved characters and
        "/" bare ("&" is %26, as in any form value), "raw" is the key itself. Control characters are
        escaped in both, for no HTTP header can carry them.
        """
        escape = _escape if encoding == "escaped" else _escape_controls
        if self.new_key is not None:
            target = self.new_key
        elif self.new_prefix is not None:
            target = self.new_prefix + escape(key.removeprefix(self.prefix))
        else:
            target = escape(key)
        return f"{self.protocol}://{self.host or domain}/{target}"


@dataclass(frozen=True, kw_only=True)
class Website:
    """A bucket's website configuration, checked as S3 checks it, at the domain it is served from."""

    domain: str
    index: str
    error_document: str | None = None
    rules: tuple[Rule, ...] = ()

    def answer(self, request: Request, read: Read, *, encoding: LocationEncoding = "escaped") -> Answer:
        """Answer in S3's order: prefix rules, the object, rules for its error code, the error document."""
        if request.method not in METHODS:
            return error_page(HTTPStatus.METHOD_NOT_ALLOWED, "Website endpoints take GET and HEAD only.")
        key = request.key
        found = self._redirect(key, error=0, encoding=encoding)
        if found:
            return found
        object_key = key + self.index if not key or key.endswith("/") else key
        answer = read(object_key)
        if answer.status == HTTPStatus.OK:
            return unless_known(answer, request.if_none_match)
        return self._redirect(key, error=answer.status, encoding=encoding) or self._error(answer, read)

    def _redirect(self, key: str, *, error: int, encoding: LocationEncoding) -> Answer | None:
        for rule in self.rules:
            if rule.error == error and key.startswith(rule.prefix):
                location = rule.location(key, domain=self.domain, encoding=encoding)
                return Answer(status=rule.status, headers={"Location": location})
        return None

    def _error(self, answer: Answer, read: Read) -> Answer:
        document = read(self.error_document) if self.error_document else answer
        if document.status != HTTPStatus.OK:
            return answer
        return replace(document, status=answer.status)


def parse_website(configuration: Mapping[str, Any], *, domain: str) -> Website:
    """Read what GetBucketWebsite returns. Raise ConfigurationFault where PutBucketWebsite refuses it."""
    if "RedirectAllRequestsTo" in configuration:
        raise ConfigurationFault("The emulator does not implement RedirectAllRequestsTo")
    index = configuration.get("IndexDocument", {}).get("Suffix", "")
    if not index or "/" in index:
        raise ConfigurationFault("A website configuration needs an IndexDocument whose Suffix has no slash")
    rules = configuration.get("RoutingRules")
    if rules == []:
        raise ConfigurationFault("RoutingRules must not be an empty list: leave it out instead")
    if rules and len(rules) > MAX_RULES:
        raise ConfigurationFault(f"{len(rules)} routing rules: S3 takes {MAX_RULES} at most")
    return Website(
        domain=domain,
        index=index,
        error_document=configuration.get("ErrorDocument", {}).get("Key"),
        rules=tuple(_parse_rule(rule) for rule in rules or ()),
    )


def _parse_rule(raw: Mapping[str, Any]) -> Rule:
    redirect, condition = raw.get("Redirect"), raw.get("Condition")
    if not redirect:
        raise ConfigurationFault("A routing rule needs a Redirect with at least one element")
    if condition == {}:
        raise ConfigurationFault("A routing rule's Condition needs at least one element")
    if "ReplaceKeyWith" in redirect and "ReplaceKeyPrefixWith" in redirect:
        raise ConfigurationFault("A Redirect takes ReplaceKeyWith or ReplaceKeyPrefixWith, not both")
    if redirect.get("Protocol", "http") not in ("http", "https"):
        raise ConfigurationFault(f"A Redirect's Protocol is http or https, not {redirect['Protocol']!r}")
    condition = condition or {}
    return Rule(
        prefix=condition.get("KeyPrefixEquals", ""),
        error=_code(condition, "HttpErrorCodeReturnedEquals", default=0, allowed=range(400, 600)),
        status=_code(redirect, "HttpRedirectCode", default=DEFAULT_REDIRECT, allowed=range(301, 400)),
        protocol=redirect.get("Protocol", "http"),
        host=redirect.get("HostName", ""),
        new_prefix=redirect.get("ReplaceKeyPrefixWith"),
        new_key=redirect.get("ReplaceKeyWith"),
    )


def _code(raw: Mapping[str, str], name: str, *, default: int, allowed: range) -> int:
    text = raw.get(name, str(default))
    if name in raw and not (text.isdecimal() and int(text) in allowed):
        raise ConfigurationFault(f"{name} {text!r} is not one of {allowed.start} to {allowed.stop - 1}")
    return int(text)


def _escape(key: str) -> str:
    return quote(key, safe="/", errors="surrogateescape")


def _escape_controls(key: str) -> str:
    return "".join(quote(one) if ord(one) < 0x20 or ord(one) == 0x7F else one for one in key)
