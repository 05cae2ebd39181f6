"""Stacks of ministack's CloudFormation, and what is on AWS in the end, however it came there."""

import json
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tests.conftest import wait_until

Document = dict[str, Any]


def client(service: str) -> Any:
    """Return a client by the environment's endpoints."""
    make: Any = boto3.client
    return make(service)


def deploy(name: str, template: str, **parameters: str) -> dict[str, str]:
    """Create a stack, and return its outputs."""
    cloudformation = client("cloudformation")
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    cloudformation.create_stack(
        StackName=name, TemplateBody=template, Parameters=given, Capabilities=["CAPABILITY_IAM"]
    )

    def state() -> Document:
        found: Document = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        return found

    wait_until(lambda: not state()["StackStatus"].endswith("IN_PROGRESS"))
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    assert state()["StackStatus"] == "CREATE_COMPLETE", events
    return {output["OutputKey"]: output["OutputValue"] for output in state()["Outputs"]}


def of_bucket(bucket: str) -> dict[str, Document | None]:
    """Return the documents of a bucket."""
    s3 = client("s3")
    policy = _read(s3.get_bucket_policy, bucket)
    return {
        "block": _read(s3.get_public_access_block, bucket),
        "ownership": _read(s3.get_bucket_ownership_controls, bucket),
        "encryption": _read(s3.get_bucket_encryption, bucket),
        "lifecycle": _read(s3.get_bucket_lifecycle_configuration, bucket),
        "cors": _without_zeros(_read(s3.get_bucket_cors, bucket)),
        "website": _read(s3.get_bucket_website, bucket),
        "policy": json.loads(policy["Policy"]) if policy else None,
    }


def of_distribution(id: str) -> dict[str, Document | None]:
    """Return a distribution's config and tags, and the documents that it refers to."""
    cloudfront = client("cloudfront")
    found = cloudfront.get_distribution(Id=id)["Distribution"]
    config = found["DistributionConfig"]
    tags = cloudfront.list_tags_for_resource(Resource=found["ARN"])["Tags"]["Items"]
    served = config["DefaultCacheBehavior"]
    cache = cloudfront.get_cache_policy(Id=served["CachePolicyId"])
    headers = cloudfront.get_response_headers_policy(Id=served["ResponseHeadersPolicyId"])
    access = config["Origins"]["Items"][0].get("OriginAccessControlId")
    control = cloudfront.get_origin_access_control(Id=access) if access else None
    names = {served["CachePolicyId"]: "CACHE", served["ResponseHeadersPolicyId"]: "HEADERS"}
    if access:
        names[access] = "ACCESS"
    return {
        "distribution": renamed(plain(config), names),
        "tags": {tag["Key"]: tag["Value"] for tag in tags if not tag["Key"].startswith("aws:")},
        "cache policy": plain(cache["CachePolicy"]["CachePolicyConfig"]),
        "headers policy": plain(headers["ResponseHeadersPolicy"]["ResponseHeadersPolicyConfig"]),
        "access control": control and control["OriginAccessControl"]["OriginAccessControlConfig"],
    }


def plain(value: Any) -> Any:
    """Return a document of CloudFront without what is empty or off, which an answer may have or lack."""
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    kept = {key: plain(entry) for key, entry in value.items() if key != "CallerReference"}
    return {key: entry for key, entry in kept.items() if not _says_nothing(entry)}


def renamed(value: Any, names: dict[str, str]) -> Any:
    """Return a document with other words in place of some."""
    text = json.dumps(value)
    for name, other in names.items():
        text = text.replace(name, other)
    return json.loads(text)


def _says_nothing(value: Any) -> bool:
    return value is None or value is False or value in ("", {}, {"Quantity": 0})


def _without_zeros(cors: Document | None) -> Document | None:
    """Return rules without the MaxAgeSeconds of 0 that a stack gives to those that say none."""
    rules = [
        {key: value for key, value in rule.items() if value != 0}
        for rule in (cors or {}).get("CORSRules", [])
    ]
    return {"CORSRules": rules} if rules else None


def _read(call: Any, bucket: str) -> Document | None:
    try:
        answer: Document = call(Bucket=bucket)
    except ClientError as error:
        if "NoSuch" in str(error) or "NotFound" in str(error):
            return None
        raise
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}
