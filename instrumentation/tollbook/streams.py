"""Answers that come piece by piece out of an object: an iterator, a client's stream, a context manager that opens one.

The object is handed on inside a transparent proxy; its span is current while it works, and ends when it is read to its end,
closed, or thrown away.
"""

import weakref
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from types import CoroutineType, TracebackType
from typing import Any, Final

from tollbook.answers import used
from tollbook.handle import Handle
from tollbook.shield import shielded
from tollbook.steps import Steps

_OPENERS: Final = ("Stream", "_GeneratorContextManager", "_AsyncGeneratorContextManager")
"""Names, or parts of names, of context managers that open a stream."""
_SNAPSHOTS: Final = ("current_message_snapshot", "current_completion_snapshot")
"""Where a client's stream keeps what it has put together, for those who read its text alone."""


def comes_later(result: Any) -> bool:
    """Whether the answer is read from the result, not in it."""
    kind: Any = type(result)
    return _is_read(kind)


@lru_cache(maxsize=1024)
def _is_read(kind: Any) -> bool:
    if hasattr(kind, "__next__") or hasattr(kind, "__anext__"):
        return True
    opens = hasattr(kind, "__enter__") or hasattr(kind, "__aenter__")
    return opens and any(name in kind.__name__ for name in _OPENERS)


def watched(result: Any, handle: Handle, on_item: Callable[[Any], None]) -> Any:
    """The result inside a proxy that ends the handle; the result itself where that fails."""
    with shielded("watch a stream"):
        return _watching(result, handle, on_item)
    handle.end()
    return result


def _watching(stream: Any, handle: Handle, on_item: Callable[[Any], None], outer: Any = None) -> Any:
    methods = tuple(name for name in _METHODS if hasattr(type(stream), name))
    watching = _proxy(methods)(stream)
    watching._self_handle, watching._self_on_item = handle, on_item
    watching._self_outer, watching._self_inner = outer, None
    watching._self_thrown_away = weakref.finalize(watching, _end_abandoned, handle) if outer is None else None
    if watching._self_thrown_away is not None:
        watching._self_thrown_away.atexit = False
    return watching


@cache
def _proxy(methods: tuple[str, ...]) -> Any:
    """A proxy's class that has those methods and no others, so that nobody takes a stream for what it is not."""
    import wrapt  # noqa: PLC0415 - 20 ms that a program without streams need not pay

    base = getattr(wrapt, "BaseObjectProxy", wrapt.ObjectProxy)
    return type("Watched", (base,), {name: _METHODS[name] for name in methods})


def _end_abandoned(handle: Handle) -> None:
    with shielded("end a stream that was thrown away"):
        handle.end(GeneratorExit())


class _Working:
    """A stream at work: where it ends or fails, so does its span."""

    __slots__ = ("_stream",)

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __enter__(self) -> None:
        """The span becomes the current one by itself."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if error is not None:
            _over(self._stream, error)


def _step(self: Any, work: Callable[[], Any]) -> Any:
    """Let the stream work, with its span the current one."""
    with _Working(self), self._self_handle:
        return work()


async def _later(self: Any, work: Any) -> Any:
    with _Working(self):
        return await Steps(work, self._self_handle) if isinstance(work, CoroutineType) else await work


def _over(self: Any, error: BaseException) -> None:
    """It has ended by itself, or failed."""
    _keep(self)
    self._self_handle.end(None if isinstance(error, StopIteration | StopAsyncIteration) else error)


def _left(self: Any, error: BaseException | None) -> None:
    """It is closed: before its end, unless somebody has read all of it by another way."""
    _keep(self)
    with shielded("look at what a stream has put together"):
        if error is None and (usage := _put_together(self)):
            self._self_handle.usage(**usage).end()
    self._self_handle.end(error if error is not None else GeneratorExit())


def _keep(self: Any) -> None:
    if self._self_thrown_away is not None:
        self._self_thrown_away.detach()


def _put_together(self: Any) -> dict[str, Any]:
    """What a client's stream knows of the whole answer, if it knows why that ended."""
    for place in (self.__wrapped__, self._self_inner):
        for name in _SNAPSHOTS:
            said = used(getattr(place, name, None)) if place is not None else {}
            if said.get("finish_reasons"):
                return said
    return {}


def _opened(self: Any, inner: Any) -> Any:
    """What a stream hands out to be read, watched for the same span."""
    if inner is self.__wrapped__:
        return self
    kind = type(inner)
    self._self_inner = inner
    if kind in _WHOLE or not any(hasattr(kind, name) for name in ("__iter__", "__aiter__")):
        return inner
    return _watching(inner, self._self_handle, self._self_on_item, outer=self)


def _iter(self: Any) -> Any:
    return self if hasattr(self.__wrapped__, "__next__") else _opened(self, iter(self.__wrapped__))


def _aiter(self: Any) -> Any:
    return self if hasattr(self.__wrapped__, "__anext__") else _opened(self, self.__wrapped__.__aiter__())


def _next(self: Any) -> Any:
    item = _step(self, self.__wrapped__.__next__)
    self._self_on_item(item)
    return item


async def _anext(self: Any) -> Any:
    item = await _later(self, self.__wrapped__.__anext__())
    self._self_on_item(item)
    return item


def _enter(self: Any) -> Any:
    return _opened(self, _step(self, self.__wrapped__.__enter__))


async def _aenter(self: Any) -> Any:
    return _opened(self, await _later(self, self.__wrapped__.__aenter__()))


def _exit(self: Any, *error: Any) -> Any:
    try:
        return self.__wrapped__.__exit__(*error)
    finally:
        _left(self, error[1])


async def _aexit(self: Any, *error: Any) -> Any:
    try:
        return await self.__wrapped__.__aexit__(*error)
    finally:
        _left(self, error[1])


def _close(self: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return self.__wrapped__.close(*args, **kwargs)
    finally:
        _left(self, None)


async def _aclose(self: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return await self.__wrapped__.aclose(*args, **kwargs)
    finally:
        _left(self, None)


_METHODS: Final[Mapping[str, Callable[..., Any]]] = {
    "__iter__": _iter,
    "__next__": _next,
    "__aiter__": _aiter,
    "__anext__": _anext,
    "__enter__": _enter,
    "__exit__": _exit,
    "__aenter__": _aenter,
    "__aexit__": _aexit,
    "close": _close,
    "aclose": _aclose,
}
_WHOLE: Final = frozenset((str, bytes, list, tuple, dict, set))
