"""NVIDIA's devices by a stand-in for their driver: every figure, MIG instances, and what a driver does not have."""

from typing import Any

import pytest
from tollbook.accelerators.nvml import Nvml
from tollbook.accelerators.readings import Sample, Unavailable

from tests.accelerators.nvml import CUT, PARTS, WHOLE, FakeNvml


def by_device(samples: list[Sample]) -> dict[str, dict[str, Any]]:
    """Values by device, then by metric and what tells its series apart."""
    found: dict[str, dict[str, Any]] = {}
    common = {"hw.id", "hw.model", "hw.name", "hw.vendor", "hw.type", "hw.driver_version", "hw.parent", "GPU_I_ID"}
    for sample in samples:
        own = [str(value) for key, value in sorted(sample.attributes.items()) if key not in common and "profile" not in key]
        found.setdefault(str(sample.attributes["hw.id"]), {})[" ".join([sample.name, *own])] = sample.value
    return found


def test_a_device_tells_everything_it_has_under_the_conventions_names() -> None:
    library = FakeNvml()
    reader = Nvml(library)  # type: ignore[arg-type]  # stands in for the module
    reader.read()
    library.energy_mj += 1_500
    whole = by_device(reader.read())[WHOLE]
    assert whole == {
        "hw.gpu.utilization general": 0.625,
        "tollbook.accelerator.activity sm": 0.5,
        "tollbook.accelerator.activity sm_occupancy": 0.125,
        "tollbook.accelerator.activity tensor": 0.25,
        "tollbook.accelerator.activity dram": 0.375,
        "hw.gpu.memory.usage": 250,
        "hw.gpu.memory.limit": 1000,
        "hw.gpu.memory.utilization": 0.25,
        "hw.power": 350.5,
        "hw.energy": 5001.5,
        "hw.temperature gpu": 41,
        "tollbook.accelerator.clock sm": 1_980_000_000,
        "tollbook.accelerator.clock memory": 3_201_000_000,
        "tollbook.accelerator.throttled sw_power_cap": 1,
        "hw.errors ecc_corrected": 0,
        "hw.errors ecc_uncorrected": 1,
        "hw.errors xid_79": 1,
        "hw.gpu.io pcie transmit": 1000,
        "hw.gpu.io pcie receive": 2000,
        "hw.gpu.io nvlink transmit": 3072,
        "tollbook.accelerator.process.memory 4242": 777,
    }
    reader.close()
    assert library.open_samples == 0


def test_slices_name_their_device_and_their_profile() -> None:
    reader = Nvml(FakeNvml())  # type: ignore[arg-type]  # stands in for the module
    one, two = (device for device in reader.devices if device.parent)
    assert (one.id, one.parent, one.profile, one.attributes["GPU_I_ID"]) == (PARTS[0], CUT, "1g.10gb", "7")
    assert (two.id, two.profile) == (PARTS[1], "1c.2g.19gb")
    found = by_device(reader.read())
    assert found[PARTS[0]]["hw.gpu.memory.usage"] == 750
    assert "hw.gpu.utilization general" not in found[CUT], "the driver's figure is wrong for a device in slices"


def test_what_a_driver_does_not_have_is_asked_once() -> None:
    library = FakeNvml()
    reader = Nvml(library)  # type: ignore[arg-type]  # stands in for the module
    reader.read()
    library.asked.clear()
    reader.read()
    assert library.asked.count("nvmlDeviceGetTotalEnergyConsumption") == 1, "of the device that has a meter"


def test_devices_that_are_gone_are_unavailable() -> None:
    library = FakeNvml()
    reader = Nvml(library)  # type: ignore[arg-type]  # stands in for the module
    library.lost = True
    with pytest.raises(Unavailable, match="no device answers"):
        reader.read()


def test_without_a_driver_it_is_said_why() -> None:
    class NoDriver(FakeNvml):
        def nvmlInit(self) -> None:  # noqa: N802 - the name is NVIDIA's
            raise self.NVMLError(12)

    with pytest.raises(Unavailable, match="error 12"):
        Nvml(NoDriver())  # type: ignore[arg-type]  # stands in for the module
