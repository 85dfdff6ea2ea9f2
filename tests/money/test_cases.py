"""Public accounting bugs of other products as cases with one right answer: OTLP in, ledger out. Each trace is one case."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tollbook_attribution import settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import MS, Intake, S, Span, chat
from tests.attribution.laws import assert_the_ledger_balances

CALLS = """
SELECT reinterpretAsUInt64(reverse(calls.trace_id)) AS trace, reinterpretAsUInt64(reverse(calls.span_id)) AS span, calls.*
FROM calls ORDER BY trace, span
"""
LINES = """
SELECT reinterpretAsUInt64(reverse(trace_id)) AS trace, item, sum(ledger.quantity) AS quantity, sum(amount_usd) AS usd
FROM ledger WHERE category = 'tokens' GROUP BY trace, item
"""
OLD_READ, OLD_WRITE = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"


def claude(trace: int, span: int, parent: int = 0, **values: Any) -> Span:
    """A call of Claude Sonnet 4.5: $3 and $15 a million, $0.30 read from the cache, $3.75 written to it."""
    return chat(trace, span, parent, **{"provider": "anthropic", "model": "claude-sonnet-4-5", **values})


def openinference(trace: int, **counts: int) -> Span:
    """A span of Claude's in OpenInference's spelling."""
    spellings = {
        "prompt": "llm.token_count.prompt",
        "completion": "llm.token_count.completion",
        "read": "llm.token_count.prompt_details.cache_read",
        "write": "llm.token_count.prompt_details.cache_write",
        "total": "llm.token_count.total",
    }
    said = {spellings[word]: count for word, count in counts.items()}
    names = {A.OPENINFERENCE_SPAN_KIND: "LLM", "llm.system": "anthropic", "llm.model_name": "claude-sonnet-4-5"}
    return Span(trace, 1, scope="openinference.instrumentation.anthropic", attributes=names | said)


@pytest.fixture
def settled(store: Store, intake: Intake) -> Store:
    """An hour with all cases whose answers do not depend on the day."""
    mini = {"model": "gpt-5-mini", "input": 2_000, "cache_read": 1_000, "output": 500}
    streamed = {"input": 16_111, "cache_read": 15_872, "output": 10}
    one_call = {"input": 1_117, "output": 46, "response_id": "chatcmpl-12"}
    intake.spans([
        # X1: input 5, read 128,955, write 1,253, as Anthropic counts
        claude(1, 1, input=5, cache_read=128_955, cache_write=1_253, output=0),
        # X2: output 1,970, of which 956 of reasoning
        chat(2, 1, model="o3", input=10, output=1_970, reasoning=956),
        # X3: two calls and an agent that sums them up
        chat(3, 1, operation="invoke_agent", input=113, output=11),
        chat(3, 2, 1, input=56, output=5),
        chat(3, 3, 1, input=57, output=6, start_ns=2 * S),
        # X6: a prompt that counts exclusively beside a total that holds all
        openinference(6, prompt=3, read=7_917, write=350, completion=442, total=8_712),
        # X8: default, flex
        chat(81, 1, service_tier="default", **mini),
        chat(82, 1, service_tier="flex", **mini),
        # X9: streamed or not
        chat(91, 1, **streamed, attributes={A.GEN_AI_REQUEST_STREAM: True}),
        chat(92, 1, **streamed),
        # X10: a cost of 0 with tokens
        chat(10, 1, input=1_000, output=10, attributes={"gen_ai.usage.cost": 0.0}),
        # X12: gateway and SDK, in one trace, in two, and where the gateway names no answer
        chat(120, 1, **one_call, cache_read=1_024, scope="sdk"),
        chat(120, 2, **one_call, scope="proxy", service="gateway", kind="server"),
        chat(121, 1, **one_call | {"response_id": "chatcmpl-13"}, cache_read=1_024, scope="sdk", duration_ns=3 * S),
        chat(122, 1, **one_call | {"response_id": "chatcmpl-13"}, scope="proxy", service="gateway", start_ns=S),
        chat(123, 1, **one_call | {"response_id": "chatcmpl-14"}, cache_read=1_024, scope="sdk", duration_ns=3 * S),
        chat(123, 2, **one_call | {"response_id": None}, scope="proxy", service="gateway", start_ns=5 * MS),
        # X13: two spellings
        claude(131, 1, input=2_312, output=7, attributes={OLD_READ: 2_000, "gen_ai.usage.cache_write.input_tokens": 300}),
        claude(132, 1, input=2_312, output=7, attributes={OLD_READ: 2_000, OLD_WRITE: 300}),
        # X16: answered by a cache of one's own
        chat(16, 1, input=1_000, output=10, attributes={"gen_ai.cache.hit": True}),
        # X22: spellings of one model, and a name that only looks like one
        claude(221, 1, provider="aws.bedrock", model="us.anthropic.claude-sonnet-4-5-20250929-v1:0", input=1_000),
        claude(222, 1, provider=None, model="anthropic/claude-sonnet-4-5", input=1_000),
        claude(223, 1, provider="gcp.vertex_ai", model="claude-sonnet-4-5@20250929", input=1_000),
        claude(224, 1, model="claude-sonnet-4-5-ours", input=1_000),
    ])  # fmt: skip
    settle(store)
    assert_the_ledger_balances(store)
    return store


def counted(store: Store) -> dict[int, dict[str, Any]]:
    """The counted calls by the number of their trace; none has two but 3."""
    return {row["trace"]: row for row in store.query(CALLS) if row["role"] == "counted"}


def lines(store: Store, trace: int) -> dict[str, tuple[int, Decimal]]:
    """Quantity and amount of a trace's lines by item."""
    return {row["item"]: (int(row["quantity"]), row["usd"]) for row in store.query(LINES) if row["trace"] == trace}


def test_every_case_has_its_one_right_answer(settled: Store) -> None:
    calls = counted(settled)
    cost = {trace: call["cost_usd"] for trace, call in calls.items()}
    assert calls[1]["buckets"] == {"input": 5, "cache_read": 128_955, "cache_write": 1_253}
    assert cost[1] == Decimal("0.000015") + Decimal("0.0386865") + Decimal("0.00469875")
    assert (calls[2]["buckets"]["output"], calls[2]["buckets"]["reasoning"]) == (1_014, 956)
    assert cost[2] == Decimal("0.00002") + 1_970 * Decimal("0.000008")
    assert {row["span"]: row["role"] for row in settled.query(CALLS) if row["trace"] == 3} == {
        1: "rollup",
        2: "counted",
        3: "counted",
    }
    assert {item: quantity for item, (quantity, _) in lines(settled, 3).items()} == {"input": 113, "output": 11}
    assert lines(settled, 6)["output"] == (442, Decimal("0.00663"))
    assert (cost[81], cost[82], cost[81] + cost[82]) == (Decimal("0.001275"), Decimal("0.0006375"), Decimal("0.0019125"))
    assert cost[91] == cost[92] == 239 * Decimal("0.0000025") + 15_872 * Decimal("0.00000125") + Decimal("0.0001")
    assert (cost[10], "reported_cost_zero" in calls[10]["flags"]) == (Decimal("0.0026"), True)
    assert [trace for trace in (120, 121, 122, 123) if trace in calls] == [120, 121, 123]
    assert cost[120] == cost[121] == cost[123] == Decimal("0.0019725")
    assert cost[131] == cost[132] == Decimal("0.001866")
    assert cost[221] == Decimal("0.0033")  # of the region us, 10 % more
    assert cost[222] == cost[223] == Decimal("0.003")
    assert (calls[224]["price_status"], cost[224]) == ("unpriced", None)


def test_an_answer_of_one_s_own_cache_costs_nothing_and_says_what_it_saved(settled: Store) -> None:
    call = counted(settled)[16]
    assert (call["cost_usd"], call["avoided_usd"]) == (Decimal(0), Decimal("0.0026"))


@pytest.mark.parametrize(
    ("model", "before", "edge", "prices"),
    [
        ("o3", datetime(2025, 6, 9, 23, tzinfo=UTC), datetime(2025, 6, 10, tzinfo=UTC), ("0.05", "0.01")),
        ("deepseek-chat", datetime(2025, 3, 20, 16, tzinfo=UTC), None, ("0.00137", "0.000685")),
    ],
)
def test_the_price_is_that_of_the_second_on_both_sides_of_an_edge(
    store: Store, intake: Intake, model: str, before: datetime, edge: datetime | None, prices: tuple[str, str]
) -> None:
    provider = "deepseek" if "deepseek" in model else "openai"
    last_s = 3_599 if edge else 1_799
    intake.spans([
        chat(1, 1, provider=provider, model=model, input=1_000, output=1_000, start_ns=last_s * S),
        chat(2, 1, provider=provider, model=model, input=1_000, output=1_000, start_ns=(last_s + 1) * S),
    ], before)  # fmt: skip
    settle(store)
    calls = counted(store)
    assert [calls[1]["cost_usd"], calls[2]["cost_usd"]] == [Decimal(price) for price in prices]
