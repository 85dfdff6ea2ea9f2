"""transformers: pipelines and `generate` are inferences with their tokens, whatever they call; `from_pretrained` is a load."""

import time
from collections.abc import Callable
from types import GeneratorType
from typing import Any, ClassVar

import wrapt
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.handle import INERT
from tollbook.integrations.base import Integration
from tollbook.integrations.torch import begin, here, load_module, working
from tollbook.shield import shielded
from tollbook.steps import ending

_PROVIDER = "transformers"


def _piped(wrapped: Callable[..., Any], pipeline: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`Pipeline.__call__`. What it makes of a generator or a dataset is made later: there, each batch is a call of its own."""
    given = args[0] if args else kwargs.get("inputs")
    lazy = isinstance(given, GeneratorType) or any(kind.__name__ == "Dataset" for kind in type(given).__mro__)
    handle = INERT if here.busy or lazy else begin(pipeline.model, _operation(pipeline), _PROVIDER)
    if handle is INERT:
        return wrapped(*args, **kwargs)
    with ending(handle):
        result = working(handle, wrapped, args, kwargs)
        with shielded("size a pipeline's call"):
            handle.payload(batch_size=len(given) if isinstance(given, list | tuple) else 1)
    return result


def _operation(pipeline: Any) -> str:
    task = str(getattr(pipeline, "task", None) or "inference")
    return {"text-generation": "text_completion", "feature-extraction": "embeddings"}.get(task, task)


def _generated(wrapped: Callable[..., Any], model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`generate`: on its own an inference, inside of a pipeline the one that knows the tokens."""
    if here.busy:
        result = wrapped(*args, **kwargs)
        _say_tokens(model, args, kwargs, result)
        return result
    handle = begin(model, "text_completion", _PROVIDER)
    if handle is INERT:
        return wrapped(*args, **kwargs)
    with ending(handle):
        streamer = kwargs.get("streamer")
        if streamer is not None:
            handle.set(A.GEN_AI_REQUEST_STREAM, True)
            kwargs = {**kwargs, "streamer": _Streamer(streamer, handle)}

        def generated(*args: Any, **kwargs: Any) -> Any:
            result = wrapped(*args, **kwargs)
            _say_tokens(model, args, kwargs, result)
            return result

        return working(handle, generated, args, kwargs)


class _Streamer(wrapt.ObjectProxy):  # type: ignore[type-arg]
    """The caller's streamer, which is given the prompt first and then token by token."""

    def __init__(self, streamer: Any, handle: Any) -> None:
        super().__init__(streamer)
        self._self_handle = handle
        self._self_began_ns = time.perf_counter_ns()
        self._self_puts = 0

    def put(self, value: Any) -> Any:
        self._self_puts += 1
        if self._self_puts == 2:
            took_s = (time.perf_counter_ns() - self._self_began_ns) / 1e9
            self._self_handle.set(A.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, took_s)
        return self.__wrapped__.put(value)


def _say_tokens(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
    running = here.running
    if running is None:
        return
    with shielded("count tokens"):
        given = next((value for value in (*args[:1], kwargs.get("inputs"), kwargs.get("input_ids")) if value is not None), None)
        if given is None or given.dim() != 2 or given.is_floating_point():
            given = None
        made = getattr(result, "sequences", result)
        running.handle.payload(batch_size=None if given is None else int(given.shape[0]))
        running.add(_given_tokens(given, kwargs.get("attention_mask")), _made_tokens(model, made, given))


def _given_tokens(given: Any, mask: Any) -> int:
    """Padding is masked, and no token."""
    if given is None:
        return 0
    return int(mask.sum()) if mask is not None and mask.shape == given.shape else int(given.numel())


def _made_tokens(model: Any, made: Any, given: Any) -> int:
    """New tokens of each sequence, up to its end; what follows is padding. A decoder alone repeats what it was given."""
    repeats = not getattr(model.config, "is_encoder_decoder", False) and given is not None
    new = made[:, given.shape[1] if repeats else 1 :]
    ends = getattr(model.generation_config, "eos_token_id", None)
    if ends is None or not new.numel():
        return int(new.numel())
    is_end = sum((new == end for end in (ends if isinstance(ends, list | tuple) else [ends])), start=new != new) > 0  # noqa: PLR0124
    before = is_end.int().cumsum(-1) - is_end.int() == 0  # up to the first end, which is one itself
    return int(before.sum())


def _from_pretrained(wrapped: Callable[..., Any], _kind: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return load_module(wrapped, args, kwargs, _PROVIDER)


class TransformersInstrumentor(Integration):
    """Instruments `transformers`."""

    library = "transformers"
    wrappers: ClassVar = {
        "transformers.pipelines.base": {"Pipeline.__call__": _piped},
        "transformers.generation.utils": {"GenerationMixin.generate": _generated},
        "transformers.modeling_utils": {"PreTrainedModel.from_pretrained": _from_pretrained},
    }
