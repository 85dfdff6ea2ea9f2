"""Fixtures of the report's tests: answers over the sample week, filled once for a module, and over nothing."""

import pytest
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers

from tests.attribution.facts import Intake
from tests.conftest import emptied
from tests.report import week


@pytest.fixture
def empty(store: Store) -> Answers:
    """Answers of a store that holds nothing; not for a module that uses `answers`."""
    return Answers(store)


@pytest.fixture(scope="module")
def answers(_session_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Answers of a store with the sample week, 2026-W47. For reading only: it is filled once for the module."""
    store = emptied(_session_store)
    week.fill(Intake(store, tmp_path_factory.mktemp("week")))
    return Answers(store)
