"""Providers' answers, whole and in pieces, and what they say of their usage: literal shapes, and 783 real bodies."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tollbook.answers import used
from tollbook.extract import asked
from tollbook.integrations import llm_answers

GEMINI = {
    "modelVersion": "gemini-2.5-pro",
    "responseId": "g-1",
    "candidates": [{"finishReason": "STOP"}],
    "usageMetadata": {
        "promptTokenCount": 1000,
        "candidatesTokenCount": 40,
        "thoughtsTokenCount": 60,
        "cachedContentTokenCount": 800,
        "toolUsePromptTokenCount": 5,
        "totalTokenCount": 1105,
    },
}
"""Thoughts are beside the candidates, what a tool's answer takes is beside the prompt; cached content is part of the prompt."""
BEDROCK = {
    "stopReason": "end_turn",
    "usage": {"inputTokens": 10, "outputTokens": 4, "cacheReadInputTokens": 100, "cacheWriteInputTokens": 20, "totalTokens": 134},
    "ResponseMetadata": {"RequestId": "r-1"},
}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (GEMINI, {
            "input_tokens": 1005, "output_tokens": 100, "cache_read_tokens": 800, "reasoning_tokens": 60,
            "response_model": "gemini-2.5-pro", "response_id": "g-1", "finish_reasons": ("STOP",),
        }),
        (BEDROCK, {
            "input_tokens": 130, "output_tokens": 4, "cache_read_tokens": 100, "cache_write_tokens": 20,
            "finish_reasons": ("end_turn",),
        }),
        ({"metadata": {"usage": {"inputTokens": 3, "outputTokens": 2}}}, {"input_tokens": 3, "output_tokens": 2}),
        ({"ResponseMetadata": {"RequestId": "r", "HTTPHeaders": {
            "x-amzn-bedrock-input-token-count": "7", "x-amzn-bedrock-output-token-count": "5",
        }}}, {"input_tokens": 7, "output_tokens": 5, "response_id": "r"}),
        ({"id": "c-1", "finish_reason": "COMPLETE", "usage": {
            "billed_units": {"input_tokens": 11.0, "output_tokens": 3.0}, "tokens": {"input_tokens": 80.0, "output_tokens": 3.0},
        }}, {"input_tokens": 11, "output_tokens": 3, "response_id": "c-1", "finish_reasons": ("COMPLETE",)}),
        ({"response": {"meta": {"billed_units": {"input_tokens": 6}}}}, {"input_tokens": 6}),
        ({"model": "llama3", "prompt_eval_count": 26, "eval_count": 290, "done_reason": "stop"}, {
            "input_tokens": 26, "output_tokens": 290, "response_model": "llama3", "finish_reasons": ("stop",),
        }),
        ({"model": "mistral-large", "usage": {"prompt_tokens": 5, "completion_tokens": 2, "num_cached_tokens": 4}}, {
            "input_tokens": 5, "output_tokens": 2, "cache_read_tokens": 4, "response_model": "mistral-large",
        }),
        ({"object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 8, "total_tokens": 8}}, {
            "input_tokens": 8, "response_model": "text-embedding-3-small",
        }),
        ({"type": "response.completed", "response": {"id": "resp_1", "model": "gpt-5", "service_tier": "flex", "usage": {
            "input_tokens": 50, "input_tokens_details": {"cached_tokens": 30}, "output_tokens": 9,
            "output_tokens_details": {"reasoning_tokens": 4},
        }}}, {
            "input_tokens": 50, "cache_read_tokens": 30, "output_tokens": 9, "reasoning_tokens": 4, "service_tier": "flex",
            "response_id": "resp_1", "response_model": "gpt-5",
        }),
        ({"type": "message_start", "message": {"id": "msg_1", "model": "claude-sonnet-4", "usage": {
            "input_tokens": 5, "cache_read_input_tokens": 90, "output_tokens": 1,
        }}}, {"input_tokens": 95, "cache_read_tokens": 90, "response_id": "msg_1", "response_model": "claude-sonnet-4"}),
        ({"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 77}}, {
            "output_tokens": 77, "finish_reasons": ("max_tokens",),
        }),
        ({"model": "m", "usage": {"prompt_tokens": 5, "completion_tokens": 1, "cost": 0.00042}}, {
            "input_tokens": 5, "output_tokens": 1, "cost": 0.00042, "response_model": "m",
        }),
        ({"usage": {"prompt_tokens": 5, "completion_tokens": 1, "cost_in_usd_ticks": 25_000_000}}, {
            "input_tokens": 5, "output_tokens": 1, "cost": 0.0025,
        }),
        ({"usage": {"prompt_tokens": 5, "completion_tokens": 1, "cost": 0.001, "is_byok": True, "cost_details": {
            "upstream_inference_cost": 0.02,
        }}}, {"input_tokens": 5, "output_tokens": 1, "cost": 0.021}),
        ({"usage": {"prompt_tokens": 5, "completion_tokens": 1, "cost": {"request_cost": 0.006, "total_cost": 0.0106}}}, {
            "input_tokens": 5, "output_tokens": 1, "cost": 0.0106,
        }),
        ({"usage": {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135, "completion_tokens_details": {
            "reasoning_tokens": 94,
        }}}, {"input_tokens": 32, "output_tokens": 103, "reasoning_tokens": 94}),
        ({"usage": {"prompt_tokens": 32, "completion_tokens": 90, "total_tokens": 142, "reasoning_tokens": 20}}, {
            "input_tokens": 32, "output_tokens": 110, "reasoning_tokens": 20,
        }),
        ({"usage": {"total_input_tokens": 100, "total_cached_tokens": 20, "total_output_tokens": 30, "total_tool_use_tokens": 5,
            "total_thought_tokens": 10, "total_tokens": 145,
            "input_tokens_by_modality": [{"modality": "text", "tokens": 60}, {"modality": "image", "tokens": 40}],
        }}, {
            "input_tokens": 105, "output_tokens": 40, "cache_read_tokens": 20, "reasoning_tokens": 10,
            "parts": {"input_image": 40},
        }),
        ({"type": "response.done", "response": {"id": "r", "usage": {
            "input_tokens": 127, "input_token_details": {
                "text_tokens": 119, "audio_tokens": 8, "cached_tokens": 64, "cached_tokens_details": {"audio_tokens": 4},
            },
            "output_tokens": 148, "output_token_details": {"text_tokens": 30, "audio_tokens": 118},
        }}}, {
            "input_tokens": 127, "output_tokens": 148, "cache_read_tokens": 64, "response_id": "r",
            "parts": {"input_audio": 8, "output_audio": 118, "cache_read_audio": 4},
        }),
        ({"usage": {"input_tokens": 4, "cache_creation_input_tokens": 30, "output_tokens": 6, "server_tool_use": {
            "web_search_requests": 2,
        }, "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}}}, {
            "input_tokens": 34, "output_tokens": 6, "cache_write_tokens": 30, "parts": {"cache_write_1h": 20, "web_search": 2},
        }),
        ({"usage": {"input_tokens": 23_000, "output_tokens": 1_000, "iterations": [
            {"type": "compaction", "input_tokens": 180_000, "output_tokens": 3_500, "cache_read_input_tokens": 10},
            {"type": "message", "input_tokens": 23_000, "output_tokens": 1_000},
        ]}}, {"input_tokens": 23_000, "output_tokens": 1_000}),
        ({"usage": {"input_tokens": 4, "output_tokens": 6, "service_tier": "standard", "speed": "fast"}}, {
            "input_tokens": 4, "output_tokens": 6, "service_tier": "fast",
        }),
        ({"x_groq": {"id": "req_1", "usage": {"prompt_tokens": 18, "completion_tokens": 5}}}, {
            "input_tokens": 18, "output_tokens": 5, "response_id": "req_1",
        }),
        ({"id": "c", "choices": [{"index": 0, "finish_reason": "stop", "usage": {"prompt_tokens": 8, "completion_tokens": 2}}]}, {
            "input_tokens": 8, "output_tokens": 2, "response_id": "c", "finish_reasons": ("stop",),
        }),
        ({"model_id": "ibm/granite", "results": [{"generated_token_count": 20, "input_token_count": 12, "stop_reason": "eos"}]}, {
            "input_tokens": 12, "output_tokens": 20, "finish_reasons": ("eos",),
        }),
        ({"generation": "hi", "prompt_token_count": 14, "generation_token_count": 8}, {"input_tokens": 14, "output_tokens": 8}),
        ({"text": "hi", "meta_info": {"prompt_tokens": 3, "completion_tokens": 2, "cached_tokens": 1}}, {
            "input_tokens": 3, "output_tokens": 2, "cache_read_tokens": 1,
        }),
        ({"content": "hi", "timings": {"cache_n": 236, "prompt_n": 1, "predicted_n": 35}}, {
            "input_tokens": 237, "output_tokens": 35, "cache_read_tokens": 236,
        }),
        ({"output": ["hi"], "metrics": {"input_token_count": 12, "output_token_count": 3}}, {
            "input_tokens": 12, "output_tokens": 3,
        }),
        ({"usage": {"prompt_tokens": "12", "completion_tokens": 2**63}}, {"input_tokens": 12}),
        ({"details": {"prompt_tokens": 5}, "detail": 1}, {}),
        # A gateway in front of Anthropic: the prompt has the cached tokens already.
        ({"usage": {"prompt_tokens": 100, "completion_tokens": 1, "cache_read_input_tokens": 90}}, {
            "input_tokens": 100, "output_tokens": 1, "cache_read_tokens": 90,
        }),
    ],
)  # fmt: skip
def test_the_answer_of_each_provider_is_understood(answer: dict[str, Any], said: dict[str, Any]) -> None:
    assert used(answer) == said
    assert used(as_object(answer)) == said


def as_object(value: Any) -> Any:
    """The same with attributes instead of keys, as clients have it: in snake_case."""
    if isinstance(value, dict):
        if any("-" in key for key in value):  # headers stay a mapping
            return value
        return SimpleNamespace(**{snake(key): as_object(item) for key, item in value.items()})
    return [as_object(item) for item in value] if isinstance(value, list) else value


def snake(name: str) -> str:
    if name in {"ResponseMetadata", "HTTPHeaders", "RequestId"}:
        return name
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


@pytest.mark.parametrize(
    "answer", [None, "text", b"", 3, [], {}, {"usage": None}, {"usage": "7"}, {"usage": {"input_tokens": True}}, object()]
)
def test_what_tells_nothing_is_unknown(answer: Any) -> None:
    assert used(answer) == {}


def test_real_bodies_of_providers_are_read_as_an_independent_reader_reads_them(shared_data: Path) -> None:
    """What genai-prices' authors extracted from recorded answers. Where their readers differ, ours agrees with one of them."""
    names = {
        "input_tokens": "input_tokens", "output_tokens": "output_tokens",
        "cache_read_tokens": "cache_read_tokens", "cache_write_tokens": "cache_write_tokens",
    }  # fmt: skip
    wrong = []
    bodies = json.loads((shared_data / "provider_usage_bodies" / "usages_dev.json").read_text())
    for entry in bodies:
        said = used(entry["body"])
        ours = {name: said.get(name) or 0 for name in names}
        if "num_cached_tokens" in entry["body"]["usage" if "usage" in entry["body"] else "usageMetadata"]:
            ours["cache_read_tokens"] = 0  # Mistral's, which theirs pass over
        theirs = [{name: found["usage"].get(key) or 0 for name, key in names.items()} for found in entry["extracted"]]
        if theirs and ours not in theirs:
            wrong.append((entry["body"], ours, theirs))
    assert len(bodies) > 700
    assert wrong == []


def test_parameters_of_a_request_are_taken_without_its_content() -> None:
    request = {
        "model": "gpt-4o", "messages": [{"role": "user", "content": "secret"}], "temperature": 0.5, "max_completion_tokens": 100,
        "stop": "END", "n": 2, "stream": True, "reasoning": {"effort": "low"}, "seed": 0,
    }  # fmt: skip
    assert asked(request) == {
        "gen_ai.request.model": "gpt-4o", "gen_ai.request.temperature": 0.5, "gen_ai.request.max_tokens": 100,
        "gen_ai.request.stop_sequences": ("END",), "gen_ai.request.choice.count": 2, "gen_ai.request.stream": True,
        "gen_ai.request.reasoning.level": "low", "gen_ai.request.seed": 0,
    }  # fmt: skip
    assert asked({"modelId": "x", "inferenceConfig": {"maxTokens": 9, "stopSequences": ["a"]}}) == {
        "gen_ai.request.model": "x", "gen_ai.request.max_tokens": 9, "gen_ai.request.stop_sequences": ("a",),
    }  # fmt: skip
    assert asked(None) == {}


def test_integrations_read_costs_and_reasoning_as_handles_do() -> None:
    own_key = {"cost": 0.001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.02}}
    assert llm_answers.of_usage({"prompt_tokens": 5, "completion_tokens": 1, **own_key}) == {
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 1,
        "gen_ai.usage.cost.amount": 0.021,
        "gen_ai.usage.cost.currency": "USD",
    }
    details = {"completion_tokens_details": {"reasoning_tokens": 3}}
    beside, within = ({"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": total, **details} for total in (12, 9))
    output = "gen_ai.usage.output_tokens"
    assert (llm_answers.of_usage(beside)[output], llm_answers.of_usage(within)[output]) == (7, 4)
