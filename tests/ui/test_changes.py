"""Answers while the store changes: empty, not settled, settled in part, over two hours."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tollbook_attribution import settle
from tollbook_ui import figures as f
from tollbook_ui.answers import Answers

from tests.attribution.facts import MS, Intake, S, Span, chat
from tests.ui import ledger
from tests.ui.conftest import WEEK
from tests.ui.ledger import ANSWER, NOON


@pytest.fixture
def answers(intake: Intake) -> Answers:
    """Answers over the settled hour, in a store that this test may change."""
    ledger.fill_and_settle(intake)
    return Answers(intake.store)


def test_an_empty_store_answers_every_question(empty: Answers) -> None:
    found = empty.overview()
    assert found.totals.total_usd == 0
    assert found.coverage.calls_priced_ratio is None
    assert found.extent == f.Extent(0, None, None, 0, None, None, None)
    assert empty.weekly(WEEK).overview.traffic.duration_p50_ns is None
    for answer in (empty.requests(), empty.freshness(), empty.accelerators(), empty.hotspots(), empty.owners(), empty.calls()):
        assert answer.rows == ()


def test_a_receipt_knows_that_its_request_is_not_settled_yet(intake: Intake) -> None:
    ledger.fill(intake)
    receipt = Answers(intake.store).receipt(ANSWER)
    assert (receipt.state, receipt.total_usd, receipt.rows) == ("unsettled", None, ())
    assert (receipt.name, receipt.spans, receipt.duration_ns) == ("answer", 3, 200 * MS)
    assert Answers(intake.store).request(ANSWER).request is None


def test_a_receipt_knows_that_spans_came_after_its_settlement(answers: Answers, intake: Intake) -> None:
    intake.spans([Span(1, 14, 11, "late", 180 * MS, MS)])
    assert answers.receipt(ANSWER).state == "late"
    settle(answers.store)
    assert answers.receipt(ANSWER).state == "settled"


def test_a_request_that_runs_into_the_next_hour_is_one_request(intake: Intake) -> None:
    hour = 3_600 * S
    intake.spans(
        [
            Span(9, 91, 0, "long", hour - S, 3 * S, service="api"),
            chat(9, 92, 91, input=1000, output=0, start_ns=hour + S, duration_ns=S, service="api"),
        ]
    )
    settle(intake.store)
    found = Answers(intake.store)
    both = f.Scope(since=NOON, until=NOON + timedelta(hours=2))
    rows = found.requests(both).rows
    assert [(row.name, row.span_count, row.cost_usd, row.duration_ns) for row in rows] == [("long", 2, Decimal("0.0025"), 3 * S)]
    assert found.overview(both).traffic.requests == 1
    assert found.receipt(f"{9:032x}").total_usd == Decimal("0.0025")


def test_a_request_of_a_wrong_clock_is_found_all_the_same(intake: Intake) -> None:
    beyond = Span(8, 81, 0, "from the future", 100 * 365 * 24 * 3_600 * S, MS)
    intake.spans([beyond, Span(7, 71, 0, "from the past", -56 * 365 * 24 * 3_600 * S, MS)])
    settle(intake.store)
    found = Answers(intake.store)
    for number, name in ((8, "from the future"), (7, "from the past")):
        assert (found.receipt(f"{number:032x}").state, found.request(f"{number:032x}").rows[0].name) == ("settled", name)
