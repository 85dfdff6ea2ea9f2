"""The sampler beside a service, one a host; the command for a node; targets that are hostile, slow, away or back again."""

import http.server
import logging
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from tollbook.accelerators import command, scrape
from tollbook.accelerators.cpus import Cpus
from tollbook.accelerators.host import HostLock
from tollbook.accelerators.nvml import Nvml
from tollbook.accelerators.readings import Device, Sample, Unavailable, sampled
from tollbook.accelerators.sampler import Readers, Sampler, chosen, said
from tollbook.accelerators.visible import allowed, device

from tests.accelerators.nvml import CUT, PARTS, WHOLE, FakeNvml
from tests.sdk.receiver import Receiver, values

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@pytest.fixture
def lock() -> Iterator[HostLock]:
    """A lock that no other test knows."""
    found = HostLock(f"tollbook-test-{uuid.uuid4().hex}")
    yield found
    found.release()


class Served:
    """A server that answers as its `answer` does at present."""

    def __init__(self) -> None:
        self.answer: Answer = lambda handler: text(handler, "")
        served = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                served.answer(self)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/metrics"
        threading.Thread(target=self.server.serve_forever, args=[0.01], daemon=True).start()


@pytest.fixture
def served() -> Iterator[Served]:
    found = Served()
    yield found
    found.server.shutdown()
    found.server.server_close()


def text(handler: http.server.BaseHTTPRequestHandler, body: str, status: int = 200, **headers: str) -> None:
    """Answers with a text."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body.encode())


def measured(reader: InMemoryMetricReader) -> dict[str, list[Any]]:
    """What is reported by the next export: (value, attributes) by metric."""
    time.sleep(0.11)
    data = reader.get_metrics_data()
    if data is None:
        return {}
    return {
        metric.name: [(point.value, dict(point.attributes)) for point in metric.data.data_points]
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def test_a_service_reports_the_devices_of_its_host_and_counters_begin_with_it(lock: HostLock) -> None:
    library = FakeNvml()
    sampler = Sampler(Readers(((lambda: Nvml(library),),)), every_s=0.2, lock=lock)  # type: ignore[arg-type]  # a stand-in
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    sampler.observe(provider.get_meter("test"))
    sampler.take()
    first = measured(reader)
    assert [value for value, said in first["hw.energy"] if said["hw.id"] == WHOLE] == [0], "since we have begun to count"
    library.energy_mj += 2_500
    sampler.take()
    second = measured(reader)
    assert [value for value, _ in second["hw.energy"]] == [2.5]
    assert {said["hw.id"] for _, said in second["hw.gpu.memory.limit"]} == {WHOLE, CUT, *PARTS}
    assert measured(reader).get("hw.power", []) == [], "nothing was read since"
    provider.shutdown()


def test_shares_and_watts_are_means_of_what_was_read_since_the_last_export(lock: HostLock) -> None:
    told = iter([0.0, 1.0, 0.5])

    class Reader:
        source = "test"
        devices = (Device("GPU-1"),)

        def read(self) -> list[Sample]:
            return [*sampled(Device("GPU-1"), "hw.gpu.utilization", next(told))]

        def close(self) -> None:
            """Nothing is open."""

    sampler = Sampler(Readers(((Reader,),)), every_s=0.2, lock=lock)
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    sampler.observe(provider.get_meter("test"))
    for _ in range(3):
        sampler.take()
    assert [value for value, _ in measured(reader)["hw.gpu.utilization"]] == [0.5]
    provider.shutdown()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here: who holds the lock after one is not tried")
def test_one_process_of_a_host_samples_and_another_takes_over_when_it_dies() -> None:
    name = f"tollbook-test-{uuid.uuid4().hex}"
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:  # holds the lock until it is killed
        signal.alarm(20)
        mine = HostLock(name)
        held = mine.taken()
        os.write(ready[1], b"1" if held else b"0")
        os.read(go[0], 1)
        os._exit(0)
    lock = HostLock(name)
    try:
        assert os.read(ready[0], 1) == b"1"
        assert not lock.taken()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        child = 0
        assert lock.taken()
        assert lock.taken(), "it stays ours"
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        lock.release()
        for end in (*ready, *go):
            os.close(end)


def test_what_does_not_work_is_said_once_and_the_rest_goes_on(
    caplog: pytest.LogCaptureFixture, lock: HostLock, tmp_path: Path
) -> None:
    def nothing() -> Any:
        raise Unavailable("NVML: no driver")

    (tmp_path / "cpuinfo").write_text("model name : Some CPU\nflags : fpu avx2 avx512_vnni amx_tile sse4_2\n")
    (tmp_path / "intel-rapl:0").mkdir()
    for name, value in (("name", "package-0"), ("energy_uj", "900"), ("max_energy_range_uj", "1000")):
        (tmp_path / "intel-rapl:0" / name).write_text(value)
    readers = Readers(((nothing,), (lambda: Cpus("h", tmp_path / "cpuinfo", tmp_path),)))
    sampler = Sampler(readers, lock=lock)
    with caplog.at_level(logging.INFO, "tollbook"):
        sampler.take()
        sampler.take()
    assert [record.getMessage() for record in caplog.records] == [
        "no accelerator is sampled, the CPU is what inference runs on (NVML: no driver)"
    ]
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("100")
    status, energy = readers.read()
    assert status.attributes["tollbook.accelerator.instruction_sets"] == "amx_tile,avx2,avx512_vnni,sse4_2"
    assert (energy.name, energy.value, energy.attributes["hw.id"]) == ("hw.energy", 0.0002, "h/package-0"), (
        "the counter began again"
    )
    assert "1 accelerators" not in said(readers)


@pytest.mark.parametrize(("word", "wanted"), [("1", True), ("off", False), ("", None), ("maybe", None)])
def test_the_environment_chooses_where_the_program_does_not(
    word: str, wanted: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLLBOOK_ACCELERATORS", word)
    assert chosen(None) is wanted
    assert chosen(True) is True
    assert chosen(False) is False


ONE, TWO, OTHER = Device("GPU-1a", model="H100"), Device("GPU-2b", model="H100"), Device("GPU-3c", model="T4")
SLICE = Device("MIG-9", model="H100", parent="GPU-1a")


@pytest.mark.parametrize(
    ("index", "environment", "devices", "found"),
    [
        (0, {}, (ONE, TWO), ONE),
        (1, {}, (ONE, TWO), TWO),
        (2, {}, (ONE, TWO), None),
        (0, {"CUDA_VISIBLE_DEVICES": "1"}, (ONE, TWO), TWO),
        (0, {"CUDA_VISIBLE_DEVICES": "GPU-2"}, (ONE, TWO), TWO),
        (0, {"CUDA_VISIBLE_DEVICES": ""}, (ONE, TWO), None),
        (1, {"CUDA_VISIBLE_DEVICES": "1,-1,0"}, (ONE, TWO), None),
        (0, {"CUDA_VISIBLE_DEVICES": "MIG-9"}, (ONE, SLICE), SLICE),
        (0, {}, (ONE, SLICE), SLICE),
        (0, {}, (ONE, OTHER), None),
        (1, {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}, (ONE, OTHER), OTHER),
        (0, {}, (), None),
        (0, {"CUDA_VISIBLE_DEVICES": "GPU-" + "a" * 36}, (), Device("GPU-" + "a" * 36, vendor="NVIDIA")),
    ],
)
def test_the_number_that_a_program_uses_is_told_by_id_or_not_at_all(
    index: int, environment: dict[str, str], devices: tuple[Device, ...], found: Device | None
) -> None:
    assert device(index, environment, devices) == found


def test_a_container_has_the_devices_that_it_was_given() -> None:
    assert allowed({"NVIDIA_VISIBLE_DEVICES": "GPU-2b"}, (ONE, TWO)) == (TWO,)
    assert allowed({"NVIDIA_VISIBLE_DEVICES": "all"}, (ONE, TWO)) == (ONE, TWO)


def test_a_scraped_node_arrives_as_otlp(served: Served) -> None:
    lines = (
        'DCGM_FI_DEV_POWER_USAGE{UUID="GPU-1",Hostname="pod-name"} 300\nDCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{UUID="GPU-1"} 5000\n'
    )
    served.answer = lambda handler: text(handler, lines + 'vllm:num_requests_running{model_name="m"} 2\nbroken line\n')
    with Receiver() as receiver:
        assert command.main(["--scrape", served.url, "--once", "--endpoint", receiver.endpoint]) == 0
    assert set(receiver.measured) == {"hw.power", "hw.energy", "tollbook.engine.requests"}
    [point] = receiver.measured["hw.energy"].sum.data_points
    assert (point.as_double, receiver.measured["hw.energy"].sum.is_monotonic, values(point.attributes)["hw.id"]) == (
        5.0,
        True,
        "GPU-1",
    )
    services = {values(resource.resource.attributes)["service.name"] for resource in receiver.metrics[0].resource_metrics}
    assert services == {"tollbook-sampler", "vllm"}
    assert receiver.metric_resource["host.name"] == os.uname().nodename, "a target on this machine is this machine"


def test_a_target_that_is_away_is_said_once_and_read_when_it_is_back(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    target = scrape.Target(served.url)
    served.answer = lambda handler: text(handler, "", 503)
    with caplog.at_level(logging.INFO, "tollbook"):
        assert [target.read(), target.read()] == [[], []]
        served.answer = lambda handler: text(handler, 'nv_gpu_power_usage{gpu_uuid="GPU-1"} 5')
        assert [sample.value for sample in target.read()] == [5]
    target.close()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    gone = scrape.Target("http://127.0.0.1:9/metrics")
    assert gone.read() == []
    assert gone.trouble == "ConnectionError"
    gone.close()


def test_a_hostile_target_costs_little(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    target = scrape.Target(served.url)
    served.answer = lambda handler: text(handler, "", 302, Location="http://127.0.0.1:9/secret")
    assert (target.read(), target.trouble) == ([], "status 302")
    monkeypatch.setattr(scrape, "MOST_BYTES", 100_000)

    def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(1_000):
            handler.wfile.write(b"up 1\n" * 1_000)

    def swallowed(handler: http.server.BaseHTTPRequestHandler) -> None:
        try:
            endless(handler)
        except OSError:
            return

    served.answer = swallowed
    assert (target.read(), target.trouble) == ([], "more than 100000 bytes")
    target.close()


@pytest.mark.parametrize("url", ["ftp://host/metrics", "http://", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--scrape", url, "--once"]) == 2
    assert "not an address" in capsys.readouterr().err


def test_the_command_prints_what_it_reads(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    served.answer = lambda handler: text(handler, 'nv_gpu_utilization{gpu_uuid="GPU-1"} 0.5')
    assert command.main(["--scrape", served.url, "--print"]) == 0
    assert capsys.readouterr().out == (
        'hw.gpu.utilization{hw.gpu.task="general",hw.id="GPU-1",hw.type="gpu",hw.vendor="NVIDIA"} 0.5\n'
    )
    served.answer = lambda handler: text(handler, "")
    assert command.main(["--scrape", served.url, "--print"]) == 1
