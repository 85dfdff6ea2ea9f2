"""The dashboard of `tollbook up` in a real browser; `visit` ends each test with a look at its console and its requests."""

import pytest

from tests.dashboard.chromium import Visit
from tests.dashboard.conftest import PAGES

pytestmark = pytest.mark.browser


def test_every_page_draws_with_data(visit: Visit, busy: str) -> None:
    for name in PAGES:
        text = visit.see(f"{busy}/{name}")
        assert text.startswith(name.capitalize())
        assert "Nothing here yet" not in text
        assert "Traceback" not in text


def test_every_page_draws_with_an_empty_store(visit: Visit, idle: str, request: pytest.FixtureRequest) -> None:
    """Some of them in CI: `test_empty_pages` has all of them without a browser."""
    for name in PAGES if request.config.getoption("--soak") else PAGES[::4]:
        text = visit.see(f"{idle}/{name}" if name != "overview" else idle)
        assert "Nothing here yet" in text
        assert f"ENDPOINT={idle} " in text


def test_a_click_on_a_span_shows_all_that_is_stored_of_it(visit: Visit, busy: str) -> None:
    assert "Receipt" in visit.see(f"{busy}/requests?trace_id={4:032x}")
    rows = visit.page.locator("#waterfall .row")
    rows.nth(8).wait_for()
    assert rows.count() == 9  # a head and eight spans
    rows.filter(has_text="classify magika").click()
    visit.page.wait_for_selector("text=Attribute of the span")
    assert "magika" in visit.text()


def test_a_link_to_an_example_keeps_the_filters(visit: Visit, busy: str) -> None:
    visit.see(f"{busy}/hotspots?team=search")
    visit.page.locator(".tb-table a").first.click()
    visit.page.wait_for_url("**/requests?*")
    assert "Receipt" in visit.text()
    assert "team=search" in visit.page.url
