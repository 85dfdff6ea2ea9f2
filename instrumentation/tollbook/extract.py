"""What a call's arguments and result say of it: sizes, counts, assets, tokens. Pure, and absent where unknown."""

import inspect
import os
from collections.abc import Callable, Mapping, Sized
from typing import Any, Final

from tollbook.inputs import Asset

RESULT: Final = "result"

Of = str | Callable[[Any], Any]
"""Where a value is taken from: `"result"`, the name of an argument, or a function of the result."""


class Picker:
    """Picks the value that an `…_of` argument names out of a call."""

    __slots__ = ("_of", "_signature")

    def __init__(self, of: Of, function: Callable[..., Any]) -> None:
        """Of a function's calls.

        Raises:
            TypeError: if the function has no argument of that name.
        """
        self._of = of
        self._signature = inspect.signature(function) if isinstance(of, str) and of != RESULT else None
        if self._signature is not None and of not in self._signature.parameters:
            raise TypeError(f"{function!r} has no argument {of!r} to take a value from")

    @property
    def needs_result(self) -> bool:
        """Whether the value is known only once the call has returned."""
        return self._signature is None

    def of_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The argument's value, its default included."""
        if self._signature is None:
            return None
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return bound.arguments[str(self._of)]

    def of_result(self, result: Any) -> Any:
        """The result, or what the given function makes of it."""
        return self._of(result) if callable(self._of) else result


def size_bytes(value: Any) -> int | None:
    """Bytes of payload in a value, `None` where it cannot be told.

    Numbers count as a size already known. Text counts in UTF-8, a `Path` as its file, arrays as their buffer,
    lists and mappings as the sum of their values.
    """
    size: Any = None
    match value:
        case bool():
            pass
        case int():
            size = value
        case bytes() | bytearray():
            size = len(value)
        case str():
            size = len(value) if value.isascii() else len(value.encode(errors="surrogatepass"))
        case os.PathLike():
            size = os.stat(value).st_size  # noqa: PTH116 - importing pathlib takes 3 ms
        case Mapping():
            size = _sum(value.values())
        case list() | tuple() | set() | frozenset():
            size = _sum(value)
        case _:
            size = getattr(value, "nbytes", None)  # memoryview, numpy, arrow, torch
    return size if isinstance(size, int) else None


def _sum(values: Any) -> int | None:
    sizes = [None if isinstance(value, int) else size_bytes(value) for value in values]
    return None if not sizes or None in sizes else sum(size for size in sizes if size is not None)


def count_records(value: Any) -> int | None:
    """Records in a value: the number itself, or the length of what is no text."""
    if isinstance(value, bool | str | bytes | bytearray):
        return None
    if isinstance(value, int):
        return value
    return len(value) if isinstance(value, Sized) else None


def as_asset(value: Any) -> Asset | None:
    """The asset that a value names: an `Asset`, an id, or a `Path`, whose file's modification time is its event time."""
    match value:
        case Asset():
            return value
        case str():
            return Asset(value)
        case os.PathLike():
            from pathlib import Path  # noqa: PLC0415

            path = Path(value)
            return Asset(path.absolute().as_uri(), event_time=path.stat().st_mtime_ns)
    return None


_USAGE_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "input_tokens": ("prompt_tokens", "input_tokens"),
    "output_tokens": ("completion_tokens", "output_tokens"),
    "cache_read_tokens": (
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "cache_read_input_tokens",
    ),
    "cache_write_tokens": ("cache_creation_input_tokens",),
    "reasoning_tokens": (
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
    ),
}
_BESIDE_THE_INPUT: Final = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""Anthropic reports cached tokens beside the input tokens; OpenTelemetry counts them among the input tokens."""


def used(response: Any) -> dict[str, Any]:
    """What a provider's answer says of its tokens, as arguments of `Handle.usage`.

    Reads the shapes of OpenAI's chat completions and responses and of Anthropic's messages, objects or parsed JSON.
    """
    usage = _field(response, "usage")
    if usage is None:
        return {}
    said = {name: _first(usage, fields) for name, fields in _USAGE_FIELDS.items()}
    beside = sum(_first(usage, (field,)) or 0 for field in _BESIDE_THE_INPUT)
    if beside and said["input_tokens"] is not None:
        said["input_tokens"] += beside
    named = {"response_model": _field(response, "model"), "response_id": _field(response, "id")}
    texts = {name: text for name, text in named.items() if isinstance(text, str)}
    return {**{name: count for name, count in said.items() if count is not None}, **texts}


def _first(usage: Any, paths: tuple[str, ...]) -> int | None:
    for path in paths:
        value = usage
        for step in path.split("."):
            value = _field(value, step)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
