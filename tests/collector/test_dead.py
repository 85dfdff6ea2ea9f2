"""Records the store can never take: one costs itself only, is shown with its reason, and can be tried again or dropped."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tollbook_collector import dead
from tollbook_collector import segment as segments
from tollbook_collector.dead import Graves
from tollbook_collector.loader import MAX_TRIES, Loader
from tollbook_collector.settings import Settings
from tollbook_collector.spool import Spool
from tollbook_schema.store import QueryError, Signal, Store, StoreError

from tests.collector.conftest import trace_request
from tests.collector.played import PlayedClock
from tests.soak.figures import Fault

SETTINGS = Settings(segment_ms=0)


class Picky:
    """A store that refuses what holds `hated`, and remembers the ids of the spans that it took."""

    def __init__(self, hated: bytes = b"poison") -> None:
        self.hated = hated
        self.tries = 0
        self.taken: dict[str, list[int]] = {}

    def ping(self) -> bool:
        return True

    def load(self, signal: Signal, segment: Path, token: str, received_at: datetime) -> None:
        self.tries += 1
        data = segment.read_bytes()
        if self.hated and self.hated in data:
            raise QueryError("27. DB::Exception: cannot be parsed")
        request = ExportTraceServiceRequest.FromString(data)
        spans = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
        self.taken[token] = [int.from_bytes(span.span_id, "big") for span in spans]

    @property
    def stored(self) -> list[int]:
        return sorted(number for numbers in self.taken.values() for number in numbers)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path, SETTINGS, clock=PlayedClock())
    yield spool
    spool.close()


def keep(spool: Spool, request: ExportTraceServiceRequest, tenant: str = "default") -> None:
    spool.append("traces", request.SerializeToString(), tenant=tenant, resources=len(request.resource_spans)).result(5)


def poisoned(spans: int, *numbers: int) -> ExportTraceServiceRequest:
    request = trace_request(spans)
    for number in numbers:
        request.resource_spans[0].scope_spans[0].spans[number - 1].name = "poison"
    return request


def load_all(spool: Spool, store: Picky) -> None:
    loader = Loader(spool, store, SETTINGS, spool.counters)
    while loader.load_next(0, now=True):
        pass


@pytest.mark.fault("R10", "two spans of 512 that the store refuses for ever", "all others stored, these in dead/ with a reason")
def test_a_span_at_fault_costs_itself_and_none_of_its_512_neighbours(fault: Fault, spool: Spool) -> None:
    keep(spool, trace_request(3, first=1001))
    keep(spool, poisoned(512, 77, 300), tenant="acme")
    keep(spool, trace_request(3, first=2001))
    store = Picky()
    load_all(spool, store)
    fault.found(f"{len(store.stored)} of 518 stored, {spool.graves.summary().count} set aside, after {store.tries} tries")
    others = [number for number in range(1, 513) if number not in (77, 300)]
    assert store.stored == [*others, 1001, 1002, 1003, 2001, 2002, 2003]
    assert store.tries < 50
    first, second = spool.graves.letters()
    assert (first.tenant, first.signal, first.reason) == ("acme", "traces", "27. DB::Exception: cannot be parsed")
    ids = [span_ids(spool.graves.content(letter.name)) for letter in (first, second)]
    assert sorted(ids) == [[77], [300]]
    assert spool.counters.value("dead_total", signal="traces") == 2
    assert spool.empty


def span_ids(content: bytes) -> list[int]:
    request = ExportTraceServiceRequest.FromString(content)
    spans = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    return [int.from_bytes(span.span_id, "big") for span in spans]


def test_the_spans_around_the_culprit_keep_their_tenant(spool: Spool, store: Store) -> None:
    class Refusing(Picky):
        def load(self, signal: Signal, segment: Path, token: str, received_at: datetime) -> None:
            if b"poison" in segment.read_bytes():
                raise StoreError("cannot be parsed")
            store.load(signal, segment, token, received_at)

    keep(spool, poisoned(4, 2), tenant="acme")
    keep(spool, trace_request(1, first=9), tenant="globex")
    load_all(spool, Refusing())
    rows = store.query("SELECT tenant, arraySort(groupArray(hex(span_id))) AS ids FROM spans GROUP BY tenant ORDER BY tenant")
    assert rows == [{"tenant": "acme", "ids": [f"{n:016X}" for n in (1, 3, 4)]}, {"tenant": "globex", "ids": [f"{9:016X}"]}]


def test_a_body_that_no_library_can_read_costs_itself(spool: Spool) -> None:
    class Refusing(Picky):
        def load(self, signal: Signal, segment: Path, token: str, received_at: datetime) -> None:
            if b"garbage" in segment.read_bytes():
                raise QueryError("117. DB::Exception: cannot parse")
            super().load(signal, segment, token, received_at)

    spool.append("traces", b"\x0a\x0agarbage", resources=1).result(5)
    keep(spool, trace_request(1, first=9))
    store = Refusing()
    load_all(spool, store)
    assert store.stored == [9]
    assert spool.graves.summary().newest_reason == "117. DB::Exception: cannot parse"


def test_a_body_all_of_poison_does_not_hold_up_the_others_for_ever(spool: Spool) -> None:
    keep(spool, poisoned(512, *range(1, 513)))
    keep(spool, trace_request(1, first=9000))
    store = Picky()
    load_all(spool, store)
    assert store.stored == [9000]
    assert store.tries < 2 * MAX_TRIES
    contents = [spool.graves.content(letter.name) for letter in spool.graves.letters()]
    assert sorted(number for content in contents for number in span_ids(content)) == list(range(1, 513))


def test_a_summary_says_how_many_since_when_and_why(spool: Spool) -> None:
    assert spool.graves.summary() == dead.Summary(0)
    keep(spool, poisoned(2, 1))
    load_all(spool, Picky())
    found = spool.graves.summary()
    assert (found.count, found.newest_reason) == (1, "27. DB::Exception: cannot be parsed")
    keep(spool, poisoned(9, 9))
    load_all(spool, Picky())
    assert spool.graves.summary().count == 2
    assert {sample.name: sample.value for sample in spool.samples()}["dead"] == 2


def test_what_is_tried_again_is_loaded_once_by_the_collector_that_runs(spool: Spool) -> None:
    keep(spool, poisoned(5, 3))
    store = Picky()
    load_all(spool, store)
    graves = Graves(spool.folder)
    (letter,) = graves.letters()
    store.hated = b""
    assert graves.retry([letter.name]) == 1
    assert graves.letters() == []
    spool._clock.go_on(5)  # type: ignore[attr-defined]
    load_all(spool, store)
    assert store.stored == [1, 2, 3, 4, 5]
    assert spool.empty


def test_what_is_tried_again_and_fails_again_is_set_aside_again(spool: Spool) -> None:
    keep(spool, poisoned(5, 3))
    load_all(spool, Picky())
    (before,) = spool.graves.letters()
    spool.graves.retry([before.name])
    spool._clock.go_on(5)  # type: ignore[attr-defined]
    load_all(spool, Picky())
    (after,) = spool.graves.letters()
    assert (after.size_bytes, after.reason) == (before.size_bytes, before.reason)


def test_what_is_tried_again_while_no_collector_runs_is_loaded_by_the_next(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SETTINGS)
    keep(spool, poisoned(1, 1))
    load_all(spool, Picky())
    spool.close()
    graves = Graves(tmp_path)
    graves.retry(letter.name for letter in graves.letters())
    for _ in range(2):  # the first is killed once it has taken the letter in
        spool = Spool(tmp_path, SETTINGS)
        taken = spool.take(0)
        assert taken is not None
        spool.close()
    spool = Spool(tmp_path, SETTINGS)
    store = Picky(b"")
    load_all(spool, store)
    assert store.stored == [1]
    spool.close()


def test_what_is_dropped_is_gone(spool: Spool) -> None:
    keep(spool, poisoned(5, 2, 3))
    load_all(spool, Picky())
    first, second = spool.graves.letters()
    assert spool.graves.drop([first.name]) == 1
    assert [letter.name for letter in spool.graves.letters()] == [second.name]
    with pytest.raises(KeyError, match=first.name):
        spool.graves.drop([first.name])
    with pytest.raises(KeyError, match="lock"):
        spool.graves.content("../lock")
    assert len(list((spool.folder / "dead").iterdir())) == 2


def test_a_poison_body_sent_again_is_set_aside_once(spool: Spool) -> None:
    for _ in range(2):
        keep(spool, poisoned(1, 1))
        load_all(spool, Picky())
    assert spool.graves.summary().count == 1
    assert spool.counters.value("dead_total") == 1


def test_a_letter_whose_bytes_are_damaged_is_still_listed(spool: Spool) -> None:
    keep(spool, poisoned(1, 1))
    load_all(spool, Picky())
    (path,) = (spool.folder / "dead").glob(f"*{segments.SUFFIX}")
    path.write_bytes(b"noise")
    path.with_suffix(".reason").unlink()
    (letter,) = spool.graves.letters()
    assert (letter.tenant, letter.reason, letter.size_bytes) == ("", "", 5)
