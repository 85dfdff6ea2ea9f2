"""The same steps on a ClickHouse server, and on a cluster of two."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tollbook_attribution import set_rate, settle, superseded
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema import lease
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, Point, S, Span, chat
from tests.attribution.laws import assert_the_ledger_balances
from tests.clickhouse_server import CLUSTER, clickhouse_cluster, clickhouse_server, cluster_url

HOST = {A.HOST_ID: "h", A.HOST_TYPE: "box"}
DERIVED = ("ledger", "resource_costs", "requests", "calls", "hosts", "lineage", "findings", "span_costs", "accelerator_usage")

RAN_ON = """
SELECT h.cluster AS cluster, toUInt32(l.quantity) AS used_s
FROM hosts AS h
INNER JOIN (SELECT * FROM ledger WHERE item = 'CPU time' AND endsWith(hex(trace_id), '06')) AS l ON h.window = l.window
ORDER BY h.window
"""
"""How long the span that goes over the hour used its machine in each."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with clickhouse_server(tmp_path_factory.mktemp("server")) as url:
        yield from opened(Store.open(url=url))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with clickhouse_cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield from opened(Store.open(url=cluster_url(nodes), cluster=CLUSTER))


def opened(store: Store) -> Iterator[Store]:
    store.migrate()
    yield store
    store.close()


def derived(store: Store) -> dict[str, Any]:
    """All that readers see, but for the numbers of settlements."""
    return {table: store.table(f"SELECT * EXCEPT (settlement) FROM {table} ORDER BY ALL").rows for table in DERIVED}


def take_in_two_hours(intake: Intake, store: Store) -> None:
    """Two hours of two tenants' worth of everything that settlement looks at, one segment for each span."""
    set_rate(store, "box", "3.60", 1)
    spans = [
        Span(1, 9, duration_ns=30 * S, resource=HOST, attributes={A.TOLLBOOK_KIND: "request", A.TOLLBOOK_TEAM: "red"}),
        chat(1, 1, 9, input=1_117, cache_read=1_024, output=46, duration_ns=10 * S, resource=HOST),
        Span(1, 3, 9, duration_ns=S, resource=HOST, attributes={A.TOLLBOOK_CPU_TIME: S}),
        *(
            Span(1, 10 + n, 9, "look", start_ns=n * S, resource=HOST, attributes={A.TOLLBOOK_HANDOFF_OPERATION: "lookup"})
            for n in range(4)
        ),
        chat(2, 1, input=1_000, response_id="r"),
        chat(2, 2, 1, input=1_000, response_id="r"),
        chat(3, 1, model="no-such-model", input=5),
        chat(5, 1, scope="framework", input=700, start_ns=3_595 * S, duration_ns=20 * S),
        chat(5, 2, 1, scope="sdk", input=700, start_ns=3_605 * S, duration_ns=5 * S),
        Span(6, 1, start_ns=3_590 * S, duration_ns=30 * S, resource=HOST | {A.K8S_CLUSTER_NAME: "east"}),
    ]
    for span in spans:
        intake.spans([span])
    intake.spans([chat(4, 1, input=500)], NOON + timedelta(hours=1))
    intake.points([Point("process.cpu.time", seconds, seconds * S, cumulative=True, resource=HOST) for seconds in (1, 20, 30)])


@pytest.mark.slow
@pytest.mark.parametrize("where", [pytest.param("server", marks=pytest.mark.long), "cluster"])
def test_servers_settle_to_the_same_ledger(where: str, store: Store, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    servers: Store = request.getfixturevalue(where)
    results = []
    for each in (store, servers):
        take_in_two_hours(Intake(each, tmp_path), each)
        results.append((settle(each).amount_usd, settle(each, since=NOON).difference_usd, derived(each)))
        assert_the_ledger_balances(each)
    assert results[0][0] > 0
    assert results[1] == results[0]
    assert servers.query(RAN_ON) == [{"cluster": "east", "used_s": 10}, {"cluster": "east", "used_s": 20}]


@pytest.mark.slow
def test_late_spans_change_their_hour_on_a_cluster(cluster: Store, tmp_path: Path) -> None:
    intake = Intake(cluster, tmp_path)
    far = NOON + timedelta(days=3)
    intake.spans([chat(1, 1, input=1_000)], far)
    assert settle(cluster).amount_usd == Decimal("0.0025")
    intake.spans([chat(2, 1, input=1_000)], far)
    late = settle(cluster)
    assert (late.windows, late.difference_usd) == (1, Decimal("0.0025"))
    superseded.Removal.of(cluster).note([far])
    superseded.Removal.of(cluster).run(cluster, now=True)
    assert cluster.query(f"SELECT count() AS rows FROM calls_settled WHERE window = '{far:%Y-%m-%d %H:%M:%S}'") == [{"rows": 2}]


@pytest.mark.slow
@pytest.mark.parametrize("where", ["server", "cluster"])
def test_one_process_settles_at_a_time(where: str, request: pytest.FixtureRequest) -> None:
    servers: Store = request.getfixturevalue(where)
    with lease.held(servers, "settlement"), pytest.raises(lease.TakenError, match="another process has the settlement in hand"):
        settle(servers)
    settle(servers)
