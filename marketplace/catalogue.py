"""Finding products: the listing's filters, and the order in which things are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplace.models import Category, Product, ProductQuerySet, Seller
from marketplace.paging import Order
from marketplace.search import best_matches

NEWEST = Order(name="newest", by="created", field=models.DateTimeField(), descending=True)
OLDEST = Order(name="oldest", by="created", field=models.DateTimeField())
_PRICE = models.DecimalField(max_digits=8, decimal_places=2)
ORDERS = {
    "newest": (_("Newest first"), NEWEST),
    "price": (_("Price, low to high"), Order(name="price", by="price", field=_PRICE)),
    "-price": (_("Price, high to low"), Order(name="-price", by="price", field=_PRICE, descending=True)),
}
# Only where there are words to match.
BEST = {"best": (_("Best match"), Order(name="best", by="rank", field=models.FloatField(), descending=True))}


def _price(label: Any) -> forms.DecimalField:
    # A text input keeps what was typed; a number input would complain of it in the console and drop it.
    widget = forms.TextInput(attrs={"inputmode": "decimal", "placeholder": _("any"), "maxlength": 9})
    return forms.DecimalField(
        label=label, min_value=0, max_digits=8, decimal_places=2, required=False, widget=widget
    )


class FilterForm(forms.Form):
    """The listing's filters. A value that makes no sense is left out and spoken of, never an error page."""

    q = forms.CharField(
        label=_("Search"),
        max_length=100,
        required=False,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": _("Search the shop"), "form": "filters"}
        ),
    )
    category = forms.ChoiceField(
        label=_("Shelf"),
        required=False,
        error_messages={"invalid_choice": _("there is no shelf “%(value)s”.")},
    )
    seller = forms.ChoiceField(
        label=_("Maker"),
        required=False,
        error_messages={"invalid_choice": _("we know no “%(value)s”.")},
    )
    min_price = _price(_("Price from"))
    max_price = _price(_("Price to"))
    sort = forms.ChoiceField(
        label=_("Sort by"),
        required=False,
        error_messages={"invalid_choice": _("there is no order “%(value)s”.")},
    )

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        categories: Sequence[Category],
        sellers: Sequence[Seller],
        category: Category | None = None,
        seller: Seller | None = None,
    ) -> None:
        """Take the rows that the page shows anyway, so that the choices cost no query of their own.

        A shelf or a maker whose page this is cannot be chosen: the form then has no such field.
        """
        super().__init__(data, label_suffix="")
        self.categories = {row.slug: row for row in categories}
        self.sellers = {row.slug: row for row in sellers}
        self._category, self._seller = category, seller
        self.fields["category"].choices = [
            ("", _("All shelves")),
            *((slug, _(row.name)) for slug, row in self.categories.items()),
        ]
        self.fields["seller"].choices = [
            ("", _("All makers")),
            *((slug, row.name) for slug, row in self.sellers.items()),
        ]
        orders = {**BEST, **ORDERS} if data.get("q", "").strip() else ORDERS
        self.fields["sort"].choices = [(key, label) for key, (label, _order) in orders.items()]
        if category:
            del self.fields["category"]
        if seller:
            del self.fields["seller"]
        self.is_valid()

    def clean(self) -> dict[str, Any]:
        """Leave out a price range that is the wrong way round."""
        low, high = self.cleaned_data.get("min_price"), self.cleaned_data.get("max_price")
        if low is not None and high is not None and low > high:
            self.add_error("max_price", _("this is less than the price before it."))
        return self.cleaned_data

    @property
    def query(self) -> str:
        """What is searched for."""
        return self.cleaned_data.get("q", "")

    @property
    def chosen_category(self) -> Category | None:
        """The shelf whose page this is, or the chosen one."""
        return self._category or self.categories.get(self.cleaned_data.get("category", ""))

    @property
    def chosen_seller(self) -> Seller | None:
        """The maker whose shop this is, or the chosen one."""
        return self._seller or self.sellers.get(self.cleaned_data.get("seller", ""))

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
        """Whether anything but the order has been chosen; the page's own shelf or maker is no choice."""
        return any(value not in ("", None) for name, value in self.cleaned_data.items() if name != "sort")

    @property
    def order(self) -> Order:
        """The chosen order; words are looked for by how well they match, everything else by date."""
        sort = self.cleaned_data.get("sort") or ("best" if self.query else "newest")
        orders = {**BEST, **ORDERS} if self.query else ORDERS
        _label, order = orders.get(sort, ORDERS["newest"])
        return order

    def products(self) -> ProductQuerySet:
        """Return what matches; `order` sorts it."""
        chosen = self.cleaned_data
        found = Product.objects.visible()
        if self.query:
            found = found.filter(document__matches=self.query)
        if self.chosen_category:
            found = found.filter(category=self.chosen_category)
        if self.chosen_seller:
            found = found.filter(seller=self.chosen_seller)
        if chosen.get("min_price") is not None:
            found = found.filter(price__gte=chosen["min_price"])
        if chosen.get("max_price") is not None:
            found = found.filter(price__lte=chosen["max_price"])
        if self.query and self.order.by == "rank":
            return best_matches(found, self.query)
        return found
