"""The dashboard in a real browser: every page draws, the console stays silent, and no other host is asked for anything."""

import pytest

from tests.dashboard.chromium import Visit
from tests.dashboard.conftest import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("filled")]


def test_every_page_draws_in_a_browser(visit: Visit) -> None:
    for name in PAGES:
        text = visit.see("" if name == "overview" else name)
        assert text.startswith(name.capitalize())
        assert "Nothing here yet" not in text
        assert "Traceback" not in text


def test_a_click_on_a_span_shows_all_that_is_stored_of_it(visit: Visit) -> None:
    assert "Receipt" in visit.see(f"requests?trace_id={4:032x}")
    rows = visit.page.locator("#waterfall .row")
    assert rows.count() == 9  # a head and eight spans
    rows.filter(has_text="classify magika").click()
    visit.page.wait_for_selector("text=Attribute of the span")
    assert "magika" in visit.text()


def test_a_link_to_an_example_keeps_the_filters(visit: Visit) -> None:
    visit.see("hotspots?team=search")
    visit.page.locator(".tb-table a").first.click()
    visit.page.wait_for_url("**/requests?*")
    assert "Receipt" in visit.text()
    assert "team=search" in visit.page.url
