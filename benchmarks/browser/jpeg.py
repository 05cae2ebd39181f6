"""The shop without AVIF and WebP: each photo in its own format, which is JPEG."""

from marketplace.settings import *  # noqa: F403
from marketplace.settings import LAZYIMAGES

LAZYIMAGES = {**LAZYIMAGES, "FORMATS": []}
