"""A `tollbook up` that can be killed and started again on its folder and ports, and can stop dead at a point of our choice."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.processes import free_port

START_SECONDS = 90
"""For a start on a machine that is busy with other tests."""

ANSWER_SECONDS = 600
"""A backup waits for a settlement that runs."""


@dataclass
class Server:
    """One folder, one process after another."""

    data: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    """Environment variables on top of this process's own."""
    http_port: int = field(default_factory=free_port)
    grpc_port: int = field(default_factory=free_port)
    starts: list[float] = field(default_factory=list)
    """Seconds that each start took until it was ready."""
    start_cpu: list[float] = field(default_factory=list)
    """CPU seconds that each start took, which a busy machine does not lengthen."""
    process: "subprocess.Popen[bytes]" = field(init=False)

    @property
    def log(self) -> str:
        """What all its processes said."""
        return self.data.with_suffix(".log").read_text()

    def start(self, pause: tuple[str, int] | None = None) -> None:
        """Starts it and waits until it is ready; with `pause` it stops dead the nth time it comes to a point of `paused.py`."""
        began = time.monotonic()
        self.spawn(pause)
        self.until_ready()
        self.starts.append(time.monotonic() - began)
        self.start_cpu.append(sum(psutil.Process(self.process.pid).cpu_times()[:2]))

    def spawn(self, pause: tuple[str, int] | None = None, *options: str) -> None:
        """Starts it without waiting."""
        self._reached.unlink(missing_ok=True)
        module = ["tests.soak.paused", pause[0], str(pause[1]), str(self._reached)] if pause else ["tollbook_ui.cli"]
        ports = ("--port", str(self.http_port), "--grpc-port", str(self.grpc_port))
        command = [sys.executable, "-m", *module, "up", "--data", str(self.data), *ports, "--no-dashboard", *options]
        with self.data.with_suffix(".log").open("ab") as log:
            environment = os.environ | dict(self.settings)
            self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def until_ready(self) -> None:
        """Waits until it says that it is ready."""
        deadline = time.monotonic() + START_SECONDS
        while self.get("/healthz")[0] != 200:
            assert self.process.poll() is None, f"it ended with status {self.process.returncode}: {self.log[-2000:]}"
            assert time.monotonic() < deadline, f"it did not start: {self.log[-2000:]}"
            time.sleep(0.01)

    def until_paused(self) -> None:
        """Waits until it stopped dead at its point."""
        deadline = time.monotonic() + START_SECONDS
        while not self._reached.exists():
            assert self.process.poll() is None, f"it ended with status {self.process.returncode}: {self.log[-2000:]}"
            assert time.monotonic() < deadline, "it never came to the point"
            time.sleep(0.005)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        assert self.process.wait(20) == -signal.SIGKILL

    def stop(self) -> float:
        """SIGTERM, which must end well; the seconds it took."""
        began = time.monotonic()
        self.process.terminate()
        assert self.process.wait(60) == 0, self.log[-2000:]
        return time.monotonic() - began

    def until_loaded(self, seconds: float = 120) -> None:
        """Waits until nothing acknowledged waits for the store."""
        deadline = time.monotonic() + seconds
        while self.metric("spool_segments") != 0:
            assert time.monotonic() < deadline, f"{self.metric('spool_segments')} segments wait: {self.log[-2000:]}"
            time.sleep(0.05)

    def metric(self, name: str) -> float:
        """Sum of one of the collector's own metrics over its labels."""
        _, page = self.get("/metrics")
        lines = [line for line in page.splitlines() if line.split("{")[0].split(" ")[0] == f"tollbook_collector_{name}"]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def rss_mb(self) -> float:
        """Resident memory in millions of bytes."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)

    def ask(self, sql: str) -> list[list[Any]]:
        """Rows of a question put through the API."""
        status, text = self._call("POST", "/api/v1/sql", json.dumps({"query": sql}).encode())
        assert status == 200, f"{sql!r} answered {status}: {text[:500]}"
        rows: list[list[Any]] = json.loads(text)["rows"]
        return rows

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Answer of the API to a JSON object."""
        status, text = self._call("POST", path, json.dumps(body).encode())
        assert status == 200, f"{path} answered {status}: {text[:500]}"
        return json.loads(text)

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page; 0 while nobody listens."""
        return self._call("GET", path, None)

    @property
    def _reached(self) -> Path:
        return self.data.with_suffix(".reached")

    def _call(self, method: str, path: str, body: bytes | None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()
