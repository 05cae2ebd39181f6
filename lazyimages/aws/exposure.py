"""What would become public with a size: nothing but variants may, for originals stay private."""

from collections.abc import Callable, Iterable, Iterator

from lazyimages import keys, sizes
from lazyimages.aws.documents import Conflict
from lazyimages.exceptions import InvalidKey
from lazyimages.sizes import Size

_SHOWN = 10


def refuse_originals_in(
    fresh: Iterable[Size],
    *,
    in_bucket: Callable[[], Iterator[str]],
    originals: Callable[[], Iterator[str]],
) -> None:
    """Raise `Conflict` when granting sizes that are not granted yet would show more than variants.

    Both list keys; `originals` those of the storage of the originals, which may be the same.
    """
    segments = {str(size) for size in fresh}
    if not segments:
        return
    exposed = [key for key in in_bucket() if segments.intersection(key.split("/")[:-1])]
    if not exposed:
        return
    known = {name for name in originals() if not any(map(sizes.is_size, name.split("/")[:-1]))}
    wrong = [key for key in exposed if _original_of(key) not in known]
    if wrong:
        shown = "\n".join(f"  {key}" for key in wrong[:_SHOWN])
        more = f"\n  and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise Conflict(
            "objects that are no variants sit in directories that look like sizes, and would become public "
            f"({len(wrong)}):\n{shown}{more}\nMove them, or delete those that are left over."
        )


def _original_of(key: str) -> str | None:
    try:
        return keys.parse(key).original
    except InvalidKey:
        return None
