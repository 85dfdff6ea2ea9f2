"""Calls as frameworks of agents and of speech tell of them, and bodies in units of their own. One trace is one case."""

import json

from tests.attribution.facts import MS, S, Span
from tests.dialects.bodies import names
from tests.dialects.others import CLAUDE, IN, OPENAI, OUT, Case, body, told

LLM = {"openinference.span.kind": "LLM", "llm.token_count.prompt": 100, "llm.token_count.completion": 10}
SPEECH = {
    "input_tokens": 132,
    "output_tokens": 121,
    "total_tokens": 253,
    "input_token_details": {
        "audio_tokens": 13,
        "text_tokens": 119,
        "cached_tokens": 64,
        "cached_tokens_details": {"text_tokens": 64},
    },
    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
    "metadata": {"model_name": "gpt-realtime", "model_provider": "openai"},
}
SPOKEN = {"input": 55, "input_audio": 13, "cache_read": 64, "output": 30, "output_audio": 91}


AGENTS: dict[str, Case] = {
    "Genkit: a model's answer, with characters beside its tokens": Case(
        (
            told(
                {
                    "genkit:name": "googleai/gemini-2.5-flash",
                    "genkit:metadata:subtype": "model",
                    "genkit:output": json.dumps(
                        {
                            "message": {"content": [{"text": "usage"}]},
                            "usage": {
                                "inputCharacters": 30,
                                "outputCharacters": 4,
                                "inputTokens": 10,
                                "outputTokens": 5,
                                "thoughtsTokens": 20,
                                "cachedContentTokens": 4,
                                "totalTokens": 35,
                            },
                        }
                    ),
                }
            ),
        ),
        {"input": 6, "cache_read": 4, "output": 5, "reasoning": 20},
        "google/gemini-2.5-flash",
    ),
    "LiveKit: the cached share is in its metrics": Case(
        (
            told(
                {
                    **OPENAI,
                    IN: 500,
                    OUT: 150,
                    "lk.llm_metrics": json.dumps({"prompt_tokens": 500, "prompt_cached_tokens": 128, "completion_tokens": 150}),
                }
            ),
        ),
        {"input": 372, "cache_read": 128, "output": 150},
    ),
    "LiveKit: speech both ways": Case(
        (told({"lk.realtime_model_metrics": json.dumps(SPEECH)}),), SPOKEN, "openai/gpt-realtime", {"cost_usd": "0.0069656"}
    ),
    "LiveKit: what is spoken is counted in characters": Case(
        (
            told(
                {
                    "lk.tts_metrics": json.dumps(
                        {
                            "characters_count": 1000,
                            "input_tokens": 0,
                            "output_tokens": 0,
                            "metadata": {"model_name": "tts-1", "model_provider": "openai"},
                        }
                    )
                }
            ),
        ),
        {"character": 1000},
        "openai/tts-1",
        {"cost_usd": "0.015"},
    ),
    "Pipecat: what is spoken": Case(
        (
            told(
                {
                    "gen_ai.system": "openai",
                    "gen_ai.request.model": "tts-1",
                    "gen_ai.operation.name": "tts",
                    "metrics.character_count": 1000,
                }
            ),
        ),
        {"character": 1000},
        "openai/tts-1",
    ),
    "Sentry's older names": Case(
        (
            told(
                {"ai.model_id": "gpt-4o", "ai.prompt_tokens.used": 10, "ai.completion_tokens.used": 5, "ai.total_tokens.used": 15}
            ),
        ),
        {"input": 10, "output": 5},
        "openai/gpt-4o",
    ),
    "CrewAI: a crew that sums up, LiteLLM below, OpenAI's client below that": Case(
        (
            Span(0, 1, duration_ns=9 * S, scope="crewai", attributes=LLM | {"openinference.span.kind": "CHAIN"}),
            Span(0, 2, 1, duration_ns=5 * S, scope="crewai", attributes={"openinference.span.kind": "AGENT"}),
            Span(0, 3, 2, duration_ns=3 * S, scope="litellm", attributes=LLM | {"llm.model_name": "openai/gpt-4o"}),
            Span(0, 4, 3, start_ns=MS, scope="openai", attributes=LLM | {"llm.model_name": "gpt-4o-2024-08-06"}),
        ),
        {"input": 100, "output": 10},
        "openai/gpt-4o",
    ),
    "Vercel: the body within its metadata says what of the input is fresh": Case(
        (
            told(
                {
                    "ai.operationId": "ai.streamText.doStream",
                    "ai.model.id": "claude-sonnet-4-5",
                    "ai.model.provider": "anthropic.messages",
                    "ai.usage.inputTokens": 1300,
                    "ai.usage.outputTokens": 50,
                    "ai.usage.cachedInputTokens": 1000,
                    "ai.response.providerMetadata": json.dumps(
                        {
                            "anthropic": {
                                "usage": {
                                    "input_tokens": 100,
                                    "cache_creation_input_tokens": 200,
                                    "cache_read_input_tokens": 1000,
                                    "output_tokens": 50,
                                }
                            }
                        }
                    ),
                },
                "ai",
            ),
        ),
        {"input": 100, "cache_read": 1000, "cache_write": 200, "output": 50},
    ),
    "a line of OpenAI's batches": Case(
        (
            body(
                {
                    "id": "batch_req_1",
                    "response": {"status_code": 200, "body": {"usage": {"prompt_tokens": 22, "completion_tokens": 2}}},
                },
                {**OPENAI, "gen_ai.request.batch": "true"},
            ),
        ),
        {"input": 22, "output": 2},
        more={"cost_usd": "0.0000375"},
    ),
    "a line of Anthropic's batches": Case(
        (
            body(
                {"result": {"message": {"usage": {"input_tokens": 1000, "output_tokens": 100, "service_tier": "batch"}}}}, CLAUDE
            ),
        ),
        {"input": 1000, "output": 100},
        more={"cost_usd": "0.00225"},
    ),
    "MiniMax: characters that were spoken": Case(
        (body({"extra_info": {"audio_length": 5746, "usage_characters": 26}}, names("minimax", "speech-02-hd", "speech")),),
        {"character": 26},
    ),
    "Replicate: pictures": Case(
        (body({"metrics": {"image_count": 2, "predict_time": 1.2}}, names("replicate", "flux-schnell", "image_generation")),),
        {"image": 2},
    ),
    "DashScope: seconds of a video": Case(
        (body({"video_count": 1, "video_duration": 5}, names("dashscope", "wan2.2-t2v-plus", "video_generation")),),
        {"video_second": 5},
    ),
    "why an answer ended, as JSON; what counting tokens tells is free": Case(
        (
            told({**OPENAI, IN: 100, OUT: 3, "gen_ai.response.finish_reasons": json.dumps(["length"])}),
            Span(0, 2, attributes={**OPENAI, "gen_ai.operation.name": "count_tokens", IN: 100}),
        ),
        {"input": 100, "output": 3},
        more={"waste": "truncated"},
    ),
    "a total that holds more than its parts is named": Case(
        (
            told(
                {
                    "gen_ai.system": "Google",
                    "gen_ai.request.model": "gemini-2.5-pro",
                    "gen_ai.usage.prompt_tokens": 35,
                    "gen_ai.usage.completion_tokens": 12,
                    "llm.usage.total_tokens": 109,
                }
            ),
        ),
        {"input": 35, "output": 12},
        more={
            "flags": ["total_exceeds_parts"],
            "reason": "the total holds tokens beside input and output, of a kind that is not told: a lower bound",
        },
    ),
    "a cost that the client worked out gives way to the price book": Case(
        (told({**OPENAI, IN: 1000, OUT: 100, "gen_ai.usage.cost.amount": 0.01, "gen_ai.usage.cost.source": "local"}),),
        {"input": 1000, "output": 100},
        more={"cost_usd": "0.0035", "basis": "computed"},
    ),
    "a cost that the client worked out stands where nobody has a price": Case(
        (
            told(
                {
                    **OPENAI,
                    "gen_ai.request.model": "ours",
                    IN: 1000,
                    OUT: 100,
                    "gen_ai.usage.cost.amount": 0.01,
                    "gen_ai.usage.cost.source": "local",
                }
            ),
        ),
        {"input": 1000, "output": 100},
        more={"cost_usd": "0.01", "basis": "estimated"},
    ),
    "OpenAI: seconds of speech and a part of one": Case(
        (body({"type": "duration", "seconds": 61.4}, names("openai", "whisper-1", "transcription")),),
        {"audio_second": 61},
        "openai/whisper-1",
        {"cost_usd": "0.0061"},
    ),
}
