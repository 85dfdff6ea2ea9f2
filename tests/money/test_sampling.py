"""What a sampler drops is not lost to the bill: counters tell of it, and only of it."""

from decimal import Decimal

from tollbook_attribution import settle
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, Point, S, Span, chat, trace_request
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


def marked(spans: list[Span], state: str) -> bytes:
    """A request of spans with that state, as a sampler leaves them."""
    request = trace_request(spans, NOON)
    for resource in request.resource_spans:
        resource.scope_spans[0].spans[0].trace_state = state
    return bytes(request.SerializeToString())


def test_a_span_stands_for_as_many_as_its_state_says(store: Store, intake: Intake) -> None:
    call = {"input": 1_000, "cache_read": 200, "output": 50}
    for state, spans in {
        "ot=th:e6666666666666": [chat(1, 1, service="a tenth", **call)],
        "vendor=x,ot=rv:1;th:8": [
            chat(2, 1, service="a half", operation="invoke_agent", model=None, **call),
            chat(2, 2, 1, service="a half", **call),
        ],
        "ot=p:2": [chat(3, 1, service="a quarter", **call)],
        "ot=th:0": [chat(4, 1, service="all", **call)],
        "ot=th:c": [chat(5, 1, service="counted", **call)],
        "ot=th:ffffffffffffff": [chat(6, 1, service="absurd", **call)],
    }.items():
        intake._load("spans", marked(spans, state))
    intake.points(counters("counted"))
    settle(store)
    # each call: 800 fresh tokens at $2.50, 200 cached at $1.25, 50 of output at $10 a million
    cost = Decimal("0.00275")
    times = {"a half": 2, "a quarter": 4, "a tenth": 10, "absurd": 1, "all": 1, "counted": 10}
    assert [(row["service_name"], row["usd"]) for row in store.query(TOTAL)] == [(name, n * cost) for name, n in times.items()]
    rests = store.query("SELECT service_name, buckets FROM calls WHERE has(flags, 'estimated') ORDER BY service_name")
    assert [row["service_name"] for row in rests] == ["a half", "a quarter", "a tenth"]
    assert rests[2]["buckets"] == {"input": 7_200, "cache_read": 1_800, "output": 450}
    assert store.query("SELECT DISTINCT basis FROM ledger WHERE allocation = 'unattributed' AND service_name = 'a half'") == [
        {"basis": "estimated"}
    ]
    assert_the_ledger_balances(store)
