"""Fixtures of the attribution tests: where to put facts, and what to ask afterwards."""

from pathlib import Path

import pytest
from tollbook_schema.store import Store

from tests.attribution.facts import Intake


@pytest.fixture
def intake(store: Store, tmp_path: Path) -> Intake:
    """Where tests put their spans and metrics."""
    return Intake(store, tmp_path)
