"""What is examined: the settings, the storages on S3, and clients of AWS with their credentials."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lazyimages.aws import cdn, clients
from lazyimages.aws.cdn import Distribution
from lazyimages.aws.distribution import Place
from lazyimages.conf import Settings

if TYPE_CHECKING:
    from storages.backends.s3 import S3Storage
    from types_boto3_s3.client import S3Client


@dataclass(frozen=True, kw_only=True)
class Case:
    """The settings, and the storages of variants and originals as far as they are on S3."""

    settings: Settings
    variants: "S3Storage | None"
    originals: "S3Storage | None"
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def storages(self) -> "list[S3Storage]":
        """The storages on S3, each bucket once; that of the variants first."""
        found: dict[str, S3Storage] = {}
        for one in (self.variants, self.originals):
            if one is not None:
                found.setdefault(one.bucket_name, one)
        return list(found.values())

    def client(self, storage: "S3Storage", service: str = "s3") -> Any:
        """Return a client with a storage's credentials, the same at each call."""
        key = (storage.bucket_name, service)
        if key not in self._clients:
            self._clients[key] = clients.client(storage, service)
        return self._clients[key]

    @cached_property
    def place(self) -> Place:
        """Where the variants are."""
        assert self.variants is not None
        s3 = self.client(self.variants)
        return Place(bucket=self.variants.bucket_name, region=region(s3), partition=s3.meta.partition)

    @cached_property
    def distribution(self) -> Distribution | None:
        """The distribution before the variants; raises what `cdn.find` does, and looks once."""
        assert self.variants is not None
        if not self.has(self.variants, "cloudfront"):
            return None
        return cdn.find(self.client(self.variants, "cloudfront"), self.settings, self.place.bucket)

    def on_aws(self, storage: "S3Storage") -> bool:
        """Tell whether a storage is Amazon's own S3, and not another that speaks its language."""
        return is_aws(self.client(storage))

    def has(self, storage: "S3Storage", service: str) -> bool:
        """Tell whether a service may be asked: Amazon's knows nothing of a storage that is elsewhere."""
        return self.on_aws(storage) or not is_aws(self.client(storage, service))


def is_aws(client: Any) -> bool:
    """Tell whether a client's endpoint is one of AWS's own."""
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def region(s3: "S3Client") -> str:
    """Return a client's region; boto3 calls that of S3 without one aws-global, which is us-east-1."""
    name: str = s3.meta.region_name
    return "us-east-1" if name in ("", "aws-global") else name
