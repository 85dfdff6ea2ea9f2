"""Two servers as one store: the same migrations, each fact on one node, each question over both."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tollbook_schema import sql
from tollbook_schema.cluster import Cluster, at_one_node, rendered, stored_tables
from tollbook_schema.store import QueryError, Store, StoreUnavailableError, migrations

from tests.clickhouse_server import CLUSTER, Server, clickhouse_cluster, cluster_url
from tests.schema.otlp import RECEIVED_AT, export, load, span

STATEMENTS = tuple(
    statement
    for migration in migrations()
    for statement in sql.statements(sql.text("tollbook_schema", f"migrations/{migration.name}"))
) + sql.statements(sql.text("tollbook_schema", "generated/columns.sql"))
STORED = stored_tables(STATEMENTS)
WITH_KEEPER = Cluster("main", 2, replicated=True)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server]]:
    with clickhouse_cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture
def cluster(nodes: list[Server]) -> Iterator[Store]:
    store = Store.open(url=cluster_url(nodes, f"t_{uuid.uuid4().hex}"), cluster=CLUSTER)
    store.migrate()
    yield store
    store.close()


@pytest.mark.slow
def test_facts_lie_on_two_nodes_and_are_found_once(cluster: Store, tmp_path: Path) -> None:
    bodies = [export(span(span_id=bytes([number] * 8)), resource={"service.name": "s"}) for number in range(1, 11)]
    for body in (*bodies, *bodies):
        load(cluster, tmp_path, body)
    assert cluster.query("SELECT count() AS n, uniqExact(span_id) AS ids FROM spans") == [{"n": 10, "ids": 10}]
    assert cluster.query("SELECT sum(facts) AS n FROM fact_hours WHERE signal = 'spans'") == [{"n": 10}]
    shares = [row["n"] for row in cluster.query("SELECT count() AS n FROM spans GROUP BY _shard_num")]
    assert len(shares) == 2
    assert sum(shares) == 10


@pytest.mark.slow
def test_a_tenant_sees_its_own_rows_of_both_nodes(cluster: Store, tmp_path: Path) -> None:
    for number in range(1, 11):
        load(cluster, tmp_path, export(span(span_id=bytes([number] * 8))))
    count = "SELECT count() AS n FROM {} WHERE span_id IN (SELECT span_id FROM spans)"
    assert cluster.of("default").query(count.format("spans")) == [{"n": 10}]
    assert cluster.of("other").query(count.format("spans")) == [{"n": 0}]
    assert cluster.of("other").query(count.format("spans_local")) == [{"n": 0}]
    assert cluster.of("other").read("SELECT count() FROM otel_traces").rows == [(0,)]
    cluster.insert("instance_rates", [("r", "box")], ("rate_id", "instance_type"))
    assert cluster.of("other").query("SELECT rate_id FROM instance_rates") == [{"rate_id": "r"}]


@pytest.mark.slow
def test_a_node_that_is_away_holds_up_its_own_segments_only(tmp_path: Path) -> None:
    with clickhouse_cluster(tmp_path) as nodes:
        store = Store.open(url=cluster_url(nodes), cluster=CLUSTER)
        store.migrate()
        nodes[1].kill()
        body = export(span()).SerializeToString()
        store.load_content("spans", body, "t", RECEIVED_AT, 0)
        with pytest.raises(StoreUnavailableError):
            store.load_content("spans", body, "t", RECEIVED_AT, 1)
        with pytest.raises(StoreUnavailableError):
            store.query("SELECT count() AS n FROM spans")
        nodes[1].start(nodes)
        store.load_content("spans", body, "t", RECEIVED_AT, 1)
        assert store.query("SELECT count() AS n FROM spans") == [{"n": 2}]
        store.close()


@pytest.mark.slow
def test_a_cluster_that_its_nodes_do_not_know_is_named(nodes: list[Server]) -> None:
    with pytest.raises(StoreUnavailableError, match="knows no cluster 'elsewhere'"):
        Store.open(url=cluster_url(nodes), cluster="elsewhere")


def test_several_servers_need_the_name_of_their_cluster() -> None:
    with pytest.raises(QueryError, match="TOLLBOOK_CLICKHOUSE_CLUSTER"):
        Store.open(url="http://default:secret@a:8123,b:8123/tollbook")


def test_every_statement_for_a_cluster_with_a_keeper_is_one_that_clickhouse_reads(embedded_store: Store) -> None:
    written = [text for statement in STATEMENTS for text in rendered(statement, STORED, WITH_KEEPER)]
    for text in written:
        embedded_store.query(f"EXPLAIN AST {text}")
    assert sum("ENGINE = Replicated" in text for text in written) == len(STORED)
    assert sum("ENGINE = Distributed('main'" in text for text in written) == len(STORED)
    assert not [text for text in written if "non_replicated" in text]


def test_a_table_becomes_one_for_the_node_and_one_for_all() -> None:
    statement = """CREATE TABLE IF NOT EXISTS f (
    a UInt8
)
ENGINE = SummingMergeTree(a)
ORDER BY a
SETTINGS non_replicated_deduplication_window = 9"""
    distributed = "CREATE TABLE IF NOT EXISTS f AS f_local ENGINE = Distributed('main', currentDatabase(), 'f_local', 0)"
    own = statement.replace(" f (", " f_local (")
    assert list(rendered(statement, frozenset({"f"}), Cluster("main", 2))) == [own, distributed]
    place = "'/clickhouse/tables/{shard}/{database}/f', '{replica}'"
    copied = own.replace("ENGINE = SummingMergeTree(a)", f"ENGINE = ReplicatedSummingMergeTree({place}, a)")
    copied = copied.replace("non_replicated", "replicated")
    assert list(rendered(statement, frozenset({"f"}), WITH_KEEPER)) == [copied, distributed]


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE VIEW IF NOT EXISTS v AS SELECT * FROM f", ["CREATE VIEW IF NOT EXISTS v AS SELECT * FROM f"]),
        (
            "CREATE MATERIALIZED VIEW IF NOT EXISTS m TO f AS SELECT a FROM f_in",
            ["CREATE MATERIALIZED VIEW IF NOT EXISTS m TO f_local AS SELECT a FROM f_in"],
        ),
        ("CREATE TABLE IF NOT EXISTS f_in AS f ENGINE = Null", ["CREATE TABLE IF NOT EXISTS f_in AS f_local ENGINE = Null"]),
        ("ALTER TABLE f ADD COLUMN b Int8", ["ALTER TABLE f_local ADD COLUMN b Int8", "ALTER TABLE f ADD COLUMN b Int8"]),
        ("ALTER TABLE f MODIFY TTL a", ["ALTER TABLE f_local MODIFY TTL a"]),
        ("ALTER TABLE f_in ADD COLUMN b Int8", ["ALTER TABLE f_in ADD COLUMN b Int8"]),
    ],
)
def test_statements_name_the_tables_that_they_work_on(statement: str, expected: list[str]) -> None:
    assert list(rendered(statement, frozenset({"f"}), Cluster("main", 2))) == expected


def test_a_settlement_works_on_one_node_with_the_facts_of_all() -> None:
    step = "INSERT INTO {0} SELECT * FROM {1} WHERE id IN (SELECT id FROM spans) AND s > (SELECT max(s) FROM {2})"
    tables = ("calls_settled", "work_calls", "settlements")
    assert at_one_node(step.format(*tables)) == step.format(*(f"{table}_local" for table in tables))


def test_what_is_deleted_at_one_node_is_its_own() -> None:
    statement = "DELETE FROM spans WHERE trace_id IN (SELECT trace_id FROM spans)"
    assert at_one_node(statement) == statement.replace("DELETE FROM spans", "DELETE FROM spans_local")
