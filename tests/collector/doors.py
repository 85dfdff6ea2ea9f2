"""A collector's two doors under attack: how much memory and how many files they hold, and how long a legitimate sender waits."""

import contextlib
import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.collector.conftest import trace_request
from tests.soak.figures import Fault

PROTOBUF = {"content-type": "application/x-protobuf"}
TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@dataclass
class Doors:
    """A process with both doors."""

    process: "subprocess.Popen[str]"
    http: int
    grpc: int
    quiet: int = 0
    """Files it has open while nobody is connected."""

    def post(self, body: bytes, path: str = "/v1/traces", **headers: str) -> tuple[int, bytes]:
        """Status and answer to one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=60)
        with contextlib.closing(connection):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("POST", path, body, PROTOBUF | named)
            response = connection.getresponse()
            return response.status, response.read()

    def rss_mb(self) -> float:
        return psutil.Process(self.process.pid).memory_info().rss / 1e6

    def peak_mb(self) -> float:
        """Highest memory since `forget_peak`."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024 / 1e6

    def forget_peak(self) -> float:
        """Begins to watch the highest memory anew; the memory now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self.rss_mb()

    def cpu_s(self) -> float:
        return sum(psutil.Process(self.process.pid).cpu_times()[:2])

    def files(self) -> int:
        return psutil.Process(self.process.pid).num_fds()

    def strangers(self) -> int:
        """Connections beside the two that a legitimate sender may have."""
        return max(0, self.files() - self.quiet - 2)

    def wait_for(self, strangers: range, seconds: float) -> float:
        """Seconds until that many are connected; all of them, where it never comes to that."""
        began = time.monotonic()
        while self.strangers() not in strangers and time.monotonic() - began < seconds:
            time.sleep(0.02)
        return time.monotonic() - began


@contextlib.contextmanager
def opened(spool: Path, patience: float = 1.0, connections: int = 8192) -> Iterator[Doors]:
    """Both doors, open and warm."""
    command = [sys.executable, "-m", "tests.collector.door_process", str(spool), str(patience), str(connections)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        http_port, grpc_port = process.stdout.readline().split()
        doors = Doors(process, int(http_port), int(grpc_port))
        for number in range(20):
            doors.post(trace_request(5, first=1 + number * 5).SerializeToString())
        doors.quiet = doors.files()
        yield doors
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass
class Waits:
    """How long each legitimate request waited, and those that were not taken."""

    ms: list[float] = field(default_factory=list)
    refused: list[object] = field(default_factory=list)

    @property
    def p99_ms(self) -> float:
        return sorted(self.ms)[int(len(self.ms) * 0.99)]

    def __str__(self) -> str:
        return f"p99 {self.p99_ms:.0f} ms of {len(self.ms)} legitimate, {len(self.refused)} refused"


def late_ms(fault: Fault, limit_ms: float) -> float:
    """The limit where the machine is ours; four times as much where other tests have half of it."""
    return limit_ms if fault.soak else 4 * limit_ms


@contextlib.contextmanager
def legitimate(doors: Doors, every_s: float = 0.02) -> Iterator[Waits]:
    """A sender that goes on while the block runs, each body on a new connection."""
    waits, over = Waits(), threading.Event()

    def send() -> None:
        number = 1_000_000
        while not over.wait(every_s):
            number += 1
            began = time.perf_counter()
            try:
                status, _ = doors.post(trace_request(1, first=number).SerializeToString())
            except OSError as error:
                waits.refused.append(error)
                continue
            waits.ms.append((time.perf_counter() - began) * 1000)
            if status != 200:
                waits.refused.append(status)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield waits
        while thread.is_alive() and len(waits.ms) + len(waits.refused) < 10:
            time.sleep(0.01)
    finally:
        over.set()
        thread.join()
