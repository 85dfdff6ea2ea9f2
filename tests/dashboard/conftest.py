"""Fixtures of the dashboard's tests: the sample week of today, filled once for a module, and nothing."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, sync_playwright
from streamlit.testing.v1 import AppTest
from tollbook_schema.store import Store
from tollbook_ui import answers
from tollbook_ui.answers import Answers

from tests.attribution.facts import Intake
from tests.conftest import emptied
from tests.dashboard.chromium import FLAGS, Visit
from tests.house import browser as house
from tests.report import week
from tests.served import served

ROOT = Path(__file__).parents[2]
PAGES = (
    "overview",
    "requests",
    "cost",
    "bridge",
    "budgets",
    "bill",
    "owners",
    "data",
    "principals",
    "outputs",
    "freshness",
    "accelerators",
    "hotspots",
)


@pytest.fixture
def empty(store: Store) -> Iterator[Answers]:
    """The dashboard's store holds nothing; not for a module that uses `filled`."""
    yield from _served(Answers(store))


@pytest.fixture(scope="module")
def filled(_session_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """The dashboard's store holds the sample, two hours old. For reading only: it is filled once for the module."""
    store = emptied(_session_store)
    week.fill(Intake(store, tmp_path_factory.mktemp("week")), week.today())
    yield from _served(Answers(store))


@pytest.fixture(scope="session")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a `tollbook up` with the sample, in a process of its own."""
    data = tmp_path_factory.mktemp("busy")
    subprocess.run([sys.executable, "-m", "tests.dashboard.fill", str(data)], check=True, cwd=ROOT, timeout=120)
    with served(data, "--dashboard") as server:
        yield server.url


@pytest.fixture(scope="session")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a `tollbook up` that nobody has sent anything."""
    with served(tmp_path_factory.mktemp("idle"), "--dashboard") as server:
        yield server.url


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    """A chromium, or a skip that says why. It ends with its module, as its event loop would be every later test's."""
    chromium = house.find()
    if chromium is None:
        pytest.skip("no chromium found: apt-get install chromium, or playwright install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_context(viewport={"width": 1440, "height": 900})
        browser.close()


@pytest.fixture
def visit(context: BrowserContext) -> Iterator[Visit]:
    """A new tab; the test ends well only if its console stayed silent and it asked no other host."""
    visit = Visit(context.new_page())
    visit.watch()
    yield visit
    visit.page.close()
    assert (visit.errors, visit.strangers()) == ([], [])


@pytest.fixture
def shown() -> Callable[..., AppTest]:
    """Runs one page without a browser."""
    return _shown


def words(page: AppTest) -> str:
    """All text and HTML of a page."""
    html = [element.proto.body for element in page.get("html")]
    written = [element.value for kind in ("title", "subheader", "caption", "markdown") for element in page.get(kind)]
    return "\n".join([*html, *written])


def _shown(name: str, **query: str) -> AppTest:
    script = f"from tollbook_ui.dashboard import frame, {name}\nframe.show({name}.page, {name!r})"
    page = AppTest.from_string(script, default_timeout=60)
    for key, value in query.items():
        page.query_params[key] = value
    return page.run()


def _served(found: Answers) -> Iterator[Answers]:
    answers.set_current(found)
    yield found
    answers.set_current(None)
