"""Set up the CloudFront distribution: find it, plan what to change, wait until it is deployed."""

import ipaddress
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from lazyimages.aws import converge, distribution, named, trouble, unknown
from lazyimages.aws.distribution import BUCKET, TAG, Ids
from lazyimages.aws.distribution import Place as Place
from lazyimages.aws.documents import Conflict, Document
from lazyimages.aws.plans import Step
from lazyimages.conf import Settings
from lazyimages.exceptions import LazyImagesError

if TYPE_CHECKING:
    from types_boto3_cloudfront.client import CloudFrontClient

# CloudFront's own domains, which need no alias; the second in China.
_OWN_DOMAINS = (".cloudfront.net", ".cloudfront.cn")
_LONGEST_WAIT = 30 * 60  # seconds; AWS's pages speak of about five minutes for most changes
_PARSED = "before-parse.cloudfront.GetDistribution"
_PAUSE = 5.0  # seconds between two looks


class NotDeployed(LazyImagesError):
    """The distribution was not deployed everywhere in the time that one waits for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """A distribution as CloudFront has it.

    `status` is "InProgress" or "Deployed"; `tag` is the bucket for which we created it, empty for one that
    somebody else did. Its config holds secrets: headers that CloudFront adds.
    """

    id: str
    arn: str
    domain: str
    status: str
    etag: str
    tag: str
    config: Document = field(repr=False)
    unknown: tuple[str, ...] = ()  # what the installed botocore left out of the config


def find(client: "CloudFrontClient", settings: Settings, bucket: str) -> Distribution | None:
    """Return the distribution of a bucket: DISTRIBUTION_ID, else CDN_URL's host, else the one with our tag.

    `Conflict` when there is none with DISTRIBUTION_ID, or several have the tag, or when another
    one serves the host by a wildcard. Tags are read only of
    distributions that have an origin called as ours, since each answers for itself.
    """
    if settings.distribution_id:
        return _named_in_settings(client, settings.distribution_id)
    pages = client.get_paginator("list_distributions").paginate()
    summaries = [entry for page in pages for entry in page["DistributionList"].get("Items", [])]
    host = _host(settings)
    for entry in summaries:
        names = [entry["DomainName"], *entry.get("Aliases", {}).get("Items", [])]
        if host and host in (name.lower() for name in names):
            return get(client, entry["Id"])
    tagged = [
        entry
        for entry in summaries
        if any(origin["Id"] == BUCKET for origin in entry["Origins"]["Items"])
        and _tag(client, entry["ARN"]) == bucket
    ]
    if len(tagged) > 1:
        ids = ", ".join(entry["Id"] for entry in tagged)
        raise Conflict(
            f"several distributions have the tag {TAG}={bucket}: {ids}. Set DISTRIBUTION_ID to the one to use"
        )
    if tagged:
        return get(client, tagged[0]["Id"])
    for entry in summaries:
        for name in entry.get("Aliases", {}).get("Items", []):
            # With an alias of its own, a new one would get these requests at once, whatever the DNS says
            # (CloudFront developer guide, "Restrictions on using alternate domain names").
            if host and distribution.serves(name, host):
                raise Conflict(
                    f"the host of CDN_URL is served by the distribution {entry['Id']}, whose alias is "
                    f"{name!r}. Set DISTRIBUTION_ID to use that one, or choose another host"
                )
    return None


def refuse_closing(found: Distribution) -> None:
    """Raise `Conflict` while a distribution reads the bucket's website, which a private bucket has not."""
    origins = found.config["Origins"]["Items"]
    website = any(origin["Id"] == BUCKET and "CustomOriginConfig" in origin for origin in origins)
    if website or found.status != "Deployed":
        raise Conflict(
            f"the distribution {found.id} {'still reads' if website else 'may still read'} the bucket's "
            "website, and every image would be refused once the bucket is private. Run lazyimages_setup, "
            "which changes and awaits the distribution first"
        )


def get(client: "CloudFrontClient", id: str) -> Distribution:
    """Return a distribution by its id."""
    unread: list[str] = []

    def note(operation_model: Any, response_dict: dict[str, Any], **kwargs: Any) -> None:
        if response_dict["status_code"] == 200:
            shape = operation_model.output_shape.members["Distribution"]
            unread.extend(unknown.members(response_dict["body"], shape))

    client.meta.events.register(_PARSED, note)
    try:
        answer = client.get_distribution(Id=id)
    finally:
        client.meta.events.unregister(_PARSED, note)
    found: Any = answer["Distribution"]
    return Distribution(
        id=found["Id"],
        arn=found["ARN"],
        domain=found["DomainName"],
        status=found["Status"],
        etag=answer["ETag"],
        tag=_tag(client, found["ARN"]),
        config=found["DistributionConfig"],
        unknown=tuple(name for name in unread if name.startswith("DistributionConfig.")),
    )


def plan(
    client: "CloudFrontClient",
    settings: Settings,
    place: Place,
    *,
    certificate: str | None = None,
    tell: Callable[[str], None] = lambda id: None,
) -> list[Step]:
    """Return the steps that make a distribution deliver the bucket, in the order to take them.

    `certificate` is the ARN of an ACM certificate for the host of CDN_URL. `tell` gets the distribution's id,
    at once or when it is created. `Conflict` when the distribution has something that cannot stand beside
    what is asked for; nothing has been changed then.
    """
    found = find(client, settings, place.bucket)
    if certificate and not alias(settings):
        raise Conflict(
            "--certificate is for a CDN_URL on a domain of your own, and CDN_URL is on none. Set it, or "
            "leave --certificate out"
        )
    if found is None and _host(settings).endswith(_OWN_DOMAINS):
        raise Conflict(
            f"CDN_URL is {settings.cdn_url!r}, and no distribution of this account has this domain. Correct "
            "it, or the credentials, or take it out of the settings, to have a distribution created"
        )
    if found is not None and found.tag not in ("", place.bucket):
        raise Conflict(
            f"the distribution {found.id} was created for the bucket {found.tag!r}. Use another, or, if that "
            f"bucket is to be left, set the distribution's tag {TAG} to {place.bucket!r}"
        )
    ids: dict[named.Kind, str] = {}
    steps = [
        named.plan(client, named.CACHE, distribution.cache_policy(place.bucket), ids),
        named.plan(
            client,
            named.HEADERS,
            distribution.headers_policy(place.bucket, settings.cors_origins),
            ids,
        ),
    ]
    if settings.delivery == "failover":
        steps.append(named.plan(client, named.ACCESS, distribution.access_control(place.bucket), ids))

    def known() -> Ids:
        return Ids(cache=ids[named.CACHE], headers=ids[named.HEADERS], access=ids.get(named.ACCESS, ""))

    if found is None:
        return [*steps, _creation(client, settings, place, known, certificate, tell)]
    tell(found.id)
    update = _update(client, settings, place, known, certificate, found)
    if update.changes and found.unknown:
        raise Conflict(
            f"the distribution {found.id} has {', '.join(found.unknown)}, which this version of boto3 does "
            "not know, and would take away. Run pip install --upgrade boto3 first"
        )
    return [*steps, update]


def wait(
    client: "CloudFrontClient",
    id: str,
    *,
    say: Callable[[float], None] = lambda seconds: None,
    longest: float = _LONGEST_WAIT,
    pause: float = _PAUSE,
) -> None:
    """Wait until a distribution is deployed everywhere, and look every `pause` seconds.

    `say` gets the seconds so far after each look. `NotDeployed` after `longest` seconds.
    """
    start = time.monotonic()
    while client.get_distribution(Id=id)["Distribution"]["Status"] != "Deployed":
        seconds = time.monotonic() - start
        if seconds >= longest:
            raise NotDeployed(
                f"The distribution {id} is still being deployed after {longest / 60:.0f} minutes. CloudFront "
                "goes on by itself; run the command again to wait on."
            )
        say(seconds)
        time.sleep(pause)


def alias(settings: Settings) -> str:
    """Return the host of CDN_URL, if it has to be an alias of the distribution; else an empty text."""
    host = _host(settings)
    if host.endswith(_OWN_DOMAINS) or host.endswith(".localhost") or "." not in host or _is_address(host):
        return ""
    return host


def settings_to_set(found: Distribution, settings: Settings) -> dict[str, str]:
    """Return what the settings lack, or have otherwise, by its name in LAZYIMAGES."""
    host, lacking = _host(settings), {}
    if not host or (host.endswith(_OWN_DOMAINS) and host != found.domain.lower()):
        lacking["CDN_URL"] = f"https://{found.domain}"
    if settings.distribution_id != found.id:
        lacking["DISTRIBUTION_ID"] = found.id
    return lacking


def notes(found: Distribution, settings: Settings) -> list[str]:
    """Return what a person should know of parts that somebody else has set, and that are kept."""
    said = []
    if not found.config["Enabled"]:
        said.append(f"The distribution {found.id} is disabled, and answers nobody. Enable it.")
    if settings.delivery == "failover" and (codes := converge.pages(found.config)):
        listed = ", ".join(map(str, codes))
        said.append(
            f"The distribution {found.id} shows pages of its own for {listed}, also in place of the answers "
            "to images that are missing, and keeps them as long as it says there."
        )
    return said


def _creation(
    client: "CloudFrontClient",
    settings: Settings,
    place: Place,
    known: Callable[[], Ids],
    certificate: str | None,
    tell: Callable[[str], None],
) -> Step:
    prefix = f"lazyimages-{place.bucket}-"

    def config(reference: str) -> Document:
        return converge.new(
            place,
            settings,
            known(),
            reference=reference,
            alias=alias(settings),
            certificate=certificate,
        )

    def create() -> None:
        tagged: Any = {
            "DistributionConfig": config(prefix + secrets.token_hex(8)),
            "Tags": {"Items": [{"Key": TAG, "Value": place.bucket}]},
        }
        answer = client.create_distribution_with_tags(DistributionConfigWithTags=tagged)
        tell(answer["Distribution"]["Id"])

    after = converge.shown(config(f"{prefix}(random)"), settings)
    return Step(name="distribution", before=None, after=after, action=create)


def _update(
    client: "CloudFrontClient",
    settings: Settings,
    place: Place,
    known: Callable[[], Ids],
    certificate: str | None,
    found: Distribution,
) -> Step:
    def config() -> Document:
        return converge.merge(
            found.config,
            place,
            settings,
            known(),
            owned=found.tag == place.bucket,
            alias=alias(settings),
            certificate=certificate,
        )

    def update() -> None:
        wanted: Any = config()
        client.update_distribution(Id=found.id, IfMatch=found.etag, DistributionConfig=wanted)

    return Step(
        name="distribution",
        before=converge.shown(found.config, settings),
        after=converge.shown(config(), settings),
        action=update,
    )


def _named_in_settings(client: "CloudFrontClient", id: str) -> Distribution:
    try:
        return get(client, id)
    except ClientError as error:
        if trouble.code(error) != "NoSuchDistribution":
            raise
        raise Conflict(
            f"DISTRIBUTION_ID is {id!r}, and there is no such distribution in this account. Correct it, or "
            "take it out of the settings, to have one found by CDN_URL or created"
        ) from error


def _tag(client: "CloudFrontClient", arn: str) -> str:
    """Return the value of our tag; empty when there is none."""
    tags = client.list_tags_for_resource(Resource=arn)["Tags"].get("Items", [])
    return next((tag.get("Value", "") for tag in tags if tag["Key"] == TAG), "")


def _host(settings: Settings) -> str:
    return (urlsplit(settings.cdn_url).hostname or "").lower()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
