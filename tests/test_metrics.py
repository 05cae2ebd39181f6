"""The examples of docs/metrics.md, with the real clients."""

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.test import Client

from lazyimages import signals
from tests.clock import PATIENCE
from tests.conftest import jpeg

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"
STAGES = ["read", "wait", "decode", "resize", "encode", "store"]


def example(heading: str) -> str:
    part = DOCUMENT.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.+?)```", part, re.DOTALL)[0]


@pytest.fixture
def connected() -> Iterator[Callable[..., dict[str, Any]]]:
    """Run an example; its receivers are disconnected again."""
    before = [list(signal.receivers) for signal in (signals.variant_created, signals.variant_failed)]
    kept: list[dict[str, Any]] = []

    def run(code: str) -> dict[str, Any]:
        kept.append({})  # Django holds its receivers weakly
        exec(compile(code, "docs/metrics.md", "exec"), kept[-1])
        return kept[-1]

    yield run
    for signal, receivers in zip((signals.variant_created, signals.variant_failed), before, strict=True):
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


def make_one_and_fail_one() -> None:
    storages["default"].save("a/b.jpg", ContentFile(jpeg()))
    storages["default"].save("a/text.jpg", ContentFile(b"no image"))
    assert Client().get("/images/v/a/360x270/b.jpg").status_code == 200
    assert Client().get("/images/v/a/360x270/text.jpg").status_code == 415


def test_ten_lines_are_enough() -> None:
    for heading in ("Prometheus", "StatsD", "OpenTelemetry"):
        lines = [line for line in example(heading).splitlines() if line.strip()]
        connecting = [line for line in lines if not line.startswith(("from ", "import "))]
        assert len(connecting) <= 10, heading


def test_prometheus(connected: Callable[..., dict[str, Any]]) -> None:
    from prometheus_client import REGISTRY, generate_latest

    names = connected(example("Prometheus"))
    try:
        make_one_and_fail_one()
        text = generate_latest(REGISTRY).decode()
    finally:
        REGISTRY.unregister(names["STAGES"])
        REGISTRY.unregister(names["FAILED"])
    for stage in STAGES:
        assert f'lazyimages_stage_seconds_count{{stage="{stage}"}} 1.0' in text
    assert 'lazyimages_failed_total{reason="unsupported"} 1.0' in text


def test_statsd(connected: Callable[..., dict[str, Any]]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(PATIENCE)
        connected(example("StatsD").replace("8125", str(server.getsockname()[1])))
        make_one_and_fail_one()
        packets = [server.recv(1024).decode() for _ in range(len(STAGES) + 1)]
    assert [packet.partition(":")[0] for packet in packets[:-1]] == [f"lazyimages.{name}" for name in STAGES]
    assert all(packet.endswith("|ms") for packet in packets[:-1])
    assert packets[-1] == "lazyimages.failed.unsupported:1|c"


def test_opentelemetry(connected: Callable[..., dict[str, Any]]) -> None:
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))
    connected(example("OpenTelemetry"))
    make_one_and_fail_one()
    data = reader.get_metrics_data()
    assert data is not None
    found = {m.name: m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics}
    stages = {point.attributes["stage"]: point.count for point in found["lazyimages.stage"].data.data_points}
    assert stages == dict.fromkeys(STAGES, 1)
    (failed,) = found["lazyimages.failed"].data.data_points
    assert (dict(failed.attributes), failed.value) == ({"reason": "unsupported"}, 1)
