"""Bodies that come again, late and in other bodies: money is counted once. And spans whose clocks are wrong."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tollbook_attribution import settle
from tollbook_collector.counters import Counters
from tollbook_collector.loader import Loader
from tollbook_collector.settings import Settings
from tollbook_collector.spool import Spool
from tollbook_schema.store import Store

from tests.attribution.laws import assert_the_ledger_balances
from tests.collector.played import PlayedClock
from tests.soak.bodies import Bodies
from tests.soak.figures import Fault

DAY_NS = 86_400 * 10**9
NOW_NS = 1_795_325_799_000_000_000
SPAN_USD = Decimal("0.0035")
"""1,000 input tokens at $2.50 and 100 output tokens at $10.00 a million."""

SETTINGS = Settings(segment_ms=0, seen_seconds=0, min_free_bytes=0)
"""Nothing is remembered, as if all came again after hours."""

WINDOW = "ALTER TABLE {table:Identifier} MODIFY SETTING non_replicated_deduplication_window = {window:UInt64}"
PARTITIONS = (
    "SELECT uniqExact(partition) AS n FROM system.parts WHERE active AND table = 'spans' AND database = currentDatabase()"
)


@pytest.fixture
def forgetful(embedded_store: Store) -> Iterator[Store]:
    """A store that remembers two inserts instead of ten thousand."""
    for table in ("spans", "fact_hours"):
        embedded_store.command(WINDOW, {"table": table, "window": 2})
    yield embedded_store
    for table in ("spans", "fact_hours"):
        embedded_store.command(WINDOW, {"table": table, "window": 10_000})


def loaded(store: Store, folder: Path, bodies: list[bytes], clock: PlayedClock | None = None) -> None:
    """Puts each body through a collector of its own segment."""
    clock = clock or PlayedClock()
    spool = Spool(folder, SETTINGS, Counters(), clock=clock, threaded=False)
    loader = Loader(spool, store, SETTINGS, spool.counters, clock)
    for body in bodies:
        kept = spool.append("traces", body, resources=1)
        spool.write_waiting()
        kept.result(0)
        clock.go_on(1)
        assert loader.load_next(0, now=True)
    assert spool.empty
    spool.close()


def rebatched(bodies: list[bytes]) -> list[bytes]:
    """The same spans, a third of each body in each of three others."""
    spans = [
        span for body in bodies for span in ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans
    ]
    requests = []
    for part in range(3):
        request = ExportTraceServiceRequest.FromString(bodies[0])
        del request.resource_spans[0].scope_spans[0].spans[:]
        request.resource_spans[0].scope_spans[0].spans.extend(spans[part::3])
        requests.append(request.SerializeToString())
    return requests


@pytest.mark.fault("R12", "sent again after the deduplication window, and re-batched", "cost unchanged to the cent")
def test_what_comes_again_costs_nothing_more(fault: Fault, forgetful: Store, tmp_path: Path) -> None:
    count = fault.size(6, soak=200)
    made = Bodies()
    bodies = [made.body(number, NOW_NS) for number in range(1, count + 1)]
    loaded(forgetful, tmp_path / "first", bodies)
    first = settle(forgetful).amount_usd
    loaded(forgetful, tmp_path / "again", bodies)
    loaded(forgetful, tmp_path / "rebatched", rebatched(bodies))
    settle(forgetful)
    rows = forgetful.query("SELECT count() AS n FROM spans")[0]["n"]
    again = forgetful.query("SELECT sum(amount_usd) AS usd FROM ledger")[0]["usd"]
    fault.found(f"${first:.4f}, then ${again:.4f}, with {rows:,} rows of {count * made.spans:,} spans")
    assert first == again == count * made.spans * SPAN_USD
    assert rows > count * made.spans, "it was to be stored again"
    assert_the_ledger_balances(forgetful)


SKEWED = {
    "1970": (10**9, 0, 250_000_000),
    "2106": (4_300_000_000 * 10**9, 0, 250_000_000),
    "2262": (9_220_000_000 * 10**9, 0, 250_000_000),
    "two hours ahead": (NOW_NS + 7200 * 10**9, 0, 250_000_000),
    "ends before it starts": (NOW_NS, 0, -5 * 10**9),
}
"""Clocks: when the first span of a body ends, how far the next is from it, how long each takes."""


@pytest.mark.fault(
    "P12", "wrong clocks: 1970, 2262, ahead, backwards, months in one body", "no poison, one partition, totals exact"
)
def test_wrong_clocks_poison_nothing_and_every_span_is_counted(fault: Fault, embedded_store: Store, tmp_path: Path) -> None:
    made, months = Bodies(), Bodies(150)
    bodies = [made.body(number, *skew) for number, skew in enumerate(SKEWED.values(), 1)]
    loaded(embedded_store, tmp_path / "spool", bodies)
    tomorrow = PlayedClock()
    tomorrow.now_ns += DAY_NS
    loaded(embedded_store, tmp_path / "tomorrow", [made.body(100, NOW_NS)], tomorrow)
    if fault.soak:
        loaded(embedded_store, tmp_path / "spool", [months.body(200, NOW_NS - 160 * DAY_NS, DAY_NS)])
    settle(embedded_store)
    usd = embedded_store.query("SELECT sum(amount_usd) AS usd FROM ledger")[0]["usd"]
    due = ((len(bodies) + 1) * made.spans + 150 * fault.soak) * SPAN_USD
    if not fault.soak:  # 150 hours take minutes to settle
        loaded(embedded_store, tmp_path / "spool", [months.body(200, NOW_NS - 160 * DAY_NS, DAY_NS)])
    spans = (len(bodies) + 1) * made.spans + 150
    rows = embedded_store.query("SELECT count() AS n FROM spans")[0]["n"]
    partitions = embedded_store.query(PARTITIONS)[0]["n"]
    dead = len(list(tmp_path.glob("*/dead/*")))
    fault.found(f"{rows:,} of {spans:,} spans stored, {partitions} partitions, {dead} dead, ${usd:.4f} of ${due:.4f}")
    assert (rows, partitions, dead, usd) == (spans, 2, 0, due)
