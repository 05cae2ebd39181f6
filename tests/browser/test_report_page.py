"""The page of lazyimages_report as browsers show it: to everybody, at any width, asking nobody."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lazyimages.operations.inventory import Inventory
from lazyimages.operations.report import Count, FieldNames, Group, Report
from lazyimages.operations.reporting import page as report_page
from lazyimages.operations.reporting.costs import REGIONS, Kind, estimate
from lazyimages.operations.reporting.requested import Requested
from lazyimages.sizes import parse
from tests.browser.test_accessibility import ALL_RULES, HARMLESS, SEEN
from tests.npm import installed

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is missing: apt install chromium"),
]

KINDS = tuple(
    Kind(size=parse(size), format=name, files=files, bytes=files * 20_000, possible=300_000)
    for size, files in (("360x270", 42_000), ("480h", 9000), ("1280w", 0))
    for name in ("jpeg", "avif", "webp")
)
GROUPS = (Group(size="200x200", format="jpeg", files=120, bytes=900_000),)
REPORT = Report(
    at=datetime(2026, 11, 24, 3, 0, tzinfo=UTC),
    originals_storage="default",
    variants_storage="lazyimages",
    together=True,
    originals=Count(files=300_000, bytes=900 * 10**9),
    formats={"jpeg": Count(files=300_000, bytes=900 * 10**9)},
    unfit=3,
    unused=Count(files=2, bytes=9000),
    own=Count(files=1, bytes=4000),
    fields=(FieldNames(field="shop.Photo.image", names=300_000, missing=2),),
    kinds=KINDS,
    dropped=GROUPS,
    lost=GROUPS,
    orphans=GROUPS,
    strangers=GROUPS,
    others=Count(files=12, bytes=5000),
    extensions={"html": Count(files=12, bytes=5000)},
    incoming=Count(files=0, bytes=0),
    estimate=estimate(KINDS, originals=300_000, prices=REGIONS["eu-central-1"]),
    requested=Requested(lines=9000, variants=700, stored=153_000, asked=650),
)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """Write the page, with names that are long."""
    with Inventory() as inventory:
        inventory.db.create_function("is_own", 1, lambda name: True)
        inventory.db.execute("CREATE TABLE image_fields (field TEXT PRIMARY KEY)")
        inventory.db.execute("INSERT INTO image_fields VALUES ('shop.Photo.image')")
        names = [(f"produs_{number}/{'long-' * 40}.jpg", "shop.Photo.image") for number in range(200)]
        inventory.db.executemany("INSERT INTO rows VALUES (?, ?)", names)
        (tmp_path / "report.html").write_text(report_page.page(REPORT, inventory))
    return tmp_path / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_is_accessible_fits_and_loads_nothing(
    browser: Any, document: Path, width: int, scheme: str
) -> None:
    source = installed(Path(__file__).parent / "axe", "axe-core") / "axe-core" / "axe.min.js"
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(document.as_uri())
    page.evaluate(source.read_text())
    assert [one for one in page.evaluate(SEEN, ALL_RULES) if one[0] not in HARMLESS] == []
    # With everything opened, which SEEN does.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert asked == [document.as_uri()]
    assert said == []
    context.close()
