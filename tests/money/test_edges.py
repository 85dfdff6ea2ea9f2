"""Calls that go over the edge of an hour: told of on both sides, counted once, however late a side arrives."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tollbook_attribution import settle
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, S, Span, chat
from tests.attribution.laws import assert_the_ledger_balances
from tests.money.tales import Teller, Told, Tree, parts
from tests.money.test_nesting import TOTAL, cost

EDGE_S = 3_600
USAGE: dict[str, Any] = {"input": 1_000, "output": 100}
USD = Decimal("0.0035")

COUNTED = """
SELECT hex(trace_id) AS trace, count() AS calls, sum(cost_usd) AS usd FROM calls WHERE role = 'counted'
GROUP BY trace ORDER BY trace
"""
LINES = """
SELECT window, hex(trace_id) AS trace, hex(span_id) AS span, category, item, quantity, amount_usd, waste FROM ledger ORDER BY ALL
"""
CALLS = """
SELECT window, hex(trace_id) AS trace, hex(span_id) AS span, role, input_tokens, output_tokens, attempt, attempts, flags
FROM calls ORDER BY ALL
"""


def at(seconds: float, lasting: float) -> dict[str, Any]:
    """Times of a span, counted from the edge."""
    return {"start_ns": int((EDGE_S + seconds) * S), "duration_ns": int(lasting * S)}


ACROSS: dict[str, Sequence[Span]] = {
    "a wrapper and the call inside": [
        chat(1, 1, scope="framework", **at(-10, 30), **USAGE),
        chat(1, 2, parent=1, scope="sdk", **at(5, 10), **USAGE),
    ],
    "a wrapper without tokens": [
        chat(1, 1, scope="framework", **at(-10, 30)),
        chat(1, 2, parent=1, scope="sdk", **at(5, 10), **USAGE),
    ],
    "a call without tokens inside": [
        chat(1, 1, scope="framework", **at(-10, 30), **USAGE),
        chat(1, 2, parent=1, scope="http", **at(5, 10)),
    ],
    "a wrapper, another span and the call": [
        chat(1, 1, scope="framework", **at(-10, 30), **USAGE),
        Span(1, 2, 1, **at(3, 20)),
        chat(1, 3, parent=2, scope="sdk", **at(5, 10), **USAGE),
    ],
    "an agent that sums up": [
        chat(1, 1, operation="invoke_agent", model=None, **at(-10, 30), **USAGE),
        chat(1, 2, parent=1, **at(5, 10), **USAGE),
    ],
    "a gateway that did not hear of its caller's trace": [
        chat(1, 1, scope="sdk", response_id="r", **at(-1, 30), **USAGE),
        chat(2, 1, scope="proxy", service="gateway", kind="server", response_id="r", **at(1, 20), **USAGE),
    ],
    "halves of a stream": [
        Span(1, 1, **at(-10, 60)),
        chat(1, 2, parent=1, name="stream request", **at(-1, 0.5)),
        chat(1, 3, parent=1, name="chat stream", response_id="s", **at(0.2, 10), **USAGE),
    ],
    "the input on one side, the output on the other": [
        Span(1, 1, **at(-10, 60)),
        chat(1, 2, parent=1, input=1_000, **at(-1, 0.5)),
        chat(1, 3, parent=1, output=100, response_id="t", **at(0.2, 10)),
    ],
    "a gateway below whose clock is ahead": [
        chat(1, 1, scope="sdk", **at(-24, 4), **USAGE),
        chat(1, 2, parent=1, scope="proxy", service="gateway", kind="server", **at(21, 1), **USAGE),
    ],
    "a gateway below whose clock is behind": [
        chat(1, 2, scope="sdk", **at(1, 2), **USAGE),
        chat(1, 1, parent=2, scope="proxy", service="gateway", kind="server", **at(-5, 2), **USAGE),
    ],
    "a gateway apart whose clock is minutes ahead": [
        chat(1, 1, scope="sdk", response_id="u", **at(-200, 2), **USAGE),
        chat(2, 1, scope="proxy", service="gateway", kind="server", response_id="u", **at(5, 2), **USAGE),
    ],
    "an agent that ended before its call by another clock": [
        chat(1, 1, operation="invoke_agent", model=None, **at(-9, 6), **USAGE),
        chat(1, 2, parent=1, **at(1, 2), **USAGE),
    ],
    "two instrumentations of a script": [
        chat(1, 1, scope="wrapper", resource={"service.instance.id": "1"}, **at(-0.02, 3), **USAGE),
        chat(2, 1, scope="sdk", response_id="v", resource={"service.instance.id": "1"}, **at(0.01, 2.9), **USAGE),
    ],
}


SIDES: dict[str, Callable[[Span], bool]] = {
    "the first hour": lambda span: span.start_ns < EDGE_S * S,
    "the second hour": lambda span: span.start_ns >= EDGE_S * S,
    "the spans above": lambda span: span.span == 1,
    "nothing": lambda span: False,
}


@pytest.mark.parametrize("late", [pytest.param(side, marks=[pytest.mark.long] * (side > "the first")) for side in SIDES])
def test_a_call_told_of_on_both_sides_of_the_hour_counts_once(store: Store, intake: Intake, late: str) -> None:
    spans = [replace(span, trace=span.trace + 10 * place) for place, told in enumerate(ACROSS.values()) for span in told]
    held_back = [span for span in spans if SIDES[late](span)]
    intake.spans([span for span in spans if span not in held_back])
    settle(store)
    if held_back:
        intake.spans(held_back)
        settle(store)
    assert [(row["calls"], row["usd"]) for row in store.query(COUNTED)] == [(1, USD)] * len(ACROSS)
    assert_the_ledger_balances(store)
    assert settle(store).windows == 0


def staggered(spans: Iterable[Span], first_ns: int) -> Iterator[Span]:
    """The same spans, inner ones a second later than those around them, from some moment on."""
    begun: Counter[tuple[int, int]] = Counter()
    for span in spans:
        place = begun[span.trace, span.start_ns]
        begun[span.trace, span.start_ns] += 1
        shorter_ns = 2 * place * S if span.duration_ns > 2 * place * S else 0
        yield replace(span, start_ns=first_ns + span.start_ns + place * S, duration_ns=span.duration_ns - shorter_ns)


@pytest.mark.long
@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(trees=st.lists(parts, min_size=12, max_size=20), chance=st.randoms(use_true_random=False))
def test_late_spans_end_in_the_same_ledger_across_hours(
    store: Store, intake: Intake, trees: list[Told | Tree], chance: random.Random
) -> None:
    tellers = [Teller(trace) for trace in range(1, len(trees) + 1)]
    calls = [call for teller, tree in zip(tellers, trees, strict=True) for call in teller.tell(tree)]
    spans = [span for teller in tellers for span in staggered(teller.spans, EDGE_S * S - chance.randrange(60) * S)]
    chance.shuffle(spans)
    late = chance.randrange(1, len(spans))
    ledgers = []
    for parts_of_it in ([spans[late:], spans[:late]], [spans]):
        for table in ("spans", "fact_hours", "settlements", "edges_settled"):
            store.command(f"TRUNCATE TABLE {table}")
        for some in parts_of_it:
            intake.spans(some)
            settle(store)
        ledgers.append((store.query(LINES), store.query(CALLS)))
        [total] = store.query(TOTAL)
        assert (total["calls"], total["input"], total["output"], total["usd"]) == (
            len(calls),
            sum(call.input for call in calls),
            sum(call.output for call in calls),
            sum(map(cost, calls)),
        )
        assert_the_ledger_balances(store)
    assert ledgers[0] == ledgers[1]
