"""A herd of requests to servers on 127.0.0.1: all connections are opened at once, by one process."""

import asyncio
import resource
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.clock import PATIENCE

_SPARE_FILES = 200  # besides the connections, for pytest and the servers' logs
_PAUSE = 0.02  # seconds before a broken connection is tried again


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One answer. `status` is 0 when there was none, and `error` says why.

    `seconds` count from the start of the whole herd to the last byte; `tries` are the connections it took.
    Names of headers are in lower case.
    """

    status: int
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: str = ""
    tries: int = 1


def ask_all(
    urls: Sequence[str],
    *,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    timeout: float = 2 * PATIENCE,
    tries: int = 1,
) -> list[Answer]:
    """Ask for all `urls` at the same moment, each on a connection of its own; answers in the same order.

    Ends after `timeout` seconds, whatever is missing then. A connection that breaks before its answer is
    whole is opened again, up to `tries` times, as browsers do for GET. No redirect is followed.
    """
    _allow_files(len(urls) + _SPARE_FILES)
    return asyncio.run(_ask_all(urls, headers or {}, method, timeout, tries))


def ask(url: str, *, timeout: float = 2 * PATIENCE, **options: Mapping[str, str] | str) -> Answer:
    """Ask for one URL: see `ask_all`."""
    return ask_all([url], timeout=timeout, **options)[0]  # type: ignore[arg-type]


def percentile(answers: Iterable[Answer], percent: int) -> float:
    """Return the seconds within which so many percent of the answers were there."""
    return statistics.quantiles((answer.seconds for answer in answers), n=100, method="inclusive")[
        percent - 1
    ]


def statuses(answers: Iterable[Answer]) -> Counter[int]:
    """Count the answers by status."""
    return Counter(answer.status for answer in answers)


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _ask_all(
    urls: Sequence[str], headers: Mapping[str, str], method: str, timeout: float, tries: int
) -> list[Answer]:
    started = time.monotonic()
    herd = (_ask_until(started + timeout, url, headers, method, tries, started) for url in urls)
    return list(await asyncio.gather(*herd))


async def _ask_until(
    deadline: float, url: str, headers: Mapping[str, str], method: str, tries: int, started: float
) -> Answer:
    error, tried = "", 0
    while tried < tries:
        tried += 1
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                status, got, body = await _exchange(url, headers, method)
            seconds = time.monotonic() - started
            return Answer(status=status, seconds=seconds, headers=got, body=body, tries=tried)
        except TimeoutError:
            error = "no answer in time"
            break
        except (OSError, ValueError, EOFError) as broken:  # EOFError: asyncio.IncompleteReadError
            error = f"{type(broken).__name__}: {broken}"
        await asyncio.sleep(_PAUSE)
    return Answer(status=0, seconds=time.monotonic() - started, error=error, tries=tried)


async def _exchange(url: str, headers: Mapping[str, str], method: str) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    lines = {"Host": parts.netloc, "Connection": "close", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, limit=2**20)
    try:
        writer.write(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
        status_line, *header_lines = (
            (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        )
        got = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in header_lines)
        }
        status = int(status_line.split()[1])
        if method == "HEAD" or status in (204, 304):
            return status, got, b""
        if "content-length" in got:
            return status, got, await reader.readexactly(int(got["content-length"]))
        if "transfer-encoding" in got:
            return status, got, await _chunks(reader)
        return status, got, await reader.read()
    finally:
        writer.close()


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while length := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += await reader.readexactly(length)
        await reader.readexactly(2)
    return bytes(body)
