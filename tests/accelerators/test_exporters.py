"""What DCGM, HAMi, Triton and inference engines tell in Prometheus' text: blanks dropped, slices right, absent stays absent."""

from pathlib import Path
from typing import Any

import pytest
from tollbook.accelerators import exporters, prometheus
from tollbook.accelerators.readings import Histogram, Sample

DATA = Path("../shared/data")

DCGM = """
# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",device="nvidia0",modelName="NVIDIA H100",Hostname="n1",pod="p1",namespace="ai",container="c"} 87
DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu="0",UUID="GPU-1",device="nvidia0",modelName="NVIDIA H100",Hostname="n1",pod="p1",namespace="ai",container="c"} 0.54
DCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-1",modelName="NVIDIA H100",Hostname="n1"} 1024
DCGM_FI_DEV_FB_FREE{gpu="0",UUID="GPU-1",modelName="NVIDIA H100",Hostname="n1"} 3000
DCGM_FI_DEV_FB_RESERVED{gpu="0",UUID="GPU-1",modelName="NVIDIA H100",Hostname="n1"} 72
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-1",modelName="NVIDIA H100",Hostname="n1"} 1234567
DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-1",modelName="NVIDIA H100",Hostname="n1"} 412.5
DCGM_FI_DEV_MEMORY_TEMP{gpu="0",UUID="GPU-1",modelName="NVIDIA H100",Hostname="n1"} 9223372036854775794
DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-1",modelName="NVIDIA H100",Hostname="n1"} 2147483632
DCGM_FI_DEV_ENC_UTIL{gpu="0",UUID="GPU-1",modelName="NVIDIA H100",Hostname="n1"} 140737488355328
DCGM_FI_DEV_DEC_UTIL{gpu="0",UUID="GPU-1",modelName="NVIDIA H100",Hostname="n1"} NaN
DCGM_FI_DEV_XID_ERRORS{gpu="0",UUID="GPU-1",modelName="NVIDIA H100",Hostname="n1"} 0
DCGM_FI_PROF_PCIE_TX_BYTES{gpu="0",UUID="GPU-1",modelName="NVIDIA H100",Hostname="n1"} 5
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-2",GPU_I_ID="3",GPU_I_PROFILE="1g.10gb",modelName="NVIDIA A100",Hostname="n1",pod="p2"} 100
DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu="1",UUID="GPU-2",GPU_I_ID="3",GPU_I_PROFILE="1g.10gb",modelName="NVIDIA A100",Hostname="n1",pod="p2"} 1.0
DCGM_FI_DEV_POWER_USAGE{gpu="1",UUID="GPU-2",GPU_I_ID="3",GPU_I_PROFILE="1g.10gb",modelName="NVIDIA A100",Hostname="n1",pod="p2"} 200
DCGM_FI_DEV_POWER_USAGE{gpu="1",UUID="GPU-2",GPU_I_ID="4",GPU_I_PROFILE="2g.20gb",modelName="NVIDIA A100",Hostname="n1",pod="p3"} 200
# TYPE DCGM_FI_PROF_PCIE_TX_BYTES gauge
"""  # noqa: E501 - lines of an exporter


def read(text: str) -> list[Sample]:
    return exporters.samples(prometheus.parse(text))


def of(samples: list[Sample], device: str) -> dict[str, Any]:
    """Values of a device by metric and task, unit or sensor."""
    own = ("hw.gpu.task", "tollbook.accelerator.unit", "hw.sensor_location", "error.type", "k8s.pod.name")
    return {
        " ".join([sample.name, *(str(sample.attributes[key]) for key in own if key in sample.attributes)]): sample.value
        for sample in samples
        if sample.attributes.get("hw.id") == device
    }


def test_dcgm_is_told_in_the_conventions_names_and_its_blanks_are_dropped() -> None:
    samples = read(DCGM)
    assert of(samples, "GPU-1") == {
        "hw.gpu.utilization general p1": 0.54,
        "hw.gpu.memory.usage": 1024 * 2**20,
        "hw.gpu.memory.limit": 4096 * 2**20,
        "hw.gpu.memory.utilization": 0.25,
        "hw.energy": 1234.567,
        "hw.power": 412.5,
    }
    [busy] = [sample for sample in samples if sample.value == 0.54]
    assert busy.attributes["k8s.namespace.name"] == "ai"
    assert (busy.attributes["hw.model"], busy.resource) == ("NVIDIA H100", {"host.name": "n1"})


def test_slices_are_slices_and_their_device_draws_power_once() -> None:
    samples = read(DCGM)
    assert of(samples, "GPU-2/3") == {"hw.gpu.utilization general p2": 1.0}
    assert of(samples, "GPU-2") == {"hw.power": 200}
    [part] = [sample for sample in samples if sample.attributes.get("hw.id") == "GPU-2/3"]
    assert (part.attributes["hw.parent"], part.attributes["tollbook.accelerator.profile"]) == ("GPU-2", "1g.10gb")


def test_without_profiling_the_drivers_figure_is_what_there_is() -> None:
    assert of(read('DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1"} 87'), "GPU-1") == {"hw.gpu.utilization general": 0.87}
    assert read('DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1"} 187') == [], "no percentage"
    assert read("DCGM_FI_DEV_GPU_UTIL 50") == [], "of no device"


@pytest.mark.parametrize(
    "text",
    [
        'HostCoreUtilization{nodeid="n",deviceidx="0",deviceuuid="GPU-1",devicetype="NVIDIA-A10"} 42',
        'hami_host_gpu_utilization_ratio{node="n",device_index="0",device_uuid="GPU-1",device_type="NVIDIA-A10"} 42',
    ],
)
def test_hami_tells_by_old_and_new_names(text: str) -> None:
    [sample] = read(text)
    assert (sample.name, sample.value) == ("hw.gpu.utilization", 0.42)
    assert (sample.attributes["hw.id"], sample.attributes["hw.model"], sample.resource) == ("GPU-1", "A10", {"host.name": "n"})


VLLM = """
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="llama"} 3.0
vllm:num_requests_waiting{engine="0",model_name="llama"} 1.0
vllm:kv_cache_usage_perc{engine="0",model_name="llama"} 0.25
# TYPE vllm:prompt_tokens counter
vllm:prompt_tokens_total{engine="0",model_name="llama"} 1200.0
vllm:generation_tokens_total{engine="0",model_name="llama"} 300.0
vllm:generation_tokens_created{engine="0",model_name="llama"} 1.7e+09
# TYPE vllm:time_to_first_token_seconds histogram
vllm:time_to_first_token_seconds_bucket{engine="0",model_name="llama",le="0.1"} 2.0
vllm:time_to_first_token_seconds_bucket{engine="0",model_name="llama",le="1.0"} 5.0
vllm:time_to_first_token_seconds_bucket{engine="0",model_name="llama",le="+Inf"} 6.0
vllm:time_to_first_token_seconds_count{engine="0",model_name="llama"} 6.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="llama"} 3.5
vllm:e2e_request_latency_seconds_bucket{engine="0",model_name="llama",le="1.0"} 5.0
"""


def test_engines_tell_requests_cache_tokens_and_times() -> None:
    samples = {
        (
            sample.name,
            sample.attributes.get("tollbook.engine.state", sample.attributes.get("gen_ai.token.type", "")),
        ): sample.value
        for sample in read(VLLM)
    }
    assert samples == {
        ("tollbook.engine.requests", "running"): 3,
        ("tollbook.engine.requests", "waiting"): 1,
        ("tollbook.engine.cache.utilization", ""): 0.25,
        ("tollbook.engine.tokens", "input"): 1200,
        ("tollbook.engine.tokens", "output"): 300,
        ("gen_ai.server.time_to_first_token", ""): Histogram((0.1, 1.0), (2, 3, 1), 3.5),
    }
    assert read(VLLM)[0].attributes["gen_ai.request.model"] == "llama"


@pytest.mark.parametrize(
    ("line", "point"),
    [
        ("up 1", ("up", {}, 1.0, 0)),
        ('a{b="c"} +Inf', ("a", {"b": "c"}, float("inf"), 0)),
        ('a{b="x\\"y\\\\z\\n",} 1.5e3 1700000000000', ("a", {"b": 'x"y\\z\n'}, 1500.0, 1_700_000_000_000_000_000)),
        ('a { b = "c" , d="}" } 2 # {trace="t"} 1', ("a", {"b": "c", "d": "}"}, 2.0, 0)),
        ("a 1 1700000000.5", ("a", {}, 1.0, 1_700_000_000_500_000_000)),
    ],
)
def test_a_line_is_read_as_prometheus_reads_it(line: str, point: tuple[Any, ...]) -> None:
    [found] = prometheus.parse(line).points
    assert (found.name, found.labels, found.value, found.time_ns) == point


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "a",
        'a{b="c"',
        "a{b=c} 1",
        "a 1_000",
        "a one",
        'a{b="c"}',
        "<html>",
        "a{" * 9_000,
        'a{b="' + "x" * 20_000 + '"} 1',
        "\x00 1",
    ],
)
def test_a_line_that_is_none_is_counted_and_left_out(line: str) -> None:
    found = prometheus.parse(f"up 1\n{line}\nup 2")
    assert ([point.value for point in found.points], found.bad_lines) == ([1.0, 2.0], 1)


@pytest.mark.skipif(not DATA.exists(), reason="no ../shared/data here: the real scrape is not read")
def test_a_real_scrape_holds_clocks_and_a_blank_temperature() -> None:
    scrape = prometheus.parse((DATA / "dcgm/sample_scrape_readme.prom").read_text())
    assert (len(scrape.points), scrape.bad_lines) == (9, 0)
    assert {(sample.name, sample.value) for sample in exporters.samples(scrape)} == {
        ("tollbook.accelerator.clock", 139e6), ("tollbook.accelerator.clock", 405e6),
    }  # fmt: skip


@pytest.mark.skipif(not DATA.exists(), reason="no ../shared/data here: DCGM's own lists are not read")
@pytest.mark.parametrize("name", ["default-counters.csv", "dcp-metrics-included.csv"])
def test_every_counter_that_dcgm_exports_by_default_is_understood_or_left_out_knowingly(name: str) -> None:
    lines = (DATA / "dcgm" / name).read_text().splitlines()
    told = {line.split(",")[0].strip() for line in lines if line.strip() and not line.startswith("#")}
    assert told - set(exporters.names()) == {
        "DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", "DCGM_FI_DEV_VGPU_LICENSE_STATUS", "DCGM_FI_DEV_ROW_REMAP_FAILURE",
        "DCGM_FI_DRIVER_VERSION",
    }  # fmt: skip
