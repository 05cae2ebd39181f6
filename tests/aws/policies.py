"""What a test needs to hold a printed policy against the requests that were sent."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from io import StringIO
from typing import Any

from botocore import handlers
from django.core.management import call_command

from lazyimages.aws import trouble
from tests.aws.conftest import ACCOUNT

Policy = dict[str, Any]

# Asked for no permission (STS API, GetCallerIdentity: "No permissions are required").
FREE = {"sts:GetCallerIdentity"}
_KINDS = {
    "CachePolicy": "cache-policy",
    "ResponseHeadersPolicy": "response-headers-policy",
    "OriginAccessControl": "origin-access-control",
    "Distribution": "distribution",
}


@dataclass(frozen=True)
class Need:
    """An action on a resource, as IAM asks for it."""

    action: str
    resource: str


def printed(*arguments: str) -> Policy:
    """Return what `lazyimages_iam_policy` prints."""
    out = StringIO()
    call_command("lazyimages_iam_policy", *arguments, stdout=out)
    policy: Policy = json.loads(out.getvalue())
    return policy


def allows(policy: Policy, need: Need, **context: str) -> bool:
    """Tell whether a policy allows something; `context` has the values of condition keys."""
    return any(
        any(fnmatchcase(need.action, action) for action in statement["Action"])
        and any(fnmatchcase(need.resource, resource) for resource in statement["Resource"])
        and all(context.get(key) == value for key, value in _conditions(statement).items())
        for statement in policy["Statement"]
    )


def actions(policy: Policy) -> set[str]:
    """Return all actions of a policy."""
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def _conditions(statement: Policy) -> dict[str, str]:
    conditions = statement.get("Condition", {})
    assert set(conditions) <= {"StringEquals"}
    tests: dict[str, str] = conditions.get("StringEquals", {})
    # "aws:RequestTag/lazyimages" is the keyword aws_RequestTag_lazyimages.
    return {key.replace(":", "_").replace("/", "_"): value for key, value in tests.items()}


@contextmanager
def recorded() -> Iterator[set[Need]]:
    """Give all that IAM would ask for what is sent to AWS meanwhile by clients that are made meanwhile."""
    needs: set[Need] = set()

    def record(params: dict[str, Any], model: Any, **kwargs: Any) -> None:
        service = model.service_model.service_name
        needs.update(_needs(service, model.name, copy.deepcopy(params)))

    entry = ("before-parameter-build", record)
    handlers.BUILTIN_HANDLERS.append(entry)
    try:
        yield needs
    finally:
        handlers.BUILTIN_HANDLERS.remove(entry)


def _needs(service: str, operation: str, params: dict[str, Any]) -> Iterator[Need]:
    if service == "s3control":
        assert operation == "GetPublicAccessBlock"
        yield Need("s3:GetAccountPublicAccessBlock", "*")
        return
    resources = _objects(params) if service == "s3" else [_elsewhere(service, operation, params)]
    if operation == "CopyObject":  # S3 API, CopyObject, "Permissions"
        source = params["CopySource"]
        # boto3 may have made a text of it already.
        path = source if isinstance(source, str) else f"{source['Bucket']}/{source['Key']}"
        yield Need("s3:GetObject", f"arn:aws:s3:::{path}")
    for action in trouble.action(operation).split(" and "):
        for resource in resources:
            # The bucket is what may be listed, also where a key is asked for.
            yield Need(action, resource)
    if "Tagging" in params:  # S3 API, PutObject, "Permissions"
        yield from (Need("s3:PutObjectTagging", resource) for resource in resources)


def _objects(params: dict[str, Any]) -> list[str]:
    bucket = f"arn:aws:s3:::{params['Bucket']}"
    if "Delete" in params:
        return [f"{bucket}/{entry['Key']}" for entry in params["Delete"]["Objects"]]
    return [f"{bucket}/{params['Key']}" if "Key" in params else bucket]


def _elsewhere(service: str, operation: str, params: dict[str, Any]) -> str:
    if "Resource" in params:
        return str(params["Resource"])
    if "DistributionId" in params:  # of invalidations, which have an Id of their own
        return f"arn:aws:cloudfront::{ACCOUNT}:distribution/{params['DistributionId']}"
    if service == "cloudfront" and "Id" in params:
        kind = next(arn for word, arn in _KINDS.items() if word in operation)
        return f"arn:aws:cloudfront::{ACCOUNT}:{kind}/{params['Id']}"
    if operation.startswith("CreateDistribution"):
        return f"arn:aws:cloudfront::{ACCOUNT}:distribution/E0NEW"
    return "*"
