"""Whether a span tells of a call of a model, so that what its client sends over HTTP is not taken for another one."""

from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.contexts import SPAN_KEY

_AGENTS: Final = frozenset({"invoke_agent", "create_agent", "invoke_workflow", "execute_tool"})
"""Operations that have calls inside and are none."""
_NAMES: Final = (A.GEN_AI_REQUEST_MODEL, A.GEN_AI_OPERATION_NAME, "llm.model_name", "llm.request.model")


def is_call(span: Any) -> bool:
    """Whether the span is that of a call of a model, or of a client that asks on behalf of one."""
    if getattr(span, "_tollbook_in_call", False):
        return True
    known = getattr(span, "attributes", None)
    if not known:
        return False
    if known.get(A.TOLLBOOK_KIND) == "inference":
        return True
    return known.get(A.GEN_AI_OPERATION_NAME) not in _AGENTS and any(name in known for name in _NAMES)


def note_inside(span: Any, context: Context) -> None:
    """Note on a client's span of another instrumentation that it begins inside a call."""
    if span.kind is SpanKind.CLIENT and is_call(context.get(SPAN_KEY)):
        span._tollbook_in_call = True
