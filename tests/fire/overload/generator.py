"""Requests at a fixed rate, however slowly they are answered: a process of its own, for it needs a processor.

    python -m tests.fire.overload.generator < plan.json > answers.json

A plan has `host`, `port`, `seconds`, and `streams`. A stream has a `name`, `paths` that it asks for in turn,
and either `rate`, requests a second, or `clients` that each ask for the next as soon as they have an answer.
The answers have, for each stream, `sent`, and the rows `[status, seconds, retry_after, cache_control]`;
`seconds` count from opening the connection. Also `cpu`, the seconds of processor that this process used.
"""

import asyncio
import json
import resource
import sys
import time
from itertools import cycle
from typing import Any

PATIENCE = 30  # seconds that one waits for an answer
_MOST_OPEN = 900  # connections; more would wait in the kernel anyway, and need more open files

Row = tuple[int, float, str, str]


class _Client(asyncio.Protocol):
    """One request on one connection."""

    def __init__(self, request: bytes, done: "asyncio.Future[bytes]") -> None:
        self._request, self._done = request, done
        self._got: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._got.append(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(b"".join(self._got))


class _Stream:
    def __init__(self, host: str, port: int, plan: dict[str, Any]) -> None:
        self.name: str = plan["name"]
        self.rows: list[Row] = []
        self.sent = 0
        self._rate: float | None = plan.get("rate")
        self._clients: int | None = plan.get("clients")
        self._paths = cycle(plan["paths"])
        self._host, self._port = host, port
        self._open: set[asyncio.Task[None]] = set()

    async def run(self, until: float) -> None:
        if self._clients is not None:
            await asyncio.gather(*(self._one_after_another(until) for _ in range(self._clients)))
        else:
            await self._at_a_rate(until)
            if self._open:
                await asyncio.wait(self._open, timeout=PATIENCE)

    async def _one_after_another(self, until: float) -> None:
        while time.monotonic() < until:
            await self._ask()

    async def _at_a_rate(self, until: float) -> None:
        assert self._rate is not None
        begin, due = time.monotonic(), 0
        while (now := time.monotonic()) < until:
            before, due = due, int((now - begin) * self._rate) + 1
            for _ in range(min(due - before, _MOST_OPEN - len(self._open))):
                task = asyncio.create_task(self._ask())
                self._open.add(task)
                task.add_done_callback(self._open.discard)
            await asyncio.sleep(max(0.001, begin + due / self._rate - time.monotonic()))

    async def _ask(self) -> None:
        self.sent += 1
        loop = asyncio.get_running_loop()
        lines = (f"GET {next(self._paths)} HTTP/1.1", f"Host: {self._host}:{self._port}", "Connection: close")
        request = "\r\n".join((*lines, "", "")).encode()
        done: asyncio.Future[bytes] = loop.create_future()
        begin = time.monotonic()
        transport = None
        try:
            async with asyncio.timeout(PATIENCE):
                transport, _ = await loop.create_connection(
                    lambda: _Client(request, done), self._host, self._port
                )
                row = _row(await done, time.monotonic() - begin)
        except OSError:  # TimeoutError too
            row = (0, time.monotonic() - begin, "", "")
        finally:
            if transport is not None:
                transport.close()
        self.rows.append(row)


def _row(answer: bytes, seconds: float) -> Row:
    """Read an answer; its status is 0 when it is not whole."""
    head, end, body = answer.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    whole = bool(end) and headers.get("content-length") == str(len(body))
    status = int(status_line.split()[1]) if whole else 0
    return status, seconds, headers.get("retry-after", ""), headers.get("cache-control", "")


async def _run(plan: dict[str, Any]) -> dict[str, Any]:
    streams = [_Stream(plan["host"], plan["port"], stream) for stream in plan["streams"]]
    begin, until = time.monotonic(), time.monotonic() + plan["seconds"]
    await asyncio.gather(*(stream.run(until) for stream in streams))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "streams": {stream.name: {"sent": stream.sent, "rows": stream.rows} for stream in streams},
        "seconds": time.monotonic() - begin,
        "cpu": used.ru_utime + used.ru_stime,
    }


if __name__ == "__main__":
    json.dump(asyncio.run(_run(json.load(sys.stdin))), sys.stdout)
