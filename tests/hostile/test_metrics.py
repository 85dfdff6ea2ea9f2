"""Counters that are totals, deltas, reset, repeated or silent: what is worked out from them is an independent sum (P13)."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import httpx2 as httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, DataPointFlags
from tollbook_schema import attributes as A  # noqa: N812

from tests.hostile import senders
from tests.schema.otlp import attributes
from tests.served import served
from tests.soak.figures import Fault

HOUR_NS = 3_600 * 10**9
S = 10**9
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA


@dataclass(frozen=True)
class Point:
    """One point of CPU time: when, how much, and whether it says that there is none."""

    second: int
    value: float
    stale: bool = False


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        served(tmp_path_factory.mktemp("metrics")) as server,
        httpx.Client(base_url=server.url, timeout=120, trust_env=False) as web,
    ):
        yield web


@pytest.fixture(scope="module")
def start_ns() -> int:
    return (time.time_ns() // HOUR_NS - 2) * HOUR_NS


def cpu_time(
    host: str, start_ns: int, points: Sequence[Point], temporality: "AggregationTemporality.ValueType"
) -> ExportMetricsServiceRequest:
    """`process.cpu.time` of one process on a host of two CPUs."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    identity = {A.SERVICE_NAME: "svc", A.HOST_ID: host, A.HOST_NAME: host, "process.pid": 7, A.SERVICE_INSTANCE_ID: host}
    resource.resource.attributes.extend(attributes(identity))
    metrics = resource.scope_metrics.add().metrics
    total = metrics.add(name="process.cpu.time", unit="s").sum
    total.aggregation_temporality, total.is_monotonic = temporality, True
    for point in points:
        added = total.data_points.add(time_unix_nano=start_ns + point.second * S, as_double=point.value)
        added.flags = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK if point.stale else 0
    cpus = metrics.add(name="system.cpu.logical.count").gauge
    for point in points:
        cpus.data_points.add(time_unix_nano=start_ns + point.second * S, as_int=2)
    return request


def busy_seconds(web: httpx.Client, host: str) -> float:
    """CPU seconds that the settlement found on a host."""
    (row,) = (row for row in web.get("/api/v1/accelerators").json()["rows"] if row["host"] == host)
    return float(row["busy_seconds"])


@pytest.mark.fault("P13", "cumulative, delta, reset, repeated and stale points of counters", "totals equal an independent sum")
def test_counters_add_up_to_an_independent_sum(fault: Fault, web: httpx.Client, start_ns: int) -> None:
    dice = random.Random(13)
    expected: dict[str, float] = {}
    for number in range(fault.size(4, soak=200)):
        for temporality, name in ((CUMULATIVE, "cumulative"), (DELTA, "delta")):
            host = f"{name}-{number}"
            points, expected[host] = _counter(dice, temporality)
            _send_in_pieces(dice, web, host, start_ns, points, temporality)
    senders.until(web, "SELECT uniqExact(host_id) FROM metrics", [(len(expected),)])
    senders.all_loaded(web)
    senders.settle(web)
    wrong = {host: (busy_seconds(web, host), total) for host, total in expected.items()}
    wrong = {host: (found, total) for host, (found, total) in wrong.items() if abs(found - total) > 1e-6}
    fault.found(f"{len(expected)} counters, {len(wrong)} totals that differ")
    assert wrong == {}


def _counter(dice: random.Random, temporality: int) -> tuple[list[Point], float]:
    """Points of a counter that is reset now and then and at times has no value, and what it counted from first to last."""
    points, total, value = [], 0.0, 0.0
    for second in range(0, 600, 10):
        grown = dice.randrange(1, 40) / 4
        reset = value > 10 and dice.random() < 0.1
        value = grown if reset else value + grown
        if dice.random() < 0.1:
            points.append(Point(second + 5, 0.0, stale=True))
        points.append(Point(second, grown if temporality == DELTA else value))
        total += grown if temporality == DELTA or second > 0 else 0
    return points, total


def _send_in_pieces(
    dice: random.Random, web: httpx.Client, host: str, start_ns: int, points: list[Point], temporality: int
) -> None:
    """Sends the points out of order, some of them twice, as a collector in between that re-batches does."""
    shuffled = dice.sample(points, len(points)) + dice.sample(points, 10)
    for place in range(0, len(shuffled), 25):
        senders.send(web, cpu_time(host, start_ns, shuffled[place : place + 25], temporality))  # type: ignore[arg-type]
