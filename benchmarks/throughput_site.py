"""The smallest Django project with lazyimages, as a WSGI application: `local` delivery from plain files.

The environment says which directory holds the originals and gets the variants.
"""

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

settings.configure(
    SECRET_KEY="of no use outside of this benchmark",
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=["lazyimages"],
    # The two of a new project's that do something for a request without a session.
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    ROOT_URLCONF=__name__,
    MEDIA_ROOT=os.environ["BENCHMARK_MEDIA"],
    LAZYIMAGES={"SIZES": ["360x270", "480h", "1280w"], "FORMATS": ["jpeg"]},
)
django.setup()

urlpatterns = [path("images/", include("lazyimages.urls"))]
application = get_wsgi_application()
