"""Template tags of another library, one of which has the name of one of ours."""

from typing import Any

from django.template import Library

register = Library()


@register.simple_tag
def srcset(*args: Any) -> str:
    """Print what nobody could mistake for ours."""
    return "theirs"
