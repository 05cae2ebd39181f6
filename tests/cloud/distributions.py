"""Distributions in ministack for the tests: documents of the CloudFront API, and short ways to write them.

They are the tests' own, not those of `lazyimages_setup_cdn`, so that a mistake there is not repeated here.
"""

import itertools
from typing import Any

OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"  # "Use managed cache policies": CachingOptimized
_numbers = itertools.count()

Document = dict[str, Any]


def items(*values: Any) -> Document:
    return {"Quantity": len(values), "Items": list(values)} if values else {"Quantity": 0}


def website_origin(bucket: str, *, region: str = "us-east-1", dot: str = "-", **custom: Any) -> Document:
    return custom_origin(f"{bucket}.s3-website{dot}{region}.amazonaws.com", 80, **custom)


def custom_origin(
    domain: str, port: int, *, path: str = "", headers: dict[str, str] | None = None, **custom: Any
) -> Document:
    pairs = ({"HeaderName": name, "HeaderValue": value} for name, value in (headers or {}).items())
    return {
        "Id": "custom",
        "DomainName": domain,
        "OriginPath": path,
        "CustomHeaders": items(*pairs),
        "CustomOriginConfig": {
            "HTTPPort": port,
            "HTTPSPort": 443,
            "OriginProtocolPolicy": "http-only",
            "OriginSslProtocols": items("TLSv1.2"),
            "OriginReadTimeout": 30,
            "OriginKeepaliveTimeout": 5,
        }
        | custom,
    }


def bucket_origin(bucket: str, *, region: str = "us-east-1", control: str = "", path: str = "") -> Document:
    return {
        "Id": "bucket",
        "DomainName": f"{bucket}.s3.{region}.amazonaws.com",
        "OriginPath": path,
        "CustomHeaders": items(),
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": control,
    }


def group(*members: str, codes: tuple[int, ...] = (403, 404)) -> Document:
    return {
        "Id": "group",
        "FailoverCriteria": {"StatusCodes": items(*codes)},
        "Members": items(*({"OriginId": one} for one in members)),
    }


def behaviour(target: str, policy: str, **extra: Any) -> Document:
    return {
        "TargetOriginId": target,
        "ViewerProtocolPolicy": "redirect-to-https",
        "CachePolicyId": policy,
        "Compress": True,
        "AllowedMethods": items("GET", "HEAD") | {"CachedMethods": items("GET", "HEAD")},
    } | extra


def allowing(*methods: str) -> Document:
    return items(*methods) | {"CachedMethods": items("GET", "HEAD")}


class CloudFront:
    """ministack's CloudFront, and names in it that nobody else has."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def cache_policy(self, *, minimum: int = 0, default: int = 0, query: str = "none") -> str:
        """Make a cache policy, the product's own when nothing is named, and return its id."""
        config = {
            "Name": f"policy-{next(_numbers)}",
            "MinTTL": minimum,
            "DefaultTTL": default,
            "MaxTTL": 31_536_000,
            "ParametersInCacheKeyAndForwardedToOrigin": {
                "EnableAcceptEncodingGzip": False,
                "EnableAcceptEncodingBrotli": False,
                "HeadersConfig": {"HeaderBehavior": "none"},
                "CookiesConfig": {"CookieBehavior": "none"},
                "QueryStringsConfig": {"QueryStringBehavior": query},
            },
        }
        return self.client.create_cache_policy(CachePolicyConfig=config)["CachePolicy"]["Id"]

    def headers_policy(self, **sections: Any) -> str:
        config = {"Name": f"headers-{next(_numbers)}"} | sections
        answer = self.client.create_response_headers_policy(ResponseHeadersPolicyConfig=config)
        return answer["ResponseHeadersPolicy"]["Id"]

    def access_control(self, *, signing: str = "always") -> str:
        config = {
            "Name": f"control-{next(_numbers)}",
            "SigningProtocol": "sigv4",
            "SigningBehavior": signing,
            "OriginAccessControlOriginType": "s3",
        }
        answer = self.client.create_origin_access_control(OriginAccessControlConfig=config)
        return answer["OriginAccessControl"]["Id"]

    def create(
        self,
        origin: Document,
        *others: Document,
        default: Document | None = None,
        behaviours: tuple[Document, ...] = (),
        tag: tuple[str, str] | None = None,
        **extra: Any,
    ) -> Document:
        """Make a distribution; without `default` everything is from the first origin. Return it."""
        config = {
            "CallerReference": f"call-{next(_numbers)}",
            "Comment": "",
            "Enabled": True,
            "Origins": items(origin, *others),
            "DefaultCacheBehavior": default or behaviour(origin["Id"], self.cache_policy()),
            "CacheBehaviors": items(*behaviours),
        } | extra
        tags = {"Items": [{"Key": tag[0], "Value": tag[1]}] if tag else []}
        answer = self.client.create_distribution_with_tags(
            DistributionConfigWithTags={"DistributionConfig": config, "Tags": tags}
        )
        return answer["Distribution"]

    def change(self, distribution: Document, **members: Any) -> None:
        """Change members of a distribution's config."""
        found = self.client.get_distribution_config(Id=distribution["Id"])
        self.client.update_distribution(
            Id=distribution["Id"],
            IfMatch=found["ETag"],
            DistributionConfig=found["DistributionConfig"] | members,
        )

    def delete(self, distribution: Document) -> None:
        etag = self.client.get_distribution_config(Id=distribution["Id"])["ETag"]
        self.client.delete_distribution(Id=distribution["Id"], IfMatch=etag)

    def invalidate(self, distribution: Document, *paths: str) -> None:
        batch = {"Paths": items(*paths), "CallerReference": f"call-{next(_numbers)}"}
        self.client.create_invalidation(DistributionId=distribution["Id"], InvalidationBatch=batch)
