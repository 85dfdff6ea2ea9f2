"""A piece of work that gets a span: what `request`, `inference` and `handoff` make, decorator and context manager."""

import functools
import inspect
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from types import CoroutineType, TracebackType
from typing import Any, Final, Literal, TypeVar, cast

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, get_current_span
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import cpu, owners, runtime, streams
from tollbook.answers import used
from tollbook.contexts import get_current
from tollbook.extract import Of, Picker, as_asset, asked, count_records, size_bytes
from tollbook.handle import INERT, Handle, Value, current
from tollbook.inputs import begun, opened
from tollbook.runtime import is_off
from tollbook.shield import shielded
from tollbook.steps import Steps, Thrown, ending

F = TypeVar("F", bound=Callable[..., Any])
_STARTING: Final = shielded("start a span")
Kind = Literal["request", "inference", "handoff"]


class Work:
    """Gives a function or a block a span. One object may serve many blocks, also at the same time."""

    def __init__(
        self,
        kind: Kind,
        name: str | None,
        attributes: Mapping[str, Value | None],
        *,
        block_name: str | None = None,
        operation: str | None = None,
        owned_by: Mapping[str, str] | None = None,
        span_kind: SpanKind | None = None,
        takes: Mapping[str, Of | None] | None = None,
        ends: Mapping[str, str | None] | None = None,
    ) -> None:
        self._kind = kind
        self._name = name
        self.name: Final = name or block_name or kind
        """The span's name where no function gives it one."""
        self._operation = operation
        self._owned_by = dict(owned_by or {})
        self._span_kind = span_kind
        self._takes = {what: of for what, of in (takes or {}).items() if of is not None}
        self._ends = {end: place for end, place in (ends or {}).items() if place is not None}
        self._attributes: dict[str, Value] = {A.TOLLBOOK_KIND: kind}
        self._attributes.update({key: value for key, value in attributes.items() if value is not None})
        self._entered: list[Handle] = []

    def __call__(self, function: F, /) -> F:
        """Decorate a function of any kind; its signature, result and exceptions stay."""
        if isinstance(function, staticmethod | classmethod):
            return cast(F, type(function)(self(function.__func__)))
        if inspect.isclass(function) or not callable(function):
            raise TypeError(f"@tollbook.{self._kind} takes a function, not {function!r}")
        takes = Takes(self._takes, function, streams=self._kind == "inference")
        name = self._name or _name_of(function)
        wrap = _wrapping(function)
        wrapper = wrap(function, functools.partial(self.begin, name, True), takes)
        return cast(F, functools.wraps(function)(wrapper))

    def __enter__(self) -> Handle:
        handle = self.begin(self.name, not cpu.inside_event_loop())
        self._entered.append(handle)
        return handle.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        handle = self._left()
        handle.__exit__(kind, error, traceback)
        handle.end(error)

    def _left(self) -> Handle:
        """The handle of the block that ends here: threads and tasks may have entered the same object."""
        handle = current()
        if handle in self._entered:
            self._entered.remove(handle)
            return handle
        return self._entered.pop()

    async def __aenter__(self) -> Handle:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def begin(self, name: str, measures_cpu: bool) -> Handle:
        """Start the span, not yet current."""
        tracer = runtime.tracer()
        if tracer is None:
            return INERT
        with _STARTING:
            context = get_current()
            attributes, context = self._owned(name, context)
            inputs = begun(context) if self._kind == "request" else opened(context)
            if self._kind == "inference":
                attributes.update(inputs.taken())
            span_kind = self._span_kind or _span_kind(self._kind, context)
            span = tracer.start_span(name, context, span_kind, attributes, (), None, False, False)  # no exception's text
            if span.get_span_context().is_valid:
                handle = Handle(span, context, inputs, self._operation, measures_cpu and span.is_recording())
                return handle.between(**self._ends) if self._ends else handle
        return INERT

    def _owned(self, name: str, context: Context) -> tuple[dict[str, Value], Context]:
        """The span's first attributes with its owners, and the context that carries the owners on."""
        carried = owners.carried(context)
        given = self._owned_by
        if self._kind == "request" and A.GEN_AI_WORKFLOW_NAME not in {**carried, **given}:
            given = {**given, A.GEN_AI_WORKFLOW_NAME: name}
        if given:
            context = owners.carrying(given, context)
        return {**self._attributes, **carried, **given}, context


def _span_kind(kind: Kind, context: Context) -> SpanKind:
    entered_from_outside = kind == "request" and get_current_span(context).get_span_context().is_remote
    return SpanKind.SERVER if entered_from_outside else SpanKind.INTERNAL


def _name_of(function: Callable[..., Any]) -> str:
    name: str = getattr(function, "__qualname__", type(function).__qualname__)
    return name.rpartition("<locals>.")[2]


class Takes:
    """What a decorator takes from its function's arguments, result and items."""

    __slots__ = ("_from_call", "_from_result", "streams")

    def __init__(self, takes: Mapping[str, Of], function: Callable[..., Any], streams: bool) -> None:
        pickers = {what: Picker(of, function) for what, of in takes.items()}
        self._from_call = [
            (shielded(f"take {what} from an argument"), _SAY[what], picker)
            for what, picker in pickers.items()
            if not picker.needs_result
        ]
        self._from_result = [
            (shielded(f"take {what} from a result"), _SAY[what], picker)
            for what, picker in pickers.items()
            if picker.needs_result
        ]
        self.streams: Final = streams
        """Whether an answer may come piece by piece."""

    def call(self, handle: Handle, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Say what the arguments tell."""
        for shield, say, picker in self._from_call:
            with shield:
                say(handle, picker.of_call(args, kwargs))

    def result(self, handle: Handle, result: Any) -> None:
        """Say what the result, or an item of it, tells."""
        for shield, say, picker in self._from_result:
            with shield:
                say(handle, picker.of_result(result))

    def items(self, handle: Handle) -> Callable[[Any], None]:
        """A listener to a generator's items, which add up."""
        if self.streams:
            handle.streams()

        def item(value: Any) -> None:
            handle.came()
            self.result(handle, value)

        return item


def _say_bytes(handle: Handle, value: Any) -> None:
    size = size_bytes(value)
    if size is not None:
        handle.bytes(size)


def _say_records(handle: Handle, value: Any) -> None:
    count = count_records(value)
    if count is not None:
        handle.records(count)


def _say_asset(handle: Handle, value: Any) -> None:
    asset = as_asset(value)
    if asset is not None:
        handle.asset(asset)


def _say_usage(handle: Handle, value: Any) -> None:
    usage = used(value)
    if usage:
        handle.usage(**usage)


def _say_wire(handle: Handle, value: Any) -> None:
    size = size_bytes(value)
    if size is not None:
        handle.wire(size)


def _say_schema(handle: Handle, value: Any) -> None:
    if value is not None:
        handle.schema(value)


def _say_content(handle: Handle, value: Any) -> None:
    if isinstance(value, str | bytes | bytearray | memoryview):
        handle.content(value)


def _say_event_id(handle: Handle, value: Any) -> None:
    if isinstance(value, str | int | bytes):
        handle.set(A.TOLLBOOK_EVENT_ID, value.decode(errors="replace") if isinstance(value, bytes) else str(value))


def _say_input(handle: Handle, value: Any) -> None:
    handle.payload(input_bytes=size_bytes(value))


def _say_output(handle: Handle, value: Any) -> None:
    handle.payload(output_bytes=size_bytes(value))


def _say_batch(handle: Handle, value: Any) -> None:
    shape = getattr(value, "shape", None)
    handle.payload(batch_size=shape[0] if shape else 1 if isinstance(value, str | bytes) else count_records(value))


def _say_parameters(handle: Handle, value: Any) -> None:
    for key, said in asked(value).items():
        handle.set(key, said)


_SAY: Final[Mapping[str, Callable[[Handle, Any], None]]] = {
    "bytes": _say_bytes,
    "records": _say_records,
    "asset": _say_asset,
    "usage": _say_usage,
    "wire": _say_wire,
    "schema": _say_schema,
    "content": _say_content,
    "event_id": _say_event_id,
    "input": _say_input,
    "output": _say_output,
    "batch": _say_batch,
    "parameters": _say_parameters,
}

Begin = Callable[[], Handle]
Wrap = Callable[[Callable[..., Any], Begin, Takes], Callable[..., Any]]


def _wrapping(function: Callable[..., Any]) -> Wrap:
    """The wrapper of the function's own kind, so that `inspect` still tells what it is."""
    if inspect.isasyncgenfunction(function):
        return _async_generator
    if inspect.isgeneratorfunction(function):
        return _generator
    return _coroutine if inspect.iscoroutinefunction(function) else _plain


def _plain(function: Callable[..., Any], begin: Begin, takes: Takes) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if is_off():
            return function(*args, **kwargs)
        handle = begin()
        if handle is INERT:
            return function(*args, **kwargs)
        with ending(handle) as end:
            takes.call(handle, args, kwargs)
            with handle:
                result = function(*args, **kwargs)
            if isinstance(result, CoroutineType):  # from a lambda, a partial, another decorator's wrapper
                end.elsewhere()
                return _named_after(result, _awaited(result, handle, takes))
            return _told(result, handle, takes, end)

    return wrapper


async def _awaited(body: Any, handle: Handle, takes: Takes) -> Any:
    with ending(handle) as end:
        return _told(await Steps(body, handle), handle, takes, end)


def _told(result: Any, handle: Handle, takes: Takes, end: ending) -> Any:
    """The result, its usage told; or, where it is a stream, something that tells while it is read."""
    if takes.streams and streams.comes_later(result):
        end.elsewhere()
        return streams.watched(result, handle, takes.items(handle))
    takes.result(handle, result)
    return result


def _named_after(body: Any, ours: Any) -> Any:
    """So that a warning about a coroutine that nobody awaits names the application's."""
    ours.__name__, ours.__qualname__ = body.__name__, body.__qualname__
    return ours


def _coroutine(function: Callable[..., Any], begin: Begin, takes: Takes) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        handle = begin()
        if handle is INERT:
            return await function(*args, **kwargs)
        with ending(handle) as end:
            takes.call(handle, args, kwargs)
            return _told(await Steps(function(*args, **kwargs), handle), handle, takes, end)

    return wrapper


def _generator(function: Callable[..., Any], begin: Begin, takes: Takes) -> Callable[..., Any]:
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        handle = begin()
        if handle is INERT:
            return (yield from function(*args, **kwargs))
        with ending(handle):
            takes.call(handle, args, kwargs)
            return (yield from Steps(function(*args, **kwargs), handle, takes.items(handle)))

    return wrapper


def _async_generator(function: Callable[..., Any], begin: Begin, takes: Takes) -> Callable[..., Any]:
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        handle = begin()
        with ending(handle):
            takes.call(handle, args, kwargs)
            body = function(*args, **kwargs)
            say = takes.items(handle)
            advance = body.asend(None)
            while True:
                try:
                    item = await Steps(advance, handle)
                except StopAsyncIteration:
                    return
                say(item)
                thrown = Thrown()
                try:
                    with thrown:
                        sent = yield item
                except GeneratorExit:
                    await Steps(body.aclose(), handle)
                    raise
                advance = body.asend(sent) if thrown.error is None else body.athrow(thrown.error)

    return wrapper
