"""`tollbook collect` and `tollbook up` on a ClickHouse server that is away, comes, goes, or does not let them in."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tollbook_schema.store import QueryError, Store

from tests.clickhouse_server import Server, clickhouse_server
from tests.processes import ended, free_port
from tests.ui.test_cli import otlp
from tests.ui.test_server import START_SECONDS, get, post

pytestmark = pytest.mark.slow


def run(command: str, data: Path, url: str, port: int) -> "subprocess.Popen[str]":
    options = ["--data", str(data), "--port", str(port), "--grpc-port", "-1", *(["--no-dashboard"] if command == "up" else [])]
    settings = {"TOLLBOOK_CLICKHOUSE_URL": url, "TOLLBOOK_COLLECTOR_SEGMENT_MS": "50"}
    return subprocess.Popen(
        [sys.executable, "-m", "tollbook_ui.cli", command, *options],
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def until(port: int, path: str, status: int) -> str:
    deadline = time.monotonic() + START_SECONDS
    while True:
        found = answered(port, path)
        if found[0] == status:
            return found[1]
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def answered(port: int, path: str) -> tuple[int, str]:
    try:
        return get(f"http://127.0.0.1:{port}{path}")
    except OSError as error:
        return 0, str(error)


def stopped(process: "subprocess.Popen[str]") -> str:
    """What it wrote, all of it."""
    process.terminate()
    output, _ = process.communicate(timeout=START_SECONDS)
    return output


def until_stored(url: str, spans: int) -> None:
    store = Store.open(url=url)
    deadline = time.monotonic() + START_SECONDS
    while stored(store) != spans:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    store.close()


def stored(store: Store) -> int:
    try:
        return int(store.query("SELECT count() AS n FROM spans")[0]["n"])
    except QueryError:  # the tables are not there yet
        return -1


@pytest.mark.parametrize("command", ["collect", pytest.param("up", marks=pytest.mark.long)])
def test_what_comes_while_the_server_is_away_is_kept_and_stored_once_it_is_back(command: str, tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    server = Server(tmp_path / "server")
    url, port = server.url.removesuffix("default") + "tollbook", free_port()
    with ended(run(command, tmp_path / "data", url, port)) as process, contextlib.ExitStack() as after:
        after.callback(server.kill)
        until(port, "/healthz", 200)
        assert post(f"http://127.0.0.1:{port}/v1/traces", otlp(1)) == 200
        assert "the store takes nothing" in until(port, "/readyz", 503)
        server.start()
        until_stored(url, 1)
        until(port, "/readyz", 200)
        server.kill()
        assert post(f"http://127.0.0.1:{port}/v1/traces", otlp(2)) == 200
        until(port, "/readyz", 503)
        server.start()
        until_stored(url, 2)
        output = stopped(process)
    assert process.returncode == 0, output
    assert f"cannot reach http://127.0.0.1:{server.http_port}/tollbook; what comes is kept until it can be" in output


def test_a_collector_answers_no_questions(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    port = free_port()
    with clickhouse_server(tmp_path / "server") as url, ended(run("collect", tmp_path / "data", url, port)) as process:
        until(port, "/healthz", 200)
        assert answered(port, "/api/v1/overview")[0] == 404
        output = stopped(process)
        assert process.returncode == 0
        assert f"Collecting: send OTLP to http://127.0.0.1:{port} (HTTP) or switched off (gRPC)." in output.splitlines()


def test_a_wrong_password_is_told_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "server").mkdir()
    with clickhouse_server(tmp_path / "server") as url:
        wrong = url.replace("default@", "default:open-sesame@")
        with ended(run("collect", tmp_path / "data", wrong, free_port())) as process:
            output, _ = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 1
    assert "password is incorrect" in output
    assert "open-sesame" not in output


def test_a_collector_alone_needs_a_server(tmp_path: Path) -> None:
    with ended(run("collect", tmp_path, "", free_port())) as process:
        output, _ = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 2
    assert output == "tollbook: a collector alone needs a server to load into: set TOLLBOOK_CLICKHOUSE_URL\n"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("clickhouse://me:open-sesame@host", "begins with http:// or https://"),
        ("http://me:open-sesame@host:port/db", "is no host and port"),
        ("http://me:open-sesame@", "names a host"),
        ("http://me:open-sesame@a,b/db", "several servers are a cluster: set TOLLBOOK_CLICKHOUSE_CLUSTER"),
    ],
)
def test_an_address_that_cannot_be_is_told_without_its_password(url: str, told: str, tmp_path: Path) -> None:
    with ended(run("collect", tmp_path, url, free_port())) as process:
        output, _ = process.communicate(timeout=START_SECONDS)
    assert process.returncode == 1
    assert told in output
    assert "open-sesame" not in output
