"""Photos in the bucket, and what was ever stored of their variants."""

from io import BytesIO
from typing import Any

import numpy
from PIL import Image

from tests.fire.faults.conftest import BUCKET


def noisy_jpeg(width: int, height: int) -> bytes:
    """Make a photo that stays large: at 10 KB/s neither it nor its variant comes in time."""
    pixels = numpy.random.default_rng(1).normal(128, 30, (height, width, 3)).clip(0, 255)
    buffer = BytesIO()
    Image.fromarray(pixels.astype("uint8")).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


ORIGINAL = noisy_jpeg(1600, 1200)


def versions(bucket: Any, key: str) -> list[bytes]:
    """Return the bytes of everything that was ever stored under a key."""
    found = bucket.list_object_versions(Bucket=BUCKET, Prefix=key).get("Versions", [])
    return [
        bucket.get_object(Bucket=BUCKET, Key=key, VersionId=version["VersionId"])["Body"].read()
        for version in found
    ]


class Photo:
    """An original with the same bytes as all others, and its variant."""

    def __init__(self, bucket: Any, name: str) -> None:
        self.original = f"{name}/bowl.jpg"
        self.variant = f"{name}/1280w/bowl.jpg"
        self.path = f"/images/resizer?key={self.variant}"
        bucket.put_object(Bucket=BUCKET, Key=self.original, Body=ORIGINAL)

    def place(self, operation: str) -> tuple[str, str]:
        """Return the method and the key by which the proxy knows an operation."""
        return {
            "GET variant": ("GET", self.variant),
            "GET original": ("GET", self.original),
            "PUT": ("PUT", self.variant),
        }[operation]
