"""The system checks of DIRECT_UPLOADS."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps

from lazyimages.checks import check_settings
from tests.host.models import Photo

Lazy = Callable[..., None]


def ids() -> list[str]:
    return [str(one.id) for one in check_settings()]


@pytest.mark.parametrize("path", ["shop.nowhere", "nowhere", "", "lazyimages.conf.DELIVERIES"])
def test_what_cannot_be_called(lazy: Lazy, path: str) -> None:
    lazy(DIRECT_UPLOADS=path)
    (message,) = check_settings()
    assert message.id == "lazyimages.E022"
    assert message.msg == f'LAZYIMAGES["DIRECT_UPLOADS"] is {path!r}, which cannot be called.'


def test_a_function_and_none(lazy: Lazy) -> None:
    lazy(DIRECT_UPLOADS="tests.direct.pages.allowed")
    assert ids() == []
    lazy(DIRECT_UPLOADS=None)
    assert ids() == []


@pytest.mark.parametrize("directory", ["incoming", "incoming/2019", "/incoming/"])
def test_originals_where_browsers_send(lazy: Lazy, monkeypatch: pytest.MonkeyPatch, directory: str) -> None:
    monkeypatch.setattr(Photo._meta.get_field("image"), "upload_to", directory)
    assert ids() == []
    lazy(DIRECT_UPLOADS="tests.direct.pages.allowed")
    (message,) = check_settings()
    assert message.id == "lazyimages.E023"
    assert message.obj is Photo._meta.get_field("image")


def test_other_directories_and_fields_are_none_of_its_business(
    lazy: Lazy, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain: Any = apps.get_model("host", "PlainPhoto")._meta.get_field("image")
    monkeypatch.setattr(plain, "upload_to", "incoming")
    monkeypatch.setattr(Photo._meta.get_field("image"), "upload_to", "incoming-goods")
    lazy(DIRECT_UPLOADS="tests.direct.pages.allowed")
    assert ids() == []
