"""Finding products: the listing's filters, and the order in which things are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import Q

from marketplace.models import Category, Product, ProductQuerySet, Seller

SORTS = {
    "newest": ("Newest first", ("-created", "-pk")),
    "price": ("Price, low to high", ("price", "pk")),
    "-price": ("Price, high to low", ("-price", "-pk")),
}


def _price(label: str) -> forms.DecimalField:
    # A text input keeps what was typed; a number input would complain of it in the console and drop it.
    widget = forms.TextInput(attrs={"inputmode": "decimal", "placeholder": "any", "maxlength": 9})
    return forms.DecimalField(
        label=label, min_value=0, max_digits=8, decimal_places=2, required=False, widget=widget
    )


class FilterForm(forms.Form):
    """The listing's filters. A value that makes no sense is left out and spoken of, never an error page."""

    q = forms.CharField(
        label="Search",
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "Search the shop", "form": "filters"}),
    )
    category = forms.ChoiceField(
        label="Shelf", required=False, error_messages={"invalid_choice": "there is no shelf “%(value)s”."}
    )
    seller = forms.ChoiceField(
        label="Maker", required=False, error_messages={"invalid_choice": "we know no “%(value)s”."}
    )
    min_price = _price("Price from")
    max_price = _price("Price to")
    sort = forms.ChoiceField(
        label="Sort by",
        choices=[(key, label) for key, (label, _) in SORTS.items()],
        required=False,
        error_messages={"invalid_choice": "there is no order “%(value)s”."},
    )

    def __init__(
        self, data: Mapping[str, Any], *, categories: Sequence[Category], sellers: Sequence[Seller]
    ) -> None:
        """Take the rows that the page shows anyway, so that the choices cost no query of their own."""
        super().__init__(data, label_suffix="")
        self.categories = {category.slug: category for category in categories}
        self.sellers = {seller.slug: seller for seller in sellers}
        self.fields["category"].choices = [(slug, row.name) for slug, row in self.categories.items()]
        names = [(slug, row.name) for slug, row in self.sellers.items()]
        self.fields["seller"].choices = [("", "All makers"), *names]
        self.is_valid()

    def clean(self) -> dict[str, Any]:
        """Leave out a price range that is the wrong way round."""
        low, high = self.cleaned_data.get("min_price"), self.cleaned_data.get("max_price")
        if low is not None and high is not None and low > high:
            self.add_error("max_price", "this is less than the price before it.")
        return self.cleaned_data

    @property
    def chosen_category(self) -> Category | None:
        """The chosen category."""
        return self.categories.get(self.cleaned_data.get("category", ""))

    @property
    def chosen_seller(self) -> Seller | None:
        """The chosen seller."""
        return self.sellers.get(self.cleaned_data.get("seller", ""))

    @property
    def notices(self) -> list[str]:
        """What was left out, in words for the visitor."""
        return [
            f"{self.fields[name].label or name.title()}: {error}"
            for name in self.errors
            for error in self.errors[name]
        ]

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the order has been chosen."""
        return any(value not in ("", None) for name, value in self.cleaned_data.items() if name != "sort")

    def products(self) -> ProductQuerySet:
        """Return what matches, in the chosen order."""
        chosen = self.cleaned_data
        found = Product.objects.visible()
        for word in chosen.get("q", "").split():
            found = found.filter(
                Q(title__icontains=word) | Q(description__icontains=word) | Q(seller__name__icontains=word)
            )
        if self.chosen_category:
            found = found.filter(category=self.chosen_category)
        if self.chosen_seller:
            found = found.filter(seller=self.chosen_seller)
        if chosen.get("min_price") is not None:
            found = found.filter(price__gte=chosen["min_price"])
        if chosen.get("max_price") is not None:
            found = found.filter(price__lte=chosen["max_price"])
        _, order = SORTS[chosen.get("sort") or "newest"]
        return found.order_by(*order)
