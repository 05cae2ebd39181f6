"""The documents that AWS is given, as pure values: bucket policy, website configuration, flags.

What is ours carries Sids that begin with `LazyImages`, or is a routing rule to a resizer; everything else
is somebody else's and is kept as it is.
"""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from lazyimages.exceptions import LazyImagesError
from lazyimages.sizes import Size

Document = dict[str, Any]

SID_PUBLIC = "LazyImagesPublicVariants"
SID_DISTRIBUTION = "LazyImagesDistributionVariants"
_OUR_SIDS = (SID_PUBLIC, SID_DISTRIBUTION)
_QUERY = "?key="
# AWS's pages do not agree on which of the two a missing object is to somebody without ListBucket.
_MISSING_CODES = ("404", "403")
MOST_BYTES = 20 * 1024  # S3 user guide, "Bucket policies": "limited to 20 KB in size"
MOST_RULES = 50  # S3 user guide, "Configuring a webpage redirect": "a maximum of 50 routing rules"

OWNERSHIP: Document = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
ENCRYPTION: Document = {
    # Website endpoints serve no objects that are encrypted by KMS.
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
}


class Conflict(LazyImagesError):
    """What somebody else has set on the bucket cannot stand beside what is asked for."""


def public_access_block(*, public: bool) -> Document:
    """Return the flags: ACLs are always blocked, public policies only in a private bucket.

    Source: S3 user guide, "Blocking public access to your Amazon S3 storage".
    """
    return {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": not public,
        "RestrictPublicBuckets": not public,
    }


def encryption(existing: Document | None) -> Document:
    """Return the existing encryption where it is SSE-S3 already, with all that goes with it, else SSE-S3."""
    for rule in (existing or {}).get("Rules", []):
        if rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm") == "AES256":
            return existing or {}
        if kept := {key: rule[key] for key in ("BlockedEncryptionTypes",) if key in rule}:
            return {"Rules": [ENCRYPTION["Rules"][0] | kept]}
    return ENCRYPTION


def variant_resources(bucket: str, sizes: Iterable[Size], partition: str = "aws") -> list[str]:
    """Return the ARNs of all variants of whitelisted sizes, two a size, and of nothing else."""
    prefix = f"arn:{partition}:s3:::{bucket}"
    return [arn for size in sizes for arn in (f"{prefix}/{size}/*", f"{prefix}/*/{size}/*")]


def any_size_resources(bucket: str, partition: str = "aws") -> list[str]:
    """Return the ARNs of all variants of any size, also of such as were allowed once.

    IAM knows a sign for any character, and none for digits (IAM user guide, "IAM JSON policy elements:
    Resource"), so they also have what is in a directory of the same form, such as `new`.
    """
    prefix = f"arn:{partition}:s3:::{bucket}"
    numbers = ("?", "??", "???", "????")
    shapes = [f"{number}{side}" for side in "wh" for number in numbers]
    shapes += [f"{width}x{height}" for width in numbers for height in numbers]
    return [arn for shape in shapes for arn in (f"{prefix}/{shape}/*", f"{prefix}/*/{shape}/*")]


def public_statement(bucket: str, sizes: Iterable[Size], partition: str = "aws") -> Document:
    """Let everybody read variants: for redirect delivery, whose website endpoint reads as nobody."""
    return {
        "Sid": SID_PUBLIC,
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": variant_resources(bucket, sizes, partition),
    }


def distribution_statement(
    bucket: str, sizes: Iterable[Size], distribution_arn: str, partition: str = "aws"
) -> Document:
    """Let one distribution read variants, through origin access control.

    Source: CloudFront developer guide, "Restrict access to an Amazon S3 origin".
    """
    return {
        "Sid": SID_DISTRIBUTION,
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": variant_resources(bucket, sizes, partition),
        "Condition": {"StringEquals": {"AWS:SourceArn": distribution_arn}},
    }


def merge_policy(existing: Document | None, ours: list[Document]) -> Document | None:
    """Return the policy with our statements in place of our earlier ones; None when none are left.

    AWS may give back a policy in other words, so where ours says the same already, all stays as it is.
    """
    kept = foreign_statements(existing)
    ours_there = [one for one in statements_of(existing) if one not in kept]
    if existing is not None and [*map(_meaning, ours_there)] == [*map(_meaning, ours)]:
        return existing if kept or ours else None
    statements = [*kept, *ours]
    if not statements:
        return None
    return {**(existing or {"Version": "2012-10-17"}), "Statement": statements}


def foreign_statements(policy: Document | None) -> list[Document]:
    """Return the statements that are not ours."""
    return [statement for statement in statements_of(policy) if statement.get("Sid") not in _OUR_SIDS]


def granted_resources(policy: Document | None) -> set[str]:
    """Return the ARNs that our statements grant already."""
    ours = [statement for statement in statements_of(policy) if statement.get("Sid") in _OUR_SIDS]
    return {arn for statement in ours for arn in _listed(statement.get("Resource", []))}


def policy_text(policy: Document) -> str:
    """Return a policy as it is sent: without white space, so that whether AWS counts it does not matter."""
    return json.dumps(policy, separators=(",", ":"))


def policy_bytes(policy: Document) -> int:
    """Return how much of `MOST_BYTES` a policy takes."""
    return len(policy_text(policy).encode())


def routing_rules(resizer_url: str) -> list[Document]:
    """Return the rules that send who asks for a missing object to the resizer, for now (307).

    A rule without KeyPrefixEquals puts ReplaceKeyPrefixWith before the key. Source: S3 API, RoutingRule.
    """
    parts = urlsplit(resizer_url)
    redirect = {
        "Protocol": parts.scheme,
        "HostName": parts.netloc,
        "ReplaceKeyPrefixWith": f"{parts.path.lstrip('/')}{_QUERY}",
        "HttpRedirectCode": "307",
    }
    return [
        {"Condition": {"HttpErrorCodeReturnedEquals": code}, "Redirect": dict(redirect)}
        for code in _MISSING_CODES
    ]


def merge_website(
    existing: Document | None, ours: list[Document], *, replace: bool = False
) -> Document | None:
    """Return the website configuration with our rules in place of our earlier ones.

    Rules of others for a prefix come before ours, and those without one after: the first that fits wins.
    None when nothing but our own defaults is left. `Conflict` for what cannot be merged, and for a website
    that serves something else; that one gives way with `replace`.
    """
    there = (existing or {}).get("RoutingRules", [])
    foreign = [rule for rule in there if not _is_ours(rule)]
    if not ours and len(foreign) == len(there):
        return existing
    if existing and ours and serves_something_else(existing):
        if not replace:
            raise Conflict(
                "the bucket already is a website for something else:\n"
                f"{json.dumps(existing, indent=2)}\n"
                "Use another bucket for the variants, or run it with --replace-website, which puts ours in "
                "its place."
            )
        existing, foreign = None, []
    narrow = [rule for rule in foreign if rule.get("Condition", {}).get("KeyPrefixEquals")]
    wide = [rule for rule in foreign if rule not in narrow]
    rules = [*narrow, *ours, *wide]
    if len(rules) > MOST_RULES:
        raise Conflict(
            f"the website would have {len(rules)} routing rules; S3 takes {MOST_RULES}. {len(foreign)} are "
            f"somebody else's: remove {len(rules) - MOST_RULES} of them, or use another bucket."
        )
    merged = {key: value for key, value in (existing or {}).items() if key != "RoutingRules"}
    if not rules and merged == _INDEX:
        return None
    if rules:
        merged = _INDEX | merged | {"RoutingRules": rules}
    return merged or None


def serves_something_else(website: Document) -> bool:
    """Tell whether a website was made for something else than variants.

    It was when it redirects everything, or has an index document of another name than the one that S3
    makes us give too, an error document, or a rule for all keys, where ours would take its place. Rules for a
    prefix get on with ours. A website that has our rules is ours, whatever others have added since.
    """
    rules = website.get("RoutingRules", [])
    if any(map(_is_ours, rules)):
        return False
    for_all = [rule for rule in rules if not rule.get("Condition", {}).get("KeyPrefixEquals")]
    return bool(
        for_all
        or website.get("RedirectAllRequestsTo")
        or website.get("ErrorDocument")
        or website.get("IndexDocument", _INDEX["IndexDocument"]) != _INDEX["IndexDocument"]
    )


_INDEX: Document = {"IndexDocument": {"Suffix": "index.html"}}  # S3 demands one


def _is_ours(rule: Document) -> bool:
    condition, redirect = rule.get("Condition", {}), rule.get("Redirect", {})
    return (
        set(condition) == {"HttpErrorCodeReturnedEquals"}
        and condition["HttpErrorCodeReturnedEquals"] in _MISSING_CODES
        and redirect.get("ReplaceKeyPrefixWith", "").endswith(_QUERY)
    )


def statements_of(policy: Document | None) -> list[Document]:
    """Return the statements of a policy, which may be one without a list around it."""
    return _listed((policy or {}).get("Statement", []))


def _listed(value: Any) -> list[Any]:
    """Return what may stand in a policy alone or in a list as a list."""
    return list(value) if isinstance(value, list) else [value]


def _meaning(value: Any) -> Any:
    """Return a statement, or a part of one, so that two that mean the same are equal.

    One entry may stand without its list, lists have no order, and "*" as a principal is {"AWS": "*"} (IAM
    user guide, "AWS JSON policy elements: Principal").
    """
    if isinstance(value, dict):
        if set(value) == {"AWS"} and _listed(value["AWS"]) == ["*"]:
            return ["*"]
        return {key: _meaning(part) for key, part in value.items()}
    return sorted(map(str, _listed(value)))
