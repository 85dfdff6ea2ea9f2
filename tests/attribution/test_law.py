"""The ledger balances to the last digit, for any spans, rates and overlaps."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tollbook_attribution import set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, S, Span
from tests.attribution.laws import assert_the_ledger_balances

MODELS = st.sampled_from([
    ("openai", "gpt-4o"), ("anthropic", "claude-sonnet-4-5"), ("gcp.gemini", "gemini-2.5-pro"), ("acme", "unknown"), ("", ""),
])  # fmt: skip
TOKENS = st.none() | st.integers(-1, 3_000_000)
TIMES_NS = st.integers(0, 7_200 * S) | st.integers(3_599 * S, 3_601 * S)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    provider, model = draw(MODELS)
    attributes: dict[str, Any] = {
        A.GEN_AI_PROVIDER_NAME: provider,
        A.GEN_AI_REQUEST_MODEL: model,
        A.GEN_AI_OPERATION_NAME: draw(st.sampled_from(["chat", "invoke_agent", "execute_tool", "embeddings", ""])),
        A.GEN_AI_RESPONSE_ID: draw(st.sampled_from(["", "r1", "r2"])),
        A.GEN_AI_USAGE_INPUT_TOKENS: draw(TOKENS),
        A.GEN_AI_USAGE_OUTPUT_TOKENS: draw(TOKENS),
        A.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: draw(TOKENS),
        A.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: draw(TOKENS),
        A.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: draw(TOKENS),
        A.TOLLBOOK_CPU_TIME: draw(st.none() | st.integers(-5, 100 * S)),
        A.TOLLBOOK_KIND: draw(st.sampled_from(["request", "inference", "handoff", ""])),
    }
    host = draw(st.sampled_from(["", "h1", "h2", "h3"]))
    return Span(
        trace=draw(st.integers(0, 3)),
        span=draw(st.integers(1, 6)),
        parent=draw(st.integers(0, 6)),
        start_ns=draw(TIMES_NS),
        duration_ns=draw(st.integers(0, 100 * S)),
        kind=draw(st.sampled_from(["internal", "client", "server"])),
        service=draw(st.sampled_from(["a", "b"])),
        resource={A.HOST_ID: host, A.HOST_TYPE: {"h1": "box", "h2": "rack"}.get(host, "unrated")} if host else {},
        attributes={key: value for key, value in attributes.items() if value not in (None, "")},
    )


MONEY = st.decimals(min_value=0, max_value=10_000, places=18, allow_nan=False, allow_infinity=False)
RATES = st.tuples(MONEY, MONEY)
CPUS = st.decimals(min_value="0.001", max_value=999, places=3, allow_nan=False, allow_infinity=False)
STATE = "SELECT category, resource, trace_id, span_id, item, amount_usd FROM ledger ORDER BY ALL"


@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=st.lists(st.lists(spans(), min_size=1, max_size=12), min_size=1, max_size=2), rates=RATES, cpus=CPUS)
def test_the_ledger_balances_for_any_spans_rates_and_overlaps(
    store: Store, intake: Intake, batches: list[list[Span]], rates: tuple[Decimal, Decimal], cpus: Decimal
) -> None:
    for table in ("spans", "fact_hours", "settlements", "instance_rates"):
        store.command(f"TRUNCATE TABLE {table}")
    set_rate(store, "box", rates[0], cpus)
    set_rate(store, "rack", rates[1], 64)
    for batch in batches:
        intake.spans(batch)
        settle(store)
        assert_the_ledger_balances(store)
    before = store.query(STATE)
    again = settle(store, since=NOON, until=NOON + timedelta(hours=3))
    assert again.difference_usd == 0
    assert store.query(STATE) == before
    assert_the_ledger_balances(store)
