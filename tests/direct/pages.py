"""Pages with the forms as a site would write them, for tests with and without a browser."""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.forms import formset_factory
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import engines
from django.urls import include, path

from lazyimages.direct import UploadAgain
from lazyimages.forms import LazyImageFormField, LazyImagesField
from tests.host.models import Photo

MOST = 3

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<style>:root { color-scheme: light dark } body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem;
margin: 2rem auto; padding: 0 1rem } .errorlist { color: light-dark(#b3261e, #ffb4ab) }
button { font: inherit }</style>
{{ form.media }}</head><body><h1>{{ title }}</h1>
{% for message in messages %}<p class="message">{{ message }}</p>{% endfor %}
{% if form %}<form method="post" enctype="multipart/form-data">{% csrf_token %}{{ form.as_p }}
<p><button name="then" value="stay">Save</button></p></form>{% endif %}
<div id="body">{{ body }}</div></body></html>"""


class OneForm(forms.ModelForm):  # type: ignore[type-arg]
    """One picture of a model, and a field that may be wrong for another reason."""

    title = forms.CharField(max_length=10)

    class Meta:
        model = Photo
        fields = ["image"]


class SeveralForm(forms.Form):
    """Several pictures, and a field that may be wrong for another reason."""

    title = forms.CharField(max_length=10)
    photos = LazyImagesField(max_files=MOST, label="Photos")


class BothForm(forms.Form):
    """One that need not be there."""

    image = LazyImageFormField(required=False)


def allowed(request: HttpRequest) -> bool:
    """Allow direct upload to all but one."""
    return request.headers.get("X-Test-Refuse") is None


def after_saving() -> None:
    """Do what a site does with a row in the same transaction."""


def page(request: HttpRequest, title: str, **context: Any) -> HttpResponse:
    template = engines["django"].from_string(PAGE)
    return HttpResponse(template.render({"title": title, **context}, request))


def one(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    photo = Photo.objects.get(pk=pk) if pk else None
    form = OneForm(request.POST or None, request.FILES or None, instance=photo)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                form.save()
                after_saving()
        except UploadAgain as error:
            form.add_error("image", str(error))
        else:
            messages.success(request, f"Saved, {request.POST.get('then')}.")
            return HttpResponseRedirect("/done/")
    return page(request, "One photo", form=form)


def several(request: HttpRequest) -> HttpResponse:
    form = SeveralForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        for upload in form.cleaned_data["photos"]:
            Photo.objects.create(image=upload)
        messages.success(request, f"Saved {len(form.cleaned_data['photos'])}, {request.POST.get('then')}.")
        return HttpResponseRedirect("/done/")
    return page(request, "Several photos", form=form)


def once(request: HttpRequest) -> HttpResponse:
    """Answer with a policy that goes by nonces, another for each answer."""
    form = SeveralForm(request.POST or None, request.FILES or None)
    nonce = secrets.token_hex(8)
    answer = page(request, "Nonces", form=form)
    text = answer.content.decode().replace("<script src", f'<script nonce="{nonce}" src')
    return HttpResponse(text, headers={"X-Nonce": nonce})


def rows(request: HttpRequest) -> HttpResponse:
    """Have a formset, and the row that its script copies for new ones in the page."""
    formset = formset_factory(BothForm, extra=1)(request.POST or None, request.FILES or None)
    if request.method == "POST" and formset.is_valid():
        for form in formset:
            Photo.objects.create(image=form.cleaned_data["image"])
        return HttpResponseRedirect("/done/")
    return page(request, "Rows", form=formset, body=formset.empty_form.as_p())


def refused(request: HttpRequest) -> HttpResponse:
    """Answer as a proxy that takes no such long requests."""
    if request.method == "POST":
        return HttpResponse("<h1>413 Request Entity Too Large</h1>", status=413)
    return several(request)


def done(request: HttpRequest) -> HttpResponse:
    return page(request, "Done", body=" ".join(str(photo.width) for photo in Photo.objects.order_by("pk")))


def bare(request: HttpRequest) -> HttpResponse:
    """Save as most views do, without a thought of what saving may raise."""
    form = OneForm(request.POST, request.FILES)
    form.is_valid()
    form.save()
    return HttpResponseRedirect("/done/")


urlpatterns = [
    path("bare/", bare),
    path("images/", include("lazyimages.urls")),
    path("one/", one),
    path("one/<int:pk>/", one),
    path("once/", once),
    path("refused/", refused),
    path("rows/", rows),
    path("several/", several),
    path("done/", done),
]
