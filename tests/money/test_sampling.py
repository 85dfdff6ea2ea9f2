"""What a sampler drops is not lost to the bill: counters tell of it, and only of it."""

from decimal import Decimal

from tollbook_attribution import settle
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, Point, S, chat
from tests.attribution.laws import assert_the_ledger_balances

TOTAL = """
SELECT service_name, sum(amount_usd) AS usd FROM ledger WHERE category = 'tokens' GROUP BY service_name ORDER BY service_name
"""
COUNTERS = {"input_tokens": 10_000, "cache_read.input_tokens": 2_000, "output_tokens": 500}


def counters(service: str, scale: int = 1) -> list[Point]:
    """What ten calls used, as counters that were at 0 when the hour began."""
    names = {"gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}
    return [
        Point(f"gen_ai.client.inference.usage.{name}", value, at, cumulative=True, attributes=names, service=service)
        for name, total in COUNTERS.items()
        for at, value in ((0, 0), (1_800 * S, total * scale))
    ]


def test_totals_do_not_shrink_with_head_sampling(store: Store, intake: Intake) -> None:
    call = {"input": 1_000, "cache_read": 200, "output": 50}
    intake.spans([chat(1, 1, service="sampled", **call)])
    intake.spans([chat(trace, 1, service="whole", **call) for trace in range(10, 20)])
    intake.points(counters("sampled") + counters("whole"))
    settle(store)
    # 8,000 fresh tokens at $2.50, 2,000 cached at $1.25, 500 of output at $10 a million
    cost = Decimal("0.02") + Decimal("0.0025") + Decimal("0.005")
    assert [(row["service_name"], row["usd"]) for row in store.query(TOTAL)] == [("sampled", cost), ("whole", cost)]
    [rest] = store.query("SELECT * FROM calls WHERE has(flags, 'sampled_rest')")
    assert (rest["buckets"], rest["service_name"]) == ({"input": 7_200, "cache_read": 1_800, "output": 450}, "sampled")
    assert_the_ledger_balances(store)
