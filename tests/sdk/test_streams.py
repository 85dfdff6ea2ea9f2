"""Answers that come piece by piece out of objects: first item, rate, usage in the last piece, and what was left midway."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
import tollbook
from opentelemetry.trace import get_current_span
from tollbook.testing import Captured

CHUNKS: list[dict[str, Any]] = [
    {"id": "c", "model": "gpt-4o-x", "choices": [{"delta": {"content": "a"}}]},
    {"id": "c", "model": "gpt-4o-x", "choices": [{"delta": {}, "finish_reason": "stop"}]},
    {"id": "c", "model": "gpt-4o-x", "choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 4}},
]


class Stream:
    """As a client's: an iterator that is a context manager, and more."""

    extra = "of the client"

    def __init__(self, fails: bool = False) -> None:
        self._chunks = iter(CHUNKS)
        self.fails = fails
        self.closed = False

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        assert get_current_span().is_recording()
        if self.fails:
            raise ConnectionError
        return next(self._chunks)

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self.closed = True


class AsyncStream:
    def __init__(self) -> None:
        self._chunks = iter(CHUNKS)

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        await asyncio.sleep(0)
        for chunk in self._chunks:
            return chunk
        raise StopAsyncIteration


@tollbook.inference("gpt-4o", operation="chat", usage_of="result")
def chat(fails: bool = False) -> Stream:
    return Stream(fails)


@tollbook.inference("gpt-4o", operation="chat", usage_of="result")
async def achat() -> AsyncStream:
    return AsyncStream()


def assert_whole(captured: Captured) -> None:
    said = captured.attributes("chat gpt-4o")
    assert (said["gen_ai.usage.input_tokens"], said["gen_ai.usage.output_tokens"]) == (9, 4)
    assert said["gen_ai.request.stream"] is True
    assert 0 < said["gen_ai.response.time_to_first_chunk"] < 10
    assert said["tollbook.inference.output_token.rate"] > 0
    assert said["gen_ai.response.finish_reasons"] == ("stop",)


def assert_left_midway(captured: Captured) -> None:
    said = captured.attributes("chat gpt-4o")
    assert not [key for key in said if key.startswith("gen_ai.usage")]
    assert said["gen_ai.response.finish_reasons"] == ("cancelled",)
    assert "error.type" not in said


def test_a_stream_that_is_returned_is_the_clients_own_and_tells_when_it_is_read(captured: Captured) -> None:
    stream = chat()
    assert captured.spans == ()
    assert isinstance(stream, Stream)
    assert isinstance(stream, Iterator)
    assert not isinstance(stream, AsyncIterator)
    assert stream.extra == "of the client"
    assert list(stream) == CHUNKS
    assert_whole(captured)
    assert not get_current_span().is_recording()


def test_a_stream_read_in_a_with_block_is_closed_and_tells(captured: Captured) -> None:
    with chat() as stream:
        assert list(stream) == CHUNKS
    assert stream.closed
    assert_whole(captured)


def test_a_stream_left_midway_has_no_counts_rather_than_wrong_ones(captured: Captured) -> None:
    with chat() as stream:
        next(stream)
    assert stream.closed
    assert_left_midway(captured)


def test_a_stream_that_is_thrown_away_ends_its_span(captured: Captured) -> None:
    next(chat())
    gc.collect()
    assert_left_midway(captured)


def test_a_stream_that_fails_raises_and_says_so(captured: Captured) -> None:
    with pytest.raises(ConnectionError):
        next(chat(fails=True))
    assert captured.attributes("chat gpt-4o")["error.type"] == "ConnectionError"


def test_an_async_stream_tells_and_can_be_left(captured: Captured) -> None:
    async def read() -> None:
        assert [chunk async for chunk in await achat()] == CHUNKS

    asyncio.run(read())
    assert_whole(captured)


def test_a_context_manager_that_opens_a_stream_tells(captured: Captured) -> None:
    @tollbook.inference("gpt-4o", operation="chat", usage_of="result")
    @contextmanager
    def opened() -> Iterator[Iterator[Any]]:
        yield iter(CHUNKS)

    with opened() as stream:
        assert list(stream) == CHUNKS
    assert_whole(captured)


def test_an_async_context_manager_that_opens_a_stream_tells(captured: Captured) -> None:
    @tollbook.inference("gpt-4o", operation="chat", usage_of="result")
    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncStream]:
        yield AsyncStream()

    async def read() -> None:
        async with opened() as stream:
            assert [chunk async for chunk in stream] == CHUNKS

    asyncio.run(read())
    assert_whole(captured)


def test_generators_left_midway_say_so_too(captured: Captured) -> None:
    @tollbook.inference("gpt-4o", operation="chat", usage_of="result")
    def generated() -> Iterator[Any]:
        yield from CHUNKS

    stream = generated()
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert_left_midway(captured)


def test_anthropics_events_add_up_and_its_provisional_count_is_no_count(captured: Captured) -> None:
    events = [
        {
            "type": "message_start",
            "message": {"id": "m", "usage": {"input_tokens": 5, "cache_read_input_tokens": 90, "output_tokens": 1}},
        },
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "hi"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 12}},
    ]

    @tollbook.inference("claude", usage_of="result")
    def generated(count: int) -> Iterator[Any]:
        yield from events[:count]

    for count in (3, 2):
        stream = generated(count)
        for _ in range(count):
            next(stream)
        stream.close()  # type: ignore[attr-defined]
    whole, left = (span.attributes for span in captured.spans)
    assert (whole["gen_ai.usage.input_tokens"], whole["gen_ai.usage.output_tokens"]) == (95, 12)
    assert left["gen_ai.usage.input_tokens"] == 95
    assert "gen_ai.usage.output_tokens" not in left
    assert left["gen_ai.response.finish_reasons"] == ("cancelled",)


def test_what_goes_into_a_call_and_comes_out_is_sized(captured: Captured) -> None:
    @tollbook.inference(
        "embedder", operation="embeddings", input_of="texts", batch_of="texts", output_of="result", parameters_of="options"
    )
    def embed(texts: list[str], **options: Any) -> bytes:
        return b"\0" * 3072

    embed(["ab", "cde"], dimensions=768)
    said = captured.attributes("embeddings embedder")
    assert said["tollbook.inference.batch_size"] == 2
    assert said["tollbook.inference.input.size"] == 5
    assert said["tollbook.inference.output.size"] == 3072
    assert said["gen_ai.embeddings.dimension.count"] == 768
