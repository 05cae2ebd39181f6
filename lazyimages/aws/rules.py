"""Rules of a bucket that stand beside those of others, told apart by their IDs: lifecycle and CORS.

AWS takes such rules as one document that replaces the one before, so ours are merged into what is there.
"""

from collections.abc import Iterable
from typing import Any

from lazyimages.aws.documents import Conflict, Document
from lazyimages.storage import INCOMING, VARIANT_TAG

ABORT_ID = "lazyimages-abort-multipart"
EXPIRE_ID = "lazyimages-expire-variants"
INCOMING_ID = "lazyimages-expire-incoming"
CORS_ID = "lazyimages-cors"
UPLOADS_ID = "lazyimages-cors-uploads"
MOST_LIFECYCLE_RULES = 1000  # S3 user guide, "Amazon S3 Lifecycle": up to 1,000 rules a bucket
MOST_CORS_RULES = 100  # S3 user guide, "Elements of a CORS configuration": up to 100 rules

# Parts of an upload that was broken off are stored, and paid for, until somebody aborts it. Uploads of
# lazyimages are one PUT, so the rule is for other programs: no upload is under way for a week, and a week
# is what AWS's own example has (S3 user guide, "Configuring a bucket lifecycle configuration to delete
# incomplete multipart uploads").
ABORT_DAYS = 7
# What a browser has sent is an original within the hour, or never; S3 counts whole days.
INCOMING_DAYS = 1
_PREFLIGHT_SECONDS = 7200  # the most that Chromium keeps an answer to a preflight


def incoming_prefix(location: str) -> str:
    """Return with what the keys begin that browsers send to a storage with this `location`."""
    return f"{location.strip('/')}/{INCOMING}".lstrip("/")


def lifecycle_rules(expire_variants_days: int | None, *, incoming: str | None = None) -> list[Document]:
    """Return the rules that end stale multipart uploads and, by tag, variants; originals carry no tag.

    What begins with `incoming` ends after a day, finished or not: nobody has confirmed it.
    """
    abort: Document = {
        "ID": ABORT_ID,
        "Filter": {"Prefix": ""},
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABORT_DAYS},
    }
    ours = [abort]
    if incoming is not None:
        ours.append(
            {
                "ID": INCOMING_ID,
                "Filter": {"Prefix": incoming},
                "Status": "Enabled",
                "Expiration": {"Days": INCOMING_DAYS},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": INCOMING_DAYS},
            }
        )
    if expire_variants_days is None:
        return ours
    key, value = VARIANT_TAG
    expire: Document = {
        "ID": EXPIRE_ID,
        "Filter": {"Tag": {"Key": key, "Value": value}},
        "Status": "Enabled",
        "Expiration": {"Days": expire_variants_days},
    }
    return [*ours, expire]


def cors_rules(origins: Iterable[str]) -> list[Document]:
    """Return the rule that lets scripts of these origins read; none without origins."""
    listed = list(origins)
    if not listed:
        return []
    allowed: Document = {"AllowedMethods": ["GET", "HEAD"], "AllowedOrigins": listed}
    return [{"ID": CORS_ID, **allowed, "MaxAgeSeconds": _PREFLIGHT_SECONDS}]


def upload_cors_rules(origins: Iterable[str]) -> list[Document]:
    """Return the rule that lets pages of these origins send files; none without origins.

    What may be sent is in the policy that each form is given (S3: "POST Policy"), not here.
    """
    listed = list(origins)
    if not listed:
        return []
    allowed: Document = {"AllowedMethods": ["POST"], "AllowedOrigins": listed}
    return [{"ID": UPLOADS_ID, **allowed, "MaxAgeSeconds": _PREFLIGHT_SECONDS}]


def merge_lifecycle(existing: Document | None, ours: list[Document]) -> Document | None:
    """Return the lifecycle with our rules in place of our earlier ones; None when no rule is left.

    What else is in the document, as TransitionDefaultMinimumObjectSize, stays.
    """
    ids = (ABORT_ID, EXPIRE_ID, INCOMING_ID)
    merged = _merge(existing, "Rules", ours, ids, MOST_LIFECYCLE_RULES, "lifecycle")
    if merged is None or merged is existing:
        return merged
    return {**merged, "Rules": [_with_filter(rule) for rule in merged["Rules"]]}


def merge_cors(existing: Document | None, ours: list[Document]) -> Document | None:
    """Return the CORS configuration with our rules in place of our earlier ones; None when none is left.

    S3 goes by the first rule that fits, so those of others keep their place before ours.
    """
    return _merge(existing, "CORSRules", ours, (CORS_ID, UPLOADS_ID), MOST_CORS_RULES, "CORS")


def _with_filter(rule: Document) -> Document:
    """Return a rule of the first version of lifecycles in the words of the second, which means the same.

    S3 takes no document with rules of both (S3 API, LifecycleRule: Prefix is "no longer used").
    """
    if "Prefix" not in rule:
        return rule
    kept = {key: value for key, value in rule.items() if key != "Prefix"}
    return {"Filter": {"Prefix": rule["Prefix"]}, **kept}


def _merge(
    existing: Document | None, part: str, ours: list[Document], ids: tuple[str, ...], most: int, kind: str
) -> Document | None:
    there: list[dict[str, Any]] = (existing or {}).get(part, [])
    kept = [rule for rule in there if rule.get("ID") not in ids]
    if _by_id(rule for rule in there if rule not in kept) == _by_id(ours):
        return existing
    rules = [*kept, *ours]
    if len(rules) > most:
        raise Conflict(
            f"the bucket would have {len(rules)} {kind} rules ({len(kept)} are somebody else's); S3 takes "
            f"{most}. Remove some, or use another bucket."
        )
    return {**(existing or {}), part: rules} if rules else None


def _by_id(rules: Iterable[Document]) -> list[Document]:
    return sorted(rules, key=lambda rule: str(rule["ID"]))
