"""Batches of model calls: what they used is told once, when somebody fetches their state or their results."""

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import SpanKind
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.handle import Value
from tollbook.integrations.llm_answers import field, of_answer, of_usage, operation_of
from tollbook.shield import shielded
from tollbook.work import Work

_WORK: Final = Work("inference", "batch", {A.TOLLBOOK_INFERENCE_LOCATION: "remote"}, span_kind=SpanKind.CLIENT)
_OVER: Final = frozenset({"completed", "expired", "cancelled"})
"""States of a batch that nothing is added to. What was done until it was cancelled is billed."""
_MOST_TOLD: Final = 100_000

_told: Final[dict[str, None]] = {}
"""Ids of batches and of their answers that this process has told of."""
_READING: Final = shielded("read a batch of model calls")


def look(url: str, server: Mapping[str, Value], answer: Any) -> None:
    """Take from an answer to a GET what it tells of a batch: OpenAI's sum of tokens, or Anthropic's answers as they are read."""
    with _READING:
        if not is_instrumentation_enabled():
            return
        if url.rstrip("/").endswith("/results") and hasattr(answer, "_iterator"):
            answer._iterator = _Results(answer._iterator, server)
        elif field(answer, "object") == "batch" and field(answer, "status") in _OVER:
            _tell(str(field(answer, "id")), {**server, **_of_batch(answer)})


def _of_batch(batch: Any) -> dict[str, Value | None]:
    """OpenAI's batch: a batch of another API version has no usage, and then it is unknown."""
    model = field(batch, "model")
    return {
        A.GEN_AI_OPERATION_NAME: operation_of(str(field(batch, "endpoint"))) or "chat",
        A.GEN_AI_REQUEST_MODEL: model if isinstance(model, str) else None,
        A.GEN_AI_RESPONSE_ID: str(field(batch, "id")),
        A.TOLLBOOK_INFERENCE_BATCH_SIZE: field(field(batch, "request_counts"), "completed"),
        **of_usage(field(batch, "usage")),
    }


class _Results:
    """Anthropic's results of a batch, as they are read: each that succeeded was a call of a model."""

    __slots__ = ("_body", "_server")

    def __init__(self, body: Any, server: Mapping[str, Value]) -> None:
        self._body = body
        self._server = server

    def __iter__(self) -> "_Results":
        return self

    def __aiter__(self) -> "_Results":
        return self

    def __next__(self) -> Any:
        return self._seen(next(self._body))

    async def __anext__(self) -> Any:
        return self._seen(await self._body.__anext__())

    def _seen(self, item: Any) -> Any:
        with _READING:
            message = field(field(item, "result"), "message")
            if message is not None:
                said = of_answer(message)
                said[A.GEN_AI_REQUEST_MODEL] = said.get(A.GEN_AI_RESPONSE_MODEL, "")
                _tell(str(field(message, "id")), {**self._server, A.GEN_AI_OPERATION_NAME: "chat", **said})
        return item


def _tell(identity: str, said: Mapping[str, Value | None]) -> None:
    if identity in _told:
        return
    _told[identity] = None
    if len(_told) > _MOST_TOLD:
        del _told[next(iter(_told))]
    handle = _WORK.begin("batch", False)
    handle.span.set_attributes({key: value for key, value in said.items() if value is not None})
    handle.set("gen_ai.request.batch", True)
    handle.end()
