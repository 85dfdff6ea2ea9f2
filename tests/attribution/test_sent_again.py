"""Spans sent again after the collector forgot them, or batched anew by a hop in front of it: stored twice, paid once."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from tollbook_attribution import settle
from tollbook_collector.counters import Counters
from tollbook_collector.loader import Loader
from tollbook_collector.settings import Settings
from tollbook_collector.spool import Spool
from tollbook_schema.store import Store

from tests.attribution.facts import Span, chat, trace_request
from tests.attribution.laws import assert_the_ledger_balances

SETTINGS = Settings(segment_ms=0, seen_seconds=0)
"""A collector that forgets at once."""

TOTALS = """
SELECT
    (SELECT count() FROM spans) AS stored, (SELECT count() FROM calls) AS calls, (SELECT sum(amount_usd) FROM ledger) AS usd,
    (SELECT sum(quantity) FROM ledger WHERE unit = 'token') AS tokens
"""


def send(store: Store, folder: Path, *requests: Sequence[Span]) -> None:
    """Gives requests to a collector that loads them together as one segment, then settles."""
    spool = Spool(folder, SETTINGS)
    for spans in requests:
        spool.append("traces", trace_request(spans).SerializeToString(), resources=len(spans)).result(5)
    loader = Loader(spool, store, SETTINGS, Counters())
    while loader.load_next(0, now=True):
        pass
    assert spool.empty
    spool.close()
    settle(store)


def test_a_body_sent_after_its_time_and_batched_anew_costs_what_it_cost(store: Store, tmp_path: Path) -> None:
    calls = [chat(number, 1, input=1_000, output=100, response_id=f"r{number}") for number in range(1, 21)]
    send(store, tmp_path, calls)
    before = store.query(TOTALS)[0]
    assert (before["stored"], before["calls"], before["usd"]) == (20, 20, 20 * Decimal("0.0035"))
    send(store, tmp_path, calls, [Span(99, 1)])
    again = store.query(TOTALS)[0]
    assert again == before | {"stored": 41}
    send(store, tmp_path, [calls[number] for number in (3, 17)], [*calls[5:9], *calls[:2]], calls[::-1])
    assert store.query(TOTALS)[0] == before | {"stored": 41 + 2 + 6 + 20}
    assert_the_ledger_balances(store)
