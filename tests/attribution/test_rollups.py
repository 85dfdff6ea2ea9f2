"""What an hour cost, added up: the same sums as the ledger, whatever they are asked by."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tollbook_attribution import days, set_rate, settle, superseded
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store
from tollbook_ui import figures
from tollbook_ui.costs.questions import Costs

from tests.attribution.facts import NOON, Intake, S, Span, chat

MINE = {A.TOLLBOOK_TEAM: "ads", A.TOLLBOOK_FEATURE: "rank"}
BOX = {A.HOST_ID: "h", A.HOST_TYPE: "box"}
BY_ALL = """
SELECT
    window, toString(allocation) AS allocation, toString(category) AS category, item, unit, toString(basis) AS basis, waste,
    provider, model, service_name, service_version, workflow, team, project, feature, environment, site, region, account,
    currency, simulated,
    sum(amount_usd) AS amount, sum(quantity) AS much
FROM {table} {where} GROUP BY ALL ORDER BY ALL
"""
COUNTS = "SELECT team, sum(calls), sum(unpriced_calls), sum(requests), sum(lines) FROM costs GROUP BY team ORDER BY team"
BY_DAY = """
SELECT toDate(window) AS day, team, sum(amount_usd) AS usd FROM costs WHERE model != ''
GROUP BY ALL HAVING usd > 0 ORDER BY day, team
"""


def test_an_hour_is_added_up_as_its_ledger_says(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "1", 2)
    intake.spans([
        Span(1, 1, kind="server", resource=BOX, attributes={A.TOLLBOOK_TEAM: "search", A.TOLLBOOK_CPU_TIME: S}),
        chat(1, 2, 1, input=1_000, output=10, resource=BOX),
        chat(2, 1, input=7, attributes=MINE),
        chat(2, 2, input=7, model="nobody-knows", provider="acme", attributes=MINE),
        chat(3, 1, input=4_000, attributes=MINE),
    ])  # fmt: skip
    intake.spans([chat(4, 1, input=1_000_000, attributes=MINE)], NOON + timedelta(hours=15))
    settle(store)

    def costs_as_the_ledger() -> None:
        ledger = store.query(BY_ALL.format(table="ledger", where=""))
        assert len(ledger) > 5
        assert store.query(BY_ALL.format(table="costs", where="WHERE lines > 0")) == ledger

    costs_as_the_ledger()
    assert [tuple(row.values()) for row in store.query(COUNTS)] == [("", 0, 0, 0, 1), ("ads", 4, 1, 3, 3), ("search", 1, 0, 1, 3)]
    by_day = [(f"{row['day']:%d}", row["team"], row["usd"]) for row in store.query(BY_DAY)]
    assert by_day == [("20", "ads", Decimal("0.0100175")), ("20", "search", Decimal("0.0026")), ("21", "ads", Decimal("2.5"))]

    intake.spans([chat(5, 1, input=1_000, attributes=MINE)])
    settle(store)
    costs_as_the_ledger()
    superseded.Removal.of(store).note([NOON, NOON + timedelta(hours=15)])
    superseded.Removal.of(store).run(store, now=True)
    assert store.query("SELECT uniqExact(window) = uniqExact(settlement) AS once FROM costs_settled") == [{"once": 1}]


IN_DAYS = """
SELECT
    toStartOfDay(window) AS day, team, model, item, waste, sum(amount_usd) AS usd, sum(quantity) AS much, sum(lines) AS lines,
    sum(calls) AS calls, sum(unpriced_calls) AS unpriced, sum(requests) AS requests
FROM {table} GROUP BY ALL ORDER BY ALL
"""
AFTER = NOON + timedelta(days=9)
BETWEEN = NOON + timedelta(hours=1)
TEN_WEEKS = timedelta(weeks=10)
DAYS_SUMMED = """
SELECT window, count() AS rows, uniqExact(made_from) AS sums FROM day_costs_settled GROUP BY window ORDER BY window
"""


def test_days_that_are_over_are_added_up_and_hold_until_an_hour_is_settled_again(store: Store, intake: Intake) -> None:
    def days_as_hours() -> list[dict[str, Any]]:
        by_hours = store.query(IN_DAYS.format(table="costs"))
        assert store.query(IN_DAYS.format(table="day_costs")) == by_hours
        return by_hours

    def edges_as_hours() -> list[tuple[int, Decimal | None]]:
        """Of ten weeks that end, and of ten that begin, between the two hours of one day, read by days and by hours."""
        found = []
        for since, until in ((BETWEEN - TEN_WEEKS, BETWEEN), (BETWEEN, BETWEEN + TEN_WEEKS)):
            by_days = Costs(store).by(figures.Scope(since, until), ["team", "model"])
            by_hours = Costs(store).by(figures.Scope(since, until), ["team", "model", "hour"])
            bridge = Costs(store).bridge(figures.Period(since - TEN_WEEKS, since), figures.Period(since, until))
            assert (by_days.total, bridge.after_usd) == (by_hours.total, by_hours.total.amount_usd)
            found.append((by_days.total.calls or 0, by_days.total.amount_usd))
        return found

    month = figures.Scope(since=NOON.replace(day=1, hour=0), until=NOON.replace(month=12, day=1, hour=0))
    for hours in (0, 1, 15):  # two on one day, one on the next
        intake.spans([chat(1 + hours, 1, input=1_000, attributes=MINE)], NOON + timedelta(hours=hours))
    settle(store)
    days.add_up(store, AFTER)
    assert days.add_up(store, AFTER) == 0
    summed = store.query(DAYS_SUMMED)
    assert [(row["window"].day, row["sums"]) for row in summed] == [(20, 1)]
    before = days_as_hours()
    assert edges_as_hours() == [(1, Decimal("0.0025")), (2, Decimal("0.005"))]
    assert len(before) > summed[0]["rows"]
    assert Costs(store).by(month, ["team", "day"]).total.amount_usd == sum(row["usd"] for row in before)

    intake.spans([chat(50, 1, input=3_000, attributes=MINE)])
    settle(store)
    after = days_as_hours()
    assert after != before
    assert days.add_up(store, AFTER) == 1
    assert days_as_hours() == after
    assert edges_as_hours() == [(2, Decimal("0.01")), (2, Decimal("0.005"))]
    assert [row["sums"] for row in store.query(DAYS_SUMMED)] == [1]
    assert Costs(store).by(month, ["team", "day"]).total.amount_usd == sum(row["usd"] for row in after)
