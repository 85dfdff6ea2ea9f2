"""Row 3: the CPU of an instrumented call, ours against OpenTelemetry's stock SDK and the peers, each in its own environment."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import peers, systems
from benchmarks.figures import Line, Result, Series
from benchmarks.peers import PeerMissingError, PeerName

PROGRAM = Path(__file__).with_name("instrumented.py")
RUN_SECONDS = 300
STORED_SECONDS = 60
LOOP, STOCK, OURS, DECORATED = "nothing", "stock", "tollbook", "tollbook_call"
PEERS: Mapping[str, PeerName] = {
    "openlit": "openlit",
    "traceloop": "traceloop",
    "logfire": "logfire",
    "langfuse": "langfuse",
    "mlflow": "mlflow_tracing",
    "phoenix": "phoenix_otel",
}
PROTOCOL = """Calls of a function that does nothing, each a span of twelve attributes, exported to `tollbook up` on this machine;
200 calls, a pause of 20 ms, and so on, all of it delivered at the end. CPU time from the kernel for the calling thread and
the whole process, per span that was stored, less what the loop takes without an SDK. Queues hold 100,000 spans, so that nobody
drops any. In turns, a new process each."""


class Called(NamedTuple):
    """What a call took under one SDK, in µs of CPU."""

    thread_us: float
    process_us: float
    stored: int
    expected: int


def run(rounds: int, calls: int) -> Result:
    """Measures all of them, round by round in turns."""
    found: dict[str, list[Called]] = {}
    missing: dict[str, str] = {}
    with systems.tollbook({"TOLLBOOK_SETTLE_SECONDS": "0"}) as server:
        systems.ready(server)
        for number in range(rounds):
            for name in (LOOP, STOCK, OURS, DECORATED, *PEERS):
                if name in missing:
                    continue
                try:
                    called = _called(server, name, calls, f"{name}-{number}")
                except PeerMissingError as error:
                    missing[name] = str(error).splitlines()[-1][:120] if str(error) else "does not run here"
                else:
                    found.setdefault(name, []).append(called)
    return Result("SDK", PROTOCOL, _lines(found, missing), _notes(found))


def _called(server: systems.System, name: str, calls: int, service: str) -> Called:
    python = peers.environment(PEERS[name]) / "bin" / "python" if name in PEERS else Path(sys.executable)
    before = server.spans()
    command = [str(python), str(PROGRAM), name, f"http://127.0.0.1:{server.port}", str(calls), service]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise PeerMissingError(f"did not end within {RUN_SECONDS} s") from error
    if done.returncode:
        raise PeerMissingError(done.stderr.strip())
    said = json.loads(done.stdout.strip().splitlines()[-1])
    expected = calls + int(said["warm"])
    stored = 0 if name == LOOP else server.wait_quiet(before + expected, 3, STORED_SECONDS)[0] - before
    share = 1.0 if name == LOOP else stored / expected
    if not share:
        raise PeerMissingError("none of its spans arrived")
    return Called(said["thread_us"] / share, said["process_us"] / share, stored, expected)


def _lines(found: Mapping[str, Sequence[Called]], missing: Mapping[str, str]) -> list[Line]:
    """Ours against the stock SDK with targets, then the decorated call against each peer's."""
    series = {name: (_less(found, name, 0), _less(found, name, 1)) for name in found if name != LOOP}
    whole, caller = "CPU per exported 12-attribute span, all threads", "the same, the caller's thread"
    lines = []
    if OURS in series and STOCK in series:
        lines += [
            Line("3", whole, "µs", series[OURS][1], "OpenTelemetry", series[STOCK][1], rule="times at most", target=0.25),
            Line("3", caller, "µs", series[OURS][0], "OpenTelemetry", series[STOCK][0], rule="times at most", target=1 / 3),
        ]
    for name in PEERS:
        theirs = series.get(name)
        ours = series[DECORATED][1] if DECORATED in series else Series((0.0,))
        figure = "CPU of a decorated call, all threads"
        peer = theirs[1] if theirs else None
        lines.append(Line("3", figure, "µs", ours, name, peer, missing.get(name, ""), rule="times at most", target=1))
    return lines


def _less(found: Mapping[str, Sequence[Called]], name: str, which: int) -> Series:
    """The figures of each round, without what the loop took in it."""
    pairs = zip(found[name], found[LOOP], strict=False)
    return Series(tuple(float(called[which]) - float(loop[which]) for called, loop in pairs))


def _notes(found: Mapping[str, Sequence[Called]]) -> list[str]:
    return [
        f"{name}: thread {', '.join(f'{called.thread_us:.1f}' for called in all_called)} µs; process "
        f"{', '.join(f'{called.process_us:.1f}' for called in all_called)} µs; stored "
        f"{', '.join(f'{called.stored:,} of {called.expected:,}' for called in all_called)}"
        for name, all_called in found.items()
    ]
