"""Read a bucket policy: whom it lets do what, and with which objects. Pure."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from lazyimages import sizes
from lazyimages.aws.documents import Document

# S3 user guide, "Blocking public access", "The meaning of public": a condition on one of these, with a fixed
# value, makes a statement for everybody one for a known few.
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
}
_CLOUDFRONT = "cloudfront.amazonaws.com"
_IDENTITY = "CloudFront Origin Access Identity"


def statements(policy: Document | None) -> list[Document]:
    """Return the statements of a policy, which may be one without a list around it."""
    found: Any = (policy or {}).get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def public(policy: Document | None, action: str) -> Iterator[Document]:
    """Yield the statements that let everybody do something."""
    for statement in statements(policy):
        if _allows(statement, action) and _everybody(statement) and not _narrowed(statement):
            yield statement


def for_distribution(policy: Document | None, arn: str) -> Iterator[Document]:
    """Yield the statements by which CloudFront may read: for this distribution, any, or an older identity."""
    for statement in statements(policy):
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
    return keys if slash and fnmatchcase(bucket, name) else None


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
    conditions: dict[str, dict[str, Any]] = statement.get("Condition", {})
    for operator, tests in conditions.items():
        negated = "not" in operator.lower() or operator.lower().endswith("ifexists") or operator == "Null"
        for key, values in tests.items():
            everything = any(one in ("*", "0.0.0.0/0", "::/0") for one in _listed(values))
            if key.lower() in _NARROWING and not negated and not everything:
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
