"""OTLP over gRPC: handlers that take and give bytes, so that a request is parsed once, where it is checked."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import grpc
from google.rpc import code_pb2  # type: ignore[import-untyped]

from tollbook_collector.errors import RefusedError
from tollbook_collector.signals import SIGNALS, Signal

if TYPE_CHECKING:
    from tollbook_collector.collector import Collector

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"

CODES = {
    code_pb2.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
    code_pb2.RESOURCE_EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    code_pb2.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
}
DETAILS = "grpc-status-details-bin"


async def serve(collector: "Collector") -> tuple[grpc.aio.Server, int]:
    """Listens on the address in the collector's settings; the server and the port it got.

    Raises:
        OSError: the port is taken.
    """
    settings = collector.settings
    limits = [
        ("grpc.max_receive_message_length", settings.max_body_bytes),
        ("grpc.so_reuseport", 0),
    ]
    server = grpc.aio.server(options=limits)
    server.add_generic_rpc_handlers([_handlers(collector, signal) for signal in SIGNALS.values()])
    address = f"{settings.grpc_host}:{settings.grpc_port}"
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: {error}") from error
    await server.start()
    return server, port


def _handlers(collector: "Collector", signal: Signal) -> grpc.GenericRpcHandler:
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(_export(collector, signal))
    return grpc.method_handlers_generic_handler(signal.service, {"Export": handler})


def _export(collector: "Collector", signal: Signal) -> Callable[[bytes, Context], Awaitable[bytes]]:
    async def export(body: bytes, context: Context) -> bytes:
        held_bytes = 0
        try:
            collector.hold(len(body))
            held_bytes = len(body)
            return (await collector.take(signal, body, "protobuf")).SerializeToString()
        except RefusedError as error:
            collector.counters.add("refused_total", reason=error.reason)
            context.set_trailing_metadata(((DETAILS, error.status().SerializeToString()),))
            context.set_code(CODES[error.code])
            context.set_details(str(error))
            return b""
        finally:
            collector.release(held_bytes)

    return export
