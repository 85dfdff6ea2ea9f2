"""`tollbook up` as a process of its own: one folder, one process, nothing lost when it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tollbook_ui import locate
from tollbook_ui.doctor import EVER
from tollbook_ui.remote import RemoteAnswers

from tests.clickhouse_server import clickhouse_server
from tests.processes import ended, noted
from tests.ui.test_cli import otlp

START_SECONDS = 90
"""For a start on a machine that runs other tests at the same time; alone it takes 3 s."""


@dataclass
class Up:
    """A `tollbook up` that runs."""

    data: Path
    options: tuple[str, ...] = ("--no-dashboard",)
    process: "subprocess.Popen[str]" = field(init=False)
    server: locate.Server = field(init=False)

    def start(self) -> "Up":
        self.process = up(self.data, "--port", "0", "--grpc-port", "0", *self.options)
        deadline = time.monotonic() + START_SECONDS
        while (found := locate.server(self.data)) is None or found.pid != self.process.pid:
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline, "did not start"
            time.sleep(0.05)
        self.server = found
        return self

    @property
    def answers(self) -> RemoteAnswers:
        return RemoteAnswers(self.server.url)

    def send(self, *trace_ids: int) -> int:
        return post(f"{self.server.url}/v1/traces", otlp(*trace_ids))

    def stop(self) -> tuple[str, str]:
        self.process.terminate()
        return self.process.communicate(timeout=START_SECONDS)


def up(data: Path, *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tollbook_ui.cli", "up", "--data", str(data), *options]
    return noted(subprocess.Popen(command, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))


def post(url: str, body: bytes) -> int:
    request = urllib.request.Request(url, body, {"content-type": "application/x-protobuf"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return int(response.status)


def get(url: str, host: str = "localhost") -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"host": host}), timeout=30) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    found = Up(tmp_path_factory.mktemp("up")).start()
    yield found
    found.stop()


def stored(answers: RemoteAnswers, spans: int) -> None:
    deadline = time.monotonic() + 30
    while answers.extent().spans != spans:
        assert time.monotonic() < deadline, answers.extent()
        time.sleep(0.05)


def test_what_is_sent_is_stored_settled_and_answered(running: Up) -> None:
    assert running.send(1, 2) == 200
    stored(running.answers, 2)
    assert running.answers.settle()["spans"] == 2
    assert running.answers.receipt(f"{1:032x}").state == "settled"
    assert get(f"{running.server.url}/readyz") == (200, "ready\n")


def test_a_second_server_on_the_same_folder_is_refused_in_one_line(running: Up) -> None:
    with ended(up(running.data, "--port", "0", "--grpc-port", "0")) as second:
        _, told = second.communicate(timeout=START_SECONDS)
    assert second.returncode == 1
    assert told == (
        f"tollbook: {running.data} is in use by tollbook up (process {running.process.pid}) at {running.server.url}; "
        "stop it first, or give this one another folder with --data\n"
    )
    assert get(f"{running.server.url}/healthz") == (200, "ok\n")


def test_a_taken_port_is_named_and_another_one_is_found_if_any_will_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as http, socket.create_server(("127.0.0.1", 0)) as grpc:
        ports = ("--port", str(http.getsockname()[1]), "--grpc-port", str(grpc.getsockname()[1]))
        with ended(up(tmp_path, *ports)) as refused:
            _, told = refused.communicate(timeout=START_SECONDS)
        assert (refused.returncode, told.count("\n")) == (1, 1)
        assert f"port {ports[1]} on 127.0.0.1 is taken" in told
        moved = Up(tmp_path, ("--no-dashboard", *ports, "--any-port")).start()
        said, _ = moved.stop()
    assert f"port {ports[1]} is taken: OTLP/HTTP, API and dashboard are on" in said
    assert f"port {ports[3]} is taken: OTLP/gRPC is on" in said


def test_a_web_page_cannot_reach_it_under_a_name_of_its_own(running: Up) -> None:
    assert get(f"{running.server.url}/api/v1/extent", host="evil.example:4318")[0] == 421
    assert get(f"{running.server.url}/api/v1/extent", host="localhost:4318")[0] == 200


def test_without_a_dashboard_the_first_page_says_so(running: Up) -> None:
    status, page = get(f"{running.server.url}/")
    assert (status, "The dashboard is switched off." in page) == (200, True)
    assert get(f"{running.server.url}/nothing")[0] == 404


def test_terminated_it_ends_well_and_within_ten_seconds_with_all_it_acknowledged(tmp_path: Path) -> None:
    first = Up(tmp_path).start()
    assert first.send(*range(1, 101)) == 200
    started = time.monotonic()
    said, _ = first.stop()
    assert (first.process.returncode, time.monotonic() - started < 10) == (0, True)
    assert "Stopped." in said
    assert locate.holder(tmp_path) is None
    second = Up(tmp_path).start()
    stored(second.answers, 100)
    second.process.send_signal(signal.SIGINT)
    second.process.communicate(timeout=30)
    assert second.process.returncode == 0


def test_killed_it_starts_again_with_all_it_acknowledged_once(tmp_path: Path) -> None:
    first = Up(tmp_path).start()
    for number in range(1, 51):
        assert first.send(number) == 200
    first.process.kill()
    first.process.communicate()
    assert locate.server(tmp_path) is None
    second = Up(tmp_path).start()
    stored(second.answers, 50)
    assert second.send(1) == 200
    time.sleep(1)
    stored(second.answers, 50)
    second.stop()


@pytest.mark.slow
def test_the_dashboard_stands_at_the_root_beside_the_api(tmp_path: Path) -> None:
    pytest.importorskip("streamlit")
    found = Up(tmp_path, ()).start()
    deadline = time.monotonic() + START_SECONDS
    while "streamlit" not in get(f"{found.server.url}/")[1].lower():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert get(f"{found.server.url}/api/v1/extent")[0] == 200
    assert get(f"{found.server.url}/healthz") == (200, "ok\n")
    found.stop()
    assert found.process.returncode == 0


@pytest.mark.slow
def test_a_clickhouse_server_takes_the_place_of_the_embedded_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "server").mkdir()
    with clickhouse_server(tmp_path / "server") as url:
        monkeypatch.setenv("TOLLBOOK_CLICKHOUSE_URL", url)
        found = Up(tmp_path / "data").start()
        assert found.send(1, 2, 3) == 200
        stored(found.answers, 3)
        assert found.answers.settle()["spans"] == 3
        assert found.answers.overview(EVER).traffic.requests == 3
        found.stop()
        assert not (tmp_path / "data" / "clickhouse").exists()
        assert found.process.returncode == 0
