"""Celery: tasks that are sent, as messages of their broker, and tasks that run, as requests of the trace that sent them."""

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from opentelemetry.context import attach, detach, get_current
from opentelemetry.trace import SpanKind
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.handle import INERT, Handle, Value
from tollbook.integrations.base import Integration
from tollbook.integrations.queues import EVENT_ID, Message, Queue, Side, labelled, size_of
from tollbook.integrations.serving import Request
from tollbook.runtime import is_off, is_suppressed
from tollbook.shield import shielded
from tollbook.steps import ending

_OTHERS: Final = "opentelemetry.instrumentation.celery"
_SENT: Final = "tollbook-message"
"""Header with the bytes of a message and the ns since 1970 when it was sent, which Celery does not tell a worker."""
_SYSTEMS: Final = {"amqp": "rabbitmq", "pyamqp": "rabbitmq", "rediss": "redis", "sqs": "aws_sqs"}
"""Names of brokers as OpenTelemetry has them; others as kombu has them."""
_TASK_NAME: Final = "celery.task_name"
_BEGINNING: Final = shielded("begin a task")


@functools.lru_cache(16)
def _queue_of(driver: str) -> Queue:
    return Queue(_SYSTEMS.get(driver, driver), beneath=[_OTHERS])


@functools.lru_cache(512)
def _run_of(name: str) -> Request:
    return Request(name, name, {_TASK_NAME: name}, kind=SpanKind.CONSUMER)


def _publish(wrapped: Callable[..., Any], producer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """In place of what kombu sends with: body, priority, type, encoding, headers, properties, key, two flags, exchange."""
    handle: Handle = INERT
    with shielded("size a task"):
        body, headers, key, exchange = args[0], args[4], args[6], args[9]
        if headers and "task" in headers and "id" in headers:  # no reply, event or command of Celery's own
            handle = _begun(producer, str(key or exchange), headers, size_of(body))
    if handle is INERT:
        return wrapped(*args, **kwargs)
    with ending(handle):
        with shielded("send headers with a task"):
            sent, _written = labelled(handle, str(key or exchange), {})
            ours = {name: value.decode() for name, value in sent.items()} | {_SENT: f"{size_of(body)} {time.time_ns()}"}
            handle.set(A.TOLLBOOK_EVENT_ID, str(headers["id"]))
            args = (*args[:4], {**headers, **ours}, *args[5:])
        with handle:
            return wrapped(*args, **kwargs)


def _begun(producer: Any, queue: str, headers: Mapping[str, Any], size: int | None) -> Handle:
    connection = producer.connection
    side = Side(_server(connection), said={_TASK_NAME: str(headers["task"]), "messaging.message.id": str(headers["id"])})
    return _queue_of(_driver(connection)).writing(queue, size, side.attributes())


def _driver(connection: Any) -> str:
    return str(getattr(connection.transport, "driver_type", "") or connection.transport_cls)


def _server(connection: Any) -> str:
    host = connection.hostname if _driver(connection) != "memory" else None
    return "" if not host else f"{host}:{connection.port}" if connection.port else str(host)


def _build(wrapped: Callable[..., Any], _module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """In place of what builds the function that runs a task: of its name and the task."""
    run = wrapped(*args, **kwargs)
    task = args[1] if len(args) > 1 else kwargs["task"]

    @functools.wraps(run)
    def traced(uuid: Any, arguments: Any, named: Any, request: Any = None) -> Any:
        token: Any = None
        handle: Handle = INERT
        with _BEGINNING:
            if _is_seen(request):
                inside = _received(task, str(uuid), request)
                token = attach(inside) if inside is not None else None
                handle = _run_of(task.name).begin(task.name, True)
                _say(handle, request)
        try:
            return run(uuid, arguments, named, request) if handle is INERT else _ran(run, handle, uuid, arguments, named, request)
        finally:
            if token is not None:
                detach(token)

    return traced


def _is_seen(request: Any) -> bool:
    """Whether a run is of a message that came, and not a call in the same process, and anybody wants to see it."""
    eager = not isinstance(request, Mapping) or request.get("is_eager")
    return (
        not eager and not is_off() and not is_suppressed(get_current()) and CeleryInstrumentor().is_instrumented_by_opentelemetry
    )


def _ran(run: Callable[..., Any], handle: Handle, *arguments: Any) -> Any:
    with ending(handle):
        with handle:
            result = run(*arguments)
        with shielded("read a task's result"):
            told = result[1] if isinstance(result, tuple) and len(result) > 1 else None
            if told is not None and getattr(told, "state", None) in {"FAILURE", "RETRY"}:
                error = getattr(told.retval, "exc", None) or told.retval
                handle.fail(type(error).__qualname__)
    return result


def _received(task: Any, uuid: str, request: Mapping[str, Any]) -> Any:
    """The context of the message that a task came with; its span says how long it waited."""
    delivery = request.get("delivery_info") or {}
    size, _space, sent_ns = str(request.get(_SENT) or "").partition(" ")
    message = Message(
        str(delivery.get("routing_key") or delivery.get("exchange") or "celery"),
        int(size) if size.isdecimal() else None,
        [*((name, value) for name, value in request.items() if isinstance(value, str | bytes)), (EVENT_ID, uuid)],
        int(sent_ns) if sent_ns.isdecimal() else None,
    )
    connection = task.app.connection_for_read()
    late = "at_least_once" if getattr(task, "acks_late", False) else "at_most_once"
    said: dict[str, Value] = {_TASK_NAME: task.name, "messaging.message.id": uuid}
    return _queue_of(_driver(connection)).reading([message], Side(_server(connection), late, said=said).attributes())


def _say(handle: Handle, request: Mapping[str, Any]) -> None:
    retries = request.get("retries")
    if isinstance(retries, int) and retries and handle is not INERT:
        handle.set("celery.retries", retries)


class CeleryInstrumentor(Integration):
    """Instruments Celery's clients and workers, and what kombu sends for them."""

    library = "celery"
    wrappers: ClassVar = {
        "kombu.messaging": {"Producer._publish": _publish},
        "celery.app.trace": {"build_tracer": _build},
    }
