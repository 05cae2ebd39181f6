"""Examine drift: what the commands that set up AWS would change now."""

from collections.abc import Iterator

from lazyimages import storage
from lazyimages.aws import bucket, cdn, incoming
from lazyimages.aws.plans import Step
from lazyimages.doctor.case import Case
from lazyimages.doctor.examination import Examination, Seen
from lazyimages.doctor.findings import finding

_DELIVERIES = ("redirect", "failover")


def _look_at_bucket(case: Case) -> Iterator[Seen]:
    assert case.variants is not None
    found = case.distribution if case.settings.delivery == "failover" else None
    originals = case.originals
    here = originals is not None and originals.bucket_name == case.place.bucket
    listed = here and not originals.location.strip("/") if originals is not None else False
    steps = bucket.plan(
        case.client(case.variants),
        case.place.bucket,
        case.settings,
        distribution_arn=found.arn if found else None,
        list_originals=None if listed else storage.iter_originals,
        holds_originals=here,
        incoming=incoming.prefix_in(case.place.bucket, case.settings, originals) if here else None,
    )
    if originals is not None and not here:
        name = originals.bucket_name
        steps += bucket.plan_originals(
            case.client(originals),
            name,
            incoming=incoming.prefix_in(name, case.settings, originals),
            cors_origins=case.settings.cors_origins,
        )
    if names := _changing(steps):
        yield finding("bucket-drift", f"Of {case.place.bucket!r} these differ: {names}.")


def _look_at_cdn(case: Case) -> Iterator[Seen]:
    assert case.variants is not None
    steps = cdn.plan(case.client(case.variants, "cloudfront"), case.settings, case.place)
    if names := _changing(steps):
        yield finding("cdn-drift", f"These differ: {names}.")


def _changing(steps: list[Step]) -> str:
    return ", ".join(step.name for step in steps if step.changes)


BUCKET = Examination(
    name="bucket: as set up",
    look=_look_at_bucket,
    unless=("credentials", "bucket-missing", "bucket-region"),
    deliveries=_DELIVERIES,
)
CDN = Examination(
    name="CDN: as set up", look=_look_at_cdn, unless=("credentials", "cdn-missing"), deliveries=_DELIVERIES
)
