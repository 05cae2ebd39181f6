"""Examine the buckets: there, ours, in the right region; and the clock, by the date of S3's answers."""

import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from lazyimages.aws import trouble
from lazyimages.doctor.case import Case, region
from lazyimages.doctor.examination import Examination, Seen, is_skew
from lazyimages.doctor.findings import finding

if TYPE_CHECKING:
    from storages.backends.s3 import S3Storage

# S3, "Error responses", RequestTimeTooSkewed: "the difference between the request time and the server's time
# is too large", which is 15 minutes (Signature Version 4, "Request timestamp").
_LATE, _WRONG = 5 * 60, 15 * 60


def _look(case: Case) -> Iterator[Seen]:
    for storage in case.storages:
        yield from _one(case, storage)


def _one(case: Case, storage: "S3Storage") -> Iterator[Seen]:
    name = storage.bucket_name
    try:
        headers = _headers(case, storage)
    except ClientError as error:
        code = trouble.code(error)
        if code in ("404", "NoSuchBucket"):
            yield finding("bucket-missing", f"There is no bucket {name!r}.")
        elif code in trouble.DENIED:
            yield finding("bucket-refused", f"S3 refuses to show the bucket {name!r}.", bucket=name)
        elif code in trouble.OTHER_REGION or code == "400":
            yield _elsewhere(name, region(case.client(storage)), _header(error, "x-amz-bucket-region"))
        else:
            raise
        return
    asked, there = region(case.client(storage)), headers.get("x-amz-bucket-region", "")
    if there and there != asked:  # botocore follows S3's redirect to the right region, at each new start
        yield _elsewhere(name, asked, there)
    else:
        yield f"{name}, in {there or asked}"


def _elsewhere(name: str, asked: str, there: str) -> Seen:
    where = f"in {there}" if there else "in another region"
    return finding(
        "bucket-region",
        f"The bucket {name!r} is {where}, and region_name is {asked!r}.",
        region=there or "its own",
    )


def _look_at_clock(case: Case) -> Iterator[Seen]:
    for storage in case.storages[:1]:
        try:
            headers: Mapping[str, str] = _headers(case, storage)
        except ClientError as error:
            if is_skew(error):
                yield finding("clock-wrong", "S3 refuses requests: RequestTimeTooSkewed.")
                return
            headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        yield from _compare(headers.get("date", ""))


def _compare(date: str) -> Iterator[Seen]:
    """Compare S3's Date with this machine's clock; the journey of the answer is at most a second or two."""
    if not date:
        return
    try:
        seconds = time.time() - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return
    if abs(seconds) < _LATE:
        yield f"{abs(seconds):.0f} s from S3's"
        return
    where = "ahead of" if seconds > 0 else "behind"
    what = f"This machine's clock is {abs(seconds) / 60:.0f} minutes {where} S3's."
    yield finding("clock-wrong" if abs(seconds) >= _WRONG else "clock-late", what)


def _headers(case: Case, storage: "S3Storage") -> Mapping[str, str]:
    answer = case.client(storage).head_bucket(Bucket=storage.bucket_name)
    headers: Mapping[str, str] = answer["ResponseMetadata"]["HTTPHeaders"]
    return headers


def _header(error: ClientError, name: str) -> str:
    return str(error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(name, ""))


CLOCK = Examination(name="clock", look=_look_at_clock, unless=("credentials",))
EXAMINATION = Examination(name="bucket", look=_look, unless=("credentials",))
