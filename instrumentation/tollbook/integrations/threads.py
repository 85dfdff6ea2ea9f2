"""Threads go on with trace, owners and inputs of whoever started them, tasks of a pool with those of whoever submitted them."""

from collections.abc import Callable
from contextvars import Token
from types import TracebackType
from typing import Any, ClassVar, Final

from opentelemetry.context import Context, attach, detach, get_current

from tollbook.inputs import read_here, read_there
from tollbook.integrations.base import Integration
from tollbook.shield import shielded

_CROSSING: Final = shielded("carry a context to a thread")


class Border:
    """What a thread knows, to be known on another one while that does something for it."""

    __slots__ = ("_context", "_read", "_token")

    def __init__(self) -> None:
        self._context = get_current()
        self._read = read_here()
        self._token: Token[Context] | None = None

    def __enter__(self) -> None:
        with _CROSSING:
            self._token = attach(self._context)
            read_there(self._read)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        with _CROSSING:
            read_there(None)
            if self._token is not None:
                detach(self._token)


def _started(wrapped: Callable[..., Any], thread: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    with _CROSSING:
        thread._tollbook_border = Border()
    return wrapped(*args, **kwargs)


def _ran(wrapped: Callable[..., Any], thread: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    border = getattr(thread, "_tollbook_border", None)
    if border is None:
        return wrapped(*args, **kwargs)
    del thread._tollbook_border  # a thread that ends soon is kept for long by some
    with border:
        return wrapped(*args, **kwargs)


def _submitted(wrapped: Callable[..., Any], _pool: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if not args:
        return wrapped(*args, **kwargs)
    border = Border()
    function = args[0]

    def work(*given: Any, **named: Any) -> Any:
        with border:
            return function(*given, **named)

    return wrapped(work, *args[1:], **kwargs)


class ThreadsInstrumentor(Integration):
    """Instruments `threading` and thread pools."""

    library = "threading"
    wrappers: ClassVar = {
        "threading": {"Thread.start": _started, "Thread._bootstrap_inner": _ran},
        "concurrent.futures.thread": {"ThreadPoolExecutor.submit": _submitted},
    }
