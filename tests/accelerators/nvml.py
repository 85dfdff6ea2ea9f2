# ruff: noqa: N802 - the names are NVIDIA's
"""A stand-in for NVIDIA's driver: two devices, the second cut into MIG instances, under the names that pynvml has."""

from types import SimpleNamespace
from typing import Any

WHOLE = "GPU-aaaaaaaa-0000-0000-0000-000000000000"
CUT = "GPU-bbbbbbbb-0000-0000-0000-000000000000"
PARTS = ("MIG-cccccccc-0000-0000-0000-000000000001", "MIG-cccccccc-0000-0000-0000-000000000002")


class NVMLError(Exception):
    """As pynvml's: a number."""

    def __init__(self, value: int) -> None:
        super().__init__(f"error {value}")
        self.value = value


def _lost(*_: Any) -> None:
    raise NVMLError(15)


class FakeNvml:
    """Answers as an H200 and as an A100 with two instances; what is not here the driver does not have."""

    NVMLError = NVMLError
    NVML_GPM_METRICS_GET_VERSION = 1
    NVML_VALUE_TYPE_UNSIGNED_INT = 1

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.energy_mj = 5_000_000
        self.events = [SimpleNamespace(eventType=8, device=0, eventData=79)]
        self.open_samples = 0
        self.lost = False

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("nvml") and callable(found):
            super().__getattribute__("asked").append(name)
            return _lost if super().__getattribute__("lost") else found
        return found

    def nvmlInit(self) -> None:
        """Works."""

    def nvmlShutdown(self) -> None:
        """Works."""

    def nvmlSystemGetDriverVersion(self) -> str:
        return "595.71.05"

    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetUUID(self, handle: int) -> str:
        return [WHOLE, CUT, *PARTS][handle]

    def nvmlDeviceGetName(self, handle: int) -> str:
        return "NVIDIA H200" if handle == 0 else "NVIDIA A100-SXM4-80GB"

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:
        if handle:
            raise NVMLError(3)
        return SimpleNamespace(gpu=25, memory=10)

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        return SimpleNamespace(total=(handle + 1) * 1000, used=(handle + 1) * 250)

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:
        if handle > 1:
            raise NVMLError(3)
        return 350_500

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:
        if handle:
            raise NVMLError(3)
        return self.energy_mj

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:
        return 41

    def nvmlDeviceGetClockInfo(self, handle: int, domain: int) -> int:
        return 1980 if domain == 1 else 3201

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: int) -> int:
        return 0x4 | 0x1

    def nvmlDeviceGetTotalEccErrors(self, handle: int, kind: int, counter: int) -> int:
        return kind

    def nvmlDeviceGetFieldValues(self, handle: int, fields: list[int]) -> list[Any]:
        known = {197: 1000, 198: 2000, 138: 3}
        return [
            SimpleNamespace(
                fieldId=field,
                nvmlReturn=0 if field in known else 3,
                valueType=3,
                value=SimpleNamespace(ullVal=known.get(field, 0)),
            )
            for field in fields
        ]

    def nvmlDeviceGetComputeRunningProcesses(self, handle: int) -> list[Any]:
        return [SimpleNamespace(pid=4242, usedGpuMemory=777), SimpleNamespace(pid=1, usedGpuMemory=None)] if handle == 0 else []

    def nvmlDeviceGetMigMode(self, handle: int) -> list[int]:
        return [handle, handle]

    def nvmlDeviceGetMaxMigDeviceCount(self, handle: int) -> int:
        return 7

    def nvmlDeviceGetMigDeviceHandleByIndex(self, handle: int, index: int) -> int:
        if index > 1:
            raise NVMLError(6)
        return 2 + index

    def nvmlDeviceGetAttributes(self, handle: int) -> Any:
        return SimpleNamespace(gpuInstanceSliceCount=handle - 1, computeInstanceSliceCount=1, memorySizeMB=(handle - 1) * 9728)

    def nvmlDeviceGetGpuInstanceId(self, handle: int) -> int:
        return handle + 5

    def nvmlEventSetCreate(self) -> str:
        return "events"

    def nvmlDeviceRegisterEvents(self, handle: int, kinds: int, events: str) -> None:
        """Works."""

    def nvmlEventSetWait_v2(self, events: str, timeout_ms: int) -> Any:
        if not self.events:
            raise NVMLError(10)
        return self.events.pop()

    def nvmlGpmQueryDeviceSupport(self, handle: int) -> Any:
        return SimpleNamespace(isSupportedDevice=1 if handle == 0 else 0)

    def nvmlGpmSampleAlloc(self) -> Any:
        self.open_samples += 1
        return SimpleNamespace()

    def nvmlGpmSampleFree(self, sample: Any) -> None:
        self.open_samples -= 1

    def nvmlGpmSampleGet(self, handle: int, sample: Any) -> Any:
        return sample

    def c_nvmlGpmMetricsGet_t(self) -> Any:
        return SimpleNamespace(metrics=[SimpleNamespace(metricId=0, nvmlReturn=0, value=0.0) for _ in range(8)])

    def nvmlGpmMetricsGet(self, asked: Any) -> Any:
        values = {1: 62.5, 2: 50.0, 3: 12.5, 5: 25.0, 10: 37.5}
        for metric in asked.metrics[: asked.numMetrics]:
            metric.value = values[metric.metricId]
        return asked
