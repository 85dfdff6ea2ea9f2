"""A `tollbook up` with the sample week and a canary table, which nobody may touch."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.served import Served, served

ROOT = Path(__file__).parents[2]
FACTS = ("spans", "span_content", "metrics", "logs", "prices")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server over the sample."""
    data = tmp_path_factory.mktemp("hostile")
    subprocess.run([sys.executable, "-m", "tests.hostile.fill", str(data)], check=True, cwd=ROOT, timeout=120)
    with served(data) as server:
        yield server


@pytest.fixture(scope="module")
def web(sample: Served) -> Iterator[httpx.Client]:
    """A client of its API."""
    with httpx.Client(base_url=sample.url, timeout=60, trust_env=False) as client:
        yield client


def state(web: httpx.Client) -> list[object]:
    """The canary and the number of facts: what no attack may change."""
    counts = ", ".join(f"(SELECT count() FROM {table})" for table in FACTS)
    found = web.post("/api/v1/sql", json={"query": f"SELECT (SELECT groupArray(word) FROM canary) AS words, {counts}"})
    assert found.status_code == 200, found.text
    row: list[object] = found.json()["rows"][0]
    return row
