"""Examine the website's routing rules: one for each code of a missing object, to the resizer, with 307."""

from collections.abc import Iterator
from typing import Any

from lazyimages.aws import documents, reading
from lazyimages.aws.documents import Document
from lazyimages.doctor.case import Case
from lazyimages.doctor.examination import Examination, Seen
from lazyimages.doctor.findings import finding
from lazyimages.doctor.kinds import Finding

_IMPLIED = "301"  # no page of AWS's names the code of a rule that has none; 301 is what is reported
_PLACE = ("Protocol", "HostName", "ReplaceKeyPrefixWith")


def _look(case: Case) -> Iterator[Seen]:
    assert case.variants is not None
    name = case.variants.bucket_name
    website = reading.document(case.client(case.variants).get_bucket_website, name)
    if website is None:
        yield finding("website-missing", f"The bucket {name!r} has no website configuration.")
        return
    if everything := website.get("RedirectAllRequestsTo"):
        yield finding("website-elsewhere", f"All requests are redirected to {everything.get('HostName')!r}.")
        return
    rules = website.get("RoutingRules", [])
    for ours in documents.routing_rules(case.settings.resizer_url):
        code = ours["Condition"]["HttpErrorCodeReturnedEquals"]
        yield from _compare(code, _rule_for(code, rules), ours["Redirect"])


def _rule_for(code: str, rules: list[Any]) -> Document | None:
    """Return the rule that S3 takes for a missing object: the first that fits."""
    for rule in rules:
        condition = rule.get("Condition", {})
        wanted = condition.get("HttpErrorCodeReturnedEquals")
        if not condition.get("KeyPrefixEquals") and wanted in (None, code):  # None: all requests
            found: Document = rule
            return found
    return None


def _compare(code: str, rule: Document | None, wanted: Document) -> Iterator[Finding]:
    if rule is None:
        yield finding("website-code-missing", f"There is no routing rule for {code}.")
        return
    redirect = rule.get("Redirect", {})
    status = redirect.get("HttpRedirectCode", _IMPLIED)
    if status != wanted["HttpRedirectCode"]:
        yield finding("website-code-redirect", f"The rule for {code} redirects with {status}.")
    # Without a protocol S3 takes the request's, which is http between CloudFront and a website endpoint.
    place = {"Protocol": "http"} | redirect
    if any(place.get(part) != wanted[part] for part in _PLACE):
        yield finding("website-elsewhere", f"The rule for {code} leads to {_url(place)}, not {_url(wanted)}.")


def _url(redirect: Document) -> str:
    host = redirect.get("HostName", "(the website's own host)")
    return f"{redirect['Protocol']}://{host}/{redirect.get('ReplaceKeyPrefixWith', '')}KEY"


def _look_for_rest(case: Case) -> Iterator[Seen]:
    assert case.variants is not None
    call = case.client(case.variants).get_bucket_website
    website = reading.document(call, case.variants.bucket_name) or {}
    left = [
        rule
        for rule in website.get("RoutingRules", [])
        if rule.get("Redirect", {}).get("ReplaceKeyPrefixWith", "").endswith("?key=")
    ]
    if left:
        yield finding("website-left-over", f"There are {len(left)} routing rules to a resizer.")


RULES = Examination(name="website", look=_look, deliveries=("redirect",))
LEFT_OVER = Examination(name="website", look=_look_for_rest, deliveries=("failover",))
