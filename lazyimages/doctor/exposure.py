"""Examine the policies: originals that everybody may read, and variants that those who should may not."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from lazyimages import keys, storage
from lazyimages.aws import reading
from lazyimages.aws import statements as policies
from lazyimages.aws.documents import Document, variant_resources
from lazyimages.doctor.case import Case
from lazyimages.doctor.examination import Examination, Seen
from lazyimages.doctor.findings import finding
from lazyimages.doctor.kinds import Finding
from lazyimages.exceptions import RefusedName, StorageUnavailable

if TYPE_CHECKING:
    from storages.backends.s3 import S3Storage

_LOOKED_AT = 1000  # names of originals below a public prefix: one page of S3's list


def _look(case: Case) -> Iterator[Seen]:
    for one in case.storages:
        policy = reading.policy(case.client(one), one.bucket_name)
        for statement in policies.public(policy, "s3:GetObject"):
            yield from _beyond_variants(statement, one, case)
        for statement in policies.public(policy, "s3:ListBucket"):
            if policies.covers(policies.resources(statement), _arn(case, one)):
                where = f"in the policy of {one.bucket_name!r}"
                yield finding("listing-public", f"{policies.called(statement)} {where} lets everybody list.")


def _beyond_variants(statement: Document, of: "S3Storage", case: Case) -> Iterator[Finding]:
    for resource in policies.resources(statement):
        pattern = policies.key_pattern(resource, of.bucket_name)
        if pattern is None or policies.is_of_variants(pattern):
            continue
        where = f"{policies.called(statement)} in the policy of {of.bucket_name!r}"
        where = f"{where} lets everybody read {resource}"
        prefix = pattern.partition("*")[0].partition("?")[0]
        original = _original_below(prefix, of, case)
        if original:
            yield finding("originals-public", f"{where}; {original!r} is one of the originals there.")
        elif not prefix:
            yield finding("originals-public", f"{where}, wherever originals will be.")
        else:
            yield finding("policy-wide", f"{where}.")


def _original_below(prefix: str, of: "S3Storage", case: Case) -> str:
    """Return the name of an original that begins with a prefix, if one is among the first that do."""
    if case.originals is None or case.originals.bucket_name != of.bucket_name:
        return ""
    location = case.originals.location.strip("/")
    below = f"{location}/" if location else ""
    inside = prefix.removeprefix(below) if prefix.startswith(below) else ""
    try:
        for name in islice(storage.iter_originals(inside), _LOOKED_AT):
            if _is_original(name):
                return name
    except StorageUnavailable:
        pass  # nobody may list: whether there are any is not known
    return ""


def _is_original(name: str) -> bool:
    try:
        keys.check_original(name)
    except RefusedName:  # a variant, or no image
        return False
    return True


def _look_at_readers(case: Case) -> Iterator[Seen]:
    assert case.variants is not None
    settings = case.settings
    policy = reading.policy(case.client(case.variants), case.place.bucket)
    if settings.delivery == "redirect":
        allowing, who = policies.public(policy, "s3:GetObject"), "the public"
    else:
        found = case.distribution
        allowing, who = policies.for_distribution(policy, found.arn if found else ""), "the distribution"
    granted = [resource for statement in allowing for resource in policies.resources(statement)]
    missing = [
        str(size)
        for size in settings.whitelist
        for resource in variant_resources(case.place.bucket, [size], case.place.partition)
        if not policies.covers(granted, resource)
    ]
    if missing:
        names = ", ".join(dict.fromkeys(missing))
        yield finding(
            "variants-not-readable",
            f"The policy of {case.place.bucket!r} does not let {who} read variants of {names}.",
        )


def _arn(case: Case, of: "S3Storage") -> str:
    return f"arn:{case.client(of).meta.partition}:s3:::{of.bucket_name}"


ORIGINALS = Examination(name="policy: what is public", look=_look)
READERS = Examination(
    name="policy: who reads variants", look=_look_at_readers, deliveries=("redirect", "failover")
)
