"""What the collector counts about itself, and its page for Prometheus."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

HELP: Mapping[str, tuple[str, str]] = {
    "requests_total": ("counter", "Export requests acknowledged, by signal."),
    "accepted_total": ("counter", "Spans, data points and log records acknowledged, by signal."),
    "accepted_bytes_total": ("counter", "Bytes of request bodies acknowledged, decompressed, by signal."),
    "rejected_total": ("counter", "Records answered as rejected in a partial success, by signal."),
    "repaired_total": ("counter", "Records, resources and scopes whose text was not UTF-8 and was repaired, by signal."),
    "repeated_total": ("counter", "Requests seen before: acknowledged again, not stored again, by signal."),
    "refused_total": ("counter", "Requests refused, by reason."),
    "stored_bytes_total": ("counter", "Bytes of segments loaded into the store, by signal."),
    "segments_total": ("counter", "Segments loaded into the store, by signal."),
    "load_failures_total": ("counter", "Loads that failed and are tried again, by signal."),
    "load_seconds_total": ("counter", "Seconds spent loading."),
    "rewritten_total": ("counter", "Requests the store took only as our own protobuf library writes them, by signal."),
    "dead_total": ("counter", "Records set aside because the store can never take them, by signal."),
    "damaged_total": ("counter", "Damaged stretches found in segments and set aside."),
    "torn_total": ("counter", "Segments that ended in a record never acknowledged, which was cut off at the start."),
    "spool_bytes": ("gauge", "Bytes on disk that wait for the store."),
    "spool_segments": ("gauge", "Segments on disk that wait for the store."),
    "spool_pending_bytes": ("gauge", "Bytes of bodies that wait for the disk."),
    "dead": ("gauge", "Records set aside that were neither tried again nor dropped."),
    "spool_oldest_seconds": ("gauge", "Age of the oldest record that is not loaded; 0 where all are."),
    "load_lag_seconds": ("gauge", "Age of the last loaded segment's first record when it became queryable."),
    "in_flight_bytes": ("gauge", "Bytes of requests held in memory."),
    "in_flight_requests": ("gauge", "Requests that have arrived whole and are not answered yet."),
}


@dataclass(frozen=True)
class Sample:
    """One number of the page."""

    name: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()


class Counters:
    """Counts by name and labels. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: defaultdict[tuple[str, tuple[tuple[str, str], ...]], float] = defaultdict(float)

    def add(self, name: str, amount: float = 1, **labels: str) -> None:
        """Adds to the counter `name`, one of HELP."""
        with self._lock:
            self._values[name, tuple(sorted(labels.items()))] += amount

    def set(self, name: str, value: float) -> None:
        """Sets the gauge `name`, one of HELP."""
        with self._lock:
            self._values[name, ()] = value

    def value(self, name: str, **labels: str) -> float:
        """Sum of the counter `name` over all labels that match those given."""
        wanted = set(labels.items())
        with self._lock:
            return sum(value for (key, has), value in self._values.items() if key == name and wanted <= set(has))

    def samples(self) -> list[Sample]:
        """All counts."""
        with self._lock:
            return [Sample(name, value, labels) for (name, labels), value in self._values.items()]


def page(samples: Iterable[Sample]) -> str:
    """The samples as Prometheus text, with a help line for every name there is."""
    by_name: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_name[sample.name].append(sample)
    return "".join(f"{line}\n" for name in HELP for line in _lines(name, by_name[name]))


def _lines(name: str, samples: Iterable[Sample]) -> Iterator[str]:
    kind, text = HELP[name]
    yield f"# HELP tollbook_collector_{name} {text}"
    yield f"# TYPE tollbook_collector_{name} {kind}"
    for sample in samples:
        labels = ",".join(f'{key}="{value}"' for key, value in sample.labels)
        yield f"tollbook_collector_{name}{'{' + labels + '}' if labels else ''} {sample.value:.15g}"
