"""From service to service: trace context, owners and the age of inputs in a message's headers, and who may be told of these."""

from collections.abc import Iterable, Mapping, MutableMapping
from contextvars import Token
from types import TracebackType
from typing import Any, Final
from urllib.parse import unquote_plus

from opentelemetry import baggage
from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.propagators.textmap import CarrierT, Getter, Setter, TextMapPropagator, default_getter, default_setter
from opentelemetry.trace import get_current_span, set_span_in_context
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import inputs
from tollbook.contexts import BAGGAGE_KEY, attach, detach, get_current
from tollbook.shield import shielded

Headers = Mapping[str, Any] | Iterable[tuple[Any, Any]]

PRIVATE: Final = frozenset(
    (*A.OWNER_KEYS, A.TOLLBOOK_INPUT_ASSET_IDS, A.TOLLBOOK_INPUT_EVENT_TIME_OLDEST, A.TOLLBOOK_INPUT_EVENT_TIME_NEWEST)
)
"""Entries of the baggage that only our own services may see."""
_TO_OURS: Final = create_key("tollbook-to-ours")
_W3C: Final = frozenset(("traceparent", "baggage"))


def inject(headers: MutableMapping[str, str] | None = None) -> MutableMapping[str, str]:
    """Put trace context, owners and the age of the request's inputs into the headers of an outgoing message.

    Everything in the baggage goes to whoever receives it, so call this for your own services only. The HTTP and gRPC
    integrations do it by themselves for hosts that are declared as ours, and take it out again for all others.

    Args:
        headers: changed in place; new ones are made if not given.
    """
    carrier = {} if headers is None else headers
    with shielded("inject headers"):
        carrier.update(told(ours=True))
    return carrier


def told(*, ours: bool, context: Context | None = None) -> dict[str, str]:
    """Headers for whoever is called: the trace, and for a host of ours everything in the baggage with the ages of inputs."""
    from opentelemetry import propagate  # noqa: PLC0415 - 5 ms that a service without calls need not pay

    context = get_current() if context is None else context
    if ours:
        context = inputs.carrying(context)
    if _is_usual(propagate.get_global_textmap()) and (not ours or BAGGAGE_KEY not in context):
        return _trace_of(context)
    carrier: dict[str, str] = {}
    propagate.inject(carrier, set_value(_TO_OURS, True, context) if ours else baggage.clear(context))
    return carrier


def _trace_of(context: Context) -> dict[str, str]:
    """The trace alone, by W3C's rules: what the propagator for it writes, in a fifth of the time."""
    span = get_current_span(context).get_span_context()
    if not span.is_valid:
        return {}
    said = {"traceparent": f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"}
    if span.trace_state:
        said["tracestate"] = span.trace_state.to_header()
    return said


_usual: tuple[Any, bool] = (None, False)


def _is_usual(propagator: Any) -> bool:
    """Whether messages carry what they do where nobody has said otherwise: W3C's trace context and baggage."""
    global _usual  # noqa: PLW0603
    if _usual[0] is not propagator:
        from opentelemetry.baggage.propagation import W3CBaggagePropagator  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        inner = propagator._inner if type(propagator) is Discreet else propagator
        kinds = {type(part) for part in getattr(inner, "_propagators", ())}
        _usual = (propagator, kinds == {TraceContextTextMapPropagator, W3CBaggagePropagator})
    return _usual[1]


def public(header: str) -> str:
    """A `baggage` header without owners and ages; entries of the user's own stay as they are written."""
    members = header.split(",")
    return ",".join(member for member in members if unquote_plus(member.partition("=")[0].strip()) not in PRIVATE)


def merged(there: str, ours: str) -> str:
    """A `baggage` header that has entries of the user's own beside ours, whose values count where both name one key."""
    known = {member.partition("=")[0].strip() for member in ours.split(",")}
    rest = [member for member in public(there).split(",") if member.strip() and member.partition("=")[0].strip() not in known]
    return ",".join([*rest, ours]) if ours else ",".join(rest)


class Discreet(TextMapPropagator):
    """A propagator that leaves owners and ages out of the baggage, unless the message is known to go to a host of ours.

    An instrumentation that is not ours sends the baggage to every host that is called.
    """

    def __init__(self, inner: TextMapPropagator) -> None:
        self._inner = inner

    def extract(self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter) -> Context:
        """As the propagator itself."""
        return self._inner.extract(carrier, context, getter)

    def inject(self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter) -> None:
        """As the propagator itself, with less."""
        with shielded("keep owners and ages"):
            context = discreet(get_current() if context is None else context)
        self._inner.inject(carrier, context, setter)

    @property
    def fields(self) -> set[str]:
        """As the propagator itself."""
        return self._inner.fields


def discreet(context: Context) -> Context:
    """The context without owners and ages in its baggage, unless it is known to go to a host of ours."""
    entries = baggage.get_all(context)
    if entries and not get_value(_TO_OURS, context):
        for key in PRIVATE & entries.keys():
            context = baggage.remove_baggage(key, context)
    return context


def keep_private() -> None:
    """Make the global propagator a discreet one."""
    from opentelemetry import propagate  # noqa: PLC0415

    known = propagate.get_global_textmap()
    if not isinstance(known, Discreet):
        propagate.set_global_textmap(Discreet(known))


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
            self._tokens.append(attach(received(self._headers)))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        with shielded("leave extracted headers"):
            if self._tokens:
                detach(self._tokens.pop())


def received(headers: Headers) -> Context:
    """The current context with what the caller said; the current span stays the parent, if there is one of this process."""
    from opentelemetry import propagate  # noqa: PLC0415

    context = get_current()
    carried = _lowered(headers)
    if not (_is_usual(propagate.get_global_textmap()) and _W3C.isdisjoint(carried)):
        context = _extracted(carried, context)
    return inputs.arrived(context)


def _extracted(carried: Mapping[str, str], context: Context) -> Context:
    from opentelemetry import propagate  # noqa: PLC0415

    span = get_current_span(context)
    context = propagate.extract(carried, context)
    if span.get_span_context().is_valid and not span.get_span_context().is_remote:
        context = set_span_in_context(span, context)
    return context


def _lowered(headers: Headers) -> dict[str, str]:
    pairs = headers.items() if hasattr(headers, "items") else headers
    return {_text(name).lower(): _text(value) for name, value in pairs}


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
