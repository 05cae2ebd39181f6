"""docs/lambda.md: its two deployments are of the function that there is."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.urls import resolve

from lazyimages import conf, views
from tests.aws.runtime_api import HANDLER
from tools import lambda_zip

TEXT = (lambda_zip.ROOT / "docs" / "lambda.md").read_text()
BLOCKS = dict(re.findall(r"```yaml\n# ([a-z.]+): [^\n]*\n(.*?)```", TEXT, re.DOTALL))


class Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, such as !Sub."""


Loader.add_multi_constructor("!", lambda loader, suffix, node: {suffix: node.value})


@pytest.fixture(scope="module")
def sam() -> dict[str, Any]:
    (function,) = yaml.load(BLOCKS["template.yaml"], Loader)["Resources"].values()
    found = function["Properties"]
    (event,) = found["Events"].values()
    return {
        "code": found["CodeUri"],
        "handler": found["Handler"],
        "runtime": found["Runtime"],
        "architecture": found["Architectures"][0],
        "memory": found["MemorySize"],
        "seconds": found["Timeout"],
        "environment": found["Environment"]["Variables"],
        "event": (event["Type"], event["Properties"]["Method"], event["Properties"]["Path"]),
        "actions": [set(_list(one["Action"])) for one in found["Policies"][0]["Statement"]],
    }


@pytest.fixture(scope="module")
def serverless() -> dict[str, Any]:
    found = yaml.load(BLOCKS["serverless.yml"], Loader)
    provider = found["provider"]
    (function,) = found["functions"].values()
    ((kind, event),) = function["events"][0].items()
    return {
        "code": found["package"]["artifact"],
        "handler": function["handler"],
        "runtime": provider["runtime"],
        "architecture": provider["architecture"],
        "memory": function["memorySize"],
        "seconds": function["timeout"],
        "environment": provider["environment"],
        "event": (kind[0].upper() + kind[1:], event["method"], event["path"]),
        "actions": [set(_list(one["Action"])) for one in provider["iam"]["role"]["statements"]],
    }


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def test_both_are_the_same(sam: dict[str, Any], serverless: dict[str, Any]) -> None:
    assert sam == serverless


def test_it_is_the_function_that_there_is(sam: dict[str, Any]) -> None:
    assert sam["handler"] == HANDLER
    module, name = HANDLER.rsplit(".", 1)
    source = (lambda_zip.ROOT / f"{module.replace('.', '/')}.py").read_text()
    assert f"\ndef {name}(event" in source
    assert sam["code"] == f"dist/lazyimages-lambda-{sam['architecture']}.zip"
    assert sam["architecture"] in lambda_zip.PROCESSORS
    assert (sam["memory"], sam["seconds"]) == (1024, 15)
    assert conf.Settings().render_wait < sam["seconds"]
    assert sam["event"] == ("HttpApi", "GET", "/resizer")
    assert resolve("/resizer", "lazyimages.aws.lambda_urls").func is views.resizer
    assert sam["actions"] == [{"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}, {"s3:ListBucket"}]


def test_the_runtime_is_that_of_the_zip(sam: dict[str, Any]) -> None:
    help_text = subprocess.run(
        [sys.executable, "-m", "tools.lambda_zip", "--help"],
        cwd=lambda_zip.ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert sam["runtime"] == f"python{re.search(r'version of Lambda.s runtime .([0-9.]+).', help_text)[1]}"


def test_the_environment_is_enough_and_right(sam: dict[str, Any], tmp_path: Path) -> None:
    """By starting the handler with it, and nothing else."""
    settings, problems = conf.read(json.loads(sam["environment"]["LAZYIMAGES"]))
    assert problems == []
    assert settings.delivery == "redirect"
    environment = {"PATH": os.environ["PATH"], "AWS_REGION": "eu-central-1", "TMPDIR": str(tmp_path)}
    subprocess.run(
        [sys.executable, "-c", "import lazyimages.aws.lambda_handler"],
        cwd=lambda_zip.ROOT,
        check=True,
        env=environment | sam["environment"],
        timeout=120,
    )


def test_every_option_of_the_builder_is_there() -> None:
    source = (lambda_zip.ROOT / "tools" / "lambda_zip.py").read_text()
    options = set(re.findall(r'"(--[a-z]+)", ?(?:dest|default|type|metavar|action)', source))
    options |= set(re.findall(r'add\(\n +"(--[a-z]+)"', source))
    assert options == {"--python", "--extras", "--with", "--constraint", "--bytecode", "--output"}
    for option in options - {"--output"}:
        assert f'`"{option} ' in TEXT, option


def test_cloudformation_finds_nothing_wrong(tmp_path: Path) -> None:
    """By cfn-lint, which knows what SAM makes of it."""
    lint = Path(sys.executable).with_name("cfn-lint")
    if not lint.exists():
        pytest.skip("cfn-lint is missing: pip install cfn-lint")
    template = tmp_path / "template.yaml"
    template.write_text(BLOCKS["template.yaml"])
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "lazyimages-lambda-arm64.zip").touch()
    done = subprocess.run(
        [str(lint), "--regions", "eu-central-1", "--", str(template)],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "")
