"""What a request has read, and how old it is: remembered from handoff to inference, also across services.

Whoever reads finds the inputs of its request on the nearest handle or on the nearest span of another instrumentation. Outside
of any request the context itself has them: there each inference takes what was read since the one before.
"""

import os
import threading
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from opentelemetry import baggage
from opentelemetry.context import Context, create_key, get_value, set_value
from opentelemetry.trace import SpanKind, get_current_span
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.calls import note_inside
from tollbook.contexts import BAGGAGE_KEY, get_current

MAX_ASSETS: Final = 128
"""Assets whose ids are kept for one request. Ages of further ones still count."""

MAX_BAGGAGE_BYTES: Final = 2048
"""Of the ids sent along to other services. W3C baggage holds 8192 bytes in all, others need some."""

HANDLE_KEY: Final = create_key("tollbook-handle")
"""Where the context holds the nearest handle, which knows its request's inputs."""
INPUTS_KEY: Final = create_key("tollbook-inputs")
"""Where the context holds inputs that came with a message, until somebody begins a request."""
_ON_SPAN: Final = "_tollbook_inputs"
"""Name under which a span of another instrumentation keeps the inputs of its request."""
_CARRIED: Final = (A.TOLLBOOK_INPUT_ASSET_IDS, A.TOLLBOOK_INPUT_EVENT_TIME_OLDEST, A.TOLLBOOK_INPUT_EVENT_TIME_NEWEST)
_EARLIEST_NS: Final = 10**14
"""A whole number below this is not taken for nanoseconds: it would be 1970-01-02, so somebody meant seconds."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Instant = datetime | str | float | int
"""A moment: a `datetime` or its ISO 8601 text (naive means local time), or, since 1970 UTC, a float of seconds or an
int of nanoseconds."""


def nanoseconds(moment: Instant | None) -> int | None:
    """The moment in ns since 1970-01-01 UTC.

    Raises:
        ValueError: if a text is no moment, or a whole number is so small that it can only be seconds.
    """
    if moment is None:
        return None
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime):
        return (moment.astimezone(UTC) - _EPOCH) // _MICROSECOND * 1000  # exact, a float of seconds is not
    if isinstance(moment, float):
        return round(moment * 10**9)
    if 0 < moment < _EARLIEST_NS:
        raise ValueError(f"{moment} as nanoseconds is in 1970: give seconds as a float, or nanoseconds")
    return int(moment)


@dataclass(frozen=True, slots=True)
class Asset:
    """A piece of data that is read, written or moved: a table, an object, a document."""

    id: str
    """Identity, such as `s3://corpus/2026/a.parquet`."""
    version: str | None = None
    """Version, if it has any."""
    event_time: Instant | None = None
    """When the content came to be; not when it was copied."""
    synced_at: Instant | None = None
    """When the copy that is read was made."""

    def attributes(self) -> dict[str, str | int]:
        """What a span says of the asset."""
        said = {
            A.TOLLBOOK_ASSET_ID: self.id,
            A.TOLLBOOK_ASSET_VERSION: self.version,
            A.TOLLBOOK_ASSET_EVENT_TIME: nanoseconds(self.event_time),
            A.TOLLBOOK_ASSET_SYNCED_AT: nanoseconds(self.synced_at),
        }
        return {key: value for key, value in said.items() if value is not None}


_adding = threading.RLock()  # what is thrown away, such as an open file, may end its span inside of it


def _renew() -> None:
    global _adding  # noqa: PLW0603
    _adding = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


class Inputs:
    """The assets a request has read so far. One object for the request, shared by its threads and tasks."""

    # Made for each request, and empty for most: so it holds nothing until something was read.
    _ids: dict[str, None] | None = None
    _oldest_ns: int | None = None
    _newest_ns: int | None = None

    def add(self, asset: Asset) -> None:
        """Remember an asset that was read."""
        event_time_ns = nanoseconds(asset.event_time)
        self._add([asset.id], () if event_time_ns is None else (event_time_ns,))

    def attributes(self) -> dict[str, int | tuple[str, ...]]:
        """What was read so far, as an inference says it; empty if nothing was."""
        if self._ids is None:
            return {}
        with _adding:
            return _said(tuple(self._ids), self._oldest_ns, self._newest_ns)

    def taken(self) -> dict[str, int | tuple[str, ...]]:
        """What an inference that starts now says of its inputs."""
        return self.attributes()

    def _add(self, ids: Iterable[str], event_times_ns: Iterable[int]) -> None:
        with _adding:
            known = {} if self._ids is None else self._ids
            for asset_id in ids:
                if len(known) < MAX_ASSETS:
                    known[asset_id] = None
            self._ids = known
            for moment in event_times_ns:
                self._oldest_ns = moment if self._oldest_ns is None else min(self._oldest_ns, moment)
                self._newest_ns = moment if self._newest_ns is None else max(self._newest_ns, moment)


def _said(ids: tuple[str, ...], oldest_ns: int | None, newest_ns: int | None) -> dict[str, int | tuple[str, ...]]:
    said = zip(_CARRIED, (ids or None, oldest_ns, newest_ns), strict=True)
    return {key: value for key, value in said if value is not None}


@dataclass(frozen=True, slots=True)
class _Read:
    """What a context has read outside of any request since its last inference. Never changed, so that tasks can share it."""

    ids: tuple[str, ...] = ()
    oldest_ns: int | None = None
    newest_ns: int | None = None
    taken: bool = False
    """An inference has begun since: what is read next is the input of the next one."""


_read: ContextVar[_Read | None] = ContextVar("tollbook-read", default=None)


class Ambient(Inputs):
    """What is read outside of any request, as in a script without instrumentation of its own.

    Each thread and each task has what was read before it began and what it reads itself; what it reads, no other sees.
    """

    def attributes(self) -> dict[str, int | tuple[str, ...]]:
        """What this context has read before its last inference, and since if it has read anything."""
        read = _read.get()
        return _said(read.ids, read.oldest_ns, read.newest_ns) if read else {}

    def taken(self) -> dict[str, int | tuple[str, ...]]:
        """What an inference that starts now says of its inputs: several of them in a row say the same."""
        read = _read.get()
        if read is None:
            return {}
        if not read.taken:
            _read.set(_Read(read.ids, read.oldest_ns, read.newest_ns, taken=True))
        return _said(read.ids, read.oldest_ns, read.newest_ns)

    def _add(self, ids: Iterable[str], event_times_ns: Iterable[int]) -> None:
        read = _read.get()
        if read is None or read.taken:
            read = _Read()
        known, new = read.ids, tuple(dict.fromkeys(ids))
        if len(known) < MAX_ASSETS:
            known = (*known, *(asset_id for asset_id in new if asset_id not in known))[:MAX_ASSETS]
        moments = [moment for moment in (read.oldest_ns, read.newest_ns, *event_times_ns) if moment is not None]
        _read.set(_Read(known, min(moments, default=None), max(moments, default=None)))


AMBIENT: Final = Ambient()


def forget_ambient() -> None:
    """Forget what this context has read outside of any request."""
    _read.set(None)


def read_here() -> object:
    """What this context has read outside of any request; for another thread that works for it."""
    return _read.get()


def read_there(read: object) -> None:
    """Have read what another thread has."""
    _read.set(read if isinstance(read, _Read) else None)


def inputs_of(context: Context | None = None) -> Inputs | None:
    """The inputs of the request that the context belongs to; those of the context itself where there is no request."""
    if context is None:
        context = get_current()
    if not context:
        return AMBIENT
    handle = context.get(HANDLE_KEY)
    found = None if handle is None else getattr(handle, "inputs", None)
    if isinstance(found, Inputs):
        return found
    span = get_current_span(context)
    found = getattr(span, _ON_SPAN, None) or context.get(INPUTS_KEY)
    if found is _NEW:
        return _made_on(span)
    if isinstance(found, Inputs):
        return found
    return None if span.get_span_context().is_valid else AMBIENT


_NEW: Final = object()
"""On a span whose request begins with it: its inputs are made when somebody asks for them, which is seldom."""


def _made_on(span: Any) -> Inputs:
    with _adding:
        if span._tollbook_inputs is _NEW:
            span._tollbook_inputs = Inputs()
        made: Inputs = span._tollbook_inputs
        return made


def opened(context: Context) -> Inputs:
    """The inputs of the context's request; begun here, with what the caller's baggage says, if there are none yet."""
    known = inputs_of(context)
    if known is None:
        known = carried(context)
        keep_on(get_current_span(context), known)
    elif known is AMBIENT and BAGGAGE_KEY in context and any(key in baggage.get_all(context) for key in _CARRIED):
        known = carried(context)
    return known


def begun(context: Context) -> Inputs:
    """The inputs of a request that begins in this context: nothing that was read outside of any is among them."""
    known = opened(context)
    return Inputs() if known is AMBIENT else known


def keep_on(span: Any, inputs: Inputs) -> None:
    """Keep the inputs of a request on a span of another instrumentation, for what happens inside it."""
    if span.is_recording():
        setattr(span, _ON_SPAN, inputs)


def keep_inside(span: Any, context: Context, known: Inputs | None) -> None:
    """Hand the inputs of its request on to a span of another instrumentation; new ones where it begins the request here.

    A call that leaves the process begins no request: a script's request for data is followed by the inference that uses it.

    Args:
        span: the span that starts.
        context: what it starts in.
        known: `inputs_of` that context.
    """
    if known is AMBIENT:
        keep_first(span)
    if known is None or (BAGGAGE_KEY in context and getattr(span, _ON_SPAN, None) is _NEW):
        known = carried(context)
    if known is not AMBIENT:
        span._tollbook_inputs = known  # _ON_SPAN
    note_inside(span, context)


def keep_first(span: Any) -> None:
    """The same for a span that nothing is around."""
    kind = span._kind
    span._tollbook_inputs = AMBIENT if kind is SpanKind.CLIENT or kind is SpanKind.PRODUCER else _NEW  # _ON_SPAN


def arrived(context: Context) -> Context:
    """The context with what a message's baggage says among the inputs: those of the request it is in, else of the message."""
    known = inputs_of(context)
    if known in {None, AMBIENT, get_value(INPUTS_KEY, context)}:
        return set_value(INPUTS_KEY, carried(context), context)
    if known is not None:
        _add_carried(known, context)
    return context


def carried(context: Context) -> Inputs:
    """New inputs, with what the caller's baggage says."""
    begun = Inputs()
    _add_carried(begun, context)
    return begun


def _add_carried(known: Inputs, context: Context) -> None:
    entries = baggage.get_all(context) if BAGGAGE_KEY in context else None
    if entries:
        ids = str(entries.get(A.TOLLBOOK_INPUT_ASSET_IDS, "")).split("\n")
        ages = (entries.get(A.TOLLBOOK_INPUT_EVENT_TIME_OLDEST), entries.get(A.TOLLBOOK_INPUT_EVENT_TIME_NEWEST))
        # Baggage comes from outside: what is no number is not an age.
        known._add(filter(None, ids), [int(str(age)) for age in ages if age is not None and str(age).isdecimal()])


def carrying(context: Context) -> Context:
    """The context with its request's inputs in the baggage, for the service that is called next."""
    inputs = inputs_of(context)
    for key, value in (inputs.attributes() if inputs else {}).items():
        text = _joined(value) if isinstance(value, tuple) else str(value)
        context = baggage.set_baggage(key, text, context)
    return context


def _joined(ids: Iterable[str]) -> str:
    """As many ids as fit, a line each, first come first served."""
    fitting, room = [], MAX_BAGGAGE_BYTES
    for asset_id in ids:
        room -= 3 * len(asset_id.encode()) + 3  # a byte takes three characters once quoted
        if room < 0:
            break
        fitting.append(asset_id)
    return "\n".join(fitting)
