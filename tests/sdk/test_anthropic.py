"""The real `anthropic` client against a stand-in. Skipped where the client is not installed."""

import gc
import json
from collections.abc import Iterator
from typing import Any

import pytest
from tollbook.integrations.anthropic import AnthropicInstrumentor
from tollbook.testing import Captured

from tests.sdk.model_api import ModelApi, message, message_events, model_api

anthropic = pytest.importorskip("anthropic", reason="anthropic is not installed")
pytestmark = pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")
ASK: Any = {"model": "claude-sonnet-4-5", "max_tokens": 10, "messages": [{"role": "user", "content": "2 + 2?"}]}
NAME = "chat claude-sonnet-4-5"
USAGE = {
    "gen_ai.usage.input_tokens": 100 + 600 + 300,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 600,
    "gen_ai.usage.cache_write.input_tokens": 300,
    "gen_ai.usage.cache_write.1h.input_tokens": 200,
    "gen_ai.usage.web_search.requests": 2,
}


@pytest.fixture(autouse=True)
def _instrumented() -> Iterator[None]:
    AnthropicInstrumentor().instrument()
    yield
    AnthropicInstrumentor().uninstrument()


@pytest.fixture
def api() -> Iterator[ModelApi]:
    with model_api() as api:
        yield api


@pytest.fixture
def client(api: ModelApi) -> Iterator[Any]:
    with anthropic.Anthropic(api_key="none", base_url=api.url) as client:
        yield client


def told(captured: Captured) -> list[dict[str, Any]]:
    return [{key: (span.attributes or {}).get(key) for key in USAGE} for span in captured.spans]


def test_a_message_is_an_inference_however_it_is_read(client: Any, api: ModelApi, captured: Captured) -> None:
    api.will(529, message(1), message_events(2), message_events(3))
    client.messages.create(**ASK)
    assert len(list(client.messages.create(**ASK, stream=True))) == 6
    with client.messages.stream(**ASK) as stream:
        assert stream.get_final_message().usage.output_tokens == 7
    assert told(captured) == [USAGE] * 3
    first = captured.spans[0].attributes or {}
    assert first["http.request.resend_count"] == 1
    assert first["gen_ai.provider.name"] == "anthropic"
    assert first["tollbook.inference.input.size"] == api.sizes[0]
    assert [(span.attributes or {})["gen_ai.response.id"] for span in captured.spans] == ["msg_1", "msg_2", "msg_3"]
    assert {(span.attributes or {})["gen_ai.response.finish_reasons"] for span in captured.spans} == {("end_turn",)}


@pytest.mark.parametrize("way", ["helper", "left", "forgotten"])
def test_an_abandoned_stream_knows_its_input_and_not_its_output(client: Any, api: ModelApi, captured: Captured, way: str) -> None:
    api.will(message_events(1))
    if way == "helper":
        with client.messages.stream(**ASK) as stream:
            next(iter(stream))
    else:
        stream = client.messages.create(**ASK, stream=True)
        next(stream)
        if way == "left":
            stream.close()
    response = stream.response
    del stream
    gc.collect()
    response.close()
    assert told(captured) == [USAGE | {"gen_ai.usage.output_tokens": None}]
    assert captured.attributes(NAME)["gen_ai.response.finish_reasons"] == ("cancelled",)


def test_each_answer_of_a_batch_is_billed_once(client: Any, api: ModelApi, captured: Captured) -> None:
    number = int(api.url[-4:])
    succeeded = [
        {"custom_id": str(each), "result": {"type": "succeeded", "message": message(each)}} for each in (number, number + 1)
    ]
    errored = {
        "custom_id": "x",
        "result": {"type": "errored", "error": {"type": "error", "error": {"type": "api_error", "message": "x"}}},
    }
    lines = "".join(json.dumps(line) + "\n" for line in [*succeeded, errored]).encode()
    state = {
        "id": "msgbatch_1",
        "type": "message_batch",
        "processing_status": "ended",
        "request_counts": {},
        "created_at": "2026-11-22T00:00:00Z",
        "expires_at": "2026-11-23T00:00:00Z",
        "results_url": f"{api.url}/v1/messages/batches/msgbatch_1/results",
    }
    api.will(state, lines, state, lines)
    for _fetched in range(2):
        assert len(list(client.messages.batches.results("msgbatch_1"))) == 3
    assert told(captured) == [USAGE] * 2
    assert all((span.attributes or {})["gen_ai.request.batch"] for span in captured.spans)


def test_a_refusal_raises_what_the_client_raises(client: Any, api: ModelApi, captured: Captured) -> None:
    api.will(400)
    with pytest.raises(anthropic.BadRequestError):
        client.messages.create(**ASK)
    assert captured.attributes(NAME)["error.type"] == "anthropic.BadRequestError"
