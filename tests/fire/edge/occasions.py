"""The occasions on which a browser asks for a picture, each with what has to be done before."""

from collections.abc import Callable, Iterator

from tests.fire.edge.conftest import Picture, Site

Load = Callable[[Picture], None]


def first(site: Site, load: Load) -> Iterator[Picture]:
    """Nobody has asked for the picture yet."""
    yield site.picture()


def second(site: Site, load: Load) -> Iterator[Picture]:
    """It was made a moment ago; and, where a wrong redirect is kept for a moment only, after that."""
    picture = site.picture()
    load(picture)
    yield picture
    if 0 < site.behaviour.keeps_307 <= 1:
        site.edge.expire(picture.path)
        yield picture


def purged(site: Site, load: Load) -> Iterator[Picture]:
    """The operator has deleted the variant and invalidated its path."""
    picture = site.picture()
    load(picture)
    site.bucket.delete(picture.key)
    site.edge.purge(picture.path)
    yield picture


def replaced(site: Site, load: Load) -> Iterator[Picture]:
    """The seller has uploaded another photo in its place."""
    picture = site.picture()
    load(picture)
    picture.replace()
    yield picture


def expired(site: Site, load: Load) -> Iterator[Picture]:
    """A lifecycle rule has deleted the variant; first the edge still has it, then its copy is too old."""
    picture = site.picture()
    load(picture)
    load(picture)
    site.bucket.delete(picture.key)
    yield picture
    site.edge.expire(picture.path)
    yield picture


OCCASIONS = {
    "first": first,
    "second": second,
    "purged": purged,
    "replaced": replaced,
    "lifecycle": expired,
}
