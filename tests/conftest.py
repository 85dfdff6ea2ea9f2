"""Fixtures that every part's tests share: a real store, empty and migrated; embedded, or on a server with `--store server`."""

import contextlib
import os
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import pytest

os.environ.setdefault("TOLLBOOK_STRICT", "1")

from tollbook_attribution import price_list
from tollbook_attribution.prices import Price
from tollbook_schema.store import Store

from tests.clickhouse_server import clickhouse_server
from tests.processes import end_noted
from tests.soak import figures
from tests.soak.figures import fault, pytest_runtest_makereport, pytest_terminal_summary  # noqa: F401 - a plugin

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Real inputs beside the project; tests that want them skip where they are not."""


RULES = frozenset((
    "dialects", "money", "prices", "machines", "transfer", "usage", "bills", "answers",
    "test_tokens.py", "test_roles.py", "test_findings.py", "test_lineage.py", "test_orders.py",
    "test_sign_in.py", "test_oidc.py", "test_empty_pages.py", "test_weeks.py", "test_door.py", "test_otlp_http.py",
))  # fmt: skip
"""Folders and files of tests that are about rules, not engines: on a server they run with `--store server --soak` only."""


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are named by their length: the content of some, gzip's with its time, differs from worker to worker."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


def pytest_addoption(parser: pytest.Parser) -> None:
    figures.pytest_addoption(parser)
    parser.addoption("--store", choices=("embedded", "server"), default="embedded", help="engine under the `store` fixture")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--store server`, only the tests that use the store; the others would do the same again."""
    figures.pytest_collection_modifyitems(config, items)
    if not config.getoption("--soak"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="long: make soak"))
    if config.getoption("--store") == "server":
        everything = config.getoption("--soak")
        using = [
            item
            for item in items
            if "store" in getattr(item, "fixturenames", ()) and (everything or RULES.isdisjoint(item.path.parts[-2:]))
        ]
        config.hook.pytest_deselected(items=[item for item in items if item not in using])
        items[:] = using


def pytest_sessionfinish() -> None:
    """No process outlives its tests."""
    end_noted()


FILLED_TABLES = """
SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations' AND total_rows > 0
"""


def emptied(store: Store, kept: Collection[str] = ()) -> Store:
    """The store without a row, but for those of tables that are kept."""
    for name in (row["name"] for row in store.query(FILLED_TABLES)):
        if name not in kept:
            store.command(f"TRUNCATE TABLE {name}")
    return store


_read_book = price_list.rows_of_book


@cache
def _rows_of_book(book: str) -> tuple[Price, ...]:
    return tuple(_read_book(book))


@pytest.fixture(scope="session")
def _session_store(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("store")
    with contextlib.ExitStack() as stack:
        on_server = request.config.getoption("--store") == "server"
        url = stack.enter_context(clickhouse_server(folder)) if on_server else None
        store = stack.enter_context(contextlib.closing(Store.open(None if url else folder, url)))
        store.migrate()
        price_list.rows_of_book = _rows_of_book  # every test begins with an empty store, and so wants all prices again
        yield store


@pytest.fixture
def store(_session_store: Store) -> Store:
    """An empty, migrated store. One embedded database serves all tests of a process, which can open no second one."""
    return emptied(_session_store)


@pytest.fixture
def embedded_store(store: Store) -> Store:
    """The store, where it is embedded; a skip where it is not."""
    if not store.embedded:
        pytest.skip("of the embedded engine only")
    return store


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real inputs, or a skip that says so."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real inputs at {SHARED_DATA}")
    return SHARED_DATA
