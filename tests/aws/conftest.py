"""Run the command against moto, and write down every request with its parameters."""

import copy
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from botocore import handlers
from django.core.management import call_command

Request = tuple[str, dict[str, Any]]


@pytest.fixture
def requests(request: pytest.FixtureRequest) -> Iterator[list[Request]]:
    """Record operation and parameters of every S3 request by clients that are made afterwards."""
    made: list[Request] = []

    def record(params: dict[str, Any], model: Any, **kwargs: Any) -> None:
        made.append((model.name, copy.deepcopy(params)))

    entry = ("before-parameter-build.s3", record)
    handlers.BUILTIN_HANDLERS.append(entry)
    yield made
    handlers.BUILTIN_HANDLERS.remove(entry)


@pytest.fixture
def setup() -> Callable[..., str]:
    """Run `lazyimages_setup_bucket` and return what it prints."""

    def run(*arguments: str) -> str:
        out = StringIO()
        call_command("lazyimages_setup_bucket", *arguments, stdout=out, no_color=True)
        return out.getvalue()

    return run
