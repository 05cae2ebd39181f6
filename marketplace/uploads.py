"""Who may send photos straight to S3."""

from __future__ import annotations

from django.http import HttpRequest

from marketplace.models import Seller


def may_upload(request: HttpRequest) -> bool:
    """Let those who have a shop upload photos for it."""
    return request.user.is_authenticated and Seller.objects.filter(user=request.user).exists()
