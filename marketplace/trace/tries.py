"""What a visitor may try on the page: a size that nobody asked for yet, the same again, and after a purge."""

import json
import random
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from django.conf import settings

from lazyimages import variants
from marketplace.models import Photo, Product
from marketplace.trace.drawing import address, delivery

_LOOKS = 12  # photos to look at for one of which not every size was made
_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Try:
    """A photo at one size."""

    photo: Photo
    key: str

    @property
    def url(self) -> str:
        """Where browsers find it."""
        return address(self.key)

    @property
    def size(self) -> str:
        """The size that the key has."""
        return self.key.split("/")[-2]

    @property
    def format(self) -> str:
        """The extension that the key ends in."""
        return self.key.rpartition(".")[2].upper()


def new() -> Try | None:
    """Return a photo at a size that does not exist yet; None when there is none to be found."""
    photos = Photo.objects.filter(product__status__in=Product.PUBLIC).select_related("product")
    last = photos.order_by("-pk").first()
    if last is None:
        return None
    for _ in range(_LOOKS):
        # Not order_by("?"), which would sort them all.
        photo = photos.filter(pk__gte=random.randint(1, last.pk)).order_by("pk")[0]  # noqa: S311
        there = {variant.key for variant in variants.existing(photo.image.name)}
        if missing := [key for key in variants.keys_of(photo.image.name) if key not in there]:
            return Try(photo=photo, key=random.choice(missing))  # noqa: S311
    return None


def of(photo: str, key: str) -> Try | None:
    """Return a photo that the shop shows, at a size that it may have; None for all else."""
    if not (photo.isascii() and photo.isdecimal() and len(photo) < 10):
        return None
    found = (
        Photo.objects.filter(pk=photo, product__status__in=Product.PUBLIC).select_related("product").first()
    )
    return Try(photo=found, key=key) if found and key in variants.keys_of(found.image.name) else None


def purge(photo: Photo) -> None:
    """Delete all variants of a photo, and have the embedded CDN forget them too."""
    keys = variants.keys_of(photo.image.name)
    variants.purge(photo.image.name)
    cdn = settings.LAZYIMAGES["CDN_URL"]
    if delivery() != "local" and urlsplit(cdn).hostname in ("127.0.0.1", "localhost"):
        paths = json.dumps([f"/{quote(key, safe='/~')}" for key in keys]).encode()
        request = urllib.request.Request(f"{cdn}/__emulator__/invalidate", data=paths, method="POST")  # noqa: S310
        # Without it the CDN goes on with its copies, which the page shows as hits.
        with suppress(OSError), urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            answer.read()
