"""The catalogue: every finding has a name, a meaning and a remedy, is used, and is in the documentation."""

import re
from pathlib import Path

import pytest

from lazyimages.doctor.findings import CATALOGUE, GROUPS, exit_code, finding
from lazyimages.doctor.kinds import Kind, Placeholders

ROOT = Path(__file__).resolve().parents[2]
DOCTOR = ROOT / "lazyimages" / "doctor"
DOCS = ROOT / "docs" / "doctor.md"


def words(text: str) -> str:
    return " ".join(text.split())


def test_names_are_unique() -> None:
    assert len(CATALOGUE) == sum(map(len, GROUPS.values()))


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.name)
def test_each_says_what_it_means_and_what_to_do(kind: Kind) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.name)
    assert kind.meaning.endswith(".")
    assert len(kind.meaning) > 30
    assert kind.remedy


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_is_found_by_somebody(name: str) -> None:
    sources = [path.read_text() for path in DOCTOR.glob("*.py") if not path.name.startswith("catalogue")]
    assert any(f'"{name}"' in text for text in sources)


def test_no_other_is_made() -> None:
    made = {
        name
        for path in DOCTOR.glob("*.py")
        for name in re.findall(r'finding\(\s*"([^"]+)"', path.read_text())
    }
    assert len(made) > 40
    assert made <= set(CATALOGUE)


def test_fields_of_the_remedy_are_filled_in() -> None:
    found = finding("bucket-region", "It is in us-east-1.", region="us-east-1")
    assert found.remedy == 'Set region_name in STORAGES to "us-east-1".'


def test_a_field_that_nobody_fills_in_is_readable() -> None:
    assert "arn:aws:s3:::BUCKET" in finding("role-cannot-list", "403.").remedy


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ([], 0),
        (["not-seen"], 0),
        (["not-seen", "bucket-drift"], 1),
        (["bucket-drift", "cdn-missing", "not-seen"], 2),
    ],
)
def test_the_exit_code_is_that_of_the_worst(names: list[str], code: int) -> None:
    assert exit_code(finding(name, "Seen.") for name in names) == code


class TestDocumentation:
    TEXT = DOCS.read_text()

    def test_every_finding_has_its_section_and_no_other(self) -> None:
        assert re.findall(r"^### `([^`]+)`", self.TEXT, re.MULTILINE) == list(CATALOGUE)

    def test_they_stand_in_their_groups(self) -> None:
        for group, kinds in GROUPS.items():
            part = self.TEXT.split(f"\n## {group}\n")[1].split("\n## ")[0]
            assert re.findall(r"^### `([^`]+)`", part, re.MULTILINE) == [kind.name for kind in kinds]

    @pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: kind.name)
    def test_it_says_what_the_doctor_says(self, kind: Kind) -> None:
        part = words(self.TEXT.split(f"\n### `{kind.name}`\n")[1].split("\n### ")[0].split("\n## ")[0])
        assert part.startswith(f"{kind.severity.capitalize()}. {words(kind.meaning)}")
        assert f"Remedy: {words(kind.remedy.format_map(Placeholders()))}" in part
