"""How long facts are kept."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tollbook_schema import retention
from tollbook_schema.retention import Retention
from tollbook_schema.store import Store

from tests.clickhouse_server import CLUSTER, clickhouse_cluster, cluster_url

INSERT = """
INSERT INTO {table:Identifier} (received_at)
SELECT now('UTC') - toIntervalDay({days:UInt32}) + toIntervalMinute({minutes:Int32})
"""
AGES = "SELECT dateDiff('day', received_at, now('UTC')) AS days FROM spans ORDER BY days"


@pytest.fixture
def kept(store: Store) -> Iterator[Store]:
    """A store whose retention is for ever again afterwards."""
    yield store
    retention.apply(store, Retention())


def test_without_a_setting_facts_are_kept_for_ever(store: Store) -> None:
    assert retention.in_force(store) == {"spans": 0, "long_spans": 0, "span_content": 0, "metrics": 0, "logs": 0}


@pytest.mark.parametrize(
    ("wanted", "spans", "content"),
    [(Retention(90), 90, 90), (Retention(90, 7), 90, 7), (Retention(0, 7), 0, 7), (Retention(7, 90), 7, 7)],
)
def test_content_is_kept_no_longer_than_its_spans(kept: Store, wanted: Retention, spans: int, content: int) -> None:
    retention.apply(kept, wanted)
    facts = dict.fromkeys(retention.FACTS, spans)
    assert retention.in_force(kept) == {**facts, "span_content": content}
    retention.apply(kept, Retention())
    assert set(retention.in_force(kept).values()) == {0}


def test_what_is_older_goes_and_what_is_younger_stays(kept: Store) -> None:
    for days, minutes in ((0, 0), (2, 5), (3, -5), (40, 0)):
        kept.command(INSERT, {"table": "spans", "days": days, "minutes": minutes})
    retention.apply(kept, Retention(facts_days=3))
    deadline = time.monotonic() + 30
    while len(ages := [row["days"] for row in kept.query(AGES)]) > 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert ages == [0, 2]


@pytest.mark.slow
def test_every_node_of_a_cluster_keeps_its_facts_as_long(tmp_path: Path) -> None:
    with clickhouse_cluster(tmp_path) as nodes:
        store = Store.open(url=cluster_url(nodes), cluster=CLUSTER)
        store.migrate()
        retention.apply(store, Retention(30, 7))
        store.close()
        for node in nodes:
            alone = Store.open(url=node.url)
            assert retention.in_force(alone) == {"spans": 30, "long_spans": 30, "metrics": 30, "logs": 30, "span_content": 7}
            alone.close()
