"""What an hour cost, added up: the same sums as the ledger, whatever they are asked by."""

from datetime import timedelta
from decimal import Decimal

from tollbook_attribution import set_rate, settle, superseded
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

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
