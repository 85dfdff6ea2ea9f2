"""What exporters call things, and what we call them: of DCGM, HAMi, Triton, AMD, nvidia_gpu_exporter and inference engines.

One row for a name. What a text does not tell is absent, and so is what stands in it for 'no value'.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from tollbook_schema import attributes as A  # noqa: N812

from tollbook.accelerators.prometheus import Point, Scrape
from tollbook.accelerators.readings import COUNTER, INSTRUMENTS, Attributes, Device, Histogram, Sample, is_blank

MIB: Final = 1024 * 1024
LARGEST_GAUGE: Final = 1e14
"""No gauge of hardware is as large: what is stands for 'no value' in a dialect we do not know."""
ABOVE_ONE: Final = 1.05
"""Shares up to here are measured a little too high, and are 1."""


@dataclass(frozen=True)
class Rule:
    """What a metric of an exporter is."""

    name: str
    """Ours."""
    scale: float = 1.0
    said: Attributes = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    """Only points with these labels."""
    whole: bool = False
    """Of the whole device, also where it is told of a slice of it."""
    weaker: bool = False
    """Only where nothing else tells the same of the device."""
    provider: str = ""
    """Engine that tells it; empty for what is of a device."""


GENERAL: Final = {A.HW_GPU_TASK: "general"}
BUSY: Final = "hw.gpu.utilization"
ACTIVE: Final = "tollbook.accelerator.activity"
ERRORS: Final = "hw.errors"
FREE, RESERVED = "free", "reserved"
"""Memory that is not in use: with what is, it makes up the device's, where nobody tells that."""


def _unit(name: str) -> Attributes:
    return {A.TOLLBOOK_ACCELERATOR_UNIT: name}


def _at(place: str) -> Attributes:
    return {A.HW_SENSOR_LOCATION: place}


def _clock(domain: str) -> Attributes:
    return {A.TOLLBOOK_ACCELERATOR_CLOCK_DOMAIN: domain}


def _error(kind: str) -> Attributes:
    return {A.ERROR_TYPE: kind}


DCGM: Final[Mapping[str, Rule]] = {
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": Rule(BUSY, 1, GENERAL),
    "DCGM_FI_DEV_GPU_UTIL": Rule(BUSY, 0.01, GENERAL, weaker=True),
    "DCGM_FI_DEV_ENC_UTIL": Rule(BUSY, 0.01, {A.HW_GPU_TASK: "encoder"}),
    "DCGM_FI_DEV_DEC_UTIL": Rule(BUSY, 0.01, {A.HW_GPU_TASK: "decoder"}),
    "DCGM_FI_PROF_SM_ACTIVE": Rule(ACTIVE, 1, _unit("sm")),
    "DCGM_FI_PROF_SM_OCCUPANCY": Rule(ACTIVE, 1, _unit("sm_occupancy")),
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": Rule(ACTIVE, 1, _unit("tensor")),
    "DCGM_FI_PROF_PIPE_FP64_ACTIVE": Rule(ACTIVE, 1, _unit("fp64")),
    "DCGM_FI_PROF_PIPE_FP32_ACTIVE": Rule(ACTIVE, 1, _unit("fp32")),
    "DCGM_FI_PROF_PIPE_FP16_ACTIVE": Rule(ACTIVE, 1, _unit("fp16")),
    "DCGM_FI_PROF_DRAM_ACTIVE": Rule(ACTIVE, 1, _unit("dram")),
    "DCGM_FI_DEV_MEM_COPY_UTIL": Rule(ACTIVE, 0.01, _unit("dram"), weaker=True),
    "DCGM_FI_DEV_FB_USED": Rule("hw.gpu.memory.usage", MIB),
    "DCGM_FI_DEV_FB_TOTAL": Rule("hw.gpu.memory.limit", MIB),
    "DCGM_FI_DEV_FB_FREE": Rule(FREE, MIB),
    "DCGM_FI_DEV_FB_RESERVED": Rule(RESERVED, MIB),
    "DCGM_FI_DEV_POWER_USAGE": Rule("hw.power", whole=True),
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": Rule("hw.energy", 0.001, whole=True),
    "DCGM_FI_DEV_GPU_TEMP": Rule("hw.temperature", 1, _at("gpu"), whole=True),
    "DCGM_FI_DEV_MEMORY_TEMP": Rule("hw.temperature", 1, _at("memory"), whole=True),
    "DCGM_FI_DEV_SM_CLOCK": Rule("tollbook.accelerator.clock", 1e6, _clock("sm"), whole=True),
    "DCGM_FI_DEV_MEM_CLOCK": Rule("tollbook.accelerator.clock", 1e6, _clock("memory"), whole=True),
    "DCGM_FI_DEV_PCIE_REPLAY_COUNTER": Rule(ERRORS, 1, _error("pcie_replay"), whole=True),
    "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL": Rule(ERRORS, 1, _error("ecc_corrected"), whole=True),
    "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL": Rule(ERRORS, 1, _error("ecc_uncorrected"), whole=True),
    "DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS": Rule(ERRORS, 1, _error("remapped_corrected"), whole=True),
    "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS": Rule(ERRORS, 1, _error("remapped_uncorrected"), whole=True),
    "DCGM_FI_DEV_XID_ERRORS": Rule("hw.status", 1, {"hw.state": "degraded"}, whole=True),
    "DCGM_FI_PROF_PCIE_TX_BYTES": Rule("hw.gpu.io", 1, {A.NETWORK_IO_DIRECTION: "transmit"}, whole=True),
    "DCGM_FI_PROF_PCIE_RX_BYTES": Rule("hw.gpu.io", 1, {A.NETWORK_IO_DIRECTION: "receive"}, whole=True),
}

HAMI: Final[Mapping[str, Rule]] = {
    "HostCoreUtilization": Rule(BUSY, 0.01, GENERAL),
    "hami_host_gpu_utilization_ratio": Rule(BUSY, 0.01, GENERAL),
    "HostGPUMemoryUsage": Rule("hw.gpu.memory.usage"),
    "hami_host_gpu_memory_used_bytes": Rule("hw.gpu.memory.usage"),
    "hami_host_gpu_memory_controller_utilization_ratio": Rule(ACTIVE, 0.01, _unit("dram")),
    "hami_host_gpu_power_usage_watts": Rule("hw.power"),
    "hami_host_gpu_temperature_celsius": Rule("hw.temperature", 1, _at("gpu")),
    "vGPU_device_memory_usage_in_bytes": Rule("tollbook.accelerator.process.memory"),
    "hami_vgpu_memory_used_bytes": Rule("tollbook.accelerator.process.memory"),
    "vGPU_device_memory_limit_in_bytes": Rule("tollbook.accelerator.share.memory"),
    "hami_vgpu_memory_limit_bytes": Rule("tollbook.accelerator.share.memory"),
    "Device_utilization_desc_of_container": Rule(ACTIVE, 0.01, _unit("sm_of_container")),
    "hami_container_device_utilization_ratio": Rule(ACTIVE, 0.01, _unit("sm_of_container")),
}
"""Names before and since its exporters follow Prometheus' rules; what they call a ratio goes to 100."""

TRITON: Final[Mapping[str, Rule]] = {
    "nv_gpu_utilization": Rule(BUSY, 1, GENERAL),
    "nv_gpu_memory_used_bytes": Rule("hw.gpu.memory.usage"),
    "nv_gpu_memory_total_bytes": Rule("hw.gpu.memory.limit"),
    "nv_gpu_power_usage": Rule("hw.power"),
    "nv_energy_consumption": Rule("hw.energy"),
    "nv_inference_request_success": Rule("tollbook.engine.finished", provider="triton"),
    "nv_inference_pending_request_count": Rule(
        "tollbook.engine.requests", 1, {A.TOLLBOOK_ENGINE_STATE: "waiting"}, provider="triton"
    ),
}

OTHERS: Final[Mapping[str, Rule]] = {
    "nvidia_smi_utilization_gpu_ratio": Rule(BUSY, 1, GENERAL),
    "nvidia_smi_utilization_memory_ratio": Rule(ACTIVE, 1, _unit("dram")),
    "nvidia_smi_memory_used_bytes": Rule("hw.gpu.memory.usage"),
    "nvidia_smi_memory_total_bytes": Rule("hw.gpu.memory.limit"),
    "nvidia_smi_power_draw_watts": Rule("hw.power"),
    "nvidia_smi_temperature_gpu": Rule("hw.temperature", 1, _at("gpu")),
    "gpu_gfx_activity": Rule(BUSY, 0.01, GENERAL),
    "gpu_umc_activity": Rule(ACTIVE, 0.01, _unit("dram")),
    "gpu_used_vram": Rule("hw.gpu.memory.usage", MIB),
    "gpu_total_vram": Rule("hw.gpu.memory.limit", MIB),
    "gpu_power_usage": Rule("hw.power", whole=True),
    "gpu_package_power": Rule("hw.power", whole=True, weaker=True),
    "gpu_energy_consumed": Rule("hw.energy", 1e-6, whole=True),
    "gpu_junction_temperature": Rule("hw.temperature", 1, _at("gpu"), whole=True),
    "node_rapl_package_joules_total": Rule("hw.energy", 1, {A.HW_TYPE: "cpu"}),
}


def _engine(provider: str, names: Mapping[str, Rule]) -> dict[str, Rule]:
    return {
        name: Rule(rule.name, rule.scale, rule.said, rule.labels, weaker=rule.weaker, provider=provider)
        for name, rule in names.items()
    }


RUNNING: Final = {A.TOLLBOOK_ENGINE_STATE: "running"}
WAITING: Final = {A.TOLLBOOK_ENGINE_STATE: "waiting"}
INPUT: Final = {A.GEN_AI_TOKEN_TYPE: "input"}
OUTPUT: Final = {A.GEN_AI_TOKEN_TYPE: "output"}
REQUESTS, CACHE, TOKENS = "tollbook.engine.requests", "tollbook.engine.cache.utilization", "tollbook.engine.tokens"
FIRST, EACH, WHOLE = "gen_ai.server.time_to_first_token", "gen_ai.server.time_per_output_token", "gen_ai.server.request.duration"

VLLM: Final = _engine(
    "vllm",
    {
        "vllm:num_requests_running": Rule(REQUESTS, 1, RUNNING),
        "vllm:num_requests_waiting": Rule(REQUESTS, 1, WAITING),
        "vllm:num_requests_swapped": Rule(REQUESTS, 1, {A.TOLLBOOK_ENGINE_STATE: "swapped"}),
        "vllm:kv_cache_usage_perc": Rule(CACHE),
        "vllm:gpu_cache_usage_perc": Rule(CACHE, weaker=True),
        "vllm:prompt_tokens": Rule(TOKENS, 1, INPUT),
        "vllm:generation_tokens": Rule(TOKENS, 1, OUTPUT),
        "vllm:prefix_cache_queries": Rule("tollbook.engine.cache.queries"),
        "vllm:prefix_cache_hits": Rule("tollbook.engine.cache.hits"),
        "vllm:gpu_prefix_cache_queries": Rule("tollbook.engine.cache.queries", weaker=True),
        "vllm:gpu_prefix_cache_hits": Rule("tollbook.engine.cache.hits", weaker=True),
        "vllm:request_success": Rule("tollbook.engine.finished"),
        "vllm:time_to_first_token_seconds": Rule(FIRST),
        "vllm:inter_token_latency_seconds": Rule(EACH),
        "vllm:time_per_output_token_seconds": Rule(EACH, weaker=True),
        "vllm:e2e_request_latency_seconds": Rule(WHOLE),
    },
)
SGLANG: Final = _engine(
    "sglang",
    {
        "sglang:num_running_reqs": Rule(REQUESTS, 1, RUNNING),
        "sglang:num_queue_reqs": Rule(REQUESTS, 1, WAITING),
        "sglang:token_usage": Rule(CACHE),
        "sglang:prompt_tokens": Rule(TOKENS, 1, INPUT),
        "sglang:generation_tokens": Rule(TOKENS, 1, OUTPUT),
        "sglang:time_to_first_token_seconds": Rule(FIRST),
        "sglang:inter_token_latency_seconds": Rule(EACH),
        "sglang:time_per_output_token_seconds": Rule(EACH, weaker=True),
        "sglang:e2e_request_latency_seconds": Rule(WHOLE),
    },
)
TGI: Final = _engine(
    "tgi",
    {
        "tgi_batch_current_size": Rule(REQUESTS, 1, RUNNING),
        "tgi_queue_size": Rule(REQUESTS, 1, WAITING),
        "tgi_request_success": Rule("tollbook.engine.finished"),
        "tgi_request_duration": Rule(WHOLE),
        "tgi_request_mean_time_per_token_duration": Rule(EACH),
    },
)

RULES: Final[Mapping[str, Rule]] = {**DCGM, **HAMI, **TRITON, **OTHERS, **VLLM, **SGLANG, **TGI}
UPPER_TOO: Final = {name.upper(): name for name in OTHERS if name.startswith("gpu_")}
"""AMD's exporter wrote its names in capitals first."""

Series = tuple[str, tuple[tuple[str, str | int], ...]]


def samples(scrape: Scrape) -> list[Sample]:
    """What a text tells of devices and engines. A series that is told twice counts once; the stronger of two tellers wins."""
    strong: dict[Series, Sample] = {}
    weak: dict[Series, Sample] = {}
    memory: dict[tuple[tuple[str, str | int], ...], dict[str, Sample]] = {}
    for point in scrape.points:
        rule = _rule(point, scrape)
        found = None if rule is None or INSTRUMENTS.get(rule.name, ("",))[0] == "histogram" else _sample(rule, point)
        if rule is None or found is None:
            continue
        if rule.name.startswith("hw.gpu.memory.") or rule.name in (FREE, RESERVED):
            memory.setdefault(_key(found.attributes), {})[rule.name] = found
        if rule.name not in (FREE, RESERVED):
            (weak if rule.weaker else strong).setdefault((found.name, _key(found.attributes)), found)
    for parts in memory.values():
        for found in _of_memory(parts):
            strong.setdefault((found.name, _key(found.attributes)), found)
    return [*strong.values(), *(sample for series, sample in weak.items() if series not in strong), *_histograms(scrape)]


def _rule(point: Point, scrape: Scrape) -> Rule | None:
    name = UPPER_TOO.get(point.name, point.name)
    rule = RULES.get(name) or RULES.get(name.removesuffix("_total"))
    if rule is None or any(point.labels.get(label) != value for label, value in rule.labels.items()):
        return None
    counts = INSTRUMENTS.get(rule.name, ("",))[0] == COUNTER
    if counts and scrape.types.get(point.name) == "gauge" and rule.name == "hw.gpu.io":
        return None  # a rate, which cannot be told as bytes
    return rule


def _sample(rule: Rule, point: Point) -> Sample | None:
    value = _value(rule, point.value)
    if value is None:
        return None
    labels = {name.lower(): word for name, word in point.labels.items()}
    if rule.provider:
        attributes = {**_engine_attributes(rule, labels), **rule.said}
        return Sample(rule.name, value, attributes, {A.SERVICE_NAME: rule.provider}, point.time_ns)
    device = _device(rule, labels)
    if device is None or (rule.weaker and rule.name == BUSY and device.parent):
        return None  # the driver's figure is wrong for slices
    attributes = {**device.attributes, **({} if rule.whole and _is_sliced(labels) else _pod(labels)), **rule.said}
    if rule.name == "hw.status":
        if point.value <= 0:
            return None
        attributes, value = {**attributes, A.ERROR_TYPE: f"xid_{int(point.value)}"}, 1.0
    return Sample(rule.name, value, attributes, _resource(labels), point.time_ns)


def _value(rule: Rule, value: float) -> float | None:
    """In our unit, or nothing for what stands for 'no value' or cannot be."""
    if is_blank(value) or (value < 0 and rule.name != "hw.temperature"):
        return None
    kind, unit, _ = INSTRUMENTS.get(rule.name, ("", "", ""))
    scaled = value * rule.scale
    if unit == "1" and rule.name != "hw.status":
        return min(scaled, 1.0) if scaled <= ABOVE_ONE else None
    return None if kind != COUNTER and scaled >= LARGEST_GAUGE and unit != "Hz" else scaled


def _device(rule: Rule, labels: Mapping[str, str]) -> Device | None:
    """The device that a point is of; a slice of it where the exporter tells slices apart."""
    if rule.said.get(A.HW_TYPE) == "cpu":
        package = labels.get("index") or labels.get("path", "")
        return Device(f"package-{package}", "cpu", name=f"package-{package}")
    uuid = next((labels[name] for name in ("uuid", "gpu_uuid", "deviceuuid", "device_uuid") if labels.get(name)), "")
    node = _node(labels)
    index = next((labels[name] for name in ("gpu", "gpu_id", "deviceidx", "device_index") if labels.get(name)), "")
    whole = uuid or labels.get("serial_number", "") or (f"{node}/{index}" if node and index else index)
    if not whole:
        return None
    amd = "card_model" in labels or "gpu_partition_id" in labels
    model = labels.get("modelname") or labels.get("card_model") or labels.get("devicetype") or labels.get("device_type") or ""
    device = Device(
        whole, model=model.removeprefix("NVIDIA-"), vendor="AMD" if amd else "NVIDIA", name=labels.get("device") or index,
        driver=labels.get("dcgm_fi_driver_version", ""),
    )  # fmt: skip
    if rule.whole or not _is_sliced(labels):
        return device
    instance = labels["gpu_i_id"]
    return Device(
        f"{whole}/{instance}", model=device.model, vendor=device.vendor, name=device.name, driver=device.driver, parent=whole,
        profile=labels.get("gpu_i_profile", ""), more={"GPU_I_ID": instance},
    )  # fmt: skip


def _is_sliced(labels: Mapping[str, str]) -> bool:
    return bool(labels.get("gpu_i_id"))


def _node(labels: Mapping[str, str]) -> str:
    return next((labels[name] for name in ("hostname", "nodeid", "node", "node_name") if labels.get(name)), "")


def _resource(labels: Mapping[str, str]) -> Attributes:
    node = _node(labels)
    return {A.HOST_NAME: node} if node else {}


def _pod(labels: Mapping[str, str]) -> Attributes:
    """Whose the device is at present. Behind Prometheus the exporter's own pod has taken the names."""
    said: dict[str, str | int] = {}
    for key, names in (
        (A.K8S_POD_NAME, ("exported_pod", "pod", "podname")),
        (A.K8S_NAMESPACE_NAME, ("exported_namespace", "namespace", "podnamespace")),
        (A.K8S_CONTAINER_NAME, ("exported_container", "container", "ctrname")),
    ):
        word = next((labels[name] for name in names if labels.get(name)), "")
        if word:
            said[key] = word
    return said


def _engine_attributes(rule: Rule, labels: Mapping[str, str]) -> dict[str, str | int]:
    said: dict[str, str | int] = {A.GEN_AI_PROVIDER_NAME: rule.provider}
    model = next((labels[name] for name in ("model_name", "model") if labels.get(name)), "")
    if model:
        said[A.GEN_AI_REQUEST_MODEL] = model
    if reason := labels.get("finished_reason"):
        said["gen_ai.response.finish_reasons"] = reason
    if engine := labels.get("engine"):
        said[A.TOLLBOOK_ENGINE_ID] = engine
    return said


def _of_memory(parts: Mapping[str, Sample]) -> Iterator[Sample]:
    """The device's memory, where only its parts are told, and how much of it is in use."""
    used, limit = parts.get("hw.gpu.memory.usage"), parts.get("hw.gpu.memory.limit")
    free, reserved = parts.get(FREE), parts.get(RESERVED)
    if used is None:
        return
    total = None if limit is None else _number(limit)
    if total is None and free is not None:
        total = _number(used) + _number(free) + (0.0 if reserved is None else _number(reserved))
        yield Sample("hw.gpu.memory.limit", total, used.attributes, used.resource, used.time_ns)
    if total:
        ratio = min(_number(used) / total, 1.0)
        yield Sample("hw.gpu.memory.utilization", ratio, used.attributes, used.resource, used.time_ns)


def _number(sample: Sample) -> float:
    return 0.0 if isinstance(sample.value, Histogram) else float(sample.value)


def _histograms(scrape: Scrape) -> Iterator[Sample]:
    """Of engines: cumulative buckets made into counts. One without its infinite bucket, or that falls, is left out."""
    parts: dict[tuple[bool, Series], dict[str, dict[float, float]]] = {}
    for point in scrape.points:
        name, _, part = point.name.rpartition("_")
        rule = RULES.get(name) if part in ("bucket", "sum", "count") else None
        if rule is None or not rule.provider or is_blank(point.value):
            continue
        labels = {label.lower(): word for label, word in point.labels.items()}
        series = (rule.name, _key({**_engine_attributes(rule, labels), **rule.said}))
        bound = _bound(labels.get("le", "inf"))
        if bound is not None:
            parts.setdefault((rule.weaker, series), {}).setdefault(part, {})[bound] = point.value
    told: set[Series] = set()
    for (_, series), found in sorted(parts.items(), key=lambda item: item[0][0]):
        histogram = _histogram(found)
        if histogram is not None and series not in told:
            told.add(series)
            said = dict(series[1])
            yield Sample(series[0], histogram, said, {A.SERVICE_NAME: said[A.GEN_AI_PROVIDER_NAME]})


def _bound(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _histogram(found: Mapping[str, Mapping[float, float]]) -> Histogram | None:
    buckets = sorted(found.get("bucket", {}).items())
    if not buckets or buckets[-1][0] != float("inf") or "sum" not in found:
        return None
    counts, before = [], 0.0
    for _, upto in buckets:
        if upto < before:
            return None
        counts.append(int(upto - before))
        before = upto
    return Histogram(tuple(bound for bound, _ in buckets[:-1]), tuple(counts), next(iter(found["sum"].values())))


def _key(attributes: Attributes) -> tuple[tuple[str, str | int], ...]:
    return tuple(sorted(attributes.items()))


def names() -> Iterable[str]:
    """All names that are understood."""
    return RULES.keys()
