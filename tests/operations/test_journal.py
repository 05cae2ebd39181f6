"""How far a run came is on disk, whatever ends it, and memory holds sums alone."""

import json
from pathlib import Path

import pytest

from lazyimages.operations.journal import Journal, NotWritten
from lazyimages.operations.work import Outcome

WHAT = {"sizes": ["480h"], "kind": "do"}


def journal(folder: Path, **what: object) -> Journal:
    return Journal(folder, "warm", what or WHAT)


def written(folder: Path) -> Journal:
    made = journal(folder)
    made.add("a.jpg", 3, Outcome(done=2, failed={"a/480h/x.jpg": "missing"}, figures={"bytes": 10}))
    made.add("b.jpg", 2, Outcome(skipped=2, figures={"bytes": 5, "tasks": 1}))
    return made


def state(found: Journal) -> tuple[object, ...]:
    return (
        found.cursor,
        *(found.batches, found.items, found.done, found.skipped, found.failures),
        dict(found.figures),
    )


def test_what_was_written_is_taken_up(tmp_path: Path) -> None:
    first = written(tmp_path)
    second = journal(tmp_path)
    assert (second.exists, second.cursor) == (True, None)
    second.resume()
    assert state(second) == state(first) == ("b.jpg", 2, 5, 2, 2, 1, {"bytes": 15, "tasks": 1})
    assert list(second.failed()) == [("a/480h/x.jpg", "missing")]
    second.add("c.jpg", 1, Outcome(done=1))
    assert (second.cursor, second.items) == ("c.jpg", 6)


def test_each_choice_of_options_has_its_own(tmp_path: Path) -> None:
    written(tmp_path)
    assert not journal(tmp_path, sizes=["1280w"]).exists
    assert not Journal(tmp_path, "purge", WHAT).exists


@pytest.mark.parametrize("cut", [1, 20, None], ids=["the end of the line", "half a line", "no line end"])
def test_a_torn_line_at_the_end_is_as_if_it_were_not(tmp_path: Path, cut: int | None) -> None:
    """The power went off while it was written; what is written next begins on a line of its own."""
    path = written(tmp_path).path
    whole = path.read_bytes()
    first_line = whole.index(b"\n") + 1
    path.write_bytes(whole[:-cut] if cut else whole[:first_line] + b"\xff\xfe garbage")
    resumed = journal(tmp_path)
    resumed.resume()
    assert (resumed.cursor, resumed.batches) == ("a.jpg", 1)
    resumed.add("b.jpg", 2, Outcome(skipped=2))
    assert [json.loads(line)["cursor"] for line in path.read_text().splitlines()] == ["a.jpg", "b.jpg"]


def test_beginning_anew_and_the_end(tmp_path: Path) -> None:
    written(tmp_path)
    again = journal(tmp_path)
    again.begin()
    assert not again.exists
    again.add("a.jpg", 1, Outcome(done=1))
    assert (again.items, again.path.stat().st_mode & 0o777) == (1, 0o600)
    again.forget()
    again.forget()
    assert list(tmp_path.iterdir()) == []


def test_without_an_interrupted_run_it_begins_with_the_first_batch(tmp_path: Path) -> None:
    fresh = journal(tmp_path)
    fresh.resume()
    assert state(fresh) == (None, 0, 0, 0, 0, 0, {})
    assert list(fresh.failed()) == []


def test_a_planted_link_is_not_written_through(tmp_path: Path) -> None:
    made = journal(tmp_path)
    made.path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotWritten, match=r"symbolic links.*set TMPDIR"):
        made.add("a.jpg", 1, Outcome())
    assert not (tmp_path / "elsewhere").exists()
