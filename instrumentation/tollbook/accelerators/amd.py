"""AMD's devices through amdsmi, where ROCm is installed. Without it the package fails in several ways, all meaning 'not here'."""

import importlib
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, Final

from tollbook_schema import attributes as A  # noqa: N812

from tollbook.accelerators.readings import Device, Sample, Unavailable, percent, sampled

MIB: Final = 1024 * 1024
NOT_HERE: Final = (ImportError, OSError, KeyError, AttributeError, RuntimeError, TypeError, ValueError)
"""What importing or asking it raises: without ROCm a KeyError('libamd_smi.so')."""


class Amd:
    """Reads AMD's devices. `Unavailable` is raised where there is no ROCm, or no device."""

    source = "amdsmi"

    def __init__(self, library: ModuleType | None = None) -> None:
        self._lacking: set[tuple[str, str]] = set()
        try:
            self._smi: Any = library if library is not None else importlib.import_module("amdsmi")
            self._failed: tuple[type[Exception], ...] = (*NOT_HERE, getattr(self._smi, "AmdSmiException", OSError))
        except ModuleNotFoundError as error:
            raise Unavailable("amdsmi: not installed") from error
        except NOT_HERE as error:
            raise Unavailable(f"amdsmi: {type(error).__name__}: {error}") from error
        try:
            self._smi.amdsmi_init()
            handles = list(self._smi.amdsmi_get_processor_handles())
        except self._failed as error:
            raise Unavailable(f"amdsmi: {type(error).__name__}: {error}") from error
        self._handles = [(self._device(index, handle), handle) for index, handle in enumerate(handles)]
        if not self._handles:
            self.close()
            raise Unavailable("amdsmi: no device")
        self.devices = tuple(device for device, _ in self._handles)

    def read(self) -> list[Sample]:
        """A sample of everything that the devices tell.

        Raises:
            Unavailable: no device answers any longer.
        """
        samples = [sample for device, handle in self._handles for sample in self._of(device, handle)]
        if not samples:
            raise Unavailable("amdsmi: no device answers")
        return samples

    def close(self) -> None:
        """Leaves the library."""
        try:
            self._smi.amdsmi_shut_down()
        except self._failed:
            return

    def _device(self, index: int, handle: Any) -> Device:
        uuid = self._asked(str(index), "amdsmi_get_gpu_device_uuid", handle)
        asic = self._asked(str(index), "amdsmi_get_gpu_asic_info", handle)
        model = str(asic.get("market_name", "")) if isinstance(asic, Mapping) else ""
        return Device(str(uuid or f"amdgpu{index}"), model=_word(model), vendor="AMD", name=f"amdgpu{index}")

    def _of(self, device: Device, handle: Any) -> Iterator[Sample]:
        activity = self._table(device, "amdsmi_get_gpu_activity", handle)
        yield from sampled(device, "hw.gpu.utilization", percent(_number(activity, "gfx_activity")), **{A.HW_GPU_TASK: "general"})
        yield from sampled(
            device, "tollbook.accelerator.activity", percent(_number(activity, "umc_activity")),
            **{A.TOLLBOOK_ACCELERATOR_UNIT: "dram"},
        )  # fmt: skip
        memory = self._table(device, "amdsmi_get_gpu_vram_usage", handle)
        used, total = _number(memory, "vram_used"), _number(memory, "vram_total")
        yield from sampled(device, "hw.gpu.memory.usage", None if used is None else round(used * MIB))
        yield from sampled(device, "hw.gpu.memory.limit", None if total is None else round(total * MIB))
        yield from sampled(device, "hw.gpu.memory.utilization", used / total if used is not None and total else None)
        power = self._table(device, "amdsmi_get_power_info", handle)
        yield from sampled(device, "hw.power", _number(power, "current_socket_power", "average_socket_power", "socket_power"))
        yield from sampled(device, "hw.energy", self._joules(device, handle))
        edge, instant = self._member("AmdSmiTemperatureType", "EDGE"), self._member("AmdSmiTemperatureMetric", "CURRENT")
        degrees = self._asked(device.id, "amdsmi_get_temp_metric", handle, edge, instant) if edge is not None else None
        yield from sampled(device, "hw.temperature", _number({"degrees": degrees}, "degrees"), **{A.HW_SENSOR_LOCATION: "gpu"})

    def _joules(self, device: Device, handle: Any) -> float | None:
        """The accumulator counts in steps of `counter_resolution` microjoules."""
        energy = self._table(device, "amdsmi_get_energy_count", handle)
        counted, step = _number(energy, "energy_accumulator", "power"), _number(energy, "counter_resolution")
        return counted * step / 1e6 if counted is not None and step is not None else None

    def _table(self, device: Device, function: str, handle: Any) -> Mapping[str, Any]:
        found = self._asked(device.id, function, handle)
        return found if isinstance(found, Mapping) else {}

    def _member(self, enumeration: str, name: str) -> Any:
        return getattr(getattr(self._smi, enumeration, None), name, None)

    def _asked(self, device: str, function: str, *arguments: Any) -> Any:
        """What a function answers; `None`, and never asked again, where it fails."""
        if (device, function) in self._lacking:
            return None
        try:
            return getattr(self._smi, function)(*arguments)
        except self._failed:
            self._lacking.add((device, function))
            return None


def _number(table: Mapping[str, Any], *names: str) -> float | None:
    """The first that is a number: what a device does not tell is 'N/A'."""
    for name in names:
        value = table.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def _word(text: str) -> str:
    return "" if text.strip().upper() in {"", "N/A"} else text.strip()
