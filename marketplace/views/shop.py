"""The shop that everybody sees: home, listings, a maker's shop, and the product page."""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from marketplace.catalogue import FilterForm
from marketplace.models import Category, Product, Seller
from marketplace.paging import cursor_of, page

PAGE_SIZE = 24
SHOWN_AT_HOME = 8
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,80}")
# What the address of the listing carried when it was the home page as well.
_ONCE_AT_HOME = ("category", "seller", "q", "min_price", "max_price", "sort", "page")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Open the shop: its shelves, one piece in full width, what is new, and who makes it."""
    if any(name in request.GET for name in _ONCE_AT_HOME):
        return redirect(_present_address(request), permanent=True)
    newest = list(Product.objects.visible().with_cover()[: SHOWN_AT_HOME + 1])
    feature = next((product for product in newest if _is_wide(product)), None)
    makers = {product.seller_id: product.seller for product in newest}
    context = {
        "categories": Category.objects.with_cover(),
        "newest": [product for product in newest if product != feature][:SHOWN_AT_HOME],
        "feature": feature,
        "makers": list(makers.values())[:4],
    }
    return render(request, "shop/home.html", context)


@require_safe
def product_list(request: HttpRequest) -> HttpResponse:
    """Show everything, a page at a time."""
    return _listing(request)


@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one shelf."""
    return _listing(request, category=slug)


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Show what matches some words."""
    return _listing(request)


@require_safe
def shop(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what one maker sells."""
    return _listing(request, seller=slug)


def _listing(request: HttpRequest, *, category: str = "", seller: str = "") -> HttpResponse:
    categories = {row.slug: row for row in Category.objects.all()}
    wanted = seller or request.GET.get("seller", "")
    sellers = {row.slug: row for row in Seller.objects.listed(wanted if _SLUG.fullmatch(wanted) else "")}
    if (category and category not in categories) or (seller and seller not in sellers):
        raise Http404
    form = FilterForm(
        request.GET,
        categories=list(categories.values()),
        sellers=list(sellers.values()),
        category=categories.get(category),
        seller=sellers.get(seller),
    )
    # By rank, only few rows are looked at as it is.
    fetch = Product.objects.with_cover() if form.query and form.order.by != "rank" else None
    found = page(form.products().with_cover(), form.order, cursor_of(request), PAGE_SIZE, fetch=fetch)
    context: dict[str, Any] = {
        "form": form,
        "products": found.rows,
        **found.urls(request),
        # Counting what does not fit on one page costs more than drawing the page.
        "total": None if found.next or found.previous else len(found.rows),
        "category": form.chosen_category,
        "seller": form.chosen_seller,
        "query": form.query,
        "categories": list(categories.values()),
    }
    return render(request, "shop/product_list.html", context)


@require_safe
def product_detail(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """Show one product; the id finds it, and an address with an older title leads to the present one."""
    products = Product.objects.visible_to(request.user).select_related("seller__user", "category")
    product = get_object_or_404(products.prefetch_related("photos"), pk=pk)
    if slug != product.slug:
        # Not a permanent redirect: browsers keep those, and a title that changes back would then loop.
        return redirect(product)
    more = Product.objects.visible().filter(seller=product.seller).exclude(pk=pk).with_cover()[:4]
    context = {"product": product, "more": more, "is_owner": product.seller.user_id == request.user.pk}
    return render(request, "shop/product_detail.html", context)


def _is_wide(product: Product) -> bool:
    """Whether a product's first photo fills a whole page's width well."""
    cover = product.cover
    return bool(cover and cover.width and cover.height and cover.width > cover.height)


def _present_address(request: HttpRequest) -> str:
    """Return where the listing that an old address meant is now."""
    query = request.GET.copy()
    query.pop("page", None)  # numbers, then
    for name, route in (("category", "category"), ("seller", "shop")):
        if _SLUG.fullmatch(query.get(name, "")):
            path = reverse(route, args=[query.pop(name)[-1]])
            break
    else:
        path = reverse("search" if query.get("q") else "product-list")
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return f"{path}?{query.urlencode()}" if query else path
