"""Local delivery: links, pipes and folders in the places of files, and who may lead where."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from PIL import Image

from lazyimages import storage
from lazyimages.exceptions import StorageUnavailable
from tests.clock import PATIENCE
from tests.conftest import jpeg
from tests.security.conftest import fresh, get, key_of, saved

SECRET = b"root:x:0:0:"


def place(folder: Path, name: str) -> Path:
    """Return the path of a stored file, its folder made."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def is_red(content: bytes) -> bool:
    with Image.open(BytesIO(content)) as picture:
        red, green, blue = picture.convert("RGB").getpixel((5, 5))
    return red > 150 and green < 90 and blue < 90


@pytest.fixture
def folders(tmp_path: Path, store: Callable[..., str]) -> tuple[Path, Path, str]:
    """Return the folders of originals and variants, and an original."""
    return tmp_path / "originals", tmp_path / "variants", store(jpeg(800, 600))


@pytest.mark.parametrize("shared", [False, True], ids=["two folders", "one folder"])
def test_a_link_in_the_place_of_a_variant(
    folders: tuple[Path, Path, str], tmp_path: Path, settings: Any, shared: bool
) -> None:
    """It is not followed, wherever it leads: neither read nor written through, but replaced."""
    originals, variants, original = folders
    if shared:
        variants = originals
        settings.STORAGES = {**settings.STORAGES, "lazyimages": settings.STORAGES["default"]}
    (tmp_path / "passwd").write_bytes(SECRET)
    for target in (tmp_path / "passwd", originals / original, Path("/dev/zero"), tmp_path / "none"):
        link = place(variants, key_of(original))
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        before = target.read_bytes() if target.is_file() else None
        assert storage.get_variant(key_of(original)) is None
        response = get(key_of(original))
        assert response.status_code == 200
        assert response.content != before
        assert is_red(response.content)
        assert not link.is_symlink()
        assert link.read_bytes() == response.content
        assert (target.read_bytes() if target.is_file() else None) == before


def test_a_link_in_the_place_of_an_original(folders: tuple[Path, Path, str], tmp_path: Path) -> None:
    """It may lead to another original; not out of the storage, where pictures are that nobody uploaded."""
    originals, _, original = folders
    outside = tmp_path / "private" / "passport.jpg"
    place(tmp_path, "private/passport.jpg").write_bytes(jpeg(800, 600))
    (tmp_path / "originals-private").mkdir()  # begins as the storage's folder does
    (tmp_path / "originals-private" / "a.jpg").write_bytes(jpeg(800, 600))
    inside = fresh()
    place(originals, inside).symlink_to(originals / original)
    relative = fresh()
    place(originals, relative).symlink_to(Path(original).name)
    for name in (inside, relative):
        assert get(key_of(name)).status_code == 200
    for target in (outside, Path("../../private/passport.jpg"), tmp_path / "originals-private" / "a.jpg"):
        name = fresh()
        place(originals, name).symlink_to(target)
        assert get(key_of(name)).status_code == 404


def test_links_in_a_circle_and_into_nothing(folders: tuple[Path, Path, str]) -> None:
    originals, variants, original = folders
    for name in (fresh(), fresh()):
        link = place(originals, name)
        link.symlink_to(link if name.endswith("1.jpg") else originals / "none.jpg")
        assert get(key_of(name)).status_code in (404, 503)
    link = place(variants, key_of(original))
    link.symlink_to(link)
    assert get(key_of(original)).status_code == 200
    assert not link.is_symlink()


@pytest.mark.parametrize("of", ["originals", "variants", "both"])
def test_disks_that_are_joined_by_links(tmp_path: Path, of: str) -> None:
    """The storage's folder itself, and folders in it, may be links to other disks."""
    disk = tmp_path / "disk"
    for folder in ("originals", "variants"):
        place(disk, f"{folder}/attacked/x").touch()
        if of in (folder, "both"):
            (tmp_path / folder).symlink_to(disk / folder)
        else:
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "attacked").symlink_to(disk / folder / "attacked")
    name = fresh()
    (tmp_path / "originals" / name).write_bytes(jpeg(800, 600))
    linked = fresh()
    (tmp_path / "originals" / linked).symlink_to(Path(name).name)
    for original in (name, linked):
        assert get(key_of(original)).status_code == 200
        assert (disk / "variants" / key_of(original)).is_file()
        assert storage.get_variant(key_of(original)) is not None


def test_what_is_no_plain_file(folders: tuple[Path, Path, str]) -> None:
    """A named pipe, a folder, a socket: none of them holds a thread up, or is an error of ours."""
    originals, variants, original = folders
    pipe, folder, socket_name = fresh(), fresh(), fresh()
    os.mkfifo(place(originals, pipe))
    place(originals, folder).mkdir()
    os.mknod(place(originals, socket_name), 0o140644)  # S_IFSOCK
    answers: list[int] = []

    def ask() -> None:
        answers.extend(get(key_of(name)).status_code for name in (pipe, folder, socket_name))
        place(variants, key_of(original)).unlink(missing_ok=True)
        os.mkfifo(place(variants, key_of(original)))
        answers.append(get(key_of(original)).status_code)
        place(variants, key_of(original, "480h")).mkdir()
        answers.append(get(key_of(original, "480h")).status_code)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout=PATIENCE)
    assert not thread.is_alive(), "a pipe holds the thread up"
    assert answers == [404, 404, 404, 200, 200]
    assert (variants / key_of(original)).is_file()  # the pipe was replaced


def test_a_link_that_is_planted_again_and_again(folders: tuple[Path, Path, str], tmp_path: Path) -> None:
    """Somebody puts links in the place of a variant all the time: nobody ever sees the target."""
    _, variants, original = folders
    (tmp_path / "passwd").write_bytes(SECRET)
    key, stop = key_of(original), threading.Event()
    link = place(variants, key)

    def plant() -> None:
        spare = link.with_name("spare")
        while not stop.is_set():
            spare.symlink_to(tmp_path / "passwd")
            spare.replace(link)

    thread = threading.Thread(target=plant)
    thread.start()
    try:
        for _ in range(200):
            with suppress(StorageUnavailable):  # a link that came between the look and the opening
                storage.put_variant(key, b"variant", "image/jpeg")
                found = storage.get_variant(key)
                assert found is None or found.data == b"variant"
    finally:
        stop.set()
        thread.join()
    assert (tmp_path / "passwd").read_bytes() == SECRET


def test_purging_removes_links_and_not_their_targets(folders: tuple[Path, Path, str], tmp_path: Path) -> None:
    originals, variants, original = folders
    place(variants, key_of(original)).symlink_to(originals / original)
    (variants / "attacked" / "480h").symlink_to(originals)
    assert list(storage.iter_keys()) == [key_of(original)]  # links to folders are not gone through
    storage.delete([key_of(original), key_of("attacked/none.jpg")])
    storage.delete([f"../originals/{original}"])  # out of the storage, where no file of it can be
    assert (originals / original).is_file()
    assert list(storage.iter_keys()) == []


def test_bytes_that_are_no_text_in_names(folders: tuple[Path, Path, str]) -> None:
    """A file whose name is not UTF-8, as old archives unpack them: it has no key, and does no harm."""
    originals, _, original = folders
    os.close(os.open(os.fsencode(originals) + b"/attacked/caf\xe9.jpg", os.O_CREAT, 0o644))
    assert get("attacked/360x270/caf\u00e9.jpg").status_code == 404
    assert get("attacked/360x270/caf%E9.jpg").status_code == 404
    assert get(key_of(original)).status_code == 200


def test_an_old_original_in_a_folder_named_like_a_size(
    folders: tuple[Path, Path, str], lazy: Callable[..., None]
) -> None:
    """It has no variants, and where variants have a folder of their own it is nobody's variant either."""
    originals, _, _ = folders
    marked = saved(Image.new("RGB", (400, 300)), "JPEG", comment=b"PRIVATE-MARK")
    place(originals, "old/480h/photo.jpg").write_bytes(marked)
    assert get("old/480h/360x270/photo.jpg").status_code == 404
    assert get("old/480h/photo.jpg").status_code == 404
    assert storages["default"].exists("old/480h/photo.jpg")
