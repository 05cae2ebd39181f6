"""What an examination is, and how several are run: what one may not see keeps no other from looking."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lazyimages.aws import trouble
from lazyimages.aws.documents import Conflict
from lazyimages.conf import DELIVERIES
from lazyimages.doctor.case import Case
from lazyimages.doctor.findings import finding
from lazyimages.doctor.kinds import Finding
from lazyimages.doctor.report import Result
from lazyimages.exceptions import StorageUnavailable

# All that a client of boto3 raises, and a storage's failure.
FAILURES = (BotoCoreError, ClientError, ResponseParserError, StorageUnavailable)

Seen = Finding | str  # a text is something worth showing that is as it should be


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """A look at one thing on AWS. `unless` names findings of earlier ones that make it pointless."""

    name: str
    look: Callable[[Case], Iterator[Seen]]
    unless: tuple[str, ...] = ("credentials", "bucket-missing")
    deliveries: tuple[str, ...] = DELIVERIES


def examine(examinations: Iterable[Examination], case: Case) -> Iterator[Result]:
    """Run those that the delivery has, in order, and yield the result of each."""
    found: set[str] = set()
    for examination in examinations:
        if case.settings.delivery not in examination.deliveries:
            continue
        if case.variants is None and examination.deliveries != DELIVERIES:
            continue  # what is about one delivery is about its bucket
        if hindrance := found.intersection(examination.unless):
            yield Result(name=examination.name, skipped=f"because of {', '.join(sorted(hindrance))}")
            continue
        result = _run(examination, case)
        found.update(one.name for one in result.findings)
        yield result


def _run(examination: Examination, case: Case) -> Result:
    seen: list[Seen] = []
    try:
        for one in examination.look(case):
            seen.append(one)  # one by one, to keep what was seen before something fails
    except FAILURES as error:
        seen.append(_of(error, examination.name))
    except Conflict as error:
        name = "cdn-drift" if examination.name.startswith("CDN") else "bucket-drift"
        seen.append(finding(name, f"It cannot be set up as it is: {error}.", severity="error"))
    return Result(
        name=examination.name,
        seen=tuple(one for one in seen if isinstance(one, str)),
        findings=tuple(one for one in seen if isinstance(one, Finding)),
    )


def _of(error: Exception, name: str) -> Finding:
    """Return what an error of AWS means: most often that the caller may not look."""
    if isinstance(error, ClientError):
        if trouble.code(error) in trouble.DENIED:
            action = trouble.action(error.operation_name)
            return finding("not-seen", f"{name}: AWS refused {error.operation_name}.", action=action)
        if is_skew(error):
            return finding("clock-wrong", f"AWS refused {error.operation_name}: the time is wrong.")
    if isinstance(error, (ClientError, BotoCoreError)):
        return finding("no-answer", f"{name}: AWS did not say.", hint=trouble.explain(error, name))
    if isinstance(error, StorageUnavailable):
        return finding("no-answer", f"{name}: a storage did not answer: {error}.", hint="Check STORAGES.")
    hint = "Check endpoint_url in STORAGES: what answers there does not speak AWS's language."
    return finding("no-answer", f"{name}: the answer could not be read.", hint=hint)


def is_skew(error: ClientError) -> bool:
    """Tell whether AWS refused because of the time; STS and IAM call that a wrong signature."""
    if trouble.code(error) in trouble.SKEWED:
        return True
    message = str(error.response.get("Error", {}).get("Message", ""))
    return "Signature expired" in message or "Signature not yet current" in message
