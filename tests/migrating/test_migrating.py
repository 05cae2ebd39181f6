"""docs/migrating.md: sorl-thumbnail and easy-thumbnails, and lazyimages beside them and in their place."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import jpeg

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
GUIDE = (ROOT / "docs" / "migrating.md").read_text()
SCRIPTS: dict[str, str] = {
    name: re.sub("^   ", "", code, flags=re.MULTILINE)
    for name, code in re.findall(r"```python\n *# (\w+\.py)\n(.*?)```", GUIDE, re.DOTALL)
}
REMOVE = {
    "sorl": re.findall(r"\$ python manage\.py (thumbnail \w+)", GUIDE)[0],
    "easy": SCRIPTS["delete_easy.py"],
}
PHOTOS = {"landscape": (1600, 1200, 1), "turned": (1600, 1200, 6), "small": (300, 200, 1)}
# What every size of the templates gives: 360x270, 480h, 1280w.
OURS = {
    "landscape": [[360, 270], [640, 480], [1280, 960]],
    "turned": [[360, 270], [360, 480], [1200, 1600]],
    "small": [[267, 200], [300, 200], [300, 200]],
}
# Where they differ, as the guide says: sorl-thumbnail enlarges, and a crop of easy-thumbnails may lose its
# proportions.
THEIRS = {
    ("sorl", "turned"): [[360, 270], [360, 480], [1280, 1707]],
    ("sorl", "small"): [[360, 270], [720, 480], [1280, 853]],
    ("easy", "small"): [[300, 200], [300, 200], [300, 200]],
}


@pytest.fixture(scope="module", params=["sorl", "easy"])
def library(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def project(library: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Go through the guide once, in a project of its own; returns what could be seen."""
    folder = tmp_path_factory.mktemp(library)
    files = []
    for name, (width, height, orientation) in PHOTOS.items():
        files.append(folder / f"{name}.jpg")
        files[-1].write_bytes(jpeg(width, height, orientation))
    model = "from tests.migrating.shop.models import NewProduct as Product"
    measure = SCRIPTS["measure.py"].replace("from shop.models import Product", model)
    assert model in measure
    done = subprocess.run(
        [sys.executable, "-m", "tests.migrating.project", measure, REMOVE[library], *map(str, files)],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.migrating.settings",
            "LIBRARY": library,
            "MEDIA": str(folder / "media"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def sizes(pictures: list[dict[str, Any]]) -> list[list[int]]:
    return [picture["is"] for picture in pictures]


def difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Return how far two pictures are apart, of 255, on average over 24 × 18 spots and three colours."""
    pairs = list(zip(one["pixels"], other["pixels"], strict=True))
    return sum(abs(a - b) for a, b in pairs) / len(pairs)


def test_the_guide_shows_the_projects_templates(library: str) -> None:
    for name in ("before", "after"):
        assert f"```django\n{(HERE / library / f'{name}.html').read_text()}```" in GUIDE


@pytest.mark.parametrize("photo", PHOTOS)
class TestPictures:
    def test_the_other_library_works(self, project: Any, library: str, photo: str) -> None:
        expected = THEIRS.get((library, photo), OURS[photo])
        for step in ("before", "still", "new before"):
            assert sizes(project["shown"][photo][step]) == expected, step

    def test_ours_have_the_same_dimensions(self, project: Any, photo: str) -> None:
        for step in ("beside", "after", "new"):
            assert sizes(project["shown"][photo][step]) == OURS[photo], step

    def test_ours_show_the_same(self, project: Any, library: str, photo: str) -> None:
        pairs = zip(project["shown"][photo]["before"], project["shown"][photo]["after"], strict=True)
        for theirs, ours in pairs:
            assert theirs["alt"] == ours["alt"] == photo
            # The crop of a small photo has other proportions there.
            if (library, photo) != ("easy", "small"):
                assert difference(theirs, ours) < 3

    def test_the_new_field_knows_what_is_served(self, project: Any, photo: str) -> None:
        for step in ("after", "new"):
            shown = project["shown"][photo][step]
            assert [picture["says"] for picture in shown] == sizes(shown)
        beside = project["shown"][photo]["beside"]
        assert [picture["says"] for picture in beside] == [[360, 270], [], []]


def test_nothing_of_the_other_library_is_left(project: Any) -> None:
    assert project["left"] == project["names"]
    assert len(project["left"]) == 2 * len(PHOTOS)
