"""OTLP over gRPC: handlers that take and give bytes, so that a request is parsed once, where it is checked."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
from google.rpc import code_pb2  # type: ignore[import-untyped]
from tollbook_schema.keys import Principal

from tollbook_collector import bodies
from tollbook_collector.errors import RefusedError
from tollbook_collector.signals import SIGNALS, Signal

if TYPE_CHECKING:
    from tollbook_collector.collector import Collector

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

CODES = {
    code_pb2.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
    code_pb2.RESOURCE_EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    code_pb2.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    code_pb2.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    code_pb2.PERMISSION_DENIED: grpc.StatusCode.PERMISSION_DENIED,
}
MAX_STREAMS = 100
"""Calls at a time on one connection, as RFC 9113 recommends at least."""

MAX_HEAD_BYTES = 64 * 1024
"""Metadata of a call, as much as HTTP's headers."""

DETAILS = "grpc-status-details-bin"


async def serve(collector: "Collector") -> tuple[grpc.aio.Server, int]:
    """Listens on the address in the collector's settings; the server and the port it got.

    Raises:
        OSError: the port is taken.
    """
    settings = collector.settings
    limits = [
        ("grpc.max_receive_message_length", settings.max_body_bytes),
        ("grpc.per_message_decompression", 0),  # ours counts what it holds, and 100 bombs hold 64 MiB each in gRPC's
        ("grpc.max_concurrent_streams", MAX_STREAMS),
        ("grpc.max_metadata_size", MAX_HEAD_BYTES),
        ("grpc.absolute_max_metadata_size", MAX_HEAD_BYTES),
        ("grpc.server_handshake_timeout_ms", 10_000),
        ("grpc.so_reuseport", 0),
    ]
    server = grpc.aio.server(interceptors=[_Guard(collector)], options=limits)
    server.add_generic_rpc_handlers([_handlers(collector, signal) for signal in SIGNALS.values()])
    address = f"{settings.grpc_host}:{settings.grpc_port}"
    try:
        tls = collector.tls
        port = server.add_secure_port(address, tls.credentials()) if tls else server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: {error}") from error
    await server.start()
    return server, port


def _handlers(collector: "Collector", signal: Signal) -> grpc.GenericRpcHandler:
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(_export(collector, signal))
    return grpc.method_handlers_generic_handler(signal.service, {"Export": handler})


def _export(collector: "Collector", signal: Signal) -> Callable[[bytes, Context], Awaitable[bytes]]:
    async def export(body: bytes, context: Context) -> bytes:
        try:
            tenant = _admit(collector, context.invocation_metadata()).stores_for
            with collector.intake.request() as held:
                held.add(len(body))
                content = await held.content(bodies.compressed_by_grpc(body), body)
                return (await collector.take(signal, content, "protobuf", tenant)).SerializeToString()
        except RefusedError as error:
            _refuse(collector, error, context)
            return b""

    return export


class _Guard(grpc.aio.ServerInterceptor):
    """Asks for the key of every call, to methods that do not exist too, before its body is read."""

    def __init__(self, collector: "Collector") -> None:
        self._collector = collector

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler | None"]],
        details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        try:
            _admit(self._collector, details.invocation_metadata)
        except RefusedError as error:
            return _refusing(self._collector, error)
        return await continuation(details)


def _admit(collector: "Collector", metadata: Iterable[tuple[str, str | bytes]] | None) -> Principal:
    sent = {name: value for name, value in metadata or () if isinstance(value, str)}
    return collector.door.admit(sent.get("authorization", ""), sent.get("x-api-key", ""))


def _refusing(collector: "Collector", error: RefusedError) -> Handler:
    async def refuse(_bodies: AsyncIterator[bytes], context: Context) -> bytes:
        _refuse(collector, error, context)
        return b""

    return grpc.stream_unary_rpc_method_handler(refuse)


def _refuse(collector: "Collector", error: RefusedError, context: Context) -> None:
    collector.counters.add("refused_total", reason=error.reason)
    context.set_trailing_metadata(((DETAILS, error.status().SerializeToString()),))
    context.set_code(CODES[error.code])
    context.set_details(str(error))
