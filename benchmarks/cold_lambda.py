"""`python -m benchmarks.cold_lambda`: a cold start of the function beside that of one written with sharp.

A fresh process each: interpreter, code, S3 client, and the first variant of an original of 12 megapixels, out
of moto's S3 on this machine and back into it. Ours is the zip of `make lambda`, unpacked, with nothing else
on Python's path; once as it is, and once with bytecode. sharp's is `cold_node/handler.mjs`, with AWS's own
client.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import boto3

from benchmarks import originals
from benchmarks.peers import say
from benchmarks.tables import markdown
from marketplace.cloud.s3 import start_s3
from tests.aws.lambda_events import rest
from tools import lambda_zip

NODE = Path(__file__).resolve().parent / "cold_node"
BUCKET, SIZE, NAME = "cold", "360x270", "photo.jpg"
KEY = f"{SIZE}/{NAME}"
CDN = "https://cdn.example"
OURS = (
    "import json, sys; from lazyimages.aws.lambda_handler import handler; "
    "print(handler(json.loads(sys.argv[1]), None)['statusCode'])"
)
EVENT = json.dumps(rest(f"/resizer?key={KEY}"))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cold_lambda", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    if shutil.which("npm") is None:
        sys.exit("npm is missing: apt install nodejs npm")
    if not (NODE / "node_modules").is_dir():
        say("Installing sharp and AWS's client from npm")
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
        subprocess.run(command, cwd=NODE, check=True)
    with tempfile.TemporaryDirectory() as folder, start_s3() as s3:
        print(_measure(Path(folder), s3.url, options.rounds))


def _measure(folder: Path, s3_url: str, rounds: int) -> str:
    plain, compiled = _unpacked(folder)
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL_S3": s3_url,
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "TMPDIR": str(folder),
    }
    ours = environment | {
        "PYTHONDONTWRITEBYTECODE": "1",  # as where the code lies read-only
        "LAZYIMAGES_BUCKET": BUCKET,
        "LAZYIMAGES": json.dumps(
            {
                "SIZES": [SIZE],
                "DELIVERY": "redirect",
                "CDN_URL": CDN,
                "RESIZER_URL": "https://x.example/resizer",
            }
        ),
    }
    theirs = environment | {"BUCKET": BUCKET, "URL": CDN, "SIZES": SIZE}
    # Of a virtual environment, -S leaves the standard library alone.
    python = [sys.executable, "-S", "-c", OURS, EVENT]
    node = ["node", str(NODE / "handler.mjs"), EVENT]
    runs: dict[str, Callable[[], float]] = {
        "ours": lambda: _time(python, ours, plain, s3_url),
        "ours, with bytecode": lambda: _time(python, ours, compiled, s3_url),
        "sharp": lambda: _time(node, theirs, NODE, s3_url),
    }
    client = _client(s3_url)
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_object(Bucket=BUCKET, Key=NAME, Body=originals.baseline(12).read_bytes())
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):  # the first does not count
        order = list(runs)
        order = order[number % len(order) :] + order[: number % len(order)]
        for name in order:
            times[name].append(runs[name]())
    return _table({name: values[1:] for name, values in times.items()}, rounds)


def _table(times: dict[str, list[float]], rounds: int) -> str:
    rows = [
        (
            name,
            f"{median(values):.0f}",
            f"{min(values):.0f}",
            f"{median(one / other for one, other in zip(values, times['sharp'], strict=True)):.2f}",
        )
        for name, values in times.items()
    ]
    head = (f"12 MP JPEG to {SIZE}, cold process", "median, ms", "least, ms", "/ sharp")
    node = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    where = (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}, {rounds} rounds, in turn; Python "
        f"{platform.python_version()}, node {node}, {os.cpu_count()} processors, load at the end {load}."
    )
    return f"{where}\n\n{markdown(head, rows)}"


def _unpacked(folder: Path) -> tuple[Path, Path]:
    """Return the code as it is, and with bytecode."""
    say("Building the function")
    here = next(one for one in lambda_zip.PROCESSORS.values() if one.machine == platform.machine())
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    plain, compiled = folder / "plain", folder / "compiled"
    lambda_zip.stage(plain, here, python=version)
    shutil.copytree(plain, compiled)
    lambda_zip.compile_all(compiled, sys.executable, python=version)
    return plain, compiled


def _client(s3_url: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=s3_url,
        region_name="eu-central-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


def _time(command: list[str], environment: dict[str, str], folder: Path, s3_url: str) -> float:
    """Return the milliseconds of a process that makes the variant, which is deleted afterwards."""
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )  # python -c looks for modules where it is started
    spent = (time.perf_counter() - started) * 1000
    if done.returncode or done.stdout.strip() != "301":
        sys.exit(f"{command[0]} failed: {done.stdout}{done.stderr}")
    _client(s3_url).delete_object(Bucket=BUCKET, Key=KEY)
    return spent


if __name__ == "__main__":
    main()
