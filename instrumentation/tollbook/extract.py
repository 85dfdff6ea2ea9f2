"""What a call's arguments and result say of it: sizes, counts, assets, tokens. Pure, and absent where unknown."""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Any, Final

from tollbook_schema import attributes as A  # noqa: N812

from tollbook.answers import at, field
from tollbook.inputs import Asset

Value = str | bool | int | float | Sequence[str]

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


_PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    A.GEN_AI_REQUEST_MAX_TOKENS: ("max_tokens", "max_completion_tokens", "max_output_tokens", "num_predict"),
    A.GEN_AI_REQUEST_TEMPERATURE: ("temperature",),
    A.GEN_AI_REQUEST_TOP_P: ("top_p", "p"),
    A.GEN_AI_REQUEST_TOP_K: ("top_k", "k"),
    A.GEN_AI_REQUEST_FREQUENCY_PENALTY: ("frequency_penalty",),
    A.GEN_AI_REQUEST_PRESENCE_PENALTY: ("presence_penalty",),
    A.GEN_AI_REQUEST_SEED: ("seed", "random_seed"),
    A.GEN_AI_REQUEST_CHOICE_COUNT: ("n", "candidate_count"),
    A.GEN_AI_REQUEST_STREAM: ("stream",),
    A.GEN_AI_REQUEST_MODEL: ("model", "model_id"),
    A.GEN_AI_REQUEST_REASONING_LEVEL: ("reasoning_effort", "reasoning.effort", "thinking_level"),
    A.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: ("dimensions", "output_dimensionality"),
}
_TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    A.GEN_AI_REQUEST_STOP_SEQUENCES: ("stop_sequences", "stop"),
    A.GEN_AI_REQUEST_ENCODING_FORMATS: ("encoding_format", "embedding_types"),
}
_AROUND_PARAMETERS: Final = ("inference_config", "generation_config", "config", "options")


def asked(request: Any) -> dict[str, Value]:
    """Parameters of a request to a model, by attribute: of keyword arguments, or of the body that is sent. No content."""
    places = [request, *filter(None, (field(request, name) for name in _AROUND_PARAMETERS))]
    said: dict[str, Value] = {}
    for key, names in _PARAMETERS.items():
        value = next(
            (found for place in places for name in names if isinstance(found := at(place, name), str | int | float)), None
        )
        if value is not None:
            said[key] = value
    for key, names in _TEXTS.items():
        value = next((found for place in places for name in names if (found := at(place, name))), None)
        if isinstance(value, str):
            said[key] = (value,)
        elif isinstance(value, list | tuple) and all(isinstance(text, str) for text in value):
            said[key] = tuple(value)
    return said
