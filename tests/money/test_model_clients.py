"""What the real `openai` client does against a stand-in, from call to ledger: each is billed once, or known as unknown."""

import gc
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from tollbook import testing
from tollbook.integrations.openai import OpenAIInstrumentor
from tollbook_attribution import settle
from tollbook_schema.store import Store

from tests.attribution.facts import Intake
from tests.sdk.model_api import ModelApi, chat_answer, chat_chunks, model_api

openai = pytest.importorskip("openai")
ASK: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "2 + 2?"}]}
ONCE = Decimal("0.00225")
"""400 tokens in at 2.50 dollars a million, 600 cached at 1.25, 50 out at 10."""
CALLS = """
SELECT s.response_id AS answer, c.cost_usd AS cost_usd
FROM calls AS c INNER JOIN spans AS s ON c.trace_id = s.trace_id AND c.span_id = s.span_id
WHERE c.role = 'counted'
"""


@pytest.fixture
def api() -> Iterator[ModelApi]:
    OpenAIInstrumentor().instrument()
    with model_api() as api:
        yield api
    OpenAIInstrumentor().uninstrument()


def abandon(stream: Any) -> None:
    """Read one chunk, and forget the rest."""
    next(stream)
    stream.response.close()


def test_each_call_is_billed_once_and_what_was_not_told_is_unknown(store: Store, intake: Intake, api: ModelApi) -> None:
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    with testing.capture() as captured, openai.OpenAI(api_key="none", base_url=api.url) as client:
        create = client.chat.completions.create
        api.will(chat_answer(1), 500, 429, chat_answer(2), chat_answer(3, choices=3))
        create(**ASK)
        create(**ASK)  # twice refused, then answered: one call
        create(**ASK, n=3)
        api.will(chat_answer(4), chat_answer(5))
        for _turn in range(2):  # a loop of tools asks again with what it asked before
            create(**ASK)
        api.will(chat_chunks(6, usage=True), chat_chunks(7, usage=False), chat_chunks(8, usage=True), chat_chunks(9, usage=True))
        list(create(**ASK, **asked))
        list(create(**ASK, stream=True))
        create(**ASK, **asked).close()
        abandon(create(**ASK, **asked))
        gc.collect()
    intake._load("spans", encode_spans(captured.spans).SerializeToString())
    settle(store)
    billed = [(row["answer"], row["cost_usd"]) for row in store.query(CALLS)]
    known = {answer: cost for answer, cost in billed if cost is not None}
    assert known == {f"chatcmpl-{number}": ONCE for number in (1, 2, 3, 4, 5, 6)}
    assert sorted(answer for answer, cost in billed if cost is None) == ["", "chatcmpl-7", "chatcmpl-9"]
    (total,) = store.query("SELECT sum(amount_usd) AS usd FROM ledger WHERE category = 'tokens'")
    assert total["usd"] == 6 * ONCE
