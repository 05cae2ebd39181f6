"""Uploads that are something else than they say, or something else besides."""

import io
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.files.storage import storages
from django.test import Client
from PIL import Image

from tests.conftest import jpeg, upload
from tests.engine import pictures
from tests.host.models import Bare, Photo
from tests.security.conftest import SAFE, assert_safe, get, key_of, saved
from tests.security.crowd import CrowdedEngine

pytestmark = pytest.mark.django_db

SCRIPT = b"<script>alert(document.domain)</script>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + SCRIPT + b"</svg>"
HTML = b"<!doctype html><html><body>" + SCRIPT + b"</body></html>"


class PhotoForm(forms.ModelForm):
    class Meta:
        model = Photo
        fields = ["image"]


def stored(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "originals").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "name", ["photo.jpg", "photo.png", "photo.gif", "photo.webp", "photo.svg", "a.jpg\0.svg"]
)
@pytest.mark.parametrize(
    "data",
    [
        *(SVG, HTML, b"\xef\xbb\xbf" + SVG, b"\n\n" + HTML, b"GIF89a" + SCRIPT, b"\xff\xd8\xff" + HTML),
        *(b"\x89PNG\r\n\x1a\n" + HTML, b"RIFF\x40\0\0\0WEBPVP8 " + HTML, b"II*\0\x08\0\0\0" + HTML),
        *(b"%PDF-1.7 " + SCRIPT, b"#!/bin/sh\nid", b"<?php system('id');", b"MZ" + bytes(200), b"\x7fELF"),
        *(
            b"push graphic-context\nviewbox 0 0 9 9\nimage over 0,0 0,0 'https://evil.example/'",
            b"%!PS\n(id) run",
        ),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_what_is_no_picture_is_refused(data: bytes, name: str, tmp_path: Path) -> None:
    """Whatever its name and its Content-Type say: a sentence, no row, and no file."""
    form = PhotoForm(files={"image": upload(data, name)})
    assert list(form.errors) == ["image"]
    assert stored(tmp_path) == []
    assert not Photo.objects.exists()


def test_the_extension_follows_the_content(tmp_path: Path) -> None:
    """A PNG that says that it is something else is stored, and later served, as what it is."""
    for name in (
        "shell.php",
        "page.html",
        "x.svg",
        "photo.jpg",
        "../../etc/cron.d/x.sh",
        "..\\..\\x.exe",
        ".htaccess",
    ):
        photo = Bare.objects.create(image=upload(saved(Image.new("RGB", (40, 30), "red"), "PNG"), name))
        assert photo.image.name.startswith("bare/")
        assert photo.image.name.endswith(".png")
        assert photo.image.name.count("/") == 1
        response = get(key_of(photo.image.name))
        assert response["Content-Type"] == "image/png"
    assert {path.suffix for path in stored(tmp_path)} == {".png"}


def archive() -> bytes:
    """Return a ZIP as a Java archive has it, which is read from its end."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("META-INF/MANIFEST.MF", "Main-Class: Evil\n")
        packed.writestr("Evil.class", b"\xca\xfe\xba\xbe" + SCRIPT)
    return buffer.getvalue()


def polyglots() -> dict[str, tuple[bytes, list[bytes]]]:
    """Return files that are good pictures and something else, and what of it may be in no variant."""
    picture = pictures.photo(160, 120)
    moving = {"save_all": True, "append_images": [pictures.photo(160, 120, 60)], "duration": 90}
    exif = Image.Exif()
    exif[0x010E] = exif[0x8298] = SCRIPT.decode()
    xmp = b"<?xpacket begin=''?><x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SCRIPT + b"</x:xmpmeta>"
    text = pictures.chunk(b"tEXt", b"Comment\0" + SCRIPT) + pictures.chunk(b"zTXt", b"Title\0\0" + SCRIPT)
    png = saved(picture, "PNG")
    zipped = [b"PK\x03\x04", b"PK\x05\x06", b"Evil.class", SCRIPT]
    return {
        "GIFAR": (saved(picture.convert("P"), "GIF") + archive(), zipped),
        "moving GIFAR": (saved(picture, "GIF", **moving) + archive(), zipped),
        "JPEG and JAR": (saved(picture, "JPEG") + archive(), zipped),
        "JPEG and HTML in a comment": (saved(picture, "JPEG", comment=b"*/" + HTML), [SCRIPT, b"<html"]),
        "JPEG and HTML behind the end": (saved(picture, "JPEG") + HTML, [SCRIPT, b"<html"]),
        "JPEG and EXIF": (saved(picture, "JPEG", exif=exif, xmp=xmp), [SCRIPT, b"xpacket"]),
        "JPEG and a profile": (saved(picture, "JPEG", icc_profile=b"\0" * 36 + b"acsp" + HTML), [SCRIPT]),
        "PNG and text": (png[:33] + text + png[33:] + HTML, [SCRIPT, b"<html", b"tEXt", b"zTXt"]),
        "GIF and a comment": (saved(picture.convert("P"), "GIF", comment=SCRIPT), [SCRIPT]),
        "WebP and EXIF": (saved(picture, "WEBP", exif=exif, xmp=xmp), [SCRIPT, b"xpacket", b"EXIF", b"XMP "]),
        "AVIF and EXIF": (saved(picture, "AVIF", exif=exif, xmp=xmp), [SCRIPT, b"xpacket"]),
        "TIFF and a description": (saved(picture, "TIFF", description=SCRIPT.decode()), [SCRIPT]),
    }


@pytest.mark.parametrize("kind", polyglots())
def test_polyglots(kind: str, lazy: Callable[..., None], tmp_path: Path) -> None:
    """They may become originals, which nobody is served; the variants hold pixels alone."""
    lazy(FORMATS=["webp", "avif"])
    data, payloads = polyglots()[kind]
    assert any(payload in data for payload in payloads), "the file carries nothing"
    form = PhotoForm(files={"image": upload(data)})
    assert form.is_valid(), form.errors
    name = form.save().image.name
    assert (tmp_path / "originals" / name).read_bytes() == data
    native = ".jpg" if name.endswith(".tiff") else ""
    own = name.rpartition(".")[2]
    for suffix in {native, *(f".{other}" for other in ("webp", "avif") if other != own)}:
        response = get(key_of(name, "96x96", suffix))
        assert response.status_code == 200
        for payload in payloads:
            assert payload not in response.content, payload
        with Image.open(BytesIO(response.content)) as made:
            assert made.size == (96, 96)
            assert not {"exif", "comment", "xmp", "icc_profile"} & made.info.keys()
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(BytesIO(response.content))
    for path in (f"/images/v/{name}", f"/images/resizer?key={name}", f"/media/{name}", f"/{name}"):
        response = Client().get(path)
        assert response.status_code == 404
        assert SCRIPT not in response.content


def test_what_came_into_the_storage_by_another_way(store: Callable[..., str]) -> None:
    """A page among the originals, whatever it is called, is never handed on."""
    for data in (HTML, SVG, archive()):
        for extension in ("jpg", "png", "gif", "webp", "avif", "tiff"):
            name = store(data, extension)
            response = get(key_of(name, suffix=".jpg" if extension == "tiff" else ""))
            assert response.status_code == 415
            assert response["Content-Type"] == "text/plain; charset=utf-8"
            assert SCRIPT not in response.content
            assert SAFE.items() <= dict(response.headers.items()).items()


def test_hostile_client_names(tmp_path: Path) -> None:
    for name in (
        *(
            "../../../../etc/passwd.jpg",
            "/etc/passwd.jpg",
            "C:\\windows\\x.jpg",
            "con.jpg",
            "\u202egpj.exe.jpg",
        ),
        *(
            "a\r\nSet-Cookie: x=1.jpg",
            "<script>.jpg",
            "';drop table--.jpg",
            "$(id).jpg",
            "|id.jpg",
            "." * 200,
        ),
        *(
            "\u0000.jpg",
            "x" * 3000 + ".jpg",
            "480h.jpg",
            "360x270/x.jpg",
            "e\u0301\u00e9\uff0e\uff0f.jpg",
            "-rf.jpg",
        ),
    ):
        photo = Photo.objects.create(image=upload(jpeg(40, 30), name))
        directory, _, file = photo.image.name.rpartition("/")
        assert directory == "produs_1"
        assert file.isascii()
        assert not set(file) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")
        assert_safe(get(key_of(photo.image.name)))
    assert len(stored(tmp_path)) == 17
    assert all(path.is_relative_to(tmp_path / "originals" / "produs_1") for path in stored(tmp_path))


@pytest.mark.parametrize("folder", ["480h", "a/360x270", "1280w/b", "a/9999x1/b"])
def test_uploads_into_folders_named_like_sizes(folder: str, tmp_path: Path) -> None:
    """Where `upload_to` comes from a visitor: refused in words, also without a form."""

    class BareForm(forms.ModelForm):
        class Meta:
            model = Bare
            fields = ["folder", "image"]

    form = BareForm(data={"folder": folder}, files={"image": upload(jpeg(40, 30))})
    assert "looks like a size" in str(form.errors)
    with pytest.raises(ValueError, match="looks like a size"):
        Bare.objects.create(folder=folder, image=upload(jpeg(40, 30)))
    assert stored(tmp_path) == []


@pytest.mark.parametrize("folder", ["../../elsewhere", "/etc", "a/../../b"])
def test_upload_directories_that_lead_elsewhere(folder: str, tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"outside|traversal|absolute|'\.\.'|SuspiciousFile"):
        Bare.objects.create(folder=folder, image=upload(jpeg(40, 30)))
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix == ".jpg"]


def test_many_large_uploads_at_once(lazy: Callable[..., None]) -> None:
    """They are decoded within the slots that renders have, weighted by memory: here one at a time."""
    lazy(MAX_RENDERS=2, ENGINE="tests.security.crowd.CrowdedEngine", RENDER_WAIT=60)
    CrowdedEngine.most = CrowdedEngine.running = 0
    large = saved(Image.new("RGB", (6000, 5600)), "TIFF", compression="tiff_adobe_deflate")
    small = jpeg(40, 30)

    def check(data: bytes) -> dict[str, Any]:
        return PhotoForm(files={"image": upload(data)}).errors

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(check, [large] * 3)) == [{}] * 3
    assert CrowdedEngine.most == 1
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(check, [small] * 30)) == [{}] * 30
    assert CrowdedEngine.most <= 2


def test_an_upload_for_which_there_is_no_room(lazy: Callable[..., None], tmp_path: Path) -> None:
    """It waits for RENDER_WAIT, and is refused in words."""
    from lazyimages import uploads

    lazy(MAX_RENDERS=1, RENDER_WAIT=0.2)
    with uploads._decodes.take(of=1, deadline=0):
        form = PhotoForm(files={"image": upload(jpeg(40, 30))})
        assert form.errors["image"] == ["Many files are being uploaded right now; try again in a moment."]
    assert stored(tmp_path) == []
    assert PhotoForm(files={"image": upload(jpeg(40, 30))}).is_valid()
    assert storages["default"].listdir(".") == ([], []) if (tmp_path / "originals").exists() else True
