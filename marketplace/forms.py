"""The seller's forms: a shop's profile, a product with its photos, and the photos' order."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet, inlineformset_factory
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from lazyimages.forms import LazyImagesField
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
        # One character may become several: “㎯” is “rads2”.
        slug = slugify(name)[: Seller._meta.get_field("slug").max_length].strip("-")
        if not slug:
            raise forms.ValidationError(_("Use at least one letter from a to z or one digit."))
        if Seller.objects.filter(slug=slug).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("There is a shop of this name already."))
        self.instance.slug = slug
        return name


class ProductForm(forms.ModelForm):
    """A product and the photos to add to it."""

    photos = LazyImagesField(
        label=_("Photos"),
        help_text=_("Choose up to 12 at once. We keep your original and make every size from it."),
        max_files=MAX_PHOTOS,
        error_messages={"required": _("Choose at least one photo.")},
    )

    class Meta:
        model = Product
        fields = ["title", "category", "price", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 6})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Ask for photos only where there are none yet."""
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["category"].empty_label = _("Choose a shelf…")
        self.fields["category"].label_from_instance = lambda category: _(category.name)
        if self.instance.pk:
            self.fields["photos"].required = False
            self.fields["photos"].label = _("Add photos")

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


class PhotoForm(forms.ModelForm):
    """A photo of the product: its place, its words, and the point that stays when it is cut."""

    focal_x = forms.IntegerField(
        label=_("Middle, % from the left"), required=False, min_value=0, max_value=99
    )
    focal_y = forms.IntegerField(label=_("Middle, % from the top"), min_value=0, max_value=99, required=False)

    class Meta:
        model = Photo
        fields = ["position", "alt"]
        widgets = {"position": forms.NumberInput(attrs={"min": 1, "max": MAX_PHOTOS, "inputmode": "numeric"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Show where the focal point is now; the name tells, so it costs nothing."""
        super().__init__(*args, **kwargs)
        x, y = self.instance.image.focal
        self.initial |= {"focal_x": x, "focal_y": y}

    @property
    def moved_to(self) -> tuple[int, int] | None:
        """Where the focal point shall be, if elsewhere than it is."""
        chosen = self.cleaned_data.get("focal_x"), self.cleaned_data.get("focal_y")
        if None in chosen or chosen == (self.initial["focal_x"], self.initial["focal_y"]):
            return None
        return chosen


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
                _("A product has at most %(most)d photos; this would make %(count)d."),
                params={"most": MAX_PHOTOS, "count": count},
            )
        if count == 0 and self.needs_photo:
            raise forms.ValidationError(_("A product needs at least one photo before anybody else sees it."))

    @property
    def has_new_words(self) -> bool:
        """Whether a moderator should look again: what is read out of a photo that stays has changed."""
        return any(
            "alt" in form.changed_data for form in self.initial_forms if form not in self.deleted_forms
        )

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
    form=PhotoForm,
    formset=BasePhotoFormSet,
    extra=0,
    can_delete=True,
    edit_only=True,
)
