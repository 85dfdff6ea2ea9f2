"""A call counts once, however many spans tell of it."""

from typing import Any

import pytest
from tollbook_attribution import settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, S, Span, chat
from tests.attribution.laws import assert_the_ledger_balances

CALLS = """
SELECT reinterpretAsUInt64(reverse(span_id)) AS span, toString(role) AS role, reason
FROM calls ORDER BY span
"""
COUNTED = """
SELECT sum(input_tokens) AS input, sum(output_tokens) AS output, sum(cost_usd) AS cost_usd
FROM calls WHERE role = 'counted'
"""


def roles(store: Store) -> dict[int, str]:
    """Role of each span by its number."""
    return {row["span"]: row["role"] for row in store.query(CALLS)}


def agent(trace: int, span: int, parent: int = 0, **values: Any) -> Span:
    """An agent's span that sums up the usage below it."""
    return chat(trace, span, parent, **{"operation": "invoke_agent", "kind": "internal", **values})


def test_an_agent_that_sums_up_its_calls_does_not_count(store: Store, intake: Intake) -> None:
    intake.spans([
        agent(1, 1, input=113, output=11),
        chat(1, 2, 1, input=56, output=5),
        chat(1, 3, 1, input=57, output=6),
    ])  # fmt: skip
    settle(store)
    assert roles(store) == {1: "rollup", 2: "counted", 3: "counted"}
    [counted] = store.query(COUNTED)
    assert (counted["input"], counted["output"]) == (113, 11)
    assert_the_ledger_balances(store)


def test_a_roll_up_counts_where_nothing_below_it_tells_of_tokens(store: Store, intake: Intake) -> None:
    intake.spans([agent(1, 1, input=113, output=11), agent(1, 2, 1, input=113, output=11), Span(1, 3, 2, name="POST")])
    settle(store)
    assert roles(store) == {1: "rollup", 2: "counted"}
    assert "taken from a roll-up" in store.query(CALLS)[1]["reason"]


def test_a_roll_up_sees_calls_far_below_it(store: Store, intake: Intake) -> None:
    between = [Span(1, span, span - 1) for span in range(2, 12)]
    intake.spans([agent(1, 1, input=10, output=1), *between, chat(1, 12, 11, input=10, output=1)])
    settle(store)
    assert roles(store) == {1: "rollup", 12: "counted"}


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        ({"operation": "invoke_agent"}, {"parent": 1}),
        (
            {"operation": "invoke_agent"},
            {
                "parent": 1,
                "input": None,
                "output": None,
                "attributes": {"ai.usage.promptTokens": 10, "ai.usage.completionTokens": 1},
            },
        ),
        ({"response_id": "r"}, {"response_id": "r"}),
        ({}, {"parent": 1}),
    ],
    ids=["roll-up", "roll-up, in another spelling", "same answer", "wrapper"],
)
def test_a_call_that_crosses_the_hour_counts_once(
    store: Store, intake: Intake, upper: dict[str, Any], lower: dict[str, Any]
) -> None:
    intake.spans([
        chat(1, 1, input=10, output=1, start_ns=3_599 * S, duration_ns=20 * S, **upper),
        chat(1, 2, **{"input": 10, "output": 1, **lower}, start_ns=3_601 * S, duration_ns=10 * S),
    ])  # fmt: skip
    settle(store)
    found = sorted(roles(store).values())
    assert found[0] == "counted"
    assert found[1] in ("rollup", "twin")
    assert store.query(COUNTED)[0]["input"] == 10


def test_a_call_in_the_next_hour_does_not_hide_another_one(store: Store, intake: Intake) -> None:
    intake.spans([
        chat(1, 1, input=10, start_ns=3_599 * S, duration_ns=20 * S),
        chat(1, 2, input=10, start_ns=3_601 * S, duration_ns=10 * S),
        chat(2, 3, input=10, operation="invoke_agent", start_ns=3_599 * S, duration_ns=S // 2),
        chat(2, 4, input=10, start_ns=3_601 * S),
    ])  # fmt: skip
    settle(store)
    assert roles(store) == {1: "counted", 2: "counted", 3: "counted", 4: "counted"}


def test_kinds_of_frameworks_are_roll_ups_too(store: Store, intake: Intake) -> None:
    chain = Span(1, 1, attributes={A.OPENINFERENCE_SPAN_KIND: "CHAIN", "llm.token_count.prompt": 10})
    model = Span(1, 2, 1, attributes={A.OPENINFERENCE_SPAN_KIND: "LLM", "llm.token_count.prompt": 10})
    intake.spans([chain, model])
    settle(store)
    assert roles(store) == {1: "rollup", 2: "counted"}


def test_the_same_answer_seen_twice_is_one_call_and_the_richer_tale_counts(store: Store, intake: Intake) -> None:
    intake.spans([
        chat(1, 1, input=1_117, output=46, response_id="r", service="gateway", kind="server"),
        chat(1, 2, input=1_117, cache_read=1_024, output=46, response_id="r"),
        chat(2, 3, input=1_117, cache_read=1_024, output=46, response_id="r"),
    ])  # fmt: skip
    settle(store)
    assert roles(store) == {1: "twin", 2: "counted", 3: "counted"}


def test_a_framework_around_a_client_is_one_call(store: Store, intake: Intake) -> None:
    intake.spans([
        chat(1, 1, input=100, output=5),
        Span(1, 2, 1, name="retry"),
        chat(1, 3, 2, input=100, output=5, response_id="r", response_model="gpt-4o-2024-08-06"),
    ])  # fmt: skip
    settle(store)
    assert roles(store) == {1: "twin", 3: "counted"}


def test_calls_with_answers_of_their_own_both_count(store: Store, intake: Intake) -> None:
    intake.spans([
        chat(1, 1, input=100, output=5, response_id="a"),
        chat(1, 2, 1, input=50, output=5, response_id="b"),
        chat(1, 3, 1, model="gpt-4o-mini", input=50, output=5),
        chat(1, 4, 1, model="text-embedding-3-small", operation="embeddings", input=8),
    ])  # fmt: skip
    settle(store)
    assert roles(store) == {1: "counted", 2: "counted", 3: "counted", 4: "counted"}


def test_a_wrapper_without_tokens_is_not_a_second_call(store: Store, intake: Intake) -> None:
    wrapper = Span(1, 1, attributes={A.TOLLBOOK_KIND: "inference", A.GEN_AI_REQUEST_MODEL: "summarizer"})
    intake.spans([wrapper, chat(1, 2, 1, input=100, output=5)])
    settle(store)
    assert roles(store) == {1: "rollup", 2: "counted"}
    assert store.query("SELECT inference_count FROM requests") == [{"inference_count": 1}]


def test_tokens_above_an_inner_span_without_any_are_counted_above(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, input=100, output=5), chat(1, 2, 1)])
    settle(store)
    assert roles(store) == {1: "counted", 2: "twin"}


def test_a_retry_costs_both_attempts(store: Store, intake: Intake) -> None:
    intake.spans([
        Span(1, 1, name="retrying"),
        chat(1, 2, 1, input=1_000, error=True),
        chat(1, 3, 1, input=1_000, output=10, response_id="r"),
    ])  # fmt: skip
    settle(store)
    assert roles(store) == {2: "counted", 3: "counted"}


@pytest.mark.parametrize("operation", ["fetch_response", "execute_tool"])
def test_what_is_no_call_is_not_priced(store: Store, intake: Intake, operation: str) -> None:
    intake.spans([chat(1, 1, operation=operation, input=1_000, output=10)])
    assert settle(store).calls == 0


def test_parents_that_name_each_other_do_not_hold_up_the_settlement(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, 2, input=10), chat(1, 2, 1, input=10), chat(1, 3, 3, input=10)])
    settle(store)
    assert_the_ledger_balances(store)
