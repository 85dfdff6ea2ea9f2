"""Any nesting of roll-ups, wrappers, twins and halves around the same calls comes to one total, in any order and however late."""

import random
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tollbook_attribution import ranges, settle
from tollbook_schema.store import Store

from tests.attribution.facts import Intake
from tests.attribution.laws import assert_the_ledger_balances
from tests.money.tales import Teller, Told, Tree, TrueCall, parts

PER_TOKEN = {
    "gpt-4o": (Decimal("0.0000025"), Decimal("0.00000125"), Decimal("0.00001")),
    "gpt-4o-mini": (Decimal("0.00000015"), Decimal("0.000000075"), Decimal("0.0000006")),
}
TOTAL = """
SELECT
    countIf(role = 'counted') AS calls,
    sumIf(input_tokens + ifNull(cache_read_tokens, 0), role = 'counted') AS input,
    sumIf(output_tokens, role = 'counted') AS output,
    (SELECT sum(amount_usd) FROM ledger) AS usd
FROM calls
"""


def cost(call: TrueCall) -> Decimal:
    """What the provider wants for it."""
    fresh, cached, output = PER_TOKEN[call.model]
    return (call.input - call.cached) * fresh + call.cached * cached + call.output * output


@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    trees=st.lists(parts, min_size=12, max_size=20),
    chance=st.randoms(use_true_random=False),
)
def test_any_telling_of_the_same_calls_has_the_same_total(
    store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch, trees: list[Told | Tree], chance: random.Random
) -> None:
    monkeypatch.setattr(ranges, "SPANS_AT_A_TIME", chance.choice([50, 500_000]))
    for table in ("spans", "fact_hours", "settlements"):
        store.command(f"TRUNCATE TABLE {table}")
    tellers = [Teller(trace) for trace in range(1, len(trees) + 1)]
    calls = [call for teller, tree in zip(tellers, trees, strict=True) for call in teller.tell(tree)]
    spans = [span for teller in tellers for span in teller.spans]
    chance.shuffle(spans)
    late = chance.randrange(len(spans))
    intake.spans(spans[late:])
    settle(store)
    if late:
        intake.spans(spans[:late])
        settle(store)
    [total] = store.query(TOTAL)
    assert (total["calls"], total["input"], total["output"], total["usd"]) == (
        len(calls),
        sum(call.input for call in calls),
        sum(call.output for call in calls),
        sum(map(cost, calls)),
    )
    assert_the_ledger_balances(store)
