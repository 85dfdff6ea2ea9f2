"""onnxruntime: a span for each run of an `InferenceSession`, for its loading and its end, whoever wrote the program."""

import hashlib
import marshal
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import copy_context
from pathlib import Path
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

from tollbook_schema import attributes as A  # noqa: N812

from tollbook import digest
from tollbook.cpu import Newborn, ThreadPool
from tollbook.extract import size_bytes
from tollbook.handle import INERT, Handle, Value
from tollbook.integrations.base import Integration
from tollbook.integrations.local_models import WARMING, evicted_with, loaded, loading, on_device
from tollbook.shield import shielded
from tollbook.steps import ending
from tollbook.work import Work

_GENERIC: Final = frozenset({"model", "models", "onnx", "network", "net", "model_quantized", "model_fp16", ""})
"""File and folder names that say nothing: the folder above is asked instead."""
_DEVICES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("CUDA", "Tensorrt", "NvTensorRTRTX", "ROCM", "MIGraphX"), "cuda"),
    **dict.fromkeys(("Dml", "WebGpu", "WebGPU"), "gpu"),
    **dict.fromkeys(("CPU", "Dnnl", "Xnnpack"), "cpu"),
}
"""What execution providers compute on; `cuda` where they number the devices as CUDA does. Unknown for others."""
_ITEMSIZES: Final[Mapping[str, int]] = {
    **dict.fromkeys(("tensor(double)", "tensor(int64)", "tensor(uint64)"), 8),
    **dict.fromkeys(("tensor(float)", "tensor(int32)", "tensor(uint32)"), 4),
    **dict.fromkeys(("tensor(float16)", "tensor(bfloat16)", "tensor(int16)", "tensor(uint16)"), 2),
    **dict.fromkeys(("tensor(int8)", "tensor(uint8)", "tensor(bool)"), 1),
}
_UNVERSIONED: Final = frozenset({0, 2**63 - 1})
_HASHED_AT_ONCE_BYTES: Final = 16 * 1024 * 1024
"""A larger model file is hashed in the background: this much takes about 20 ms, beside the loading of the model."""


class _Model:
    """What is said of every run of one session."""

    def __init__(self, session: Any, threads: Iterable[int], is_fresh: bool = False) -> None:
        path = getattr(session, "_model_path", None)
        self.is_fresh = is_fresh
        self._devices: dict[tuple[str, ...], Mapping[str, Value]] = {}
        self.pool = ThreadPool(threads)
        self.digest: str | None = None
        self._hash(Path(path) if path else getattr(session, "_model_bytes", None))
        self.itemsizes = {node.name: _ITEMSIZES.get(node.type) for node in session.get_inputs()}
        meta = session.get_modelmeta()
        self.name = _name_of(Path(path)) if path else _name_inside(meta, self.digest)
        self.version = None if meta.version in _UNVERSIONED else str(meta.version)
        self.work = Work(
            "inference",
            f"inference {self.name}",
            {
                A.GEN_AI_OPERATION_NAME: "inference",
                A.GEN_AI_PROVIDER_NAME: "onnxruntime",
                A.GEN_AI_REQUEST_MODEL: self.name,
                A.TOLLBOOK_MODEL_VERSION: self.version,
                A.TOLLBOOK_INFERENCE_LOCATION: "in_process",
            },
        )

    def begin(self, session: Any, measures_cpu: bool = True) -> Handle:
        """Start the span of a run."""
        handle = self.work.begin(self.work.name, measures_cpu)
        with shielded("describe an onnxruntime session"):
            if self.digest:
                handle.set(A.TOLLBOOK_MODEL_DIGEST, self.digest)
            handle.span.set_attributes(self.device(session))
            if self.is_fresh:
                self.is_fresh = False
                handle.set(A.TOLLBOOK_ACCELERATOR_STATE, WARMING)
        return handle

    def device(self, session: Any) -> Mapping[str, Value]:
        """What the session computes on; it may be told to change."""
        providers = tuple(session.get_providers())
        if providers not in self._devices:
            self._devices[providers] = _hardware(providers, session)
        return self._devices[providers]

    def said(self, session: Any) -> dict[str, Value | None]:
        """What its loading and its end say of it."""
        return {
            A.TOLLBOOK_MODEL_VERSION: self.version,
            A.TOLLBOOK_MODEL_DIGEST: self.digest,
            **self.device(session),
        }

    def _hash(self, model: Path | bytes | None) -> None:
        if model is None:
            return
        size = len(model) if isinstance(model, bytes) else model.stat().st_size
        if size <= _HASHED_AT_ONCE_BYTES:
            self._set_digest(model)
        else:
            threading.Thread(target=self._set_digest, args=[model], daemon=True, name="tollbook-model-digest").start()

    def _set_digest(self, model: Path | bytes) -> None:
        with shielded("hash a model"):
            self.digest = _sha256(model)[:16]


_models: WeakKeyDictionary[Any, _Model] = WeakKeyDictionary()
_digests: dict[tuple[str, int, int], str] = {}


def _sha256(model: Path | bytes) -> str:
    """Digest of a model; a file is read again only if it has changed."""
    if isinstance(model, bytes):
        return hashlib.sha256(model).hexdigest()
    state = model.stat()
    known = (str(model), state.st_size, state.st_mtime_ns)
    if known not in _digests:
        with model.open("rb") as file:
            _digests[known] = hashlib.file_digest(file, "sha256").hexdigest()
    return _digests[known]


def _name_of(path: Path) -> str:
    """The first telling name on the way up: `clip.onnx` is `clip`, `bert/onnx/model.onnx` is `bert`."""
    names = (path.stem, *(folder.name for folder in path.absolute().parents))
    return next((name for name in names if name.lower() not in _GENERIC), path.stem)


def _name_inside(meta: Any, sha256: str | None) -> str:
    """For a model given as bytes: its graph's name, unless that is only the converter's."""
    if meta.graph_name and meta.graph_name != meta.producer_name:
        return str(meta.graph_name)
    return f"onnx-{sha256}" if sha256 else str(meta.producer_name or "onnx")


def _hardware(providers: Sequence[str], session: Any) -> Mapping[str, Value]:
    """The device that the session runs on, by its first provider."""
    first = next(iter(providers), "")
    options = session.get_provider_options().get(first, {})
    return on_device(_DEVICES.get(first.removesuffix("ExecutionProvider")), int(options.get("device_id") or 0))


def _model_of(session: Any) -> _Model | None:
    with shielded("look at an onnxruntime session"):
        model = _models.get(session)
        if model is None:
            model = _models[session] = _Model(session, ())
        return model
    return None


def _say_input(handle: Handle, model: _Model, feed: Mapping[str, Any]) -> None:
    with shielded("size a model's input"):
        if not handle.span.is_recording():
            return
        shapes = {name: _shape(value) for name, value in feed.items()}
        size = _total(_tensor_bytes(value, shapes[name], model.itemsizes.get(name)) for name, value in feed.items())
        first = next(iter(shapes.values()), ())
        handle.payload(input_bytes=size, batch_size=first[0] if first else None)
        if size is not None and size <= digest.MAX_BYTES:
            handle.set(A.TOLLBOOK_INFERENCE_INPUT_DIGEST, digest.digest(_parts(feed)))


def _say_output(handle: Handle, outputs: Iterable[Any]) -> None:
    with shielded("size a model's output"):
        handle.payload(output_bytes=_total(_tensor_bytes(value, (), None) for value in outputs))


def _total(sizes: Iterable[int | None]) -> int | None:
    """The sum; unknown if one of them is."""
    known = list(sizes)
    return None if None in known else sum(size for size in known if size is not None)


def _shape(value: Any) -> tuple[int, ...]:
    """Of an array, of an OrtValue, or of the nested lists that onnxruntime takes as well."""
    shape = getattr(value, "shape", None)
    if shape is not None:
        return tuple(shape() if callable(shape) else shape)
    found: list[int] = []
    while isinstance(value, list | tuple):
        found.append(len(value))
        value = value[0] if value else None
    return tuple(found)


def _tensor_bytes(value: Any, shape: tuple[int, ...], itemsize: int | None) -> int | None:
    if _is_ort_value(value):
        itemsize = _ITEMSIZES.get(value.data_type())
        return math.prod(value.shape()) * itemsize if itemsize else None
    if isinstance(value, list | tuple):
        return math.prod(shape) * itemsize if itemsize else None
    if getattr(getattr(value, "dtype", None), "kind", None) == "O":  # strings; nbytes would count pointers
        return size_bytes(value.ravel().tolist())
    return size_bytes(value)


def _is_ort_value(value: Any) -> bool:
    """Whether it is onnxruntime's own tensor, possibly on a device."""
    return hasattr(value, "data_type") and hasattr(value, "data_ptr")


def _parts(feed: Mapping[str, Any]) -> Iterator[Any]:
    """What a digest of the feed is made of: names, types, shapes and values."""
    for name in sorted(feed):
        value = feed[name]
        value = value.numpy() if _is_ort_value(value) else value
        yield name
        if isinstance(value, list | tuple):
            yield marshal.dumps(value, 2)  # version 2 depends on values only, later ones also on identity
        elif value.dtype.kind == "O":
            yield marshal.dumps((value.shape, value.tolist()), 2)
        else:
            yield f"{value.dtype}{value.shape}"
            yield value.tobytes()


def _created(wrapped: Callable[..., Any], session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`InferenceSession(…)`: the model is loaded. Find the threads that the session starts, they do most of its work."""
    handle = _loading(_argument(args, kwargs, 0, "path_or_bytes"))
    with ending(handle):
        with handle, Newborn() as threads:
            result = wrapped(*args, **kwargs)
        with shielded("look at an onnxruntime session"):
            model = _models[session] = _Model(session, threads.thread_ids, is_fresh=True)
            said = model.said(session)
            engine = {
                A.TOLLBOOK_INFERENCE_EXECUTION_PROVIDERS: session.get_providers(),
                A.TOLLBOOK_INFERENCE_THREADS: session.get_session_options().intra_op_num_threads or None,
            }
            loaded(handle, model.name, {**said, **engine})
            evicted_with(session, model.name, said)
    return result


def _loading(model: Any) -> Handle:
    with shielded("begin to load an onnxruntime session"):
        return loading("onnxruntime", size_bytes(Path(model) if isinstance(model, str) else model))
    return INERT


def _run(wrapped: Callable[..., Any], session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`run` and `run_with_ort_values`."""

    def say(handle: Handle, model: _Model, outputs: Any) -> None:
        _say_input(handle, model, _argument(args, kwargs, 1, "input_feed", "input_dict_ort_values") or {})
        _say_output(handle, outputs)

    return _told(lambda: wrapped(*args, **kwargs), session, say)


def _run_bound(wrapped: Callable[..., Any], session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`run_with_iobinding`: its inputs are what was bound before."""

    def say(handle: Handle, _model: _Model, _nothing: Any) -> None:
        with shielded("size a model's input and output"):
            binding = _argument(args, kwargs, 0, "iobinding")
            bound = _bound.get(binding, {})
            first = next(iter(bound.values()), ((), None))[0]
            handle.payload(input_bytes=_total(size for _, size in bound.values()) if bound else None)
            handle.payload(batch_size=first[0] if first else None)
            _say_output(handle, binding.get_outputs())

    return _told(lambda: wrapped(*args, **kwargs), session, say)


def _told(run: Callable[[], Any], session: Any, say: "Callable[[Handle, _Model, Any], None]") -> Any:
    """Runs a session's model inside of a span, which `say` then tells of what went in and came out."""
    model = _model_of(session)
    handle = model.begin(session) if model else INERT
    if model is None or handle is INERT:
        return run()
    with ending(handle):
        with handle, model.pool:
            result = run()
        say(handle, model, result)
    return result


_bound: WeakKeyDictionary[Any, dict[str, tuple[tuple[int, ...], int | None]]] = WeakKeyDictionary()
"""By binding and name: shape and bytes of what was bound as input."""


def _bind_value(wrapped: Callable[..., Any], binding: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`bind_cpu_input` and `bind_ortvalue_input`."""
    result = wrapped(*args, **kwargs)
    with shielded("size what is bound"):
        name, value = _argument(args, kwargs, 0, "name"), _argument(args, kwargs, 1, "arr_on_cpu", "ortvalue")
        shape = _shape(value)
        _bound.setdefault(binding, {})[name] = shape, _tensor_bytes(value, shape, None)
    return result


def _bind_memory(wrapped: Callable[..., Any], binding: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`bind_input`: memory of a type and a shape."""
    result = wrapped(*args, **kwargs)
    with shielded("size what is bound"):
        element, shape = _argument(args, kwargs, 3, "element_type"), tuple(_argument(args, kwargs, 4, "shape"))
        size = _element_bytes(element)
        bound = shape, math.prod(shape) * size if size else None
        _bound.setdefault(binding, {})[_argument(args, kwargs, 0, "name")] = bound
    return result


def _element_bytes(element: Any) -> int | None:
    """Of a numpy type; types that are told as onnx's numbers are not known here."""
    if isinstance(element, int):
        return None
    import numpy as np  # noqa: PLC0415 - onnxruntime has imported it

    return int(np.dtype(element).itemsize)


def _unbind(wrapped: Callable[..., Any], binding: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`clear_binding_inputs`."""
    result = wrapped(*args, **kwargs)
    with shielded("forget what was bound"):
        _bound.pop(binding, None)
    return result


def _run_async(wrapped: Callable[..., Any], session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`run_async`: the span ends when the result is called back, on a thread of onnxruntime's."""
    model = _model_of(session)
    handle = model.begin(session, measures_cpu=False) if model else INERT
    callback = _argument(args, kwargs, 2, "callback")
    if model is None or handle is INERT or callback is None:
        return wrapped(*args, **kwargs)
    _say_input(handle, model, _argument(args, kwargs, 1, "input_feed") or {})
    context = copy_context()

    def answered(results: Any, user_data: Any, error: str) -> None:
        if error:
            handle.fail("onnxruntime")
        else:
            _say_output(handle, results)
        handle.end()
        context.run(callback, results, user_data, error)

    if "callback" in kwargs:
        kwargs = {**kwargs, "callback": answered}
    else:
        args = (*args[:2], answered, *args[3:])
    with ending(handle) as end:
        end.elsewhere()
        return wrapped(*args, **kwargs)


def _argument(args: tuple[Any, ...], kwargs: Mapping[str, Any], place: int, *names: str) -> Any:
    if len(args) > place:
        return args[place]
    return next((kwargs[name] for name in names if name in kwargs), None)


class OnnxRuntimeInstrumentor(Integration):
    """Instruments onnxruntime, in whichever of its distributions."""

    library = "onnxruntime"
    wrappers: ClassVar = {
        "onnxruntime.capi.onnxruntime_inference_collection": {
            "InferenceSession.__init__": _created,
            "Session.run": _run,
            "Session.run_with_ort_values": _run,
            "Session.run_with_iobinding": _run_bound,
            "Session.run_async": _run_async,
            "IOBinding.bind_cpu_input": _bind_value,
            "IOBinding.bind_ortvalue_input": _bind_value,
            "IOBinding.bind_input": _bind_memory,
            "IOBinding.clear_binding_inputs": _unbind,
        }
    }
