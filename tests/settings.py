"""The marketplace's settings, with what only tests want."""

import os
import tempfile

os.environ.setdefault("DATA_DIR", f"{tempfile.gettempdir()}/lazyimages-tests-{os.getuid()}")

from marketplace.settings import *  # noqa: F403
from marketplace.settings import INSTALLED_APPS, MIDDLEWARE, STORAGES

INSTALLED_APPS = [*INSTALLED_APPS, "tests.host"]
# The manifest is made by collectstatic, which tests have no use for.
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("whitenoise")]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
