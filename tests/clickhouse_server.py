"""Real ClickHouse servers for tests: the engine of the chdb wheel, listening in processes of their own, alone or as a cluster.

A private call of the pinned wheel, so for tests only.
"""

import contextlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.processes import free_port

CONFIG = """
<clickhouse>
    <listen_host>127.0.0.1</listen_host>
    <http_port>{http_port}</http_port>
    <tcp_port>{tcp_port}</tcp_port>
    <remote_servers><{cluster}>{shards}</{cluster}></remote_servers>
</clickhouse>
"""
SHARD = "<shard><replica><host>127.0.0.1</host><port>{port}</port></replica></shard>"
LISTEN = """
SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP;
SELECT count() FROM file('{fifo}', 'LineAsString', 'line String') FORMAT Null
"""
CLUSTER = "two_shards"


class Server:
    """One server with its data in a folder: started, killed and started again on the same ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.http_port, self.tcp_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://default@127.0.0.1:{self.http_port}/default"

    def start(self, nodes: Sequence["Server"] = ()) -> None:
        """Starts it and waits until it answers; `nodes` are the shards of the cluster that it is one of."""
        fifo = self.folder / "stop"
        if not fifo.exists():
            os.mkfifo(fifo)
        shards = "".join(SHARD.format(port=node.tcp_port) for node in nodes or (self,))
        ports = {"http_port": self.http_port, "tcp_port": self.tcp_port}
        (self.folder / "config.xml").write_text(CONFIG.format(cluster=CLUSTER, shards=shards, **ports))
        data = self.folder / "data"
        call = f"import chdb._chdb as c; c.query({LISTEN.format(fifo=fifo)!r}, 'TabSeparated', path={str(data)!r})"
        self._process = subprocess.Popen([sys.executable, "-c", call], cwd=self.folder, stdin=subprocess.DEVNULL)
        _wait_for(f"http://127.0.0.1:{self.http_port}/ping", self._process)

    def kill(self) -> None:
        """Ends it at once, as a loss of its machine would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None


@contextlib.contextmanager
def clickhouse_server(folder: Path) -> Iterator[str]:
    """Runs a server with its data in `folder` and gives its URL."""
    server = Server(folder)
    try:
        server.start()
        yield server.url
    finally:
        server.kill()


@contextlib.contextmanager
def clickhouse_cluster(folder: Path, shards: int = 2) -> Iterator[list[Server]]:
    """Runs a cluster named CLUSTER of so many shards, each one server."""
    nodes = []
    for number in range(shards):
        (folder / f"node-{number}").mkdir(parents=True)
        nodes.append(Server(folder / f"node-{number}"))
    try:
        for node in nodes:
            node.start(nodes)
        yield nodes
    finally:
        for node in nodes:
            node.kill()


def cluster_url(nodes: Sequence[Server], database: str = "default") -> str:
    """The URL that names all nodes."""
    return f"http://default@{','.join(f'127.0.0.1:{node.http_port}' for node in nodes)}/{database}"


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(900):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode} before it listened")
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError("the server did not listen within 90 s")
