"""Fixtures that every part's tests share: a real store, empty and migrated."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("TOLLBOOK_STRICT", "1")

from tollbook_schema.store import Store

from tests.soak.figures import (  # noqa: F401 - a plugin
    fault,
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_runtest_makereport,
    pytest_terminal_summary,
)

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Real inputs beside the project; tests that want them skip where they are not."""


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are named by their length: the content of some, gzip's with its time, differs from worker to worker."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


FILLED_TABLES = """
SELECT name FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'schema_migrations' AND total_rows > 0
"""


@pytest.fixture(scope="session")
def _session_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store.open(tmp_path_factory.mktemp("store"))
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def store(_session_store: Store) -> Store:
    """An empty, migrated store. One embedded database serves all tests of a process, which can open no second one."""
    for table in _session_store.query(FILLED_TABLES):
        _session_store.command(f"TRUNCATE TABLE {table['name']}")
    return _session_store


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real inputs, or a skip that says so."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real inputs at {SHARED_DATA}")
    return SHARED_DATA
