"""Calls of gRPC, both ends, of threads and of asyncio: bytes of the messages, owners and ages to hosts of ours only."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import grpc.aio
import pytest
import tollbook
from opentelemetry.instrumentation.grpc import (
    GrpcAioInstrumentorClient,
    GrpcAioInstrumentorServer,
    GrpcInstrumentorClient,
    GrpcInstrumentorServer,
)
from opentelemetry.trace import SpanKind, StatusCode
from tollbook import hosts, testing
from tollbook.integrations.grpc import GrpcClientInstrumentor, GrpcServerInstrumentor, _places

READ_NS = 1_795_320_000_123_000_000
CODECS: dict[str, Any] = {"request_serializer": str.encode, "response_deserializer": bytes.decode}


def one(request: Any, context: Any) -> str:
    """`double` for a text; a stream of texts is joined."""
    if request == "broken":
        context.abort(grpc.StatusCode.NOT_FOUND, "secret")
    with tollbook.inference("scorer", provider="own"):
        pass
    return 2 * (request if isinstance(request, str) else "".join(request))


def many(request: Any, context: Any) -> Iterator[str]:
    yield from (request if isinstance(request, str) else "".join(request))


async def aone(request: Any, context: Any) -> str:
    if request == "broken":
        await context.abort(grpc.StatusCode.NOT_FOUND, "secret")
    return one(request if isinstance(request, str) else [piece async for piece in request], context)


async def amany(request: Any, context: Any) -> Any:
    for letter in many(request if isinstance(request, str) else [piece async for piece in request], context):
        yield letter


def encoded(text: str | bytes) -> bytes:
    """Servers of asyncio encode texts themselves."""
    return text if isinstance(text, bytes) else text.encode()


def handlers(single: Any, stream: Any) -> Any:
    codecs: dict[str, Any] = {"request_deserializer": bytes.decode, "response_serializer": encoded}
    return grpc.method_handlers_generic_handler(
        "shop.Orders",
        {
            "One": grpc.unary_unary_rpc_method_handler(single, **codecs),
            "Many": grpc.unary_stream_rpc_method_handler(stream, **codecs),
            "Sum": grpc.stream_unary_rpc_method_handler(single, **codecs),
            "Talk": grpc.stream_stream_rpc_method_handler(stream, **codecs),
        },
    )


OURS = (GrpcClientInstrumentor, GrpcServerInstrumentor)
CONTRIB = {
    "sync": (GrpcInstrumentorClient, GrpcInstrumentorServer),
    "aio": (GrpcAioInstrumentorClient, GrpcAioInstrumentorServer),
}
ORDERS = {"alone": [OURS], "contrib inside": [None, OURS], "contrib outside": [OURS, None]}


def talk(client: Any) -> dict[str, Any]:
    """All four kinds of calls."""
    ask = {kind: getattr(client, kind) for kind in ("unary_unary", "unary_stream", "stream_unary", "stream_stream")}
    return {
        "One": ask["unary_unary"]("/shop.Orders/One", **CODECS)("grüße", metadata=[("mine", "1")]),
        "Many": list(ask["unary_stream"]("/shop.Orders/Many", **CODECS)("abc")),
        "Sum": ask["stream_unary"]("/shop.Orders/Sum", **CODECS)(iter(["ab", "c"])),
        "Talk": list(ask["stream_stream"]("/shop.Orders/Talk", **CODECS)(iter(["ab", "c"]))),
    }


async def atalk(target: str) -> dict[str, Any]:
    async def pieces() -> Any:
        yield "ab"
        yield "c"

    async with grpc.aio.insecure_channel(target) as client:
        return {
            "One": await client.unary_unary("/shop.Orders/One", **CODECS)("grüße", metadata=(("mine", "1"),)),
            "Many": [piece async for piece in client.unary_stream("/shop.Orders/Many", **CODECS)("abc")],
            "Sum": await client.stream_unary("/shop.Orders/Sum", **CODECS)(pieces()),
            "Talk": [piece async for piece in client.stream_stream("/shop.Orders/Talk", **CODECS)(pieces())],
        }


ANSWERS = {"One": "grüßegrüße", "Many": ["a", "b", "c"], "Sum": "abcabc", "Talk": ["a", "b", "c"]}
BYTES = {"One": 7 + 14, "Many": 6, "Sum": 9, "Talk": 6}


@contextlib.contextmanager
def instrumented(kind: str, order: str, captured: testing.Captured) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for made in ORDERS[order]:
            for instrumentor in made or CONTRIB[kind]:
                instrumentor().instrument(tracer_provider=captured.provider)
                stack.callback(instrumentor().uninstrument)
        yield


@contextlib.contextmanager
def server() -> Iterator[str]:
    with ThreadPoolExecutor(2) as pool:
        serving = grpc.server(pool)
        serving.add_generic_rpc_handlers([handlers(one, many)])
        port = serving.add_insecure_port("127.0.0.1:0")
        serving.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            serving.stop(None).wait(5)


def spans(captured: testing.Captured, kind: SpanKind, count: int) -> dict[str, Any]:
    """By method. They end a moment after the caller has its answer."""
    for _ in range(200):
        found = [span for span in captured.spans if span.kind is kind]
        if len(found) >= count:
            break
        time.sleep(0.01)
    assert len(found) == count, captured.names
    return {span.attributes["rpc.method"].rpartition("/")[2]: span for span in found}


def check(captured: testing.Captured, answers: dict[str, Any], port: int) -> None:
    assert answers == ANSWERS
    asked, served = spans(captured, SpanKind.CLIENT, 4), spans(captured, SpanKind.SERVER, 4)
    for method, size in BYTES.items():
        said = asked[method].attributes
        assert said["tollbook.kind"] == "handoff"
        assert said["tollbook.handoff.operation"] == "call"
        assert said["tollbook.handoff.destination"] == f"127.0.0.1:{port}"
        assert said["tollbook.handoff.network"] == "loopback"
        assert (method, said["tollbook.handoff.size"]) == (method, size)
        assert said["rpc.response.status_code"] == "OK"
        assert said["tollbook.handoff.serialization.duration"] > 0
        told = served[method].attributes
        assert told["tollbook.kind"] == "request"
        assert told["http.request.body.size"] + told["http.response.body.size"] == size
        assert told["tollbook.team"] == "search"
        assert served[method].parent.span_id == asked[method].context.span_id
    model = next(span for span in captured.spans if span.name == "inference scorer").attributes
    assert model["tollbook.input.event_time.oldest"] == READ_NS


@contextlib.contextmanager
def reader() -> Iterator[None]:
    with tollbook.request("caller", team="search"):
        with tollbook.handoff("read") as read:
            read.asset("s3://a", event_time=READ_NS)
        yield


@pytest.mark.parametrize("order", ORDERS)
def test_calls_of_threads_tell_their_bytes(order: str, captured: testing.Captured) -> None:
    with instrumented("sync", order, captured), server() as target, reader(), grpc.insecure_channel(target) as client:
        answers = talk(client)
    check(captured, answers, int(target.rpartition(":")[2]))


@pytest.mark.parametrize("order", ORDERS)
def test_calls_of_asyncio_tell_their_bytes(order: str, captured: testing.Captured) -> None:
    async def play() -> tuple[dict[str, Any], int]:
        serving = grpc.aio.server()
        serving.add_generic_rpc_handlers([handlers(aone, amany)])
        port = serving.add_insecure_port("127.0.0.1:0")
        await serving.start()
        try:
            with reader():
                return await atalk(f"127.0.0.1:{port}"), port
        finally:
            await serving.stop(1)

    with instrumented("aio", order, captured):
        answers, port = asyncio.run(play())
    check(captured, answers, port)


@pytest.mark.parametrize("order", ORDERS)
def test_a_refused_call_names_its_code_and_not_its_text(order: str, captured: testing.Captured) -> None:
    with instrumented("sync", order, captured), server() as target, grpc.insecure_channel(target) as client:
        with pytest.raises(grpc.RpcError) as refused:
            client.unary_unary("/shop.Orders/One", **CODECS)("broken")
        assert refused.value.details() == "secret"
        (asked,) = spans(captured, SpanKind.CLIENT, 1).values()
        (served,) = spans(captured, SpanKind.SERVER, 1).values()
    for span in (asked, served):
        assert span.attributes["error.type"] == "NOT_FOUND"
        assert span.status.status_code is StatusCode.ERROR
    if order == "alone":
        assert "secret" not in asked.to_json() + served.to_json()


def test_a_future_tells_its_bytes(captured: testing.Captured) -> None:
    with instrumented("sync", "alone", captured), server() as target, grpc.insecure_channel(target) as client:
        assert client.unary_unary("/shop.Orders/One", **CODECS).future("ab").result() == "abab"
        assert spans(captured, SpanKind.CLIENT, 1)["One"].attributes["tollbook.handoff.size"] == 6


def test_nobody_elses_server_is_told_owners_or_ages(captured: testing.Captured) -> None:
    seen: list[dict[str, str]] = []

    def note(request: str, context: Any) -> str:
        seen.append(dict(context.invocation_metadata()))
        return request

    hosts.declare(["!127.0.0.1"])
    try:
        with ThreadPoolExecutor(1) as pool, instrumented("sync", "contrib inside", captured), reader():
            serving = grpc.server(pool)
            serving.add_generic_rpc_handlers([handlers(note, many)])
            port = serving.add_insecure_port("127.0.0.1:0")
            serving.start()
            try:
                with grpc.insecure_channel(f"127.0.0.1:{port}") as client:
                    client.unary_unary("/shop.Orders/One", **CODECS)("a", metadata=[("baggage", "mine=1")])
            finally:
                serving.stop(None).wait(5)
    finally:
        hosts.declare(None)
    assert "traceparent" in seen[0]
    assert "search" not in str(seen)
    assert "tollbook" not in seen[0].get("baggage", "")


@pytest.mark.parametrize(
    ("target", "places"),
    [
        ("host:80", (("host", 80),)),
        ("dns:///host:80", (("host", 80),)),
        ("dns://8.8.8.8/host:80", (("host", 80),)),
        ("ipv4:10.0.0.1:80,10.0.0.2:81", (("10.0.0.1", 80), ("10.0.0.2", 81))),
        ("[::1]:80", (("::1", 80),)),
        ("unix:/run/socket", (("/run/socket", None),)),
        ("unix:///run/socket", (("/run/socket", None),)),
    ],
)
def test_targets_are_read(target: str, places: Any) -> None:
    assert _places(target) == places
