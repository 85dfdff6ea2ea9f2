"""PyTorch: a span for each call of the outermost module that computes an answer, and for each model that is loaded.

Layers are modules too: the outermost one is the inference, or the pipeline, `generate` or `encode` around it. Training is none,
and neither is what has no parameters, such as a loss.
"""

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary, ref

from tollbook_schema import attributes as A  # noqa: N812

from tollbook.extract import size_bytes
from tollbook.handle import INERT, Handle, Value
from tollbook.integrations.base import Integration
from tollbook.integrations.local_models import WARMING, evicted_with, loaded, loading, on_device
from tollbook.shield import shielded
from tollbook.steps import ending
from tollbook.work import Work

_CALL: Final = Work("inference", "inference", {A.TOLLBOOK_INFERENCE_LOCATION: "in_process"})


class Running:
    """The outermost work of a model on this thread; what it calls is part of it, and adds its tokens."""

    __slots__ = ("handle", "input_tokens", "output_tokens")

    def __init__(self, handle: Handle) -> None:
        self.handle: Final = handle
        self.input_tokens = 0
        self.output_tokens = 0

    def add(self, input_tokens: int, output_tokens: int = 0) -> None:
        """Tokens that were read and made."""
        self.input_tokens += input_tokens
        self.output_tokens += output_tokens
        self.handle.usage(self.input_tokens, self.output_tokens or None)


class _Here(threading.local):
    busy = False
    """Whether a model is at work on this thread."""
    running: Running | None = None
    """Its span, where it has one."""
    loading = False
    """Whether a model is being loaded, of which there may be many files."""


here: Final = _Here()


def working(handle: Handle, wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The result of a model's outermost work, while `here` says so; the span is current, and left to be ended."""
    here.busy, here.running = True, Running(handle)
    try:
        with handle:
            return wrapped(*args, **kwargs)
    finally:
        here.busy, here.running = False, None


class Model:
    """What is said of every call of one module."""

    def __init__(self, module: Any) -> None:
        module = _unwrapped(module)
        config = getattr(module, "config", None)
        name = _text(getattr(config, "_name_or_path", None)) or _text(getattr(module, "model_id", None))
        self.name = os.path.basename(name.rstrip("/")) if name and os.path.isdir(name) else name or type(module).__name__  # noqa: PTH112, PTH119
        self.is_fresh = True
        parameters = list(module.parameters())
        self.first = ref(parameters[0]) if parameters else None
        """Its first parameter, which says where it is: finding it takes 50 µs."""
        self.size_bytes = sum(each.numel() * each.element_size() for each in parameters)
        said = {
            A.TOLLBOOK_MODEL_VERSION: _text(getattr(config, "_commit_hash", None)),
            A.TOLLBOOK_MODEL_SIZE: self.size_bytes,
            A.TOLLBOOK_MODEL_DTYPE: str(parameters[0].dtype).removeprefix("torch.") if parameters else None,
        }
        self.said: dict[str, Value] = {key: value for key, value in said.items() if value is not None}


_models: Final[WeakKeyDictionary[Any, Model]] = WeakKeyDictionary()


def model_of(module: Any) -> Model:
    """What is known of a module; it is looked at once."""
    known = _models.get(module)
    if known is None:
        known = _models[module] = Model(module)
    return known


def device_of(module: Any) -> dict[str, Value]:
    """Where the module's first parameter is. A model that is spread over devices computes on others too."""
    first = model_of(module).first
    parameter = first() if first else None
    if parameter is None:  # a model may get new parameters
        parameter = next(iter(module.parameters()), None)
    if parameter is None:
        return {}
    kind, index = parameter.device.type, parameter.device.index or 0
    return dict(on_device(kind if kind in {"cuda", "cpu"} else "gpu" if kind in {"mps", "xpu"} else kind, index))


def begin(module: Any, operation: str = "inference", provider: str = "pytorch", name: str | None = None) -> Handle:
    """The span of a model's work, not yet current."""
    with shielded("look at a model"):
        model = model_of(module)
        name = name or model.name
        handle = _CALL.begin(f"{operation} {name}", True)
        if handle is not INERT:
            handle.span.set_attributes(
                {
                    A.GEN_AI_OPERATION_NAME: operation,
                    A.GEN_AI_PROVIDER_NAME: provider,
                    A.GEN_AI_REQUEST_MODEL: name,
                    **model.said,
                    **device_of(module),
                }
            )
            if model.is_fresh:
                model.is_fresh = False
                handle.set(A.TOLLBOOK_ACCELERATOR_STATE, WARMING)
        return handle
    return INERT


def tensors(value: Any) -> Iterator[Any]:
    """Tensors in arguments or a result: itself, in lists, in mappings and in models' answers, which are mappings."""
    if hasattr(value, "element_size"):
        yield value
    elif isinstance(value, list | tuple):
        for item in value[:64]:
            yield from tensors(item)
    elif callable(getattr(value, "values", None)):
        for item in list(value.values())[:64]:
            yield from tensors(item)


def tensor_bytes(value: Any) -> int | None:
    """Bytes of all tensors in it; `None` if there are none."""
    sizes = [each.numel() * each.element_size() for each in tensors(value)]
    return sum(sizes) if sizes else None


def batch_size(value: Any) -> int | None:
    """The first dimension of the first tensor that has any."""
    first = next((each for each in tensors(value) if each.dim() > 0), None)
    return None if first is None else int(first.shape[0])


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _unwrapped(module: Any) -> Any:
    """The model inside of what `torch.compile` and parallel training put around it."""
    inside = vars(module).get("_modules", {})
    return inside.get("_orig_mod") or (len(inside) == 1 and inside.get("module")) or module


def _calling(wrapped: Callable[..., Any], torch: ModuleType) -> Callable[..., Any]:
    """`nn.Module.__call__`, of every layer: a plain function, which `torch.compile` traces through and leaves out."""
    is_compiling: Callable[[], bool] = torch.compiler.is_compiling
    is_grad_enabled: Callable[[], bool] = torch.is_grad_enabled

    @functools.wraps(wrapped)
    def __call__(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N807 - it takes the place of one
        if is_compiling() or here.busy:
            return wrapped(self, *args, **kwargs)
        if (self.training and is_grad_enabled()) or "_is_replica" in vars(self) or not _is_model(self):
            return _part(wrapped, self, args, kwargs)
        return _inferred(wrapped, self, args, kwargs)

    return __call__


def _part(wrapped: Callable[..., Any], module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A step of training: what it calls is no inference either."""
    here.busy = True
    try:
        return wrapped(module, *args, **kwargs)
    finally:
        here.busy = False


def _is_model(module: Any) -> bool:
    with shielded("look at a model"):
        return bool(model_of(module).size_bytes)
    return False


def _inferred(wrapped: Callable[..., Any], module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    handle = begin(module)
    if handle is INERT:
        return _part(wrapped, module, args, kwargs)
    with ending(handle):
        result = working(handle, wrapped, (module, *args), kwargs)
        with shielded("size a module's call"):
            given = [*args, *kwargs.values()]
            handle.payload(input_bytes=tensor_bytes(given), output_bytes=tensor_bytes(result), batch_size=batch_size(given))
            _say_clock(handle, result)
    return result


def _say_clock(handle: Handle, result: Any) -> None:
    """Work for a GPU is queued: unless somebody waits for it, the span ends before the work does."""
    first = next(tensors(result), None)
    if first is not None and first.device.type != "cpu":
        handle.set(A.TOLLBOOK_ACCELERATOR_QUEUED, True)


def _loaded(wrapped: Callable[..., Any], _module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`torch.load` and `torch.jit.load`: a model or its parameters come from a file."""
    source = args[0] if args else kwargs.get("f")
    handle: Handle = INERT
    if not here.loading:  # else part of a larger model
        with shielded("begin to load a model"):
            handle = loading("pytorch", size_bytes(Path(source)) if isinstance(source, str | Path) else None)
    if handle is INERT:
        return wrapped(*args, **kwargs)
    with ending(handle):
        with handle:
            result = wrapped(*args, **kwargs)
        with shielded("tell of a model that was loaded"):
            loaded(handle, Path(source).stem if isinstance(source, str | Path) else type(result).__name__, {})
    return result


def load_module(wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], provider: str) -> Any:
    """A whole model that a library loads: one span, however many files it has."""
    if here.loading:
        return wrapped(*args, **kwargs)
    handle: Handle = INERT
    with shielded("begin to load a model"):
        handle = loading(provider, _weights_bytes(args[0] if args else None))
    here.loading = True
    try:
        with ending(handle):
            with handle:
                module = wrapped(*args, **kwargs)
            with shielded("tell of a model that was loaded"):
                tell_loaded(handle, module[0] if isinstance(module, tuple) else module)
        return module
    finally:
        here.loading = False


def tell_loaded(handle: Handle, module: Any, name: str | None = None) -> None:
    """Say which model was loaded, and tell of its end once nobody holds it."""
    model = model_of(module)
    name, said = name or model.name, {**model.said, **device_of(module)}
    loaded(handle, name, said)
    evicted_with(module, name, said)


def _weights_bytes(folder: Any) -> int | None:
    """Of the files of a model that is in a folder; of one by name they are somewhere in a cache."""
    if not isinstance(folder, str | Path) or not Path(folder).is_dir():
        return None
    files = [file for end in ("*.safetensors", "*.bin") for file in Path(folder).glob(end)]
    return sum(file.stat().st_size for file in files) or None


class TorchInstrumentor(Integration):
    """Instruments `torch`."""

    library = "torch"
    wrappers: ClassVar = {"torch": {"load": _loaded}, "torch.jit": {"load": _loaded}}

    def _wrap(self, module: ModuleType) -> None:
        super()._wrap(module)
        if module.__name__ == "torch" and self._wanted and not hasattr(self, "_called"):
            with shielded("instrument torch.nn.Module"):
                kind = module.nn.Module
                self._called = kind.__call__
                kind.__call__ = _calling(self._called, module)

    def _uninstrument(self, **kwargs: Any) -> None:
        super()._uninstrument(**kwargs)
        torch = sys.modules.get("torch")
        if torch is not None and hasattr(self, "_called"):
            torch.nn.Module.__call__ = self._called
            del self._called
