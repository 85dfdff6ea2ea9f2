"""The current context of OpenTelemetry's API without its detours: a span is entered and left by four calls of Python's own.

The API keeps its context in a context variable, unless `OTEL_PYTHON_CONTEXT` names another place: then its own functions serve.
"""

from collections.abc import Callable
from contextvars import Token
from typing import Any, Final

from opentelemetry import baggage
from opentelemetry import context as api
from opentelemetry.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext
from opentelemetry.trace import INVALID_SPAN, set_span_in_context

SPAN_KEY: Final = next(iter(set_span_in_context(INVALID_SPAN, Context())))
"""Under which a context holds its span."""
BAGGAGE_KEY: Final = next(iter(baggage.set_baggage("key", "value", Context())))
"""Under which it holds its baggage."""

_runtime: Any = api._RUNTIME_CONTEXT
_variable: Any = _runtime._current_context if type(_runtime) is ContextVarsRuntimeContext else None

get_current: Final[Callable[[], Context]] = api.get_current if _variable is None else _variable.get
"""The current context."""
attach: Final[Callable[[Context], Token[Context]]] = api.attach if _variable is None else _variable.set
"""Makes a context the current one."""
_reset: Final[Callable[[Token[Context]], None]] = api.detach if _variable is None else _variable.reset


def detach(token: Token[Context]) -> None:
    """Goes back to the context before."""
    try:
        _reset(token)
    except (ValueError, RuntimeError):
        api.detach(token)  # says so in the log, as for everybody


def with_values(context: Context, values: dict[str, object]) -> Context:
    """The context with these values."""
    return Context({**context, **values})
