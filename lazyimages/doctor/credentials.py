"""Examine who is calling, and whether AWS takes the credentials."""

from collections.abc import Iterator

from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from lazyimages.aws import trouble
from lazyimages.doctor.case import Case
from lazyimages.doctor.examination import Examination, Seen, is_skew
from lazyimages.doctor.findings import finding

_REFUSED = (*trouble.EXPIRED, *trouble.UNKNOWN_KEY, *trouble.WRONG_SECRET)


def _look(case: Case) -> Iterator[Seen]:
    for storage in case.storages:
        about = f"the bucket {storage.bucket_name!r}"
        try:
            if not case.has(storage, "sts"):
                yield f"{about}: not asked, because its endpoint_url is not AWS's"
                continue
            answer = case.client(storage, "sts").get_caller_identity()
        except ClientError as error:
            if is_skew(error) or trouble.code(error) not in _REFUSED:
                raise
            yield finding("credentials", f"For {about}: {trouble.code(error)}.", hint=_hint(error, about))
            return
        except (
            NoCredentialsError,
            PartialCredentialsError,
            ProfileNotFound,
            CredentialRetrievalError,
            SSOError,
            TokenRetrievalError,
        ) as error:
            yield finding("credentials", f"For {about}: {type(error).__name__}.", hint=_hint(error, about))
            return
        arn = answer["Arn"]
        yield f"{about}: account {answer['Account']}, {arn}"
        if arn.endswith(":root"):
            yield finding("role-is-root", f"The caller is {arn}.")


def _hint(error: Exception, about: str) -> str:
    return trouble.explain(error, about)  # type: ignore[arg-type]  # all of them are of botocore


EXAMINATION = Examination(name="credentials", look=_look, unless=())
