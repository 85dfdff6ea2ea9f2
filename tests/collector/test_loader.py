"""The loader: every acknowledged record is in the store once, or set aside with a reason."""

import itertools
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from tollbook_collector.counters import Counters
from tollbook_collector.loader import Loader
from tollbook_collector.settings import Settings
from tollbook_collector.spool import Spool
from tollbook_schema.store import Signal, Store, StoreError, StoreUnavailableError

from tests.collector.conftest import trace_request
from tests.collector.played import PlayedClock

SETTINGS = Settings(segment_ms=0)


class Away:
    """A store that cannot be reached until it is told otherwise; then the real one. It remembers what it was asked."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.away = True
        self.tokens: list[str] = []

    def ping(self) -> bool:
        return not self.away

    def load(self, signal: Signal, segment: Path, token: str, received_at: datetime) -> None:
        self.tokens.append(token)
        if self.away:
            raise StoreUnavailableError("connection refused")
        self.store.load(signal, segment, token, received_at)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool", SETTINGS, Counters())
    yield spool
    spool.close()


def keep(spool: Spool, *firsts: int) -> None:
    for first in firsts:
        spool.append("traces", trace_request(first=first).SerializeToString(), resources=1).result(5)


def stored(store: Store) -> list[int]:
    return [int(row["s"], 16) for row in store.query("SELECT hex(span_id) AS s FROM spans ORDER BY s")]


def test_a_store_that_is_away_is_waited_for(store: Store, spool: Spool) -> None:
    away = Away(store)
    loader = Loader(spool, away, SETTINGS, spool.counters)
    keep(spool, 1, 2)
    assert not loader.load_next(1)
    assert loader.trouble == "connection refused"
    keep(spool, 3)
    away.away = False
    assert loader.load_next(1)
    assert loader.trouble == ""
    assert stored(store) == [1, 2]
    assert away.tokens[0] == away.tokens[1]
    assert loader.load_next(1)
    assert stored(store) == [1, 2, 3]
    assert spool.empty


def test_a_segment_loaded_before_a_crash_is_not_stored_again(store: Store, spool: Spool) -> None:
    keep(spool, 1, 2)
    segment = spool.take(1)
    assert segment is not None
    store.load("spans", segment.path, segment.token, segment.received_at)
    spool.put_back(segment)
    assert Loader(spool, store, SETTINGS, spool.counters).load_next(1)
    assert stored(store) == [1, 2]


def test_a_record_the_store_can_never_take_is_set_aside_and_the_others_are_stored(store: Store, spool: Spool) -> None:
    keep(spool, 1, 2)
    poison = trace_request(first=3)
    poison.resource_spans[0].scope_spans[0].spans[0].trace_id = b"t" * 17
    spool.append("traces", poison.SerializeToString(), resources=1).result(5)
    keep(spool, 4, 5)
    assert Loader(spool, store, SETTINGS, spool.counters).load_next(1)
    assert stored(store) == [1, 2, 4, 5]
    (grave,) = (spool.folder / "dead").glob("*.otlp")
    assert grave.read_bytes().endswith(poison.SerializeToString())
    assert grave.with_suffix(".reason").read_text().startswith("131. DB::Exception: String too long")
    assert spool.counters.value("dead_total", signal="traces") == 1
    assert spool.empty


def test_a_search_for_the_culprit_that_is_interrupted_starts_again_and_stores_nothing_twice(store: Store, spool: Spool) -> None:
    class Picky(Away):
        def load(self, signal: Signal, segment: Path, token: str, received_at: datetime) -> None:
            self.tokens.append(token)
            if self.away and len(self.tokens) == 4:
                raise StoreUnavailableError("connection reset")
            if b"poison" in segment.read_bytes():
                raise StoreError("cannot be parsed")
            self.store.load(signal, segment, token, received_at)

    keep(spool, 1, 2, 3)
    spool.append("traces", trace_request(first=4, note="poison").SerializeToString(), resources=1).result(5)
    picky = Picky(store)
    loader = Loader(spool, picky, SETTINGS, spool.counters)
    assert not loader.load_next(1)
    assert stored(store) == [1, 2]
    picky.away = False
    assert loader.load_next(1)
    assert stored(store) == [1, 2, 3]
    assert len(list((spool.folder / "dead").glob("*.otlp"))) == 1


def test_the_oldest_segment_is_loaded_first(store: Store, spool: Spool) -> None:
    away = Away(store)
    loader = Loader(spool, away, SETTINGS, spool.counters)
    taken = []
    for first in (1, 2, 3):
        keep(spool, first)
        taken.append(spool.take(1))
    for segment in reversed(taken):
        assert segment is not None
        spool.put_back(segment)
    away.away = False
    while loader.load_next(0):
        pass
    assert away.tokens == [segment.token for segment in taken if segment]


def test_a_segment_that_keeps_failing_does_not_hold_up_the_others(store: Store, tmp_path: Path) -> None:
    class Choking(Away):
        def load(self, signal: Signal, segment: Path, token: str, received_at: datetime) -> None:
            self.tokens.append(token)
            if len(self.tokens) < 8 and b"huge" in segment.read_bytes():
                raise StoreUnavailableError("memory limit exceeded")
            self.store.load(signal, segment, token, received_at)

    clock = PlayedClock()
    spool = Spool(tmp_path / "spool", SETTINGS, clock=clock)
    choking = Choking(store)
    choking.away = False
    loader = Loader(spool, choking, SETTINGS, spool.counters)
    spool.append("traces", trace_request(first=1, note="huge").SerializeToString(), resources=1).result(5)
    assert not loader.load_next(1)
    keep(spool, 2)
    assert [loader.load_next(1) for _ in range(3)] == [False, False, True]
    assert stored(store) == [2]
    while not spool.empty:
        loader.load_next(0)
    assert stored(store) == [1, 2]
    spool.close()


def test_a_segment_that_fails_while_others_are_loaded_is_tried_ever_more_rarely(store: Store, tmp_path: Path) -> None:
    class Choking(Away):
        def load(self, signal: Signal, segment: Path, token: str, received_at: datetime) -> None:
            if b"huge" in segment.read_bytes():
                moments.append(clock.passed_s)
                raise StoreUnavailableError("memory limit exceeded")

    clock, moments = PlayedClock(), list[float]()
    spool = Spool(tmp_path / "spool", SETTINGS, clock=clock)
    choking = Choking(store)
    choking.away = False
    loader = Loader(spool, choking, SETTINGS, spool.counters)
    spool.append("traces", trace_request(first=1, note="huge").SerializeToString(), resources=1).result(5)
    for second in range(2, 80):
        keep(spool, second)
        while loader.load_next(0):
            pass
        clock.go_on(1)
    waits = [round(later - earlier) for earlier, later in itertools.pairwise(moments)]
    assert waits[-4:] == [4, 8, 16, 32]
    assert len(waits) < 15
    spool.close()


def test_an_ill_store_makes_no_segment_wait_once_it_is_well_and_the_oldest_go_first(store: Store, tmp_path: Path) -> None:
    class Ill(Away):
        def ping(self) -> bool:
            return True

    clock = PlayedClock()
    spool = Spool(tmp_path / "spool", SETTINGS, clock=clock)
    ill = Ill(store)
    loader = Loader(spool, ill, SETTINGS, spool.counters)
    for first in range(1, 7):
        keep(spool, first)
        for _ in range(20):
            assert not loader.load_next(0, now=True)
            clock.go_on(0.1)
    ill.away = False
    ill.tokens.clear()
    order = [
        found.token
        for found in sorted(spool._sealed, key=lambda segment: segment.number)
        if spool._files.recall_digests(found) is None
    ]
    while loader.load_next(0):
        pass
    assert spool.empty
    assert ill.tokens == order
    spool.close()


def test_no_load_begins_that_would_not_be_done_by_the_end(store: Store, tmp_path: Path) -> None:
    class Slow(Away):
        def load(self, signal: Signal, segment: Path, token: str, received_at: datetime) -> None:
            time.sleep(0.4)
            self.tokens.append(token)

    settings = Settings(segment_ms=0, segment_bytes=1, loaders=1)
    spool = Spool(tmp_path / "spool", settings)
    keep(spool, *range(1, 20))
    slow = Slow(store)
    slow.away = False
    loader = Loader(spool, slow, settings, spool.counters)
    loader.start()
    started = time.monotonic()
    loader.stop(started + 1.5)
    assert time.monotonic() - started < 1.5
    assert not any(thread.is_alive() for thread in loader._threads)
    assert 1 <= len(slow.tokens) <= 3
    spool.close()


def test_what_protobuf_allows_and_clickhouse_does_not_is_rewritten_and_stored(store: Store, spool: Spool) -> None:
    request = trace_request(1)
    request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="ok").value.bool_value = True
    body = request.SerializeToString()
    odd = body.replace(b"\x12\x02\x10\x01", b"\x12\x02\x10\x18")  # a bool of 24, which every protobuf library reads as true
    assert odd != body
    spool.append("traces", odd, resources=1).result(5)
    keep(spool, 2)
    assert Loader(spool, store, SETTINGS, spool.counters).load_next(1)
    assert store.query("SELECT attributes FROM spans ORDER BY span_id") == [{"attributes": {"ok": "true"}}, {"attributes": {}}]
    assert spool.counters.value("rewritten_total", signal="traces") == 1
    assert spool.counters.value("dead_total") == 0
