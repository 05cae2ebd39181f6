"""The names in a shop's bucket, by arithmetic: any part of a million is there without the others.

Thirty originals have a hundred variants: three each, in the sizes of the settings; nine in a size that was
dropped from them; and one whose original is gone.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

SIZES = ("360x270", "480h", "1280w")
DROPPED = "720x540"
PHOTOS = 7  # of a product
GROUP, GROUP_VARIANTS = 30, 100
_DROPPED_ONES = frozenset(range(0, 27, 3))
DROPPED_SHARE = len(_DROPPED_ONES) / GROUP  # of the originals have such a variant
_FIRST = 200_000  # all numbers of products have six digits, so that their order is that of their names
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """So many originals, a multiple of thirty; the same seed gives the same names, also to more of them."""

    originals: int
    seed: int = 7

    @property
    def variants(self) -> int:
        """How many keys of variants there are."""
        return self.originals // GROUP * GROUP_VARIANTS

    @property
    def orphans(self) -> int:
        """How many of them are of originals that are gone."""
        return self.originals // GROUP

    @property
    def products(self) -> int:
        """How many directories hold them."""
        return -(-self.originals // PHOTOS)

    def product_at(self, name: str) -> int:
        """Return the first product of whose names some may come after this one, or be it."""
        # "0" is what comes after "/".
        return bisect_right(range(self.products), name, key=lambda product: f"{folder(product)}0")

    def photos(self, product: int) -> range:
        """Return the numbers of the originals of a product."""
        return range(product * PHOTOS, min((product + 1) * PHOTOS, self.originals))

    def original(self, number: int) -> str:
        """Return the name of an original."""
        return f"{folder(number // PHOTOS)}/{self._filename(number, 'img')}"

    def variants_of(self, number: int) -> Iterator[str]:
        """Yield the keys that are there for an original, and for one that is gone."""
        directory, filename = self.original(number).split("/")
        for size in SIZES:
            yield f"{directory}/{size}/{filename}"
        if number % GROUP in _DROPPED_ONES:
            yield f"{directory}/{DROPPED}/{filename}"
        if number % GROUP == GROUP - 1:
            yield f"{directory}/{SIZES[0]}/{self._filename(number, 'gone')}"

    def names(self, product: int) -> list[str]:
        """Return all names in a product's directory, in ascending order."""
        return sorted(
            name
            for number in self.photos(product)
            for name in (self.original(number), *self.variants_of(number))
        )

    def _filename(self, number: int, slug: str) -> str:
        digest = blake2b(f"{self.seed} {slug} {number}".encode(), digest_size=10).digest()
        return f"{slug}.{''.join(_LETTERS[byte % 62] for byte in digest)}.jpg"


def folder(product: int) -> str:
    """Return the directory of a product."""
    return f"produs_{_FIRST + product}"
