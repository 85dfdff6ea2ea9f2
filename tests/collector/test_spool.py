"""The spool and its segment files: what is acknowledged is found again, once, whatever happened to the process or the disk."""

import errno
import hashlib
import os
import resource
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tollbook_collector import segment as segments
from tollbook_collector import wire
from tollbook_collector.disk import RealDisk
from tollbook_collector.errors import SpoolBusyError, UnavailableError
from tollbook_collector.folder import Segment
from tollbook_collector.settings import Settings
from tollbook_collector.spool import Spool

from tests.collector.conftest import trace_request
from tests.collector.played import FaultyDisk, PlayedClock

SETTINGS = Settings(segment_ms=0)
BODIES = [trace_request(2, first=10 * number).SerializeToString() for number in range(1, 6)]

Open = Callable[..., Spool]


@pytest.fixture
def open_spool(tmp_path: Path) -> Iterator[Open]:
    """Opens the spool in the same folder, closing the one before."""
    opened: list[Spool] = []

    def open_(settings: Settings = SETTINGS, **edge: Any) -> Spool:
        while opened:
            opened.pop().close()
        opened.append(Spool(tmp_path, settings, **edge))
        return opened[-1]

    yield open_
    while opened:
        opened.pop().close()


def keep(spool: Spool, *bodies: bytes) -> None:
    for body in bodies:
        spool.append("traces", body, resources=1).result(5)


def bodies_of(segment: Segment) -> list[bytes]:
    data = segments.InMemory(segment.path.read_bytes())
    return [
        data.read(found.body, found.end) for found in segments.scan(segment.signal, data) if isinstance(found, segments.Record)
    ]


def bodies_of_next(spool: Spool) -> list[bytes]:
    segment = spool.take(0)
    assert segment is not None
    return bodies_of(segment)


def drained(spool: Spool) -> list[bytes]:
    """All bodies in the spool, oldest segment first; the spool is empty afterwards."""
    found: list[bytes] = []
    while (segment := spool.take(0, now=True)) is not None:
        found += bodies_of(segment)
        spool.done(segment)
    return found


def test_a_segment_is_itself_one_valid_export_request(open_spool: Open) -> None:
    spool = open_spool()
    keep(spool, *BODIES)
    segment = spool.take(1)
    assert segment is not None
    request = ExportTraceServiceRequest.FromString(segment.path.read_bytes())
    ids = [span.span_id[-1] for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    assert ids == [10, 11, 20, 21, 30, 31, 40, 41, 50, 51]


def test_each_body_says_in_a_message_before_it_whose_it_is(open_spool: Open) -> None:
    spool = open_spool()
    three = BODIES[0] + trace_request(1, first=77).SerializeToString() + BODIES[1]
    spool.append("traces", three, tenant="acme-eu", resources=3).result(5)
    spool.append("traces", BODIES[2], tenant="a" * 63, resources=1).result(5)
    segment = spool.take(1)
    assert segment is not None
    data = segment.path.read_bytes()
    frames = [field for field in wire.fields(data) if field.number == 1000]
    assert [field.value - field.start for field in frames] == [3, 3]
    read = [_fields(data[field.value : field.end]) for field in frames]
    assert [(told[1], told[3], told[4]) for told in read] == [(len(three), 3, b"acme-eu"), (len(BODIES[2]), 1, b"a" * 63)]
    assert read[0][2] == hashlib.sha256(b"traces\0acme-eu\0" + three).digest()
    assert [told[5] for told in read] == [zlib.crc32(data[field.value : field.end - 5]) for field in frames]


def _fields(message: bytes) -> dict[int, bytes | int]:
    """Fields of a frame: the fixed ones as numbers."""
    found = {field.number: (field, message[field.value : field.end]) for field in wire.fields(message)}
    assert list(found) == [1, 2, 3, 4, 5]
    return {
        number: content if field.kind == wire.BYTES else int.from_bytes(content, "little")
        for number, (field, content) in found.items()
    }


def test_the_same_bytes_of_another_tenant_are_another_body(open_spool: Open) -> None:
    spool = open_spool()
    for tenant in ("acme", "globex", "acme"):
        spool.append("traces", BODIES[0], tenant=tenant, resources=1).result(5)
    assert drained(spool) == [BODIES[0], BODIES[0]]


def test_a_loaded_segment_is_gone(open_spool: Open) -> None:
    spool = open_spool()
    keep(spool, *BODIES)
    assert drained(spool) == BODIES
    assert spool.empty
    assert list(spool.folder.glob("*.otlp")) == []


def test_a_segment_put_back_comes_again_with_the_same_token_and_time(open_spool: Open) -> None:
    spool = open_spool()
    keep(spool, BODIES[0])
    first = spool.take(1)
    assert first is not None
    said = (first.token, first.received_at)
    spool.put_back(first)
    keep(spool, BODIES[1])
    again = spool.take(1)
    assert again is not None
    assert (again.token, again.received_at) == said


def test_a_restart_finds_the_same_segment_with_the_same_token(open_spool: Open) -> None:
    spool = open_spool()
    keep(spool, *BODIES)
    before = spool.take(1)
    assert before is not None
    after = open_spool().take(1)
    assert after is not None
    assert (after.token, after.received_at, bodies_of(after)) == (before.token, before.received_at, BODIES)


def test_signals_have_segments_of_their_own(open_spool: Open) -> None:
    spool = open_spool()
    spool.append("logs", b"\x0a\x00", resources=1).result(5)
    keep(spool, BODIES[0])
    taken = [spool.take(1), spool.take(1)]
    assert [segment.signal for segment in taken if segment] == ["logs", "traces"]


def test_an_open_segment_waits_for_its_age(open_spool: Open) -> None:
    clock = PlayedClock()
    spool = open_spool(Settings(segment_ms=1000), clock=clock)
    keep(spool, BODIES[0])
    clock.go_on(0.24)
    assert spool.take(0) is None
    clock.go_on(0.02)
    assert spool.take(0) is not None


def test_a_spool_says_how_long_the_oldest_has_waited(open_spool: Open) -> None:
    clock = PlayedClock()
    spool = open_spool(Settings(segment_ms=1000), clock=clock)
    assert spool.oldest_s == 0
    keep(spool, BODIES[0])
    clock.go_on(6)
    assert spool.oldest_s == pytest.approx(6)
    segment = spool.take(0)
    assert segment is not None
    assert spool.oldest_s == pytest.approx(6), "it is not in the store yet"
    spool.done(segment)
    assert spool.oldest_s == 0


def test_the_next_segment_waits_the_longer_the_longer_the_load_took(open_spool: Open) -> None:
    clock = PlayedClock()
    spool = open_spool(Settings(segment_ms=1000), clock=clock)
    for body, load_s, wait_s in ((BODIES[0], 0.01, 1.0), (BODIES[1], 0.2, 1.6), (BODIES[2], 9.0, 2.0)):
        keep(spool, body)
        clock.go_on(60)
        segment = spool.take(0)
        assert segment is not None
        clock.go_on(load_s)
        keep(spool, body + body)
        spool.done(segment)
        clock.go_on(wait_s - load_s - 0.01 if wait_s > load_s else 0.24)
        assert spool.take(0) is None
        clock.go_on(0.02)
        segment = spool.take(0)
        assert segment is not None
        spool.done(segment)


def test_a_large_segment_waits_for_no_long_load(open_spool: Open) -> None:
    clock = PlayedClock()
    spool = open_spool(Settings(segment_ms=1000), clock=clock)
    keep(spool, BODIES[0])
    clock.go_on(60)
    first = spool.take(0)
    assert first is not None
    clock.go_on(0.5)
    keep(spool, trace_request(first=99, note="x" * 1_000_000).SerializeToString())
    spool.done(first)
    clock.go_on(0.49)
    assert spool.take(0) is None
    clock.go_on(0.02)
    assert spool.take(0) is not None


def test_a_clock_that_goes_back_does_not_hold_up_a_segment(open_spool: Open) -> None:
    clock = PlayedClock()
    spool = open_spool(Settings(segment_ms=1000), clock=clock)
    keep(spool, BODIES[0])
    clock.now_ns -= 86_400 * 10**9
    clock.go_on(1)
    assert bodies_of_next(spool) == [BODIES[0]]
    keep(spool, BODIES[1])
    clock.go_on(1)
    assert spool.samples()[2].value >= 0
    spool = open_spool(SETTINGS, clock=clock)
    assert bodies_of_next(spool) == [BODIES[0]]
    assert bodies_of_next(spool) == [BODIES[1]]


@pytest.mark.parametrize("year", [-8000, 0, 2262])
def test_a_clock_far_off_gives_a_time_of_arrival_that_the_store_can_take(open_spool: Open, year: int) -> None:
    clock = PlayedClock()
    clock.now_ns = (year - 1970) * 31_557_600 * 10**9
    keep(open_spool(clock=clock), BODIES[0])
    segment = open_spool(clock=clock).take(1)
    assert segment is not None
    assert 1970 <= segment.received_at.year <= 2106


def test_a_segment_is_sealed_at_its_size(open_spool: Open) -> None:
    spool = open_spool(Settings(segment_ms=60_000, segment_bytes=400))
    keep(spool, *BODIES)
    sizes = []
    while (segment := spool.take(0)) is not None:
        sizes.append(segment.bodies)
    assert sizes == [2, 2]


def test_many_senders_share_a_sync(open_spool: Open) -> None:
    syncs = []

    class Slow(RealDisk):
        def sync(self, handle: int) -> None:
            syncs.append(handle)
            time.sleep(0.05)
            super().sync(handle)

    spool = open_spool(disk=Slow())
    kept = [spool.append("traces", trace_request(first=number).SerializeToString(), resources=1) for number in range(1, 101)]
    for future in kept:
        future.result(5)
    assert len(syncs) <= 3
    assert len(drained(spool)) == 100


def test_appending_from_many_threads_keeps_every_body_once(open_spool: Open) -> None:
    spool = open_spool(Settings(segment_ms=0, segment_bytes=2_000))
    found: list[bytes] = []

    def send(first: int) -> None:
        for number in range(first, first + 50):
            keep(spool, trace_request(first=number).SerializeToString())

    senders = [threading.Thread(target=send, args=(1000 * number,)) for number in range(1, 5)]
    for sender in senders:
        sender.start()
    while any(sender.is_alive() for sender in senders):
        found += drained(spool)
    found += drained(spool)
    assert sorted(found) == sorted(trace_request(first=1000 * n + k).SerializeToString() for n in range(1, 5) for k in range(50))


def test_a_body_seen_before_is_kept_once(open_spool: Open) -> None:
    spool = open_spool()
    keep(spool, BODIES[0], BODIES[1], BODIES[0])
    assert drained(spool) == BODIES[:2]
    keep(spool, BODIES[0])
    assert drained(spool) == []


def test_a_body_is_still_known_after_it_was_loaded_and_the_collector_restarted(open_spool: Open) -> None:
    spool = open_spool()
    keep(spool, *BODIES)
    drained(spool)
    spool = open_spool()
    keep(spool, BODIES[3])
    assert drained(spool) == []


def test_a_body_is_forgotten_after_its_time(open_spool: Open) -> None:
    spool = open_spool(replace(SETTINGS, seen_seconds=0))
    keep(spool, BODIES[0])
    drained(spool)
    keep(spool, BODIES[1], BODIES[0])
    assert drained(spool) == [BODIES[1], BODIES[0]]
    assert len(list((spool.folder / "seen").iterdir())) == 1


def test_the_same_bytes_of_another_signal_are_another_body(open_spool: Open) -> None:
    spool = open_spool()
    keep(spool, BODIES[0])
    spool.append("logs", BODIES[0], resources=1).result(5)
    assert drained(spool) == [BODIES[0], BODIES[0]]


def test_a_second_collector_on_the_same_folder_is_refused(open_spool: Open, tmp_path: Path) -> None:
    spool = open_spool()
    with pytest.raises(SpoolBusyError, match="another collector has the spool"):
        Spool(tmp_path, SETTINGS)
    keep(spool, BODIES[0])


def test_a_spool_that_is_closed_asks_to_come_back(open_spool: Open) -> None:
    spool = open_spool()
    keep(spool, BODIES[0])
    spool.refuse()
    with pytest.raises(UnavailableError, match="the collector is stopping"):
        spool.append("traces", BODIES[1], resources=1)
    assert drained(spool) == [BODIES[0]]


def test_a_spool_fuller_than_its_limit_starts_and_drains(open_spool: Open) -> None:
    keep(open_spool(), *BODIES)
    spool = open_spool(replace(SETTINGS, spool_max_bytes=10))
    with pytest.raises(UnavailableError, match="the spool is full"):
        spool.append("traces", b"\x0a\x00", resources=1)
    assert drained(spool) == BODIES


def test_an_empty_file_and_a_file_of_noise_do_not_stop_the_start(open_spool: Open, tmp_path: Path) -> None:
    (tmp_path / f"traces-{1:020d}-000000.otlp").write_bytes(b"")
    (tmp_path / f"logs-{2:020d}-000000.otlp").write_bytes(os.urandom(5000))
    spool = open_spool()
    assert drained(spool) == []
    keep(spool, BODIES[0])
    assert drained(spool) == [BODIES[0]]


def test_a_disk_that_cannot_sync_acknowledges_nothing_and_is_not_trusted_again(open_spool: Open) -> None:
    disk = FaultyDisk()
    spool = open_spool(Settings(segment_ms=60_000), disk=disk)
    keep(spool, BODIES[0])
    disk.failures["sync"] = [OSError(errno.EIO, "Input/output error")]
    with pytest.raises(UnavailableError, match="cannot write to the spool: Input/output error"):
        keep(spool, BODIES[1])
    keep(spool, BODIES[1], BODIES[2])
    first, second = spool.take(0, now=True), spool.take(0, now=True)
    assert first is not None
    assert second is not None
    assert (bodies_of(first), bodies_of(second)) == ([BODIES[0]], [BODIES[1], BODIES[2]])


def test_a_full_disk_acknowledges_nothing_and_resumes_alone(open_spool: Open) -> None:
    spool = open_spool(Settings(segment_ms=60_000))
    keep(spool, BODIES[0])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, limits[1]))
    try:
        refusal = spool.append("traces", BODIES[1], resources=1).exception(5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert isinstance(refusal, UnavailableError)
    assert refusal.retry_after_s == 5
    keep(spool, BODIES[1])
    assert drained(spool) == BODIES[:2]


def test_files_are_for_their_owner_only(open_spool: Open) -> None:
    spool = open_spool()
    keep(spool, BODIES[0])
    assert {path.stat().st_mode & 0o777 for path in spool.folder.glob("*.otlp")} == {0o600}
