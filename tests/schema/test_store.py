"""Opening the store, embedded and as a server, and moving its schema."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tollbook_schema.store import SchemaTooNewError, Store, StoreError, StoreUnavailableError, migrations

from tests.clickhouse_server import clickhouse_server
from tests.schema.otlp import RECEIVED_AT, export, load, span


@pytest.fixture(scope="module")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with clickhouse_server(tmp_path_factory.mktemp("server")) as url:
        yield url


def test_a_server_stores_and_answers_as_the_embedded_engine_does(server_url: str, tmp_path: Path) -> None:
    server = Store.open(url=server_url)
    try:
        server.migrate()
        for _ in range(2):
            load(server, tmp_path, export(span({"gen_ai.usage.input_tokens": 5, "own": "ü\\'"}), resource={"service.name": "s"}))
        (stored,) = server.query("SELECT hex(trace_id) AS t, input_tokens, attributes, service_name FROM spans")
        assert stored == {
            "t": "000102030405060708090A0B0C0D0E0F",
            "input_tokens": 5,
            "attributes": {"own": "ü\\'"},
            "service_name": "s",
        }
        assert server.read("SELECT count() FROM spans").rows == [(1,)]
        with pytest.raises(StoreError):
            server.read("SELECT * FROM url('http://127.0.0.1:1', 'LineAsString')")
    finally:
        server.close()


def test_a_server_that_is_not_there_is_unavailable_not_wrong() -> None:
    with pytest.raises(StoreUnavailableError):
        Store.open(url="http://127.0.0.1:9/default")


def test_migrating_again_changes_nothing(store: Store) -> None:
    before = store.query("SELECT number, name FROM schema_migrations ORDER BY number")
    store.migrate()
    assert store.query("SELECT number, name FROM schema_migrations ORDER BY number") == before
    assert [row["number"] for row in before] == [migration.number for migration in migrations()]


def test_a_database_newer_than_the_program_is_refused(server_url: str) -> None:
    newer = Store.open(url=server_url)
    try:
        newer.migrate()
        newer.insert("schema_migrations", [(9999, "9999_future.sql")], ("number", "name"))
        with pytest.raises(SchemaTooNewError, match="has schema 9999, this release knows up to"):
            newer.migrate()
    finally:
        newer.command("DELETE FROM schema_migrations WHERE number = 9999")
        newer.close()


def test_a_second_process_cannot_open_the_same_folder(embedded_store: Store) -> None:
    folder = Path(embedded_store.place).parent
    script = f"from pathlib import Path; from tollbook_schema.store import Store; Store.open(Path({str(folder)!r}))"
    second = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert second.returncode == 1
    assert "StoreBusyError: the data folder is open in another process" in second.stderr.splitlines()[-1]
    assert embedded_store.ping()


def test_what_clickhouse_refuses_is_no_matter_for_another_try(store: Store, tmp_path: Path) -> None:
    segment = tmp_path / "bad.segment"
    segment.write_bytes(export(span(trace_id=b"\x01" * 17)).SerializeToString())
    with pytest.raises(StoreError) as refused:
        store.load("spans", segment, "t", RECEIVED_AT)
    assert not isinstance(refused.value, StoreUnavailableError)
    assert store.query("SELECT count() AS n FROM spans") == [{"n": 0}]


def test_a_missing_segment_is_an_error_that_names_it(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"gone\.segment"):
        store.load("spans", tmp_path / "gone.segment", "t", RECEIVED_AT)


def test_an_open_names_one_place() -> None:
    with pytest.raises(ValueError, match="a data folder or a server"):
        Store.open()
