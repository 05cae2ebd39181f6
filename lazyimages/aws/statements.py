"""Read a bucket policy: whom it lets do what, and with which objects. Pure."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from lazyimages import sizes
from lazyimages.aws.documents import Document, statements_of

# S3 user guide, "Blocking public access to your Amazon S3 storage", "The meaning of "public"": a condition on
# one of these, by one of these operators and with a fixed value, makes a statement for everybody one for a
# known few. Anybody can send a Referer or use TLS.
_FIXING = ("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress")
_NARROWING = {
    "aws:sourcearn",
    "aws:sourceaccount",
    "aws:sourceip",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
}
_CLOUDFRONT = "cloudfront.amazonaws.com"
_IDENTITY = "CloudFront Origin Access Identity"


def is_public(statement: Document) -> bool:
    """Tell whether a statement lets everybody in, as S3 sees it when it blocks public policies."""
    return statement.get("Effect") == "Allow" and _everybody(statement) and not _narrowed(statement)


def public_names(policy: Document | None) -> list[str]:
    """Return the Sids of the statements that let everybody in."""
    return [str(one.get("Sid", "without Sid")) for one in statements_of(policy) if is_public(one)]


def public(policy: Document | None, action: str) -> Iterator[Document]:
    """Yield the statements that let everybody do something."""
    for statement in statements_of(policy):
        if is_public(statement) and _allows(statement, action):
            yield statement


def shows_others(statement: Document, own: Iterable[str]) -> bool:
    """Tell whether a statement lets everybody read objects beside those of our own ARNs."""
    readable = is_public(statement) and _allows(statement, "s3:GetObject")
    return readable and not set(resources(statement)) <= set(own)


def demands_tls(statement: Document, own: Iterable[str]) -> bool:
    """Tell whether a statement refuses to read our ARNs without TLS, which website endpoints do not speak."""
    wanted = [
        value.lower()
        for tests in (statement.get("Condition") or {}).values()
        for key, values in tests.items()
        if key.lower() == "aws:securetransport"
        for value in _listed(values)
    ]
    concerned = any(covers(resources(statement), arn.replace("*", "x")) for arn in own)
    return statement.get("Effect") == "Deny" and _everybody(statement) and "false" in wanted and concerned


def for_distribution(policy: Document | None, arn: str) -> Iterator[Document]:
    """Yield the statements by which CloudFront may read: for this distribution, any, or an older identity."""
    for statement in statements_of(policy):
        if not _allows(statement, "s3:GetObject"):
            continue
        principal = statement.get("Principal", {})
        principal = principal if isinstance(principal, dict) else {}
        older = "CanonicalUser" in principal or _IDENTITY in str(principal.get("AWS"))
        if older or (_CLOUDFRONT in _listed(principal.get("Service")) and _names(statement, arn)):
            yield statement


def resources(statement: Document) -> list[str]:
    """Return the patterns of a statement's resources; all there are for one that names exceptions."""
    return _listed(statement.get("Resource")) if "NotResource" not in statement else ["*"]


def key_pattern(resource: str, bucket: str) -> str | None:
    """Return the part of a resource that is about keys of a bucket; None for what is about no key of it."""
    if resource == "*":
        return "*"
    where, slash, keys = resource.partition("/")
    name = where.rpartition(":")[2]
    if slash:
        return keys if fnmatchcase(bucket, name) else None
    head, star, rest = name.partition("*")  # a star of IAM has slashes too: photos* is all of photos
    return f"*{rest}" if star and fnmatchcase(f"{bucket}/", f"{head}*") else None


def is_of_variants(pattern: str) -> bool:
    """Tell whether a pattern of keys is for the directory of a size, and so for nothing but variants."""
    return any(sizes.is_size(segment) for segment in pattern.split("/")[:-1])


def covers(patterns: list[str], resource: str) -> bool:
    """Tell whether one of the patterns has all that another pattern has."""
    return any(fnmatchcase(resource, pattern) for pattern in patterns)


def called(statement: Document) -> str:
    """Return how to name a statement."""
    sid = statement.get("Sid")
    return f"The statement {sid!r}" if sid else "A statement without Sid"


def _allows(statement: Document, action: str) -> bool:
    if statement.get("Effect") != "Allow":
        return False
    if "NotAction" in statement:
        return not _matches(_listed(statement["NotAction"]), action)
    return _matches(_listed(statement.get("Action")), action)


def _matches(patterns: list[str], action: str) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)


def _everybody(statement: Document) -> bool:
    if "NotPrincipal" in statement:  # everybody but one
        return True
    principal = statement.get("Principal")
    return "*" in (_listed(principal.get("AWS")) if isinstance(principal, dict) else _listed(principal))


def _narrowed(statement: Document) -> bool:
    for operator, tests in (statement.get("Condition") or {}).items():
        if operator.lower().removeprefix("foranyvalue:") not in _FIXING:
            continue
        for key, values in tests.items():
            listed = _listed(values)
            fixed = not any(sign in value for value in listed for sign in ("*", "?", "${"))
            if key.lower() in _NARROWING and fixed and not {"0.0.0.0/0", "::/0"} & set(listed):
                return True
    return False


def _names(statement: Document, arn: str) -> bool:
    """Tell whether a statement for CloudFront is for this distribution; without conditions it is for all."""
    conditions: dict[str, dict[str, Any]] = statement.get("Condition", {})
    named = [
        value
        for tests in conditions.values()
        for key, values in tests.items()
        if key.lower() == "aws:sourcearn"
        for value in _listed(values)
    ]
    return not named or not arn or any(fnmatchcase(arn, pattern) for pattern in named)


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(one) for one in value]
