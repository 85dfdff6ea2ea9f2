"""Faults of the disk, each with its figure: torn tails, flipped bits, no space, syncs that fail, a disk that stands still."""

import errno
import os
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx2 as httpx
import pytest
from tollbook_collector import segment as segments
from tollbook_collector import spool as spool_module
from tollbook_collector.disk import DISK, Disk
from tollbook_collector.errors import UnavailableError
from tollbook_collector.folder import Segment
from tollbook_collector.settings import Settings
from tollbook_collector.spool import Spool
from tollbook_schema.store import Signal, Store, StoreUnavailableError

from tests.collector.conftest import Running, run, trace_request
from tests.collector.played import FaultyDisk, FlakyDisk, PlayedClock, SlowDisk, failure
from tests.soak.figures import Fault

SETTINGS = Settings(segment_ms=60_000, min_free_bytes=0)
PROTOBUF = {"content-type": "application/x-protobuf"}
BODIES = [trace_request(15, first=100 * number).SerializeToString() for number in range(1, 6)]


def opened(folder: Path, disk: Disk = DISK) -> Spool:
    return Spool(folder, SETTINGS, disk=disk, clock=PlayedClock())


def segment_of_bodies(folder: Path) -> tuple[Path, bytes]:
    """A segment with BODIES that a collector left, and its bytes."""
    spool = opened(folder)
    for body in BODIES:
        spool.append("traces", body, resources=1).result(5)
    spool.close()
    (path,) = folder.glob("*.otlp")
    return path, path.read_bytes()


def place_anew(path: Path, content: bytes) -> None:
    """Puts a segment into a folder that does not know its bodies."""
    for log in (path.parent / "seen").iterdir():
        log.unlink()
    path.write_bytes(content)


def drained(spool: Spool) -> list[bytes]:
    """All bodies in the spool, which is closed then; what a loader is given holds nothing else."""
    found: list[bytes] = []
    while (segment := spool.take(0, now=True)) is not None:
        found += bodies_of(segment)
        spool.done(segment)
    spool.close()
    return found


def bodies_of(segment: Segment) -> list[bytes]:
    """All of a segment that was taken; it must hold nothing but whole records."""
    content = segments.InMemory(segment.path.read_bytes())
    records = list(segments.scan(segment.signal, content))
    assert all(isinstance(record, segments.Record) for record in records)
    return [content.read(record.body, record.end) for record in records if isinstance(record, segments.Record)]


@pytest.mark.fault("R4", "torn tail, cut anywhere in the last record", "starts every time, loses the last record at most")
def test_a_torn_tail_is_cut_off_wherever_it_tore(fault: Fault, tmp_path: Path) -> None:
    path, whole = segment_of_bodies(tmp_path)
    last = len(BODIES[-1]) + segments.frame_bytes("default")
    cuts = range(1, last, fault.size(9, soak=1))
    for cut in cuts:
        place_anew(path, whole[:-cut])
        spool = opened(tmp_path)
        assert drained(spool) == BODIES[:-1], cut
        assert not (tmp_path / "damaged").exists()
        assert spool.counters.value("torn_total") == 1
    fault.found(f"{len(cuts):,} cuts, {len(cuts):,} starts, 4 of 4 whole records found each time")
    assert len(cuts) >= fault.size(50, soak=1000)


@pytest.mark.fault("R5", "one bit flipped anywhere in a segment", "that record set aside and counted, all others found")
@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "open"])
def test_one_flipped_bit_costs_one_record_and_is_counted(fault: Fault, tmp_path: Path, sealed: bool) -> None:
    path, whole = segment_of_bodies(tmp_path)
    index = path.with_suffix(".index").read_bytes()
    chance = random.Random(5)
    flips, counted = fault.size(60, soak=1000), 0
    for _ in range(flips):
        flipped = bytearray(whole)
        place = chance.randrange(len(whole) - len(BODIES[-1]) - segments.frame_bytes("default"))
        flipped[place] ^= 1 << chance.randrange(8)
        place_anew(path, flipped)
        if sealed:
            path.with_suffix(".index").write_bytes(index)
        spool = opened(tmp_path)
        found = drained(spool)
        counted += int(spool.counters.value("damaged_total") + spool.counters.value("torn_total"))
        assert len(found) == 4, place
        assert [body for body in BODIES if body in found] == found, place
    fault.found(
        f"{flips:,} flips, {counted:,} counted, the 4 others found each time",
        what=f"{'a sealed' if sealed else 'an open'} segment",
    )
    assert counted == flips
    assert len(list((tmp_path / "damaged").glob("*.reason"))) == len(list((tmp_path / "damaged").glob("*.bin"))) > 0


@pytest.mark.fault("R7", "a sync that fails once", "its senders refused, its segment never written again, all else found once")
def test_a_sync_that_failed_is_never_trusted_again(fault: Fault, tmp_path: Path) -> None:
    disk = FaultyDisk()
    spool = opened(tmp_path, disk)
    refused, acknowledged = 0, []
    rounds = fault.size(30, soak=1000)
    for number in range(1, rounds + 1):
        before = set(tmp_path.glob("*.otlp"))
        disk.failures["sync"] = [failure(errno.EIO)] if number % 3 == 0 else []
        body = trace_request(first=number).SerializeToString()
        try:
            spool.append("traces", body, resources=1).result(5)
        except UnavailableError:
            refused += 1
            spool.append("traces", body, resources=1).result(5)
            assert set(tmp_path.glob("*.otlp")) - before
        acknowledged.append(body)
    found = Counter(drained(spool))
    fault.found(
        f"{refused:,} syncs failed: {refused:,} refused, {len(found):,} of {rounds:,} found, {max(found.values())} time each"
    )
    assert refused == rounds // 3
    assert found == Counter(acknowledged)


@dataclass
class Traffic:
    """Threads that send to a spool and load from it."""

    spool: Spool
    acknowledged: list[bytes] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)
    loaded: list[bytes] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    def send(self, client: int) -> None:
        """Sends a body until it is acknowledged, then the next one."""
        number = 0
        while not self.ending.is_set():
            number += 1
            body = trace_request(first=client * 10**9 + number).SerializeToString()
            while not self.kept(body):
                self.refused.append(body)
            self.acknowledged.append(body)

    def kept(self, body: bytes) -> bool:
        try:
            self.spool.append("traces", body, resources=1).result(10)
        except UnavailableError:
            return False
        return True

    def load(self, chance: random.Random) -> None:
        """Loads segments, or puts them back."""
        while not (self.ending.is_set() and self.spool.empty):
            segment = self.spool.take(0.02, now=chance.random() < 0.5 or self.ending.is_set())
            if segment is not None and chance.random() < 0.3:
                self.spool.put_back(segment, suspect=chance.random() < 0.5)
            elif segment is not None:
                self.loaded.extend(bodies_of(segment))
                self.spool.done(segment)

    def flow(self, seconds: float) -> None:
        """Sends and loads for a time, then loads what is left."""
        threads = [threading.Thread(target=self.send, args=(client,)) for client in range(8)]
        threads += [threading.Thread(target=self.load, args=(random.Random(seed),)) for seed in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.ending.set()
        for thread in threads:
            thread.join(60)


@pytest.mark.fault("R7", "one call of the disk in fifty fails, eight senders, three loaders", "0 acknowledged lost, 0 doubled")
def test_threads_over_a_flaky_disk_neither_lose_nor_double_a_body(
    fault: Fault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool_module, "FIRST_RETRY_S", 0.01)
    monkeypatch.setattr(spool_module, "LONGEST_RETRY_S", 0.05)
    spool = Spool(tmp_path, Settings(segment_ms=0, segment_bytes=3000, min_free_bytes=0), disk=FlakyDisk())
    traffic = Traffic(spool)
    traffic.flow(fault.size(3, soak=30))
    spool.close()
    found = Counter(traffic.loaded)
    lost, doubled = set(traffic.acknowledged) - set(found), [body for body, times in found.items() if times > 1]
    told = f"{len(traffic.acknowledged):,} acknowledged, {len(traffic.refused):,} refused"
    fault.found(f"{told}: {len(lost)} lost, {len(doubled)} doubled")
    assert len(traffic.refused) > 10
    assert (lost, doubled) == (set(), [])


class Away:
    """A store that can be reached when it is told to be."""

    embedded = True

    def __init__(self, store: Store) -> None:
        self.store = store
        self.away = True

    def ping(self) -> bool:
        return not self.away

    def load(self, signal: Signal, segment: Path, token: str, received_at: datetime) -> None:
        if self.away:
            raise StoreUnavailableError("connection refused")
        self.store.load(signal, segment, token, received_at)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        pytest.skip("a file system of 8 MB can only be mounted by root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.fault("R6", "no space left", "503 with Retry-After in 1 s, 0 acknowledged lost, resumes alone in 10 s")
def test_a_disk_without_space_refuses_at_once_and_resumes_alone(fault: Fault, store: Store, small_disk: Path) -> None:
    ballast, away = small_disk / "ballast", Away(store)
    ballast.write_bytes(bytes(3_000_000))
    settings = Settings(grpc_port=-1, min_free_bytes=0, segment_ms=50)
    for running in run(store, small_disk / "spool", settings):
        running.collector._loader._store = away  # type: ignore[union-attr, assignment]
        acknowledged, refusal, refused_s = _sent_until_refused(running)
        ballast.unlink()
        before = time.monotonic()
        while _post(running, 9_000).status_code != 200:
            assert time.monotonic() - before < 10
            time.sleep(0.05)
        resumed_s = time.monotonic() - before
        away.away = False
        running.wait()
    stored = store.query("SELECT count() AS n, uniqExact(span_id) AS ids FROM spans")[0]
    fault.found(
        f"{refusal.status_code} in {refused_s:.2f} s, resumed in {resumed_s:.1f} s, {stored['n']} of {acknowledged + 1} stored"
    )
    assert (refusal.status_code, refusal.headers["retry-after"]) == (503, "5")
    assert refused_s < 1
    assert (stored["n"], stored["ids"]) == (acknowledged + 1, acknowledged + 1)


def _sent_until_refused(running: Running) -> tuple[int, httpx.Response, float]:
    for number in range(1, 1000):
        before = time.monotonic()
        answer = _post(running, number)
        if answer.status_code != 200:
            return number - 1, answer, time.monotonic() - before
    raise AssertionError("the disk took it all")


def _post(running: Running, number: int) -> httpx.Response:
    with httpx.Client(timeout=20) as client:
        return client.post(f"{running.http}/v1/traces", content=_body(number, 200_000), headers=PROTOBUF)


def _body(number: int, size: int) -> bytes:
    return trace_request(first=number, note="x" * size).SerializeToString()


@pytest.mark.fault("R8", "writes take 200 ms, then none for 8 s", "acknowledged or 503 in < 5 s, < 64 MB of bodies wait")
def test_a_disk_that_stands_still_holds_up_nobody_for_long(fault: Fault, store: Store, tmp_path: Path) -> None:
    still_s = fault.size(2, soak=8)
    disk = SlowDisk(write_s=0.2)
    settings = Settings(grpc_port=-1, min_free_bytes=0, ack_timeout_ms=fault.size(1000, soak=4500))
    waited_s, statuses, waiting_bytes = list[float](), Counter[int](), list[float]()
    for running in run(store, tmp_path / "spool", settings, disk=disk):
        ending = threading.Event()

        def send(first: int, running: Running = running, ending: threading.Event = ending) -> None:
            with httpx.Client(timeout=20) as client:
                for number in range(first, first + 10_000):
                    body, before = _body(number, 50_000), time.monotonic()
                    answer = client.post(f"{running.http}/v1/traces", content=body, headers=PROTOBUF)
                    waited_s.append(time.monotonic() - before)
                    statuses[answer.status_code] += 1
                    if ending.wait(0.05):
                        break

        senders = [threading.Thread(target=send, args=(10_000 * client + 1,)) for client in range(fault.size(8, soak=40))]
        for sender in senders:
            sender.start()
        while not statuses[200]:
            time.sleep(0.01)
        disk.going.clear()
        for _ in range(still_s * 10):
            time.sleep(0.1)
            waiting_bytes.append(_sample(running, "spool_pending_bytes"))
        disk.going.set()
        time.sleep(1)
        ending.set()
        for sender in senders:
            sender.join(20)
        running.wait()
    stored = store.query("SELECT count() AS n, uniqExact(span_id) AS ids FROM spans")[0]
    most = max(waiting_bytes) / 1e6
    fault.found(f"{statuses[200]} acknowledged, {statuses[503]} refused, in {max(waited_s):.2f} s at most; {most:.1f} MB waited")
    assert max(waited_s) < fault.size(3, soak=5)
    assert most < 64
    assert set(statuses) == {200, 503}
    assert stored["n"] == stored["ids"] >= statuses[200]


def _sample(running: Running, name: str) -> float:
    return next(sample.value for sample in running.collector._spool.samples() if sample.name == name)  # type: ignore[union-attr]
