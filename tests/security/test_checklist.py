"""docs/security.md names every test of this folder, and no other."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TEXT = (ROOT / "docs" / "security.md").read_text()


def functions() -> set[str]:
    """Return `tests/security/test_x.py::test_y` for every test function here but those of this module."""
    return {
        f"{path.relative_to(ROOT).as_posix()}::{node.name}"
        for path in HERE.glob("test_*.py")
        if path != Path(__file__).resolve()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def named() -> list[str]:
    return re.findall(r"`(tests/\w+/\w+\.py::\w+)`", TEXT)


def test_every_test_has_its_line_and_no_other() -> None:
    assert len(functions()) > 40
    assert set(named()) == functions()


def test_every_line_has_its_test() -> None:
    """A row of a checklist says what is tried, what happens, and which test shows it."""
    rows = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    checklist = TEXT.split("\n## Checklist\n")[1].split("\n## ")[0]
    lines = [row for row in rows if row in checklist and not row.startswith("| attack")]
    assert len(lines) > 40
    for line in lines:
        attack, happens, test = (cell.strip() for cell in line.strip("|").split(" | "))
        assert len(attack) > 3, line
        assert len(happens) >= 3, line
        assert re.fullmatch(r"(`tests/\w+/\w+\.py::\w+`(, )?)+", test), line
