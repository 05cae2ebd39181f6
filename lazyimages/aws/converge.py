"""Our parts in the config of a distribution, as pure values: everything of others is kept as it was.

CloudFront answers with defaults for all that was not sent, so only the keys that we set are compared, and an
object whose keys are as wanted is returned as CloudFront wrote it.
"""

from collections.abc import Iterable
from typing import Any

from lazyimages.aws import distribution
from lazyimages.aws.distribution import BUCKET, ERROR_SECONDS, GROUP, PATTERNS, RESIZER, Ids, Place
from lazyimages.aws.documents import Conflict, Document
from lazyimages.conf import SECRET_HEADER, Settings

# CloudFront developer guide, "Required API fields for creating and updating distributions": what an update
# must name, with CloudFront's own defaults.
_NEW_ORIGIN: Document = {
    "CustomHeaders": {"Quantity": 0},
    "ConnectionAttempts": 3,
    "ConnectionTimeout": 10,
    "OriginShield": {"Enabled": False},
}
_NEW_CUSTOM: Document = {"OriginReadTimeout": 30, "OriginKeepaliveTimeout": 5}
_NEW_BEHAVIOUR: Document = {
    "TrustedSigners": {"Enabled": False, "Quantity": 0},
    "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
    "SmoothStreaming": False,
    "LambdaFunctionAssociations": {"Quantity": 0},
    "FunctionAssociations": {"Quantity": 0},
    "FieldLevelEncryptionId": "",
}
_NEW_ERROR: Document = {"ResponsePagePath": "", "ResponseCode": ""}
# What stood in place of cache policies; CloudFront takes no behaviour with both.
_LEGACY = ("ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL")
_OF_TLS = ("SSLSupportMethod", "MinimumProtocolVersion")
_DEFAULT = "the default behaviour"


def new(
    place: Place,
    settings: Settings,
    ids: Ids,
    *,
    reference: str,
    alias: str = "",
    certificate: str | None = None,
) -> Document:
    """Return the config of a distribution that we create; `reference` is unique to it."""
    none: Document = {"Quantity": 0}
    base: Document = {
        "CallerReference": reference,
        "Comment": distribution.comment(place.bucket),
        "DefaultRootObject": "",
        "PriceClass": "PriceClass_All",
        "Aliases": none,
        "Origins": none,
        "OriginGroups": none,
        "DefaultCacheBehavior": {},
        "CacheBehaviors": none,
        "CustomErrorResponses": none,
    }
    return merge(base, place, settings, ids, owned=True, alias=alias, certificate=certificate)


def merge(
    existing: Document,
    place: Place,
    settings: Settings,
    ids: Ids,
    *,
    owned: bool,
    alias: str = "",
    certificate: str | None = None,
) -> Document:
    """Return the config with our parts as the settings want them.

    Only of a distribution that we created (`owned`) the default behaviour, and what holds for all behaviours,
    are ours. `Conflict` for what cannot stand beside our parts.
    """
    wanted = distribution.origins(place, settings, ids)
    groups = distribution.origin_groups(settings)
    result = existing | {
        "Origins": _replace(existing, "Origins", _origins(_list(existing, "Origins"), wanted)),
        "OriginGroups": _replace(existing, "OriginGroups", _groups(_list(existing, "OriginGroups"), groups)),
        "CacheBehaviors": _replace(
            existing,
            "CacheBehaviors",
            _behaviours(_list(existing, "CacheBehaviors"), distribution.behaviours(settings, ids)),
        ),
        "CustomErrorResponses": _replace(
            existing, "CustomErrorResponses", _errors(_list(existing, "CustomErrorResponses"))
        ),
    }
    if owned:
        served = distribution.behaviour(settings, ids)
        result["DefaultCacheBehavior"] = _behaviour(existing["DefaultCacheBehavior"], served)
        result |= {"Enabled": True, "IsIPV6Enabled": True}
        if str(existing.get("HttpVersion")).lower() != "http2and3":
            result["HttpVersion"] = "http2and3"
    if alias:
        result |= _alias(existing, alias, certificate)
    _refuse_dangling(result, {origin["Id"] for origin in [*wanted, *groups]}, owned=owned)
    return result


def pages(config: Document) -> list[int]:
    """Return the error codes for which somebody shows a page of theirs, in place of ours as well."""
    shown = [entry for entry in _list(config, "CustomErrorResponses") if entry.get("ResponsePagePath")]
    return sorted(entry["ErrorCode"] for entry in shown if entry["ErrorCode"] in ERROR_SECONDS)


def shown(config: Document, settings: Settings) -> Document:
    """Return the config without the values of headers that CloudFront adds, which are secrets."""
    if not _list(config, "Origins"):
        return config
    origins = [_without_values(origin, settings.origin_secret) for origin in _list(config, "Origins")]
    return config | {"Origins": config["Origins"] | {"Items": origins}}


def overlay(existing: Any, wanted: Any) -> Any:
    """Return what exists with the keys of what is wanted; the same object when it has them already."""
    if covers(existing, wanted):
        return existing
    if not (isinstance(existing, dict) and isinstance(wanted, dict)):
        return wanted
    return existing | {
        key: overlay(existing[key], value) if key in existing else value for key, value in wanted.items()
    }


def covers(existing: Any, wanted: Any) -> bool:
    """Tell whether what exists has what is wanted; the order of plain lists does not count.

    CloudFront returns methods and codes in an order of its own, and leaves out what is empty.
    """
    if isinstance(wanted, dict):
        return isinstance(existing, dict) and all(covers(existing.get(key), wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        if not isinstance(existing, list) or len(existing) != len(wanted):
            return False
        if any(isinstance(entry, dict) for entry in wanted):
            return all(covers(*pair) for pair in zip(existing, wanted, strict=True))
        return sorted(existing) == sorted(wanted)
    return (existing or "") == wanted if wanted == "" else bool(existing == wanted)


def _origins(existing: list[Document], wanted: list[Document]) -> list[Document]:
    ours = {origin["Id"]: origin for origin in wanted}
    kept = [
        _origin(origin, ours[origin["Id"]]) if origin["Id"] in ours else origin
        for origin in existing
        if origin["Id"] in ours or origin["Id"] not in (BUCKET, RESIZER)
    ]
    there = {origin["Id"] for origin in kept}
    return kept + [_origin(None, origin) for origin in wanted if origin["Id"] not in there]


def _origin(existing: Document | None, wanted: Document) -> Document:
    """Return an origin of ours; one that was a website and becomes a bucket, or back, begins anew."""
    custom = "CustomOriginConfig" in wanted
    if existing is None or ("CustomOriginConfig" in existing) != custom:
        base = _NEW_ORIGIN | ({"CustomOriginConfig": _NEW_CUSTOM} if custom else {})
        return dict(overlay(base, wanted))
    rest = {key: value for key, value in wanted.items() if key != "CustomHeaders"}
    result = dict(overlay(existing, rest))
    if "CustomHeaders" in wanted:
        result["CustomHeaders"] = _headers(existing.get("CustomHeaders", {}), wanted["CustomHeaders"])
    return result


def _headers(existing: Document, wanted: Document) -> Document:
    """Return the headers that CloudFront adds: those of others, and ours with the secret."""
    entries = existing.get("Items", [])
    others = [entry for entry in entries if not _is_secret(entry)]
    before = [entry["HeaderValue"] for entry in entries if _is_secret(entry)]
    ours = wanted.get("Items", [])
    if existing and before == [entry["HeaderValue"] for entry in ours]:
        return existing
    return _block([*others, *ours])


def _groups(existing: list[Document], wanted: list[Document]) -> list[Document]:
    others = [group for group in existing if group["Id"] != GROUP]
    before = next((group for group in existing if group["Id"] == GROUP), None)
    return others + [overlay(before, group) for group in wanted]


def _behaviours(existing: list[Document], wanted: list[Document]) -> list[Document]:
    """Return the behaviours, those of others first, because the first that fits a path wins."""
    ours = {entry["PathPattern"]: entry for entry in existing if _is_our_behaviour(entry)}
    others = [entry for entry in existing if not _is_our_behaviour(entry)]
    for entry in others:
        pattern = entry["PathPattern"]
        if pattern.lstrip("/") in ("*", *PATTERNS):
            raise Conflict(
                f"the distribution's behaviour {pattern!r}, which leads to the origin "
                f"{entry['TargetOriginId']!r}, takes the requests for images; remove it, or make its pattern "
                "narrower, or use another distribution"
            )
    return others + [_behaviour(ours.get(entry["PathPattern"], {}), entry) for entry in wanted]


def _is_our_behaviour(entry: Document) -> bool:
    return entry["PathPattern"] in PATTERNS and entry["TargetOriginId"] in (BUCKET, GROUP)


def _behaviour(existing: Document, wanted: Document) -> Document:
    if not existing:
        return _NEW_BEHAVIOUR | wanted
    # A request policy would send the visitor's Host, for which S3 knows no bucket.
    unwanted = (("OriginRequestPolicyId",) if existing.get("OriginRequestPolicyId") else ()) + (
        _LEGACY if "ForwardedValues" in existing else ()
    )
    kept = {key: value for key, value in existing.items() if key not in unwanted}
    return dict(overlay(kept, wanted))


def _errors(existing: list[Document]) -> list[Document]:
    wanted = {entry["ErrorCode"]: entry for entry in distribution.error_responses()}
    entries = [
        entry
        if entry["ErrorCode"] not in wanted or entry.get("ResponsePagePath")
        else overlay(entry, wanted[entry["ErrorCode"]])
        for entry in existing
    ]
    there = {entry["ErrorCode"] for entry in existing}
    return entries + [_NEW_ERROR | entry for code, entry in wanted.items() if code not in there]


def _alias(existing: Document, alias: str, certificate: str | None) -> Document:
    """Return aliases with ours among them, and a certificate; `Conflict` when there is none."""
    aliases, current = _list(existing, "Aliases"), existing.get("ViewerCertificate", {})
    own = current.get("ACMCertificateArn") or current.get("IAMCertificateId")
    if certificate and certificate != own:
        theirs = {key: current[key] for key in _OF_TLS if own and key in current}
        current = distribution.certificate(certificate) | theirs
    elif not own:
        raise Conflict(
            f"CDN_URL is on {alias!r}, for which CloudFront needs a certificate. Request one in AWS "
            "Certificate Manager in us-east-1, whatever the bucket's region, and give --certificate its ARN; "
            "or leave CDN_URL to the distribution's own domain"
        )
    if not any(distribution.serves(name, alias) for name in aliases):
        aliases = [*aliases, alias]
    return {"Aliases": _replace(existing, "Aliases", aliases), "ViewerCertificate": current}


def _refuse_dangling(config: Document, ours: set[str], *, owned: bool) -> None:
    """Raise `Conflict` when something of others leads to an origin of ours that is no longer there."""
    gone = {BUCKET, RESIZER, GROUP} - ours
    leading = [
        (f"the behaviour {entry['PathPattern']!r}", [entry["TargetOriginId"]])
        for entry in _list(config, "CacheBehaviors")
    ]
    if not owned:
        leading.append((_DEFAULT, [config["DefaultCacheBehavior"]["TargetOriginId"]]))
    for group in _list(config, "OriginGroups"):
        members = [member["OriginId"] for member in group["Members"]["Items"]]
        leading.append((f"the origin group {group['Id']!r}", members))
    for who, targets in leading:
        for target in gone.intersection(targets):
            raise Conflict(
                f"{who} of the distribution leads to {target!r}, which is to be removed; change it"
            )


def _without_values(origin: Document, secret: str | None) -> Document:
    headers = origin.get("CustomHeaders", {})
    if not headers.get("Items"):
        return origin
    entries = []
    for entry in headers["Items"]:
        value = "(not shown)"
        if _is_secret(entry):
            value = "(as in ORIGIN_SECRET)" if entry["HeaderValue"] == secret else "(another value)"
        entries.append(entry | {"HeaderValue": value})
    return origin | {"CustomHeaders": headers | {"Items": entries}}


def _is_secret(header: Document) -> bool:
    return bool(header["HeaderName"].lower() == SECRET_HEADER.lower())


def _list(config: Document, key: str) -> list[Any]:
    return list(config.get(key, {}).get("Items", []))


def _replace(config: Document, key: str, entries: list[Any]) -> Document:
    """Return the list with other entries; the same object when they are the same."""
    before: Document = config.get(key, {"Quantity": 0})
    return before if before.get("Items", []) == entries else _block(entries)


def _block(entries: Iterable[Any]) -> Document:
    values = list(entries)
    return {"Quantity": len(values), "Items": values} if values else {"Quantity": 0}
