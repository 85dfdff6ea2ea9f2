"""The real `openai` client against a stand-in: each call of a model is one inference, and what was not told stays unknown."""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest
import tollbook
from tollbook.integrations.openai import OpenAIInstrumentor
from tollbook.testing import Captured

from tests.sdk.model_api import ModelApi, chat_answer, chat_chunks, model_api

openai = pytest.importorskip("openai")
ASK: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "2 + 2?"}]}
USAGE = {
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 50,
    "gen_ai.usage.cache_read.input_tokens": 600,
    "gen_ai.usage.reasoning.output_tokens": 20,
}


@pytest.fixture(autouse=True)
def _instrumented() -> Iterator[None]:
    OpenAIInstrumentor().instrument()
    yield
    OpenAIInstrumentor().uninstrument()


@pytest.fixture(scope="module")
def _server() -> Iterator[ModelApi]:
    with model_api() as api:
        yield api


@pytest.fixture
def api(_server: ModelApi) -> ModelApi:
    _server.answers.clear()
    _server.asked.clear()
    _server.sizes.clear()
    return _server


@pytest.fixture
def client(api: ModelApi) -> Iterator[Any]:
    with openai.OpenAI(api_key="none", base_url=f"{api.url}/v1", max_retries=2) as client:
        yield client


def usage(captured: Captured, name: str = "chat gpt-4o") -> dict[str, Any]:
    return {key: value for key, value in captured.attributes(name).items() if key.startswith("gen_ai.usage.")}


def test_a_chat_is_an_inference_with_everything_that_is_billed(client: Any, api: ModelApi, captured: Captured) -> None:
    api.will(chat_answer())
    with tollbook.request("r", team="risk"):
        answer = client.chat.completions.create(**ASK)
    assert answer.choices[0].message.content == "Four."
    attributes = dict(captured.attributes("chat gpt-4o"))
    assert len(attributes.pop("tollbook.inference.input.digest")) == 32
    assert attributes.pop("tollbook.cpu.time") > 0
    assert attributes.pop("server.port") > 0
    assert attributes == {
        "tollbook.kind": "inference",
        "tollbook.inference.location": "remote",
        "tollbook.inference.input.size": api.sizes[0],
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "openai.response.service_tier": "default",
        "server.address": "127.0.0.1",
        "tollbook.team": "risk",
        "gen_ai.workflow.name": "r",
        **USAGE,
    }


def test_a_stream_tells_usage_only_if_it_was_asked_for(client: Any, api: ModelApi, captured: Captured) -> None:
    api.will(chat_chunks(usage=True))
    stream = client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True})
    assert isinstance(stream, openai.Stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices) == "Four"
    assert usage(captured) == USAGE
    attributes = captured.attributes("chat gpt-4o")
    assert attributes["gen_ai.request.stream"] is True
    assert attributes["gen_ai.response.time_to_first_chunk"] > 0
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",)


def test_a_stream_without_usage_is_unknown_and_not_zero(client: Any, api: ModelApi, captured: Captured) -> None:
    api.will(chat_chunks(usage=False))
    assert len(list(client.chat.completions.create(**ASK, stream=True))) == 3
    assert api.asked[0].get("stream_options") is None, "the request is the caller's"
    assert usage(captured) == {}
    assert captured.attributes("chat gpt-4o")["gen_ai.response.id"] == "chatcmpl-1"


@pytest.mark.parametrize("way", ["closed", "forgotten", "left"])
def test_an_abandoned_stream_is_cancelled_and_its_usage_unknown(client: Any, api: ModelApi, captured: Captured, way: str) -> None:
    api.will(chat_chunks(usage=True))
    stream = client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True})
    if way == "left":
        with stream:
            next(stream)
    else:
        next(stream)
        if way == "closed":
            stream.close()
    response = stream.response
    del stream
    gc.collect()
    response.close()
    assert usage(captured) == {}
    assert captured.attributes("chat gpt-4o")["gen_ai.response.finish_reasons"] == ("cancelled",)


def test_what_the_client_tries_again_is_one_call(client: Any, api: ModelApi, captured: Captured) -> None:
    api.will(500, 429, chat_answer())
    client.chat.completions.create(**ASK)
    assert captured.names == ["chat gpt-4o"]
    assert usage(captured) == USAGE
    assert captured.attributes("chat gpt-4o")["http.request.resend_count"] == 2


def test_a_refusal_raises_what_the_client_raises(client: Any, api: ModelApi, captured: Captured) -> None:
    api.will(400)
    with pytest.raises(openai.BadRequestError, match="stand-in"):
        client.chat.completions.create(**ASK)
    assert captured.attributes("chat gpt-4o")["error.type"] == "openai.BadRequestError"
    assert usage(captured) == {}


def test_several_choices_are_one_call(client: Any, api: ModelApi, captured: Captured) -> None:
    api.will(chat_answer(choices=3))
    client.chat.completions.create(**ASK, n=3)
    attributes = captured.attributes("chat gpt-4o")
    assert attributes["gen_ai.request.choice.count"] == 3
    assert attributes["gen_ai.response.finish_reasons"] == ("stop",) * 3
    assert usage(captured) == USAGE


def test_a_loop_of_tools_is_a_call_for_each_turn(client: Any, api: ModelApi, captured: Captured) -> None:
    api.will(chat_answer(1), chat_answer(2))
    for _turn in range(2):
        client.chat.completions.create(**ASK)
    assert [span.attributes["gen_ai.response.id"] for span in captured.spans] == ["chatcmpl-1", "chatcmpl-2"]
    assert len({span.attributes["tollbook.inference.input.digest"] for span in captured.spans}) == 1


def test_raw_and_streamed_responses_are_read_too(client: Any, api: ModelApi, captured: Captured) -> None:
    api.will(chat_answer(1), chat_answer(2), chat_chunks(3, usage=True))
    raw = client.chat.completions.with_raw_response.create(**ASK)
    assert raw.parse().id == "chatcmpl-1"
    with client.chat.completions.with_streaming_response.create(**ASK) as response:
        assert response.parse().id == "chatcmpl-2"
    chunks = client.chat.completions.with_raw_response.create(**ASK, stream=True).parse()
    assert len(list(chunks)) == 4
    assert [span.attributes["gen_ai.response.id"] for span in captured.spans] == [f"chatcmpl-{number}" for number in (1, 2, 3)]
    assert all(span.attributes["gen_ai.usage.output_tokens"] == 50 for span in captured.spans)


def test_a_streamed_response_that_nobody_reads_is_unknown(client: Any, api: ModelApi, captured: Captured) -> None:
    api.will(chat_answer(1), chat_answer(2))
    with client.chat.completions.with_streaming_response.create(**ASK) as response:
        assert response.status_code == 200
    assert usage(captured) == {}


def test_an_asynchronous_client_says_the_same(api: ModelApi, captured: Captured) -> None:
    async def ask() -> None:
        async with openai.AsyncOpenAI(api_key="none", base_url=f"{api.url}/v1") as client:
            await client.chat.completions.create(**ASK)
            stream = await client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True})
            assert [chunk.id async for chunk in stream] == ["chatcmpl-2"] * 4
            stream = await client.chat.completions.create(**ASK, stream=True)
            async with stream:
                await anext(stream)

    api.will(chat_answer(1), chat_chunks(2, usage=True), chat_chunks(3, usage=True))
    asyncio.run(ask())
    whole, streamed, left = [dict(span.attributes) for span in captured.spans]
    assert whole["gen_ai.usage.output_tokens"] == streamed["gen_ai.usage.output_tokens"] == 50
    assert "gen_ai.usage.output_tokens" not in left
    assert left["gen_ai.response.finish_reasons"] == ("cancelled",)
