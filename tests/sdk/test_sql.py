"""What is read out of statements: what they do, with which tables, for certain and without their literals."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tollbook.integrations.sql import moment_ns, read, size_bytes


@pytest.mark.parametrize(
    ("text", "verb", "operation", "tables"),
    [
        ("SELECT * FROM orders", "SELECT", "read", ("orders",)),
        ("  -- from nothing\n select 1", "SELECT", "read", ()),
        ("/* from a */ SELECT 'from b', \"from c\" FROM d;", "SELECT", "read", ("d",)),
        ("SELECT a FROM s.orders o WHERE b = 'x FROM y'", "SELECT", "read", ("s.orders",)),
        ('SELECT a FROM "My Orders" AS o, `p` q JOIN [r] ON 1=1', "SELECT", "read", ("My Orders", "p", "r")),
        ("SELECT EXTRACT(YEAR FROM at) FROM t", "SELECT", "read", ("t",)),
        ("SELECT a IS DISTINCT FROM b FROM t FOR UPDATE", "SELECT", "read", ("t",)),
        ("SELECT * FROM (SELECT * FROM inner_one) x", "SELECT", "read", ("inner_one",)),
        ("SELECT * FROM generate_series(1, 3)", "SELECT", "read", ()),
        ("SELECT * FROM a WHERE id IN (SELECT id FROM b)", "SELECT", "read", ("a", "b")),
        ("WITH c AS (SELECT * FROM a) SELECT * FROM c JOIN b USING (id)", "SELECT", "read", ("a", "b")),
        ("WITH c AS (SELECT * FROM a) INSERT INTO t SELECT * FROM c", "INSERT", "write", ("t",)),
        ("(SELECT 1 FROM a) UNION (SELECT 2 FROM b)", "SELECT", "read", ("a", "b")),
        ("INSERT INTO orders (id, name) VALUES (?, ?) ON CONFLICT DO UPDATE SET a = 1", "INSERT", "write", ("orders",)),
        ("INSERT OR REPLACE INTO orders SELECT * FROM staging", "INSERT", "write", ("orders",)),
        ("UPDATE orders SET a = 1 FROM other", "UPDATE", "write", ("orders",)),
        ("DELETE FROM orders WHERE id = 1", "DELETE", "delete", ("orders",)),
        ("TRUNCATE TABLE orders", "TRUNCATE", "delete", ("orders",)),
        ("CREATE TABLE IF NOT EXISTS orders (id INT)", "CREATE", None, ()),
        ("CREATE TABLE orders AS SELECT * FROM staging", "CREATE", "write", ("orders",)),
        ("CREATE VIEW v AS SELECT * FROM orders", "CREATE", None, ()),
        ("DROP TABLE IF EXISTS orders", "DROP", "delete", ("orders",)),
        ("SELECT $$ FROM secret $$ FROM t", "SELECT", "read", ("t",)),
        ("SELECT 'it''s FROM a' FROM t", "SELECT", "read", ("t",)),
        ("BEGIN", "BEGIN", None, ()),
        ("COMMIT", "COMMIT", None, ()),
        ("PRAGMA table_info(orders)", "PRAGMA", None, ()),
        ("EXPLAIN SELECT * FROM a", "EXPLAIN", None, ()),
        ("", "", None, ()),
        ("'unterminated FROM a", "", None, ()),
        ("SELECT * FROM", "SELECT", "read", ()),
        (")))(((", "", None, ()),
    ],
)
def test_a_statement_is_read(text: str, verb: str, operation: str | None, tables: tuple[str, ...]) -> None:
    statement = read(text)
    assert (statement.verb, statement.operation, statement.tables) == (verb, operation, tables)


def test_values_have_the_sizes_that_the_page_says() -> None:
    assert size_bytes(["grün", b"abc", 1, 1.5, True, None, Decimal("1.50"), datetime.now(UTC), memoryview(b"xy")]) == 39
    assert size_bytes([object()]) is None


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 11, 22, 4, tzinfo=UTC),
        datetime(2026, 11, 22, 4),  # noqa: DTZ001 - as drivers give them
        "2026-11-22 04:00:00",
        "2026-11-22T05:00:00+01:00",
        1795320000,
        1795320000.0,
        1795320000000,
        1795320000000000,
        1795320000000000000,
        Decimal(1795320000),
    ],
)
def test_a_columns_moment_is_read_however_it_is_written(value: object) -> None:
    assert moment_ns(value) == 1_795_320_000_000_000_000


def test_what_is_no_moment_is_no_age() -> None:
    assert [moment_ns(value) for value in (None, "yesterday", True, b"x", "")] == [None] * 5
