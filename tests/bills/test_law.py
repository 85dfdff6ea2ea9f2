"""Attributed + idle + shared + unattributed = billed, to the last digit, for any bill; and the same whichever came first."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tollbook_attribution import price_book, set_rate, settle
from tollbook_attribution.bills import BillError, Options, load
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers
from tollbook_ui.bills.figures import total

from tests.attribution.facts import NOON, Intake, S, Span, chat
from tests.attribution.laws import BALANCE
from tests.bills.conftest import Folder, focus
from tests.conftest import emptied

HOURS = st.sampled_from([
    ("2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z"), ("2026-11-20T13:00:00Z", "2026-11-20T14:00:00Z"),
    ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"), ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z"),
])  # fmt: skip
COSTS = st.decimals(-1_000, 1_000_000, places=25, allow_nan=False, allow_infinity=False) | st.just(Decimal("1E-30"))
MACHINES = [{A.HOST_ID: name, A.HOST_TYPE: kind} for name, kind in (("i-1", "box"), ("i-2", "box"), ("i-3", "unrated"))]
QUANTITIES = st.sampled_from(["", "0.25", "1", "24", "1000000"])


@st.composite
def charges(draw: st.DrawFn) -> dict[str, str]:
    start, end = draw(HOURS)
    provider, service = draw(st.sampled_from([("AWS", "EC2"), ("AWS", "Support"), ("OpenAI", "API")]))
    resource = draw(st.sampled_from(["i-1", "arn:aws:ec2:x:1:instance/i-2", "i-3", "i-4", "gpt-4o", "gpt-free", ""]))
    return focus(
        BilledCost=f"{draw(COSTS):f}",
        ChargePeriodStart=start,
        ChargePeriodEnd=end,
        ServiceProviderName=provider,
        ServiceName=service,
        SubAccountId=draw(st.sampled_from(["1", "2"])),
        ResourceId=resource,
        ConsumedQuantity=draw(QUANTITIES),
        ConsumedUnit=draw(st.sampled_from(["Hours", "Tokens", "GB"])),
        ChargeCategory=draw(st.sampled_from(["Usage", "Usage", "Usage", "Tax", "Credit", "Purchase"])),
    )


@st.composite
def work(draw: st.DrawFn) -> list[Span]:
    spans = [
        Span(
            number + 1,
            1,
            start_ns=draw(st.integers(0, 7_000 * S)),
            duration_ns=draw(st.integers(S, 2_000 * S)),
            resource=draw(st.sampled_from(MACHINES)),
            attributes={A.TOLLBOOK_CPU_TIME: draw(st.integers(0, 100 * S))},
        )
        for number in range(draw(st.integers(1, 4)))
    ]
    calls = [
        chat(
            number + 100,
            1,
            model=draw(st.sampled_from(["gpt-4o", "gpt-4o", "gpt-99", "gpt-free"])),
            input=draw(st.integers(1, 10**6)),
            output=draw(st.integers(0, 1000)),
            start_ns=number * 1800 * S,
        )
        for number in range(draw(st.integers(0, 4)))
    ]
    return spans + calls


STATE = """
SELECT
    window, allocation, category, item, resource, provider, account, trace_id, sum(amount) AS amount,
    sum(amount_usd) AS amount_usd
FROM ledger GROUP BY ALL HAVING amount != 0 ORDER BY ALL
"""


def fresh(store: Store) -> None:
    emptied(store, kept=("prices", "model_names"))  # a second to fill again, and no bill changes them
    set_rate(store, "box", "0.123456789012345678", "0.7")
    for item in ("input", "output"):
        price_book.set_price(store, {"provider": "openai", "model": "gpt-free", "item": item, "per": "1M", "amount": "0"}, NOON)


def holds(store: Store, told: list[dict[str, str]]) -> list[dict[str, Any]]:
    for row in store.query(BALANCE):
        assert row["paid"] == row["booked"], row
    found = Answers(store).bills.reconciliation()
    for row in found.rows:
        assert row.closes, row
        assert row.price_usd + row.quantity_usd + row.unknown_usage_usd == row.billed_usd - row.estimate_usd
        assert abs(row.pending) < Decimal("1E-16"), row
    assert total(row.billed for row in found.rows) == total(Decimal(row["BilledCost"]) for row in told)
    assert found.unsettled_hours == 0
    return store.query(STATE)


@pytest.mark.long
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(spans=work(), bill=st.lists(charges(), min_size=10, max_size=40))
def test_every_bill_adds_up_whichever_comes_first(
    store: Store, tmp_path: Path, spans: list[Span], bill: list[dict[str, str]]
) -> None:
    file, intake = Folder(tmp_path).csv(*bill), Intake(store, tmp_path)
    fresh(store)
    intake.spans(spans)
    settle(store)
    try:
        load(store, [file], Options(allow_duplicates=True))
    except BillError as error:
        pytest.fail(str(error))
    Answers(store).bills.reconcile()
    settle(store)
    first = holds(store, bill)
    fresh(store)
    load(store, [file], Options(allow_duplicates=True))
    Answers(store).bills.reconcile()
    settle(store)
    holds(store, bill)
    intake.spans(spans)
    settle(store)
    assert holds(store, bill) == first
    assert settle(store).windows == 0
