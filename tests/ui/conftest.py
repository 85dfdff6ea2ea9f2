"""Answers over a small hour of work, the API over them, and a data folder that its server has."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient
from tollbook_schema.store import Store
from tollbook_ui import api, doctor, locate
from tollbook_ui.answers import Answers
from tollbook_ui.figures import Scope
from tollbook_ui.settler import Settler

from tests.attribution.facts import Intake
from tests.conftest import emptied
from tests.ui import ledger
from tests.ui.ledger import NOON

HOUR = Scope(since=NOON, until=NOON.replace(hour=13))
"""The hour that everything of `answers` happened in."""

WEEK = "2026-W47"
"""The week of that hour."""


@pytest.fixture
def intake(store: Store, tmp_path: Path) -> Intake:
    """Where tests put their spans and metrics."""
    return Intake(store, tmp_path)


@pytest.fixture
def empty(store: Store) -> Answers:
    """Answers of a store that holds nothing."""
    return Answers(store)


@pytest.fixture(scope="module")
def answers(_session_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """Answers over the settled hour, filled once: tests of a module that asks for them must not ask for an empty `store`."""
    store = emptied(_session_store)
    ledger.fill_and_settle(Intake(store, tmp_path_factory.mktemp("hour")))
    return Answers(store)


@pytest.fixture
def client(answers: Answers) -> TestClient:
    """The API over the settled hour."""
    return TestClient(application(answers, Path()), base_url="http://localhost")


@dataclass(frozen=True)
class Served:
    """A server that has a data folder."""

    data: Path
    url: str


@pytest.fixture
def served(answers: Answers, tmp_path: Path) -> Iterator[Served]:
    """The API over the settled hour on a real port, with a data folder that points there."""
    data = tmp_path / "data"
    server = uvicorn.Server(uvicorn.Config(application(answers, data), port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    with locate.Claim(data, locate.UP) as claim:
        claim.publish(locate.Server(os.getpid(), url, None, "0", ""))
        yield Served(data, url)
    server.should_exit = True
    thread.join(10)


def application(answers: Answers, data: Path) -> Any:
    """The API as the server makes it."""
    settler = Settler(answers.store, 0)

    async def settle(since: Any, until: Any) -> Any:
        return settler.now(since, until)

    return api.create(answers, settle, lambda: doctor.examine(answers, data))
