"""Ways to tell of calls that are easily counted twice or not at all: lost spans, tools, names of proxies. Each trace is one."""

from decimal import Decimal
from typing import Any

from tollbook_attribution import settle
from tollbook_schema.store import Store

from tests.attribution.facts import MS, Intake, S, Span, chat
from tests.attribution.laws import assert_the_ledger_balances

COUNTED = """
SELECT
    reinterpretAsUInt64(reverse(trace_id)) AS trace,
    arraySort(groupArray(reinterpretAsUInt64(reverse(span_id)))) AS spans,
    sum(cost_usd) AS usd,
    arraySort(groupArrayIf(waste, waste != '')) AS waste
FROM calls WHERE role = 'counted' GROUP BY trace
"""
EACH = {"input": 1_000, "output": 100}
ANSWER = "chatcmpl-CkV4Q2m1XyZ0aBcDeFgHiJkLmNoPq"
PAID = {"gen_ai.usage.cost": 0.05}
BROKEN = {"gen_ai.response.finish_reasons": ["error"]}
USD = Decimal("0.0035")
"""What a call of gpt-4o of that length costs."""


def agent(trace: int, span: int, parent: int = 0, **values: Any) -> Span:
    """A roll-up of 50 s."""
    return chat(trace, span, parent, operation="invoke_agent", duration_ns=50 * S, scope="framework", **values)


def gateway(trace: int, span: int, parent: int = 0, **values: Any) -> Span:
    """What a proxy tells of a call."""
    return chat(trace, span, parent, scope="proxy", service="gateway", **values)


def script(trace: int, span: int, parent: int = 0, **values: Any) -> Span:
    """What an instrumentation tells of a call of a process that has an id."""
    return chat(trace, span, parent, service="script", resource={"service.instance.id": "1"}, **values)


def native(trace: int, span: int, **values: Any) -> Span:
    """What the client's own SDK tells of it."""
    return script(trace, span, scope="client's own", **values)


def half(span: int, second: int, name: str, output: int) -> Span:
    """Half of what one instrumentation tells of a stream, for a second."""
    return chat(34, span, 1, name=name, start_ns=second * S, input=1_000, output=output)


def failed(trace: int, span: int, second: int, error: str, **values: Any) -> Span:
    """A call below the first span that came to nothing, for a second."""
    return chat(trace, span, 1, start_ns=second * S, error=True, attributes={"error.type": error}, **values)


def tool(trace: int, span: int, parent: int) -> Span:
    """What a model had called."""
    return chat(trace, span, parent, operation="execute_tool", model=None, provider=None, start_ns=S, duration_ns=5 * S)


TELLINGS: dict[int, tuple[list[Span], tuple[list[int], Decimal, list[str]]]] = {
    # the span between an agent and its calls was lost: by their time they are the agent's
    1: ([
        agent(1, 1, input=2_000, output=200),
        chat(1, 3, 2, start_ns=S, **EACH), chat(1, 4, 2, start_ns=9 * S, **EACH),
    ], ([3, 4], 2 * USD, [])),
    # calls of a lost parent that go on after the agent are not the agent's
    2: ([
        agent(2, 1, **EACH),
        chat(2, 3, 2, start_ns=49 * S, duration_ns=2 * S, **EACH),
    ], ([1, 3], 2 * USD, [])),
    # a tool of a model calls a model: two calls, whatever their lengths
    3: ([
        chat(3, 1, duration_ns=9 * S, **EACH), tool(3, 2, 1), chat(3, 3, 2, start_ns=2 * S, input=2_000, output=200),
    ], ([1, 3], 3 * USD, [])),
    # a proxy's client knows a name of its own, and the proxy estimates
    4: ([
        chat(4, 1, model="prod-fast", duration_ns=3 * S, input=1_003, output=107),
        gateway(4, 2, 1, response_model="gpt-4o-2024-08-06", **EACH),
    ], ([2], USD, [])),
    # a proxy falls back to another model
    5: ([
        chat(5, 1, model="prod-fast", duration_ns=9 * S, **EACH),
        gateway(5, 2, 1, model="gpt-4o-mini", error=True),
        gateway(5, 3, 1, start_ns=2 * S, **EACH),
    ], ([2, 3], USD, ["retried"])),
    # clocks that differ by minutes, and the same answer
    6: ([chat(6, 1, response_id="chatcmpl-6", **EACH)], ([1], USD, [])),
    7: ([gateway(7, 1, response_id="chatcmpl-6", start_ns=200 * S, **EACH)], ([], Decimal(0), [])),
    # a server that gives all answers one name
    8: ([
        chat(8, 1, response_id="cmpl-0", **EACH), chat(8, 2, response_id="cmpl-0", start_ns=9 * S, input=2_000, output=200),
    ], ([1, 2], 3 * USD, [])),
    # what a proxy takes for a failure reached who called; what it takes for an answer did not
    9: ([
        chat(9, 1, duration_ns=3 * S, **EACH), gateway(9, 2, 1, error=True, **EACH),
    ], ([2], USD, [])),
    10: ([
        chat(10, 1, duration_ns=3 * S, error=True), gateway(10, 2, 1, **EACH),
    ], ([2], USD, ["failed"])),
    # the next attempt begins a millisecond before the last one ends
    11: ([
        chat(11, 1, error=True, **EACH), chat(11, 2, start_ns=S - MS, **EACH),
    ], ([1, 2], 2 * USD, ["retried"])),
    # an answer of a cache has the name that it had: it is no call's twin minutes later
    12: ([chat(12, 1, response_id="chatcmpl-12", **EACH)], ([1], USD, [])),
    13: ([
        gateway(13, 1, response_id="chatcmpl-12", start_ns=200 * S, attributes={"gen_ai.cache.hit": True}, **EACH),
    ], ([1], Decimal(0), [])),
    # a judge below the answer that it judges, after it, and a guard within it
    15: ([
        chat(15, 1, **EACH), chat(15, 2, 1, start_ns=2 * S, scope="judge", input=2_000, output=200),
    ], ([1, 2], 3 * USD, [])),
    16: ([
        chat(16, 1, duration_ns=9 * S, **EACH), chat(16, 2, 1, start_ns=S, scope="guard", input=3_800, output=50),
    ], ([1, 2], USD + Decimal("0.01"), [])),
    # a stream tells of its answer twice, of more each time
    17: ([
        chat(17, 1, duration_ns=MS, response_id="msg_17", input=1_000, output=1),
        chat(17, 2, start_ns=MS, response_id="msg_17", **EACH),
    ], ([2], USD, [])),
    # the stream's half below the request's
    18: ([
        chat(18, 1, duration_ns=MS, input=1_000), chat(18, 2, 1, start_ns=MS, output=100),
    ], ([2], USD, [])),
    # a script without a span around its calls: two tellers, and a trace of each; twice at once, and again a second later
    19: ([script(19, 1, duration_ns=3 * S, **EACH)], ([1], USD, [])),
    20: ([native(20, 1, response_id="msg_20", start_ns=MS, duration_ns=3 * S, **EACH)], ([], Decimal(0), [])),
    21: ([script(21, 1, start_ns=2 * MS, duration_ns=3 * S, **EACH)], ([1], USD, [])),
    22: ([native(22, 1, response_id="msg_22", start_ns=3 * MS, duration_ns=2 * S, **EACH)], ([], Decimal(0), [])),
    23: ([script(23, 1, start_ns=9 * S, **EACH)], ([1], USD, [])),
    24: ([native(24, 1, start_ns=11 * S, **EACH)], ([1], USD, [])),
    # two calls of one trace, and calls of other lengths, are no call's twin
    25: ([
        script(25, 1, start_ns=20 * S, **EACH),
        script(25, 2, 1, start_ns=22 * S, input=7, output=1),
    ], ([1, 2], USD + Decimal("0.0000275"), [])),
    26: ([native(26, 1, start_ns=20 * S, input=1_001, output=100)], ([1], USD + Decimal("0.0000025"), [])),
    # two processes, as far as one knows
    27: ([chat(27, 1, start_ns=30 * S, input=900, output=90)], ([1], Decimal("0.00315"), [])),
    28: ([chat(28, 1, scope="client's own", start_ns=30 * S, input=900, output=90)], ([1], Decimal("0.00315"), [])),
    # agents that tell of a cost alone: it counts, the inner one's, where calls below tell of nothing
    29: ([
        agent(29, 1, model=None, attributes=PAID), agent(29, 2, 1, model=None, attributes=PAID),
        chat(29, 3, 2, start_ns=S), chat(29, 4, 2, start_ns=9 * S),
    ], ([2], Decimal("0.05"), [])),
    30: ([
        agent(30, 1, model=None, attributes=PAID), chat(30, 2, 1, start_ns=S, attributes=PAID), chat(30, 3, 1, start_ns=9 * S),
    ], ([2, 3], Decimal("0.05"), [])),
    31: ([
        agent(31, 1, model=None, attributes=PAID), chat(31, 2, 1, start_ns=S, **EACH), chat(31, 3, 1, start_ns=9 * S, **EACH),
    ], ([2, 3], 2 * USD, [])),
    # an answer that broke off, and the one asked for after it
    32: ([
        chat(32, 1, attributes=BROKEN, **EACH), chat(32, 2, start_ns=2 * S, **EACH),
    ], ([1, 2], 2 * USD, ["retried"])),
    33: ([chat(33, 1, attributes=BROKEN, **EACH)], ([1], USD, ["failed"])),
    # halves of streams that both tell of the output, twice; a loop of streams is no halves
    34: ([
        Span(34, 1, duration_ns=60 * S), half(2, 0, "chat", 1), half(3, 1, "chat stream", 100),
        half(4, 2, "chat", 100), half(5, 3, "chat stream", 100),
    ], ([3, 4], 2 * USD, [])),
    35: ([
        Span(35, 1, duration_ns=60 * S),
        *(chat(35, span, 1, name="chat stream", start_ns=span * S, **EACH) for span in (2, 3, 4)),
    ], ([2, 3, 4], 3 * USD, [])),
    # two instrumentations by one library tell of one answer, in traces of their own; a shorter name, or another time, is two
    36: ([chat(36, 1, response_id=ANSWER, duration_ns=3 * S, **EACH)], ([1], USD, [])),
    37: ([chat(37, 1, response_id=ANSWER, start_ns=MS, duration_ns=2 * S, **EACH)], ([], Decimal(0), [])),
    38: ([chat(38, 1, response_id="chatcmpl-38", duration_ns=3 * S, **EACH)], ([1], USD, [])),
    39: ([chat(39, 1, response_id="chatcmpl-38", start_ns=MS, duration_ns=2 * S, **EACH)], ([1], USD, [])),
    40: ([chat(40, 1, response_id=f"{ANSWER}-40", **EACH)], ([1], USD, [])),
    41: ([chat(41, 1, response_id=f"{ANSWER}-40", start_ns=9 * S, **EACH)], ([1], USD, [])),
    # one failure that two tell of beside each other, twice; other errors, and failures one after the other, are two
    42: ([
        Span(42, 1, duration_ns=60 * S),
        failed(42, 2, 0, "openai.RateLimitError"), failed(42, 3, 0, "429", scope="proxy", service="gateway"),
        failed(42, 4, 5, "openai.RateLimitError"),
        failed(42, 5, 5, "litellm.RateLimitError", scope="proxy", service="gateway"),
    ], ([2, 4], Decimal(0), ["failed", "retried"])),
    43: ([
        Span(43, 1, duration_ns=60 * S),
        failed(43, 2, 0, "RateLimitError"), failed(43, 3, 0, "BadRequestError", scope="other"),
        failed(43, 4, 9, "RateLimitError"), failed(43, 5, 11, "RateLimitError", scope="other"),
    ], ([2, 3, 4, 5], Decimal(0), ["failed", "failed", "retried", "retried"])),
    # the list names it and has no price
    14: ([chat(14, 1, provider="openrouter", model="openai/gpt-oss-20b:free", **EACH)], ([1], Decimal(0), [])),
}  # fmt: skip
"""Spans of a trace; the spans that count, what they cost, and their waste."""


def test_calls_count_once_however_they_are_told(store: Store, intake: Intake) -> None:
    intake.spans([span for spans, _ in TELLINGS.values() for span in spans])
    settle(store)
    assert_the_ledger_balances(store)
    counted = {row["trace"]: (row["spans"], row["usd"] or Decimal(0), row["waste"]) for row in store.query(COUNTED)}
    assert {trace: counted.get(trace, ([], Decimal(0), [])) for trace in TELLINGS} == {
        trace: answer for trace, (_, answer) in TELLINGS.items()
    }
    [unpriced] = store.query("SELECT reason FROM calls WHERE price_status = 'unpriced' AND role = 'counted'")
    assert unpriced["reason"] == "the price list names openrouter/openai/gpt-oss-20b:free without a price"
