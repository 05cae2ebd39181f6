"""The marketplace's settings, with the patience that a slow machine needs, and renders that can be held."""

from marketplace.settings import *  # noqa: F403
from marketplace.settings import LAZYIMAGES, STORAGES
from tests.clock import PATIENCE

LAZYIMAGES = {**LAZYIMAGES, "RENDER_WAIT": PATIENCE, "ENGINE": "tests.fire.held.HeldEngine"}

if "client_config" in (options := STORAGES["default"].get("OPTIONS", {})):
    from botocore.config import Config

    patience = Config(connect_timeout=PATIENCE, read_timeout=PATIENCE)
    options["client_config"] = options["client_config"].merge(patience)  # of originals and variants
