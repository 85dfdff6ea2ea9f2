"""A contract's percents come off every line that a list prices: tokens, transfer, storage, services, accelerators."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tollbook_attribution import currencies, price_book, prices, settle
from tollbook_attribution.prices import Price
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, S, Span, chat

GB = 10**9
AWS = {"cloud.provider": "aws", "cloud.region": "eu-west-1"}
PAGES = {"tollbook.service.name": "ocr", "tollbook.service.item": "page", "tollbook.service.quantity": 3}
ON_GPU = {A.TOLLBOOK_KIND: "inference", A.HW_ID: "GPU-1", A.HW_MODEL: "NVIDIA H100"}
MIDNIGHT = NOON.replace(hour=23)

LINES = """
SELECT toString(category) AS category, item, amount, currency, amount_usd, price_id != '' AS has_price,
    extract(method, ', less .*') AS less
FROM ledger ORDER BY category, item, account
"""


def listed(category: str, provider: str, model: str, item: str, unit: str, amount: str, **terms: Any) -> Price:
    """A price of a list, which contracts take percents off."""
    return Price(
        version="2026-11", category=category, provider=provider, model=model, item=item, unit=unit, amount=Decimal(amount),
        precedence="dated list", source="a list", **terms,
    )  # fmt: skip


BOOK = [
    listed("transfer", "aws", "data-transfer", "internet", "gb", "0.10"),
    listed("storage", "aws", "s3-test", "stored", "gb_month", "0.30"),
    listed("third_party", "ocr", "scan", "page", "page", "0.02", currency="EUR"),
    listed("third_party", "maps", "", "request", "request", "0.50"),
    listed("accelerator", "aws", "H100", "gpu", "gpu_hour", "4"),
]


def sent(trace: int, account: str) -> Span:
    """Ten GB over the internet."""
    return Span(trace, 1, resource={**AWS, "cloud.account.id": account}, attributes={
        A.TOLLBOOK_KIND: "handoff", "tollbook.handoff.network": "internet", "tollbook.handoff.size": 10 * GB,
    })  # fmt: skip


def test_a_discount_comes_off_every_line_that_a_list_prices(store: Store, intake: Intake) -> None:
    prices.add(store, BOOK)
    currencies.set_exchange_rate(store, "EUR", "1.10", MIDNIGHT.date(), now=NOON)
    price_book.set_discount(store, "edp", "20", now=NOON, provider="aws")
    for category in ("storage", "accelerator"):
        price_book.set_discount(store, "all, account 7", "50", now=NOON, category=category, account="7")
    price_book.set_discount(store, "edp, account 7", "50", now=NOON, provider="aws", category="transfer", account="7")
    price_book.set_discount(store, "ours", "10", now=NOON, category="third_party", tenant="default")
    price_book.set_discount(store, "another's", "90", now=NOON, tenant="globex")
    price_book.set_discount(store, "over", "90", now=NOON, valid_until=NOON - timedelta(days=1))
    prices.add(store, [Price(
        version="1", category="third_party", provider="maps", model="", item="request", unit="request", amount=Decimal("0.40"),
        source="contract",
    )])  # fmt: skip
    intake.spans(
        [
            chat(1, 1, input=1_000_000),
            sent(2, "6"),
            sent(3, "7"),
            Span(4, 1, resource=AWS, attributes={
                A.TOLLBOOK_KIND: "handoff", "tollbook.handoff.operation": "write", "tollbook.handoff.size": 30 * GB,
                "tollbook.handoff.destination": "lake", "tollbook.handoff.network": "in_process",
                "tollbook.asset.id": "corpus", "tollbook.storage.class": "s3-test", "tollbook.storage.retention": 2592,
            }),
            Span(5, 1, attributes=PAGES),
            Span(6, 1, attributes={"tollbook.service.name": "maps"}),
            Span(7, 1, duration_ns=900 * S, attributes=ON_GPU),
            Span(8, 1, resource={**AWS, "cloud.account.id": "7"}, attributes={
                A.TOLLBOOK_KIND: "handoff", "tollbook.handoff.operation": "write", "tollbook.handoff.size": 30 * GB,
                "tollbook.handoff.destination": "lake", "tollbook.handoff.network": "in_process",
                "tollbook.asset.id": "of account 7", "tollbook.storage.class": "s3-test", "tollbook.storage.retention": 2592,
            }),
            Span(9, 1, duration_ns=900 * S, resource={"cloud.account.id": "7"}, attributes={**ON_GPU, A.HW_ID: "GPU-of-7"}),
        ],
        MIDNIGHT,
    )  # fmt: skip
    settle(store)
    lines = [tuple(row.values()) for row in store.query(LINES)]
    assert lines == [
        ("accelerator", "accelerator time", Decimal("0.8"), "USD", Decimal("0.8"), True, ", less 20 % (edp)"),
        ("accelerator", "accelerator time", Decimal("0.5"), "USD", Decimal("0.5"), True, ", less 50 % (all, account 7)"),
        ("storage", "corpus", Decimal("0.0072"), "USD", Decimal("0.0072"), True, ", less 20 % (edp)"),
        ("storage", "of account 7", Decimal("0.0045"), "USD", Decimal("0.0045"), True, ", less 50 % (all, account 7)"),
        ("third_party", "page", Decimal("0.054"), "EUR", Decimal("0.0594"), True, ", less 10 % (ours)"),
        ("third_party", "request", Decimal("0.4"), "USD", Decimal("0.4"), True, ""),
        ("tokens", "input", Decimal("2.5"), "USD", Decimal("2.5"), True, ""),
        ("transfer", "internet", Decimal("0.8"), "USD", Decimal("0.8"), True, ", less 20 % (edp)"),
        ("transfer", "internet", Decimal("0.5"), "USD", Decimal("0.5"), True, ", less 50 % (edp, account 7)"),
    ]
