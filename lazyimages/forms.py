"""Form fields for originals, one and several, and their errors in plain words."""

from __future__ import annotations  # django-stubs has File generic, Django has not

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.forms.fields import FileField
from django.utils.translation import gettext_lazy, ngettext_lazy

from lazyimages import direct, uploads
from lazyimages.direct import Pending
from lazyimages.exceptions import ImageError, RefusedName, StorageUnavailable
from lazyimages.widgets import LazyImageInput, LazyImagesInput


class LazyImageFormField(forms.ImageField):
    """A form's field for an original: whatever may not become one is an error in plain words.

    It takes a file, or the token of one that the browser has sent to S3 by itself.
    """

    widget = LazyImageInput
    # The extension is the client's word; what the file is shows in its bytes.
    default_validators = []
    refused: frozenset[str] = frozenset()

    def to_python(self, data: Any) -> Any:
        """Return the upload; `ValidationError` when it may not become an original."""
        if isinstance(data, Pending):
            return self._confirm(data)
        file = FileField.to_python(self, data)
        if file is not None:
            validate(file, file.name or "")
        return file

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return a token that is still good, for the form to show again; else what is there already."""
        return data if _is_kept(data, self.refused) else initial

    def _confirm(self, pending: Pending) -> Any:
        try:
            return confirm(pending)
        except ValidationError as error:
            if error.code != "storage":  # which may be there again in a moment
                self.refused = self.refused | {pending.token}
            raise


class LazyImagesField(forms.FileField):
    """A form's field for several originals; `clean` returns a list of uploads that may become some.

    Assign each to a `LazyImageField`, and it is not decoded again. `max_files` is how many may come at once;
    None is as many as DATA_UPLOAD_MAX_NUMBER_FILES allows.
    """

    widget = LazyImagesInput
    refused: frozenset[str] = frozenset()
    default_error_messages = {
        "max_files": ngettext_lazy(
            "Choose at most %(max)d file; these are %(count)d.",
            "Choose at most %(max)d files; these are %(count)d.",
            "max",
        ),
        "of_file": gettext_lazy("%(name)s: %(error)s"),
    }

    def __init__(self, *, max_files: int | None = None, **kwargs: Any) -> None:
        """Tell the widget too how many files there may be."""
        self.max_files = max_files
        super().__init__(**kwargs)

    def widget_attrs(self, widget: Any) -> Any:
        """Return what the widget needs to know, so that upload.js can tell before anything is sent."""
        limit = {"data-max-files": self.max_files} if self.max_files else {}
        return {**super().widget_attrs(widget), **limit}

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Return the uploads; `ValidationError` names every file that is none, with its own reason."""
        given = [one for one in data if one] if isinstance(data, (list, tuple)) else [data] if data else []
        if not given:
            if self.required and not initial:
                raise ValidationError(self.error_messages["required"], code="required")
            return []
        # Django counts the files of a form, but no tokens, each of which is a request to S3 here.
        most = settings.DATA_UPLOAD_MAX_NUMBER_FILES if self.max_files is None else self.max_files
        if most is not None and len(given) > most:
            raise ValidationError(
                self.error_messages["max_files"],
                code="max_files",
                params={"max": most, "count": len(given)},
            )
        one_file = LazyImageFormField(max_length=self.max_length, allow_empty_file=self.allow_empty_file)
        cleaned, errors = [], []
        for one in given:
            try:
                cleaned.append(one_file.clean(one))
            except ValidationError as found:
                name = one.client_name if isinstance(one, Pending) else one.name
                errors += [
                    ValidationError(
                        self.error_messages["of_file"],
                        code=getattr(found, "code", None),
                        params={"name": name, "error": message},
                    )
                    for message in found.messages
                ]
        self.refused = one_file.refused
        if errors:
            raise ValidationError(errors)
        for upload in cleaned:
            self.run_validators(upload)
        return cleaned

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return the tokens that are still good, for the form to show them again."""
        return [one for one in data or () if _is_kept(one, self.refused)]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Tell whether files were chosen."""
        return not self.disabled and bool(data)


def validate(file: File[Any], name: str) -> Any:
    """Return what `uploads.inspect` does; `ValidationError` when the file may not become an original."""
    try:
        return uploads.inspect(file, name)
    except RefusedName as error:
        raise ValidationError(sentence(error), code="refused_name") from error
    except ImageError as error:
        raise ValidationError(sentence(error), code="invalid_image") from error


def confirm(pending: Pending) -> Any:
    """Return the upload that a token stands for; `ValidationError` when it may not become an original."""
    try:
        return direct.confirm(pending)
    except direct.UploadAgain as error:
        code, text = "upload_again", sentence(error)
    except RefusedName as error:
        code, text = "refused_name", sentence(error)
    except ImageError as error:
        code, text = "invalid_image", sentence(error)
    except StorageUnavailable:
        raise ValidationError(
            gettext_lazy("The file cannot be looked at right now. Try again in a moment."), code="storage"
        ) from None
    raise ValidationError(text, code=code)


def _is_kept(data: Any, refused: frozenset[str]) -> bool:
    return isinstance(data, Pending) and data.is_good and data.token not in refused


def sentence(error: Exception) -> str:
    """Return an error's text as a sentence."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."
