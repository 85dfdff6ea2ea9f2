"""Spans are captured in memory; nothing here needs a collector unless a test starts its own."""

from collections.abc import Iterator

import pytest
from tollbook import shield, testing


@pytest.fixture
def captured() -> Iterator[testing.Captured]:
    with testing.capture() as captured:
        yield captured


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in production: our own faults are swallowed and counted."""
    monkeypatch.delenv("TOLLBOOK_STRICT", raising=False)
    shield.faults.clear()
    yield
    shield.faults.clear()
