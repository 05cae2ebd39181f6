"""What of a listing Chromium loads at once, what by preload, and what only for those who scroll."""

import shutil
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from marketplace.demo.screenshots import WIDTHS, chromium
from marketplace.models import Category, Photo, Product, Seller
from tests.clock import PATIENCE

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is missing: apt install chromium"),
]

# Beside those of the screenshots, what benchmarks/browser measures, and Lighthouse before it.
VIEWPORTS = {**WIDTHS, 412: 823, 1350: 940}
LOADED = """
async () => {
    const seen = image => image.getBoundingClientRect().top < innerHeight
    const images = [...document.querySelectorAll(".grid img")]
    while (!images.filter(seen).every(image => image.currentSrc)) {
        await new Promise(done => setTimeout(done, 20))
    }
    const loads = performance.getEntriesByType("resource")
    const preloaded = loads.filter(load => load.initiatorType === "link").map(load => load.name)
    return images.map(image => ({
        seen: seen(image),
        loading: image.loading,
        preloaded: preloaded.includes(image.currentSrc),
    }))
}
"""


@pytest.fixture
def address(live_server: Any) -> str:
    """Serve a shop with a whole page of products; of their photos there are only the rows."""
    user = get_user_model().objects.create_user("marta")
    seller = Seller.objects.create(user=user, name="Marta Ilves", slug="marta-ilves", town="Hebden Bridge")
    category = Category.objects.create(name="Vases", slug="vases")
    for number in range(24):
        product = Product.objects.create(
            seller=seller,
            category=category,
            title=f"Vase {number}",
            description="-",
            price=20,
            status="active",
        )
        Photo.objects.bulk_create(
            [Photo(product=product, image=f"vases/{number}.AZ70KuRzw9.jpg", width=1600, height=1200)]
        )
    return live_server.url


def test_what_is_seen_first_is_preloaded_and_the_rest_is_lazy(address: str) -> None:
    with chromium() as browser:
        for width, height in VIEWPORTS.items():
            context = browser.new_context(viewport={"width": width, "height": height})
            context.set_default_timeout(1000 * PATIENCE)
            context.route("**/images/**", lambda route: route.fulfill(body="", content_type="image/avif"))
            page = context.new_page()
            for path in ("/all/", "/search/?q=vase"):
                page.goto(f"{address}{path}")
                images = page.evaluate(LOADED)
                where = f"{path} at {width}"
                assert len(images) == 24, where
                first = [image for image in images if image["seen"]]
                later = [image for image in images if not image["seen"]]
                assert first, where
                assert [image for image in first if not image["preloaded"]] == [], where
                assert later, where
                assert [image for image in later if image["loading"] != "lazy"] == [], where
            context.close()
