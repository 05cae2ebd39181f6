"""A distribution and what it refers to, as documents of the CloudFront API; read anew each time.

The shapes are those of botocore: GetDistribution, GetCachePolicy, GetResponseHeadersPolicy,
GetOriginAccessControl, ListInvalidations, GetInvalidation.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from marketplace.cloud.messages import ConfigurationFault, Unavailable

if TYPE_CHECKING:
    from types_boto3_cloudfront import CloudFrontClient

Document = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Documents:
    """A DistributionConfig, the distribution's ARN, and the configs that it names, each by its id."""

    arn: str
    config: Document
    cache_policies: Mapping[str, Document]
    response_headers: Mapping[str, Document]
    access_controls: Mapping[str, Document]


class CloudFrontApi:
    """One distribution behind the API: that of an id, or that which has a tag, and alone has it.

    One that was found by its tag is not looked for again until it is gone, or until `forget`.
    """

    def __init__(self, *, endpoint: str, distribution: str = "", tag: tuple[str, str] | None = None) -> None:
        if bool(distribution) == bool(tag):
            raise ValueError("Name the distribution, or a tag of it: one of both")
        self._client = _make_client(endpoint)
        self._id, self._tag = distribution, tag
        self._found = ""

    def read(self) -> Documents:
        """Return what the API has now.

        Raise Unavailable when there is no such distribution or no answer, ConfigurationFault when it is
        ambiguous or names something that does not exist.
        """
        client = self._client
        identifier = self._found = self._found or self._id or self._find()
        try:
            found = self._call(client.get_distribution, Id=identifier)["Distribution"]
        except Unavailable:
            self.forget()
            raise
        config = found["DistributionConfig"]
        cached, added = set(), set()
        for behaviour in behaviours_of(config):
            cached.add(behaviour.get("CachePolicyId"))
            added.add(behaviour.get("ResponseHeadersPolicyId"))
        controls = {one.get("OriginAccessControlId") for one in config["Origins"]["Items"]}
        return Documents(
            arn=found["ARN"],
            config=config,
            cache_policies=self._each(cached, client.get_cache_policy, "CachePolicy"),
            response_headers=self._each(added, client.get_response_headers_policy, "ResponseHeadersPolicy"),
            access_controls=self._each(controls, client.get_origin_access_control, "OriginAccessControl"),
        )

    def invalidations(self, arn: str, known: Collection[str]) -> dict[str, list[str]]:
        """Return the paths of the invalidations of a distribution, by id, but for those that are known."""
        identifier = arn.rpartition("/")[2]
        listed = self._call(self._client.list_invalidations, DistributionId=identifier)["InvalidationList"]
        fresh = [one["Id"] for one in listed.get("Items", ()) if one["Id"] not in known]
        found = {
            one: self._call(self._client.get_invalidation, DistributionId=identifier, Id=one) for one in fresh
        }
        return {
            one: list(answer["Invalidation"]["InvalidationBatch"]["Paths"].get("Items", ()))
            for one, answer in found.items()
        }

    def forget(self) -> None:
        """Look for the distribution anew at the next `read`."""
        self._found = ""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _find(self) -> str:
        assert self._tag is not None
        key, value = self._tag
        listed = self._call(self._client.list_distributions)["DistributionList"]
        found = [
            one["Id"] for one in listed.get("Items", ()) if {"Key": key, "Value": value} in self._tags(one)
        ]
        if not found:
            raise Unavailable(f"No distribution has the tag {key}={value} yet")
        if len(found) > 1:
            raise ConfigurationFault(f"{len(found)} distributions have the tag {key}={value}")
        return str(found[0])

    def _tags(self, summary: Document) -> list[dict[str, str]]:
        answer = self._call(self._client.list_tags_for_resource, Resource=summary["ARN"])
        return list(answer["Tags"].get("Items", ()))

    def _each(
        self, identifiers: Collection[str | None], call: Callable[..., Any], name: str
    ) -> dict[str, Document]:
        return {one: self._call(call, Id=one)[name][f"{name}Config"] for one in filter(None, identifiers)}

    def _call(self, operation: Callable[..., Any], **arguments: str) -> Any:
        try:
            return operation(**arguments)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchDistribution":
                raise Unavailable(f"There is no distribution {arguments} yet") from error
            raise ConfigurationFault(f"CloudFront: {error}") from error
        except BotoCoreError as error:
            raise Unavailable(f"CloudFront's API does not answer: {error}") from error


def behaviours_of(config: Document) -> Iterator[Document]:
    """Yield the cache behaviours of a DistributionConfig in their order, the default one last."""
    yield from (config.get("CacheBehaviors") or {}).get("Items") or ()
    yield config["DefaultCacheBehavior"]


def refuse_unknown(document: Document, known: Collection[str], where: str) -> None:
    """Raise ConfigurationFault for members that are not known, unless they say nothing.

    Nothing is said by an empty text, by False, and by what is empty or not enabled.
    """
    spoken = {name: value for name, value in document.items() if not _says_nothing(value)}
    if unknown := sorted(set(spoken) - set(known)):
        raise ConfigurationFault(f"The emulator does not implement {', '.join(unknown)} in {where}")


def _says_nothing(value: Any) -> bool:
    if isinstance(value, Mapping):
        return (
            not value
            or value.get("Enabled") is False
            or ("Enabled" not in value and value.get("Quantity") == 0)
        )
    return value is None or value is False or value == ""


def _make_client(endpoint: str) -> "CloudFrontClient":
    return boto3.client(
        "cloudfront",
        endpoint_url=endpoint,
        region_name="us-east-1",
        # As for the buckets: the emulator does not depend on the credentials of whoever runs it.
        aws_access_key_id="cloud",
        aws_secret_access_key="cloud",  # noqa: S106
        config=Config(
            connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2}
        ),
    )
