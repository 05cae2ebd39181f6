"""File inputs with a preview, drag and drop, and progress; without JavaScript they are ordinary ones.

Nothing here looks into a file or a storage. The picture that is there already is shown as a variant, and
the original is never linked.
"""

import json
from typing import Any

from django import forms
from django.conf import settings
from django.forms.widgets import FILE_INPUT_CONTRADICTION
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy

from lazyimages import accepting, conf, direct, markup
from lazyimages.direct import Pending
from lazyimages.markup import Candidate

_PREVIEW_WIDTH = 160  # CSS pixels, as in upload.css
_MIDDLEWARE = "lazyimages.middleware.UploadRedirects"
_CSRF_FIELD = "csrfmiddlewaretoken"

# What upload.js says; %s is put in there.
_MESSAGES = {
    "drop": gettext_lazy("Drop a picture here, or choose one."),
    "dropMany": gettext_lazy("Drop pictures here, or choose some."),
    "remove": gettext_lazy("Remove"),
    "removeFile": gettext_lazy("Remove %s"),
    "removed": gettext_lazy("%s was removed."),
    "chosen": gettext_lazy("%s was added."),
    "wrongType": gettext_lazy("This is no picture that can be used here."),
    "tooLarge": gettext_lazy("This file has %s MB; at most %s MB are allowed."),
    "empty": gettext_lazy("This file is empty."),
    "tooMany": gettext_lazy("Choose at most %s files."),
    "removeFirst": gettext_lazy("Remove the files that cannot be used first."),
    "sending": gettext_lazy("Sending… %s %"),
    "sent": gettext_lazy("Sent"),
    "allSent": gettext_lazy("All is sent. One moment…"),
    "failed": gettext_lazy("Sending failed. Try again."),
}


class _Upload(forms.FileInput):
    """What both inputs have in common."""

    template_name = "lazyimages/upload.html"

    class Media:
        css = {"all": ["lazyimages/upload.css"]}
        js = ["lazyimages/upload.js"]

    def __init__(self, attrs: Any = None) -> None:
        """Offer the formats that may become originals, unless `attrs` has an `accept` of its own."""
        super().__init__({"accept": accepting.attribute(), **(attrs or {})})

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Return what the template shows: limits and words for upload.js, and files that were sent before."""
        context = super().get_context(name, value, attrs)
        context["widget"] |= {
            "max_bytes": conf.settings().max_bytes,
            "max_files": context["widget"]["attrs"].pop("data-max-files", None),
            "uploads_url": _uploads_url(),
            # Without it a redirect would be followed unseen, and its messages shown to nobody.
            "has_middleware": _MIDDLEWARE in settings.MIDDLEWARE,
            "messages": json.dumps({key: str(text) for key, text in _MESSAGES.items()}),
            "token_name": _token_name(name),
            "kept": [one for one in _as_list(value) if isinstance(one, Pending)],
        }
        return context

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Tell whether neither a file nor a token came."""
        return bool(super().value_omitted_from_data(data, files, name)) and _token_name(name) not in data

    def _given(self, data: Any, files: Any, name: str) -> list[Any]:
        """Return all files and tokens that came under a name."""
        tokens = data.getlist(_token_name(name)) if hasattr(data, "getlist") else data.get(_token_name(name))
        secret = data.get(_CSRF_FIELD, "")
        chosen = files.getlist(name) if hasattr(files, "getlist") else files.get(name)
        once = dict.fromkeys(token for token in _as_list(tokens) if token)
        return [*_as_list(chosen), *(direct.pending(token, secret) for token in once)]


class LazyImageInput(_Upload, forms.ClearableFileInput):
    """A file input for one picture, which shows the present one as a variant of a whitelisted size."""

    def is_initial(self, value: Any) -> bool:
        """Tell whether a picture is there already, without asking its storage for a URL."""
        return bool(value and not isinstance(value, Pending) and hasattr(value, "instance"))

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Add the present picture, and the box that removes it."""
        context = super().get_context(name, value, attrs)
        context["widget"]["preview"] = _preview(value) if self.is_initial(value) else None
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Return the file or its token; what ClearableFileInput does when the picture is to be removed."""
        without_tokens: Any = super().value_from_datadict(data, files, name)
        if without_tokens is FILE_INPUT_CONTRADICTION or without_tokens:
            return without_tokens
        given = self._given(data, files, name)
        if given and without_tokens is False:
            return FILE_INPUT_CONTRADICTION
        return given[-1] if given else without_tokens


class LazyImagesInput(_Upload):
    """A file input for several pictures at once."""

    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
        """Return all files, then all tokens."""
        return self._given(data, files, name)


def _preview(file: Any) -> Candidate | None:
    """Return the smallest whitelisted variant that is wide enough for the preview, if there is one."""
    picture = markup.picture_of(file)
    found = markup.candidates(picture, conf.settings().whitelist) if picture else []
    found.sort(key=lambda candidate: candidate.width)
    wide_enough = [candidate for candidate in found if candidate.width >= _PREVIEW_WIDTH]
    return next(iter(wide_enough or found[-1:]), None)


def _token_name(name: str) -> str:
    return f"{name}-sent"


def _uploads_url() -> str:
    """Return where upload.js asks for a place on S3; empty when it need not ask."""
    if conf.settings().direct_uploads is None:
        return ""
    try:
        return reverse("lazyimages:uploads")
    except NoReverseMatch:  # a site may route the resizer elsewhere
        return ""


def _as_list(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return list(value)
    return [] if value is None else [value]
