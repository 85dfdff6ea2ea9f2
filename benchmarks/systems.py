"""The programs under load: ours and its peers, each started as people start it, and asked through one set of questions."""

import contextlib
import http.client
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from benchmarks import peers, processes
from benchmarks.processes import Processes
from tests.clickhouse_server import clickhouse_server

SystemName: TypeAlias = Literal["tollbook", "tollbook with a server", "rotel", "Phoenix", "MLflow"]
Stored: TypeAlias = tuple[int, int]
"""Spans in the database and the sum of their input tokens."""

PROTOBUF = {"Content-Type": "application/x-protobuf"}
START_SECONDS = 120
OUR_COUNT = "SELECT count(), 0 FROM spans"
OUR_TOTAL = "SELECT count(), ifNull(sum(input_tokens), 0) FROM spans"
ROTEL_TOTAL = "SELECT count(), sum(toUInt64OrZero(SpanAttributes['gen_ai.usage.input_tokens'])) FROM otel.otel_traces"
ROTEL_COUNT = "SELECT count(), 0 FROM otel.otel_traces"
PHOENIX_TOTAL = "SELECT count(*), coalesce(sum(llm_token_count_prompt), 0) FROM spans"
MLFLOW_TOTAL = """
SELECT count(*), coalesce(sum(cast(json_extract(content, '$.attributes."gen_ai.usage.input_tokens"') AS INTEGER)), 0) FROM spans
"""


@dataclass
class System:
    """A running program."""

    name: SystemName
    port: int
    """Where it takes OTLP/HTTP."""
    processes: Processes
    """Everything that works for it, its database included."""
    started: float
    """`time.perf_counter()` just before the first of its processes was made."""
    total: Callable[[], Stored]
    """What is stored, tokens read and added up."""
    size: Callable[[], int]
    """Ends it if need be, merges what it stored and gives the bytes on disk."""
    count: Callable[[], Stored] | None = None
    """What is stored, as cheap as it can be had, where that differs."""
    headers: Mapping[str, str] = field(default_factory=lambda: PROTOBUF)
    data: Path = Path()
    ask: Callable[[str], list[list[Any]]] | None = None
    """Rows of SQL put through its API; only ours."""

    def post(self, body: bytes | bytearray) -> int:
        """Answer code to a body of spans; 0 while nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", "/v1/traces", body, dict(self.headers))
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
        return response.status

    def spans(self) -> int:
        """Spans in the database."""
        return (self.count or self.total)()[0]

    def wait_stored(self, spans: int, seconds: float, pause: float = 0.05) -> float:
        """Waits until that many spans can be counted; returns `time.perf_counter()` at that moment.

        Raises:
            TimeoutError: they were not all there in time.
        """
        deadline = time.perf_counter() + seconds
        while (found := self.spans()) < spans:
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{self.name}: {found} of {spans} spans stored after {seconds} s")
            time.sleep(pause)
        return time.perf_counter()

    def wait_quiet(self, spans: int, quiet_seconds: float, seconds: float) -> tuple[int, float]:
        """Waits until that many spans are stored, or none came for a while; gives how many, and when the last came."""
        found, since = self.spans(), time.perf_counter()
        deadline = since + seconds
        while found < spans and time.perf_counter() - since < quiet_seconds and time.perf_counter() < deadline:
            time.sleep(0.2)
            if (now := self.spans()) != found:
                found, since = now, time.perf_counter()
        return found, since


def tollbook(settings: Mapping[str, str] | None = None) -> AbstractContextManager[System]:
    """`tollbook up` with its database inside. It may not listen yet: see `ready`."""
    return _tollbook("tollbook", settings or {}, ())


@contextlib.contextmanager
def tollbook_with_server(settings: Mapping[str, str] | None = None) -> Iterator[System]:
    """`tollbook up` with a ClickHouse server of the same kind as rotel's."""
    with _clickhouse() as (url, pids), _tollbook(
        "tollbook with a server", {"TOLLBOOK_CLICKHOUSE_URL": url, **(settings or {})}, pids
    ) as system:  # fmt: skip
        system.size = lambda: _clickhouse_size(url, "span%", ["spans", "span_content"])
        yield system


@contextlib.contextmanager
def rotel() -> Iterator[System]:
    """Rotel's agent and the ClickHouse server it writes to, one INSERT a batch of 10,240 spans, no async insert."""
    agent, port, started = peers.rotel_agent(), processes.free_port(), time.perf_counter()
    with processes.empty_folder("rotel") as folder, _clickhouse() as (url, pids):
        _clickhouse_ask(url, "CREATE DATABASE otel")
        _clickhouse_ask(url, Path(__file__).with_name("otel_traces.sql").read_text())
        command = [
            str(agent), "start", "--exporter", "clickhouse", "--clickhouse-exporter-database", "otel",
            "--clickhouse-exporter-endpoint", f"http://127.0.0.1:{urlsplit(url).port}",
            "--clickhouse-exporter-async-insert", "false",
            "--batch-max-size", "10240", "--otlp-http-endpoint", f"127.0.0.1:{port}",
            "--otlp-grpc-endpoint", f"127.0.0.1:{processes.free_port()}",
        ]  # fmt: skip
        with processes.running(command, folder) as process:
            processes.wait_for_port(port, process, START_SECONDS)
            yield System(
                "rotel", port, Processes((process.pid, *pids)), started,
                total=lambda: _pair(_clickhouse_ask(url, ROTEL_TOTAL)),
                count=lambda: _pair(_clickhouse_ask(url, ROTEL_COUNT)),
                size=lambda: _clickhouse_size(url, "otel_traces", ["otel.otel_traces"]),
            )  # fmt: skip


@contextlib.contextmanager
def phoenix() -> Iterator[System]:
    """Phoenix with its SQLite database. It may not listen yet."""
    environment = peers.environment("phoenix")
    with processes.empty_folder("phoenix") as folder:
        port = processes.free_port()
        settings = {
            "PHOENIX_WORKING_DIR": str(folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(processes.free_port()),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        started = time.perf_counter()
        with processes.running([str(environment / "bin" / "phoenix"), "serve"], folder, settings) as process:
            yield _on_sqlite("Phoenix", port, process, started, folder / "phoenix.db", PHOENIX_TOTAL)


@contextlib.contextmanager
def mlflow() -> Iterator[System]:
    """MLflow's server with SQLite and one worker. It may not listen yet."""
    environment = peers.environment("mlflow")
    with processes.empty_folder("mlflow") as folder:
        port = processes.free_port()
        settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        settings["PATH"] = f"{environment / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
        options = ["--host", "127.0.0.1", "--port", str(port), "--backend-store-uri", "sqlite:///x.db", "--workers", "1"]
        started = time.perf_counter()
        with processes.running([str(environment / "bin" / "mlflow"), "server", *options], folder, settings) as process:
            system = _on_sqlite("MLflow", port, process, started, folder / "x.db", MLFLOW_TOTAL)
            system.headers = PROTOBUF | {"x-mlflow-experiment-id": "0"}
            yield system


def ready(system: System) -> None:
    """Waits until our server says it is ready.

    Raises:
        TimeoutError: it is not ready in time.
    """
    while time.perf_counter() - system.started < START_SECONDS:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{system.port}/readyz", timeout=2).close()
            return
        time.sleep(0.02)
    raise TimeoutError("the server did not become ready")


@contextlib.contextmanager
def _tollbook(name: SystemName, settings: Mapping[str, str], others: tuple[int, ...]) -> Iterator[System]:
    with processes.empty_folder("tollbook") as folder:
        port, data = processes.free_port(), folder / "data"
        environment = {"TOLLBOOK_COLLECTOR_GRPC_PORT": str(processes.free_port()), **settings}
        command = [str(Path(sys.executable).parent / "tollbook"), "up", "--data", str(data), "--port", str(port)]
        started = time.perf_counter()
        with processes.running(command, folder, environment) as process:
            yield System(
                name, port, Processes((process.pid, *others)), started, data=data,
                ask=lambda sql: _ask(port, sql),
                total=lambda: _pair(_ask(port, OUR_TOTAL)),
                count=lambda: _pair(_ask(port, OUR_COUNT)),
                size=lambda: _embedded_size(process, data),
            )  # fmt: skip


def _ask(port: int, sql: str) -> list[list[Any]]:
    """Rows of a question put through our API, as anybody would."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/api/v1/sql", json.dumps({"query": sql}), {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"{sql!r} answered {response.status}: {text[:300]!r}")
    rows: list[list[Any]] = json.loads(text)["rows"]
    return rows


def _embedded_size(process: "subprocess.Popen[bytes]", data: Path) -> int:
    processes.stop(process)
    command = [sys.executable, "-m", "benchmarks.merged", str(data)]
    merged = subprocess.run(command, capture_output=True, text=True, check=True, cwd=peers.ROOT)
    return sum(size for table, (_, size) in json.loads(merged.stdout).items() if table.startswith("span"))


@contextlib.contextmanager
def _clickhouse() -> Iterator[tuple[str, tuple[int, ...]]]:
    """A ClickHouse server, its URL and its processes."""
    with tempfile.TemporaryDirectory(prefix="bench-clickhouse-") as folder:
        before = processes.children()
        with clickhouse_server(Path(folder)) as url:
            yield url, processes.new_children(before)


def _clickhouse_ask(url: str, sql: str) -> list[list[Any]]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=120)
    connection.request("POST", "/", sql, {"X-ClickHouse-Format": "JSONCompact"})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"{sql!r} answered {response.status}: {text[:300]!r}")
    return json.loads(text)["data"] if text else []


def _clickhouse_size(url: str, tables: str, to_merge: list[str]) -> int:
    for table in to_merge:
        _clickhouse_ask(url, f"OPTIMIZE TABLE {table} FINAL")
    ((size,),) = _clickhouse_ask(url, f"SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table LIKE '{tables}'")
    return int(size)


def _on_sqlite(
    name: SystemName, port: int, process: "subprocess.Popen[bytes]", started: float, database: Path, total: str
) -> System:
    def size() -> int:
        processes.stop(process)
        return sum(file.stat().st_size for file in database.parent.glob(f"{database.name}*") if not file.name.endswith("-shm"))

    def ask() -> Stored:
        try:
            with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)) as connection:
                return _pair(connection.execute(total).fetchall())
        except sqlite3.OperationalError:
            return 0, 0

    return System(name, port, Processes((process.pid,)), started, total=ask, size=size, data=database.parent)


def _pair(rows: list[Any]) -> Stored:
    ((spans, tokens),) = rows
    return int(spans), int(tokens)
