"""All examinations of what is on AWS, in the order in which they are run."""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

from django.core.files.storage import Storage

from lazyimages import storage
from lazyimages.aws.distribution import Place
from lazyimages.conf import Settings
from lazyimages.doctor import access, bucket, credentials, distribution, drift, exposure, rights, website
from lazyimages.doctor.case import Case, region
from lazyimages.doctor.examination import examine
from lazyimages.doctor.live import Places
from lazyimages.doctor.report import Result

if TYPE_CHECKING:
    from storages.backends.s3 import S3Storage

EXAMINATIONS = (
    access.ACLS,
    credentials.EXAMINATION,
    bucket.CLOCK,
    bucket.EXAMINATION,
    rights.LISTING,
    rights.EXCESS,
    access.BLOCK,
    access.ACCOUNT,
    access.ENCRYPTION,
    website.RULES,
    website.LEFT_OVER,
    exposure.ORIGINALS,
    exposure.READERS,
    drift.BUCKET,
    distribution.EXAMINATION,
    distribution.ORIGINS,
    distribution.KEEPING,
    drift.CDN,
)


def run(case: Case) -> Iterator[Result]:
    """Examine the buckets and the distribution of a case."""
    yield from examine(EXAMINATIONS, case)


def case_of(settings: Settings, variants: Storage, originals: Storage) -> Case:
    """Return what is to be examined of two storages: those on S3."""
    return Case(
        settings=settings,
        variants=variants if storage.is_s3(variants) else None,
        originals=originals if storage.is_s3(originals) else None,
    )


def places(case: Case, *, website: str) -> Places:
    """Return where originals have to be refused beside the CDN: S3 itself, and the website endpoint.

    `website` is the latter's URL, for a bucket that is not on AWS.
    """
    if case.originals is None:
        return Places()
    originals = case.originals
    doors = [("the original, from S3", lambda name: f"{_s3_url(case, originals)}/{_path(originals, name)}")]
    shared = case.variants is not None and originals.bucket_name == case.variants.bucket_name
    if case.settings.delivery != "redirect" or not shared:
        return Places(originals=tuple(doors))
    if not website and case.on_aws(originals):
        website = f"http://{case.place.website_host}"
    if website:
        doors.append(("the original, from the website", lambda name: f"{website}/{_path(originals, name)}"))
    return Places(originals=tuple(doors), website_unknown=not website)


def _s3_url(case: Case, of: "S3Storage") -> str:
    """Return the URL of a bucket in the S3 API, without a slash at the end."""
    s3 = case.client(of)
    if case.on_aws(of):
        place = Place(bucket=of.bucket_name, region=region(s3), partition=s3.meta.partition)
        if "." in of.bucket_name:  # S3's certificate has one label for the bucket
            return f"https://{place.rest_host.removeprefix(f'{of.bucket_name}.')}/{of.bucket_name}"
        return f"https://{place.rest_host}"
    return f"{s3.meta.endpoint_url.rstrip('/')}/{of.bucket_name}"


def _path(of: "S3Storage", name: str) -> str:
    location = of.location.strip("/")
    return quote(f"{location}/{name}" if location else name)
