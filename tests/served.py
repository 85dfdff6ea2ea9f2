"""A `tollbook up` of its own for tests that go through every door: OTLP in, the API and the CLI out."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.processes import ended, free_port


@dataclass(frozen=True)
class Served:
    """A running server."""

    data: Path
    http_port: int
    grpc_port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """Address of OTLP/HTTP, the API and the dashboard."""
        return f"http://127.0.0.1:{self.http_port}"

    def sql(self, question: str) -> list[dict[str, Any]]:
        """Rows of `tollbook sql`."""
        command = [sys.executable, "-m", "tollbook_ui.cli", "sql", question, "--data", str(self.data), "--format", "json"]
        answered = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        rows: list[dict[str, Any]] = json.loads(answered.stdout)
        return rows

    def rows(self, question: str, count: int, seconds: float = 20) -> list[dict[str, Any]]:
        """Rows of `tollbook sql`, asked again until there are `count` of them."""
        deadline = time.monotonic() + seconds
        while True:
            rows = self.sql(question)
            if len(rows) >= count or time.monotonic() > deadline:
                return rows
            time.sleep(0.3)


@contextlib.contextmanager
def served(data: Path, *options: str) -> Iterator[Served]:
    """Runs `tollbook up` on `data` and ports of its own; ends it by SIGTERM, which must end well."""
    http_port, grpc_port = free_port(), free_port()
    ports = ["--port", str(http_port), "--grpc-port", str(grpc_port)]
    command = [sys.executable, "-m", "tollbook_ui.cli", "up", "--data", str(data), *ports, "--no-dashboard", *options]
    with ended(subprocess.Popen(command, stdin=subprocess.DEVNULL)) as process:
        server = Served(data, http_port, grpc_port, process)
        try:
            _wait_until_ready(server)
            yield server
        finally:
            process.terminate()
            status = process.wait(60)
    assert status == 0, f"tollbook up ended with status {status}"


def _wait_until_ready(server: Served) -> None:
    for _ in range(900):
        if server.process.poll() is not None:
            raise RuntimeError(f"tollbook up ended with status {server.process.returncode} before it was ready")
        unready = contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError)
        with unready, urllib.request.urlopen(f"{server.url}/readyz", timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError("tollbook up was not ready within 90 s")
