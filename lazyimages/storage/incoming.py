"""What browsers send to S3 by themselves: permission to send, a look at the beginning, and the way out."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lazyimages.storage.s3 import FAILURES, SSE_CUSTOMER, S3Backend, client, raise_ours, translated

_CHANGED = ("PreconditionFailed", "NoSuchKey", "404", "412")
_EMPTY = "InvalidRange"  # S3 API, GetObject: of an object without bytes no range can be had


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The first bytes of an object, and the size and the ETag of all of it."""

    data: bytes
    size: int
    etag: str


class Incoming(S3Backend):
    """An S3 storage to which browsers send."""

    @property
    def takes_posts(self) -> bool:
        """Tell whether a browser can send what the app will be able to read, knowing no key of its own."""
        own = self._storage.get_object_parameters("")
        return not any(name in own for name in SSE_CUSTOMER)

    def presigned_post(
        self, name: str, *, content_type: str, most_bytes: int, seconds: int
    ) -> tuple[str, dict[str, str]]:
        """Return where to POST an object, and the fields to send with it (S3: "POST Policy").

        Made without a request. The policy fixes bucket, key, type and length; S3 refuses any other field.
        """
        with translated():
            made = client(self._storage).generate_presigned_post(
                self._storage.bucket_name,
                self._key(name),
                Fields={"Content-Type": content_type, "success_action_status": "204"},
                Conditions=[
                    {"Content-Type": content_type},
                    {"success_action_status": "204"},
                    ["content-length-range", 1, most_bytes],
                ],
                ExpiresIn=seconds,
            )
        return made["url"], made["fields"]

    def look(self, name: str, most_bytes: int) -> Head | None:
        """Return an object's beginning by one GET, with the size and ETag of all of it; None without one."""
        try:
            answer = client(self._storage).get_object(
                Bucket=self._storage.bucket_name,
                Key=self._key(name),
                Range=f"bytes=0-{max(most_bytes, 1) - 1}",
            )
            data = answer["Body"].read()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in ("NoSuchKey", "404"):
                return None
            if code == _EMPTY:
                return Head(data=b"", size=0, etag="")
            raise_ours(error)
        except FAILURES as error:
            raise_ours(error)
        _, _, total = answer.get("ContentRange", "").rpartition("/")
        return Head(data=data, size=int(total) if total.isdigit() else len(data), etag=answer["ETag"])

    def take_in(self, name: str, new_name: str, *, etag: str, content_type: str) -> bool:
        """Copy an object to a new name; False when it is no longer the one with this ETag.

        Type and metadata are the app's alone.
        """
        parameters: dict[str, Any] = self._parameters(new_name)
        if "Tagging" in parameters:
            parameters["TaggingDirective"] = "REPLACE"
        bucket = self._storage.bucket_name
        try:
            client(self._storage).copy_object(
                Bucket=bucket,
                Key=self._key(new_name),
                CopySource={"Bucket": bucket, "Key": self._key(name)},
                CopySourceIfMatch=etag,
                MetadataDirective="REPLACE",
                ContentType=content_type,
                **parameters,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _CHANGED:
                return False
            raise_ours(error)
        except FAILURES as error:
            raise_ours(error)
        return True
