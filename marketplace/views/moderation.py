"""The moderators' queue: what sellers have sent in, the oldest first."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from marketplace.catalogue import OLDEST
from marketplace.models import Product
from marketplace.paging import cursor_of, page

PAGE_SIZE = 12
LONGEST_NOTE = 300


@login_required
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Show what waits for a decision, with all its photos."""
    _check(request.user)
    waiting = Product.objects.waiting().select_related("seller", "category").prefetch_related("photos")
    found = page(waiting, OLDEST, cursor_of(request), PAGE_SIZE)
    context = {
        "products": found.rows,
        # The queue is short, and its length is what moderators come for.
        "waiting": Product.objects.waiting().count(),
        **found.urls(request),
    }
    return render(request, "shop/moderation.html", context)


@login_required
@require_POST
def moderate(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve or reject one product, once: when another moderator was quicker, say so and change nothing.

    `seen`, the time of the last change in the words that were shown, is optional; with it, what the seller
    has changed since is not decided on unseen.
    """
    _check(request.user)
    product = get_object_or_404(Product, pk=pk)
    action, note = request.POST.get("action"), request.POST.get("note", "").strip()[:LONGEST_NOTE]
    if action not in ("approve", "reject"):
        messages.error(
            request, _("Choose whether to approve or to reject “%(product)s”.") % {"product": product}
        )
    elif product.status != Product.Status.PENDING:
        messages.warning(
            request,
            _("“%(product)s” does not wait any more: it is %(status)s.")
            % {"product": product, "status": product.get_status_display().lower()},
        )
    elif action == "reject" and not note:
        messages.error(
            request, _("Write a note to the seller: why is “%(product)s” rejected?") % {"product": product}
        )
    elif not _is_as_seen(request, product) or not product.decide(approve=action == "approve", note=note):
        messages.warning(
            request, _("“%(product)s” has just been changed. Please look at it again.") % {"product": product}
        )
    elif action == "approve":
        messages.success(request, _("“%(product)s” is on sale.") % {"product": product})
    else:
        messages.success(
            request, _("“%(product)s” is rejected, and the seller knows why.") % {"product": product}
        )
    return redirect("moderation")


def _check(user: Any) -> None:
    """Let only those in who may change products: staff with the admin's permission for it."""
    if not (user.is_staff and user.has_perm("marketplace.change_product")):
        raise PermissionDenied


def _is_as_seen(request: HttpRequest, product: Product) -> bool:
    seen = request.POST.get("seen", "")
    try:
        return not seen or parse_datetime(seen) == product.updated
    except ValueError:
        return False
