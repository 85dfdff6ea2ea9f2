"""Budgets: one payer for each sum, states at their edges, alerts told once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.client import BadStatusLine

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tollbook_attribution import days
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers
from tollbook_ui.budgets import tree
from tollbook_ui.budgets.alerts import Alarm
from tollbook_ui.budgets.figures import Budget, Status
from tollbook_ui.periods import BadQuestionError

from tests.answers.books import Spent, write

D = Decimal
NOVEMBER, NOON = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 16, tzinfo=UTC)
"""NOON is the middle of the month."""

AI = Budget("AI and cloud", D(3000), owner="ann")
SEARCH = Budget("search", D(1000), parent="AI and cloud", conditions=("team=search",))
SEARCH_GPU = Budget("search gpu", D(400), owner="bob", parent="search", conditions=("category=accelerator",))
CORE = Budget("core", D(500), parent="AI and cloud", conditions=("team=core", "team=infra"))
TREE = [AI, SEARCH, SEARCH_GPU, CORE]


def one(spent: str = "0", pace: str = "0", day: str = "0", **values: str) -> tree.Sums:
    return tree.Sums(values, D(spent), D(pace), D(day))


def status(budgets: Sequence[Budget], sums: Sequence[tree.Sums], now: datetime = NOON) -> dict[str, Status]:
    clock = tree.Clock(NOVEMBER, datetime(2026, 12, 1, tzinfo=UTC), now, NOVEMBER)
    return {row.budget: row for row in tree.statuses(budgets, {"month": sums}, {"month": clock})}


def test_each_sum_has_one_payer_the_deepest_that_it_meets() -> None:
    payers = [
        tree.payer(TREE, {"team": team, "category": category})
        for team, category in (("search", "tokens"), ("search", "accelerator"), ("infra", "tokens"), ("mail", "tokens"))
    ]
    assert [payer and payer.budget for payer in payers] == ["search", "search gpu", "core", "AI and cloud"]
    assert tree.payer([SEARCH], {"team": "mail"}) is None


def test_a_budget_has_the_owner_of_the_budget_above_it() -> None:
    assert [tree.owner(budget, TREE) for budget in TREE] == ["ann", "ann", "bob", "ann"]


def test_a_parent_has_spent_what_its_parts_have() -> None:
    found = status(TREE, [one("10", team="search", category="accelerator"), one("5", team="search"), one("1", team="mail")])
    assert {name: (row.spent_usd, row.own_usd) for name, row in found.items()} == {
        "AI and cloud": (16, 1),
        "core": (0, 0),
        "search": (15, 5),
        "search gpu": (10, 10),
    }


@pytest.mark.parametrize(
    ("spent", "pace", "day", "state"),
    [
        ("1500", "600", "90", "ok"),
        ("2400", "250", "30", "warned"),  # 80 % at the middle of the month
        ("1500", "600", "200", "burning"),  # twice the even $100 a day
        ("1500", "700.1", "100", "forecast"),  # 15 more days at $100.01
        ("1500", "700", "100", "ok"),
        ("3000", "0", "0", "warned"),
        ("3000.01", "0", "0", "over"),
    ],
)
def test_a_budget_is_in_the_worst_state_that_is_true_of_it(spent: str, pace: str, day: str, state: str) -> None:
    assert status([AI], [one(spent, pace, day)])["AI and cloud"].state == state


def test_budgets_of_a_month_and_of_a_year_count_the_same_money() -> None:
    year = Budget("year", D(9000), period="year")
    everything = [one("10", team="search"), one("5", team="mail")]
    clock = tree.Clock(NOVEMBER, datetime(2026, 12, 1, tzinfo=UTC), NOON, NOVEMBER)
    rows = tree.statuses([*TREE, year], {"month": everything, "year": everything}, {"month": clock, "year": clock})
    assert {row.budget: row.spent_usd for row in rows if not row.depth} == {"AI and cloud": 15, "year": 15}


def test_of_budgets_side_by_side_the_narrowest_pays() -> None:
    either = Budget("a", D(1), conditions=("team=search", "team=core"))
    flat = replace(SEARCH, parent="")
    assert tree.payer([either, flat], {"team": "search"}) == flat
    assert tree.payer([either, flat], {"team": "core"}) == either


def test_an_hour_says_nothing_of_a_pace() -> None:
    clock = tree.Clock(NOVEMBER, datetime(2026, 12, 1, tzinfo=UTC), NOVEMBER + timedelta(hours=1), NOVEMBER)
    (row,) = tree.statuses([AI], {"month": [one("50", "50", "50")]}, {"month": clock})
    assert (row.forecast_usd, row.burn_ratio, row.state) == (None, None, "ok")


@pytest.mark.parametrize(
    ("kind", "start", "end"),
    [
        ("day", "2026-11-16", "2026-11-17"),
        ("week", "2026-11-16", "2026-11-23"),
        ("month", "2026-11-01", "2026-12-01"),
        ("quarter", "2026-10-01", "2027-01-01"),
        ("year", "2026-01-01", "2027-01-01"),
    ],
)
def test_periods_are_those_of_the_calendar(kind: str, start: str, end: str) -> None:
    found = tree.period_of(kind, NOON)
    assert [f"{time:%Y-%m-%d}" for time in found] == [start, end]


@pytest.mark.parametrize(
    "wrong",
    [
        Budget("", D(1)),
        Budget("x", D(0)),
        Budget("x", D(10) ** 15),
        Budget("x", D(1)),
        Budget("x", D(1), parent="x", period="year"),
        Budget("x", D(1), parent="AI and cloud", conditions=("team=search",)),
        Budget("x", D("NaN")),
        Budget("x", D(1), period="fortnight"),
        Budget("x", D(1), parent="nobody"),
        Budget("AI and cloud", D(1), parent="search"),
        Budget("x", D(1), conditions=("colour=red",)),
        Budget("x", D(1), conditions=("team",)),
        Budget("x", D(1), conditions=("day=2026-11-01",)),
        Budget("x", D(1), warn_ratio=D(2)),
    ],
    ids=lambda budget: f"{budget.budget} {budget.amount_usd} {budget.conditions} {budget.parent} {budget.period}",
)
def test_what_is_no_budget_is_refused(wrong: Budget) -> None:
    with pytest.raises(BadQuestionError):
        tree.checked(wrong, TREE)


teams = st.sampled_from(["search", "core", "infra", "mail", ""])
sums = st.builds(
    lambda team, category, spent: one(str(spent), team=team, category=category),
    teams,
    st.sampled_from(["tokens", "accelerator", "storage"]),
    st.decimals(0, 10**9, places=18),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(sums, max_size=10))
def test_budget_lines_and_what_nobody_pays_for_add_up_to_everything(everything: list[tree.Sums]) -> None:
    found = status(TREE[1:], everything)
    paid = sum((row.own_usd for row in found.values()), D(0))
    nobody = sum((sums.spent_usd for sums in everything if tree.payer(TREE[1:], sums.values) is None), D(0))
    assert paid + nobody == sum((sums.spent_usd for sums in everything), D(0))


def _answered_garbage(_address: str, _body: bytes) -> None:
    raise BadStatusLine("garbage")


def test_budgets_over_a_store(store: Store) -> None:
    """One story: set, read by line and by workload, break, told once, replaced, deleted."""
    hours = [NOVEMBER + timedelta(days=day) for day in range(15)]
    write(
        store,
        [
            *(Spent(hour, "rag", "20", 2, more={"team": "search"}) for hour in hours),
            *(Spent(hour, "mail", "3", 1, more={"team": "core"}) for hour in hours),
            Spent(NOVEMBER, "", "7", category="compute", item="cpu", unit="second", allocation="idle"),
        ],
    )
    answers = Answers(store)
    of_search = ("team=search",)
    answers.budgets.set(Budget("all", D(700), owner="ann", conditions=(*of_search, "team=core")))
    answers.budgets.set(Budget("rag", D(310), parent="all", conditions=of_search))

    view = answers.budgets.view(NOVEMBER, NOON)
    assert {row.budget: (row.owner, row.amount_usd) for row in view.rows} == {
        "all": ("ann", 45),
        "rag": ("ann", 300),
        "": ("", 7),
    }
    assert {row.workflow: (row.budgets, row.amount_usd) for row in view.workloads} == {
        "rag": (("rag",), 300),
        "mail": (("all",), 45),
        "": (("",), 7),
    }
    assert view.total_usd == 352 == sum(row.amount_usd for row in view.rows) == sum(row.amount_usd for row in view.workloads)
    assert [(row.allocation, row.amount_usd) for row in view.unowned] == [("idle", 7)]

    states = {row.budget: (row.state, row.spent_usd) for row in answers.budgets.status(NOON).rows}
    assert states == {"all": ("ok", 345), "rag": ("forecast", 300)}
    answers.budgets.set(Budget("year", D(10_000), period="year"))
    hourly = answers.budgets.status(NOON).rows[-1]
    assert (hourly.budget, hourly.spent_usd, hourly.forecast_usd) == ("year", 352, 1410)
    days.add_up(store, NOON)
    assert answers.budgets.status(NOON).rows[-1] == hourly
    assert answers.budgets.view(NOVEMBER, NOVEMBER + timedelta(days=28)).total_usd == 352
    answers.budgets.delete("year")

    posted: list[tuple[str, bytes]] = []
    alarm = Alarm(store, "https://example.com/hook", 0, lambda address, body: posted.append((address, body)))
    (alert,) = alarm.look(NOON)
    assert (alert.budget, alert.state, alert.told) == ("rag", "forecast", "webhook")
    assert b'"text": "Budget rag (ann): $600.00 by the end, at the pace of the last seven days, of the month' in posted[0][1]
    assert alarm.look(NOON) == ()

    answers.budgets.set(Budget("rag", D(250), parent="all", conditions=("team=search",)))
    assert [alert.state for alert in alarm.look(NOON)] == ["over"]
    assert [alert.state for alert in answers.budgets.alerts().rows] == ["over", "forecast"]
    answers.budgets.set(Budget("all", D(300)))
    deaf = Alarm(store, "https://example.com/hook", 0, _answered_garbage)
    assert [(alert.budget, alert.state, alert.told) for alert in deaf.look(NOON)] == [("all", "over", "log")]

    answers.budgets.delete("all")
    assert [(row.budget, row.depth, row.owner) for row in answers.budgets.status(NOON).rows] == [("rag", 0, "")]
    assert answers.budgets.status(NOON).nobody == ("rag",)
    with pytest.raises(BadQuestionError):
        answers.budgets.delete("all")
