"""What is in a bucket that is to be adopted, as text for a terminal of 80 columns."""

from collections.abc import Iterator, Mapping, Sequence

from lazyimages.operations import adopt
from lazyimages.operations.adopt import Adoption
from lazyimages.operations.inventory import Inventory
from lazyimages.operations.report import Count, total
from lazyimages.operations.reporting import survey
from lazyimages.operations.reporting.text import first, wrapped
from lazyimages.operations.tables import aligned, shown, size

_REMEDIES = {
    adopt.TWO_EXTENSIONS: (
        "with names that end in two image extensions, such as a.jpg.webp",
        "That is how variants in another format are named. Rename the files and the rows, if pages show "
        "them; what another library has made of the originals can go.",
    ),
    adopt.SIZE_DIRECTORY: (
        "in directories that are named like sizes",
        "Such directories hold variants. Move originals out of them, and change the rows.",
    ),
    adopt.HOSTILE: (
        "with names that no URL should have",
        "There is a control character, a backslash or an empty directory in them. Rename the files and the "
        "rows.",
    ),
}


_APART = (
    "If these are sizes that were made earlier beside the originals, let LAZYIMAGES['VARIANTS'] name the "
    "same storage as LAZYIMAGES['ORIGINALS'], and run this again. Else move originals out of such "
    "directories."
)


def lines(found: Adoption, inventory: Inventory) -> Iterator[str]:
    """Yield what is there, the settings that fit, and what to do about the rest."""
    yield "What is in the bucket" if found.together else "What is in the two storages"
    yield ""
    yield from aligned(_sorts(found))
    yield ""
    if found.sizes:
        yield from _settings(found)
    else:
        yield from wrapped(
            "There are no variants of originals that are there, so put into SIZES what your pages are to "
            "show."
        )
    yield from _copies(found)
    yield from _unfit(found, inventory)
    if found.without_original:
        by_size = ", ".join(f"{count.files:,} {name}" for name, count in found.without_original.items())
        yield ""
        yield from wrapped(
            f"Variants without an original: {by_size}. There is no file of that name in the directory above. "
            "If the originals are elsewhere, or have another extension, bring them there under this name; "
            "else nobody needs these, and lazyimages_purge leaves alone what it does not know."
        )
        yield from first(adopt.without_original(inventory))
    missing = sum(one.missing for one in found.fields)
    if missing:
        fields = ", ".join(
            f"{one.missing:,} of {one.names:,} in {one.field}" for one in found.fields if one.missing
        )
        yield ""
        yield from wrapped(
            f"Names in rows of which there is no file: {fields}. Is LAZYIMAGES['ORIGINALS'] the storage that "
            "these fields use?"
        )
        yield from first(f"{name} ({field})" for name, field in survey.missing(inventory))
    if found.others.files:
        endings = ", ".join(
            f"{count.files:,} {shown(f'.{name}') if name else 'without one'}"
            for name, count in found.extensions.items()
        )
        yield ""
        yield from wrapped(
            f"Neither original nor variant, by extension: {endings}. They stay as they are; no command of "
            "lazyimages touches them."
        )


def _sorts(found: Adoption) -> Iterator[Sequence[str]]:
    yield ("", "files", "bytes")

    def row(label: str, count: Count) -> Sequence[str]:
        return (label, f"{count.files:,}", size(count.bytes))

    yield row("originals", found.originals)
    if found.copies:
        yield row("  of these, copies in directories that are no sizes", total(found.copies.values()))
    if found.unfit:
        yield row("  of these, with names that can have no variants", total(found.unfit.values()))
    yield row("variants of originals that are there", found.variants)
    for name, count in found.sizes.items():
        yield row(f"  {name}", count)
    yield row("variants without an original", total(found.without_original.values()))
    yield row("neither", found.others)


def _settings(found: Adoption) -> Iterator[str]:
    yield from wrapped(
        "Nothing has to be moved or renamed: the variants lie where lazyimages looks for them. Put this into "
        "your settings, and what is there is served, and what is missing is made when it is first asked for:"
    )
    yield ""
    yield from adopt.setting(found).splitlines()
    yield ""
    yield from wrapped(
        "Leave out the sizes that your pages no longer show; lazyimages_purge --dropped deletes their files "
        "then. Variants that somebody else made stay as they are, until they are purged."
    )


def _copies(found: Adoption) -> Iterator[str]:
    if not found.copies:
        return
    yield ""
    yield from wrapped(
        "Copies in directories that are no sizes: files with the same name as one in the directory above. "
        "They would be taken for originals. If each is a smaller copy, give your pages a size instead, and "
        "delete them, once no page shows them."
    )
    yield from aligned(_directories(found.copies, found.examples), left=2, indent="  ")


def _directories(copies: Mapping[str, Count], examples: Mapping[str, str]) -> Iterator[Sequence[str]]:
    yield ("directory", "for example", "files", "bytes")
    for name, count in copies.items():
        yield (f"{shown(name)}/", shown(examples[name]), f"{count.files:,}", size(count.bytes))


def _unfit(found: Adoption, inventory: Inventory) -> Iterator[str]:
    for why, count in found.unfit.items():
        what, remedy = _REMEDIES[why]
        if why == adopt.SIZE_DIRECTORY and not found.together:
            remedy = _APART
        yield ""
        yield from wrapped(f"Originals {what}, {count.files:,}. They can have no variants. {remedy}")
        yield from first(name for name, trouble in adopt.unfit(inventory) if trouble == why)
