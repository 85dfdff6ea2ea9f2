"""Models in this process: the spans of loading and dropping one, and which device it is on."""

import weakref
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from opentelemetry.trace import SpanKind
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.handle import Handle, Value
from tollbook.integrations.base import Handover
from tollbook.shield import shielded

_LOADING: Final = Handover(
    "read",
    kind=SpanKind.INTERNAL,
    attributes={
        A.TOLLBOOK_HANDOFF_SOURCE: "file",
        A.TOLLBOOK_HANDOFF_NETWORK: "local_disk",
        A.GEN_AI_OPERATION_NAME: "load_model",
        A.TOLLBOOK_ACCELERATOR_STATE: "loading",
    },
)
_EVICTING: Final = Handover(
    "delete",
    kind=SpanKind.INTERNAL,
    attributes={A.GEN_AI_OPERATION_NAME: "evict_model", A.TOLLBOOK_ACCELERATOR_STATE: "evicting"},
)
WARMING: Final = "warming"
"""State of the first run after loading: it compiles, allocates and fills caches."""


def loading(provider: str, size_bytes: int | None = None) -> Handle:
    """The span of a model being loaded: a read of its file, during which its device is loading. Its name follows.

    It names no asset, for a model is not among the data that an inference uses: its file's age is not its inputs' age.
    """
    handle = _LOADING.begin("load_model", {A.GEN_AI_PROVIDER_NAME: provider})
    if size_bytes is not None:
        handle.bytes(size_bytes).set(A.TOLLBOOK_MODEL_SIZE, size_bytes)
    return handle


def loaded(handle: Handle, model: str, said: Mapping[str, Value | None]) -> None:
    """Say which model it is, once that is known."""
    handle.span.update_name(f"load_model {model}")
    known = {A.GEN_AI_REQUEST_MODEL: model, **said}
    handle.span.set_attributes({key: value for key, value in known.items() if value is not None})


def evicted_with(holder: Any, model: str, said: Mapping[str, Value | None]) -> None:
    """Tell of the model's end when its holder is collected; what lives until the program ends is never evicted."""
    weakref.finalize(holder, _evicted, model, dict(said)).atexit = False


def _evicted(model: str, said: Mapping[str, Value | None]) -> None:
    with shielded("tell of a model's end"):
        _EVICTING.begin(f"evict_model {model}", {A.GEN_AI_REQUEST_MODEL: model, **said}, measures_cpu=False).end()


@cache
def on_device(kind: str | None, index: int = 0) -> Mapping[str, Value]:
    """What a span says of the device that it computes on: the same id as on samples of it; absent where it is not known."""
    if kind == "cpu":
        from tollbook.resource import host_id  # noqa: PLC0415 - imports the SDK

        return {A.HW_TYPE: kind, A.HW_ID: f"{host_id()}/cpu"}
    if kind != "cuda":
        return {A.HW_TYPE: kind} if kind else {}
    from tollbook.accelerators.visible import cuda_device  # noqa: PLC0415 - asks the driver

    found = cuda_device(index)
    if found is None:
        return {A.HW_TYPE: "gpu"}
    said = {
        A.HW_ID: found.id,
        A.HW_TYPE: found.type,
        A.HW_MODEL: found.model,
        A.HW_PARENT: found.parent,
        A.TOLLBOOK_ACCELERATOR_PROFILE: found.profile,
    }
    return {key: value for key, value in said.items() if value}
