"""A disk that is full, broken, slow or strange: what is acknowledged is kept, nothing else is acknowledged, nobody waits long."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tollbook_collector import segment as segments
from tollbook_collector.disk import DISK, Disk
from tollbook_collector.errors import UnavailableError
from tollbook_collector.settings import Settings
from tollbook_collector.spool import Spool

from tests.collector.conftest import trace_request
from tests.collector.played import BrokenDisk, FaultyDisk, PlayedClock, SlowDisk, failure

SETTINGS = Settings(segment_ms=60_000, min_free_bytes=0)
BODIES = [trace_request(2, first=10 * number).SerializeToString() for number in range(1, 6)]

Open = Callable[..., Spool]


@pytest.fixture
def open_spool(tmp_path: Path) -> Iterator[Open]:
    """Opens the spool in the same folder, as after a kill: the one before only lets go of the lock."""
    opened: list[Spool] = []

    def open_(settings: Settings = SETTINGS, disk: Disk = DISK, folder: Path = tmp_path) -> Spool:
        while opened:
            kill(opened.pop())
        opened.append(Spool(folder, settings, disk=disk, clock=PlayedClock()))
        return opened[-1]

    yield open_
    while opened:
        kill(opened.pop())


def kill(spool: Spool) -> None:
    spool.refuse()
    if spool._lock_handle is not None:  # what the kernel does with the lock of a process that is killed
        os.close(spool._lock_handle)
        spool._lock_handle = None


def keep(spool: Spool, *bodies: bytes) -> None:
    for body in bodies:
        spool.append("traces", body, resources=1).result(5)


def drained(spool: Spool) -> list[bytes]:
    """All bodies in the spool, oldest segment first; the spool is empty afterwards."""
    found: list[bytes] = []
    while (segment := spool.take(0, now=True)) is not None:
        content = segments.InMemory(segment.path.read_bytes())
        records = list(segments.scan(segment.signal, content))
        assert all(isinstance(record, segments.Record) for record in records)
        found += [content.read(record.body, record.end) for record in records if isinstance(record, segments.Record)]
        spool.done(segment)
    return found


# What a start finds


def test_a_killed_collector_left_an_open_segment_that_is_found_whole(open_spool: Open) -> None:
    keep(open_spool(), *BODIES)
    assert drained(open_spool()) == BODIES


def test_a_start_reads_no_body_of_a_sealed_segment(open_spool: Open) -> None:
    large = [trace_request(200, first=1000 * number).SerializeToString() for number in range(1, 21)]
    keep(open_spool(replace(SETTINGS, segment_bytes=1)), *large)
    disk = FaultyDisk()
    spool = open_spool(disk=disk)
    assert disk.read_bytes < 100 * len(large)
    keep(spool, large[3])
    assert drained(spool) == large


@pytest.mark.parametrize("content", [b"", b"TBindex1", os.urandom(300)])
def test_an_index_that_is_wrong_or_missing_costs_nothing(open_spool: Open, tmp_path: Path, content: bytes) -> None:
    keep(open_spool(replace(SETTINGS, segment_bytes=1)), *BODIES)
    for index in tmp_path.glob("*.index"):
        index.write_bytes(content) if content else index.unlink()
    assert drained(open_spool()) == BODIES


def test_files_of_others_neither_stop_the_start_nor_are_touched(open_spool: Open, tmp_path: Path) -> None:
    keep(open_spool(), *BODIES)
    strange = [
        "notes.txt",
        "traces.otlp",
        "traces-1-1.otlp",
        "spans-00000000000000000001-000000001.otlp",
        "core",
        ".hidden",
        "traces-x.index",
    ]
    for name in strange:
        (tmp_path / name).write_bytes(b"mine")
    (tmp_path / "logs-00000000000000000001-000000009.otlp").mkdir()
    assert drained(open_spool()) == BODIES
    assert all((tmp_path / name).read_bytes() == b"mine" for name in strange)


def test_what_a_killed_collector_left_half_done_is_tidied_up(open_spool: Open, tmp_path: Path) -> None:
    keep(open_spool(replace(SETTINGS, segment_bytes=1)), BODIES[0])
    (path,) = tmp_path.glob("*.otlp")
    for name in (f"{path.name}.draft", f"{path.stem}.part-3", "traces-00000000000000000001-000000077.index"):
        (tmp_path / name).write_bytes(b"half")
    assert drained(open_spool()) == BODIES[:1]
    assert sorted(found.name for found in tmp_path.iterdir()) == ["lock", "seen"]


def test_a_file_that_cannot_be_read_is_set_aside_and_the_others_are_loaded(open_spool: Open, tmp_path: Path) -> None:
    keep(open_spool(replace(SETTINGS, segment_bytes=1)), *BODIES)
    for index in tmp_path.glob("*.index"):
        index.unlink()
    disk = BrokenDisk(min(tmp_path.glob("*.otlp")))
    spool = open_spool(disk=disk)
    assert drained(spool) == BODIES[1:]
    assert spool.counters.value("damaged_total") == 0
    while not spool.empty:
        spool._clock.go_on(1)  # type: ignore[attr-defined]
        assert drained(spool) == []
    assert spool.counters.value("damaged_total") == 1
    (reason,) = (tmp_path / "damaged").glob("*.reason")
    assert reason.read_text().endswith("cannot be read: EIO\n")
    assert len(list((tmp_path / "damaged").glob("*.bin"))) == 1


def test_a_file_that_can_be_read_later_is_loaded_then(open_spool: Open, tmp_path: Path) -> None:
    keep(open_spool(), *BODIES)
    disk = FaultyDisk(read=[failure(errno.EIO)] * 9)
    spool = open_spool(disk=disk)
    keep(spool, BODIES[1])
    found = drained(spool)
    for _ in range(300):
        spool._clock.go_on(1)  # type: ignore[attr-defined]
        found += drained(spool)
    assert sorted(found) == sorted(BODIES)


def test_a_disk_too_full_to_mend_what_is_damaged_does_not_stop_the_start(open_spool: Open, tmp_path: Path) -> None:
    keep(open_spool(), *BODIES)
    (path,) = tmp_path.glob("*.otlp")
    data = bytearray(path.read_bytes())
    data[200] ^= 1
    path.write_bytes(data)
    spool = open_spool(disk=FaultyDisk(create=[failure(errno.ENOSPC)]))
    keep(spool, BODIES[3])
    spool._clock.go_on(9)  # type: ignore[attr-defined]
    assert sorted(drained(spool)) == sorted(BODIES[1:])


def test_bytes_of_a_failed_write_are_not_stored_beside_those_of_its_second_try(open_spool: Open) -> None:
    disk = FaultyDisk()
    spool = open_spool(disk=disk)
    keep(spool, BODIES[0])
    disk.failures["sync"] = [failure(errno.EIO)]
    with pytest.raises(UnavailableError):
        keep(spool, BODIES[1])
    keep(spool, BODIES[1])
    assert sorted(drained(open_spool())) == sorted(BODIES[:2])


def test_a_segment_that_was_loaded_and_not_deleted_before_the_kill_is_not_loaded_again(open_spool: Open) -> None:
    disk = FaultyDisk()
    spool = open_spool(disk=disk)
    keep(spool, *BODIES)
    segment = spool.take(0, now=True)
    assert segment is not None
    (segment.path.with_suffix(".index")).unlink()
    disk.failures["unlink"] = [failure(errno.EIO)] * 9
    spool.done(segment)
    assert segment.path.exists()
    assert drained(open_spool()) == []


def test_a_bit_that_flips_in_a_segment_that_was_loaded_does_not_make_it_another_segment(open_spool: Open, tmp_path: Path) -> None:
    spool = open_spool()
    keep(spool, *BODIES)
    loaded = spool.take(0, now=True)
    assert loaded is not None
    data = bytearray(loaded.path.read_bytes())
    data[200] ^= 1
    loaded.path.write_bytes(data)
    for _ in range(2):
        again = open_spool().take(0)
        assert again is not None
        assert (again.token, again.bodies) == (loaded.token, 4)


def test_a_file_that_cannot_be_deleted_is_deleted_with_the_next(open_spool: Open, tmp_path: Path) -> None:
    disk = FaultyDisk()
    spool = open_spool(disk=disk)
    for body in BODIES[:2]:
        keep(spool, body)
        segment = spool.take(0, now=True)
        assert segment is not None
        if body is BODIES[0]:
            disk.failures["unlink"] = [failure(errno.EIO)]
        spool.done(segment)
    assert list(tmp_path.glob("*.otlp")) == []


# A disk that does not take what it is given


@pytest.mark.parametrize("call", ["create", "write", "sync"])
def test_what_the_disk_did_not_take_is_not_acknowledged_and_nothing_else_is_lost(open_spool: Open, call: str) -> None:
    disk = FaultyDisk()
    spool = open_spool(replace(SETTINGS, segment_bytes=1) if call == "create" else SETTINGS, disk=disk)
    acknowledged = []
    for number in range(60):
        body = trace_request(first=number + 1).SerializeToString()
        disk.failures[call] = [failure(errno.ENOSPC)] if number % 3 == 2 else []
        try:
            keep(spool, body)
        except UnavailableError:
            pass
        else:
            acknowledged.append(body)
    assert 40 <= len(acknowledged) < 60
    assert sorted(drained(open_spool())) == sorted(acknowledged)


def test_a_tail_that_cannot_be_cut_off_is_not_loaded_until_it_can(open_spool: Open) -> None:
    disk = FaultyDisk()
    spool = open_spool(disk=disk)
    keep(spool, BODIES[0])
    disk.failures = {"write": [failure(errno.EIO)], "truncate": [failure(errno.EIO)] * 5}
    with pytest.raises(UnavailableError):
        keep(spool, BODIES[1])
    assert drained(spool) == []
    assert spool.trouble == "cannot read the spool: EIO"
    disk.failures.clear()
    spool._clock.go_on(10)  # type: ignore[attr-defined]
    assert drained(spool) == BODIES[:1]


def test_a_nearly_full_disk_is_left_to_the_store(open_spool: Open) -> None:
    spool = open_spool(replace(SETTINGS, min_free_bytes=1 << 60))
    with pytest.raises(UnavailableError, match="the disk is nearly full") as refused:
        keep(spool, BODIES[0])
    assert refused.value.retry_after_s == 5
    assert "nearly full" in spool.trouble
    assert drained(spool) == []


# A disk that takes its time


def test_a_slow_disk_is_waited_for(open_spool: Open) -> None:
    spool = open_spool(disk=SlowDisk(write_s=0.2))
    before = time.monotonic()
    kept = [spool.append("traces", trace_request(first=number).SerializeToString(), resources=1) for number in range(1, 200)]
    for future in kept:
        future.result(5)
    assert time.monotonic() - before < 2


def test_a_disk_that_stands_still_holds_up_nobody_for_long_and_memory_is_bounded(open_spool: Open) -> None:
    disk = SlowDisk()
    spool = open_spool(replace(SETTINGS, spool_pending_bytes=1_000_000), disk=disk)
    disk.going.clear()
    bodies = [trace_request(first=number, note="x" * 10_000).SerializeToString() for number in range(1, 200)]
    kept = [spool.append("traces", body, resources=1) for body in bodies[:98]]
    with pytest.raises(UnavailableError, match="the disk is too slow") as refused:
        spool.append("traces", bodies[98], resources=1)
    assert refused.value.retry_after_s == 2
    while not kept[0].running():
        time.sleep(0.001)
    spool._clock.go_on(5)  # type: ignore[attr-defined]
    with pytest.raises(UnavailableError, match="the disk has not answered for 5 s"):
        spool.append("traces", BODIES[0], resources=1)
    assert spool.trouble == "the disk has not answered for 5 s"
    disk.going.set()
    for future in kept:
        future.result(5)
    keep(spool, BODIES[0])
    assert spool.trouble == ""
    assert len(drained(spool)) == len(kept) + 1


def test_a_body_whose_sender_left_before_it_was_written_is_dropped(open_spool: Open) -> None:
    disk = SlowDisk()
    spool = open_spool(disk=disk)
    disk.going.clear()
    first = spool.append("traces", BODIES[0], resources=1)
    while not first.running():
        time.sleep(0.001)
    second = spool.append("traces", BODIES[1], resources=1)
    assert second.cancel()
    disk.going.set()
    first.result(5)
    keep(spool, BODIES[2])
    assert drained(spool) == [BODIES[0], BODIES[2]]


def test_the_same_body_sent_by_many_at_once_is_kept_once_and_acknowledged_to_all(open_spool: Open) -> None:
    disk = SlowDisk()
    spool = open_spool(disk=disk)
    disk.going.clear()
    kept = [spool.append("traces", BODIES[number % 2], resources=1) for number in range(20)]
    disk.going.set()
    for future in kept:
        future.result(5)
    assert sorted(drained(spool)) == sorted(BODIES[:2])
    assert spool.counters.value("repeated_total", signal="traces") == 18


def test_a_spool_whose_disk_stands_still_can_be_closed(open_spool: Open) -> None:
    disk = SlowDisk()
    spool = open_spool(disk=disk)
    disk.going.clear()
    kept = spool.append("traces", BODIES[0], resources=1)
    spool.close(timeout_s=0.05)
    assert not kept.done()
    disk.going.set()
    kept.result(5)
    assert drained(open_spool()) == BODIES[:1]
