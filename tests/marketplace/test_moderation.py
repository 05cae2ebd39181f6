"""The admin: thumbnails, decisions, and a list that survives whatever is in the rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from marketplace.models import Photo, Product, Seller
from tests.marketplace.conftest import upload
from tests.marketplace.page import Page, read

Make, Get = Callable[..., Product], Callable[..., Page]
LIST = "/admin/marketplace/product/"


def act(client: Client, action: str, products: list[Product], note: str = "") -> Page:
    """Run an action of the list on some products."""
    data = {"action": action, "note": note, "_selected_action": [product.pk for product in products]}
    response = client.post(LIST, data, follow=True)
    assert response.status_code == 200
    return read(response.content.decode())


def status_of(products: list[Product]) -> list[str]:
    return [Product.objects.get(pk=product.pk).status for product in products]


def test_the_list_shows_first_photos(make: Make, get: Get, as_moderator: Client) -> None:
    make("Bowl", status="pending", photos=2)
    page = get(LIST)
    image = page.one("img", css="lazyimages-thumb")
    assert "/192x192/" in image["src"]
    assert image["alt"] == "Bowl, view 1"
    assert "In review" in page.one("td", css="field-status").text


def test_the_list_and_the_form_survive_missing_broken_and_unusable_photos(
    make: Make, get: Get, as_moderator: Client, originals: Callable[[], list[Path]]
) -> None:
    names = {
        "gone": "produs_1/gone.jpg",
        "empty": "",
        "refused": "produs_1/480h/a.jpg.webp",
        "odd": "../a b.jpg",
    }
    for title, name in names.items():
        product = make(title, photos=1)
        Photo.objects.filter(product=product).update(image=name, width=None, height=None)
        page = get(f"{LIST}{product.pk}/change/")
        assert page.all("td", css="field-image")
    make("without")
    make("torn", photos=1)
    for path in originals():
        path.write_bytes(b"torn")
    page = get(LIST)
    cells = {
        row.text: cell.text
        for row, cell in zip(page.all(css="field-title"), page.all(css="field-cover_image"), strict=True)
    }
    assert cells["without"] == cells["empty"] == "No image"
    assert cells["refused"] == cells["odd"] == "Unusable name"
    assert len(page.all("img", css="lazyimages-thumb")) == 2


def test_approving_puts_on_sale_what_waits(make: Make, as_moderator: Client) -> None:
    products = [
        make("Waits", status="pending"),
        make("Again", status="rejected"),
        make("Draft", status="draft"),
    ]
    page = act(as_moderator, "approve", products)
    assert status_of(products) == ["active", "active", "draft"]
    assert "2 products approved." in page.one("li", css="success").text
    assert "1 could not be approved" in page.one("li", css="warning").text


def test_rejecting_tells_the_seller_why(make: Make, get: Get, as_moderator: Client, seller: Seller) -> None:
    products = [make("Waits", status="pending"), make("On sale"), make("Sold", status="sold")]
    act(as_moderator, "reject", products, note=" Too dark. ")
    assert status_of(products) == ["rejected", "rejected", "sold"]
    as_moderator.force_login(seller.user)
    assert get("/sell/").text.count("From our moderators: Too dark.") == 2


def test_rejecting_needs_a_reason(make: Make, as_moderator: Client) -> None:
    product = make(status="pending")
    page = act(as_moderator, "reject", [product], note="  ")
    assert "Write a note to the seller" in page.one("li", css="error").text
    assert status_of([product]) == ["pending"]


def test_a_moderator_who_may_only_look_has_no_actions(
    make: Make, client: Client, django_user_model: Any, get: Get
) -> None:
    from django.contrib.auth.models import Permission

    looker = django_user_model.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_product"))
    client.force_login(looker)
    product = make(status="pending")
    assert [option["value"] for option in get(LIST).all("option")] == []
    client.post(LIST, {"action": "approve", "_selected_action": [product.pk]})
    assert status_of([product]) == ["pending"]


@pytest.mark.parametrize(
    "query, titles",
    [
        ({"status__exact": "pending"}, ["Blue vase"]),
        ({"q": "bowl"}, ["Clay bowl"]),
        ({"q": "marta"}, ["Blue vase", "Clay bowl"]),
    ],
)
def test_filters_and_search(
    make: Make, get: Get, as_moderator: Client, query: dict[str, str], titles: list[str]
) -> None:
    make("Clay bowl")
    make("Blue vase", status="pending")
    assert [cell.text for cell in get(LIST, **query).all(css="field-title")] == titles


@pytest.mark.parametrize("products", [1, 20])
def test_the_list_costs_the_same_however_many_products_there_are(
    make: Make, as_moderator: Client, django_assert_num_queries: Any, products: int
) -> None:
    for number in range(products):
        make(f"Bowl {number}", photos=2)
    with django_assert_num_queries(6):  # session, user, count, filter's categories, products, first photos
        as_moderator.get(LIST)


def test_photos_are_added_inline_and_their_errors_shown(make: Make, as_moderator: Client) -> None:
    product = make(photos=1)
    photo = product.photos.get()
    data = {
        "title": product.title,
        "seller": product.seller_id,
        "category": product.category_id,
        "price": "20",
        "description": "For soup.",
        "status": "active",
        "photos-TOTAL_FORMS": "2",
        "photos-INITIAL_FORMS": "1",
        "photos-0-id": photo.pk,
        "photos-0-product": product.pk,
        "photos-0-alt": "Kept",
        "photos-0-position": "1",
        "photos-1-product": product.pk,
        "photos-1-alt": "New",
        "photos-1-position": "2",
    }
    address = f"{LIST}{product.pk}/change/"
    bad = as_moderator.post(address, {**data, "photos-1-image": upload("notes.jpg", b"hello")})
    assert "no image that we can read" in read(bad.content.decode()).text
    good = as_moderator.post(address, {**data, "photos-1-image": upload()})
    assert good.status_code == 302
    assert [row.alt for row in product.photos.all()] == ["Kept", "New"]
    kept = product.photos.first()
    assert (kept.image.name, kept.width, kept.height) == (photo.image.name, 400, 300)


def test_originals_have_no_link_in_the_admin(make: Make, get: Get, as_moderator: Client) -> None:
    product = make(photos=1)
    name = product.photos.get().image.name
    page = get(f"{LIST}{product.pk}/change/")
    assert not [link for link in page.all("a") if link.get("href").endswith(name)]


@pytest.mark.parametrize("field", ["seller", "category"])
def test_sellers_and_categories_are_completed(make: Make, as_moderator: Client, field: str) -> None:
    make()
    query = {"app_label": "marketplace", "model_name": "product", "field_name": field, "term": "a"}
    assert len(as_moderator.get("/admin/autocomplete/", query).json()["results"]) == 1


@pytest.mark.parametrize("model", ["seller", "category"])
def test_the_other_lists_open(make: Make, get: Get, as_moderator: Client, model: str) -> None:
    make()
    assert get(f"/admin/marketplace/{model}/").one("table", id="result_list")
    assert get(f"/admin/marketplace/{model}/add/").one("input", name="slug")
