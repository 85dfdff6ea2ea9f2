"""Ten times as many senders as it can serve: it takes as much as before, and sends the others away politely."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.soak.figures import Fault
from tests.soak.senders import Load, Tally
from tests.soak.server import Server

CLIENTS = 4
TIMES = 10
SPANS = 512
MAX_RSS_MB = 1200
"""The engine's own code and caches, 256 MB of requests in memory at most, and two segments being loaded."""
SETTINGS = {"TOLLBOOK_COLLECTOR_SPOOL_MAX_BYTES": str(30_000_000), "TOLLBOOK_SETTLE_SECONDS": "0"}
"""A spool that a fraction of a second fills, so that refusals come at once."""


@pytest.mark.slow
@pytest.mark.fault(
    "R20", "10x overload", "80 % of peak, refusals are 429 or 503 with Retry-After, accepted = stored, memory bounded"
)
def test_overloaded_it_takes_what_it_can_and_refuses_the_rest_politely(fault: Fault, tmp_path: Path) -> None:
    server = Server(tmp_path / "data", SETTINGS)
    server.start()
    alone = _pushed(server, CLIENTS, fault.size(3, soak=20))
    crowd = _pushed(server, CLIENTS * TIMES, fault.size(5, soak=120), first=1_000_000)
    server.stop()
    share = crowd.taken_per_s / alone.taken_per_s
    refusals = f"{crowd.load.answers[503] + crowd.load.answers[429]:,} refusals, {crowd.load.bare_refusals} unclean"
    fault.found(
        f"{share:.0%} of the throughput, {refusals}; {crowd.tally}; {crowd.rss_mb:.0f} MB, {alone.rss_mb:.0f} before",
        what=f"{CLIENTS * TIMES} senders instead of {CLIENTS}",
    )
    assert (crowd.tally.lost, crowd.tally.doubled, crowd.load.bare_refusals) == (0, 0, 0)
    assert crowd.rss_mb <= MAX_RSS_MB
    assert not fault.soak or share >= 0.8


@dataclass(frozen=True)
class _Push:
    """A load that is over."""

    load: Load
    tally: Tally
    taken_per_s: float
    rss_mb: float
    """The most memory that the server took."""


def _pushed(server: Server, clients: int, seconds: float, first: int = 0) -> _Push:
    """Sends as fast as it goes, and waits until all of it is loaded."""
    load = Load(server.http_port, clients, SPANS, first=first)
    rss_mb = 0.0
    began = time.monotonic()
    with load.flowing():
        while time.monotonic() - began < seconds:
            time.sleep(0.2)
            rss_mb = max(rss_mb, server.rss_mb())
    server.until_loaded()
    return _Push(load, load.tally(server), len(load.acknowledged) / (time.monotonic() - began), rss_mb)
