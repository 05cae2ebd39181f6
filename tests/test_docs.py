"""The documentation says what the code does: settings, checks, commands, signals, log fields, errors."""

import ast
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.dispatch import Signal

from lazyimages import conf, exceptions, signals, views

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SOURCES = {path: path.read_text() for path in (ROOT / "lazyimages").rglob("*.py")}


def read(name: str) -> str:
    return (DOCS / name).read_text()


def section(text: str, heading: str) -> str:
    """Return what stands between a heading of the second level and the next."""
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def first_column(text: str) -> list[str]:
    """Return the code in the first column of a section's tables."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def headings(name: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", read(name), re.MULTILINE)


class TestSettings:
    DEFAULTS = dict(re.findall(r"^### `([A-Z_]+)`\n\nDefault: `(.+)`$", read("settings.md"), re.MULTILINE))
    KEYS = [key.upper() for key in conf.Settings.__slots__ if key != "whitelist"]

    def test_every_key_has_its_section_and_no_other(self) -> None:
        assert sorted(self.DEFAULTS) == sorted(self.KEYS)

    def test_every_key_is_in_the_contents(self) -> None:
        contents = read("settings.md").split("\n## ")[0]
        assert set(re.findall(r"`([A-Z_]{4,})`", contents)) - {"LAZYIMAGES"} == set(self.KEYS)

    @pytest.mark.parametrize("key", KEYS)
    def test_the_default_is_that_of_the_code(self, key: str) -> None:
        written = eval(self.DEFAULTS[key], {})
        found, problems = conf.read({key: written})
        assert problems == []
        assert getattr(found, key.lower()) == getattr(conf.Settings(), key.lower())

    @pytest.mark.parametrize("key", KEYS)
    def test_an_example_shows_it_and_is_right(self, key: str) -> None:
        text = read("settings.md").split(f"### `{key}`\n")[1].split("\n### ")[0].split("\n## ")[0]
        shown = [
            assigned(block).get("LAZYIMAGES", {})
            for block in re.findall(r"```python\n(.+?)```", text, re.DOTALL)
        ]
        assert any(key in example for example in shown)
        for example in shown:
            assert conf.read(example)[1] == []

    def test_the_example_for_s3_passes_the_checks(self, settings: Any) -> None:
        from tests.test_checks import ids

        (example,) = re.findall(r"```python\n(from boto3.+?)```", read("settings.md"), re.DOTALL)
        values = assigned(example)
        options = values["STORAGES"]["lazyimages"]["OPTIONS"]
        assert not {"default_acl", "location"} & set(options)
        assert options["querystring_auth"] is False
        assert options["transfer_config"].multipart_threshold == 64 * 2**20
        settings.STORAGES = values["STORAGES"]
        (delivery,) = re.findall(r"```python\n(LAZYIMAGES[^`]+redirect[^`]+)```", read("settings.md"))
        settings.LAZYIMAGES = assigned(delivery)["LAZYIMAGES"]
        assert ids() == []


def assigned(code: str) -> dict[str, Any]:
    """Run an example and return its variables."""
    variables: dict[str, Any] = {"os": os}
    exec(compile(ast.parse(code), "docs", "exec"), variables)
    return variables


class TestChecks:
    IN_CODE = {
        number
        for text in SOURCES.values()
        for number in re.findall(r'"(?:lazyimages\.)?([EW][0-9]{3})"', text)
    }

    def test_every_check_has_its_section_and_no_other(self) -> None:
        documented = [
            h.removeprefix("lazyimages.") for h in headings("checks.md") if h.startswith("lazyimages.")
        ]
        assert len(self.IN_CODE) > 15
        assert sorted(documented) == sorted(self.IN_CODE)

    def test_each_shows_its_message_and_explains_it(self) -> None:
        for part in read("checks.md").split("\n### ")[1:]:
            number, message, *explanation = part.split("\n## ")[0].strip().split("\n\n")
            assert message.startswith("> "), number
            assert len(" ".join(explanation)) > 40, number

    @pytest.mark.parametrize(
        ("number", "raw"),
        [
            ("E001", []),
            ("E003", {"SIZE": []}),
            ("E004", {"DELIVERY": "cdn"}),
            ("E005", {"PRESETS": {"card": {}}}),
        ],
    )
    def test_the_message_is_the_codes(self, number: str, raw: object) -> None:
        (problem,) = conf.read(raw)[1]
        assert problem.check == number
        assert f"### lazyimages.{number}\n\n> {problem.message}\n" in read("checks.md")


class TestCommands:
    OURS = sorted(name for name, app in get_commands().items() if app == "lazyimages")

    def test_every_command_has_its_section_and_no_other(self) -> None:
        assert sorted(re.findall(r"^## (\w+)$", read("commands.md"), re.MULTILINE)) == self.OURS

    @pytest.mark.parametrize("name", OURS)
    def test_every_option_is_named(self, name: str) -> None:
        parser = load_command_class("lazyimages", name).create_parser("manage.py", name)
        djangos = {
            "--version",
            "--verbosity",
            "--settings",
            "--pythonpath",
            "--traceback",
            "--no-color",
            "--force-color",
        }
        djangos |= {"--skip-checks", "--help"}
        own = {
            option for a in parser._actions for option in a.option_strings if option.startswith("--")
        } - djangos
        assert own
        text = section(read("commands.md"), name)
        assert [option for option in sorted(own) if option not in text] == []


class TestReference:
    def test_signals(self) -> None:
        found = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
        assert first_column(section(read("reference.md"), "Signals")) == found

    def test_the_arguments_of_signals(self) -> None:
        text = SOURCES[ROOT / "lazyimages" / "render.py"]
        documented = section(read("reference.md"), "Signals")
        sends = [
            node
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".send_robust")
        ]
        assert len(sends) > 1
        for send in sends:
            name = ast.unparse(send.func).split(".")[1]
            (row,) = [line for line in documented.splitlines() if line.startswith(f"| `{name}`")]
            given = [keyword.arg for keyword in send.keywords if keyword.arg != "sender"]
            assert re.findall(r"`(\w+)`", row)[1:] == given

    def test_fields_of_the_log_line(self) -> None:
        text = SOURCES[ROOT / "lazyimages" / "render.py"]
        call = text.split("logger.info(")[1].split("*(")[0]
        fields = re.findall(r"(\w+)=%", call)
        assert len(fields) > 8
        documented = section(read("reference.md"), "Log lines")
        assert first_column(documented) == fields
        assert re.findall(r"(\w+)=", documented.split("```text\n")[1].split("```")[0]) == fields

    def test_beginnings_of_warnings(self) -> None:
        documented = " ".join(section(read("reference.md"), "Log lines").split())
        texts = [
            node.args[0].value
            for text in SOURCES.values()
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Call)
            and ast.unparse(node.func) == "logger.warning"
            and isinstance(node.args[0], ast.Constant)
        ]
        assert len(texts) > 3
        for text in texts:
            beginning = re.match(r"[a-z ]+(?::|(?= \w+=))", text)
            assert beginning is not None, text
            assert f"`{beginning[0]}" in documented, text

    def test_statuses(self) -> None:
        documented = section(read("reference.md"), "Answers over HTTP")
        shown = {int(number) for number in re.findall(r"^\| ([0-9]{3}) \|", documented, re.MULTILINE)}
        source = SOURCES[Path(views.__file__)]
        statuses = {status for _, status, _ in views._ERRORS}
        statuses |= {int(number) for number in re.findall(r"(?:_text\(|status_code = )([0-9]{3})", source)}
        assert shown == statuses | {200}  # which is Django's own default

    def test_routes(self) -> None:
        from lazyimages import urls

        named = [f"lazyimages:{pattern.name}" for pattern in urls.urlpatterns if pattern.name]
        assert first_column(section(read("reference.md"), "Answers over HTTP")) == named

    def test_exceptions(self) -> None:
        found = [
            name
            for name, value in vars(exceptions).items()
            if isinstance(value, type) and issubclass(value, exceptions.LazyImagesError)
        ]
        assert first_column(section(read("reference.md"), "Exceptions")) == found


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        linked = path.parent / name if name else path
        assert linked.exists(), target
        if anchor:
            anchors = {
                re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
                for heading in re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
            }
            assert anchor in anchors, target
