"""The lanes in which the suite runs: SQLite by default, PostgreSQL and Redis where they are named."""

import os

import pytest
from django.core.cache import cache
from django.db import connection

from lazyimages.leases import shared_cache
from tests.conftest import upload
from tests.host.models import Photo


@pytest.mark.django_db
def test_postgresql() -> None:
    if "postgres" not in os.environ.get("DATABASE_URL", ""):
        pytest.skip("PostgreSQL is missing: apt install postgresql, start it, and set DATABASE_URL")
    photo = Photo.objects.create(image=upload())
    assert connection.vendor == "postgresql"
    assert Photo.objects.values_list("width", "height").get(pk=photo.pk) == (1600, 1200)


def test_redis() -> None:
    if not os.environ.get("REDIS_URL"):
        pytest.skip("Redis is missing: apt install redis-server, start it, and set REDIS_URL")
    assert shared_cache() is not None
    cache.set("lane", "redis")
    assert cache.get("lane") == "redis"


@pytest.mark.django_db
def test_default_lane() -> None:
    if os.environ.get("DATABASE_URL") or os.environ.get("REDIS_URL"):
        pytest.skip("another lane was asked for")
    assert connection.vendor == "sqlite"
    assert shared_cache() is None
