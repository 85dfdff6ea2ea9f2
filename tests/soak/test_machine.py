"""The machine under a server that is up runs short, is tampered with, recovers: nothing acknowledged is lost or doubled."""

import contextlib
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.soak.figures import Fault
from tests.soak.senders import Load
from tests.soak.server import Server

SETTINGS = {
    "TOLLBOOK_COLLECTOR_SEGMENT_MS": "100",
    "TOLLBOOK_COLLECTOR_MIN_FREE_BYTES": "0",  # so that the database runs out of space too
    "TOLLBOOK_SETTLE_SECONDS": "1",
}
DISK_MB = 600
SPARE_FILES = 3

Trouble = Callable[[Server], AbstractContextManager[None]]


@contextlib.contextmanager
def no_files(server: Server) -> Iterator[None]:
    """It may open next to no more files."""
    pid = server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    have = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (have + SPARE_FILES, before[1]))
    yield
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@contextlib.contextmanager
def no_writes(server: Server) -> Iterator[None]:
    """Every write to a file fails, as on a disk that the system made read-only after an error."""
    before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    yield
    with contextlib.suppress(ProcessLookupError):
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)


@contextlib.contextmanager
def no_rights(server: Server) -> Iterator[None]:
    """Somebody took the spool's folder away, and puts it back."""
    aside = server.data / "spool-aside"
    (server.data / "spool").rename(aside)
    yield
    with contextlib.suppress(OSError):
        (server.data / "spool").rmdir()
    aside.rename(server.data / "spool")


@contextlib.contextmanager
def standing_still(server: Server) -> Iterator[None]:
    """It is stopped, as where a machine sleeps or is moved."""
    server.process.send_signal(signal.SIGSTOP)
    yield
    server.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def hung_up(server: Server) -> Iterator[None]:
    """Whoever rotates logs or renews certificates sends SIGHUP."""
    for _ in range(5):
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.01)
    yield


TROUBLES: dict[str, Trouble] = {
    "may open no more files": no_files,
    "the spool's folder moved away": no_rights,
    "stopped and continued": standing_still,
    "SIGHUP": hung_up,
}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, stderr=subprocess.DEVNULL, check=False).returncode != 0:
        pytest.skip("a file system can only be mounted by root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.long
@pytest.mark.fault(
    "M1", "the machine runs short and recovers", "0 acknowledged lost, 0 doubled, 0 set aside, resumes alone in 30 s"
)
def test_a_machine_that_runs_short_loses_nothing(fault: Fault, disk: Path) -> None:
    rounds, seconds = fault.size(1, soak=10), fault.size(1, soak=5)
    server = Server(disk / "data", SETTINGS)
    server.start()
    load = Load(server.http_port, clients=2, pause_s=0.01)
    resumed: dict[str, float] = dict.fromkeys(TROUBLES, 0.0)
    with load.flowing():
        load.until(10)
        assert server.ask("SELECT 1") == [[1]], "all of it is imported"
        for _ in range(rounds):
            for name, trouble in TROUBLES.items():
                with trouble(server):
                    time.sleep(seconds)
                began = time.monotonic()
                load.until(len(load.acknowledged) + 5, alive=lambda: server.process.poll() is None)
                resumed[name] = max(resumed[name], time.monotonic() - began)
    server.until_loaded()
    tally, dead = load.tally(server), server.metric("dead")
    settled = server.post("/api/v1/settle", {})
    server.stop()
    worst = ", ".join(f"{name}: {taken_s:.1f} s" for name, taken_s in resumed.items())
    fault.found(f"{tally}, {dead:.0f} set aside, {load.bare_refusals} unclean refusals; taken again after {worst}",
                what=f"the machine runs short and recovers, x {rounds}")  # fmt: skip
    assert settled["spans"] >= 0
    assert (tally.lost, tally.doubled, dead, load.bare_refusals) == (0, 0, 0, 0)
    assert max(resumed.values()) <= 30


@pytest.mark.long
@pytest.mark.fault("M2", "every write to the disk fails", "the server ends, and starts again; 0 acknowledged lost, 0 doubled")
def test_a_server_whose_disk_fails_ends_before_it_loses_anything(fault: Fault, disk: Path) -> None:
    rounds = fault.size(1, soak=20)
    server = Server(disk / "data", SETTINGS)
    server.start()
    load = Load(server.http_port, clients=2, pause_s=0.01)
    ended_s = 0.0
    with load.flowing():
        for _ in range(rounds):
            load.until(len(load.acknowledged) + 20)
            began = time.monotonic()
            with no_writes(server):
                status = server.process.wait(30)
            ended_s = max(ended_s, time.monotonic() - began)
            assert status, "1, or 120 where not even that can be written"
            server.start()
        load.until(len(load.acknowledged) + 20)
    server.until_loaded()
    tally = load.tally(server)
    server.stop()
    fault.found(f"{tally}; ended within {ended_s:.1f} s", what=f"every write to the disk fails, x {rounds}")
    assert (tally.lost, tally.doubled, load.bare_refusals) == (0, 0, 0)
