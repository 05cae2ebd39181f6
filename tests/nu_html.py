"""Whether HTML is valid, by the Nu HTML checker, which is what validator.w3.org runs."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.clock import PATIENCE
from tests.npm import installed

NODE = Path(__file__).parent / "nu"
# It starts in a second this way; one thread's stack of the default size is too small for its schemas.
JAVA = ("java", "-Xss2m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar")


def page(body: str, head: str = "") -> str:
    """Return a whole document around a piece of HTML."""
    return f'<!DOCTYPE html><html lang="en"><head><title>Test</title>{head}</head><body>{body}</body></html>'


def html_errors(*documents: str) -> list[str]:
    """Return what is wrong with whole documents, `NUMBER: message: where` each; all in one run of a second.

    Skips the test without Java.
    """
    if shutil.which("java") is None:
        pytest.skip("Java is missing: apt install default-jre-headless")
    program = installed(NODE, "nu") / "vnu-jar" / "build" / "dist" / "vnu.jar"
    with tempfile.TemporaryDirectory() as folder:
        for number, document in enumerate(documents):
            (Path(folder) / f"{number}.html").write_text(document)
        done = subprocess.run(
            [*JAVA, str(program), "--format", "json", "--exit-zero-always", folder],
            capture_output=True,
            text=True,
            timeout=max(PATIENCE, 60),
            check=True,
        )
    # Its report is on stderr, after lines of the virtual machine's own.
    found = json.loads(done.stderr[done.stderr.index("{") :])["messages"]
    return [
        f"{Path(message['url']).stem}: {message['message']}: {message.get('extract', '')}"
        for message in found
        if message["type"] != "info"
    ]


def assert_valid_html(*documents: str) -> None:
    """Assert that whole documents are valid HTML."""
    errors = html_errors(*documents)
    assert not errors, "\n".join(errors)
