"""SQL smuggled into whatever the API and the command line take: nothing changes, nothing breaks (S7)."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from tollbook_ui.cli import app
from typer.main import get_command
from typer.testing import CliRunner

from tests.hostile import requests
from tests.hostile.conftest import state
from tests.hostile.corpus import injections
from tests.served import Served
from tests.soak.figures import Fault

ANSWERED = {200, 400, 404, 405, 422}
MUST = "0 altered, 0 answers of 500"
SERVING = {("up",), ("demo",), ("collect",)}
"""Commands that serve instead of answering."""


@pytest.mark.fault("S7", "SQL injection, every parameter of the API", MUST)
def test_no_parameter_of_the_api_becomes_sql(fault: Fault, web: httpx.Client) -> None:
    before = state(web)
    slots = requests.slots(web.get("/api/v1/openapi.json").json())
    corpus, each = injections(), fault.size(1, soak=50)
    answers: Counter[int] = Counter()
    broken: list[str] = []
    for number, slot in enumerate(slots):
        if number % 2 and not fault.soak:
            continue
        for text in drawn(corpus, each, number):
            if slot.names == ("folder",) and leads_elsewhere(text):
                continue
            status = _asked(web, slot.request(text))
            answers[status] += 1
            if status not in ANSWERED:
                broken.append(f"{status} {slot} {text[:60]!r}")
    asked = f"{sum(answers.values()):,} requests over {len(slots)} parameters"
    fault.found(f"{asked}: {dict(sorted(answers.items()))}, {len(broken)} broken")
    assert broken == []
    assert len(slots) > 50
    assert state(web) == before


@pytest.mark.fault("S7", "SQL injection, every option of the command line", MUST)
def test_no_option_of_the_command_line_becomes_sql(
    fault: Fault, sample: Served, web: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(web)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOLLBOOK_DATA", str(sample.data))
    found = [option for option in requests.options(get_command(app)) if option.command not in SERVING and option.name != "data"]
    corpus, each = injections(), fault.size(1, soak=20)
    runs, broken = 0, []
    for number, option in enumerate(found):
        if number % 2 and not fault.soak:
            continue
        for text in drawn(corpus, each, number):
            if option.is_path and leads_elsewhere(text):
                continue
            runs += 1
            result = CliRunner().invoke(app, option.words(text))
            if result.exit_code not in (0, 1, 2) or not isinstance(result.exception, SystemExit | None):
                broken.append(f"{option} {text[:60]!r}: {result.exit_code} {result.exception!r}")
    fault.found(f"{runs:,} runs over {len(found)} options, {len(broken)} broken")
    assert broken == []
    assert len(found) > 40
    assert state(web) == before


def leads_elsewhere(path: str) -> bool:
    """A path that an operator names may well lead out of the folder of these tests: that is what it is for."""
    return "/" in path or ".." in path or not path.strip()


def drawn(corpus: tuple[str, ...], each: int, number: int) -> list[str]:
    """Some of the corpus for one slot, or all; together the slots go through all of it."""
    if each >= len(corpus):
        return list(corpus)
    shuffled = random.Random(7).sample(corpus, len(corpus))
    return [shuffled[(number * each + step) % len(corpus)] for step in range(each)]


def _asked(web: httpx.Client, request: tuple[str, str, dict[str, str], dict[str, Any] | None]) -> int:
    method, path, query, body = request
    return web.request(method, path, params=query, json=body).status_code
