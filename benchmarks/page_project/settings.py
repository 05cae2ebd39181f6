"""Every library as its documentation recommends it for production; comments name what is not a default."""

import os

SECRET_KEY = "of no use outside of this benchmark"
INSTALLED_APPS = [
    "sorl.thumbnail",
    "easy_thumbnails",
    "imagekit",
    "pictures",
    "lazyimages",
    "benchmarks.page_project",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
ROOT_URLCONF = "benchmarks.page_project.urls"
MEDIA_ROOT = os.environ["BENCHMARK_MEDIA"]
MEDIA_URL = "/media/"
STORAGES = {"default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}
# In the process's own memory: the fastest cache that Django has.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

LAZYIMAGES = {"SIZES": ["360x270", "480h", "1280w"]}

# sorl-thumbnail: its default store, the database behind the cache.
THUMBNAIL_KVSTORE = "sorl.thumbnail.kvstores.cached_db_kvstore.KVStore"
# easy-thumbnails: nothing but defaults. (It shares the prefix THUMBNAIL_ with sorl-thumbnail; none clashes.)

# django-imagekit: as its documentation has it for production, nothing is checked when a URL is asked for.
IMAGEKIT_DEFAULT_CACHEFILE_STRATEGY = "imagekit.cachefiles.strategies.Optimistic"

# django-pictures makes widths by a grid. This one has three, so that a <picture> holds as many as ours.
PICTURES = {
    "GRID_COLUMNS": 3,
    "CONTAINER_WIDTH": 1280,
    "PIXEL_DENSITIES": [1],
    "FILE_TYPES": ["JPEG"],
    "USE_PLACEHOLDERS": False,
}
