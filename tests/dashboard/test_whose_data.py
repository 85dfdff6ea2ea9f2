"""Whose data a page shows: that of the tenant whom the gate let in, and nobody's where the gate said nothing."""

from collections.abc import Callable, Iterator

import pytest
from streamlit.testing.v1 import AppTest
from tollbook_schema.keys import Principal, Scope
from tollbook_ui import answers
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import frame

from tests.dashboard.conftest import words

Shown = Callable[..., AppTest]


@pytest.fixture
def guarded(filled: Answers) -> Iterator[None]:
    """The pages stand behind a gate."""
    answers.set_current(filled, guarded=True)
    yield
    answers.set_current(filled)


def somebody(tenant: str | None) -> Principal:
    return Principal(tenant, frozenset({Scope.READ}), "", "<b>ann</b>")


@pytest.mark.parametrize(("tenant", "sees"), [("default", True), (None, True), ("umbrella", False)])
def test_a_page_shows_what_is_the_visitors(
    guarded: None, shown: Shown, monkeypatch: pytest.MonkeyPatch, tenant: str | None, sees: bool
) -> None:
    monkeypatch.setattr(frame, "visitor", lambda: somebody(tenant))
    page = words(shown("overview"))
    assert ("The store holds no spans" in page) is not sees
    assert ("Execution tax" in page) is sees


def test_a_page_without_a_visitor_shows_nothing(guarded: None, shown: Shown) -> None:
    assert "No store is open in this process" in words(shown("overview"))
