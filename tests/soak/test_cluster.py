"""Two shards, two collectors, clients that go to the other collector when one does not answer: every span once, whoever dies.

Every tenth body is taken by one collector, its answer lost, and sent to the other: both have it in their spools.
"""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tollbook_attribution import settle
from tollbook_schema.store import Store

from tests.clickhouse_server import CLUSTER, clickhouse_cluster, cluster_url
from tests.processes import free_port
from tests.soak.figures import Fault
from tests.soak.senders import RETRY_SECONDS, Load

START_SECONDS = 90


@dataclass
class Collector:
    """A `tollbook collect` that can be killed and started again on its folder and port."""

    data: Path
    url: str
    port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes]" = field(init=False)

    def start(self) -> None:
        settings = {
            "TOLLBOOK_CLICKHOUSE_URL": self.url,
            "TOLLBOOK_CLICKHOUSE_CLUSTER": CLUSTER,
            "TOLLBOOK_COLLECTOR_SEGMENT_MS": "100",
        }
        command = [sys.executable, "-m", "tollbook_ui.cli", "collect", "--data", str(self.data), "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--grpc-port", "-1"], env=os.environ | settings, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.alive():
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            time.sleep(0.02)

    @property
    def log(self) -> Path:
        return self.data.with_suffix(".log")

    def alive(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        return False

    def kill(self) -> None:
        self.process.kill()
        assert self.process.wait(20) == -signal.SIGKILL

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(30) == 0, self.log.read_text()[-2000:]

    def waiting(self) -> int:
        """Segments that are not in the store yet."""
        return len(list((self.data / "spool").glob("*.otlp")))


LOST_ANSWERS = 10
"""One answer in so many is lost."""


class Failover(Load):
    """Clients that send a body that got no answer to the other collector, as a load balancer or an agent does."""

    def __init__(self, ports: list[int], **options: Any) -> None:
        super().__init__(ports[0], **options)
        self._ports = ports
        self.sent_twice = 0
        """Bodies that one collector acknowledged, unheard, before the other got them."""

    def _send_for_ever(self) -> None:
        with contextlib.ExitStack() as stack:
            ways = [stack.enter_context(self._way(port)) for port in self._ports]
            while not self._stopping.is_set():
                number, content = self._next()
                way = number % len(ways)
                if number % LOST_ANSWERS == 0:
                    heard_by_one = self._send(ways[way], content) == 200
                    way = (way + 1) % len(ways)
                    with self._lock:
                        self.sent_twice += heard_by_one
                while self._send(ways[way], content) != 200:
                    way = (way + 1) % len(ways)
                    if self._stopping.wait(RETRY_SECONDS):
                        return
                with self._lock:
                    self.acknowledged.add(number)
                self._stopping.wait(self._pause_s)

    @staticmethod
    def _way(port: int) -> "contextlib.closing[http.client.HTTPConnection]":
        return contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30))


@dataclass
class Asked:
    """The store, asked as a server of the fault suite is."""

    store: Store

    def ask(self, question: str) -> Any:
        return self.store.table(question).rows


@pytest.fixture
def collectors(tmp_path: Path) -> Iterator[tuple[Store, list[Collector], list[Any]]]:
    with clickhouse_cluster(tmp_path / "nodes") as nodes:
        url = cluster_url(nodes, "tollbook")
        pair = [Collector(tmp_path / f"collector-{number}", url) for number in (1, 2)]
        store = Store.open(url=url, cluster=CLUSTER)
        try:
            for collector in pair:
                collector.start()
            yield store, pair, nodes
        finally:
            for collector in pair:
                if collector.process.poll() is None:
                    collector.kill()
            store.close()


@pytest.mark.slow
@pytest.mark.fault("K1", "one of two collectors killed under load, on a cluster of two shards", "0 lost, each found once")
def test_a_killed_collector_loses_and_doubles_nothing_on_a_cluster(
    fault: Fault, collectors: tuple[Store, list[Collector], list[Any]]
) -> None:
    store, (first, second), _ = collectors
    away_s = fault.size(3, soak=60)
    load = Failover([first.port, second.port], clients=4, pause_s=0.005)
    with load.flowing():
        load.until(60)
        first.kill()
        time.sleep(away_s)
        load.until(len(load.acknowledged) + 60)
        first.start()
        load.until(len(load.acknowledged) + 60)
    wait_until_loaded(first, second)
    tally = load.tally(Asked(store))  # type: ignore[arg-type]  # it is asked in the same way
    shares = [row["n"] for row in store.query("SELECT count() AS n FROM spans GROUP BY _shard_num ORDER BY n")]
    fault.found(f"{tally}; away {away_s} s, {load.sent_twice} bodies sent to both; shards hold {shares}")
    assert (tally.lost, tally.doubled) == (0, 0)
    assert len(shares) == 2
    assert settle(store).spans == tally.stored
    for collector in (first, second):
        collector.stop()


@pytest.mark.slow
@pytest.mark.fault("K2", "one of two shards killed under load", "0 lost, each found once, the other shard loads on")
def test_a_killed_shard_loses_and_doubles_nothing(fault: Fault, collectors: tuple[Store, list[Collector], list[Any]]) -> None:
    store, (first, second), nodes = collectors
    away_s = fault.size(3, soak=60)
    load = Failover([first.port, second.port], clients=4, pause_s=0.005)
    with load.flowing():
        load.until(60)
        nodes[1].kill()
        before = here(store)
        time.sleep(away_s)
        load.until(len(load.acknowledged) + 60)
        wait_until(lambda: here(store) > before)
        loaded_on = here(store) - before
        nodes[1].start(nodes)
    wait_until_loaded(first, second)
    tally = load.tally(Asked(store))  # type: ignore[arg-type]  # it is asked in the same way
    fault.found(f"{tally}; away {away_s} s, in which the other shard took {loaded_on:,} spans")
    assert (tally.lost, tally.doubled) == (0, 0)


def here(store: Store) -> int:
    """Spans on the first shard."""
    return int(store.shard(0).query("SELECT count() AS n FROM spans_local")[0]["n"])


def wait_until_loaded(*collectors: Collector) -> None:
    """Segments that failed while a shard was away are tried again after as long as they failed."""
    wait_until(lambda: not any(collector.waiting() for collector in collectors), seconds=600)


def wait_until(happened: Any, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)
