"""SQLAlchemy, real, on SQLite: each statement is one handoff with its rows, whatever else is instrumented."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tollbook
from tollbook import shield
from tollbook.integrations import sql
from tollbook.integrations.dbapi import Sqlite3Instrumentor
from tollbook.integrations.sqlalchemy import SQLAlchemyInstrumentor
from tollbook.testing import Captured

sqlalchemy = pytest.importorskip("sqlalchemy")


@pytest.fixture(autouse=True)
def _instrumented() -> Iterator[None]:
    SQLAlchemyInstrumentor().instrument()
    Sqlite3Instrumentor().instrument()  # beneath: a query is seen once
    yield
    Sqlite3Instrumentor().uninstrument()
    SQLAlchemyInstrumentor().uninstrument()


@pytest.fixture
def engine(tmp_path: Path, captured: Captured) -> Iterator[Any]:
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/shop.db")
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, updated_at TEXT)"))
    yield engine
    engine.dispose()


def fill(engine: Any, count: int = 3) -> None:
    rows = [{"name": "grün", "at": f"2026-11-22 0{number % 10}:00:00"} for number in range(count)]
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("INSERT INTO orders (name, updated_at) VALUES (:name, :at)"), rows)


def attributes_of(captured: Captured, name: str) -> dict[str, Any]:
    return {key: value for key, value in captured.attributes(name).items() if key != "tollbook.cpu.time"}


def test_five_lines_that_write_and_read_rows_are_two_handoffs(captured: Captured, engine: Any) -> None:
    fill(engine)
    with engine.connect() as connection:
        rows = connection.execute(sqlalchemy.text("SELECT id, name FROM orders WHERE id > :id"), {"id": 1}).all()
    assert rows == [(2, "grün"), (3, "grün")]
    same = {
        "tollbook.kind": "handoff",
        "tollbook.handoff.network": "local_disk",
        "tollbook.asset.id": "sqlite:shop.db.orders",
        "db.system.name": "sqlite",
        "db.collection.name": "orders",
    }
    assert attributes_of(captured, "INSERT orders") == {
        **same,
        "tollbook.handoff.operation": "write",
        "tollbook.handoff.destination": "sqlite:shop.db",
        "tollbook.handoff.records": 3,
        "tollbook.handoff.size": 3 * (5 + 19),
        "db.operation.name": "INSERT",
    }
    assert attributes_of(captured, "SELECT orders") == {
        **same,
        "tollbook.handoff.operation": "read",
        "tollbook.handoff.source": "sqlite:shop.db",
        "tollbook.handoff.records": 2,
        "tollbook.handoff.size": 8 + 2 * (8 + 5),
        "db.operation.name": "SELECT",
    }
    assert captured.names == ["INSERT orders", "SELECT orders"]


@pytest.mark.parametrize("sqlite3_too", [False, True])
def test_contribs_spans_are_told_what_they_lack(captured: Captured, tmp_path: Path, sqlite3_too: bool) -> None:
    from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor as Contribs
    from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor

    Contribs().instrument(tracer_provider=captured.provider, skip_dep_check=True)  # it knows no SQLAlchemy 2.1 yet, and works
    if sqlite3_too:
        SQLite3Instrumentor().instrument(tracer_provider=captured.provider)
    try:
        engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/shop.db")
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE orders (id INTEGER PRIMARY KEY, name TEXT, updated_at TEXT)"))
        fill(engine)
        with engine.connect() as connection:
            assert len(connection.execute(sqlalchemy.text("SELECT * FROM orders")).fetchall()) == 3
        engine.dispose()
    finally:
        Contribs().uninstrument()
        if sqlite3_too:
            SQLite3Instrumentor().uninstrument()
    told = [
        (span.instrumentation_scope.name.rpartition(".")[2], span.attributes["tollbook.handoff.records"])
        for span in captured.spans
        if span.instrumentation_scope and span.attributes and "tollbook.handoff.records" in span.attributes
    ]
    assert told == [("sqlalchemy", 3), ("sqlalchemy", 3)]


WAYS: list[Any] = [
    lambda result: result.all(),
    lambda result: result.fetchall(),
    list,
    lambda result: [row for part in result.partitions(4) for row in part],
    lambda result: result.scalars().all(),
    lambda result: result.mappings().all(),
    lambda result: [*iter(result.fetchone, None)],
    lambda result: [*iter(lambda: tuple(result.fetchmany(3)), ())],
]


@pytest.mark.parametrize("options", [{}, {"stream_results": True}, {"yield_per": 2}])
@pytest.mark.parametrize("way", WAYS)
def test_rows_are_counted_however_they_are_read(captured: Captured, engine: Any, way: Any, options: Any) -> None:
    fill(engine, 10)
    with engine.connect().execution_options(**options) as connection:
        way(connection.execute(sqlalchemy.text("SELECT name FROM orders")))
    assert captured.attributes("SELECT orders")["tollbook.handoff.records"] == 10
    assert captured.attributes("SELECT orders")["tollbook.handoff.size"] == 50


def test_a_result_that_is_left_ends_with_what_was_read(captured: Captured, engine: Any) -> None:
    fill(engine, 10)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT name FROM orders")).first()
        assert captured.attributes("SELECT orders")["tollbook.handoff.records"] == 1
        result = connection.execute(sqlalchemy.text("SELECT id FROM orders"))
        result.close()
        left = connection.execute(sqlalchemy.text("SELECT name, id FROM orders"))
        del left
        gc.collect()
    assert [(span.attributes or {})["tollbook.handoff.records"] for span in captured.spans[1:]] == [1, 0, 0]


def test_the_orm_and_pandas_are_seen(captured: Captured, engine: Any) -> None:
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    class Base(DeclarativeBase):
        pass

    class Order(Base):
        __tablename__ = "orders"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]

    with Session(engine) as session:
        session.add_all([Order(name="a"), Order(name="b")])
        session.commit()
        assert len(session.scalars(sqlalchemy.select(Order)).all()) == 2
    pd = pytest.importorskip("pandas")
    assert len(pd.read_sql("SELECT name FROM orders", engine)) == 2
    assert [(span.attributes or {})["tollbook.handoff.records"] for span in captured.spans if span.name == "SELECT orders"] == [
        2,
        2,
    ]
    inserted = [(span.attributes or {})["tollbook.handoff.records"] for span in captured.spans if span.name == "INSERT orders"]
    assert sum(inserted) == 2


def test_a_declared_column_tells_the_age_of_the_rows(captured: Captured, engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "_age_columns", {})
    sql.age_column("orders", "updated_at")
    fill(engine)
    with tollbook.request("r"):
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT id, updated_at FROM orders")).all()
        with tollbook.inference("m"):
            pass
    attributes = captured.attributes("inference m")
    assert attributes["tollbook.input.event_time.oldest"] == 1_795_305_600_000_000_000
    assert attributes["tollbook.input.event_time.newest"] == 1_795_312_800_000_000_000
    assert attributes["tollbook.input.asset.ids"] == ("sqlite:shop.db.orders",)
    assert captured.attributes("SELECT orders")["tollbook.asset.event_time"] == 1_795_312_800_000_000_000


def test_a_large_answer_has_no_size_but_records(captured: Captured, engine: Any) -> None:
    fill(engine, 1001)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT name FROM orders")).all()
    attributes = captured.attributes("SELECT orders")
    assert attributes["tollbook.handoff.records"] == 1001
    assert "tollbook.handoff.size" not in attributes


def test_an_error_stays_the_applications(captured: Captured, engine: Any) -> None:
    with engine.connect() as connection, pytest.raises(sqlalchemy.exc.OperationalError, match="no such table: nowhere"):
        connection.execute(sqlalchemy.text("SELECT * FROM nowhere WHERE a = 'a secret'"))
    assert captured.attributes("SELECT nowhere")["error.type"] == "sqlite3.OperationalError"
    assert "secret" not in str(captured.spans[0].to_json())


@pytest.mark.parametrize(
    "hook",
    [
        "tollbook.integrations.sql.read",
        "tollbook.integrations.sql.Query.fetched",
        "tollbook.integrations.sql.Query.ran",
        "tollbook.integrations.sqlalchemy._database",
        "opentelemetry.sdk.trace.Tracer.start_span",
        "opentelemetry.sdk.trace.Span.set_attributes",
        "opentelemetry.sdk.trace.Span.end",
    ],
)
def test_a_fault_in_any_hook_leaves_the_statement_alone(
    lenient: None, captured: Captured, engine: Any, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    def broken(*_args: Any, **_kwargs: Any) -> Any:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(hook, broken)
    fill(engine)
    with engine.connect() as connection:
        assert len(connection.execute(sqlalchemy.text("SELECT * FROM orders")).all()) == 3
        assert connection.execute(sqlalchemy.text("SELECT * FROM orders")).fetchone() is not None
        with pytest.raises(sqlalchemy.exc.OperationalError):
            connection.execute(sqlalchemy.text("SELECT * FROM nowhere"))
    assert shield.faults
