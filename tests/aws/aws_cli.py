"""A small stand-in for the AWS command line: `aws SERVICE OPERATION --option value`, by botocore's own model.

It knows as much of it as docs/aws.md uses. An operation or an option that the API does not have is an error,
as with the real one. `aws s3 rm` filters as that does: the last --exclude or --include that matches wins, and
`*` crosses slashes (AWS CLI reference, "s3", "Use of Exclude and Include Filters").

`install` puts a program `aws` into a folder. It only carries words to and fro: a process that imports
botocore for each command would take most of a test's time.
"""

import json
import socketserver
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any

import botocore.session
import jmespath
from botocore import xform_name
from botocore.exceptions import ClientError, WaiterError

_PROGRAM = """#!{python} -SE
import json, socket, sys
with socket.create_connection(("127.0.0.1", {port})) as line:
    line.sendall(json.dumps(sys.argv[1:]).encode() + b"\\n")
    code, out, err = json.loads(line.makefile().read())
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)
"""


@contextmanager
def install(folder: Path) -> Iterator[None]:
    """Put the program `aws` into a folder, where file:// is read, too; it works until the block ends."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                answer = (0, run(json.loads(self.rfile.readline()), folder), "")
            except (ClientError, WaiterError) as error:
                answer = (254, "", f"{error}\n")
            except Exception as error:  # an option or an operation that is not there, for instance
                answer = (252, "", f"aws: {error!r}\n")
            self.wfile.write(json.dumps(answer).encode())

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        program = folder / "aws"
        program.write_text(_PROGRAM.format(python=sys.executable, port=server.server_address[1]))
        program.chmod(0o700)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            _client.cache_clear()


def run(arguments: list[str], folder: Path) -> str:
    """Run one command and return what it prints."""
    service, command, *rest = arguments
    if (service, command) == ("s3", "rm"):
        return _remove(rest)
    client = _client("s3" if service == "s3api" else service)
    if command == "wait":
        parameters, _ = read(client, "GetDistribution", rest[1:], folder)
        client.get_waiter(rest[0].replace("-", "_")).wait(**parameters)
        return ""
    operation = {xform_name(name, "-"): name for name in client.meta.service_model.operation_names}[command]
    parameters, shown = read(client, operation, rest, folder)
    answer = getattr(client, xform_name(operation))(**parameters)
    answer.pop("ResponseMetadata")
    found = jmespath.search(shown.get("query", "@"), answer)
    if shown.get("output") == "text":
        return "\t".join(found) + "\n" if isinstance(found, list) else f"{found}\n"
    return json.dumps(found, default=str) + "\n" if found else ""


def read(
    client: Any, operation: str, arguments: list[str], folder: Path
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the parameters of the operation, and the options of the command line itself."""
    members = client.meta.service_model.operation_model(operation).input_shape.members
    names = {xform_name(name, "-"): name for name in members}
    parameters: dict[str, Any] = {}
    shown: dict[str, str] = {}
    for option, value in zip(arguments[::2], arguments[1::2], strict=True):
        name = option.removeprefix("--")
        if name in ("query", "output", "region"):
            shown[name] = value
        else:
            parameters[names[name]] = _parsed(value, members[names[name]].type_name, folder)
    return parameters, shown


@cache
def _client(service: str) -> Any:
    return botocore.session.get_session().create_client(service)


def _parsed(value: str, kind: str, folder: Path) -> Any:
    if value.startswith("file://"):
        text = (folder / value.removeprefix("file://")).read_text()
        return json.loads(text) if kind == "structure" else text
    if kind == "structure":
        return {key: word == "true" for key, word in (part.split("=") for part in value.split(","))}
    return value


def _remove(arguments: list[str]) -> str:
    bucket, filters, printed, words = arguments[0].removeprefix("s3://"), [], [], iter(arguments[1:])
    dry = "--dryrun" in arguments
    for word in words:
        if word in ("--include", "--exclude"):
            filters.append((word == "--include", next(words)))
        elif word not in ("--recursive", "--dryrun"):
            raise ValueError(f"unknown option {word}")
    for entry in _client("s3").list_objects_v2(Bucket=bucket).get("Contents", []):
        matching = [included for included, pattern in filters if fnmatchcase(entry["Key"], pattern)]
        if not matching or matching[-1]:
            printed.append(f"{'(dryrun) ' if dry else ''}delete: s3://{bucket}/{entry['Key']}\n")
            if not dry:
                _client("s3").delete_object(Bucket=bucket, Key=entry["Key"])
    return "".join(printed)
