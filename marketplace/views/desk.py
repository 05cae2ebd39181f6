"""The seller's own desk: the shop's profile, the products, and the way each takes to the shop."""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files import File
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lazyimages.exceptions import LazyImagesError
from marketplace.catalogue import NEWEST
from marketplace.forms import PhotoFormSet, ProductForm, SellerForm
from marketplace.models import Photo, Product, Seller
from marketplace.paging import cursor_of, page

logger = logging.getLogger(__name__)

PAGE_SIZE = 24


@login_required
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Show a seller everything they have ever listed, with where it stands."""
    seller = Seller.objects.filter(user=request.user).first()
    if seller is None:
        return redirect("seller-profile")
    found = page(seller.products.with_cover(), NEWEST, cursor_of(request), PAGE_SIZE)
    context = {"seller": seller, "products": found.rows, **found.urls(request)}
    return render(request, "shop/dashboard.html", context)


@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Open a shop, or change what it says."""
    seller = Seller.objects.filter(user=request.user).first() or Seller(user=request.user)
    form = SellerForm(*_posted(request), instance=seller, label_suffix="")
    if form.is_valid():
        form.save()
        messages.success(request, _("Your shop's profile is saved."))
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
            messages.success(request, _("Thank you! We look at new pieces within a day and tell you here."))
        elif complete:
            messages.success(request, _("Your draft is saved. Only you can see it."))
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
            looked_at_again = _save(product, form, photos)
            _move_focal_points(request, photos)
            complete = _store_photos(request, product, form.cleaned_data["photos"])
            if complete and wants_review:
                product.submit()
                messages.success(
                    request, _("Thank you! We look at new pieces within a day and tell you here.")
                )
            elif looked_at_again:
                messages.info(
                    request, _("Saved. We have a quick look at the changes before it is on sale again.")
                )
            elif complete:
                messages.success(request, _("Your changes are saved."))
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
        if not product.photos.exists():
            messages.error(request, _("Add a photo to “%(product)s” first.") % {"product": product})
        elif product.submit():
            messages.success(request, _("“%(product)s” is with our moderators.") % {"product": product})
        else:
            _say_changed(request, product)
    elif action == "sold" and product.status == Product.Status.ACTIVE:
        if product.mark_sold():
            messages.success(request, _("“%(product)s” is marked as sold. Well done!") % {"product": product})
        else:
            _say_changed(request, product)
    else:
        messages.error(
            request,
            _("That is not possible while “%(product)s” is %(status)s.")
            % {"product": product, "status": product.get_status_display().lower()},
        )
    return redirect("sell")


def _say_changed(request: HttpRequest, product: Product) -> None:
    messages.error(
        request, _("“%(product)s” has just been changed. Please look at it again.") % {"product": product}
    )


def _posted(request: HttpRequest) -> tuple[QueryDict | None, MultiValueDict | None]:
    """Return what a form takes: the posted data and files, or nothing when the page is only looked at."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _save(product: Product, form: ProductForm, photos: PhotoFormSet) -> bool:
    """Save words and photos in one step; return whether the product has left the sale until it is reviewed.

    The row is locked, so that no moderator approves the old words while new ones are written.
    """
    with transaction.atomic():
        product.status = (
            Product.objects.select_for_update().values_list("status", flat=True).get(pk=product.pk)
        )
        form.save()
        photos.save()
        return product.is_public and (form.needs_review or photos.has_new_words) and product.submit()


def _move_focal_points(request: HttpRequest, photos: PhotoFormSet) -> None:
    """Move what was asked for; each move copies an original, so none is inside a transaction."""
    for form in photos.initial_forms:
        if form in photos.deleted_forms or not form.moved_to:
            continue
        try:
            form.instance.image.move_focal(*form.moved_to)
        except LazyImagesError:
            logger.exception("Moving the focal point of photo %s failed", form.instance.pk)
            messages.error(request, _("We could not move the middle of a photo just now. Please try again."))


def _store_photos(request: HttpRequest, product: Product, uploads: list[File]) -> bool:
    """Store checked uploads after the other photos; when the storage fails, keep what it took and say so."""
    start = product.photos.count() + 1
    for position, upload in enumerate(uploads, start=start):
        try:
            Photo.objects.create(product=product, position=position, image=upload)
        except Exception:
            # Each storage backend fails in its own way, and the seller's text is worth keeping in any case.
            logger.exception("Storing a photo of product %s failed", product.pk)
            messages.error(
                request,
                _("We could not store %(file)s just now. Please add it, and any after it, again.")
                % {"file": upload.name},
            )
            return False
        _look_again(product)
    return True


def _look_again(product: Product) -> None:
    """Have a moderator see a photo that was stored after the words: what was shown before had not got it.

    Who decides by an older page is told that it has changed; what was approved meanwhile waits again.
    """
    Product.objects.filter(pk=product.pk, status__in=[Product.Status.PENDING, *Product.PUBLIC]).update(
        status=Product.Status.PENDING, updated=timezone.now()
    )
