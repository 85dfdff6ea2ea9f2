"""Tenants: whose facts they are is what the collector says, and a tenant's questions see no other's."""

from pathlib import Path
from typing import Any

import pytest
from tollbook_collector import segment as segments
from tollbook_schema.store import QueryError, Store, StoreError

from tests.schema.otlp import RECEIVED_AT, export, span

ESCAPES = [
    "SELECT count() FROM {table}",
    "SELECT count() FROM default.{table} AS t",
    "SELECT sum(1) FROM (SELECT * FROM {table})",
    "WITH {table} AS (SELECT * FROM default.{table}) SELECT count() FROM {table}",
    "SELECT (SELECT count() FROM {table})",
    "SELECT count() FROM numbers(1) AS n CROSS JOIN {table} AS t",
    "SELECT count() FROM (SELECT 1 UNION ALL SELECT 1 FROM {table}) HAVING count() > 1",
    "SELECT toUnixTimestamp(max(received_at)) FROM spans",
]
QUOTING = [
    "SELECT count() FROM spans WHERE throwIf(attributes['secret'] = 'of globex') = 0",
    "SELECT count() FROM spans WHERE toUInt64(attributes['secret']) = 1",
    "SELECT count() FROM otel_traces WHERE toUInt64(ResourceAttributes['service.name']) = 1",
    "SELECT count() FROM (SELECT * FROM spans) WHERE toUInt64(attributes['secret']) = 1",
    "SELECT count() FROM (SELECT DISTINCT attributes['secret'] AS s FROM spans) WHERE toUInt64(s) = 1",
    "SELECT count() FROM spans AS a JOIN spans AS b ON a.trace_id = b.trace_id AND toUInt64(b.attributes['secret']) = 1",
    "SELECT 1 WHERE 1 IN (SELECT toUInt64(attributes['secret']) FROM spans)",
    "SELECT max(toUInt64(attributes['secret'])) FROM spans",
]
"""Questions that fail on a row, with an error that quotes it."""

SHARED = {
    "prices", "current_prices", "instance_rates", "schema_migrations", "exchange_rates", "daily_exchange_rates", "model_aliases",
    "current_model_aliases", "discounts", "current_discounts",
}  # fmt: skip
REFUSED = [
    "SELECT * FROM merge('default', '{table}')",
    "SELECT * FROM system.parts",
    "SELECT * FROM `system`.tables",
    "SELECT * FROM INFORMATION_SCHEMA.TABLES",
    "SELECT 1 WHERE 1 IN system.one",
    "SHOW TABLES FROM system",
    "SELECT count() FROM {table} PREWHERE toUInt64(attributes['secret']) = 1",
    "EXPLAIN ESTIMATE SELECT * FROM {table}",
    "SELECT * FROM {table} SETTINGS additional_table_filters = {{}}",
]


@pytest.fixture
def shared(store: Store, tmp_path: Path) -> Store:
    """A store in which only the tenant globex has a span."""
    _load(store, tmp_path, [("globex", {"secret": "of globex", "tollbook.tenant": "acme"})])
    return store


def test_each_body_of_a_segment_is_of_its_own_tenant(store: Store, tmp_path: Path) -> None:
    _load(store, tmp_path, [("acme", {"n": "1"}), ("globex", {"n": "2"}), ("acme", {"n": "3", "tollbook.tenant": "globex"})])
    rows = store.query("SELECT tenant, attributes['n'] AS n, customer FROM spans ORDER BY n")
    assert [tuple(row.values()) for row in rows] == [("acme", "1", ""), ("globex", "2", ""), ("acme", "3", "globex")]


def test_a_file_without_bodies_is_the_default_tenants(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "plain"
    path.write_bytes(export(span({})).SerializeToString())
    store.load("spans", path, "plain", RECEIVED_AT)
    assert store.query("SELECT tenant FROM spans") == [{"tenant": "default"}]


def test_a_segment_whose_bodies_do_not_add_up_is_refused(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "segment"
    path.write_bytes(_record("acme", {}) + export(span({})).SerializeToString())
    with pytest.raises(StoreError):
        store.load("spans", path, "wrong", RECEIVED_AT)
    assert store.query("SELECT count() AS c FROM spans") == [{"c": 0}]


@pytest.mark.parametrize("statement", ESCAPES)
def test_a_tenant_sees_nothing_of_another(shared: Store, statement: str) -> None:
    for table in ("spans", "otel_traces"):
        assert shared.of("acme").read(statement.format(table=table)).rows in ([(0,)], [])
        assert shared.of("globex").read(statement.format(table=table)).rows not in ([(0,)], [])


@pytest.mark.parametrize("statement", QUOTING)
def test_no_error_quotes_a_row_of_another_tenant(shared: Store, statement: str) -> None:
    assert shared.of("acme").read(statement).rows in ([(0,)], [])
    with pytest.raises(QueryError):
        shared.of("globex").read(statement)


@pytest.mark.parametrize("statement", REFUSED)
def test_a_tenant_cannot_ask_around_its_share(shared: Store, statement: str) -> None:
    with pytest.raises(QueryError):
        shared.of("acme").read(statement.format(table="spans"))


def test_every_table_that_is_not_shared_is_confined(shared: Store) -> None:
    asked = "SELECT name FROM system.tables WHERE database = currentDatabase() AND position(create_table_query, '{') = 0"
    tables = [row["name"] for row in shared.query(asked)]  # views that want a parameter read such tables themselves
    for table in sorted(tables):
        assert table in SHARED or shared.of("acme").query(f"SELECT count() AS c FROM {table}") == [{"c": 0}], table


@pytest.mark.parametrize("name", ["", "A", "a b", "a'", "-a", "a" * 64, "../a", "a\n"])
def test_a_tenant_is_named_plainly(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="a tenant is named by"):
        store.of(name)


def _load(store: Store, folder: Path, bodies: list[tuple[str, dict[str, Any]]]) -> None:
    path = folder / "segment"
    path.write_bytes(b"".join(_record(tenant, attributes) for tenant, attributes in bodies))
    store.load("spans", path, str(path), RECEIVED_AT)


def _record(tenant: str, attributes: dict[str, Any]) -> bytes:
    body = export(span(attributes)).SerializeToString()
    return segments.frame(len(body), segments.digest("traces", tenant, body), resources=1, tenant=tenant) + body


def test_the_models_that_others_use_are_nobodys_business(store: Store) -> None:
    store.insert("model_names", [["house", "globex-secret-model"]], ["provider", "model"])
    assert store.of("acme").read("SELECT model FROM model_names").rows == []
    assert store.read("SELECT model FROM model_names").rows == [("globex-secret-model",)]
