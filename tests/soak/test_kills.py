"""kill -9 and SIGTERM, at random moments and at chosen points: what was acknowledged is stored, and stored once."""

import random
import statistics
import time
from pathlib import Path

import pytest

from tests.soak.figures import Fault
from tests.soak.senders import Load
from tests.soak.server import Server

QUICK = {"TOLLBOOK_COLLECTOR_SEGMENT_MS": "50", "TOLLBOOK_SETTLE_SECONDS": "2"}
"""Many small segments, so that kills fall between any two steps of one."""

START_SECONDS = 3.0
"""Asserted by `make soak` alone, which has the machine to itself."""


@pytest.mark.slow
@pytest.mark.fault("R1", "kill -9 at random moments under load", "0 acknowledged lost, 0 doubled, start within 3 s")
def test_killed_at_random_moments_it_neither_loses_nor_doubles_a_span(fault: Fault, tmp_path: Path) -> None:
    moments = random.Random(7)
    kills = fault.size(2, soak=100)
    server = Server(tmp_path / "data", QUICK)
    server.start()
    load = Load(server.http_port, pause_s=0.01)
    with load.flowing():
        for _ in range(kills):
            load.until(len(load.acknowledged) + moments.randrange(5, 60))
            time.sleep(moments.random() * 0.1)
            server.kill()
            server.start()
        load.until(len(load.acknowledged) + 10)
    server.until_loaded()
    tally = load.tally(server)
    starts, cpu = server.starts[1:], server.start_cpu[1:]
    started = f"start {statistics.median(starts):.1f} s median, {max(starts):.1f} s worst, {max(cpu):.1f} CPU s worst"
    fault.found(f"{tally}; {started}", what=f"kill -9 x {kills} at random moments under load")
    server.stop()
    assert (tally.lost, tally.doubled) == (0, 0)
    assert not fault.soak or max(starts) <= START_SECONDS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "what"),
    [
        pytest.param(
            "before insert",
            "kill -9 between sync and insert",
            marks=pytest.mark.fault("R2", "kill -9 between sync and insert", "0 acknowledged lost, 0 doubled"),
        ),
        pytest.param(
            "before trim",
            "kill -9 between insert and trim",
            marks=pytest.mark.fault("R3", "kill -9 between insert and trim", "0 acknowledged lost, 0 doubled"),
        ),
    ],
)
def test_killed_at_a_chosen_point_it_neither_loses_nor_doubles_a_span(
    fault: Fault, tmp_path: Path, point: str, what: str
) -> None:
    kills = fault.size(1, soak=100)
    server = Server(tmp_path / "data", QUICK)
    load = Load(server.http_port, clients=2, pause_s=0.02)
    with load.flowing():
        for kill in range(kills):
            server.start((point, 1 + (kill + 1) % 4))
            server.until_paused()
            load.until(len(load.acknowledged) + 3)
            server.kill()
        server.start()
        load.until(len(load.acknowledged) + 5)
    server.until_loaded()
    tally = load.tally(server)
    fault.found(str(tally), what=f"{what}, x {kills}")
    server.stop()
    assert (tally.lost, tally.doubled) == (0, 0)


@pytest.mark.slow
@pytest.mark.fault("R13", "SIGTERM under load", "all acknowledged stored, status 0 within 10 s, refusals clean")
def test_terminated_under_load_it_ends_well_with_all_it_acknowledged(fault: Fault, tmp_path: Path) -> None:
    ends = fault.size(1, soak=20)
    server = Server(tmp_path / "data")
    load = Load(server.http_port, pause_s=0.01)
    seconds = []
    with load.flowing():
        for _ in range(ends):
            server.start()
            load.until(len(load.acknowledged) + 50)
            seconds.append(server.stop())
        server.start()
    server.until_loaded()
    tally = load.tally(server)
    server.stop()
    fault.found(f"{tally}; stopped in {max(seconds):.1f} s at worst, {load.bare_refusals} unclean refusals",
                what=f"SIGTERM under load, x {ends}")  # fmt: skip
    assert (tally.lost, tally.doubled, load.bare_refusals) == (0, 0, 0)
    assert max(seconds) <= 10


@pytest.mark.slow
@pytest.mark.fault("R14", "start with more in the spool than it may hold", "starts, loads it all, then takes again")
def test_a_spool_fuller_than_allowed_is_loaded_and_then_fills_again(fault: Fault, tmp_path: Path) -> None:
    server = Server(tmp_path / "data", QUICK)
    server.start(("before insert", 1))
    load = Load(server.http_port, clients=2)
    with load.flowing():
        server.until_paused()
        load.until(fault.size(50, soak=2000))
        server.kill()
        waiting = sum(path.stat().st_size for path in (server.data / "spool").glob("*.otlp"))
        server.settings = {**QUICK, "TOLLBOOK_COLLECTOR_SPOOL_MAX_BYTES": str(waiting // 4)}
        server.start()
        before = len(load.acknowledged)
        load.until(before + 5)
    server.until_loaded()
    tally = load.tally(server)
    server.stop()
    fault.found(
        f"started with {waiting / 1e6:.1f} MB of {waiting / 4e6:.1f} MB allowed; {tally}, {load.bare_refusals} unclean refusals"
    )
    assert (tally.lost, tally.doubled, load.bare_refusals) == (0, 0, 0)


@pytest.mark.fault("R16", "a second server on the same folder", "refused at once with a clear message, the first unaffected")
def test_a_second_server_is_refused_and_the_first_goes_on(fault: Fault, tmp_path: Path) -> None:
    first = Server(tmp_path / "data", QUICK)
    first.start()
    load = Load(first.http_port, clients=1, pause_s=0.01)
    with load.flowing():
        load.until(5)
        second = Server(tmp_path / "data")
        began = time.monotonic()
        second.spawn()
        status = second.process.wait(60)
        seconds = time.monotonic() - began
        load.until(len(load.acknowledged) + 5)
    first.until_loaded()
    tally = load.tally(first)
    first.stop()
    told = "is in use by tollbook up" in first.log
    fault.found(f"status {status} in {seconds:.1f} s, {'told by whom' if told else 'NOT TOLD'}; the first: {tally}")
    assert (status, told, tally.lost, tally.doubled) == (1, True, 0, 0)
