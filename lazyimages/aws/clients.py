"""Clients of AWS with the credentials, and in the region, of a storage in STORAGES."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.config import Config

if TYPE_CHECKING:
    from storages.backends.s3 import S3Storage

# Setting up is no request of a visitor: it may wait, and try again when AWS says "slow down".
_PATIENT = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 5})


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who is calling: account number, ARN, and the partition ("aws", "aws-cn", "aws-us-gov")."""

    account: str
    arn: str
    partition: str


def client(storage: "S3Storage", service: str) -> Any:
    """Return a client of a service; of "s3" by the storage's own endpoint and addressing.

    Other services take their endpoint from AWS_ENDPOINT_URL_<SERVICE>, as boto3 does.
    """
    own: dict[str, Any] = {"config": _PATIENT}
    if service == "s3":
        own = {
            "config": storage.client_config.merge(_PATIENT),
            "endpoint_url": storage.endpoint_url,
            "use_ssl": storage.use_ssl,
        }
    return storage._create_session().client(
        service, region_name=storage.region_name, verify=storage.verify, **own
    )


def identity(storage: "S3Storage") -> Identity:
    """Ask who the caller is (sts:GetCallerIdentity, which needs no permission)."""
    sts = client(storage, "sts")
    answer = sts.get_caller_identity()
    return Identity(account=answer["Account"], arn=answer["Arn"], partition=sts.meta.partition)
