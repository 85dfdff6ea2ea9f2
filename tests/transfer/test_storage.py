"""Stored data: size x time by class and copy, from what handoffs tell or what is declared; it ends where it is deleted."""

from decimal import Decimal

from tollbook_attribution import due, engine, prices
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, S, Span
from tests.transfer.conftest import AWS, GB, handoff, price

HOUR = 3600 * S
STORED = """SELECT location, intDiv(bytes, 1000000000) AS gb, toInt64(held_ns / 1000000000) AS held_s, unpriced, cost_usd
FROM storage ORDER BY window, location, bytes"""
LINES = """SELECT item, team, account, allocation, sum(amount_usd) AS usd
FROM ledger WHERE category = 'storage' GROUP BY item, team, account, allocation ORDER BY item"""
DAY_S = 86400
ACCOUNT = {**AWS, "cloud.account.id": "111"}


def left(span: int, hours: float, gb: int, operation: str = "write", to: str = "lake", kept_s: int = 0, **more: str) -> Span:
    """A handoff that leaves an asset somewhere, so many hours after the beginning of the day."""
    described = {"tollbook.asset.id": "corpus", "tollbook.storage.class": "s3-standard", "tollbook.team": "data"} | more
    kept = {"tollbook.storage.retention": kept_s} if kept_s else {}
    told = {key: value for key, value in described.items() if value} | kept
    begun_ns = int(hours * HOUR) - S
    return handoff(
        span,
        span,
        gb * GB,
        operation=operation,
        destination=to,
        network="in_process",
        start_ns=begun_ns,
        resource=ACCOUNT,
        _more=told,
    )


def test_a_copy_costs_its_size_times_its_time_until_it_ends(store: Store, intake: Intake) -> None:
    prices.add(store, [price("storage", "stored", "0.30", "gb_month", model="s3-standard")])
    at = NOON.replace(hour=0)
    intake.spans(
        [
            left(1, 5.25, 10),
            left(2, 6, 20),  # grows
            left(3, 6, 40, "copy", to="index"),  # a copy, until the next morning
            left(4, 6, 10, to="cache", kept_s=7200),  # kept for two hours
            left(5, 6, 1, to="disk", **{"tollbook.storage.class": "tape"}),
            left(6, 6, 1, to="queue", **{"tollbook.storage.class": ""}),  # nothing says that it stays there
            *(left(10 + place, 30, 0, "delete", to=to) for place, to in enumerate(("index", "lake", "disk"))),
        ],
        at,
    )
    engine.settle(store)
    an_hour = Decimal("0.30") / 30 / 24  # of one GB
    stored = [tuple(row.values()) for row in store.query(STORED)]
    assert [row[:4] for row in stored] == [
        ("cache", 10, 7200, ""),
        ("disk", 1, 64800, "no price for tape of aws"),
        ("index", 40, 64800, ""),
        ("lake", 10, 2700, ""),
        ("lake", 20, 64800, ""),
        ("disk", 1, 21600, "no price for tape of aws"),
        ("index", 40, 21600, ""),
        ("lake", 20, 21600, ""),
    ]
    for _, gb, held_s, unpriced, cost_usd in stored:
        assert cost_usd is None if unpriced else abs(cost_usd - an_hour * gb * held_s / 3600) < Decimal("1e-17")
    total = sum((row[4] for row in stored if row[4] is not None), Decimal(0))
    assert store.query(LINES) == [{"item": "corpus", "team": "data", "account": "111", "allocation": "shared", "usd": total}]
    assert due.hours(store) == []
    intake.spans([left(9, 5.5, 0, "delete"), left(8, 5.75, 5)], at)  # late news: emptied and filled again
    engine.settle(store)
    assert [tuple(row.values())[1:3] for row in store.query(STORED) if row["location"] == "lake"] == [
        (5, 900),
        (10, 900),
        (20, 64800),
        (20, 21600),
    ]
    assert due.hours(store) == []
