"""What a request has read, and how old it is: remembered from handoff to inference, also across services."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from opentelemetry import baggage
from opentelemetry.context import Context, create_key, get_value
from tollbook_schema import attributes as A  # noqa: N812

MAX_ASSETS: Final = 128
"""Assets whose ids are kept for one request. Ages of further ones still count."""

MAX_BAGGAGE_BYTES: Final = 2048
"""Of the ids sent along to other services. W3C baggage holds 8192 bytes in all, others need some."""

HANDLE_KEY: Final = create_key("tollbook-handle")
"""Where the context holds the nearest handle, which knows its request's inputs."""
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


class Inputs:
    """The assets a request has read so far. One object for the request, shared by its threads and tasks."""

    __slots__ = ("_ids", "_lock", "_newest_ns", "_oldest_ns")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: dict[str, None] = {}
        self._oldest_ns: int | None = None
        self._newest_ns: int | None = None

    def add(self, asset: Asset) -> None:
        """Remember an asset that was read."""
        event_time_ns = nanoseconds(asset.event_time)
        self._add([asset.id], () if event_time_ns is None else (event_time_ns,))

    def attributes(self) -> dict[str, int | tuple[str, ...]]:
        """What an inference that starts now says of its inputs; empty if nothing was read."""
        with self._lock:
            said = {
                A.TOLLBOOK_INPUT_ASSET_IDS: tuple(self._ids) or None,
                A.TOLLBOOK_INPUT_EVENT_TIME_OLDEST: self._oldest_ns,
                A.TOLLBOOK_INPUT_EVENT_TIME_NEWEST: self._newest_ns,
            }
        return {key: value for key, value in said.items() if value is not None}

    def _add(self, ids: Iterable[str], event_times_ns: Iterable[int]) -> None:
        with self._lock:
            for asset_id in ids:
                if len(self._ids) < MAX_ASSETS:
                    self._ids[asset_id] = None
            for moment in event_times_ns:
                self._oldest_ns = moment if self._oldest_ns is None else min(self._oldest_ns, moment)
                self._newest_ns = moment if self._newest_ns is None else max(self._newest_ns, moment)


def inputs_of(context: Context | None = None) -> Inputs | None:
    """The inputs of the request that the context belongs to."""
    handle = get_value(HANDLE_KEY, context)
    found = getattr(handle, "inputs", None)
    return found if isinstance(found, Inputs) else None


def opened(context: Context) -> Inputs:
    """The inputs of the context's request; begun here, with what the caller's baggage says, if there are none yet."""
    known = inputs_of(context)
    if known is not None:
        return known
    begun = Inputs()
    entries = baggage.get_all(context)
    if entries:
        ids = str(entries.get(A.TOLLBOOK_INPUT_ASSET_IDS, "")).split("\n")
        ages = (entries.get(A.TOLLBOOK_INPUT_EVENT_TIME_OLDEST), entries.get(A.TOLLBOOK_INPUT_EVENT_TIME_NEWEST))
        # Baggage comes from outside: what is no number is not an age.
        begun._add(filter(None, ids), [int(str(age)) for age in ages if age is not None and str(age).isdecimal()])
    return begun


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
