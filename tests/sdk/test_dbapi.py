"""Drivers of databases, sqlite3 for real: each statement is a handoff with its rows, and all types stay what they are."""

import contextlib
import gc
import pickle
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tollbook
from tollbook import shield
from tollbook.integrations import sql
from tollbook.integrations.dbapi import Sqlite3Instrumentor
from tollbook.testing import Captured

ROWS = [("grün", b"abc"), ("b", None), ("c", b"")]


@pytest.fixture(autouse=True)
def _instrumented() -> Iterator[None]:
    Sqlite3Instrumentor().instrument()
    yield
    Sqlite3Instrumentor().uninstrument()


@pytest.fixture
def shop(tmp_path: Path, captured: Captured) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE orders (name TEXT, data BLOB)")
        yield connection


def attributes_of(captured: Captured, name: str) -> dict[str, Any]:
    return {key: value for key, value in captured.attributes(name).items() if key != "tollbook.cpu.time"}


def test_five_lines_that_write_and_read_rows_are_two_handoffs(captured: Captured, shop: sqlite3.Connection) -> None:
    shop.executemany("INSERT INTO orders VALUES (?, ?)", ROWS)
    shop.commit()
    assert shop.execute("SELECT * FROM orders WHERE name > ?", ("a",)).fetchall() == ROWS
    same = {
        "tollbook.kind": "handoff",
        "tollbook.handoff.network": "local_disk",
        "tollbook.handoff.records": 3,
        "tollbook.asset.id": "sqlite:shop.db.orders",
        "db.system.name": "sqlite",
        "db.collection.name": "orders",
    }
    assert attributes_of(captured, "INSERT orders") == {
        **same,
        "tollbook.handoff.operation": "write",
        "tollbook.handoff.destination": "sqlite:shop.db",
        "tollbook.handoff.size": 10,
        "db.operation.name": "INSERT",
    }
    assert attributes_of(captured, "SELECT orders") == {
        **same,
        "tollbook.handoff.operation": "read",
        "tollbook.handoff.source": "sqlite:shop.db",
        "tollbook.handoff.size": 11,
        "db.operation.name": "SELECT",
    }
    assert captured.names == ["INSERT orders", "SELECT orders"]


def test_contribs_spans_are_told_what_they_lack(captured: Captured, tmp_path: Path) -> None:
    from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor

    SQLite3Instrumentor().instrument(tracer_provider=captured.provider)
    try:
        with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
            cursor = connection.cursor()
            cursor.execute("CREATE TABLE orders (name TEXT, data BLOB)")
            cursor.executemany("INSERT INTO orders VALUES (?, ?)", ROWS)
            cursor.execute("SELECT * FROM orders")
            busy_until = time.thread_time() + 0.05
            while time.thread_time() < busy_until:
                pass
            assert len(cursor.fetchall()) == 3
            cursor.close()
    finally:
        SQLite3Instrumentor().uninstrument()
    assert captured.names == ["CREATE", "INSERT", "SELECT"]
    assert captured.attributes("INSERT")["tollbook.handoff.records"] == 3
    assert captured.attributes("SELECT")["tollbook.handoff.records"] == 3
    assert captured.attributes("SELECT")["tollbook.handoff.source"] == "sqlite:shop.db"
    assert captured.attributes("SELECT")["tollbook.cpu.time"] < 40_000_000, (
        "what the program does meanwhile is not the statement's"
    )


def test_bytes_of_literals_are_not_told(captured: Captured, shop: sqlite3.Connection) -> None:
    shop.execute("INSERT INTO orders VALUES ('text of its own', NULL)")
    assert captured.attributes("INSERT orders")["tollbook.handoff.records"] == 1
    assert "tollbook.handoff.size" not in captured.attributes("INSERT orders")


WAYS: list[Any] = [
    lambda cursor: cursor.fetchall(),
    list,
    lambda cursor: [*iter(cursor.fetchone, None)],
    lambda cursor: [*iter(lambda: tuple(cursor.fetchmany(2)), ())],
]


@pytest.mark.parametrize("way", WAYS)
def test_rows_are_counted_however_they_are_read(captured: Captured, shop: sqlite3.Connection, way: Any) -> None:
    shop.executemany("INSERT INTO orders VALUES (?, ?)", ROWS)
    way(shop.execute("SELECT name FROM orders"))
    attributes = captured.attributes("SELECT orders")
    assert (attributes["tollbook.handoff.records"], attributes["tollbook.handoff.size"]) == (3, 7)


def test_a_cursor_that_is_closed_reused_or_left_ends_its_statement(captured: Captured, shop: sqlite3.Connection) -> None:
    shop.executemany("INSERT INTO orders VALUES (?, ?)", ROWS)
    cursor = shop.cursor()
    cursor.execute("SELECT name FROM orders")
    cursor.fetchone()
    cursor.execute("SELECT data FROM orders")
    cursor.close()
    left = shop.execute("SELECT 1 FROM orders")
    left.fetchone()
    del left
    gc.collect()
    assert [(span.attributes or {})["tollbook.handoff.records"] for span in captured.spans[1:]] == [1, 0, 1]


def test_types_stay_what_they_are(captured: Captured, tmp_path: Path) -> None:
    class Mine(sqlite3.Connection):
        extra = 1

    class MyCursor(sqlite3.Cursor):
        extra = 2

    for connection in (
        sqlite3.connect(":memory:"),
        sqlite3.connect(":memory:", factory=Mine),
        sqlite3.connect(":memory:", 5.0, 0, None, True, Mine),
        sqlite3.dbapi2.connect(database=":memory:"),
        sqlite3.connect("file:memory?mode=memory", uri=True),
    ):
        with contextlib.closing(connection):
            assert isinstance(connection, sqlite3.Connection)
            assert type(connection).__name__ in {"Connection", "Mine"}
            assert getattr(connection, "extra", 1) == 1
            cursor = connection.cursor()
            assert isinstance(cursor, sqlite3.Cursor)
            assert cursor.connection is connection
            assert connection.cursor(MyCursor).extra == 2
            assert connection.cursor(factory=MyCursor).execute("SELECT 1").fetchone() == (1,)
            connection.row_factory = sqlite3.Row
            assert connection.execute("SELECT 1 AS one").fetchone()["one"] == 1
            connection.row_factory = lambda _cursor, row: {"made": row[0]}
            assert connection.execute("SELECT 1").fetchone() == {"made": 1}
            connection.row_factory = lambda _cursor, row: object()
            assert len(connection.execute("SELECT 1").fetchall()) == 1
            with pytest.raises(TypeError, match="cannot pickle"):
                pickle.dumps(connection)
            with pytest.raises(TypeError):
                connection.cursor(1, 2)  # type: ignore[call-overload]
            with connection:
                connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (1);")
            with pytest.raises(TypeError):
                cursor.execute()  # type: ignore[call-arg]
    assert (
        captured.attributes(captured.names[0])["tollbook.handoff.network"] == "in_process" if len(captured.names) == 1 else True
    )


def test_a_declared_column_tells_the_age_of_the_rows(
    captured: Captured, shop: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "_age_columns", {})
    sql.age_column("orders", "name")
    shop.executemany("INSERT INTO orders VALUES (?, ?)", [("2026-11-22 04:00:00", None), ("2026-11-21 04:00:00", None)])
    with tollbook.request("r"):
        shop.execute("SELECT * FROM orders").fetchall()
        with tollbook.inference("m"):
            pass
    assert captured.attributes("inference m")["tollbook.input.event_time.oldest"] == 1_795_233_600_000_000_000


def test_an_error_stays_the_applications(captured: Captured, shop: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        shop.execute("SELECT * FROM nowhere WHERE a = 'a secret'")
    with pytest.raises(sqlite3.ProgrammingError):
        shop.execute("SELECT * FROM orders WHERE name = ?", ())
    assert captured.attributes("SELECT nowhere")["error.type"] == "sqlite3.OperationalError"
    assert "secret" not in captured.spans[0].to_json()


def test_connections_opened_before_go_on_after_uninstrumenting(captured: Captured, shop: sqlite3.Connection) -> None:
    Sqlite3Instrumentor().uninstrument()
    with contextlib.closing(sqlite3.connect(":memory:")) as bare:
        assert type(bare) is sqlite3.Connection
    shop.execute("INSERT INTO orders VALUES ('a', NULL)")
    Sqlite3Instrumentor().instrument()


@pytest.mark.parametrize(
    "hook",
    [
        "tollbook.integrations.sql.read",
        "tollbook.integrations.sql.Query.fetched",
        "tollbook.integrations.sql.Query.ran",
        "tollbook.integrations.sql.Query.sends",
        "tollbook.integrations.dbapi._seen",
        "opentelemetry.sdk.trace.Tracer.start_span",
        "opentelemetry.sdk.trace.Span.set_attributes",
        "opentelemetry.sdk.trace.Span.end",
    ],
)
def test_a_fault_in_any_hook_leaves_the_statement_alone(
    lenient: None, captured: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    def broken(*_args: Any, **_kwargs: Any) -> Any:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(hook, broken)
    with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as shop:
        shop.execute("CREATE TABLE orders (name TEXT, data BLOB)")
        shop.executemany("INSERT INTO orders VALUES (?, ?)", ROWS)
        assert shop.execute("SELECT * FROM orders").fetchall() == ROWS
        with pytest.raises(sqlite3.OperationalError):
            shop.execute("SELECT * FROM nowhere")
    assert shield.faults
