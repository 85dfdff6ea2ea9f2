"""NVIDIA's devices through NVML: what each does at present, MIG instances and processes included."""

import contextlib
import ctypes
import importlib
from collections import Counter
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final

from tollbook_schema import attributes as A  # noqa: N812

from tollbook.accelerators.readings import Attributes, Device, Sample, Unavailable, percent, sampled

GPM: Final = {1: None, 2: "sm", 3: "sm_occupancy", 5: "tensor", 10: "dram"}
"""Metrics of NVML's GPU performance monitoring, in percent: 1 is how busy it was, the others are activities of units."""
FIELDS: Final = {
    197: ("transmit", "pcie", 1),
    198: ("receive", "pcie", 1),
    138: ("transmit", "nvlink", 1024),
    139: ("receive", "nvlink", 1024),
}
"""Counters among NVML's field values: direction, way, and bytes in one."""
THROTTLES: Final = {
    0x4: "sw_power_cap", 0x8: "hw_slowdown", 0x10: "sync_boost", 0x20: "sw_thermal_slowdown", 0x40: "hw_thermal_slowdown",
    0x80: "hw_power_brake_slowdown",
}  # fmt: skip
XID: Final = 0x8
"""Event type of a critical error with an Xid."""


class Nvml:
    """Reads NVIDIA's devices. `Unavailable` is raised where there is no driver, no device or no package to ask them with."""

    source = "NVML"

    def __init__(self, library: ModuleType | None = None) -> None:
        self._nvml: Any = library if library is not None else _loaded()
        self._lacking: set[tuple[str, str]] = set()
        """(device, function) that the driver does not answer: they are not asked again."""
        self._gpm: dict[str, Any] = {}
        """The last sample of performance monitoring of each device or instance."""
        self._xids: Counter[tuple[str, int]] = Counter()
        try:
            self._nvml.nvmlInit()
        except (self._nvml.NVMLError, OSError) as error:
            raise Unavailable(f"NVML: {error}") from error
        self.driver = self._said("", "nvmlSystemGetDriverVersion") or ""
        self._handles = [
            (device, handle)
            for index in range(self._said("", "nvmlDeviceGetCount") or 0)
            if (handle := self._said(str(index), "nvmlDeviceGetHandleByIndex", index)) is not None
            and (device := self._device(index, handle)) is not None
        ]
        if not self._handles:
            self.close()
            raise Unavailable("NVML: the driver has no device for this process")
        self._events = self._watched()

    @property
    def devices(self) -> tuple[Device, ...]:
        """All of them in NVML's order, which is that of their PCI addresses; each followed by its MIG instances."""
        return tuple(
            device for whole, handle in self._handles for device in (whole, *(part for part, _, _ in self._parts(whole, handle)))
        )

    def read(self) -> list[Sample]:
        """A sample of everything that the devices tell, in about a millisecond a device.

        Raises:
            Unavailable: no device answers any longer; making a new reader may help.
        """
        self._take_events()
        samples = [sample for device, handle in self._handles for sample in self._of(device, handle)]
        if not samples:
            raise Unavailable("NVML: no device answers")
        return samples

    def close(self) -> None:
        """Leaves the library."""
        with contextlib.suppress(self._nvml.NVMLError, OSError):
            for sample in self._gpm.values():
                self._nvml.nvmlGpmSampleFree(sample)
            self._nvml.nvmlShutdown()
        self._gpm.clear()

    def _device(self, index: int, handle: Any) -> Device | None:
        uuid = self._said(str(index), "nvmlDeviceGetUUID", handle)
        if not uuid:
            return None
        model = self._said(uuid, "nvmlDeviceGetName", handle) or ""
        return Device(uuid, model=model, vendor="NVIDIA", name=f"nvidia{index}", driver=self.driver)

    def _of(self, device: Device, handle: Any) -> Iterator[Sample]:
        parts = self._parts(device, handle)
        yield from self._utilization(device, handle, sliced=bool(parts))
        yield from self._memory(device, handle)
        yield from self._power(device, handle)
        yield from self._condition(device, handle)
        yield from self._errors(device, handle)
        yield from self._fields(device, handle)
        yield from self._processes(device, handle)
        for part, own, instance in parts:
            yield from self._memory(part, own)
            yield from self._monitored(part, handle, instance)
            yield from self._processes(part, own)

    def _utilization(self, device: Device, handle: Any, *, sliced: bool) -> Iterator[Sample]:
        """How busy; of a device with MIG the driver's own figure is wrong or missing, and performance monitoring tells."""
        monitored = tuple(self._monitored(device, handle, None))
        yield from monitored
        rates = None if sliced else self._said(device.id, "nvmlDeviceGetUtilizationRates", handle)
        if rates is not None:
            if not any(sample.name == "hw.gpu.utilization" for sample in monitored):
                yield from sampled(device, "hw.gpu.utilization", percent(rates.gpu), **{A.HW_GPU_TASK: "general"})
            if not any(sample.attributes.get(A.TOLLBOOK_ACCELERATOR_UNIT) == "dram" for sample in monitored):
                yield from _active(device, "dram", rates.memory)
        for task in ("encoder", "decoder"):
            found = self._said(device.id, f"nvmlDeviceGet{task.title()}Utilization", handle)
            yield from sampled(device, "hw.gpu.utilization", percent(found[0] if found else None), **{A.HW_GPU_TASK: task})

    def _monitored(self, device: Device, handle: Any, instance: int | None) -> Iterator[Sample]:
        """What performance monitoring (Hopper and later) tells of the time since the last sample; nothing the first time."""
        now = self._gpm_sample(device, handle, instance)
        before = self._gpm.get(device.id)
        if now is None:
            return
        self._gpm[device.id] = now
        if before is None:
            return
        try:
            for number, value in self._gpm_metrics(device, before, now):
                unit = GPM[number]
                if unit is None:
                    yield from sampled(device, "hw.gpu.utilization", percent(value), **{A.HW_GPU_TASK: "general"})
                else:
                    yield from _active(device, unit, value)
        finally:
            self._said(device.id, "nvmlGpmSampleFree", before)

    def _gpm_sample(self, device: Device, handle: Any, instance: int | None) -> Any:
        whole = device.parent or device.id
        support = self._said(whole, "nvmlGpmQueryDeviceSupport", handle)
        if support is None or not support.isSupportedDevice:
            return None
        sample = self._said(device.id, "nvmlGpmSampleAlloc")
        if sample is None:
            return None
        if instance is None:
            taken = self._said(device.id, "nvmlGpmSampleGet", handle, sample)
        else:
            taken = self._said(device.id, "nvmlGpmMigSampleGet", handle, instance, sample)
        if taken is None:
            self._said(device.id, "nvmlGpmSampleFree", sample)
        return taken

    def _gpm_metrics(self, device: Device, before: Any, now: Any) -> Iterator[tuple[int, float]]:
        asked = self._nvml.c_nvmlGpmMetricsGet_t()
        asked.version = self._nvml.NVML_GPM_METRICS_GET_VERSION
        asked.numMetrics = len(GPM)
        asked.sample1, asked.sample2 = before, now
        for place, number in enumerate(GPM):
            asked.metrics[place].metricId = number
        if self._said(device.id, "nvmlGpmMetricsGet", asked) is not None:
            for place, number in enumerate(GPM):
                if asked.metrics[place].nvmlReturn == 0:
                    yield number, float(asked.metrics[place].value)

    def _memory(self, device: Device, handle: Any) -> Iterator[Sample]:
        memory = self._said(device.id, "nvmlDeviceGetMemoryInfo", handle)
        if memory is not None and memory.total > 0:
            yield from sampled(device, "hw.gpu.memory.usage", memory.used)
            yield from sampled(device, "hw.gpu.memory.limit", memory.total)
            yield from sampled(device, "hw.gpu.memory.utilization", memory.used / memory.total)

    def _power(self, device: Device, handle: Any) -> Iterator[Sample]:
        milliwatts = self._said(device.id, "nvmlDeviceGetPowerUsage", handle)
        millijoules = self._said(device.id, "nvmlDeviceGetTotalEnergyConsumption", handle)
        yield from sampled(device, "hw.power", None if milliwatts is None else milliwatts / 1000)
        yield from sampled(device, "hw.energy", None if millijoules is None else millijoules / 1000)

    def _condition(self, device: Device, handle: Any) -> Iterator[Sample]:
        """Temperature, clocks, and why these are held down."""
        yield from sampled(
            device,
            "hw.temperature",
            self._said(device.id, "nvmlDeviceGetTemperature", handle, 0),
            **{A.HW_SENSOR_LOCATION: "gpu"},
        )
        for domain, number in (("sm", 1), ("memory", 2)):
            megahertz = self._said(device.id, "nvmlDeviceGetClockInfo", handle, number)
            hertz = None if megahertz is None else megahertz * 1_000_000
            yield from sampled(device, "tollbook.accelerator.clock", hertz, **{A.TOLLBOOK_ACCELERATOR_CLOCK_DOMAIN: domain})
        reasons = self._said(device.id, "nvmlDeviceGetCurrentClocksEventReasons", handle)
        if reasons is None:
            reasons = self._said(device.id, "nvmlDeviceGetCurrentClocksThrottleReasons", handle)
        for bit, reason in THROTTLES.items():
            if reasons is not None and reasons & bit:
                yield from sampled(
                    device, "tollbook.accelerator.throttled", 1, **{A.TOLLBOOK_ACCELERATOR_THROTTLE_REASON: reason}
                )

    def _errors(self, device: Device, handle: Any) -> Iterator[Sample]:
        for number, kind in ((0, "corrected"), (1, "uncorrected")):
            count = self._said(device.id, "nvmlDeviceGetTotalEccErrors", handle, number, 0)
            yield from sampled(device, "hw.errors", count, **{A.ERROR_TYPE: f"ecc_{kind}"})
        for (uuid, xid), count in self._xids.items():
            if uuid == device.id:
                yield from sampled(device, "hw.errors", count, **{A.ERROR_TYPE: f"xid_{xid}"})

    def _fields(self, device: Device, handle: Any) -> Iterator[Sample]:
        found = self._said(device.id, "nvmlDeviceGetFieldValues", handle, list(FIELDS))
        for value in found or ():
            if value.nvmlReturn != 0:
                continue
            direction, way, size = FIELDS[value.fieldId]
            counted = value.value.uiVal if value.valueType == self._nvml.NVML_VALUE_TYPE_UNSIGNED_INT else value.value.ullVal
            yield from sampled(
                device, "hw.gpu.io", counted * size, **{A.NETWORK_IO_DIRECTION: direction, "network.interface.name": way}
            )

    def _processes(self, device: Device, handle: Any) -> Iterator[Sample]:
        for process in self._said(device.id, "nvmlDeviceGetComputeRunningProcesses", handle) or ():
            if process.usedGpuMemory is not None:
                yield from sampled(
                    device, "tollbook.accelerator.process.memory", process.usedGpuMemory, **{A.PROCESS_PID: int(process.pid)}
                )

    def _parts(self, device: Device, handle: Any) -> list[tuple[Device, Any, int]]:
        """The MIG instances of a device: each with its handle and the number of its GPU instance."""
        mode = self._said(device.id, "nvmlDeviceGetMigMode", handle)
        if not mode or mode[0] != 1:
            return []
        found = []
        for index in range(self._said(device.id, "nvmlDeviceGetMaxMigDeviceCount", handle) or 0):
            part = self._asked("nvmlDeviceGetMigDeviceHandleByIndex", handle, index)  # instances come and go
            uuid = None if part is None else self._asked("nvmlDeviceGetUUID", part)
            if not uuid:
                continue
            size, instance = self._asked("nvmlDeviceGetAttributes", part), self._asked("nvmlDeviceGetGpuInstanceId", part)
            more: Attributes = {} if instance is None else {"GPU_I_ID": str(instance)}
            profile = "" if size is None else _profile(size)
            found.append(
                (
                    Device(
                        uuid, model=device.model, vendor="NVIDIA", name=f"{device.name} MIG {index}", parent=device.id,
                        profile=profile, driver=self.driver, more=more,
                    ),
                    part,
                    -1 if instance is None else int(instance),
                )
            )  # fmt: skip
        return found

    def _watched(self) -> Any:
        """A set of events that tells of critical errors, where the driver has it."""
        events = self._said("", "nvmlEventSetCreate")
        for device, handle in self._handles if events is not None else ():
            self._said(device.id, "nvmlDeviceRegisterEvents", handle, XID, events)
        return events

    def _take_events(self) -> None:
        for _ in range(100):
            event = None if self._events is None else self._asked("nvmlEventSetWait_v2", self._events, 0)
            if event is None:
                return
            if event.eventType & XID:
                uuid = self._asked("nvmlDeviceGetUUID", event.device) or ""
                self._xids[(uuid, int(event.eventData))] += 1

    def _said(self, device: str, function: str, *arguments: Any) -> Any:
        """What a function answers; `None`, and never asked again, where this device or driver does not have it."""
        if (device, function) in self._lacking:
            return None
        lacks: list[bool] = []
        found = self._asked(function, *arguments, lacks=lacks.append)
        if lacks:
            self._lacking.add((device, function))
        return found

    def _asked(self, function: str, *arguments: Any, lacks: Callable[[bool], None] = lambda _: None) -> Any:
        call = getattr(self._nvml, function, None)
        if call is None:
            lacks(True)
            return None
        try:
            return call(*arguments)
        except self._nvml.NVMLError as error:
            if getattr(error, "value", None) in (3, 13):  # not supported; a function that this driver does not have
                lacks(True)
            return None
        except (ctypes.ArgumentError, UnicodeDecodeError):
            return None


def _loaded() -> ModuleType:
    try:
        return importlib.import_module("pynvml")
    except ImportError as error:
        raise Unavailable("nvidia-ml-py is not installed: pip install 'tollbook[accelerators]'") from error


def _active(device: Device, unit: str, value: float | None) -> tuple[Sample, ...]:
    return sampled(device, "tollbook.accelerator.activity", percent(value), **{A.TOLLBOOK_ACCELERATOR_UNIT: unit})


def _profile(size: Any) -> str:
    """As `nvidia-smi` names it: 1g.10gb, with 1c. before it where a compute instance is part of the GPU instance."""
    whole, part = int(size.gpuInstanceSliceCount), int(size.computeInstanceSliceCount)
    gigabytes = round(int(size.memorySizeMB) / 1024)
    return f"{f'{part}c.' if 0 < part < whole else ''}{whole}g.{gigabytes}gb"
