"""Spans that tell of their usage in columns alone are read by sums; the arrays that read every dialect must come to the same."""

import re

from tollbook_attribution import engine, leftovers, ranges
from tollbook_schema import sql
from tollbook_schema.store import Store

PLAIN = re.compile(r"empty\(told\)\n.*?framework_kind != 'null'", re.DOTALL)
CALLS = "SELECT * EXCEPT settlement FROM work_calls WHERE settlement = {settlement:UInt64} ORDER BY ALL"
SPANS = """
INSERT INTO work_spans (
    settlement, trace_id, span_id, scope_name, tollbook_kind, operation, framework_kind, provider, request_model,
    response_model, response_id, service_tier, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    reasoning_tokens, finish_reasons, status_code, error_type, region, account
)
WITH
    (choices, salt) -> choices[1 + cityHash64(number, salt) % length(choices)] AS pick,
    [NULL, 0, 1, 7, 500, 1024, 9000, 10000000000, 10000000001, -3] AS counts
SELECT
    {settlement:UInt64},
    toFixedString(leftPad(toString(number), 16, '0'), 16),
    toFixedString(leftPad(toString(number), 8, '0'), 8),
    pick(['', 'opentelemetry.instrumentation.openai_v2', 'openlit.a', 'ai', 'ais', 'tollbook', 'langfuse-sdk', 'traceloop'], 1),
    pick(['', '', 'inference', 'request'], 2),
    pick(['', 'chat', 'chat', 'embeddings', 'invoke_agent', 'execute_tool', 'null', 'other'], 3),
    pick(['', '', 'LLM', 'AGENT', 'EMBEDDING', 'TOOL'], 4),
    pick(['', 'openai', 'anthropic', 'aws.bedrock', 'x_ai', 'null'], 5),
    pick(['', 'gpt-4o', 'models/GPT-4o', 'grok-4', 'a/', 'claude-sonnet-4-5', 'null'], 6),
    pick(['', 'gpt-4o', 'gpt-4o-2024-08-06', 'null', 'my-x.ai-model'], 7),
    pick(['', 'chatcmpl-1', 'null'], 8),
    pick(['', 'default', 'Batch', 'flex', 'null'], 9),
    pick(counts, 10), pick(counts, 11), pick(counts, 12), pick(counts, 13), pick(counts, 14),
    pick([[], ['stop'], ['length', 'stop']], 15),
    pick(['unset', 'ok', 'error'], 16), pick(['', 'timeout'], 17), pick(['', 'eu-west-1'], 18), pick(['', '1234'], 19)
FROM numbers(60000)
"""


def test_plain_spans_are_read_as_the_table_of_dialects_reads_them(store: Store) -> None:
    engine._prepare(store)
    node = store.shard(0)
    of_arrays = sql.text("tollbook_attribution", "steps/20_usage.sql")
    plain = PLAIN.search(of_arrays)
    assert plain
    question, fill = sql.statements(of_arrays)
    assert question.count(plain[0]) == fill.count(plain[0]) == 1
    for settlement in (1, 2):
        node.command(SPANS, {"settlement": settlement})
    engine.run_step(node, "19_plain_usage.sql", {"settlement": 1, "tenant": ""}, [ranges.Range()])
    node.command(re.sub(r"AND NOT \(\s*empty\(told\)", "AND (empty(told)", fill), {"settlement": 2})
    summed, by_arrays = (node.query(CALLS, {"settlement": settlement}) for settlement in (1, 2))
    for settlement in (1, 2):
        leftovers.remove(node, settlement, settlement)
    assert len(summed) > 1_000
    assert summed == by_arrays
