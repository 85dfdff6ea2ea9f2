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
USED = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 600},
    "output_tokens": 50,
    "output_tokens_details": {"reasoning_tokens": 20},
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


def test_a_stream_that_is_cancelled_ends_its_call(api: ModelApi, captured: Captured) -> None:
    async def ask() -> None:
        async with openai.AsyncOpenAI(api_key="none", base_url=f"{api.url}/v1") as client:
            stream = await client.chat.completions.create(**ASK, stream=True)
            await anext(stream)
            task = asyncio.create_task(anext(stream))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await stream.close()

    api.will(chat_chunks(1, usage=True))
    asyncio.run(ask())
    assert usage(captured) == {}
    assert captured.attributes("chat gpt-4o")["gen_ai.response.finish_reasons"] == ("cancelled",)


def test_other_resources_are_inferences_of_their_operation(client: Any, api: ModelApi, captured: Captured) -> None:
    vector = {"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}
    api.will(
        {"object": "list", "model": "text-embedding-3-small", "data": [vector], "usage": {"prompt_tokens": 8, "total_tokens": 8}}
    )
    client.embeddings.create(model="text-embedding-3-small", input=["a", "b"], encoding_format="float")
    api.will({"id": "modr-1", "model": "omni-moderation-latest", "results": []})
    client.moderations.create(model="omni-moderation-latest", input="x")
    api.will({"created": 1, "data": [{"url": "http://x/1.png"}, {"url": "http://x/2.png"}]})
    client.images.generate(model="dall-e-3", prompt="x", n=2)
    api.will({"text": "Four", "usage": {"type": "duration", "seconds": 12}})
    client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF"))
    api.will({})
    client.audio.speech.create(model="tts-1", voice="alloy", input="grüße")
    told = {span.name: {k: v for k, v in span.attributes.items() if k.startswith("gen_ai.usage.")} for span in captured.spans}
    assert told == {
        "embeddings text-embedding-3-small": {"gen_ai.usage.input_tokens": 8},
        "moderation omni-moderation-latest": {},
        "image_generation dall-e-3": {"gen_ai.usage.images": 2},
        "transcription whisper-1": {"gen_ai.usage.audio_seconds": 12},
        "speech tts-1": {"gen_ai.usage.characters": 5},
    }
    assert captured.attributes("embeddings text-embedding-3-small")["tollbook.inference.batch_size"] == 2


def test_responses_tell_their_tokens_searches_and_state(client: Any, api: ModelApi, captured: Captured) -> None:
    usage = {
        "input_tokens": 300, "input_tokens_details": {"cached_tokens": 128},
        "output_tokens": 40, "output_tokens_details": {"reasoning_tokens": 30}, "total_tokens": 340,
    }  # fmt: skip
    answer = {
        "id": "resp_1", "object": "response", "created_at": 1, "model": "gpt-5", "service_tier": "flex",
        "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"},
        "output": [{"type": "web_search_call", "id": "ws_1", "status": "completed"}],
        "usage": usage, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
    }  # fmt: skip
    begun = {**answer, "status": "in_progress", "incomplete_details": None, "usage": None, "output": []}
    events = [
        (kind, {"type": kind, "sequence_number": number, "response": response})
        for number, (kind, response) in enumerate([("response.created", begun), ("response.incomplete", answer)])
    ]
    api.will(answer, events)
    client.responses.create(model="gpt-5", input="x", service_tier="flex", previous_response_id="resp_0")
    assert len(list(client.responses.create(model="gpt-5", input="x", stream=True))) == 2
    for span in captured.spans:
        assert {key: span.attributes.get(key) for key in USAGE} == dict(zip(USAGE, (300, 40, 128, 30), strict=True))
        assert span.attributes["gen_ai.usage.web_search.requests"] == 1
        assert span.attributes["gen_ai.response.finish_reasons"] == ("max_output_tokens",)
        assert span.attributes["openai.response.service_tier"] == "flex"
        assert span.attributes["gen_ai.response.id"] == "resp_1"
    assert captured.spans[0].attributes["gen_ai.request.previous_response.id"] == "resp_0"


@pytest.mark.parametrize("order", ["ours first", "theirs first"])
def test_beside_opentelemetrys_instrumentation_a_call_is_one_span_with_everything(
    client: Any, api: ModelApi, captured: Captured, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = pytest.importorskip("opentelemetry.instrumentation.openai_v2")
    theirs = package.OpenAIInstrumentor()
    wrap = package.wrap_function_wrapper

    def wrapped_for_wrapt_1(module: str, name: str, wrapper: Any) -> Any:
        return wrap(module, name, wrapper)

    # It calls wrapt by a keyword that wrapt 2 has renamed: without this it does not start.
    monkeypatch.setattr(package, "wrap_function_wrapper", wrapped_for_wrapt_1)
    if order == "theirs first":
        OpenAIInstrumentor().uninstrument()
    theirs.instrument(tracer_provider=captured.provider)
    OpenAIInstrumentor().instrument()
    try:
        api.will(chat_answer(1), chat_chunks(2, usage=True), chat_chunks(3, usage=False), chat_chunks(4, usage=True))
        client.chat.completions.create(**ASK)
        list(client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True}))
        list(client.chat.completions.create(**ASK, stream=True))
        left = client.chat.completions.create(**ASK, stream=True)
        next(left)
        del left
        gc.collect()
    finally:
        theirs.uninstrument()
    spans = [dict(span.attributes) for span in captured.spans]
    assert {span.instrumentation_scope.name for span in captured.spans} == {"opentelemetry.instrumentation.openai_v2"}
    assert [span["gen_ai.response.id"] for span in spans] == [f"chatcmpl-{number}" for number in (1, 2, 3, 4)]
    assert [{key: span.get(key) for key in USAGE} for span in spans] == [USAGE, USAGE, *[dict.fromkeys(USAGE)] * 2]
    assert [span["gen_ai.response.finish_reasons"] for span in spans] == [("stop",)] * 3 + [("cancelled",)]
    assert all(span["tollbook.kind"] == "inference" and span["gen_ai.provider.name"] == "openai" for span in spans)


def test_a_batch_is_billed_once_however_often_it_is_looked_at(client: Any, api: ModelApi, captured: Captured) -> None:
    batch = {
        "id": f"batch_{api.url[-5:]}",
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "status": "in_progress",
        "created_at": 1,
        "completion_window": "24h",
        "input_file_id": "file-1",
        "model": "gpt-4o",
        "request_counts": {"completed": 3, "failed": 0, "total": 3},
    }
    over = {**batch, "status": "completed", "usage": {**USED, "total_tokens": 1050}}
    api.will(batch, batch, over, over, {**batch, "status": "completed", "id": "batch_untold"})
    client.batches.create(input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h")
    for _look in range(3):
        client.batches.retrieve(batch["id"])
    client.batches.retrieve("batch_untold")
    told, untold = [dict(span.attributes) for span in captured.spans]
    assert {key: told.get(key) for key in USAGE} == USAGE
    assert told["gen_ai.request.batch"] is True
    assert told["gen_ai.response.id"] == batch["id"]
    assert told["gen_ai.request.model"] == "gpt-4o"
    assert told["tollbook.inference.batch_size"] == 3
    assert {key: untold.get(key) for key in USAGE} == dict.fromkeys(USAGE)


def broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("a fault of ours")


@pytest.mark.parametrize(
    "hook", ["operation_of", "of_request", "of_answer", "_server", "_joined", "_say_body", "watch", "_seconds_since_start"]
)
def test_a_fault_in_any_hook_leaves_the_call_alone(
    client: Any, api: ModelApi, captured: Captured, lenient: None, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    monkeypatch.setattr(f"tollbook.integrations.llm.{hook}", broken)
    api.will(chat_answer(), chat_chunks(usage=True), 400)
    assert client.chat.completions.create(**ASK).id == "chatcmpl-1"
    assert len(list(client.chat.completions.create(**ASK, stream=True))) == 4
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(**ASK)


def test_what_a_gateway_says_that_it_cost_is_told(client: Any, api: ModelApi, captured: Captured) -> None:
    api.will(chat_answer(cost=0.00125, prompt_tokens_details=None, prompt_cache_hit_tokens=600))
    client.chat.completions.create(**ASK)
    assert usage(captured) == USAGE | {"gen_ai.usage.cost.amount": 0.00125, "gen_ai.usage.cost.currency": "USD"}
