"""A table of dialects that has learned something: which hours were read with the old one, and what reading them again changes."""

import contextlib
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tollbook_attribution import settle
from tollbook_schema import dialects
from tollbook_schema.dialects import Dialects
from tollbook_schema.store import Store
from tollbook_ui import access, api
from tollbook_ui.answers import Answers
from tollbook_ui.cli import app
from typer.testing import CliRunner

from tests.attribution.facts import Intake, Span, chat

LANGFUSE = {
    "langfuse.observation.type": "generation",
    "langfuse.observation.model.name": "gpt-4o",
    "langfuse.observation.usage_details": '{"input": 93, "input_cached_tokens": 1024, "output": 46}',
}


@pytest.fixture
def renormalize(store: Store, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command, over the store of the test."""

    @contextlib.contextmanager
    def opened(_where: object, create: bool) -> Iterator[Answers]:
        yield Answers(store)

    monkeypatch.setattr(access, "opened", opened)
    return lambda *words: CliRunner().invoke(app, ["renormalize", *words])


def settled_without_langfuse(store: Store, intake: Intake) -> None:
    """As a release settles that does not know how Langfuse spells its usage."""
    known = dialects.load().told_keys
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Dialects, "version", "older")
        patch.setattr(Dialects, "told_keys", [key for key in known if key != "langfuse.observation.usage_details"])
        intake.spans([Span(1, 1, scope="langfuse-sdk", attributes=LANGFUSE), chat(2, 1, input=100, cache_read=0, output=1)])
        settle(store)


def test_what_an_older_table_could_not_read_is_read_again(store: Store, intake: Intake, renormalize: Any) -> None:
    settled_without_langfuse(store, intake)
    answers = Answers(store)
    assert answers.dialects.outdated_hours() == 1
    found = json.loads(renormalize("--format", "json").stdout)
    [row] = found["rows"]
    assert (row["dialect"], row["calls_before"], row["calls"], row["tokens_before"], row["tokens"]) == (
        "langfuse",
        1,
        1,
        0,
        1_163,
    )
    assert (found["hours"], found["outdated_hours"], found["calls_before"], found["calls"]) == (1, 1, 2, 2)
    assert Decimal(row["cost_usd"]) == Decimal("0.0019725")
    assert Decimal(found["cost_usd"]) - Decimal(found["cost_usd_before"]) == Decimal("0.0019725")
    assert store.query("SELECT versions['dialects'] AS version FROM settlements ORDER BY settlement") == [
        {"version": "older"},
        {"version": dialects.load().version},
    ]
    assert answers.dialects.outdated_hours() == 0


def test_nothing_is_done_where_every_hour_has_the_table_in_force(store: Store, intake: Intake, renormalize: Any) -> None:
    intake.spans([chat(1, 1, input=100, output=1)])
    settle(store)
    assert renormalize().stdout.startswith("Nothing to do")
    assert "Nothing has changed." in renormalize("--since", "2026-11-20", "--until", "2026-11-21").stdout


def test_the_api_says_what_each_dialect_came_to(store: Store, intake: Intake) -> None:
    intake.spans([Span(1, 1, scope="langfuse-sdk", attributes=LANGFUSE)])
    settle(store)
    client = TestClient(api.create(Answers(store)), base_url="http://localhost")
    found = client.get("/api/v1/dialects", params={"since": "2026-11-20", "until": "2026-11-21"}).json()
    assert (found["hours"], found["outdated_hours"], found["version"]) == (1, 0, dialects.load().version)
    assert [(row["dialect"], row["model"], row["tokens"]) for row in found["rows"]] == [("langfuse", "gpt-4o", 1_163)]
    assert client.get("/api/v1/dialects", params={"since": "never"}).status_code == 422


def test_a_table_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    table = dict(dialects.load().table)
    twice = {**table, "counts": {**table["counts"], "query": {"raw": ["usage#total"]}}}
    with pytest.raises(dialects.DialectsError, match="spelled twice: usage#total"):
        dialects._check(Dialects(twice, tuple(dialects._spellings(twice))))
    nameless = {**table, "billed": ["usage#nothing"]}
    with pytest.raises(dialects.DialectsError, match="a rule names a spelling that no concept has: usage#nothing"):
        dialects._check(Dialects(nameless, tuple(dialects._spellings(nameless))))
