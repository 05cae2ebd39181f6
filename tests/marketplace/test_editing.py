"""The edit page: photos moved, described, removed and added; what goes back to the moderators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from marketplace.models import Photo, Product, Seller
from tests.marketplace.conftest import edit_data, sent, upload

Make, Originals = Callable[..., Product], Callable[[], list[Path]]
SUBMIT = {"submit": "1"}


def test_photos_are_reordered_described_removed_and_added(
    make: Make, as_seller: Client, originals: Originals
) -> None:
    product = make(status="draft", photos=3)
    first, second, third = product.photos.all()
    changes = {
        "photos-0-position": "3",
        "photos-1-DELETE": "on",
        "photos-2-alt": "From below",
        "photos": upload("new.jpg"),
    }
    page = sent(as_seller, f"/sell/{product.pk}/", edit_data(product, **changes))
    assert "Your changes are saved." in page.one(css="message-success").text
    photos = list(product.photos.all())
    assert [photo.pk for photo in photos[:2]] == [third.pk, first.pk]
    assert [photo.position for photo in photos] == [1, 2, 3]
    assert photos[0].alt == "From below"
    assert not Photo.objects.filter(pk=second.pk).exists()


@pytest.mark.parametrize(
    "moves, expected",
    [
        ({2: 1}, [2, 0, 1]),
        ({0: 3}, [1, 2, 0]),
        ({0: 2}, [1, 0, 2]),
        ({0: 9, 2: 1}, [2, 1, 0]),
        ({}, [0, 1, 2]),
    ],
)
def test_a_photo_takes_the_place_that_its_number_says(
    make: Make, as_seller: Client, moves: dict[int, int], expected: list[int]
) -> None:
    product = make(status="draft", photos=3)
    before = [photo.pk for photo in product.photos.all()]
    changes = {f"photos-{which}-position": number for which, number in moves.items()}
    sent(as_seller, f"/sell/{product.pk}/", edit_data(product, **changes))
    assert [photo.pk for photo in product.photos.all()] == [before[which] for which in expected]


@pytest.mark.parametrize(
    "changes, status",
    [
        ({"title": "Other words"}, "pending"),
        ({"description": "Other words"}, "pending"),
        ({"description": "Sits well\r\nin two hands."}, "active"),  # the line ends of a browser
        ({"price": "99"}, "active"),
        ({"photos-0-alt": "From above"}, "active"),
        ({}, "active"),
    ],
)
def test_new_words_on_sale_are_looked_at_again(
    make: Make, as_seller: Client, changes: dict[str, str], status: str
) -> None:
    product = make(photos=1, description="Sits well\nin two hands.")
    sent(as_seller, f"/sell/{product.pk}/", edit_data(product, **changes))
    product.refresh_from_db()
    assert product.status == status


def test_new_photos_on_sale_are_looked_at_again(make: Make, as_seller: Client) -> None:
    product = make(photos=1)
    page = sent(as_seller, f"/sell/{product.pk}/", edit_data(product, photos=upload()))
    assert "quick look" in page.one(css="message-info").text
    product.refresh_from_db()
    assert (product.status, product.photos.count()) == ("pending", 2)


def test_a_refused_product_is_sent_in_again_without_its_note(make: Make, as_seller: Client) -> None:
    product = make(status="rejected", rejection_note="Too dark.", photos=1)
    sent(as_seller, f"/sell/{product.pk}/", edit_data(product, photos=upload("light.jpg"), **SUBMIT))
    product.refresh_from_db()
    assert (product.status, product.rejection_note, product.photos.count()) == ("pending", "", 2)


@pytest.mark.parametrize("status, extra", [("active", {}), ("draft", SUBMIT)])
def test_the_last_photo_of_what_others_see_stays(
    make: Make, as_seller: Client, status: str, extra: dict[str, str]
) -> None:
    product = make(status=status, photos=1)
    data = edit_data(product, **{"photos-0-DELETE": "on"}, **extra)
    page = sent(as_seller, f"/sell/{product.pk}/", data)
    assert "needs at least one photo" in page.one(role="alert").text
    assert product.photos.count() == 1


def test_a_bad_photo_on_the_edit_page_changes_nothing(
    make: Make, as_seller: Client, originals: Originals
) -> None:
    product = make(status="draft", photos=1)
    data = edit_data(
        product, title="Other", **{"photos-0-alt": "Other"}, photos=upload("notes.txt", b"hello")
    )
    page = sent(as_seller, f"/sell/{product.pk}/", data)
    assert "notes.txt: " in page.one("ul", css="errorlist").text
    assert page.one("h1").text == "A bowl"
    product.refresh_from_db()
    assert (product.title, product.photos.get().alt, len(originals())) == ("A bowl", "A bowl, view 1", 1)


def test_the_limit_counts_the_photos_that_are_there(make: Make, as_seller: Client) -> None:
    product = make(status="draft", photos=2)
    page = sent(as_seller, f"/sell/{product.pk}/", edit_data(product, photos=[upload() for _ in range(11)]))
    assert "at most 12 photos; this would make 13" in page.one(role="alert").text
    assert product.photos.count() == 2


@pytest.mark.parametrize(
    "tampering",
    [
        {"photos-TOTAL_FORMS": "9"},
        {"photos-TOTAL_FORMS": "", "photos-INITIAL_FORMS": ""},
        {"photos-0-id": "999999"},
        {"photos-0-id": "x"},
        {"photos-0-position": "-1"},
        {"photos-0-position": "first"},
        {"photos-0-position": "99999999"},
    ],
)
def test_a_stale_or_forged_form_harms_nothing(
    make: Make, as_seller: Client, tampering: dict[str, str]
) -> None:
    product = make(status="draft", photos=1)
    sent(as_seller, f"/sell/{product.pk}/", edit_data(product, **tampering))
    assert [(photo.position, photo.alt) for photo in product.photos.all()] == [(1, "A bowl, view 1")]


def test_photos_of_another_product_cannot_be_taken(make: Make, as_seller: Client, rival: Seller) -> None:
    product, other = make(status="draft", photos=1), make(seller=rival, photos=1)
    data = edit_data(product, **{"photos-0-id": other.photos.get().pk, "photos-0-DELETE": "on"})
    sent(as_seller, f"/sell/{product.pk}/", data)
    assert (product.photos.count(), other.photos.count()) == (1, 1)


def test_a_moderators_decision_is_not_overwritten_by_the_sellers_words(make: Make, as_seller: Client) -> None:
    product = make(status="pending", photos=1)
    data = edit_data(product, price="30")
    Product.objects.filter(pk=product.pk).update(status="active")
    sent(as_seller, f"/sell/{product.pk}/", data)
    product.refresh_from_db()
    assert (product.status, product.price) == ("active", 30)
