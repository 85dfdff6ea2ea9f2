"""Fixtures of the machines' tests: where to put facts, in a store without any list's prices."""

from pathlib import Path

import pytest
from tollbook_attribution import price_list
from tollbook_schema.store import Store

from tests.attribution.facts import Intake


@pytest.fixture
def intake(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Intake:
    """Where tests put their spans and metrics. What models cost does not matter here, so their prices are not worked out."""
    monkeypatch.setattr(price_list, "seed", lambda _store: None)
    return Intake(store, tmp_path)
