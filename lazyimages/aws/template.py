"""All that the commands set up on AWS as one CloudFormation template, from the same documents.

What is known only when the stack is made, such as the id of the distribution, has a stand-in in the
documents, in place of which CloudFormation's functions are put at the end.
"""

from dataclasses import replace
from typing import Any

from lazyimages.aws import converge, distribution, documents, iam, lambda_stack, rules, shapes
from lazyimages.aws.distribution import TAG, Ids, Place
from lazyimages.aws.documents import Conflict, Document
from lazyimages.aws.iam import Area, Scope
from lazyimages.conf import Settings

# Stand-ins: words that may be a host, or a part of an ARN, and that nobody has.
_VARIANTS = "variants.stand-in.invalid"
_ORIGINALS = "originals.stand-in.invalid"
_PARTITION = "partition.stand-in.invalid"
_REGION = "region.stand-in.invalid"
_ACCOUNT = "account.stand-in.invalid"
_DISTRIBUTION = "distribution.stand-in.invalid"
_CDN = "cdn.stand-in.invalid"
_API = "api.stand-in.invalid"
_SUFFIX = "suffix.stand-in.invalid"
_SECRET = "secret.stand-in.invalid"  # noqa: S105  # where the secret is to stand
_CERTIFICATE = "certificate.stand-in.invalid"
_NAME = "name.stand-in.invalid"
_APP_POLICY = "app-policy.stand-in.invalid"
_IDS = Ids(
    cache="cache.stand-in.invalid", headers="headers.stand-in.invalid", access="access.stand-in.invalid"
)
_NAMES = {
    _VARIANTS: "VariantsBucket",
    _ORIGINALS: "OriginalsBucket",
    _PARTITION: "AWS::Partition",
    _REGION: "AWS::Region",
    _ACCOUNT: "AWS::AccountId",
    _DISTRIBUTION: "Distribution",
    _CDN: "Distribution.DomainName",
    _API: "ResizerApi",
    _SUFFIX: "AWS::URLSuffix",
    _SECRET: "OriginSecret",
    _CERTIFICATE: "CertificateArn",
    _NAME: "Name",
    _APP_POLICY: "AppPolicy",
    _IDS.cache: "CachePolicy",
    _IDS.headers: "HeadersPolicy",
    _IDS.access: "OriginAccess",
}
_PLACE = Place(bucket=_VARIANTS, region=_REGION, partition=_PARTITION)
_DISTRIBUTION_ARN = f"arn:{_PARTITION}:cloudfront::{_ACCOUNT}:distribution/{_DISTRIBUTION}"
_API_URL = f"https://{_API}.execute-api.{_REGION}.{_SUFFIX}/resizer"
_API_ARN = f"arn:{_PARTITION}:execute-api:{_REGION}:{_ACCOUNT}:{_API}/*"
# The region of the stack decides how its hosts are written.
_HOSTS: dict[str, Document] = {
    _PLACE.website_host: {
        "Fn::Select": [1, {"Fn::Split": ["//", {"Fn::GetAtt": ["VariantsBucket", "WebsiteURL"]}]}]
    },
    _PLACE.rest_host: {"Fn::GetAtt": ["VariantsBucket", "RegionalDomainName"]},
}
# Not "Retain": what the first try left behind would be in the way of the second ("DeletionPolicy attribute").
_RETAIN = "RetainExceptOnCreate"
_BUCKET_NAME: Document = {
    "Type": "String",
    "AllowedPattern": "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    "ConstraintDescription": "has to be the name of a bucket",
}


def template(settings: Settings, scope: Scope, *, alias: str = "") -> Document:
    """Return the template: buckets, policies, distribution, and the resizer on Lambda if one wants it.

    `alias` is the host of CDN_URL where that is not CloudFront's own. `Conflict` when AWS would not take one
    of the documents, or originals or variants are not on S3.
    """
    originals, variants = scope.originals, scope.variants
    if originals is None or variants is None:
        raise Conflict("a stack needs originals and variants on S3: set both in STORAGES to an S3Storage")
    secret = _SECRET if settings.origin_secret and settings.delivery == "failover" else ""
    settings = replace(settings, origin_secret=secret or None)
    apart = originals.bucket != variants.bucket
    incoming = rules.incoming_prefix(originals.location) if scope.incoming else None
    stand_ins = {originals.bucket: _ORIGINALS, variants.bucket: _VARIANTS}
    cdn_url = f"https://{alias or _CDN}"
    environment = lambda_stack.environment(
        settings,
        cdn_url=cdn_url,
        resizer_url=_API_URL,
        buckets=(stand_ins[originals.bucket], _VARIANTS),
        location=originals.location.strip("/"),
        secret=secret,
    )
    resources = {
        "VariantsBucket": _variants_bucket(settings, None if apart else incoming),
        **({"OriginalsBucket": _originals_bucket(settings, incoming)} if apart else {}),
        "VariantsBucketPolicy": _bucket_policy(settings, scope, variants.bucket),
        **_cloudfront(settings, variants.bucket),
        "Distribution": _distribution(settings, alias),
        "AppPolicy": {
            "Type": "AWS::IAM::ManagedPolicy",
            # IAM deletes no policy that somebody has (DeletePolicy), and the app goes on after the stack.
            "DeletionPolicy": _RETAIN,
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "Description": "lazyimages: what the app needs",
                "PolicyDocument": _portable(iam.app(scope), scope.partition, stand_ins),
            },
        },
        **lambda_stack.resources(
            name=_NAME,
            delivery=settings.delivery,
            policy=_portable(iam.function(scope, name=_NAME, region=_REGION), scope.partition, stand_ins),
            environment=environment,
            source=_API_ARN,
        ),
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "lazyimages: buckets, CDN and permissions for images that are resized when asked for",
        "Parameters": _parameters(settings, originals, variants, alias),
        "Rules": lambda_stack.RULES,
        "Conditions": lambda_stack.CONDITIONS,
        "Resources": shapes.filled(resources, _NAMES),
        "Outputs": shapes.filled(_outputs(settings, cdn_url), _NAMES),
    }


def _parameters(settings: Settings, originals: Area, variants: Area, alias: str) -> Document:
    parameters: Document = {
        "VariantsBucketName": {
            "Description": "The bucket to create for the variants: its bucket_name in STORAGES",
            "Default": variants.bucket,
            **_BUCKET_NAME,
        },
        "Name": {
            "Type": "String",
            "Description": "What the policies of CloudFront, and the function, are called in this account",
            "Default": distribution.name(variants.bucket),
            "AllowedPattern": "[A-Za-z0-9_-]{1,64}",
            "ConstraintDescription": "has to have at most 64 letters, digits, hyphens and underscores",
        },
    }
    if originals.bucket != variants.bucket:
        parameters["OriginalsBucketName"] = {
            "Description": "The bucket to create for the originals: its bucket_name in STORAGES",
            "Default": originals.bucket,
            **_BUCKET_NAME,
        }
    if settings.origin_secret:
        parameters["OriginSecret"] = {
            "Type": "String",
            "Description": "ORIGIN_SECRET of the settings, by which the resizer knows requests of CloudFront",
            "NoEcho": True,
            "MinLength": 1,
        }
    if alias:
        parameters["CertificateArn"] = {
            "Type": "String",
            "Description": f"The ARN of a certificate for {alias} in AWS Certificate Manager, in us-east-1",
            "AllowedPattern": "arn:[a-z-]+:acm:us-east-1:[0-9]{12}:certificate/.+",
            "ConstraintDescription": "has to be the ARN of an ACM certificate in us-east-1",
        }
    return parameters | lambda_stack.PARAMETERS


def _originals_bucket(settings: Settings, incoming: str | None) -> Document:
    cors = rules.upload_cors_rules(settings.cors_origins) if incoming is not None else []
    return _bucket("OriginalsBucketName", incoming=incoming, cors=cors)


def _variants_bucket(settings: Settings, incoming: str | None) -> Document:
    public = settings.delivery == "redirect"
    cors = rules.cors_rules(settings.cors_origins)
    if incoming is not None:
        cors += rules.upload_cors_rules(settings.cors_origins)
    resource = _bucket(
        "VariantsBucketName",
        expire=settings.expire_variants_days,
        incoming=incoming,
        cors=cors,
        public=public,
    )
    own: Document = resource["Properties"]
    if public:
        websites = (
            shapes.website(documents.merge_website(None, documents.routing_rules(url)) or {})
            for url in (_API_URL, settings.resizer_url)
        )
        own["WebsiteConfiguration"] = shapes.either(lambda_stack.CONDITION, *websites)
    return resource


def _bucket(
    name: str,
    *,
    cors: list[Document],
    expire: int | None = None,
    incoming: str | None = None,
    public: bool = False,
) -> Document:
    """Return a bucket with what every bucket of ours has; a stack that is deleted leaves it as it is."""
    lifecycle = rules.merge_lifecycle(None, rules.lifecycle_rules(expire, incoming=incoming)) or {}
    return {
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": _RETAIN,
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketName": {"Ref": name},
            "PublicAccessBlockConfiguration": documents.public_access_block(public=public),
            "OwnershipControls": documents.OWNERSHIP,
            "BucketEncryption": shapes.encryption(documents.encryption(None)),
            "LifecycleConfiguration": shapes.lifecycle(lifecycle),
            **({"CorsConfiguration": shapes.cors({"CORSRules": cors})} if cors else {}),
        },
    }


def _bucket_policy(settings: Settings, scope: Scope, bucket: str) -> Document:
    def policy(bucket: str, partition: str) -> Document:
        sizes = settings.whitelist
        if settings.delivery == "redirect":
            statement = documents.public_statement(bucket, sizes, partition)
        else:
            statement = documents.distribution_statement(bucket, sizes, _DISTRIBUTION_ARN, partition)
        return documents.merge_policy(None, [statement]) or {}

    length = documents.policy_bytes(policy(bucket, scope.partition))
    if length > documents.MOST_BYTES:
        raise Conflict(
            f"the bucket's policy would have {length:,} bytes for {len(settings.whitelist)} sizes, and S3 "
            f"takes {documents.MOST_BYTES:,}; allow fewer sizes"
        )
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {"Bucket": _VARIANTS, "PolicyDocument": policy(_VARIANTS, _PARTITION)},
    }


def _cloudfront(settings: Settings, bucket: str) -> Document:
    """Return what distributions refer to: policies and, in failover, the origin access control."""
    named = {
        "CachePolicy": ("CachePolicy", distribution.cache_policy(bucket)),
        "HeadersPolicy": (
            "ResponseHeadersPolicy",
            distribution.headers_policy(bucket, settings.cors_origins),
        ),
    }
    if settings.delivery == "failover":
        named["OriginAccess"] = ("OriginAccessControl", distribution.access_control(bucket))
    return {
        logical: {
            "Type": f"AWS::CloudFront::{kind}",
            "Properties": {f"{kind}Config": shapes.properties(config | {"Name": _NAME})},
        }
        for logical, (kind, config) in named.items()
    }


def _distribution(settings: Settings, alias: str) -> Document:
    def config(resizer_url: str) -> Document:
        made = converge.new(
            _PLACE,
            replace(settings, resizer_url=resizer_url),
            _IDS,
            reference="",
            alias=alias,
            certificate=_CERTIFICATE,
        )
        return shapes.properties(made)

    shaped = shapes.either(lambda_stack.CONDITION, config(_API_URL), config(settings.resizer_url))
    for origin in shaped["Origins"]:
        origin["DomainName"] = _HOSTS.get(str(origin["DomainName"]), origin["DomainName"])
    return {
        "Type": "AWS::CloudFront::Distribution",
        "Properties": {"DistributionConfig": shaped, "Tags": [{"Key": TAG, "Value": _VARIANTS}]},
    }


def _portable(policy: Document, partition: str, names: dict[str, str]) -> Document:
    """Return a policy about the buckets of the stack, in whatever partition it is made.

    It was made with the buckets' own names, since the length of these decides what fits.
    """

    def moved(arn: str) -> str:
        if not arn.startswith(f"arn:{partition}:"):
            return arn
        service, region, account, rest = arn.split(":", 5)[2:]
        bucket, slash, path = rest.partition("/")
        place = f"{names[bucket]}{slash}{path}" if service == "s3" else rest
        return ":".join(("arn", _PARTITION, service, region, account, place))

    statements = [
        statement | {"Resource": [moved(arn) for arn in statement["Resource"]]}
        for statement in policy["Statement"]
    ]
    return policy | {"Statement": statements}


def _outputs(settings: Settings, cdn_url: str) -> Document:
    resizer_url = shapes.either(lambda_stack.CONDITION, _API_URL, settings.resizer_url)
    return {
        "CdnUrl": _output("CDN_URL of the settings", cdn_url),
        "DistributionId": _output("DISTRIBUTION_ID of the settings", _DISTRIBUTION),
        "DistributionDomain": _output("Where a CNAME record of your own host has to lead", _CDN),
        "ResizerUrl": _output("RESIZER_URL of the settings", resizer_url),
        "AppPolicyArn": _output("The policy to attach to the role or user of your app", _APP_POLICY),
    }


def _output(description: str, value: Any) -> Document:
    return {"Description": description, "Value": value}
