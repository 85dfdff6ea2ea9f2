"""Operations and their attempts, and what was paid for nothing: failed, aborted, retried, truncated and duplicate calls."""

from decimal import Decimal
from typing import Any

import pytest
from tollbook_attribution import settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, S, Span, chat

CALLS = """
SELECT
    reinterpretAsUInt64(reverse(trace_id)) AS trace, reinterpretAsUInt64(reverse(span_id)) AS span,
    reinterpretAsUInt64(reverse(operation_id)) AS operation, attempt, attempts, waste
FROM calls WHERE role = 'counted' ORDER BY trace, span
"""
WASTE = "SELECT waste, sum(amount_usd) AS usd FROM ledger WHERE category = 'tokens' GROUP BY waste ORDER BY waste"


def at(second: int, **values: Any) -> dict[str, Any]:
    """A call of a tenth of a second that starts then."""
    return {"start_ns": second * S, "duration_ns": S // 10, **values}


def attempts(store: Store, trace: int) -> list[tuple[int, int, int, int, str]]:
    """(span, operation, attempt, attempts, waste) of the counted calls of a trace."""
    rows = [row for row in store.query(CALLS) if row["trace"] == trace]
    return [(row["span"], row["operation"], row["attempt"], row["attempts"], row["waste"]) for row in rows]


@pytest.fixture
def wasted(store: Store, intake: Intake) -> Store:
    """An hour with a trace for each way of waste, and one without."""
    ends = A.GEN_AI_RESPONSE_FINISH_REASONS
    digest = {A.TOLLBOOK_INFERENCE_INPUT_DIGEST: "d", A.TOLLBOOK_KIND: "inference"}
    intake.spans([
        # 1: one retry, then success: one operation, two attempts, the cost of both, and the first is waste
        Span(1, 1, name="retrying"),
        chat(1, 2, 1, **at(0, input=1_000, output=2, error=True)),
        chat(1, 3, 1, **at(1, input=1_000, output=10, response_id="r")),
        # 2: failures without tokens, a success, and then another operation
        chat(2, 1, **at(0, error=True)),
        chat(2, 2, **at(1, error=True)),
        chat(2, 3, **at(2, input=1_000)),
        chat(2, 4, **at(3, input=2_000)),
        # 3: given up
        chat(3, 1, **at(0, input=1_000, error=True)),
        chat(3, 2, **at(1, input=1_000, error=True)),
        # 4: cut off, cancelled, and failed for another model
        chat(4, 1, **at(0, input=1_000, attributes={ends: ["length"]})),
        chat(4, 2, **at(1, input=1_000, error=True, attributes={"error.type": "CancelledError"})),
        chat(4, 3, **at(2, input=1_000, model="gpt-4o-mini", error=True)),
        chat(4, 4, **at(3, input=1_000, model="gpt-4o")),
        # 5: two at once are no attempts of one
        chat(5, 1, start_ns=0, duration_ns=S, input=1_000, error=True),
        chat(5, 2, start_ns=S // 2, duration_ns=S, input=1_000),
        # 6: a framework that falls back to another model
        chat(6, 1, start_ns=0, duration_ns=10 * S, model="gpt-4o", input=1_000, scope="framework"),
        chat(6, 2, 1, **at(0, error=True)),
        chat(6, 3, 1, **at(2, input=1_000)),
        # 7, 8: the same question twice
        chat(7, 1, **at(0, input=1_000, attributes=digest)),
        chat(8, 1, **at(5, input=1_000, attributes=digest)),
    ])  # fmt: skip
    settle(store)
    return store


def test_calls_are_told_apart_from_their_attempts(wasted: Store) -> None:
    assert attempts(wasted, 1) == [(2, 2, 1, 2, "retried"), (3, 2, 2, 2, "")]
    assert attempts(wasted, 2) == [(1, 1, 1, 3, "retried"), (2, 1, 2, 3, "retried"), (3, 1, 3, 3, ""), (4, 4, 1, 1, "")]
    assert attempts(wasted, 3) == [(1, 1, 1, 2, "retried"), (2, 1, 2, 2, "failed")]
    assert attempts(wasted, 4) == [(1, 1, 1, 1, "truncated"), (2, 2, 1, 1, "aborted"), (3, 3, 1, 1, "failed"), (4, 4, 1, 1, "")]
    assert attempts(wasted, 5) == [(1, 1, 1, 1, "failed"), (2, 2, 1, 1, "")]
    assert attempts(wasted, 6) == [(2, 2, 1, 2, "retried"), (3, 2, 2, 2, "")]
    assert (attempts(wasted, 7), attempts(wasted, 8)) == ([(1, 1, 1, 1, "")], [(1, 1, 1, 1, "duplicate")])
    money = {row["waste"]: Decimal(row["usd"]) for row in wasted.query(WASTE)}
    assert money == {
        "": Decimal("0.0026") + Decimal("0.0075") + Decimal("0.0025") * 4,
        "retried": Decimal("0.00252") + Decimal("0.0025"),
        "failed": Decimal("0.0025") * 2 + Decimal("0.00015"),
        "aborted": Decimal("0.0025"),
        "truncated": Decimal("0.0025"),
        "duplicate": Decimal("0.0025"),
    }
