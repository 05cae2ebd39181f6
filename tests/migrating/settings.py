"""A project that has lazyimages beside another library: the one that LIBRARY names."""

import os
from pathlib import Path

LIBRARY = os.environ["LIBRARY"]
MEDIA_ROOT = Path(os.environ["MEDIA"])
MEDIA_URL = "/media/"

SECRET_KEY = "x"
ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = [
    {"sorl": "sorl.thumbnail", "easy": "easy_thumbnails"}[LIBRARY],
    "lazyimages",
    "tests.migrating.shop",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
ROOT_URLCONF = "tests.migrating.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / LIBRARY],
        "APP_DIRS": True,
    }
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "lazyimages": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": MEDIA_ROOT.with_name("variants")},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
LAZYIMAGES = {"SIZES": ["360x270", "480h", "1280w"], "PRESETS": {"detail": {"sizes": "1280w"}}}
THUMBNAIL_ALIASES = {"": {"detail": {"size": (1280, 0)}}}  # of easy-thumbnails
