"""The moderators' queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from marketplace.models import Product, Seller
from tests.marketplace.conftest import edit_data, sent
from tests.marketplace.page import Page

Make, Get = Callable[..., Product], Callable[..., Page]


def status(product: Product) -> tuple[str, str]:
    product.refresh_from_db()
    return product.status, product.rejection_note


def test_the_oldest_waits_at_the_top_with_all_its_photos(make: Make, get: Get, as_moderator: Client) -> None:
    make("Second", status="pending", photos=1)
    make("On sale")
    first = make("First", status="pending", photos=3)
    Product.objects.filter(pk=first.pk).update(created="2026-01-01T00:00Z")
    page = get("/moderation/")
    assert [heading.text for heading in page.all("h2")] == ["First", "Second"]
    assert [image["alt"] for image in page.all("img")] == [
        "First, view 1",
        "First, view 2",
        "First, view 3",
        "Second, view 1",
    ]
    assert "2" in page.one("h1").text
    assert "On sale" not in [heading.text for heading in page.all("h2")]


def test_approving_puts_on_sale(make: Make, get: Get, as_moderator: Client) -> None:
    product = make(status="pending")
    page = sent(as_moderator, f"/moderation/{product.pk}/", {"action": "approve"})
    assert "is on sale" in page.one(css="message-success").text
    assert status(product) == ("active", "")
    assert get("/all/").titles == ["A bowl"]


def test_rejecting_tells_the_seller_why(make: Make, get: Get, as_moderator: Client, seller: Seller) -> None:
    product = make(status="pending")
    sent(as_moderator, f"/moderation/{product.pk}/", {"action": "reject", "note": " Too dark. "})
    assert status(product) == ("rejected", "Too dark.")
    as_moderator.force_login(seller.user)
    assert "Too dark." in get("/sell/").text


@pytest.mark.parametrize(
    "data", [{"action": "reject"}, {"action": "reject", "note": "  "}, {}, {"action": "sell"}]
)
def test_half_a_decision_changes_nothing(make: Make, as_moderator: Client, data: dict[str, str]) -> None:
    product = make(status="pending")
    page = sent(as_moderator, f"/moderation/{product.pk}/", data)
    assert page.one(css="message-error")
    assert status(product) == ("pending", "")


def test_a_long_note_is_cut_and_not_an_error(make: Make, as_moderator: Client) -> None:
    product = make(status="pending")
    sent(as_moderator, f"/moderation/{product.pk}/", {"action": "reject", "note": "x" * 999})
    assert status(product) == ("rejected", "x" * 300)


@pytest.mark.parametrize("first, second", [("approve", "reject"), ("reject", "approve")])
def test_the_second_of_two_moderators_decides_nothing(
    make: Make, as_moderator: Client, first: str, second: str
) -> None:
    product = make(status="pending")
    sent(as_moderator, f"/moderation/{product.pk}/", {"action": first, "note": "First."})
    decided = status(product)
    page = sent(as_moderator, f"/moderation/{product.pk}/", {"action": second, "note": "Second."})
    assert "does not wait any more" in page.one(css="message-warning").text
    assert status(product) == decided


def test_two_moderators_at_the_same_moment(make: Make) -> None:
    product = make(status="pending")
    one, other = Product.objects.get(pk=product.pk), Product.objects.get(pk=product.pk)
    assert one.decide(approve=True)
    assert not other.decide(approve=False, note="Too dark.")
    assert status(product) == ("active", "")


def test_what_the_seller_changed_after_the_page_was_drawn_is_not_decided_on(
    make: Make, get: Get, client: Client, seller: Seller, moderator: Any
) -> None:
    product = make(status="pending", photos=1)
    client.force_login(moderator)
    seen = get("/moderation/").all("input", name="seen")[0]["value"]
    client.force_login(seller.user)
    client.post(f"/sell/{product.pk}/", edit_data(product, title="Quite different"))
    client.force_login(moderator)
    data = {"action": "approve", "seen": seen}
    page = sent(client, f"/moderation/{product.pk}/", data)
    assert "has just been changed" in page.one(css="message-warning").text
    assert status(product) == ("pending", "")
    data["seen"] = get("/moderation/").all("input", name="seen")[0]["value"]
    sent(client, f"/moderation/{product.pk}/", data)
    assert status(product) == ("active", "")


@pytest.mark.parametrize("seen", ["yesterday", "2026-99-99T00:00", "\x00"])
def test_a_forged_time_decides_nothing(make: Make, as_moderator: Client, seen: str) -> None:
    product = make(status="pending")
    sent(as_moderator, f"/moderation/{product.pk}/", {"action": "approve", "seen": seen})
    assert status(product) == ("pending", "")


def test_it_is_for_moderators_alone(
    make: Make, client: Client, seller: Seller, django_user_model: Any
) -> None:
    product = make(status="pending")
    address = f"/moderation/{product.pk}/"
    assert client.get("/moderation/")["Location"] == "/login/?next=/moderation/"
    assert client.post(address, {"action": "approve"})["Location"].startswith("/login/")
    looker = django_user_model.objects.create_user("looker", is_staff=True)
    for user in (seller.user, looker):
        client.force_login(user)
        assert client.get("/moderation/").status_code == 403
        assert client.post(address, {"action": "approve"}).status_code == 403
    assert status(product) == ("pending", "")


def test_the_decision_is_a_post(make: Make, as_moderator: Client) -> None:
    assert as_moderator.get(f"/moderation/{make(status='pending').pk}/").status_code == 405
    assert as_moderator.post("/moderation/999999/", {"action": "approve"}).status_code == 404


def test_the_queue_is_paged(make: Make, get: Get, as_moderator: Client) -> None:
    for number in range(15):
        make(f"Bowl {number:02}", status="pending")
    first = get("/moderation/")
    second = get(first.link("next"))
    headings = [heading.text for page in (first, second) for heading in page.all("h2")]
    assert headings == [f"Bowl {number:02}" for number in range(15)]
    assert "15" in second.one("h1").text
