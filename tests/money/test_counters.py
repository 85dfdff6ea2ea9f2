"""Usage that counters tell of is found once: beside spans, from servers and gateways, at the edge of an hour, scraped."""

from decimal import Decimal

import pytest
from tollbook_attribution import settle
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, S, chat
from tests.attribution.laws import assert_the_ledger_balances
from tests.dialects.test_told_elsewhere import counter, histogram

COUNTED = """
SELECT
    service_name AS service, count() AS calls, sum(input_tokens) AS input, sum(ifNull(cache_read_tokens, 0)) AS cached,
    sum(output_tokens) AS output,
    sum(cost_usd) AS usd, any(price_status) AS status
FROM calls WHERE role = 'counted' GROUP BY service
"""
USED = {"input": 1_000, "output": 100}
SCRAPED = {"model": "gpt-5-mini", "requested_model": "fast", "team": "search"}
KONG = {"ai_provider": "mistral", "ai_model": "mistral-large-latest"}
VLLM = {"model_name": "meta-llama/Llama-3.1-8B-Instruct"}
SGLANG = {"model_name": "Qwen/Qwen2.5-7B-Instruct"}
TRACELOOP = {"llm.response.model": "gpt-4-turbo"}
BIFROST = {"provider": "anthropic", "model": "claude-haiku-4-5", "method": "chat_completion"}
USAGE = "gen_ai.client.inference.usage"

SPANS = [
    *(
        chat(trace, 1, service="dated by its counter", model="claude-sonnet-4-5", provider="anthropic", **USED)
        for trace in (1, 2)
    ),
    *(chat(trace, 1, service="a counter without a model", **USED) for trace in (3, 4)),
    *(chat(trace, 1, service="spans without a model", model=None, **USED) for trace in (5, 6)),
    *(chat(trace, 1, service="behind a gateway", model="gpt-4o-mini", **USED) for trace in (7, 8)),
    *(chat(trace, 1, service="behind some service", model="o3", **USED) for trace in (9, 10)),
    *(chat(trace, 1, service="behind SGLang", model="Qwen/Qwen2.5-7B-Instruct", **USED) for trace in (11, 12)),
    chat(13, 1, service="just before the hour", model="gpt-4.1", start_ns=-30 * S, **USED),
    chat(14, 1, service="sampled, behind a proxy", model="gpt-4.1-nano", **USED),
]


def histograms(service: str, model: str, prompt: int, completion: int) -> list[bytes]:
    """What an instrumentation or a gateway says that the calls of an hour came to."""
    return [histogram(service, "input", prompt, model), histogram(service, "output", completion, model)]


def scraped(service: str, name: str, first: float, growth: float, labels: dict[str, str], since_s: int = 60) -> bytes:
    """A counter of a server, seen first in this hour (it says that it began then) or, before it, an hour ago."""
    return counter(service, name, [(since_s, first), (600, first + growth)], labels, start_s=since_s)


COUNTERS = [
    *histograms("dated by its counter", "claude-sonnet-4-5-20250929", 2_000, 200),
    *histograms("a counter without a model", "", 2_000, 200),
    *histograms("spans without a model", "gpt-4.1-mini", 2_000, 200),
    *histograms("ai-gateway", "gpt-4o-mini-2024-07-18", 2_300, 230),
    *histograms("edge", "o3", 2_000, 200),
    *histograms("another service", "o3", 500, 50),
    *histograms("llm-proxy", "gpt-4.1-nano", 10_000, 1_000),
    scraped("litellm", "litellm_input_tokens_metric_total", 1e6, 2_000, SCRAPED),
    scraped("litellm", "litellm_input_cached_tokens_metric_total", 7_000, 500, SCRAPED),
    scraped("litellm", "litellm_output_tokens_metric_total", 9e4, 300, SCRAPED),
    scraped("litellm", "litellm_spend_metric_total", 50.0, 0.01, SCRAPED),
    *(
        scraped("kong", "kong_ai_llm_tokens_total", 10, growth, {**KONG, "token_type": of}, -60)
        for of, growth in (("prompt_tokens", 2_000), ("completion_tokens", 200), ("total_tokens", 2_200))
    ),
    *(
        scraped("vllm", f"vllm:{name}_total", 10, growth, {**VLLM, "engine": engine}, -60)
        for name, growth in (("prompt_tokens", 2_000), ("generation_tokens", 200), ("prefix_cache_hits", 500))
        for engine in "01"
    ),
    scraped("sglang", "sglang:prompt_tokens_total", 10, 2_100, SGLANG, -60),
    scraped("sglang", "sglang:generation_tokens_total", 10, 220, SGLANG, -60),
    *(
        scraped(
            "traceloop of 2024", "llm.openai.chat_completions.tokens", 0, growth, {**TRACELOOP, "llm.usage.token_type": of}, -60
        )
        for of, growth in (("prompt", 2_000), ("completion", 200))
    ),
    scraped("semantic kernel", "semantic_kernel.connectors.openai.tokens.prompt", 0, 900, {}, -60),
    scraped("semantic kernel", "semantic_kernel.connectors.openai.tokens.completion", 0, 90, {}, -60),
    scraped("bifrost", "bifrost_input_tokens_total", 10, 800, BIFROST, -60),
    scraped("bifrost", "bifrost_output_tokens_total", 10, 80, BIFROST, -60),
    scraped("bifrost", "bifrost_cost_total", 1, 0.02, BIFROST, -60),
    scraped("dynamo", "dynamo_frontend_input_sequence_tokens_sum", 10, 700, {"model": "Qwen/Qwen3-32B"}, -60),
    scraped("dynamo", "dynamo_frontend_output_sequence_tokens_sum", 10, 70, {"model": "Qwen/Qwen3-32B"}, -60),
    scraped("nim", "prompt_tokens_total", 10, 700, {"model_name": "meta/llama-3.3-70b-instruct"}, -60),
    scraped("nim", "generation_tokens_total", 10, 70, {"model_name": "meta/llama-3.3-70b-instruct"}, -60),
    scraped("counts something else", "prompt_tokens_total", 10, 700, {"screen": "prompt"}, -60),
    counter("just before the hour", f"{USAGE}.input_tokens", [(-60, 0), (20, 1_000)], {"gen_ai.request.model": "gpt-4.1"}),
    counter("just before the hour", f"{USAGE}.output_tokens", [(-60, 0), (20, 100)], {"gen_ai.request.model": "gpt-4.1"}),
]


@pytest.mark.slow
def test_what_counters_tell_of_is_added_to_no_span(store: Store, intake: Intake) -> None:
    intake.spans(SPANS)
    for body in COUNTERS:
        intake._load("metrics", body)
    settle(store)
    found = {row["service"]: row for row in store.query(COUNTED)}
    assert {service: (row["calls"], row["input"], row["cached"], row["output"]) for service, row in found.items()} == {
        **{span.service: (2, 2_000, 0, 200) for span in SPANS[:12]},
        "just before the hour": (1, 1_000, 0, 100),
        "sampled, behind a proxy": (1, 1_000, 0, 100),
        "another service": (1, 500, 0, 50),
        "llm-proxy": (1, 9_000, 0, 900),
        "litellm": (1, 1_500, 500, 300),
        "kong": (1, 2_000, 0, 200),
        "vllm": (1, 3_000, 1_000, 400),
        "nim": (1, 700, 0, 70),
        "traceloop of 2024": (1, 2_000, 0, 200),
        "semantic kernel": (1, 900, 0, 90),
        "bifrost": (1, 800, 0, 80),
        "dynamo": (1, 700, 0, 70),
    }
    assert (found["traceloop of 2024"]["usd"], found["bifrost"]["usd"], found["dynamo"]["status"]) == (
        Decimal("0.026"),
        Decimal("0.02"),
        "local",
    )
    assert (found["litellm"]["usd"], found["kong"]["usd"], found["vllm"]["status"]) == (
        Decimal("0.01"),
        Decimal("0.0052"),
        "local",
    )
    assert_the_ledger_balances(store)
