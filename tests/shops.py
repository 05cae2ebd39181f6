"""The example shop as a whole, for tests: smaller than it is for people, and patient."""

from pathlib import Path

from marketplace.demo.ports import free_port
from marketplace.demo.stack import ROOT, Stack


def small_shop(folder: Path, *, delivery: str, products: int) -> Stack:
    """Return the demo's stack, which a `with` statement starts and ends; `folder` gets its files."""
    return Stack(
        delivery=delivery,
        data_dir=folder,
        photos_dir=ROOT / ".cache" / "photos",
        port=free_port(),
        cdn_port=free_port(),
        products=products,
        environment={"DJANGO_SETTINGS_MODULE": "tests.fire.patient"},
    )
