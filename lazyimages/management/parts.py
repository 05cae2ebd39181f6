"""The parts of AWS that the commands set up, each of them in more than one command."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from django.core.files.storage import Storage, storages
from django.core.management.base import OutputWrapper

from lazyimages import storage
from lazyimages.conf import Settings
from lazyimages.management.setup import Part

if TYPE_CHECKING:
    from storages.backends.s3 import S3Storage

    from lazyimages.aws.plans import Step

NOBODY_YET = (
    "Nobody may read the variants yet: there is no distribution. Run lazyimages_setup_cdn, then "
    "lazyimages_setup_bucket again; lazyimages_setup does both."
)


def bucket_parts(
    settings: Settings,
    variants: "S3Storage",
    *,
    replace_website: bool,
    alone: bool = False,
    warn: Callable[[str], object] = lambda text: None,
) -> Iterator[Part]:
    """Yield the bucket of the originals, where it is another one, and that of the variants.

    `alone` tells that the distribution is not set up before. `warn` is told when failover finds no
    distribution that could be let in.
    """
    originals = storages[settings.originals]
    apart = storage.is_s3(originals) and originals.bucket_name != variants.bucket_name  # type: ignore[attr-defined]
    if apart:
        name: str = originals.bucket_name  # type: ignore[attr-defined]
        yield Part(about=f"the bucket {name!r}", plan=partial(_plan_originals, settings, originals))
    yield Part(
        about=f"the bucket {variants.bucket_name!r}",
        plan=partial(_plan_variants, settings, variants, originals, replace_website, alone, warn),
    )


def cdn_part(
    settings: Settings,
    variants: "S3Storage",
    out: OutputWrapper,
    *,
    certificate: str | None = None,
    wait: bool = True,
    bucket_follows: bool = False,
) -> Part:
    """Return the distribution of the variants' bucket.

    With `bucket_follows`, which may lose its other readers then, a distribution that was there before is
    waited for in any case: until it is deployed, it reads the bucket as it did.
    """
    from lazyimages.aws import cdn, clients  # boto3 is an extra
    from lazyimages.management import deployment  # which imports it

    bucket: str = variants.bucket_name
    client, ids, there = clients.client(variants, "cloudfront"), list[str](), list[bool]()

    def plan() -> "list[Step]":
        s3 = clients.client(variants, "s3").meta
        place = cdn.Place(bucket=bucket, region=s3.region_name, partition=s3.partition)
        steps = cdn.plan(client, settings, place, certificate=certificate, tell=ids.append)
        there.append(bool(ids))
        return steps

    def finish(changed: bool) -> None:
        must = bucket_follows and there[-1]
        deployment.follow(client, ids[-1], settings, out, changed=changed, wait=wait or must)

    return Part(about=f"the distribution of the bucket {bucket!r}", plan=plan, finish=finish)


def _plan_originals(settings: Settings, originals: Any) -> "list[Step]":
    from lazyimages.aws import bucket, clients, incoming  # boto3 is an extra

    name: str = originals.bucket_name
    return bucket.plan_originals(
        clients.client(originals, "s3"),
        name,
        incoming=incoming.prefix_in(name, settings, originals),
        cors_origins=settings.cors_origins,
    )


def _plan_variants(
    settings: Settings,
    variants: "S3Storage",
    originals: Storage,
    replace_website: bool,
    alone: bool,
    warn: Callable[[str], object],
) -> "list[Step]":
    from lazyimages.aws import bucket, clients, incoming  # boto3 is an extra

    arn = _distribution_arn(settings, variants, alone=alone) if settings.delivery == "failover" else None
    if settings.delivery == "failover" and arn is None:
        warn(NOBODY_YET)
    return bucket.plan(
        clients.client(variants, "s3"),
        variants.bucket_name,
        settings,
        distribution_arn=arn,
        list_originals=_other_originals(variants, originals),
        holds_originals=storage.is_s3(originals) and originals.bucket_name == variants.bucket_name,  # type: ignore[attr-defined]
        incoming=incoming.prefix_in(variants.bucket_name, settings, originals),
        replace_website=replace_website,
    )


def _distribution_arn(settings: Settings, variants: "S3Storage", *, alone: bool) -> str | None:
    """Return whom to let in; without DISTRIBUTION_ID that is looked for, which needs more permissions."""
    from botocore.exceptions import BotoCoreError, ClientError  # boto3 is an extra

    from lazyimages.aws import cdn, clients

    client = clients.client(variants, "cloudfront")
    if settings.distribution_id:
        with suppress(BotoCoreError, ClientError):  # who may not look is not kept from it
            if alone:
                cdn.refuse_closing(cdn.get(client, settings.distribution_id))
        caller = clients.identity(variants)
        place = f"arn:{caller.partition}:cloudfront::{caller.account}"
        return f"{place}:distribution/{settings.distribution_id}"
    found = cdn.find(client, settings, variants.bucket_name)
    if found and alone:
        cdn.refuse_closing(found)
    return found.arn if found else None


def _other_originals(variants: "S3Storage", originals: Any) -> Callable[[], Iterator[str]] | None:
    """Return a way to list the originals, unless listing the bucket of the variants shows their names."""
    from lazyimages.aws import clients, reading  # boto3 is an extra

    if not storage.is_s3(originals):
        return storage.iter_originals
    location = originals.location.strip("/")
    if originals.bucket_name == variants.bucket_name and not location:
        return None
    client = clients.client(originals, "s3")
    return partial(reading.names, client, originals.bucket_name, f"{location}/" if location else "")
