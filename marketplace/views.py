"""The pages of the marketplace: the shop that everybody sees, and the seller's own desk."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.datastructures import MultiValueDict
from django.views.decorators.http import require_POST, require_safe

from marketplace.catalogue import FilterForm
from marketplace.forms import PhotoFormSet, ProductForm, SellerForm
from marketplace.models import Category, Photo, Product, Seller

logger = logging.getLogger(__name__)

PAGE_SIZE = 24


@require_safe
def product_list(request: HttpRequest) -> HttpResponse:
    """Show the shop: what matches the filters, a page at a time."""
    form = FilterForm(
        request.GET, categories=list(Category.objects.all()), sellers=list(Seller.objects.all())
    )
    page = Paginator(form.products().with_cover(), PAGE_SIZE).get_page(request.GET.get("page"))
    pages = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return render(request, "shop/product_list.html", {"form": form, "page": page, "pages": pages})


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


@login_required
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show a seller everything they have ever listed, with where it stands."""
    seller = Seller.objects.filter(user=request.user).first()
    if seller is None:
        return redirect("seller-profile")
    page = Paginator(seller.products.with_cover(), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "shop/dashboard.html", {"seller": seller, "page": page})


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Open a shop, or change what it says."""
    seller = Seller.objects.filter(user=request.user).first() or Seller(user=request.user)
    form = SellerForm(*_posted(request), instance=seller, label_suffix="")
    if form.is_valid():
        form.save()
        messages.success(request, "Your shop's profile is saved.")
        return redirect("sell")
    return render(request, "shop/profile.html", {"form": form, "is_new": seller.pk is None})


@login_required
def product_new(request: HttpRequest) -> HttpResponse:
    """Take a new product and its photos; nothing is stored unless all of it is valid."""
    seller = Seller.objects.filter(user=request.user).first()
    if seller is None:
        return redirect("seller-profile")
    form = ProductForm(*_posted(request))
    if form.is_valid():
        form.instance.seller = seller
        product = form.save()
        complete = _store_photos(request, product, form.cleaned_data["photos"])
        if "submit" in request.POST and complete:
            product.submit()
            messages.success(request, "Thank you! We look at new pieces within a day and tell you here.")
        elif complete:
            messages.success(request, "Your draft is saved. Only you can see it.")
        return redirect("product-edit", pk=product.pk)
    return render(request, "shop/product_form.html", {"form": form})


@login_required
def product_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one's own product: its words, its photos and their order."""
    product = get_object_or_404(Product.objects.select_related("seller"), pk=pk, seller__user=request.user)
    form = ProductForm(*_posted(request), instance=product)
    photos = PhotoFormSet(*_posted(request), instance=product)
    if form.is_bound:
        wants_review = "submit" in request.POST and product.can_submit
        is_valid = form.is_valid()
        photos.adding = len(form.cleaned_data.get("photos", []))
        photos.needs_photo = wants_review or not product.can_submit
        if photos.is_valid() and is_valid:
            form.save()
            photos.save()
            complete = _store_photos(request, product, form.cleaned_data["photos"])
            if complete and wants_review:
                product.submit()
                messages.success(request, "Thank you! We look at new pieces within a day and tell you here.")
            elif product.is_public and not product.is_sold and form.needs_review:
                product.submit()
                messages.info(
                    request, "Saved. We have a quick look at the changes before it is on sale again."
                )
            elif complete:
                messages.success(request, "Your changes are saved.")
            return redirect("product-edit", pk=pk)
        # The forms have written rejected values into the product that the page's heading shows.
        product.refresh_from_db()
    return render(request, "shop/product_form.html", {"form": form, "photos": photos, "product": product})


@login_required
@require_POST
def product_status(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own product a step further: to the moderators, or to its new home."""
    product = get_object_or_404(Product, pk=pk, seller__user=request.user)
    action = request.POST.get("action")
    if action == "submit" and product.can_submit:
        if product.photos.exists():
            product.submit()
            messages.success(request, f"“{product}” is with our moderators.")
        else:
            messages.error(request, f"Add a photo to “{product}” first.")
    elif action == "sold" and product.status == Product.Status.ACTIVE:
        product.mark_sold()
        messages.success(request, f"“{product}” is marked as sold. Well done!")
    else:
        messages.error(
            request, f"That is not possible while “{product}” is {product.get_status_display().lower()}."
        )
    return redirect("sell")


def _posted(request: HttpRequest) -> tuple[QueryDict | None, MultiValueDict | None]:
    """Return what a form takes: the posted data and files, or nothing when the page is only looked at."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _store_photos(request: HttpRequest, product: Product, photos: list[Photo]) -> bool:
    """Store checked photos after the others; when the storage fails, keep what it took and say so."""
    start = product.photos.count() + 1
    for position, photo in enumerate(photos, start=start):
        photo.product, photo.position = product, position
        name = photo.image.name
        try:
            photo.save()
        except Exception:
            # Each storage backend fails in its own way, and the seller's text is worth keeping in any case.
            logger.exception("Storing a photo of product %s failed", product.pk)
            messages.error(
                request, f"We could not store {name} just now. Please add it, and any after it, again."
            )
            return False
    return True
