"""Processors as the accelerator of CPU inference: what they have for it, and what energy they take where that can be read."""

import contextlib
from pathlib import Path
from typing import Final

from tollbook_schema import attributes as A  # noqa: N812

from tollbook.accelerators.readings import Device, Sample, sampled

CPUINFO: Final = Path("/proc/cpuinfo")
POWERCAP: Final = Path("/sys/class/powercap")
TELLING: Final = ("amx_", "asimd", "avx", "bf16", "dotprod", "f16c", "fma", "i8mm", "neon", "sme", "sse4_2", "sve", "vnni")
"""What instruction sets of inference begin with, or end with."""


class Cpus:
    """Reads the processors of this machine."""

    source = "/proc and powercap"

    def __init__(self, host: str, cpuinfo: Path = CPUINFO, powercap: Path = POWERCAP) -> None:
        model, sets = _described(cpuinfo)
        more = {A.TOLLBOOK_ACCELERATOR_INSTRUCTION_SETS: sets} if sets else {}
        self._host = Device(f"{host}/cpu", "cpu", model=model, name="cpu", more=more)
        self._meters = [
            (Device(f"{host}/{_name(zone)}", "cpu", model=model, name=_name(zone), parent=self._host.id), _Meter(zone))
            for zone in sorted(powercap.glob("intel-rapl:[0-9]*"))
            if zone.name.count(":") == 1 and _name(zone).startswith("package")
        ]
        self.devices = (self._host, *(device for device, _ in self._meters))

    def read(self) -> list[Sample]:
        """What the processors tell. The energy meters are root's on most machines: then it is absent."""
        samples = [*sampled(self._host, "hw.status", 1, **{"hw.state": "ok"})]
        for device, meter in self._meters:
            samples += sampled(device, "hw.energy", meter.joules())
        return samples

    def close(self) -> None:
        """Nothing is kept open."""


class _Meter:
    """An energy counter that begins again at zero; ours goes on."""

    def __init__(self, zone: Path) -> None:
        self._counter = zone / "energy_uj"
        self._range_uj = _number(zone / "max_energy_range_uj") or 0
        self._before_uj: int | None = None
        self._total_uj = 0

    def joules(self) -> float | None:
        """Energy since the first call."""
        now = _number(self._counter)
        if now is None:
            return None
        if self._before_uj is not None:
            self._total_uj += now - self._before_uj if now >= self._before_uj else now + self._range_uj - self._before_uj
        self._before_uj = now
        return self._total_uj / 1e6


def _described(cpuinfo: Path) -> tuple[str, str]:
    """The processor's name and its instruction sets that matter to inference."""
    said: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in cpuinfo.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            said.setdefault(name.strip().lower(), value.strip())
    flags = (said.get("flags") or said.get("features") or "").lower().split()
    sets = sorted({flag for flag in flags if flag != "smep" and (flag.startswith(TELLING) or flag.endswith(TELLING))})
    return said.get("model name", ""), ",".join(sets)


def _name(zone: Path) -> str:
    with contextlib.suppress(OSError):
        return (zone / "name").read_text().strip()
    return zone.name


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
