"""Files into the store, for `tollbook ingest`: OTLP export requests in protobuf, JSON or JSON lines, any signal, gzip or not.

A file does not say which signal it holds. JSON does by its first key. In protobuf the three nest alike (request, resource, scope,
record), so all three are tried, and the one whose records make sense wins: spans with ids of 16 and 8 bytes, metrics with a name
and points, log records with a time or a body.
"""

import gzip
import http.client
import json
import ssl
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

from google.protobuf.message import Message
from tollbook_schema.store import Store
from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_collector import export, otlp_json
from tollbook_collector import segment as segments
from tollbook_collector.errors import PROTOBUF, BadRequestError, UnavailableError
from tollbook_collector.export import Export
from tollbook_collector.looks import of_bytes, of_json
from tollbook_collector.signals import SIGNALS, Signal, SignalName

Sink: TypeAlias = Callable[[Signal, Export], None]
"""Where checked export requests go; returns once they are kept."""

BATCH_BYTES = 36_000_000
"""Requests of a file go to the sink together up to this size; small loads lose to merges."""

GZIP_MAGIC = b"\x1f\x8b"
TRIES = 5


@dataclass(frozen=True)
class Ingested:
    """What became of a file."""

    path: Path
    signal: str = ""
    """Signals found in it, comma between; empty where it was refused."""
    records: int = 0
    """Spans, data points and log records stored."""
    rejected: int = 0
    """Records, or lines, that can never be stored."""
    reason: str = ""
    """Why the file was refused, or the first record or line of it rejected."""

    @property
    def refused(self) -> bool:
        """Whether nothing of the file was stored."""
        return not self.signal


@dataclass
class _Tally:
    """What a file held so far."""

    records: dict[SignalName, int] = field(default_factory=lambda: defaultdict(int))
    rejected: int = 0
    reason: str = ""

    def reject(self, count: int, reason: str) -> None:
        self.rejected += count
        self.reason = self.reason or reason


def ingest_file(path: Path, sink: Sink) -> Ingested:
    """Gives every export request in a file to `sink`; what is no OTLP is refused with what it looks like.

    Raises:
        OSError: the file cannot be read.
        UnavailableError, StoreUnavailableError: the sink cannot take it at present; doing it again stores nothing twice.
    """
    tally = _Tally()
    waiting: dict[SignalName, list[Export]] = defaultdict(list)
    try:
        for signal, kept in _exports(_content(path), tally):
            tally.records[signal.name] += kept.records
            waiting[signal.name].append(kept)
            if sum(len(held.body) for held in waiting[signal.name]) >= BATCH_BYTES:
                sink(signal, _joined(waiting.pop(signal.name)))
    except BadRequestError as error:
        return Ingested(path, reason=str(error))
    for name, exports in waiting.items():
        sink(SIGNALS[name], _joined(exports))
    return Ingested(path, ", ".join(tally.records), sum(tally.records.values()), tally.rejected, tally.reason)


def _joined(exports: Sequence[Export]) -> Export:
    body = b"".join(kept.body for kept in exports)
    return Export(body, sum(kept.records for kept in exports), sum(kept.resources for kept in exports))


def _content(path: Path) -> bytes:
    data = path.read_bytes()
    if not data.startswith(GZIP_MAGIC):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise BadRequestError(f"damaged gzip: {error}") from error


def _exports(data: bytes, tally: _Tally) -> Iterator[tuple[Signal, Export]]:
    """The export requests in the content of a file.

    Raises:
        BadRequestError: there is none.
    """
    if not data.strip():
        raise BadRequestError("the file is empty")
    if data.lstrip()[:1] in (b"{", b"["):
        yield from _json_exports(data, tally)
    else:
        signal, kept = _protobuf_export(data)
        tally.reject(kept.rejected, kept.reason)
        yield signal, kept


def _json_exports(data: bytes, tally: _Tally) -> Iterator[tuple[Signal, Export]]:
    """One request as a whole file, or one on each line."""
    try:
        json.loads(data)
        bodies = [data]
    except (ValueError, RecursionError):
        bodies = [line for line in data.splitlines() if line.strip()]
    bad_lines = 0
    for number, body in enumerate(bodies, 1):
        try:
            for signal, kept in _json_export(body):
                tally.reject(kept.rejected, kept.reason)
                yield signal, kept
        except BadRequestError as error:
            bad_lines += 1
            tally.reject(1, f"line {number}: {error}" if len(bodies) > 1 else str(error))
    if bad_lines == len(bodies):
        raise BadRequestError(tally.reason)


def _json_export(body: bytes) -> Iterator[tuple[Signal, Export]]:
    tree = _tree(body)
    signals = [signal for signal in SIGNALS.values() if isinstance(tree, dict) and signal.resource_field in tree]
    if not signals:
        raise BadRequestError(f"not OTLP: it looks like {of_json(tree)}")
    for signal in signals:
        converted = otlp_json.to_protobuf(signal, body)
        yield signal, export.checked(signal, converted.body).after(converted.rejected, converted.reason)


def _tree(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"not JSON: {error}") from error


def _protobuf_export(data: bytes) -> tuple[Signal, Export]:
    """The signal whose records make most sense of these bytes, and what of them can be kept."""
    tried = [(_sense(signal, data), signal) for signal in SIGNALS.values()]
    sense, signal = max(tried, key=lambda trial: trial[0])
    if sense <= 0:
        raise BadRequestError(f"not OTLP: it looks like {of_bytes(data)}")
    return signal, export.checked(signal, data)


def _sense(signal: Signal, data: bytes) -> int:
    """Records that make sense as this signal, less those that do not."""
    try:
        request = signal.request.FromString(export.checked(signal, data).body)
        records = [record for scope in _scopes(signal, request) for record in scope]
    except BadRequestError:
        return 0
    sensible = sum(SENSIBLE[signal.name](record) for record in records)
    return 2 * sensible - max(len(records), _records_on_the_wire(data))


def _scopes(signal: Signal, request: Message) -> Iterator[Any]:
    tree = cast(Any, request)
    if signal.name == "traces":
        return (scope.spans for resource in tree.resource_spans for scope in resource.scope_spans)
    if signal.name == "logs":
        return (scope.log_records for resource in tree.resource_logs for scope in resource.scope_logs)
    return (scope.metrics for resource in tree.resource_metrics for scope in resource.scope_metrics)


SENSIBLE: dict[SignalName, Callable[[Any], bool]] = {
    "traces": lambda span: bool(len(span.trace_id) == 16 and len(span.span_id) == 8),
    "metrics": lambda metric: bool(metric.name and export.points(metric)),
    "logs": lambda log: bool(log.time_unix_nano or log.observed_time_unix_nano or log.HasField("body")),
}


def _records_on_the_wire(data: bytes) -> int:
    """Records of an export request of any signal, bad ones included."""
    return sum(
        1
        for resource in export.members(data, 0, len(data), 1)
        for scope in export.members(data, resource.value, resource.end, 2)
        for _record in export.members(data, scope.value, scope.end, 2)
    )


class StoreSink:
    """Loads requests straight into a store that this process has open."""

    def __init__(self, store: Store, tenant: str = DEFAULT_TENANT, folder: Path | None = None) -> None:
        self._store = store
        self._tenant = tenant
        self._folder = folder

    def __call__(self, signal: Signal, request: Export) -> None:
        """Loads one request by one INSERT; the same bytes again on the same day change nothing."""
        digest = segments.digest(signal.name, self._tenant, request.body)
        with tempfile.NamedTemporaryFile(suffix=".otlp", dir=self._folder) as file:
            file.write(segments.frame(len(request.body), digest, request.resources, self._tenant))
            file.write(request.body)
            file.flush()
            self._store.load(signal.table, Path(file.name), digest.hex(), datetime.now(UTC).replace(microsecond=0))


class HttpSink:
    """Sends requests to a collector that runs, at `http://host:port` or over TLS to whom `trust` believes."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None, trust: ssl.SSLContext | None = None) -> None:
        self._host = urlsplit(url).netloc
        self._headers = {"content-type": PROTOBUF, **(headers or {})}
        self._trust = trust

    def __call__(self, signal: Signal, request: Export) -> None:
        """Sends one request, again for some seconds where the collector asks to come back.

        Raises:
            BadRequestError: the collector refuses it for good.
            UnavailableError: the collector cannot be reached or keeps asking to come back.
        """
        for _ in range(TRIES):
            status, retry_after, answer = self._post(signal, request.body)
            if status == 200:
                return
            if status not in (429, 502, 503, 504):
                raise BadRequestError(f"the collector at {self._host} answered {status}: {answer[:200]!r}")
            time.sleep(min(float(retry_after), 5.0))
        raise UnavailableError(f"the collector at {self._host} asks to come back: {answer[:200]!r}")

    def _connection(self) -> http.client.HTTPConnection:
        if self._trust is None:
            return http.client.HTTPConnection(self._host, timeout=60)
        return http.client.HTTPSConnection(self._host, timeout=60, context=self._trust)

    def _post(self, signal: Signal, body: bytes) -> tuple[int, str, bytes]:
        connection = self._connection()
        try:
            connection.request("POST", f"/v1/{signal.name}", body, self._headers)
            response = connection.getresponse()
            return response.status, response.headers.get("retry-after", "1"), response.read()
        except (OSError, http.client.HTTPException) as error:
            raise UnavailableError(f"cannot reach the collector at {self._host}: {error}") from error
        finally:
            connection.close()
