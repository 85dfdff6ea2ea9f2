"""Answers over an hour that waits to be settled say so, whoever asks and in whatever format."""

import threading
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tollbook_attribution import settle
from tollbook_schema.store import Store
from tollbook_ui import progress, unsettled
from tollbook_ui.answers import Answers
from tollbook_ui.figures import Overview, Period, Scope

from tests.attribution.facts import Intake, Span
from tests.ui import ledger
from tests.ui.conftest import HOUR, application
from tests.ui.ledger import ANSWER, NOON

BEFORE, AFTER = Period(NOON.replace(hour=11), NOON), Period(NOON, NOON.replace(hour=13))


def asked(answers: Answers) -> list[Any]:
    """Every answer with money of the hour."""
    costs, outcomes, data = answers.costs, answers.outcomes, answers.data
    return [
        answers.overview(HOUR),
        answers.requests(HOUR),
        answers.receipt(ANSWER),
        answers.freshness(HOUR),
        answers.accelerators(HOUR),
        answers.hotspots(HOUR),
        answers.owners(HOUR),
        answers.calls(HOUR),
        answers.comparison(HOUR),
        costs.by(HOUR),
        costs.bridge(BEFORE, AFTER),
        costs.anomalies(HOUR),
        costs.caches(HOUR),
        outcomes.roi(HOUR, Decimal(1)),
        outcomes.capacity(HOUR),
        outcomes.output(BEFORE, AFTER),
        outcomes.headlines(HOUR),
        answers.budgets.view(AFTER.since, AFTER.until),
        data.transfers(HOUR),
        data.stored(HOUR),
        data.services(HOUR),
        data.principals(HOUR),
        answers.outputs.told(HOUR, "trace"),
    ]


class Counted:
    """A store that counts what it is asked."""

    def __init__(self, store: Store) -> None:
        self.store, self.questions = store, 0

    def query(self, *asked: Any) -> Any:
        self.questions += 1
        return self.store.query(*asked)


def waiting(found: list[Any], but: int) -> list[str]:
    """Answers that name another number of hours."""
    return [f"{type(answer).__qualname__}: {answer.unsettled_hours}" for answer in found if answer.unsettled_hours != but]


def test_every_answer_tells_of_hours_that_wait_until_they_are_settled(store: Store, intake: Intake) -> None:
    answers = Answers(store)
    ledger.fill(intake)
    assert waiting(asked(answers), 1) == []
    client = TestClient(application(answers, intake.folder), base_url="http://localhost")
    span = {"since": "2026-11-20T12:00", "until": "2026-11-20T13:00"}
    assert client.get("/api/v1/cost", params=span).json()["unsettled_hours"] == 1
    assert client.get("/api/v1/cost", params={**span, "format": "csv"}).headers["tollbook-unsettled-hours"] == "1"
    of_page = Counted(store)
    with unsettled.once():
        assert {unsettled.hours(of_page, [(HOUR.since, HOUR.until)]) for _ in range(3)} == {1}  # type: ignore[arg-type]
    assert unsettled.hours(of_page, [(HOUR.since, HOUR.until)]) == 1  # type: ignore[arg-type]
    assert of_page.questions == 2, "a page asks once"
    settle(store)
    assert (answers.overview(HOUR).unsettled_hours, answers.receipt(ANSWER).unsettled_hours) == (0, 0)
    assert "tollbook-unsettled-hours" not in client.get("/api/v1/cost", params={**span, "format": "csv"}).headers
    intake.spans([Span(9, 91)])
    assert answers.overview(HOUR).unsettled_hours == 1
    elsewhere = Scope(since=NOON.replace(hour=13), until=NOON.replace(hour=14))
    assert answers.overview(elsewhere).unsettled_hours == 0
    assert answers.unsettled_hours() == 1


def test_an_hour_that_was_settled_and_has_begun_to_expire_waits_for_nothing(
    store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.fill(intake)
    store.command("INSERT INTO settlements (tenant, window, settlement, facts) VALUES ('default', '2026-11-20 12:00:00', 1, 1)")
    assert Answers(store).unsettled_hours() == 1
    monkeypatch.setattr(unsettled, "_oldest_whole", lambda reads: datetime(2026, 11, 21, tzinfo=UTC))
    assert Answers(store).unsettled_hours() == 0


def test_the_hour_that_runs_is_not_said_to_wait_once_it_was_settled(store: Store) -> None:
    store.command(
        "INSERT INTO fact_hours (tenant, window, signal, facts) "
        "SELECT 'default', toStartOfHour(now()) - INTERVAL number HOUR, 'spans', 2 FROM numbers(2)"
    )
    assert Answers(store).unsettled_hours() == 2
    store.command(
        "INSERT INTO settlements (tenant, window, settlement, facts) "
        "SELECT 'default', toStartOfHour(now()) - INTERVAL number HOUR, 1, 1 FROM numbers(2)"
    )
    assert Answers(store).unsettled_hours() == 1


def test_a_note_says_what_to_do_and_that_nothing_is_final() -> None:
    assert unsettled.note(0) == ""
    assert unsettled.note(336).startswith("336 hours of this period wait to be settled: amounts are not final.")
    assert "tollbook settle" in unsettled.note(1)
    assert issubclass(Overview, unsettled.FromLedger)


def test_a_settlement_that_is_waited_for_is_told_at_once_and_while_it_goes_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "TELL_SECONDS", 0.001)
    told = threading.Event()

    def done() -> int:
        told.set()
        return 2

    with progress.waiting("The server settles 3 hours.", done, 3):
        assert capsys.readouterr().err == "The server settles 3 hours.\n"
        assert told.wait(10)
    assert "2 of 3 hours are settled\n" in capsys.readouterr().err
