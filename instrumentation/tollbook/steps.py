"""Generators and coroutines, a step at a time: the span is current, and its CPU clock runs, only inside a step."""

from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from tollbook.handle import Handle

Y = TypeVar("Y")
S = TypeVar("S")
R = TypeVar("R")

OnItem = Callable[[Any], None]


class ending:  # noqa: N801 - reads as a word: `with ending(handle):`
    """End the handle's span with the block, however the block ends."""

    __slots__ = ("_handle", "_here")

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._here = True

    def __enter__(self) -> Self:
        return self

    def elsewhere(self) -> None:
        """Leave the end to somebody else, unless the block fails."""
        self._here = False

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if self._here or error is not None:
            self._handle.end(error)


class failing:  # noqa: N801 - reads as a word: `with failing(exchange.finish):`
    """Tell somebody of the exception that leaves the block; it goes on."""

    __slots__ = ("_told",)

    def __init__(self, told: Callable[[BaseException], object]) -> None:
        self._told = told

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if error is not None:
            self._told(error)


class Steps(Generator[Y, S, R], Generic[Y, S, R]):
    """Runs a generator or a coroutine with the handle's span current during each step."""

    __slots__ = ("_body", "_handle", "_on_item")

    def __init__(self, body: Generator[Y, S, R] | Coroutine[Y, S, R], handle: Handle, on_item: OnItem | None = None) -> None:
        self._body = body
        self._handle = handle
        self._on_item = on_item

    def __await__(self) -> Generator[Y, S, R]:
        return self

    def send(self, value: S) -> Y:
        """Go on to the next item."""
        with self._handle:
            item = self._body.send(value)
        return self._passed(item)

    def __next__(self) -> Y:
        with self._handle:
            item = self._body.send(None)  # type: ignore[arg-type]  # what next() sends
        return self._passed(item)

    def throw(self, *error: Any) -> Y:
        """Raise inside the body."""
        with self._handle:
            item = self._body.throw(*error)
        return self._passed(item)

    def close(self) -> None:
        """End the body where it stands."""
        with self._handle:
            self._body.close()

    def _passed(self, item: Y) -> Y:
        if self._on_item is not None:
            self._on_item(item)
        return item


class Thrown:
    """Holds what the consumer of an async generator threw in, for the body to get it: `yield from` has no async form."""

    error: BaseException | None = None

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        if error is None or isinstance(error, GeneratorExit):
            return False
        self.error = error
        return True
