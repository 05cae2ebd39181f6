"""Draw the page with every library, and print what it took as JSON. `benchmarks.page` runs this.

It needs the environment of `requirements-page.txt`, and lazyimages from this checkout.
"""

import gc
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from io import BytesIO
from typing import Any
from unittest import mock

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.page_project.settings"
django.setup()

from django.core.cache.backends.locmem import LocMemCache  # noqa: E402  # all of these need the settings
from django.core.files.base import ContentFile  # noqa: E402
from django.core.files.storage import FileSystemStorage, default_storage  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.template.loader import get_template  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402
from PIL import Image  # noqa: E402

from benchmarks.page_project.models import (  # noqa: E402
    ImagekitProduct,
    LazyProduct,
    PicturesProduct,
    Product,
)
from lazyimages import __version__ as lazyimages_version  # noqa: E402
from lazyimages import conf  # noqa: E402

PRODUCTS = 24
SIZES = 3
SIDES = ((1600, 1200), (1500, 1500), (1300, 1600))  # of which no two sizes have one width
LOCAL = conf.settings()
CDN = replace(LOCAL, delivery="redirect", cdn_url="https://d111111abcdef8.cloudfront.net")
CACHE_METHODS = ("add", "get", "set", "touch", "delete", "get_many", "set_many", "incr", "has_key")
STORAGE_METHODS = ("open", "save", "delete", "exists", "listdir", "size", "url", "path", "get_modified_time")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One library: the template that uses it, and the model that it sees the table through."""

    name: str
    template: str
    model: type[models.Model]
    package: str | None = None
    own_version: str = ""
    settings: conf.Settings | None = None

    def page(self, rows: list[Any]) -> str:
        """Draw the page, with LAZYIMAGES as this case has it."""
        if self.settings is not None:
            conf._cached = self.settings
        return get_template(f"page_{self.template}.html").render({"products": rows})

    def rows(self) -> list[Any]:
        """Load all products, in one query."""
        return list(self.model.objects.order_by("pk")[:PRODUCTS])

    @property
    def version(self) -> str:
        """The version of the library."""
        return version(self.package) if self.package else self.own_version


CASES = (
    Case(name="no images", template="bare", model=Product),
    Case(name="plain .url", template="plain", model=Product, own_version=f"Django {django.__version__}"),
    Case(
        name="lazyimages, local",
        template="lazyimages",
        model=LazyProduct,
        own_version=lazyimages_version,
        settings=LOCAL,
    ),
    Case(
        name="lazyimages, CDN",
        template="lazyimages",
        model=LazyProduct,
        own_version=lazyimages_version,
        settings=CDN,
    ),
    Case(name="sorl-thumbnail", template="sorl", model=Product, package="sorl-thumbnail"),
    Case(name="easy-thumbnails", template="easy", model=Product, package="easy-thumbnails"),
    Case(name="django-imagekit", template="imagekit", model=ImagekitProduct, package="django-imagekit"),
    Case(name="django-pictures", template="pictures", model=PicturesProduct, package="django-pictures"),
)


def prepare() -> None:
    """Make the table, the photos, and with every library its variants."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    for number in range(PRODUCTS):
        picture = BytesIO()
        width, height = SIDES[number % len(SIDES)]
        Image.radial_gradient("L").resize((width, height)).convert("RGB").save(picture, "JPEG")
        name = default_storage.save(f"products/img-{number}.AZ70KuRzw9.jpg", ContentFile(picture.getvalue()))
        Product.objects.create(name=f"Walnut bowl & spoon {number}", photo=name, width=width, height=height)
    for row in PicturesProduct.objects.all():
        row.photo.save_all()
    for row in ImagekitProduct.objects.all():
        for image in (row.cover, row.high, row.wide):
            image.generate()
    for case in CASES:
        page = case.page(case.rows())
        urls = set(re.findall(r"/[^ \"]+\.jpe?g", page))
        if case.template not in ("bare", "plain") and len(urls) < PRODUCTS * SIZES:
            raise SystemExit(f"{case.name} made {len(urls)} addresses, not {PRODUCTS * SIZES}:\n{page}")


def measure(rounds: int) -> dict[str, dict[str, list[float]]]:
    """Return milliseconds by case: "images" without the query, "page" with it. The cases take turns."""
    spent: dict[str, dict[str, list[float]]] = {case.name: {"images": [], "page": []} for case in CASES}
    for number in range(rounds):
        for position in range(len(CASES)):
            case = CASES[(position + number) % len(CASES)]
            rows = case.rows()
            spent[case.name]["images"].append(_timed(lambda case=case, rows=rows: case.page(rows)))
            spent[case.name]["page"].append(_timed(lambda case=case: case.page(case.rows())))
    return spent


def _timed(work: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()  # so that one case does not pay for another's garbage
    try:
        started = time.perf_counter()
        work()
        return 1000 * (time.perf_counter() - started)
    finally:
        gc.enable()


def count(case: Case) -> dict[str, Any]:
    """Return what one page with its query asks for: the number of queries, and calls by name."""
    with (
        _counted(LocMemCache, CACHE_METHODS) as cache,
        _counted(FileSystemStorage, STORAGE_METHODS) as storage,
        CaptureQueriesContext(connection) as queries,
    ):
        case.page(case.rows())
    return {"sql": len(queries), "cache": dict(cache), "storage": dict(storage)}


@contextmanager
def _counted(kind: type, methods: tuple[str, ...]) -> Iterator[Counter[str]]:
    """Count the calls from outside: `exists`, which asks `path`, counts once."""
    counter: Counter[str] = Counter()
    depth = 0

    def counting(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal depth
            if not depth:
                counter[name] += 1
            depth += 1
            try:
                return method(*args, **kwargs)
            finally:
                depth -= 1

        return call

    with ExitStack() as stack:
        for name in methods:
            stack.enter_context(mock.patch.object(kind, name, counting(name, getattr(kind, name))))
        yield counter


def main(rounds: int) -> None:
    """Print one JSON document."""
    prepare()
    measure(3)  # warm
    spent = measure(rounds)
    result = [
        {
            "name": case.name,
            "version": case.version,
            "spent": spent[case.name],
            "calls": count(case),
        }
        for case in CASES
    ]
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
