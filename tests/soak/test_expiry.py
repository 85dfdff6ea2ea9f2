"""Facts that expire under load and kill -9: what is younger stays, what was settled stays."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.soak.figures import Fault
from tests.soak.senders import Load
from tests.soak.server import Server

OLD = """
import sys, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tests.soak.bodies import Bodies
from tollbook_attribution import engine
from tollbook_schema.store import Store
data, bodies = Path(sys.argv[1]), int(sys.argv[2])
then = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
made = Bodies()
store = Store.open(data)
store.migrate()
for number in range(10_000_000, 10_000_000 + bodies):
    segment = data / f"{number}.otlp"
    segment.write_bytes(made.body(number, int(then.timestamp()) * 10**9))
    store.load("spans", segment, str(number), then)
print(engine.settle(store).amount_usd)
store.close()
"""
OLD_SPANS = "SELECT count() FROM spans WHERE received_at < now() - INTERVAL 1 DAY"
OLD_LEDGER = "SELECT toString(sum(amount_usd)) FROM ledger WHERE window < now() - INTERVAL 1 DAY"
UNCOUNTED = """
SELECT count()
FROM (
    SELECT window, sum(facts) AS facts FROM fact_hours WHERE window > now() - INTERVAL 1 DAY GROUP BY window
) AS f
FULL JOIN (
    SELECT toDateTime(toStartOfHour(start_time), 'UTC') AS window, count() AS spans
    FROM spans WHERE received_at > now() - INTERVAL 1 DAY GROUP BY window
) AS s ON f.window = s.window
WHERE facts != spans
"""


@pytest.mark.slow
@pytest.mark.fault(
    "R19", "facts expire under load and kill -9", "nothing younger is lost, aggregates agree, the ledger keeps what was settled"
)
def test_what_expires_takes_nothing_else_with_it(fault: Fault, tmp_path: Path) -> None:
    kills = fault.size(1, soak=20)
    bodies = fault.size(5, soak=100)
    data = tmp_path / "data"
    command = [sys.executable, "-c", OLD, str(data), str(bodies)]
    settled = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout.strip()
    server = Server(data, {"TOLLBOOK_COLLECTOR_SEGMENT_MS": "50", "TOLLBOOK_SETTLE_SECONDS": "1", "TOLLBOOK_RETENTION_DAYS": "1"})
    server.start()
    load = Load(server.http_port, pause_s=0.01)
    with load.flowing():
        for _ in range(kills):
            load.until(len(load.acknowledged) + 30)
            server.kill()
            server.start()
        _until_gone(server)
        load.until(len(load.acknowledged) + 10)
    server.until_loaded()
    server.post("/api/v1/settle", {"since": "2020-01-01T00:00:00Z"})
    tally = load.tally(server)
    ((ledger,),) = server.ask(OLD_LEDGER)
    ((uncounted,),) = server.ask(UNCOUNTED)
    server.stop()
    money = f"their ${float(ledger):.2f} of ${float(settled):.2f} stay"
    fault.found(
        f"{bodies * load.spans:,} old spans gone, {money}; young ones: {tally}, {uncounted} hours disagree",
        what=f"facts expire under load and kill -9 x {kills}",
    )
    assert (tally.lost, tally.doubled, uncounted) == (0, 0, 0)
    assert float(ledger) == float(settled) > 0


def _until_gone(server: Server) -> None:
    deadline = time.monotonic() + 60
    while server.ask(OLD_SPANS) != [[0]]:
        assert time.monotonic() < deadline, "old facts are still there"
        time.sleep(0.2)
