"""From service to service: trace context, owners and the age of inputs in a message's headers."""

from collections.abc import Iterable, Mapping, MutableMapping
from contextvars import Token
from types import TracebackType
from typing import Any

from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import get_current_span, set_span_in_context

from tollbook import inputs
from tollbook.shield import shielded

Headers = Mapping[str, Any] | Iterable[tuple[Any, Any]]


def inject(headers: MutableMapping[str, str] | None = None) -> MutableMapping[str, str]:
    """Put trace context, owners and the age of the request's inputs into the headers of an outgoing message.

    Everything in the baggage goes to whoever receives it, so call this for your own services only.

    Args:
        headers: changed in place; new ones are made if not given.
    """
    carrier = {} if headers is None else headers
    with shielded("inject headers"):
        from opentelemetry import propagate  # noqa: PLC0415 - 5 ms that a service without calls need not pay

        propagate.inject(carrier, inputs.carrying(get_current()))
    return carrier


class extract:  # noqa: N801 - a verb for the caller: `with tollbook.extract(headers):`
    """Go on, inside the block, with what the caller put into the headers of an incoming message.

    Where a server instrumentation has already taken the trace from the headers, its span stays the parent.

    Args:
        headers: a mapping, an `email.message.Message` or pairs, as HTTP servers and queues have them; any case.
    """

    def __init__(self, headers: Headers) -> None:
        self._headers = headers
        self._tokens: list[Token[Context]] = []

    def __enter__(self) -> None:
        with shielded("extract headers"):
            from opentelemetry import propagate  # noqa: PLC0415

            span = get_current_span()
            context = propagate.extract(_lowered(self._headers), get_current())
            if span.get_span_context().is_valid and not span.get_span_context().is_remote:
                context = set_span_in_context(span, context)
            self._tokens.append(attach(context))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        with shielded("leave extracted headers"):
            if self._tokens:
                detach(self._tokens.pop())


def _lowered(headers: Headers) -> dict[str, str]:
    pairs = headers.items() if hasattr(headers, "items") else headers
    return {_text(name).lower(): _text(value) for name, value in pairs}


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
