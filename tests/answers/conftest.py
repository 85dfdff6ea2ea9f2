"""Answers over two weeks of settled hours, written once for a module."""

from datetime import timedelta

import pytest
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers

from tests.answers.books import MONDAY, Spent, write
from tests.conftest import emptied

HOUR, WEEK = timedelta(hours=1), timedelta(weeks=1)

BEFORE = [
    Spent(MONDAY, "agents", "10", 100, quantity=100_000, more={"team": "core"}),
    Spent(MONDAY, "search", "6", 60, quantity=60_000, more={"team": "search"}),
    Spent(MONDAY, "search", "0.9", 3, quantity=3_000, model="small", more={"team": "search"}),
    Spent(MONDAY + HOUR, "mail", "3", 30, quantity=30_000, more={"team": "core", "basis": "estimated"}),
    Spent(MONDAY, "", "2", category="compute", item="cpu", unit="second", allocation="idle"),
    Spent(MONDAY, "agents", "1", 5, category="compute", item="cpu", unit="second", more={"team": "core", "waste": "failed"}),
]
AFTER = [
    Spent(MONDAY + WEEK, "agents", "14", 140, quantity=140_000, more={"team": "core"}),
    Spent(MONDAY + WEEK, "search", "6", 60, quantity=60_000, more={"team": "search"}),
    Spent(MONDAY + WEEK + HOUR, "mail", "3.3", 30, quantity=30_000, more={"team": "core"}),
    Spent(MONDAY + WEEK, "drafts", "0.5", 1, quantity=300, more={"team": "core", "input_tokens": 200, "output_tokens": 100}),
    Spent(MONDAY + WEEK, "drafts", "0", 4, model="house-9", priced=False, more={"team": "core", "input_tokens": 25}),
    Spent(MONDAY + WEEK, "", "2.5", category="compute", item="cpu", unit="second", allocation="idle"),
]


@pytest.fixture(scope="module")
def answers(_session_store: Store) -> Answers:
    """Answers over both weeks. Tests of a module that asks for them must not ask for an empty `store`."""
    store = emptied(_session_store)
    write(store, [*BEFORE, *AFTER])
    return Answers(store)
