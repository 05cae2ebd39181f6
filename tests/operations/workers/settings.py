"""A project with workers. What differs from test to test comes by the environment.

WORKERS is "database", "rq" or "none"; DATA_DIR, DATABASE_URL and REDIS_URL say where things are; with
STORAGE=down there is no answer from S3, for which nobody waits.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import dj_database_url

DATA_DIR = Path(os.environ["DATA_DIR"])
WORKERS = os.environ["WORKERS"]
QUEUES = os.environ.get("QUEUES", "default").split()

SECRET_KEY = "of-tests"
ROOT_URLCONF = "tests.operations.workers.urls"
DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "lazyimages",
    "tests.host",
    "tests.operations.workers",
]
if WORKERS != "none" and not find_spec("django.tasks"):  # Django 5.2
    INSTALLED_APPS += ["django_tasks"]
if WORKERS == "database":
    INSTALLED_APPS += ["django_tasks_db"]
    TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": QUEUES}}
elif WORKERS == "rq":
    INSTALLED_APPS += ["django_rq", "django_tasks_rq"]
    TASKS = {"default": {"BACKEND": "django_tasks_rq.RQBackend", "QUEUES": QUEUES}}
    RQ_QUEUES = {name: {"URL": os.environ["REDIS_URL"], "DEFAULT_TIMEOUT": 900} for name in QUEUES}
    RQ = {"JOB_CLASS": "django_tasks_rq.Job"}

if os.environ.get("STORAGE") == "down":
    from botocore.config import Config

    # Nobody listens on port 9, "discard".
    impatient = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})
    options = {
        "bucket_name": "gone",
        "region_name": "eu-central-1",
        "endpoint_url": "http://127.0.0.1:9",
        "access_key": "testing",
        "secret_key": "testing",
        "querystring_auth": False,
        "client_config": impatient,
    }
    photos = variants = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
else:
    files = "django.core.files.storage.FileSystemStorage"
    photos = {"BACKEND": files, "OPTIONS": {"location": DATA_DIR / "originals"}}
    variants = {"BACKEND": files, "OPTIONS": {"location": DATA_DIR / "variants"}}
STORAGES = {"default": photos, "lazyimages": variants}

LAZYIMAGES = {"SIZES": ["360x270", "480h"], "CLEANUP": True, "RENDER_WAIT": 120}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}
