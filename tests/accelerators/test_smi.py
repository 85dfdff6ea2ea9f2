"""`nvidia-smi` in its three ways of writing, with units, languages and figures that are not there."""

from pathlib import Path
from typing import Any

import pytest
from tollbook.accelerators import smi
from tollbook.accelerators.readings import Unavailable

DATA = Path("../shared/data/nvidia_smi")

XML = """<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v13.dtd">
<nvidia_smi_log>
  <driver_version>570.10</driver_version>
  <gpu id="00000000:01:00.0">
    <product_name>NVIDIA L4</product_name><uuid>GPU-x</uuid><minor_number>0</minor_number>
    <mig_mode><current_mig>N/A</current_mig></mig_mode>
    <fb_memory_usage>
      <total>23034 MiB</total><reserved>500 MiB</reserved><used>1000 MiB</used><free>21534 MiB</free></fb_memory_usage>
    <utilization><gpu_util>37 %</gpu_util><memory_util>[Not Supported]</memory_util></utilization>
    <temperature><gpu_temp>52 C</gpu_temp></temperature>
    <gpu_power_readings><average_power_draw>N/A</average_power_draw>
      <instant_power_draw>33,50 W</instant_power_draw></gpu_power_readings>
    <clocks><sm_clock>2040 MHz</sm_clock><mem_clock>6251 MHz</mem_clock></clocks>
    <processes><process_info><pid>77</pid><used_memory>900 MiB</used_memory></process_info></processes>
  </gpu>
</nvidia_smi_log>
"""


def values(text: str) -> list[dict[str, Any]]:
    """Of each device, values by metric and what tells its series apart."""
    found: dict[str, dict[str, Any]] = {}
    for sample in smi.samples(text):
        own = (
            "hw.gpu.task", "tollbook.accelerator.unit", "hw.sensor_location", "tollbook.accelerator.clock.domain", "process.pid",
        )  # fmt: skip
        name = " ".join([sample.name, *(str(sample.attributes[key]) for key in own if key in sample.attributes)])
        found.setdefault(str(sample.attributes["hw.id"]), {})[name] = sample.value
    return list(found.values())


def test_xml_is_read_and_what_is_not_told_is_absent() -> None:
    assert values(XML) == [
        {
            "hw.gpu.utilization general": 0.37,
            "hw.gpu.memory.usage": 1000 * 2**20,
            "hw.gpu.memory.limit": 23034 * 2**20,
            "hw.gpu.memory.utilization": 1000 / 23034,
            "hw.power": 33.5,
            "hw.temperature gpu": 52,
            "tollbook.accelerator.clock sm": 2040e6,
            "tollbook.accelerator.clock memory": 6251e6,
            "tollbook.accelerator.process.memory 77": 900 * 2**20,
        }
    ]
    bomb = XML.replace("<!DOCTYPE nvidia_smi_log", "<!DOCTYPE x [<!ENTITY a 'b'>]><!--") + "-->"
    assert smi.samples(bomb) == []
    assert smi.samples(XML[:200]) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("575 MiB", 575 * 2**20), ("38 %", 38), ("[N/A]", None), ("N/A", None), ("[Not Supported]", None), ("", None),
        ("26.20 W", 26.2), ("26,20 W", 26.2), ("1,234.5 W", 1234.5), ("1.234,5 W", 1234.5), ("1 234 MiB", 1234 * 2**20),
        ("1,234 MiB", 1234 * 2**20), ("0", 0), ("2147483647", 2147483647), ("9223372036854775794", None), ("nan", None),
    ],
)  # fmt: skip
def test_a_number_is_read_in_any_language(text: str, number: float | None) -> None:
    assert smi.number(text) == number


def test_a_table_has_its_units_in_its_head_or_in_its_cells() -> None:
    text = (
        "uuid, memory.used [MiB], utilization.gpu [%], power.draw [W]\nGPU-1, 575, 38, [N/A]\nGPU-2, 1 MiB, 0 %, 20.5 W\nshort\n"
    )
    assert values(text) == [
        {"hw.gpu.memory.usage": 575 * 2**20, "hw.gpu.utilization general": 0.38},
        {"hw.gpu.memory.usage": 2**20, "hw.gpu.utilization general": 0, "hw.power": 20.5},
    ]


def test_a_command_that_is_not_there_hangs_or_fails_is_unavailable() -> None:
    for command in (("no-such-nvidia-smi",), ("false",), ("echo", "No devices were found")):
        with pytest.raises(Unavailable):
            smi.Smi(command)


@pytest.mark.skipif(not DATA.exists(), reason="no ../shared/data here: real outputs are not read")
def test_real_outputs_agree_whichever_way_they_are_written() -> None:
    [path] = DATA.glob("linux*.txt")
    parts = [part.strip() for part in path.read_text().split("#" * 80)]
    listings = [part for part in parts if part.startswith("==============NVSMI LOG")]
    tables = [part for part in parts if part.startswith("timestamp, driver_version")]
    assert (len(listings), len(tables)) == (2, 2)
    for listing, table in zip(listings, tables, strict=True):
        [one], [other] = values(listing), values(table)
        same = set(one) & set(other) - {"hw.power", "hw.temperature gpu"}
        assert {name: one[name] for name in same} == {name: other[name] for name in same}
        assert abs(one["hw.power"] - other["hw.power"]) < 1
    loaded = values(tables[1])[0]
    assert (loaded["hw.gpu.utilization general"], loaded["hw.gpu.utilization encoder"]) == (0.07, 0.72)
    assert [device["hw.gpu.memory.usage"] for device in values((DATA / "query.txt").read_text())] == [575 * 2**20, 1234 * 2**20]
