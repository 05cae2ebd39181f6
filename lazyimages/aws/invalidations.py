"""Invalidations: CloudFront is told to forget variants, as much at a time as it takes."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lazyimages.aws import clients, trouble
from lazyimages.exceptions import LazyImagesError

if TYPE_CHECKING:
    from storages.backends.s3 import S3Storage
    from types_boto3_cloudfront.client import CloudFrontClient

# CloudFront developer guide, "Quotas": of one distribution, in progress at the same time.
MOST_PATHS = 3000
MOST_WILDCARDS = 15
_BUSY = "TooManyInvalidationsInProgress"
_LONGEST_WAIT = 30 * 60  # seconds; AWS's pages speak of minutes
_PAUSE = 10.0  # seconds between two looks

Say = Callable[[str], None]


class NotInvalidated(LazyImagesError):
    """CloudFront was not told to forget what was deleted; it keeps it until it expires."""


def client(storage: "S3Storage | None") -> "CloudFrontClient":
    """Return a client with a storage's credentials, or with boto3's own where variants are not on S3."""
    made: CloudFrontClient = clients.client(storage, "cloudfront") if storage else boto3.client("cloudfront")
    return made


def invalidate(
    client: "CloudFrontClient",
    id: str,
    paths: Sequence[str],
    *,
    say: Say = lambda text: None,
    longest: float = _LONGEST_WAIT,
    pause: float = _PAUSE,
) -> list[str]:
    """Have a distribution forget some paths, and return the ids of the invalidations.

    While others are in progress it waits for room, and calls `say`. It does not wait until CloudFront is
    ready, which takes a minute or so. `NotInvalidated` when CloudFront refuses, or after `longest` seconds.
    """
    try:
        return [_create(client, id, part, say, longest, pause) for part in _parts(paths)]
    except (ClientError, BotoCoreError) as error:
        raise NotInvalidated(trouble.explain(error, f"the distribution {id!r}")) from error


def _parts(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    wildcards = [path for path in paths if path.endswith("*")]
    exact = [path for path in paths if not path.endswith("*")]
    for which, most in ((wildcards, MOST_WILDCARDS), (exact, MOST_PATHS)):
        for start in range(0, len(which), most):
            yield which[start : start + most]


def _create(
    client: "CloudFrontClient", id: str, paths: Sequence[str], say: Say, longest: float, pause: float
) -> str:
    start = time.monotonic()
    # The same for every attempt, so that one whose answer was lost is not made again.
    reference = f"lazyimages-{secrets.token_hex(8)}"
    while True:
        if _has_room(client, id, paths):
            try:
                batch: Any = {
                    "Paths": {"Quantity": len(paths), "Items": list(paths)},
                    "CallerReference": reference,
                }
                answer = client.create_invalidation(DistributionId=id, InvalidationBatch=batch)
                return answer["Invalidation"]["Id"]
            except ClientError as error:
                if trouble.code(error) != _BUSY:
                    raise
        if time.monotonic() - start >= longest:
            raise NotInvalidated(
                f"CloudFront is still busy with other invalidations of {id!r} after {longest / 60:.0f} "
                "minutes"
            )
        say(f"CloudFront is busy with other invalidations of {id}; waiting for room")
        time.sleep(pause)


def _has_room(client: "CloudFrontClient", id: str, paths: Sequence[str]) -> bool:
    wildcards = exact = 0
    try:
        for path in _in_progress(client, id):
            wildcards, exact = wildcards + path.endswith("*"), exact + (not path.endswith("*"))
    except ClientError as error:
        if trouble.code(error) not in trouble.DENIED:
            raise
        return True  # who may not look is told by the refusal
    ours = sum(path.endswith("*") for path in paths)
    return wildcards + ours <= MOST_WILDCARDS and exact + len(paths) - ours <= MOST_PATHS


def _in_progress(client: "CloudFrontClient", id: str) -> Iterator[str]:
    for page in client.get_paginator("list_invalidations").paginate(DistributionId=id):
        found = [
            entry["Id"]
            for entry in page["InvalidationList"].get("Items", [])
            if entry["Status"].lower() == "inprogress"
        ]
        if not found:  # the list has all that ever were, the newest first
            return
        for one in found:
            answer = client.get_invalidation(DistributionId=id, Id=one)
            yield from answer["Invalidation"]["InvalidationBatch"]["Paths"].get("Items", [])
