from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from tollbook_schema.store import Store, StoreUnavailableError
from tollbook_ui import answers
from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import mount

from tests.attribution.facts import Intake, Span
from tests.dashboard.conftest import PAGES, words

Shown = Callable[..., AppTest]


class Down(Answers):
    """Answers of a store that has gone."""

    def extent(self) -> f.Extent:
        raise StoreUnavailableError("connection refused by http://localhost:8123")


@pytest.fixture
def gone(store: Store) -> Iterator[None]:
    answers.set_current(Down(store))
    yield
    answers.set_current(None)


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_store_says_what_to_run_next(shown: Shown, name: str, empty: Answers) -> None:
    page = shown(name)
    assert not page.exception
    assert "Nothing here yet" in words(page)
    assert "tollbook demo" in words(page)
    assert "tollbook ingest FILE" in words(page)


def test_spans_without_a_ledger_say_that_they_wait(shown: Shown, store: Store, empty: Answers, tmp_path: Path) -> None:
    Intake(store, tmp_path).spans([Span(1, 1)])
    page = words(shown("overview"))
    assert "Spans are here, the ledger is not" in page
    assert "tollbook settle" in page


@pytest.mark.parametrize("name", PAGES)
def test_a_store_that_is_down_is_told_without_a_traceback(shown: Shown, name: str, gone: None) -> None:
    page = shown(name)
    assert not page.exception
    assert "The store does not answer" in words(page)
    assert "connection refused by http://localhost:8123" in words(page)


def test_a_dashboard_without_a_store_says_how_to_start_one(shown: Shown) -> None:
    page = shown("overview")
    assert not page.exception
    assert "No store is open in this process" in words(page)
    assert "tollbook up" in words(page)


def test_the_script_itself_opens_on_the_overview() -> None:
    page = AppTest.from_file(mount.SCRIPT, default_timeout=60).run()
    assert not page.exception
    assert [title.value for title in page.title] == ["Overview"]
