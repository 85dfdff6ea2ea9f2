"""`tollbook up` as people start it: a process of its own, an empty folder, free ports. And what the kernel says of it."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

START_SECONDS = 30
STOP_SECONDS = 20
PROTOBUF = {"Content-Type": "application/x-protobuf"}


class Server:
    """A running Tollbook and its address."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, data: Path, started: float) -> None:
        self.process = process
        self.port = port
        self.data = data
        self.started = started
        """`time.perf_counter()` just before the process was made."""

    def post(self, body: bytes) -> int:
        """Answer code to a body of spans; 0 while nobody listens."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/traces", data=body, headers=PROTOBUF)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def ask(self, sql: str) -> list[list[Any]]:
        """Rows of a question put through the API, as anybody would."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/api/v1/sql", json.dumps({"query": sql}), {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        if response.status != 200:
            raise RuntimeError(f"{sql!r} answered {response.status}: {text[:300]!r}")
        rows: list[list[Any]] = json.loads(text)["rows"]
        return rows

    def stored(self) -> tuple[int, int]:
        """Spans in the store and the sum of their input tokens."""
        ((spans, tokens),) = self.ask("SELECT count(), ifNull(sum(input_tokens), 0) FROM spans")
        return int(spans), int(tokens)

    def wait_stored(self, spans: int, seconds: float) -> float:
        """Waits until that many spans can be counted; returns `time.perf_counter()` at that moment.

        Raises:
            TimeoutError: they were not all there in time.
        """
        deadline = time.perf_counter() + seconds
        while (found := int(self.ask("SELECT count() FROM spans")[0][0])) < spans:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{found} of {spans} spans stored after {seconds} s")
            time.sleep(0.02)
        return time.perf_counter()

    def cpu_seconds(self) -> float:
        """CPU time of the process and its children so far."""
        return sum(sum(member.cpu_times()[:2]) for member in self._members())

    def pss_mb(self) -> float:
        """Proportional set size of the process and its children, in millions of bytes."""
        rollups = [Path(f"/proc/{member.pid}/smaps_rollup").read_text() for member in self._members()]
        lines = [line for rollup in rollups for line in rollup.splitlines() if line.startswith("Pss:")]
        return sum(int(line.split()[1]) for line in lines) * 1024 / 1e6

    def _members(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]


@contextlib.contextmanager
def running(settings: dict[str, str] | None = None) -> Iterator[Server]:
    """A server in an empty folder, stopped and removed afterwards. It may not listen yet: see `ready`."""
    with tempfile.TemporaryDirectory(prefix="tollbook-bench-") as folder:
        port, grpc_port = _free_port(), _free_port()
        environment = os.environ | {"TOLLBOOK_COLLECTOR_GRPC_PORT": str(grpc_port)} | (settings or {})
        log = Path(folder, "log")
        command = [str(Path(sys.executable).parent / "tollbook"), "up", "--data", f"{folder}/data", "--port", str(port)]
        with log.open("wb") as output:
            started = time.perf_counter()
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=folder)
            try:
                yield Server(process, port, Path(folder, "data"), started)
            except Exception:
                sys.stderr.write(log.read_text()[-4000:])
                raise
            finally:
                _stop(process)


def ready(server: Server) -> None:
    """Waits until the server says it is ready.

    Raises:
        TimeoutError: it ended, or is not ready in time.
    """
    while time.perf_counter() - server.started < START_SECONDS and server.process.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/readyz", timeout=2).close()
            return
        time.sleep(0.02)
    raise TimeoutError("the server did not become ready")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
