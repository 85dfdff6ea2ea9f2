"""A ClickHouse server that goes away and comes back: what was acknowledged meanwhile is loaded then, oldest first."""

import time
from pathlib import Path

import pytest
from tollbook_collector.settings import Settings

from tests.clickhouse_server import Server as ClickHouse
from tests.soak.bodies import STORED, Bodies
from tests.soak.figures import Fault
from tests.soak.proxy import proxied
from tests.soak.senders import Load
from tests.soak.server import Server

SPANS_PER_SECOND = 1000
CLIENTS = 2
SPANS = 20
AHEAD_BYTES = 3 * Settings.segment_bytes
"""After a long outage segments are as large as they may be: the other loader may be done with two, and in a third, first."""


@pytest.mark.slow
@pytest.mark.fault("R9", "the store is away and comes back", "0 lost, 0 doubled, drained within twice the outage, oldest first")
def test_what_was_acknowledged_while_the_store_was_away_is_loaded_when_it_is_back(fault: Fault, tmp_path: Path) -> None:
    outage_s = fault.size(5, soak=600)
    (tmp_path / "clickhouse").mkdir()
    clickhouse = ClickHouse(tmp_path / "clickhouse")
    clickhouse.start()
    try:
        with proxied(clickhouse.http_port) as proxy:
            server = Server(tmp_path / "data", {"TOLLBOOK_CLICKHOUSE_URL": f"http://default@127.0.0.1:{proxy.port}/default"})
            server.start()
            load = Load(server.http_port, CLIENTS, SPANS, pause_s=CLIENTS * SPANS / SPANS_PER_SECOND)
            with load.flowing():
                load.until(10)
                proxy.refuse()
                time.sleep(outage_s)
                backlog = server.metric("spool_segments")
            proxy.allow()
            began = time.monotonic()
            ahead = _drained(server, load, began + 2 * outage_s + 60)
            drain_s = time.monotonic() - began
            tally = load.tally(server)
            server.stop()
    finally:
        clickhouse.kill()
    fault.found(
        f"{tally}; drained in {drain_s:.1f} s, {ahead} bodies at most before older ones, {load.bare_refusals} unclean refusals",
        what=f"the store is away for {outage_s} s at {SPANS_PER_SECOND:,} spans/s",
    )
    assert backlog > 0
    assert (tally.lost, tally.doubled, load.bare_refusals) == (0, 0, 0)
    assert drain_s <= 2 * outage_s + 15, "the loader waits up to 10 s before it tries again"
    assert ahead <= max(200, AHEAD_BYTES // len(Bodies(SPANS).body(1)))


def _drained(server: Server, load: Load, deadline: float) -> int:
    """Waits until all is loaded; how many bodies were in the store at a time before an older one was."""
    worst = 0
    while server.metric("spool_segments"):
        assert time.monotonic() < deadline
        ((rows,),) = server.ask(STORED)
        stored = {int(body) for body, _, _ in rows}
        missing = load.acknowledged - stored
        if missing:
            worst = max(worst, sum(body > min(missing) for body in stored))
        time.sleep(0.2)
    return worst
