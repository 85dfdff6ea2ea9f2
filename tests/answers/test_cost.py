"""Cost by any keys, and the bridge over a store: amounts worked out by hand."""

from decimal import Decimal

import pytest
from tollbook_ui import plain
from tollbook_ui.answers import Answers
from tollbook_ui.costs.figures import CostRow
from tollbook_ui.dashboard.requests import frame
from tollbook_ui.figures import Period, Scope
from tollbook_ui.periods import BadQuestionError

from tests.answers.books import MONDAY
from tests.answers.conftest import WEEK

D = Decimal
FIRST, SECOND = Period(MONDAY, MONDAY + WEEK), Period(MONDAY + WEEK, MONDAY + 2 * WEEK)
W46, W47 = Scope(FIRST.since, FIRST.until), Scope(SECOND.since, SECOND.until)


def by_keys(rows: tuple[CostRow, ...]) -> dict[tuple[str, ...], Decimal | None]:
    return {row.keys: row.amount_usd for row in rows}


def test_rows_by_any_keys_add_up_to_the_total(answers: Answers) -> None:
    for by in (
        ["team"],
        ["workflow", "model"],
        ["hour", "category", "item"],
        ["basis", "waste"],
        ["service", "version", "site", "account"],
    ):
        found = answers.costs.by(W46, by)
        assert sum(row.amount_usd or 0 for row in found.rows) == found.total.amount_usd == D("22.9")


def test_cost_by_workflow_says_what_a_request_and_a_thousand_tokens_cost(answers: Answers) -> None:
    rows = {row.keys[0]: row for row in answers.costs.by(W46, ["workflow"]).rows}
    assert {name: row.amount_usd for name, row in rows.items()} == {"agents": 11, "search": D("6.9"), "mail": 3, "": 2}
    assert (rows["agents"].requests, rows["agents"].usd_per_request) == (105, D("0.104761904761904762"))
    assert rows["mail"].usd_per_thousand_tokens == D("0.1")
    assert rows["mail"].estimated_usd == 3
    assert rows["agents"].wasted_usd == 1


def test_a_model_without_a_price_has_calls_and_no_amount(answers: Answers) -> None:
    found = answers.costs.by(W47, ["model"])
    (row,) = [row for row in found.rows if row.keys == ("house-9",)]
    assert (row.amount_usd, row.calls, row.unpriced_calls) == (None, 4, 4)
    assert found.calls_priced_ratio == 231 / 235
    for by in (["workflow"], ["customer", "workflow"]):
        drafts = next(row for row in answers.costs.by(W47, by).rows if row.keys[-1] == "drafts")
        assert (drafts.unpriced_calls, drafts.tokens_priced_ratio) == (4, 300 / 400)
    assert (row.tokens_priced_ratio, found.total.tokens_priced_ratio) == (0, 300 / 400)
    assert answers.coverage(W47).tokens_priced_ratio == 300 / 400


def test_filters_narrow_rows_and_total_alike(answers: Answers) -> None:
    found = answers.costs.by(Scope(W46.since, W46.until, team="core"), ["workflow"], ["category=tokens"])
    assert by_keys(found.rows) == {("agents",): 10, ("mail",): 3}
    assert found.total.amount_usd == 13
    either = answers.costs.by(W46, [], ["workflow=mail", "workflow=search"])
    assert either.total.amount_usd == D("9.9")


def test_keys_that_do_not_divide_requests_leave_their_number_unknown(answers: Answers) -> None:
    (row, *_) = answers.costs.by(W46, ["item"]).rows
    assert (row.requests, row.calls, row.usd_per_request) == (None, None, None)


def test_days_and_weeks_are_keys(answers: Answers) -> None:
    both = Scope(FIRST.since, SECOND.until)
    assert by_keys(answers.costs.by(both, ["week"]).rows) == {("2026-W46",): D("22.9"), ("2026-W47",): D("26.3")}
    assert set(by_keys(answers.costs.by(both, ["day"]).rows)) == {("2026-11-09",), ("2026-11-16",)}


def test_groups_beyond_the_limit_are_told_as_one(answers: Answers) -> None:
    found = answers.costs.by(W46, ["workflow"], limit=2)
    assert by_keys(found.rows) == {("agents",): 11, ("search",): D("6.9"), ("and 2 more",): 5}


@pytest.mark.parametrize("by", [["colour"], ["team", "workflow", "model", "item", "basis", "waste"]])
def test_keys_that_do_not_exist_are_refused(answers: Answers, by: list[str]) -> None:
    with pytest.raises(BadQuestionError):
        answers.costs.by(W46, by)


def test_the_csv_of_cost_has_a_column_for_each_key(answers: Answers) -> None:
    text = plain.as_csv(plain.answer_grid(answers.costs.by(W46, ["team", "workflow"])))
    assert text.startswith("team,workflow,amount_usd,share,")
    assert "core,agents,11," in text


def test_the_bridge_names_what_moved_most_first(answers: Answers) -> None:
    found = answers.costs.bridge(FIRST, SECOND)
    first = found.drivers[0]
    assert (first.workload, first.cause, first.said) == (("agents",), "volume", "requests 105 → 140 (+33.3%)")
    assert found.sentence.startswith(
        "Cost rose by $3.40 (+14.8%), from $22.90 to $26.30. First cause: volume at workflow agents (+"
    )


def test_the_bridge_adds_up_by_cause_by_workload_and_by_driver(answers: Answers) -> None:
    for by in (["workflow"], ["team"], ["team", "workflow"], []):
        found = answers.costs.bridge(FIRST, SECOND, by)
        assert found.change_usd == D("3.4")
        assert sum(row.amount_usd for row in found.causes) == found.change_usd
        assert sum(row.change_usd for row in found.rows) == found.change_usd
        assert sum(driver.amount_usd for driver in found.drivers) + found.drivers_left_usd == found.change_usd


def test_new_workloads_and_idle_time_have_causes_of_their_own(answers: Answers) -> None:
    causes = {row.cause: row.amount_usd for row in answers.costs.bridge(FIRST, SECOND).causes}
    assert causes["new"] == D("0.5")
    assert causes["idle"] == D("0.5")
    assert causes["price"] == D("0.3")


def test_the_bridge_says_what_has_no_price(answers: Answers) -> None:
    found = answers.costs.bridge(FIRST, SECOND)
    assert found.notes == ("after: 4 model calls without a price, in no amount (98.3% have one)",)
    before = Period(FIRST.since - WEEK, FIRST.since)
    began = answers.costs.bridge(before, FIRST)
    assert began.notes == ("before: nothing is settled in this period",)
    assert began.sentence == "Cost is $22.90. What it was before is unknown: nothing is settled in that period."
    ended = answers.costs.bridge(FIRST, before).sentence
    assert ended == "Cost was $22.90 before. What it is now is unknown: nothing is settled in that period."
    earlier = answers.costs.bridge(Period(before.since - WEEK, before.since), before)
    assert earlier.sentence == "What changed is unknown: nothing is settled in either period."


def test_money_of_nobody_is_named_by_its_cause_alone(answers: Answers) -> None:
    idle = answers.costs.bridge(FIRST, SECOND, [], ["allocation=idle"])
    assert idle.sentence.endswith("First cause: idle (+$0.5).")
    steady = answers.costs.bridge(FIRST, FIRST)
    assert steady.sentence == "Cost did not change: $22.90 in both periods."


def test_a_filter_that_requests_do_not_have_leaves_their_number_alone(answers: Answers) -> None:
    found = answers.costs.bridge(FIRST, SECOND, ["workflow"], ["model=gpt-4o"])
    rows = {row.workload: row for row in found.rows}
    assert (rows["agents",].requests_before, rows["agents",].requests_after) == (105, 140)
    assert rows["search",].before_usd == 6
    assert sum(row.amount_usd for row in found.causes) == found.change_usd


def test_keys_that_only_lines_have_give_the_same_sums(answers: Answers) -> None:
    by_line, added_up = answers.costs.by(W46, ["customer", "workflow"]), answers.costs.by(W46, ["workflow"])
    assert {row.keys[1]: row.amount_usd for row in by_line.rows} == {row.keys[0]: row.amount_usd for row in added_up.rows}
    assert [row.calls for row in by_line.rows] == [row.calls for row in added_up.rows]
    lines, sums = (answers.costs.bridge(FIRST, SECOND, by) for by in (["customer", "workflow"], ["workflow"]))
    assert lines.causes == sums.causes


def test_what_nobody_measured_lasts_unknown_and_not_0_ns(answers: Answers) -> None:
    week = Scope(MONDAY, MONDAY + WEEK)
    found = answers.overview(week)
    assert (found.traffic.duration_p50_ns, found.traffic.duration_p95_ns) == (None, None)
    assert {row.duration_p50_ns for row in answers.calls(week).rows} == {None}
    assert {row.duration_ns for row in answers.requests(week).rows} == {None}
    assert {row.duration_p50_ns for row in answers.comparison(week).rows} == {None}
    assert frame(answers.requests(week).rows)["Duration, ms"].isna().all()


def test_an_empty_csv_has_all_its_columns(answers: Answers) -> None:
    nothing = Scope(MONDAY - WEEK, MONDAY)
    empty, full = (answers.costs.by(scope, ["team"]).grid() for scope in (nothing, W46))
    assert (empty.rows, empty.columns) == ((), full.columns)
    assert answers.costs.anomalies(nothing).grid().columns[:3] == ("workflow", "since", "until")
