"""However a call is spelled, it comes to the same buckets: real provider bodies, each in every dialect that can carry it."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, Span, _pairs, trace_request
from tests.dialects.normalizing import normalized
from tests.dialects.wrapping import DIALECTS, Usage


def bodies(path: Path) -> Iterator[Usage]:
    """The distinct bodies of a file, as the extractor that finds most in them reads them."""
    seen = set()
    for case in json.loads(path.read_text()):
        body = {key: value for key, value in case["body"].items() if key != "file"}
        text = json.dumps(body, sort_keys=True)
        extracted = [(e["usage"], x) for e in case["extracted"] for x in e["extractors"]]
        priced = [(found, x) for found, x in extracted if "input_price" in x]
        if text in seen or not priced:
            continue
        seen.add(text)
        usage = body.get("usage") or body["usageMetadata"]
        extractor = max(priced, key=_fullness)[1]
        found = max(extracted, key=_fullness)[0]
        yield Usage(
            provider=extractor["provider_id"],
            model=case["model"],
            input=found.get("input_tokens", 0),
            output=found.get("output_tokens", 0),
            read=found.get("cache_read_tokens", 0),
            write=found.get("cache_write_tokens", 0),
            reasoning=found.get("output_reasoning_tokens", 0),
            kinds=_kinds(found, usage),
            body=usage,
        )


def _fullness(extracted: tuple[dict[str, int], Any]) -> tuple[int, int]:
    return len(extracted[0]), -sum(extracted[0].values())


def _kinds(found: dict[str, int], usage: dict[str, Any]) -> dict[str, int]:
    """Tokens of each kind; video of OpenAI's form is told by some gateways, and no extractor reads it."""
    names = [f"{side}_{kind}" for side in ("input", "output") for kind in ("audio", "image", "video")]
    video = (usage.get("prompt_tokens_details") or {}).get("video_tokens", 0)
    kinds = {name: found.get(f"{name}_tokens", 0) for name in names} | ({"input_video": video} if video else {})
    return {kind: count for kind, count in kinds.items() if count}


@pytest.mark.slow
def test_every_body_in_every_dialect_comes_to_the_same_buckets(store: Store, intake: Intake, shared_data: Path) -> None:
    usages = list(bodies(shared_data / "provider_usage_bodies" / "usages_dev.json"))
    wrapped = [
        (dialect, usage)
        for usage in usages
        for dialect in DIALECTS
        if (dialect.name != "claude_code" or usage.provider == "anthropic") and "cacheTokensDetails" not in usage.body
    ]
    intake.spans(
        Span(number, 1, name="call", scope=dialect.scope, attributes=dialect.attributes(usage))
        for number, (dialect, usage) in enumerate(wrapped, start=1)
    )
    calls = normalized(store)
    wrong = []
    for number, (dialect, usage) in enumerate(wrapped, start=1):
        call, expected = calls[number], usage.buckets(*dialect.carries)
        tokens = {item: count for item, count in call["buckets"].items() if item != "web_search"}
        if (call["dialect"], tokens) != (dialect.name, expected):
            wrong.append((dialect.name, call["dialect"], usage, expected, tokens))
    assert len(usages) > 100
    assert not wrong, f"{len(wrong)} of {len(wrapped)}, such as {wrong[:3]}"


INPUT, OUTPUT, READ = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens"
CLAUDE = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}
TOKENS = "mlflow.chat.tokenUsage"
RAW = "gen_ai.usage.raw"

ODD: dict[str, tuple[dict[str, Any], dict[str, int], set[str]]] = {
    "a cache larger than the input was counted beside it": (
        CLAUDE | {INPUT: 5, READ: 128_955, "gen_ai.usage.cache_creation.input_tokens": 1_253, OUTPUT: 9},
        {"input": 5, "cache_read": 128_955, "cache_write": 1_253, "output": 9},
        {"cache_counted_apart"},
    ),
    "a total that holds the cache beside the input says so": (
        {
            "llm.token_count.prompt": 3_000,
            "llm.token_count.prompt_details.cache_read": 2_000,
            "llm.token_count.completion": 442,
            "llm.token_count.total": 5_442,
        },
        {"input": 3_000, "cache_read": 2_000, "output": 442},
        {"cache_counted_apart"},
    ),
    "a total that holds nobody knows what adds nothing": (
        {
            "llm.token_count.prompt": 3,
            "llm.token_count.prompt_details.cache_read": 7_917,
            "llm.token_count.prompt_details.cache_write": 350,
            "llm.token_count.completion": 442,
            "llm.token_count.total": 8_712,
        },
        {"input": 3, "cache_read": 7_917, "cache_write": 350, "output": 442},
        {"cache_counted_apart"},
    ),
    "a completion is never the total less the prompt": (
        {"llm.token_count.prompt": 100, "llm.token_count.total": 900, "openinference.span.kind": "LLM"},
        {"input": 100},
        set(),
    ),
    "reasoning larger than the output was counted beside it": (
        {INPUT: 10, OUTPUT: 2, "gen_ai.usage.reasoning.output_tokens": 300, "gen_ai.operation.name": "chat"},
        {"input": 10, "output": 2, "reasoning": 300},
        {"reasoning_counted_apart"},
    ),
    "a negative count is left out": (
        {INPUT: -5, OUTPUT: 7, "gen_ai.operation.name": "chat"},
        {"output": 7},
        {"negative_count", "input_unknown"},
    ),
    "a negative count does not hide a good one": (
        {INPUT: -5, "gen_ai.usage.prompt_tokens": 12, OUTPUT: 7},
        {"input": 12, "output": 7},
        {"negative_count"},
    ),
    "2^63 is no count": (
        {INPUT: float(2**63), "llm.token_count.prompt": 12, OUTPUT: 2**63 - 1},
        {"input": 12},
        {"absurd_count", "output_unknown"},
    ),
    "words are no count": (
        {INPUT: "many", OUTPUT: 3, "gen_ai.operation.name": "chat"},
        {"output": 3},
        {"unreadable_count", "input_unknown"},
    ),
    "what is not a number is no count": (
        {INPUT: "NaN", OUTPUT: 3, "gen_ai.operation.name": "chat"},
        {"output": 3},
        {"unreadable_count", "input_unknown"},
    ),
    "counts may come as text and as doubles": (
        {INPUT: "12", OUTPUT: 3.0},
        {"input": 12, "output": 3},
        set(),
    ),
    "twins are told once": (
        {
            INPUT: 100,
            OUTPUT: 5,
            READ: 40,
            "gen_ai.usage.details.cache_read_tokens": 40,
            "gen_ai.usage.cache_read_input_tokens": 40,
        },
        {"input": 60, "cache_read": 40, "output": 5},
        set(),
    ),
    "a nought does not hide another spelling's count": (
        {INPUT: 100, OUTPUT: 5, READ: 0, "gen_ai.usage.details.cache_read_tokens": 40},
        {"input": 60, "cache_read": 40, "output": 5},
        set(),
    ),
    "more parts than the total": (
        {"llm.token_count.prompt": 100, "llm.token_count.completion": 50, "llm.token_count.total": 120},
        {"input": 100, "output": 50},
        {"parts_exceed_total"},
    ),
    "a prompt without its cached share": ({INPUT: 2_000, OUTPUT: 5}, {"input": 2_000, "output": 5}, {"cache_share_unknown"}),
    "an embedding that tells its total only": (
        {"openinference.span.kind": "EMBEDDING", "llm.token_count.total": 8},
        {"input": 8},
        {"only_total"},
    ),
    "writes by how long they are kept": (
        CLAUDE
        | {
            RAW: json.dumps(
                {
                    "input_tokens": 4,
                    "output_tokens": 6,
                    "cache_creation_input_tokens": 30,
                    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
                }
            )
        },
        {"input": 4, "cache_write": 10, "cache_write_1h": 20, "output": 6},
        set(),
    ),
    "writes by how long they are kept, in the metadata of a provider": (
        CLAUDE
        | {
            INPUT: 34,
            OUTPUT: 6,
            "gen_ai.usage.cache_creation.input_tokens": 30,
            "ai.response.providerMetadata": json.dumps(
                {"anthropic": {"usage": {"cache_creation": {"ephemeral_1h_input_tokens": 20, "ephemeral_5m_input_tokens": 10}}}}
            ),
        },
        {"input": 4, "cache_write": 10, "cache_write_1h": 20, "output": 6},
        set(),
    ),
    "kinds of tokens in the cache": (
        {
            RAW: json.dumps(
                {
                    "usageMetadata": {
                        "promptTokenCount": 345,
                        "cachedContentTokenCount": 191,
                        "candidatesTokenCount": 70,
                        "thoughtsTokenCount": 98,
                        "totalTokenCount": 513,
                        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 87}, {"modality": "IMAGE", "tokenCount": 258}],
                        "cacheTokensDetails": [{"modality": "IMAGE", "tokenCount": 143}, {"modality": "TEXT", "tokenCount": 48}],
                    }
                }
            )
        },
        {"input": 39, "input_image": 115, "cache_read": 48, "cache_read_image": 143, "output": 70, "reasoning": 98},
        set(),
    ),
    "what is billed goes before what was used": (
        {
            RAW: json.dumps(
                {
                    "billed_units": {"input_tokens": 13, "output_tokens": 61},
                    "tokens": {"input_tokens": 542, "output_tokens": 63},
                    "cached_tokens": 500,
                }
            )
        },
        {"input": 13, "output": 61},
        set(),
    ),
    "searches and pages are no tokens": (
        {
            RAW: json.dumps(
                {"input_tokens": 4, "output_tokens": 6, "server_tool_use": {"web_search_requests": 2}, "pages_processed": 3}
            )
        },
        {"input": 4, "output": 6, "web_search": 2, "page": 3},
        set(),
    ),
    "broken JSON is nothing": ({TOKENS: '{"input_tokens": 5', "gen_ai.operation.name": "chat"}, {}, set()),
    "a local answer": ({INPUT: 4, OUTPUT: 6, "cache_hit": "True"}, {"input": 4, "output": 6}, set()),
}


def test_what_is_odd_is_flagged_and_hides_nothing(store: Store, intake: Intake) -> None:
    intake.spans(
        Span(number, 1, name="call", attributes=attributes) for number, (attributes, _, _) in enumerate(ODD.values(), start=1)
    )
    calls = normalized(store)
    found = {name: (calls[number]["buckets"], set(calls[number]["flags"])) for number, name in enumerate(ODD, start=1)}
    assert found == {name: (buckets, flags) for name, (_, buckets, flags) in ODD.items()}
    assert [number for number, call in calls.items() if call["local_cache_hit"]] == [list(ODD).index("a local answer") + 1]


COSTS: dict[str, tuple[dict[str, Any], str | None]] = {
    "openinference": ({"llm.cost.total": 0.00125}, "0.00125"),
    "its parts": ({"llm.cost.prompt": 0.001, "llm.cost.completion": 0.00025}, "0.00125"),
    "langfuse": ({"langfuse.observation.cost_details": '{"input": 0.001, "output": 0.00025, "total": 0.00125}'}, "0.00125"),
    "mlflow": ({"mlflow.llm.cost": '{"input_cost": 0.001, "output_cost": 0.00025, "total_cost": 0.00125}'}, "0.00125"),
    "logfire": ({"operation.cost": 7e-05}, "0.00007"),
    "openlit": ({"gen_ai.usage.cost": 0.00125}, "0.00125"),
    "the proposal": ({"gen_ai.usage.cost.amount": 0.00125, "gen_ai.usage.cost.currency": "eur"}, "0.00125"),
    "sentry": ({"gen_ai.cost.input_tokens": 0.001, "gen_ai.cost.output_tokens": 0.00025}, "0.00125"),
    "openrouter": ({RAW: '{"prompt_tokens": 1, "completion_tokens": 1, "cost": 1.5e-05}'}, "0.000015"),
    "litellm": ({"hidden_params": '{"response_cost": 0.00125}'}, "0.00125"),
    "datadog, in billionths": ({"metrics.estimated_total_cost": 7_500}, "0.0000075"),
    "nought": ({"llm.cost.total": 0.0}, "0"),
    "nought beside a cost": ({"llm.cost.total": 0.0, "gen_ai.usage.cost": 0.5}, "0.5"),
    "below nought": ({"llm.cost.total": -1.0}, None),
    "no number": ({"llm.cost.total": "much"}, None),
}


def test_a_cost_that_a_span_reports_is_read_in_every_spelling(store: Store, intake: Intake) -> None:
    intake.spans(
        Span(n, 1, attributes={INPUT: 1, OUTPUT: 1} | attributes) for n, (attributes, _) in enumerate(COSTS.values(), start=1)
    )
    calls = normalized(store)
    found = {name: calls[number]["provider_cost"] for number, name in enumerate(COSTS, start=1)}
    assert found == {name: None if usd is None else Decimal(usd) for name, (_, usd) in COSTS.items()}
    assert {call["provider_currency"] for call in calls.values()} == {"USD", "EUR"}


ROLES: dict[str, tuple[dict[str, Any], str | None]] = {
    "a chat": ({"gen_ai.operation.name": "chat", INPUT: 1}, "leaf"),
    "an agent": ({"gen_ai.operation.name": "invoke_agent", INPUT: 1}, "rollup"),
    "a chain": ({"openinference.span.kind": "CHAIN", INPUT: 1}, "rollup"),
    "a workflow": ({"traceloop.span.kind": "workflow", INPUT: 1}, "rollup"),
    "generateText": ({"ai.operationId": "ai.generateText", "ai.usage.inputTokens": 1}, "rollup"),
    "doGenerate": ({"ai.operationId": "ai.generateText.doGenerate", "ai.usage.inputTokens": 1}, "leaf"),
    "a generation": ({"langfuse.observation.type": "generation", "langfuse.observation.usage_details": '{"input": 1}'}, "leaf"),
    "a Langfuse span": ({"langfuse.observation.type": "span", "langfuse.observation.usage_details": '{"input": 1}'}, "rollup"),
    "a trace of MLflow": ({"mlflow.spanType": '"AGENT"', TOKENS: '{"input_tokens": 1}'}, "rollup"),
    "an interaction": ({"span.type": "interaction", "input_tokens": 1}, "rollup"),
    "aggregated usage": ({"gen_ai.aggregated_usage.input_tokens": 1}, "rollup"),
    "an agent of Pydantic AI": ({"pydantic_ai.new_message_index": 4, INPUT: 1}, "rollup"),
    "partial usage": ({"gen_ai.usage.partial.input_tokens": 1}, None),
    "a tool": ({"gen_ai.operation.name": "execute_tool", INPUT: 1}, None),
    "an answer fetched again": ({"gen_ai.operation.name": "fetch_response", INPUT: 1}, None),
    "tokens of something else": ({"input_tokens": 1, "output_tokens": 2}, None),
}


def test_a_span_is_a_call_a_sum_of_calls_or_neither(store: Store, intake: Intake) -> None:
    intake.spans(Span(number, 1, attributes=attributes) for number, (attributes, _) in enumerate(ROLES.values(), start=1))
    calls = normalized(store)
    assert {name: calls.get(number, {}).get("call_class") for number, name in enumerate(ROLES, start=1)} == {
        n: role for n, (_, role) in ROLES.items()
    }


def test_an_event_of_a_span_tells_its_usage(store: Store, intake: Intake) -> None:
    request = trace_request([Span(1, 1, attributes=CLAUDE), Span(2, 1, attributes=CLAUDE)], NOON)
    told, other = (resource.scope_spans[0].spans[0] for resource in request.resource_spans)
    told.events.add(name="gen_ai.client.inference.operation.details", attributes=_pairs({INPUT: 50, OUTPUT: 4, READ: 20}))
    other.events.add(name="my.event", attributes=_pairs({INPUT: 50}))
    intake._load("spans", request.SerializeToString())
    calls = normalized(store)
    assert [calls[number]["buckets"] for number in (1, 2)] == [{"input": 30, "cache_read": 20, "output": 4}, {}]
