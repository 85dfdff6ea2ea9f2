"""What model calls cost: literal sums worked out by hand from the list prices in force at the time of the call."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tollbook_attribution import settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, Span, chat, trace_id

CALLS = "SELECT * FROM calls ORDER BY start_time, span_id"
LINES = "SELECT item, quantity, amount_usd, price_id, basis FROM ledger ORDER BY trace_id, span_id, item"
TOTAL = "SELECT sum(amount_usd) AS usd FROM ledger"


def total(store: Store) -> Decimal:
    """Sum of the ledger."""
    return Decimal(store.query(TOTAL)[0]["usd"])


def only_call(store: Store) -> dict[str, Any]:
    """The one call that is counted."""
    [call] = [row for row in store.query(CALLS) if row["role"] == "counted"]
    return call


def test_a_chat_is_one_line_for_each_kind_of_token(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, input=1_117, cache_read=1_024, output=46, reasoning=20)])
    settle(store)
    assert [(row["item"], row["quantity"], row["amount_usd"]) for row in store.query(LINES)] == [
        ("cache_read", 1_024, Decimal("0.00128")),
        ("input", 93, Decimal("0.0002325")),
        ("output", 26, Decimal("0.00026")),
        ("reasoning", 20, Decimal("0.0002")),
    ]
    assert total(store) == Decimal("0.0019725")
    call = only_call(store)
    assert (call["price_status"], call["cost_usd"]) == ("priced", Decimal("0.0019725"))


@pytest.mark.parametrize(
    ("prompt", "note"),
    [(12, "cache tokens exceed the input: read as counted apart"), (2_312, "")],
    ids=["counts apart, as Anthropic does", "counts the cache in, as OpenTelemetry asks"],
)
def test_both_ways_to_count_cached_input_cost_the_same(store: Store, intake: Intake, prompt: int, note: str) -> None:
    intake.spans([
        chat(1, 1, provider="anthropic", model="claude-sonnet-4-5", input=prompt, cache_write=300, cache_read=2_000, output=7)
    ])  # fmt: skip
    settle(store)
    call = only_call(store)
    assert (call["input_tokens"], call["cache_write_tokens"], call["cache_read_tokens"]) == (12, 300, 2_000)
    assert call["cost_usd"] == total(store) == Decimal("0.001866")
    assert call["reason"] == note


def test_an_embedding_of_8_tokens_costs_16_hundredths_of_a_millionth(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, operation="embeddings", model="text-embedding-3-small", input=8)])
    settle(store)
    assert total(store) == Decimal("0.00000016")


@pytest.mark.parametrize(
    ("at", "usd"),
    [
        (datetime(2025, 6, 9, 23, tzinfo=UTC), "0.05"),
        (datetime(2025, 6, 10, 0, tzinfo=UTC), "0.01"),
    ],
)
def test_a_call_costs_what_the_price_was_at_its_time(store: Store, intake: Intake, at: datetime, usd: str) -> None:
    intake.spans([chat(1, 1, model="o3", input=1_000, output=1_000)], at)
    settle(store)
    assert total(store) == Decimal(usd)


@pytest.mark.parametrize(
    ("hour", "start_s", "usd"),
    [(16, 1_799, "0.00027"), (16, 1_800, "0.000135"), (0, 1_799, "0.000135"), (0, 1_800, "0.00027")],
)
def test_a_price_by_the_clock_changes_to_the_second(store: Store, intake: Intake, hour: int, start_s: int, usd: str) -> None:
    span = chat(1, 1, provider="deepseek", model="deepseek-chat", input=1_000, start_ns=start_s * 10**9)
    intake.spans([span], NOON.replace(year=2025, month=3, hour=hour))
    settle(store)
    assert total(store) == Decimal(usd)


def test_a_long_input_is_priced_by_its_step(store: Store, intake: Intake) -> None:
    spans = [
        chat(1, 1, provider="gcp.gemini", model="gemini-2.5-pro", input=200_000, start_ns=0),
        chat(2, 1, provider="gcp.gemini", model="gemini-2.5-pro", input=200_001, start_ns=1),
    ]
    intake.spans(spans)
    settle(store)
    assert [row["cost_usd"] for row in store.query(CALLS)] == [Decimal("0.25"), Decimal("0.5000025")]


@pytest.mark.parametrize(("tier", "usd"), [("default", "0.001275"), ("flex", "0.0006375"), ("", "0.001275")])
def test_the_service_tier_decides_the_price(store: Store, intake: Intake, tier: str, usd: str) -> None:
    intake.spans([chat(1, 1, model="gpt-5-mini", input=2_000, cache_read=1_000, output=500, service_tier=tier or None)])
    settle(store)
    assert total(store) == Decimal(usd)


def test_an_unknown_model_is_unpriced_and_says_so(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, model="gpt-4o-but-ours", provider="acme", input=1_000, output=10)])
    summary = settle(store)
    call = only_call(store)
    assert (call["price_status"], call["cost_usd"], call["reason"]) == (
        "unpriced",
        None,
        "unknown model acme/gpt-4o-but-ours",
    )
    assert (summary.calls, summary.priced_calls, summary.unpriced_calls, summary.lines) == (1, 0, 1, 0)
    assert store.query("SELECT unpriced_calls FROM requests") == [{"unpriced_calls": 1}]


def test_one_known_model_among_many_unknown_ones_keeps_its_price(store: Store, intake: Intake) -> None:
    unknown = [chat(number, 1, model=f"ours-{number}", provider="acme", input=10) for number in range(2, 42)]
    intake.spans([chat(1, 1, input=10), *unknown])
    summary = settle(store)
    assert (summary.priced_calls, summary.unpriced_calls, summary.lines) == (1, 40, 1)
    reasons = {(row["model"], row["reason"]) for row in store.query(CALLS)}
    assert reasons == {("gpt-4o", ""), *((f"ours-{number}", f"unknown model acme/ours-{number}") for number in range(2, 42))}
    assert total(store) == Decimal("0.000025")


def test_a_call_without_a_price_for_one_kind_of_token_is_not_priced_in_part(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, operation="embeddings", model="text-embedding-3-small", input=8, output=3)])
    settle(store)
    call = only_call(store)
    assert (call["price_status"], call["reason"]) == (
        "unpriced",
        "no price for output of openai/text-embedding-3-small",
    )
    assert store.query(LINES) == []


def test_a_call_without_tokens_is_no_free_call(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1)])
    settle(store)
    assert (only_call(store)["price_status"], only_call(store)["cost_usd"]) == ("no_tokens", None)


def test_a_model_on_own_machines_is_local(store: Store, intake: Intake) -> None:
    intake.spans([
        Span(1, 1, attributes={A.TOLLBOOK_KIND: "inference", A.GEN_AI_PROVIDER_NAME: "onnxruntime"})
    ])  # fmt: skip
    settle(store)
    assert only_call(store)["price_status"] == "local"


def test_a_cached_share_that_is_not_told_makes_the_cost_an_upper_bound(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, input=1_117, output=46)])
    settle(store)
    call = only_call(store)
    assert (call["cost_usd"], call["reason"]) == (
        Decimal("0.0032525"),
        "cached share not reported: an upper bound",
    )


def test_what_an_unreadable_count_leaves_is_a_lower_bound(store: Store, intake: Intake) -> None:
    costs: list[str | float] = [-0.5, "inf", 1e30, "1e12"]
    intake.spans([
        chat(1, 1, input=-5, output=100),
        chat(2, 1, input=1_000, output=2**63 - 1),
        chat(3, 1, output=100, attributes={"gen_ai.usage.prompt_tokens": "many"}),
        chat(4, 1, input=-5, output=100, attributes={"gen_ai.usage.cost": 0.25}),
        chat(5, 1, input=-5, output=100, response_id="one", scope="sdk"),
        chat(5, 2, 1, input=1_000, output=100, response_id="one", scope="gateway"),
        *(
            chat(number, 1, input=1_000, cache_read=0, output=100, attributes={"gen_ai.usage.cost": usd})
            for number, usd in enumerate(costs, start=6)
        ),
    ])  # fmt: skip
    summary = settle(store)
    calls = {int.from_bytes(row["trace_id"], "big"): row for row in store.query(CALLS) if row["role"] == "counted"}
    bounds = {
        number: (calls[number]["price_status"], calls[number]["cost_usd"], calls[number]["reason"]) for number in range(1, 5)
    }
    assert bounds == {
        1: ("unpriced", Decimal("0.001"), "a negative count was left out; input count unreadable: a lower bound"),
        2: ("unpriced", Decimal("0.0025"), "a count too large to be one was left out; output count unreadable: a lower bound"),
        3: ("unpriced", Decimal("0.001"), "a count that is no number was left out; input count unreadable: a lower bound"),
        4: ("priced", Decimal("0.25"), calls[4]["reason"]),
    }
    assert (calls[5]["price_status"], calls[5]["cost_usd"]) == ("priced", Decimal("0.0035"))
    for number in range(6, 10):
        assert (calls[number]["cost_usd"], calls[number]["flags"]) == (Decimal("0.0035"), ["reported_cost_unreadable"])
        assert calls[number]["reason"] == "the reported cost is no amount: left out"
    assert (summary.calls, summary.priced_calls, summary.unpriced_calls) == (9, 6, 3)
    assert total(store) == sum(call["cost_usd"] for call in calls.values())


def test_the_model_that_answered_decides_before_the_one_asked_for(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, provider="az.ai.openai", model="ours", response_model="gpt-4o-2024-08-06", input=1_000)])
    settle(store)
    assert total(store) == Decimal("0.0025")


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("aws.bedrock", "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ],
)
def test_spellings_of_bedrock_are_one_model(store: Store, intake: Intake, provider: str, model: str) -> None:
    intake.spans([chat(1, 1, provider=provider, model=model, input=1_000)])
    settle(store)
    assert total(store) == Decimal("0.0033")


@pytest.mark.parametrize("model", ["anthropic/claude-sonnet-4-5", "claude-sonnet-4-5"])
def test_a_prefix_may_name_the_provider(store: Store, intake: Intake, model: str) -> None:
    intake.spans([chat(1, 1, provider=None, model=model, input=1_000)])
    settle(store)
    assert total(store) == Decimal("0.003")


def test_simulated_money_stays_marked(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, input=1_000, attributes={A.TOLLBOOK_SIMULATED: True}), chat(2, 1, input=1_000)])
    settle(store)
    rows = store.query("SELECT trace_id, simulated FROM ledger ORDER BY trace_id")
    assert rows == [{"trace_id": trace_id(1), "simulated": True}, {"trace_id": trace_id(2), "simulated": False}]


def test_every_line_names_its_price(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, input=1_000)])
    settle(store)
    [line] = store.query("SELECT * FROM ledger")
    [price] = store.query(
        "SELECT * FROM prices WHERE price_id = {id:String} AND version = {version:String} AND valid_until IS NULL",
        {"id": line["price_id"], "version": line["price_version"]},
    )
    assert (price["source"], price["amount"] * 1_000) == ("genai-prices", line["amount_usd"])
    assert (line["resource"], line["currency"], line["basis"]) == ("openai/gpt-4o", "USD", "computed")
