"""Which files a purge is about, as a person chooses them, and what is wrong with a choice."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lazyimages import conf, formats, keys, sizes
from lazyimages.exceptions import InvalidSize, LazyImagesError, RefusedName
from lazyimages.operations import rows

DAY = 24 * 3600
GRACE = 30 * DAY
_UNITS = {"h": 3600, "d": DAY, "w": 7 * DAY}


class UnclearChoice(LazyImagesError, ValueError):
    """What is to be purged is not said, or contradicts itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The variants to delete are those that have all that is set; times are in seconds.

    `sizes` and `formats` are names in canonical form, `originals` names, `model` is like "shop.Photo.image"
    and `lookups` conditions for its rows. `everything` is all variants of known originals, whatever their
    size. `delete_originals` removes also the originals that no row needs, if they are older than `grace`.
    """

    dropped: bool = False
    sizes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    prefix: str = ""
    older_than: int | None = None
    originals: tuple[str, ...] = ()
    model: str = ""
    lookups: tuple[str, ...] = ()
    everything: bool = False
    orphans: bool = False
    delete_originals: bool = False
    grace: int = GRACE

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        _check_filters(self)
        _check_originals(self)

    @property
    def listed(self) -> bool:
        """Tell whether it takes a listing to know the keys; else they follow from names and settings."""
        by_name = self.originals or self.model
        by_listing = self.dropped or self.prefix or self.everything or self.orphans
        return bool(by_listing or self.older_than is not None or not by_name)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def _check_filters(choice: Choice) -> None:
    filters = (
        choice.dropped
        or choice.sizes
        or choice.formats
        or choice.prefix
        or choice.older_than is not None
        or choice.originals
        or choice.model
        or choice.everything
        or choice.orphans
    )
    if not filters:
        raise UnclearChoice(
            "say what to purge: --dropped (sizes and formats that the settings no longer have), --sizes, "
            "--formats, --prefix, --older-than, --original, --model, --orphans (variants whose original is "
            "gone), or --all. Several of them mean what has all of it; --dry-run shows it first"
        )
    for size in choice.sizes:
        _check_size(size)
    for name in choice.formats:
        if name not in formats.OUTPUTS:
            raise UnclearChoice(
                f"--formats: {name!r} is no format of variants. Choose from: {', '.join(formats.OUTPUTS)}"
            )
    if choice.lookups and not choice.model:
        raise UnclearChoice("--queryset says which rows of a --model; name that too, as in shop.Photo.image")


def _check_originals(choice: Choice) -> None:
    for name in choice.originals:
        try:
            keys.check_original(name)
        except RefusedName as error:
            raise UnclearChoice(
                f"--original wants the name of an original, as a row has it: {error}"
            ) from error
    if choice.model:
        rows.chosen(rows.find(choice.model), choice.lookups)
    if choice.orphans and choice.model:
        raise UnclearChoice("--orphans are what no row has, so they cannot be of a --model. Leave out one")
    if not choice.delete_originals:
        return
    if not choice.orphans:
        raise UnclearChoice(
            "--delete-originals goes with --orphans. Run --orphans --dry-run first: it lists the originals "
            "that no row points to"
        )
    if choice.dropped or choice.sizes or choice.formats or choice.older_than is not None:
        raise UnclearChoice(
            "--delete-originals goes with --orphans, --prefix and --original alone: an original has no size. "
            "How old it has to be is said by --grace"
        )


def _check_size(text: str) -> None:
    try:
        sizes.parse(text)
    except InvalidSize as error:
        allowed = " ".join(map(str, conf.settings().whitelist)) or "nothing"
        raise UnclearChoice(f"--sizes: {error}. LAZYIMAGES allows {allowed}") from error


def duration(text: str) -> int:
    """Read "90d", "12h" or "2w" as seconds; `UnclearChoice` for others."""
    match = re.fullmatch(r"([0-9]{1,6})([hdw])", text)
    if match is None:
        raise UnclearChoice(f"{text!r} is no length of time. Write 12h, 90d or 2w: hours, days or weeks")
    return int(match[1]) * _UNITS[match[2]]


def format_names(texts: Sequence[str]) -> tuple[str, ...]:
    """Return formats by their names, each once; an extension such as "jpg" stands for its format."""
    found = [formats.by_extension(f"x.{text}") for text in texts]
    names = [known.name if known else text for known, text in zip(found, texts, strict=True)]
    return tuple(dict.fromkeys(names))
