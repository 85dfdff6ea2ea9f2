"""A real ClickHouse server for tests: the engine of the chdb wheel, listening in a process of its own.

A private call of the pinned wheel, so for tests only. Writing to the fifo ends it.
"""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

CONFIG = """
<clickhouse>
    <listen_host>127.0.0.1</listen_host>
    <http_port>{http_port}</http_port>
    <tcp_port>{tcp_port}</tcp_port>
</clickhouse>
"""
LISTEN = """
SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP;
SELECT count() FROM file('{fifo}', 'LineAsString', 'line String') FORMAT Null
"""


@contextlib.contextmanager
def clickhouse_server(folder: Path) -> Iterator[str]:
    """Runs a server with its data in `folder` and gives its URL."""
    http_port, tcp_port = _free_port(), _free_port()
    fifo = folder / "stop"
    os.mkfifo(fifo)
    (folder / "config.xml").write_text(CONFIG.format(http_port=http_port, tcp_port=tcp_port))
    call = f"import chdb._chdb as c; c.query({LISTEN.format(fifo=fifo)!r}, 'TabSeparated', path={str(folder / 'data')!r})"
    process = subprocess.Popen([sys.executable, "-c", call], cwd=folder, stdin=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{http_port}/ping", process)
        yield f"http://default@127.0.0.1:{http_port}/default"
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def _wait_for(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode} before it listened")
        with contextlib.suppress(urllib.error.URLError, ConnectionError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError("the server did not listen within 30 s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
