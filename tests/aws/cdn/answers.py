"""What CloudFront answers to a config: with defaults for all that was not sent, and in an order of its own.

By hand, from the pages of the CloudFront API on each structure; no stand-in does this.
"""

import copy
from typing import Any

_ORIGIN: dict[str, Any] = {
    "OriginPath": "",
    "CustomHeaders": {"Quantity": 0},
    "ConnectionAttempts": 3,
    "ConnectionTimeout": 10,
    "OriginShield": {"Enabled": False},
    "OriginAccessControlId": "",
}
_CUSTOM_ORIGIN: dict[str, Any] = {
    "OriginReadTimeout": 30,
    "OriginKeepaliveTimeout": 5,
    "IpAddressType": "ipv4",
}
_BEHAVIOUR: dict[str, Any] = {
    "TrustedSigners": {"Enabled": False, "Quantity": 0},
    "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
    "SmoothStreaming": False,
    "Compress": False,
    "LambdaFunctionAssociations": {"Quantity": 0},
    "FunctionAssociations": {"Quantity": 0},
    "FieldLevelEncryptionId": "",
    "GrpcConfig": {"Enabled": False},
}
_DISTRIBUTION: dict[str, Any] = {
    "Aliases": {"Quantity": 0},
    "DefaultRootObject": "",
    "OriginGroups": {"Quantity": 0},
    "CacheBehaviors": {"Quantity": 0},
    "CustomErrorResponses": {"Quantity": 0},
    "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
    "PriceClass": "PriceClass_All",
    "ViewerCertificate": {
        "CloudFrontDefaultCertificate": True,
        "SSLSupportMethod": "vip",
        "MinimumProtocolVersion": "TLSv1",
        "CertificateSource": "cloudfront",
    },
    "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
    "WebACLId": "",
    "HttpVersion": "http2",
    "IsIPV6Enabled": True,
    "ContinuousDeploymentPolicyId": "",
    "Staging": False,
    "ConnectionMode": "direct",
}

# A distribution of somebody else, as GetDistribution answers: a site, its API, its own pages for errors.
FOREIGN: dict[str, Any] = {
    "CallerReference": "cli-1620000000-1",
    "Aliases": {"Quantity": 2, "Items": ["www.shop.example", "shop.example"]},
    "DefaultRootObject": "index.html",
    "Origins": {
        "Quantity": 2,
        "Items": [
            {
                "Id": "site",
                "DomainName": "site.s3.eu-central-1.amazonaws.com",
                "OriginPath": "/public",
                "CustomHeaders": {
                    "Quantity": 1,
                    "Items": [{"HeaderName": "X-Site-Key", "HeaderValue": "their-secret"}],
                },
                "S3OriginConfig": {"OriginAccessIdentity": "", "OriginReadTimeout": 30},
                "ConnectionAttempts": 2,
                "ConnectionTimeout": 5,
                "OriginShield": {"Enabled": True, "OriginShieldRegion": "eu-central-1"},
                "OriginAccessControlId": "E2SITEACCESS",
            },
            {
                **_ORIGIN,
                "Id": "api",
                "DomainName": "api.shop.example",
                "CustomOriginConfig": {
                    **_CUSTOM_ORIGIN,
                    "HTTPPort": 80,
                    "HTTPSPort": 443,
                    "OriginProtocolPolicy": "https-only",
                    "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
                },
            },
        ],
    },
    "OriginGroups": {"Quantity": 0},
    "DefaultCacheBehavior": {
        **_BEHAVIOUR,
        "TargetOriginId": "site",
        "ViewerProtocolPolicy": "allow-all",
        "AllowedMethods": {
            "Quantity": 2,
            "Items": ["HEAD", "GET"],
            "CachedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]},
        },
        "Compress": True,
        "FunctionAssociations": {
            "Quantity": 1,
            "Items": [
                {
                    "FunctionARN": "arn:aws:cloudfront::123456789012:function/rewrite",
                    "EventType": "viewer-request",
                }
            ],
        },
        "ForwardedValues": {
            "QueryString": False,
            "Cookies": {"Forward": "none"},
            "Headers": {"Quantity": 0},
            "QueryStringCacheKeys": {"Quantity": 0},
        },
        "MinTTL": 0,
        "DefaultTTL": 86400,
        "MaxTTL": 31536000,
    },
    "CacheBehaviors": {
        "Quantity": 1,
        "Items": [
            {
                **_BEHAVIOUR,
                "PathPattern": "api/*",
                "TargetOriginId": "api",
                "ViewerProtocolPolicy": "https-only",
                "AllowedMethods": {
                    "Quantity": 7,
                    "Items": ["HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH"],
                    "CachedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]},
                },
                "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
                "OriginRequestPolicyId": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
            }
        ],
    },
    "CustomErrorResponses": {
        "Quantity": 3,
        "Items": [
            {
                "ErrorCode": 404,
                "ResponsePagePath": "/404.html",
                "ResponseCode": "404",
                "ErrorCachingMinTTL": 300,
            },
            {"ErrorCode": 414, "ResponsePagePath": "", "ResponseCode": "", "ErrorCachingMinTTL": 60},
            {"ErrorCode": 503, "ResponsePagePath": "", "ResponseCode": "", "ErrorCachingMinTTL": 10},
        ],
    },
    "Comment": "the shop",
    "Logging": {
        "Enabled": True,
        "IncludeCookies": False,
        "Bucket": "logs.s3.amazonaws.com",
        "Prefix": "cdn/",
    },
    "PriceClass": "PriceClass_100",
    "Enabled": True,
    "ViewerCertificate": {
        "CloudFrontDefaultCertificate": False,
        "ACMCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/theirs",
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": "TLSv1.2_2019",
        "Certificate": "arn:aws:acm:us-east-1:123456789012:certificate/theirs",
        "CertificateSource": "acm",
    },
    "Restrictions": {"GeoRestriction": {"RestrictionType": "blacklist", "Quantity": 1, "Items": ["AQ"]}},
    "WebACLId": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/shop/1",
    "HttpVersion": "http2",
    "IsIPV6Enabled": False,
    "ContinuousDeploymentPolicyId": "",
    "Staging": False,
    "ConnectionMode": "direct",
}


def answer(sent: dict[str, Any]) -> dict[str, Any]:
    """Return the DistributionConfig that CloudFront gives back for one that it was sent."""
    config = _DISTRIBUTION | copy.deepcopy(sent)
    for origin in items(config, "Origins"):
        origin |= _ORIGIN | origin
        if "CustomOriginConfig" in origin:
            origin["CustomOriginConfig"] = _CUSTOM_ORIGIN | origin["CustomOriginConfig"]
        else:
            origin["S3OriginConfig"] = {"OriginReadTimeout": 30} | origin["S3OriginConfig"]
    for group in items(config, "OriginGroups"):
        group["FailoverCriteria"]["StatusCodes"]["Items"].sort(key=str, reverse=True)
        group["SelectionCriteria"] = "default"
    for behaviour in [config["DefaultCacheBehavior"], *items(config, "CacheBehaviors")]:
        behaviour |= _BEHAVIOUR | behaviour
        methods = behaviour["AllowedMethods"]
        for listed in (methods, methods["CachedMethods"]):
            listed["Items"].sort()
    for entry in items(config, "CustomErrorResponses"):
        entry |= {"ResponsePagePath": "", "ResponseCode": ""} | entry
    return config


def items(config: dict[str, Any], key: str) -> list[Any]:
    """Return the entries of a list in a config."""
    return list(config[key].get("Items", []))
