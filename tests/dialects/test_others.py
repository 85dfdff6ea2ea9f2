"""What others send comes to one call each, with the right tokens and price: spans and provider bodies in one table."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tollbook_attribution import settle
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, Span
from tests.dialects.agents import AGENTS
from tests.dialects.bodies import BODIES
from tests.dialects.others import CASES, Case

ALL = CASES | BODIES | AGENTS

CALLS = """
SELECT reinterpretAsUInt64(reverse(trace_id)) AS trace, buckets, price_provider, price_model, price_status, cost_usd, role,
    flags, waste, reason, basis
FROM calls ORDER BY trace
"""


def spans(cases: Iterable[Case]) -> Iterable[Span]:
    """Each case's spans in a trace of their own, numbered from 1."""
    return [replace(span, trace=number) for number, case in enumerate(cases, start=1) for span in case.spans]


def came_to(call: dict[str, Any], case: Case) -> dict[str, Any]:
    """What the case speaks of, as the ledger has it."""
    price = f"{call['price_provider']}/{call['price_model']}" if case.price else ""
    more = {name: str(call[name].normalize()) if isinstance(call[name], Decimal) else call[name] for name in case.more}
    return {"buckets": call["buckets"], "price": price, **more}


def test_what_others_tell_comes_to_one_call_each(store: Store, intake: Intake) -> None:
    intake.spans(spans(ALL.values()))
    settle(store)
    counted: dict[int, list[dict[str, Any]]] = {}
    for row in store.query(CALLS):
        if row["role"] == "counted":
            counted.setdefault(row["trace"], []).append(row)
    found = {
        name: [came_to(call, case) for call in counted.get(number, [])]
        for number, (name, case) in enumerate(ALL.items(), start=1)
    }
    expected = {name: [{"buckets": dict(case.buckets), "price": case.price, **case.more}] for name, case in ALL.items()}
    assert {name: was for name, was in found.items() if was != expected[name]} == {}
