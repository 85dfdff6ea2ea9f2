"""sentence-transformers: `encode` is an inference with its tokens, and so is what a cross-encoder ranks."""

from collections.abc import Callable
from typing import Any, ClassVar

from tollbook.extract import count_records
from tollbook.handle import INERT
from tollbook.integrations.base import Integration, Wrapper
from tollbook.integrations.local_models import loading
from tollbook.integrations.torch import begin, here, tell_loaded, tensor_bytes, working
from tollbook.shield import shielded
from tollbook.steps import ending

_PROVIDER = "sentence-transformers"


def _computing(operation: str) -> Wrapper:
    def wrapper(wrapped: Callable[..., Any], model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        handle = INERT if here.busy else begin(model, operation, _PROVIDER, _name_of(model))
        if handle is INERT:
            return wrapped(*args, **kwargs)
        with ending(handle):
            result = working(handle, wrapped, args, kwargs)
            with shielded("size an encoding"):
                given = args[0] if args else next((kwargs[name] for name in ("inputs", "sentences") if name in kwargs), None)
                handle.payload(batch_size=1 if isinstance(given, str | dict) else count_records(given))
                handle.payload(output_bytes=getattr(result, "nbytes", None) or tensor_bytes(result))
        return result

    return wrapper


def _name_of(model: Any) -> str | None:
    with shielded("name a model"):
        card = getattr(model, "model_card_data", None)
        name = getattr(card, "model_id", None) or getattr(card, "base_model", None)
        return str(name) if name else None
    return None


def _tokenized(wrapped: Callable[..., Any], _model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The tokens of one batch, still on the CPU: padding is masked, and no token."""
    features = wrapped(*args, **kwargs)
    running = here.running
    if running is not None:
        with shielded("count tokens"):
            mask = features.get("attention_mask")
            if mask is not None and mask.device.type == "cpu":
                running.add(int(mask.sum()))
    return features


def _made(wrapped: Callable[..., Any], model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`SentenceTransformer(…)`: whatever modules it has are loaded."""
    handle = INERT if here.loading else loading(_PROVIDER)
    if handle is INERT:
        return wrapped(*args, **kwargs)
    here.loading = True
    try:
        with ending(handle):
            with handle:
                result = wrapped(*args, **kwargs)
            with shielded("tell of a model that was loaded"):
                tell_loaded(handle, model, _name_of(model))
        return result
    finally:
        here.loading = False


_ENCODERS = {"__init__": _made, "encode": _computing("embeddings")}
_RANKERS = {"__init__": _made, "predict": _computing("rerank")}


def _of(kind: str, wrappers: dict[str, Wrapper]) -> dict[str, Wrapper]:
    return {f"{kind}.{name}": wrapper for name, wrapper in wrappers.items()}


class SentenceTransformersInstrumentor(Integration):
    """Instruments `sentence_transformers`, from version 6 on and before."""

    library = "sentence_transformers"
    wrappers: ClassVar = {
        "sentence_transformers.sentence_transformer.model": _of("SentenceTransformer", _ENCODERS),
        "sentence_transformers.sparse_encoder.model": _of("SparseEncoder", _ENCODERS),
        "sentence_transformers.cross_encoder.model": _of("CrossEncoder", _RANKERS),
        "sentence_transformers.base.model": {"BaseModel.preprocess": _tokenized},
        "sentence_transformers.SentenceTransformer": _of("SentenceTransformer", {**_ENCODERS, "tokenize": _tokenized}),
        "sentence_transformers.cross_encoder.CrossEncoder": _of("CrossEncoder", _RANKERS),
    }
