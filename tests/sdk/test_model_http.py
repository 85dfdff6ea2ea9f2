"""Calls of models by plain HTTP, by each library that can ask: one inference each, with its usage, streamed or not."""

import asyncio
import contextlib
import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tollbook
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor, HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor as ContribRequests
from tollbook import testing
from tollbook.integrations.aiohttp import AiohttpClientInstrumentor
from tollbook.integrations.boto3 import Boto3Instrumentor
from tollbook.integrations.http_client import HttpClientInstrumentor
from tollbook.integrations.httpx import Httpx2Instrumentor, HttpxInstrumentor
from tollbook.integrations.openai import OpenAIInstrumentor
from tollbook.integrations.requests import RequestsInstrumentor
from tollbook.integrations.urllib3 import Urllib3Instrumentor

from tests.sdk.model_api import ModelApi, chat_answer, chat_chunks, message_events, model_api
from tests.sdk.model_api import message as message_answer

Ask = Callable[[str, Any], bytes]
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "2 + 2?"}]}
USED = {
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 50,
    "gen_ai.usage.cache_read.input_tokens": 600,
    "gen_ai.usage.reasoning.output_tokens": 20,
}


def _requests(url: str, body: Any) -> bytes:
    import requests

    with requests.Session() as session, session.post(url, json=body, stream=True) as response:
        return b"".join(response.iter_content(100))


def _urllib3(url: str, body: Any) -> bytes:
    import urllib3

    with urllib3.PoolManager() as pool:
        return pool.request("POST", url, json=body).data


def _httpx(url: str, body: Any) -> bytes:
    import httpx

    with httpx.Client() as client, client.stream("POST", url, json=body) as response:
        return b"".join(response.iter_bytes())


def _httpx_async(url: str, body: Any) -> bytes:
    import httpx

    async def ask() -> bytes:
        async with httpx.AsyncClient() as client:
            return (await client.post(url, json=body)).content

    return asyncio.run(ask())


def _aiohttp(url: str, body: Any) -> bytes:
    import aiohttp

    async def ask() -> bytes:
        async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
            return await response.read()

    return asyncio.run(ask())


def _urllib(url: str, body: Any) -> bytes:
    import urllib.request

    asked = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked) as response:
        return response.read()


CLIENTS: dict[str, tuple[Ask, list[Any]]] = {
    "requests": (_requests, [RequestsInstrumentor, Urllib3Instrumentor, HttpClientInstrumentor]),
    "requests beside contrib": (_requests, [RequestsInstrumentor, ContribRequests]),
    "urllib3": (_urllib3, [Urllib3Instrumentor]),
    "httpx": (_httpx, [HttpxInstrumentor]),
    "httpx async": (_httpx_async, [HttpxInstrumentor]),
    "aiohttp": (_aiohttp, [AiohttpClientInstrumentor]),
    "urllib": (_urllib, [HttpClientInstrumentor]),
}


@pytest.fixture(scope="module")
def _server() -> Iterator[ModelApi]:
    with model_api() as api:
        yield api


@pytest.fixture
def api(_server: ModelApi) -> ModelApi:
    _server.answers.clear()
    return _server


@contextlib.contextmanager
def instrumented(captured: testing.Captured, kinds: list[Any]) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for kind in kinds:
            kind().instrument(tracer_provider=captured.provider)
            stack.callback(kind().uninstrument)
        yield


@pytest.fixture(params=CLIENTS)
def ask(request: pytest.FixtureRequest, captured: testing.Captured) -> Iterator[Ask]:
    ask, kinds = CLIENTS[request.param]
    with instrumented(captured, kinds):
        yield ask


@pytest.fixture
def post(captured: testing.Captured) -> Iterator[Ask]:
    with instrumented(captured, [RequestsInstrumentor]):
        yield _requests


def told(captured: testing.Captured) -> dict[str, Any]:
    """Attributes of the one span there is."""
    (span,) = captured.spans
    return dict(span.attributes or {})


def usage(said: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in said.items() if key.startswith("gen_ai.usage.")}


def test_a_bare_request_to_a_model_is_one_inference(ask: Ask, api: ModelApi, captured: testing.Captured) -> None:
    api.will(chat_answer())
    assert json.loads(ask(f"{api.url}/v1/chat/completions", CHAT))["id"] == "chatcmpl-1"
    said = told(captured)
    assert usage(said) == USED
    expected = {
        "tollbook.kind": "inference",
        "tollbook.inference.location": "remote",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "http.response.status_code": 200,
        "tollbook.inference.input.size": api.sizes[-1],
        "tollbook.inference.output.size": len(json.dumps(chat_answer())),
    }
    assert {key: said.get(key) for key in expected} == expected
    assert "tollbook.handoff.operation" not in said


def test_a_bare_stream_of_a_model_is_one_inference(ask: Ask, api: ModelApi, captured: testing.Captured) -> None:
    api.will(chat_chunks(usage=True))
    assert b"[DONE]" in ask(f"{api.url}/v1/chat/completions", {**CHAT, "stream": True})
    said = told(captured)
    assert usage(said) == USED
    assert said["gen_ai.request.stream"] is True
    assert said["gen_ai.response.time_to_first_chunk"] > 0
    assert said["gen_ai.response.finish_reasons"] == ("stop",)


OLLAMA = [
    {"model": "llama3.2", "message": {"role": "assistant", "content": "Fo"}, "done": False},
    {
        "model": "llama3.2",
        "message": {"content": "ur"},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 26,
        "eval_count": 9,
    },
]
GEMINI = {
    "candidates": [{"content": {"parts": [{"text": "Four."}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 12, "candidatesTokenCount": 5, "thoughtsTokenCount": 7, "totalTokenCount": 24},
    "modelVersion": "gemini-2.5-flash",
    "responseId": "r-1",
}
CONTENTS = {"contents": [{"parts": [{"text": "2 + 2?"}]}]}
CONVERSED = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Four."}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 11, "outputTokens": 4, "totalTokens": 15},
}
COHERE = {
    "id": "c-1",
    "finish_reason": "COMPLETE",
    "message": {"role": "assistant", "content": [{"type": "text", "text": "Four."}]},
    "usage": {"billed_units": {"input_tokens": 8, "output_tokens": 3}, "tokens": {"input_tokens": 70, "output_tokens": 3}},
}
EMBEDDED = {
    "object": "list",
    "model": "e-1",
    "data": [{"embedding": [0.5] * 40_000}],
    "usage": {"prompt_tokens": 6, "total_tokens": 6},
}


def _lines(items: list[Any]) -> tuple[str, bytes]:
    return "application/x-ndjson", b"".join(json.dumps(item).encode() + b"\n" for item in items)


def _frames(items: list[Any]) -> tuple[str, bytes]:
    """AWS's event stream, its checksums left out."""
    framed = b""
    for item in items:
        payload = json.dumps(item).encode()
        framed += (16 + len(payload)).to_bytes(4) + bytes(8) + payload + bytes(4)
    return "application/vnd.amazon.eventstream", framed


FLASH, FLASH_NAMED = "/v1beta/models/gemini-2.5-flash", "generate_content gemini-2.5-flash"
NOVA = _frames([{"stopReason": "end_turn"}, {"usage": CONVERSED["usage"]}])
ANSWERED = {"id": "resp_1", "model": "gpt-5", "status": "completed", "usage": {"input_tokens": 9, "output_tokens": 2}}
TO_CLAUDE = {"model": "claude-sonnet-4-5", "messages": [], "max_tokens": 9, "stream": True}
TO_LLAMA = {"model": "llama3.2", "prompt": "2?", "stream": False}
ARRAY = ("application/json", json.dumps([{}, GEMINI]).encode())
WAYS: dict[str, tuple[str, Any, Any, str, str, tuple[int, int]]] = {
    "vLLM": ("/v1/chat/completions", {**CHAT, "model": "meta/Llama-3"}, chat_answer(), "chat meta/Llama-3", "openai", (1000, 50)),
    "Azure": (
        "/openai/deployments/ours/chat/completions?v=1",
        {"messages": []},
        chat_answer(),
        "chat ours",
        "openai",
        (1000, 50),
    ),
    "responses": ("/v1/responses", {"model": "gpt-5", "input": "2?"}, ANSWERED, "chat gpt-5", "openai", (9, 2)),
    "messages, streamed": ("/v1/messages", TO_CLAUDE, message_events(), "chat claude-sonnet-4-5", "anthropic", (1000, 7)),
    "Ollama, streamed": ("/api/chat", {"model": "llama3", "messages": []}, _lines(OLLAMA), "chat llama3", "ollama", (26, 9)),
    "Ollama": ("/api/generate", TO_LLAMA, OLLAMA[1], "text_completion llama3.2", "ollama", (26, 9)),
    "Gemini": (f"{FLASH}:generateContent", CONTENTS, GEMINI, FLASH_NAMED, "gcp.gemini", (12, 12)),
    "Gemini, streamed": (f"{FLASH}:streamGenerateContent?alt=sse", CONTENTS, [GEMINI], FLASH_NAMED, "gcp.gemini", (12, 12)),
    "Gemini, an array": (f"{FLASH}:streamGenerateContent", CONTENTS, ARRAY, FLASH_NAMED, "gcp.gemini", (12, 12)),
    "Bedrock": ("/model/claude-3-v1%3A0/converse", {"messages": []}, CONVERSED, "chat claude-3-v1:0", "aws.bedrock", (11, 4)),
    "Bedrock, streamed": ("/model/nova-v1:0/converse-stream", {"messages": []}, NOVA, "chat nova-v1:0", "aws.bedrock", (11, 4)),
    "Cohere": ("/v2/chat", {"model": "command-r", "messages": []}, COHERE, "chat command-r", "cohere", (8, 3)),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_ask_a_model_is_known(way: str, post: Ask, api: ModelApi, captured: testing.Captured) -> None:
    path, body, answer, name, provider, tokens = WAYS[way]
    api.will(answer)
    post(f"{api.url}{path}", body)
    said = told(captured)
    assert (captured.names, said["gen_ai.provider.name"]) == ([name], provider)
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == tokens
    assert said["gen_ai.response.finish_reasons"]
    assert "error.type" not in said


def test_embeddings_too_large_to_parse_still_tell_their_tokens(post: Ask, api: ModelApi, captured: testing.Captured) -> None:
    large = {**EMBEDDED, "data": [{"embedding": [0.123456789] * 40_000}]}
    for answer in (EMBEDDED, large):
        api.will(answer)
        post(f"{api.url}/v1/embeddings", {"model": "e-1", "input": ["a", "b"]})
    assert [(span.attributes or {})["gen_ai.usage.input_tokens"] for span in captured.spans] == [6, 6]
    assert [(span.attributes or {})["tollbook.inference.batch_size"] for span in captured.spans] == [2, 2]


def test_a_picture_in_the_question_does_not_hide_the_model(post: Ask, api: ModelApi, captured: testing.Captured) -> None:
    api.will(chat_chunks(usage=True))
    picture = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:" + "A" * 300_000}}]}
    post(f"{api.url}/v1/chat/completions", {"model": "gpt-4o", "messages": [picture], "stream": True})
    assert usage(told(captured)) == USED


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/2010-04-01/Accounts/AC1/messages", {"To": "+1", "Body": "hi"}),
        ("/channels/1/messages", {"content": "hi"}),
        ("/api/chat", {"text": "hi"}),
        ("/v1/embeddings", {"model": "e-1"}),
        ("/orders", CHAT),
    ],
)
def test_what_only_looks_like_a_model_is_a_handoff(
    path: str, body: Any, post: Ask, api: ModelApi, captured: testing.Captured
) -> None:
    api.will({})
    post(f"{api.url}{path}", body)
    assert told(captured)["tollbook.kind"] == "handoff"


@pytest.mark.parametrize("theirs", [[], [ContribRequests, HTTPXClientInstrumentor, HTTPX2ClientInstrumentor]])
def test_a_call_that_somebody_tells_of_is_told_once(theirs: list[Any], api: ModelApi, captured: testing.Captured) -> None:
    openai = pytest.importorskip("openai")
    api.will(chat_answer(), chat_answer(), chat_answer())
    tracer = captured.provider.get_tracer("somebody")
    with instrumented(captured, [OpenAIInstrumentor, HttpxInstrumentor, Httpx2Instrumentor, RequestsInstrumentor, *theirs]):
        with openai.OpenAI(api_key="none", base_url=f"{api.url}/v1", max_retries=0) as client:
            client.chat.completions.create(**CHAT)
        with tollbook.inference("gpt-4o", provider="openai"):
            _requests(f"{api.url}/v1/chat/completions", CHAT)
        with tracer.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}):
            _requests(f"{api.url}/v1/chat/completions", CHAT)
    kinds = [(span.attributes or {}).get("tollbook.kind", "") for span in captured.spans]
    assert sorted(kinds) == ["", "handoff", "handoff", "handoff", "inference", "inference"]


def test_a_refusal_is_an_error_without_usage(post: Ask, api: ModelApi, captured: testing.Captured) -> None:
    api.will(429)
    post(f"{api.url}/v1/chat/completions", CHAT)
    said = told(captured)
    assert (said["error.type"], usage(said), said["tollbook.kind"]) == ("429", {}, "inference")


def test_what_is_no_frame_neither_hides_the_others_nor_is_kept(api: ModelApi, captured: testing.Captured) -> None:
    kind, frames = _frames([{"bytes": "no base64"}, {"bytes": "e30x"}, {"usage": CONVERSED["usage"]}])
    api.will((kind, frames + bytes(8_000_000)))
    with instrumented(captured, [RequestsInstrumentor]):
        tracemalloc.start()
        try:
            _streamed(f"{api.url}/model/nova-v1:0/converse-stream", {"messages": []})
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert usage(told(captured)) == {"gen_ai.usage.input_tokens": 11, "gen_ai.usage.output_tokens": 4}
    assert peak_bytes < 4_000_000


def _streamed(url: str, body: Any) -> None:
    import requests

    with requests.post(url, json=body, stream=True) as response:
        for _piece in response.iter_content(65_536):
            pass


def test_a_stream_that_is_left_midway_says_so(api: ModelApi, captured: testing.Captured) -> None:
    import requests

    api.will(chat_chunks(usage=True))
    url, body = f"{api.url}/v1/chat/completions", {**CHAT, "stream": True}
    with instrumented(captured, [RequestsInstrumentor]), requests.post(url, json=body, stream=True) as response:
        assert next(response.iter_content(80))
    said = told(captured)
    assert (said["gen_ai.response.finish_reasons"], usage(said)) == (("cancelled",), {})


def test_a_stream_that_is_left_at_its_last_event_is_whole(api: ModelApi, captured: testing.Captured) -> None:
    import requests

    api.will(chat_chunks(usage=True))
    url, body = f"{api.url}/v1/chat/completions", {**CHAT, "stream": True}
    with instrumented(captured, [RequestsInstrumentor]), requests.post(url, json=body, stream=True) as response:
        lines = response.iter_lines()
        while b"[DONE]" not in next(lines):
            pass
        said = told(captured)
    assert (said["gen_ai.response.finish_reasons"], usage(said)) == (("stop",), USED)


def test_what_was_read_before_is_the_age_of_the_answer(post: Ask, api: ModelApi, captured: testing.Captured) -> None:
    api.will(chat_answer())
    with tollbook.request("ask"):
        with tollbook.handoff("read") as span:
            span.asset("s3://corpus/a", event_time=1_700_000_000.0)
        post(f"{api.url}/v1/chat/completions", CHAT)
    assert captured.attributes("chat gpt-4o")["tollbook.input.event_time.oldest"] == 1_700_000_000 * 10**9


@pytest.mark.parametrize("theirs", [[], [BotocoreInstrumentor]])
def test_bedrock_by_boto3_is_one_inference(theirs: list[Any], api: ModelApi, captured: testing.Captured) -> None:
    import boto3

    message = {"role": "user", "content": [{"text": "2 + 2?"}]}
    with instrumented(captured, [Boto3Instrumentor, Urllib3Instrumentor, *theirs]):
        client = boto3.client(
            "bedrock-runtime", "eu-west-1", endpoint_url=api.url, aws_access_key_id="none", aws_secret_access_key="none"
        )
        api.will(CONVERSED)
        client.converse(modelId="amazon.nova-lite-v1:0", messages=[message])
        api.will(message_answer())
        body = json.dumps({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [message]})
        client.invoke_model(modelId="anthropic.claude-3-haiku-20240307-v1:0", body=body)["body"].read()
        client.close()
    told = [span.attributes or {} for span in captured.spans if "gen_ai.usage.input_tokens" in (span.attributes or {})]
    assert [(said["gen_ai.usage.output_tokens"], said["gen_ai.request.model"]) for said in told] == [
        (4, "amazon.nova-lite-v1:0"),
        (7, "anthropic.claude-3-haiku-20240307-v1:0"),
    ]
    assert len(captured.spans) == 2
