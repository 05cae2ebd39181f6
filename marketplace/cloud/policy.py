"""Bucket policies, evaluated as S3 does for the readers of this cloud (moto only stores them).

Sources: "IAM JSON policy elements reference", "Policy evaluation logic" (IAM User Guide); "Blocking public
access to your Amazon S3 storage" (S3 User Guide). Whatever is not implemented here is refused when the
policy is read, never skipped: a condition that is ignored would open or close a bucket unnoticed.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from marketplace.cloud.messages import ConfigurationFault
from marketplace.cloud.wildcards import matches

STATEMENT_KEYS = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
SOURCE_ARN = "aws:sourcearn"
SECURE_TRANSPORT = "aws:securetransport"
CONDITION_KEYS = {SOURCE_ARN, SECURE_TRANSPORT}
WILDCARDS = re.compile(r"[*?]")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks: the anonymous public, or an AWS service. Context keys are in lower case."""

    context: Mapping[str, str]
    service: str | None = None


def anonymous(*, secure: bool = False) -> Caller:
    """Make the public reader; the website endpoint it uses speaks HTTP only, hence not secure."""
    return Caller(context={SECURE_TRANSPORT: str(secure).lower()})


def cloudfront(distribution_arn: str) -> Caller:
    """Make CloudFront reading through an origin access control for this distribution."""
    context = {SOURCE_ARN: distribution_arn, SECURE_TRANSPORT: "true"}
    return Caller(service="cloudfront.amazonaws.com", context=context)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One operator on one key; it holds when any of the values matches. An absent key never matches."""

    operator: str
    key: str
    values: tuple[str, ...]

    def holds(self, context: Mapping[str, str]) -> bool:
        """Whether the request's context meets the condition."""
        actual = context.get(self.key)
        return actual is not None and any(OPERATORS[self.operator](value, actual) for value in self.values)

    @property
    def pins_the_source(self) -> bool:
        """Whether it narrows "everyone" to fixed sources, so that the statement is not public."""
        return self.key == SOURCE_ARN and not any(WILDCARDS.search(value) for value in self.values)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy, read and checked."""

    allow: bool
    everyone: bool
    services: frozenset[str]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: tuple[Condition, ...]

    def applies(self, caller: Caller, action: str, resource: str) -> bool:
        """Whether the statement speaks about this request."""
        return (
            (self.everyone or caller.service in self.services)
            and any(matches(pattern.lower(), action.lower()) for pattern in self.actions)
            and any(matches(pattern, resource) for pattern in self.resources)
            and all(condition.holds(caller.context) for condition in self.conditions)
        )

    @property
    def public(self) -> bool:
        """Whether S3 calls the statement public ("The meaning of public")."""
        return self.allow and self.everyone and not any(one.pins_the_source for one in self.conditions)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A bucket policy. One without statements allows nothing."""

    statements: tuple[Statement, ...] = ()

    def allows(self, caller: Caller, action: str, resource: str) -> bool:
        """Whether some statement allows the request and none denies it: an explicit deny wins."""
        effects = {one.allow for one in self.statements if one.applies(caller, action, resource)}
        return effects == {True}

    @property
    def public(self) -> bool:
        """Whether any of its statements is public."""
        return any(one.public for one in self.statements)


def parse_policy(text: str) -> Policy:
    """Read a policy's JSON. Raise ConfigurationFault for anything this module does not implement."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ConfigurationFault(f"The bucket policy is not JSON: {error}") from error
    statements = _as_list(document.get("Statement"))
    if not statements:
        raise ConfigurationFault("The bucket policy has no Statement")
    return Policy(statements=tuple(_parse_statement(one) for one in statements))


def _parse_statement(raw: Mapping[str, Any]) -> Statement:
    if unknown := sorted(set(raw) - STATEMENT_KEYS):
        raise ConfigurationFault(
            f"The emulator does not implement {', '.join(unknown)} in a policy statement"
        )
    if missing := sorted({"Effect", "Principal", "Action", "Resource"} - set(raw)):
        raise ConfigurationFault(f"A policy statement lacks {', '.join(missing)}")
    if raw["Effect"] not in ("Allow", "Deny"):
        raise ConfigurationFault(f"A policy's Effect is Allow or Deny, not {raw['Effect']!r}")
    principal = {"AWS": "*"} if raw["Principal"] == "*" else raw["Principal"]
    if not isinstance(principal, Mapping):
        raise ConfigurationFault(f'A policy\'s Principal is "*" or an object, not {principal!r}')
    return Statement(
        allow=raw["Effect"] == "Allow",
        # A service principal is one of everyone: that is why Deny statements need aws:PrincipalIsAWSService.
        everyone="*" in _as_list(principal.get("AWS")),
        services=frozenset(_as_list(principal.get("Service"))),
        actions=tuple(_as_list(raw["Action"])),
        resources=tuple(_as_list(raw["Resource"])),
        conditions=tuple(_parse_conditions(raw.get("Condition", {}))),
    )


def _parse_conditions(raw: Mapping[str, Mapping[str, Any]]) -> Iterable[Condition]:
    for operator, pairs in raw.items():
        for key, values in pairs.items():
            if operator not in OPERATORS or key.lower() not in CONDITION_KEYS:
                raise ConfigurationFault(
                    f"The emulator does not implement the policy condition {operator} {key}"
                )
            texts = tuple(
                str(value).lower() if isinstance(value, bool) else value for value in _as_list(values)
            )
            yield Condition(operator=operator, key=key.lower(), values=texts)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, actual: wanted == actual,
    "StringLike": matches,
    # The reference calls these two the same; both take wildcards.
    "ArnEquals": matches,
    "ArnLike": matches,
    "Bool": lambda wanted, actual: wanted.lower() == actual,
}
