"""The resizer on Lambda in a CloudFormation template: function, role, log, and an HTTP API before it.

A public HTTP API, and no function URL with signed requests: in redirect delivery browsers come here, who sign
nothing. In failover delivery ORIGIN_SECRET keeps out who does not come through CloudFront, as with an app.
"""

import json
from typing import Any

from lazyimages.aws import iam
from lazyimages.aws.documents import Document
from lazyimages.conf import Settings

CONDITION = "ResizerIsOnLambda"
HANDLER = "lazyimages.aws.lambda_handler.handler"
RUNTIME = "python3.13"
MEMORY = 1024  # MB, with which come 0.58 processors
SECONDS = 15  # an HTTP API waits 30 at most
NO_BUCKET = "none"
_LOG_DAYS = 30

PARAMETERS: Document = {
    "ResizerOnLambda": {
        "Type": "String",
        "Description": "yes: missing variants are made by a Lambda function; no: by your app at RESIZER_URL",
        "AllowedValues": ["yes", "no"],
        "Default": "no",
    },
    "CodeBucket": {
        "Type": "String",
        "Description": "With ResizerOnLambda: the bucket, in this region, that holds the zip of make lambda",
        "Default": NO_BUCKET,
    },
    "CodeKey": {
        "Type": "String",
        "Description": "With ResizerOnLambda: the key of the zip there; another key for each version",
        "Default": "lazyimages-lambda-arm64.zip",
    },
    "Architecture": {
        "Type": "String",
        "Description": "With ResizerOnLambda: the processor for which the zip was built",
        "AllowedValues": ["x86_64", "arm64"],
        "Default": "arm64",
    },
}

RULES: Document = {
    "CodeForLambda": {
        "RuleCondition": {"Fn::Equals": [{"Ref": "ResizerOnLambda"}, "yes"]},
        "Assertions": [
            {
                "Assert": {"Fn::Not": [{"Fn::Equals": [{"Ref": "CodeBucket"}, NO_BUCKET]}]},
                "AssertDescription": "ResizerOnLambda is yes, so CodeBucket has to be set",
            }
        ],
    }
}


CONDITIONS: Document = {CONDITION: {"Fn::Equals": [{"Ref": "ResizerOnLambda"}, "yes"]}}


def environment(
    settings: Settings,
    *,
    cdn_url: str,
    resizer_url: str,
    buckets: tuple[str, str],
    location: str,
    secret: str,
) -> dict[str, str]:
    """Return the environment variables that `lazyimages.aws.lambda_settings` reads.

    `buckets` are that of the originals and that of the variants. The function makes the same bytes as the
    site: all settings that decide about them are in LAZYIMAGES, and no secret is.
    """
    lazyimages: dict[str, Any] = {
        "SIZES": [str(size) for size in settings.whitelist],
        "FORMATS": [output.name for output in settings.formats],
        "DELIVERY": settings.delivery,
        "CDN_URL": cdn_url,
        "RESIZER_URL": resizer_url,
        "ENGINE": settings.engine,
        "QUALITY": dict(settings.quality),
        "BACKGROUND": settings.background,
        "ANIMATION": settings.animation,
        "EFFORT": settings.effort,
        "CACHE_CONTROL": settings.cache_control,
        "MAX_PIXELS": settings.max_pixels,
        "MAX_BYTES": settings.max_bytes,
        "EXPIRE_VARIANTS_DAYS": settings.expire_variants_days,
    }
    values = {
        "LAZYIMAGES": json.dumps(lazyimages, separators=(",", ":")),
        "LAZYIMAGES_BUCKET": buckets[0],
        "LAZYIMAGES_VARIANTS_BUCKET": buckets[1] if buckets[1] != buckets[0] else "",
        "LAZYIMAGES_ORIGINALS_LOCATION": location,
        "LAZYIMAGES_ORIGIN_SECRET": secret,
    }
    return {name: value for name, value in values.items() if value}


def resources(
    *, name: str, delivery: str, policy: Document, environment: dict[str, str], source: str
) -> Document:
    """Return the resources, all under the condition; `source` is the ARN of the API and its routes."""
    path = "/resizer" if delivery == "redirect" else "/v/{proxy+}"
    api: Document = {"Ref": "ResizerApi"}
    made: Document = {
        "ResizerLog": {
            "Type": "AWS::Logs::LogGroup",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {"LogGroupName": f"/aws/lambda/{name}", "RetentionInDays": _LOG_DAYS},
        },
        "ResizerRole": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "Description": "lazyimages: the resizer",
                "AssumeRolePolicyDocument": iam.TRUST,
                "Policies": [{"PolicyName": "lazyimages", "PolicyDocument": policy}],
            },
        },
        "Resizer": {
            "Type": "AWS::Lambda::Function",
            "DependsOn": ["ResizerLog"],  # or the function would make one that is kept for ever
            "Properties": {
                "FunctionName": name,
                "Description": "lazyimages: makes a variant when it is first asked for",
                "Runtime": RUNTIME,
                "Architectures": [{"Ref": "Architecture"}],
                "Handler": HANDLER,
                "MemorySize": MEMORY,
                "Timeout": SECONDS,
                "Role": {"Fn::GetAtt": ["ResizerRole", "Arn"]},
                "Code": {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Ref": "CodeKey"}},
                "Environment": {"Variables": environment},
            },
        },
        "ResizerApi": {
            "Type": "AWS::ApiGatewayV2::Api",
            "Properties": {
                "Name": name,
                "Description": "lazyimages: the resizer",
                "ProtocolType": "HTTP",
            },
        },
        "ResizerStage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {"ApiId": api, "StageName": "$default", "AutoDeploy": True},
        },
        "ResizerIntegration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": api,
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": {"Fn::GetAtt": ["Resizer", "Arn"]},
                "PayloadFormatVersion": "2.0",
            },
        },
        "ResizerPermission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Resizer"},
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": source,
            },
        },
    }
    for method in ("GET", "HEAD"):
        made[f"Resizer{method.title()}"] = {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": api,
                "RouteKey": f"{method} {path}",
                "Target": {"Fn::Sub": "integrations/${ResizerIntegration}"},
            },
        }
    return {logical: {**resource, "Condition": CONDITION} for logical, resource in made.items()}
