"""kill -9: what was acknowledged is stored, and stored once. The oracle counts acknowledged spans, a SELECT stored ones."""

import itertools
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.collector.conftest import trace_request

PROCESS = Path(__file__).with_name("collector_process.py")
COUNT = """
import sys
from pathlib import Path
from tollbook_schema.store import Store
store = Store.open(Path(sys.argv[1]))
for row in store.query("SELECT hex(span_id) AS s, count() AS n FROM spans GROUP BY s"):
    print(int(row["s"], 16), row["n"])
store.close()
"""
SPANS = 5


class Sender(threading.Thread):
    """A client: sends a body until it is acknowledged, then the next one."""

    def __init__(self, ports: list[int], firsts: Iterator[int]) -> None:
        super().__init__(daemon=True)
        self.ports = ports
        self.firsts = firsts
        self.acknowledged: list[int] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        with httpx.Client(timeout=5, headers={"content-type": "application/x-protobuf"}) as client:
            while not self.stopping.is_set():
                first = next(self.firsts) * SPANS + 1
                body = trace_request(SPANS, first=first).SerializeToString()
                while not self.acknowledges(client, body):
                    time.sleep(0.02)
                self.acknowledged.append(first)

    def acknowledges(self, client: httpx.Client, body: bytes) -> bool:
        try:
            answer = client.post(f"http://127.0.0.1:{self.ports[-1]}/v1/traces", content=body)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200


def start(data: Path) -> tuple["subprocess.Popen[str]", int]:
    process = subprocess.Popen([sys.executable, str(PROCESS), str(data)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def stop(process: "subprocess.Popen[str]", how: signal.Signals) -> int:
    process.send_signal(how)
    code = process.wait(20)
    assert process.stdout is not None
    process.stdout.close()
    return code


@pytest.mark.slow
def test_killed_at_random_moments_it_neither_loses_nor_doubles_a_span(tmp_path: Path) -> None:
    moments = random.Random(7)
    process, port = start(tmp_path)
    ports = [port]
    firsts = itertools.count()
    senders = [Sender(ports, firsts) for _ in range(3)]
    for sender in senders:
        sender.start()
    for _ in range(5):
        enough = sum(len(sender.acknowledged) for sender in senders) + moments.randrange(20, 200)
        deadline = time.monotonic() + 60
        while sum(len(sender.acknowledged) for sender in senders) < enough:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        assert stop(process, signal.SIGKILL) == -signal.SIGKILL
        process, port = start(tmp_path)
        ports.append(port)
    for sender in senders:
        sender.stopping.set()
    for sender in senders:
        sender.join(20)
    deadline = time.monotonic() + 60
    while list((tmp_path / "spool").glob("*.otlp")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert stop(process, signal.SIGTERM) == 0
    acknowledged = Counter(first + number for sender in senders for first in sender.acknowledged for number in range(SPANS))
    counted = subprocess.run([sys.executable, "-c", COUNT, str(tmp_path)], stdout=subprocess.PIPE, text=True, check=True).stdout
    stored = Counter({int(line.split()[0]): int(line.split()[1]) for line in counted.splitlines()})
    assert len(acknowledged) > 5 * 20 * SPANS
    assert stored == acknowledged
    assert not list((tmp_path / "spool").glob("*.otlp"))
