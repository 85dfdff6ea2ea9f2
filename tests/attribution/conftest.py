"""Fixtures of the attribution tests: where to put facts, and what to ask afterwards."""

from functools import cache
from pathlib import Path

import pytest
from tollbook_attribution import price_list
from tollbook_attribution.prices import Price
from tollbook_schema.store import Store

from tests.attribution.facts import Intake


@pytest.fixture
def intake(store: Store, tmp_path: Path) -> Intake:
    """Where tests put their spans and metrics."""
    return Intake(store, tmp_path)


_read_book = price_list.rows_of_book


@cache
def _rows_of_book(book: str) -> tuple[Price, ...]:
    return tuple(_read_book(book))


@pytest.fixture(autouse=True)
def _price_list_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test begins with an empty store and so wants all prices again."""
    monkeypatch.setattr(price_list, "rows_of_book", _rows_of_book)
