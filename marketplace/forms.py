"""The seller's forms: a shop's profile, a product with its photos, and the photos' order."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.forms.models import BaseInlineFormSet, inlineformset_factory
from django.utils.text import slugify

from marketplace.models import Photo, Product, Seller

MAX_PHOTOS = 12


class SellerForm(forms.ModelForm):
    """What a shop says about its maker."""

    class Meta:
        model = Seller
        fields = ["name", "town", "about"]

    def clean_name(self) -> str:
        """Give the shop an address that no other shop has."""
        name = self.cleaned_data["name"]
        slug = slugify(name)
        if not slug:
            raise forms.ValidationError("Use at least one letter from a to z or one digit.")
        if Seller.objects.filter(slug=slug).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("There is a shop of this name already.")
        self.instance.slug = slug
        return name


class PhotoForm(forms.ModelForm):
    """One uploaded file; what makes it a good photo is the field's business alone."""

    class Meta:
        model = Photo
        fields = ["image"]


class PhotosInput(forms.FileInput):
    """A file input that takes several files at once."""

    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """Several photos in one input; gives unsaved `Photo` objects, or names each file that is not one."""

    widget = PhotosInput(attrs={"accept": "image/*"})

    def clean(self, data: list[UploadedFile], initial: Any = None) -> list[Photo]:
        """Check every file, so that one visit tells everything that is wrong."""
        if not data:
            super().clean(None, initial)
            return []
        if len(data) > MAX_PHOTOS:
            raise forms.ValidationError(f"Choose at most {MAX_PHOTOS} photos; these are {len(data)}.")
        photos, errors = [], []
        for upload in data:
            form = PhotoForm(files={"image": upload})
            if form.is_valid():
                photos.append(form.instance)
            else:
                errors += [f"{upload.name}: {error}" for error in form.errors["image"]]
        if errors:
            raise forms.ValidationError(errors)
        return photos


class ProductForm(forms.ModelForm):
    """A product and the photos to add to it."""

    photos = PhotosField(
        label="Photos",
        help_text=f"Choose up to {MAX_PHOTOS} at once. We keep your original and make every size from it.",
        error_messages={"required": "Choose at least one photo."},
    )

    class Meta:
        model = Product
        fields = ["title", "category", "price", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 6})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Ask for photos only where there are none yet."""
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["category"].empty_label = "Choose a shelf…"
        if self.instance.pk:
            self.fields["photos"].required = False
            self.fields["photos"].label = "Add photos"

    def clean_description(self) -> str:
        """Keep line ends in one form: what browsers send is not what they were given."""
        return self.cleaned_data["description"].replace("\r\n", "\n")

    def save(self, commit: bool = True) -> Product:
        """Save the seller's words and nothing else: a moderator may have decided in the meantime."""
        product = super().save(commit=False)
        if commit:
            changed = [*self.Meta.fields, "slug", "updated"] if product.pk else None
            product.save(update_fields=changed)
        return product

    @property
    def needs_review(self) -> bool:
        """Whether a moderator should look again: what the visitor reads or sees has changed."""
        words = any(self.cleaned_data[name] != self.initial[name] for name in ("title", "description"))
        return words or bool(self.cleaned_data["photos"])


class BasePhotoFormSet(BaseInlineFormSet):
    """A product's photos: descriptions, removals, and an order given by plain numbers."""

    adding = 0  # how many photos the form beside this one brings
    needs_photo = False  # whether the product cannot do without

    def clean(self) -> None:
        """Check how many photos there will be."""
        super().clean()
        count = self.adding + len(self.initial_forms) - len(self.deleted_forms)
        if count > MAX_PHOTOS:
            raise forms.ValidationError(
                f"A product has at most {MAX_PHOTOS} photos; this would make {count}."
            )
        if count == 0 and self.needs_photo:
            raise forms.ValidationError("A product needs at least one photo before anybody else sees it.")

    def save(self, commit: bool = True) -> list[Photo]:
        """Save, and number the photos afresh: one that was moved goes before or after the one it meets."""
        moved = {
            form.instance.pk: form.cleaned_data["position"] - form.initial["position"]
            for form in self.initial_forms
            if form not in self.deleted_forms
        }
        saved = super().save(commit)
        photos = sorted(
            self.instance.photos.all(),
            key=lambda photo: (photo.position, _sign(moved.get(photo.pk, 0)), photo.pk),
        )
        for position, photo in enumerate(photos, start=1):
            photo.position = position
        Photo.objects.bulk_update(photos, ["position"])
        return saved


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


PhotoFormSet = inlineformset_factory(
    Product,
    Photo,
    formset=BasePhotoFormSet,
    fields=["position", "alt"],
    widgets={"position": forms.NumberInput(attrs={"min": 1, "max": MAX_PHOTOS, "inputmode": "numeric"})},
    extra=0,
    can_delete=True,
    edit_only=True,
)
