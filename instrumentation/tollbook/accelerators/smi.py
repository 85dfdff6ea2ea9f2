"""`nvidia-smi`, the last resort where NVML cannot be loaded: its three ways of writing. Pure but for `Smi`."""

import csv
import io
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from tollbook_schema import attributes as A  # noqa: N812

from tollbook.accelerators.readings import Device, Sample, Unavailable, is_blank, percent, sampled

MIB: Final = 1024 * 1024
TIMEOUT_S: Final = 10.0
LONGEST: Final = 16 * MIB
COMMAND: Final = ("nvidia-smi", "-q", "-x")

Table = Mapping[str, str]
"""What is told of one device, by a path such as `utilization.gpu_util`."""

NAMES: Final[Mapping[str, Sequence[str]]] = {
    "uuid": ("uuid", "gpu_uuid"),
    "name": ("name", "gpu_name", "product_name"),
    "index": ("index", "minor_number"),
    "driver": ("driver_version",),
    "busy": ("utilization.gpu", "utilization.gpu_util"),
    "dram": ("utilization.memory", "utilization.memory_util"),
    "encoder": ("utilization.encoder", "utilization.encoder_util"),
    "decoder": ("utilization.decoder", "utilization.decoder_util"),
    "memory_used": ("memory.used", "fb_memory_usage.used"),
    "memory_total": ("memory.total", "fb_memory_usage.total"),
    "power": (
        "power.draw", "gpu_power_readings.average_power_draw", "gpu_power_readings.power_draw", "power_readings.power_draw",
        "power.draw.average", "power.draw.instant", "gpu_power_readings.instant_power_draw",
        "gpu_power_readings.instantaneous_power_draw",
    ),
    "temperature": ("temperature.gpu", "temperature.gpu_temp", "temperature.gpu_current_temp"),
    "memory_temperature": ("temperature.memory", "temperature.memory_temp", "temperature.memory_current_temp"),
    "sm_clock": ("clocks.current.sm", "clocks.sm", "clocks.sm_clock"),
    "memory_clock": ("clocks.current.memory", "clocks.mem", "clocks.mem_clock", "clocks.memory"),
    "mig": ("mig.mode.current", "mig_mode.current_mig", "mig_mode.current"),
}  # fmt: skip
"""By what it is: how `--query-gpu`, `-q -x` and `-q` call it, best first."""

SCALES: Final = {
    "mib": MIB,
    "kib": 1024,
    "gib": 1024 * MIB,
    "b": 1,
    "kw": 1000.0,
    "mw": 0.001,
    "mhz": 1e6,
    "ghz": 1e9,
    "khz": 1e3,
}
NUMBER: Final = re.compile(r"^\s*([-+]?[\d.,'\u00a0\u202f ]*\d)\s*([%A-Za-z]*)\s*$")


class Smi:
    """Asks `nvidia-smi`. It takes some tens of milliseconds, in a process of its own."""

    source = "nvidia-smi"

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = tuple(command)
        self.devices = tuple(device for device, _ in devices(self._asked()))
        if not self.devices:
            raise Unavailable("nvidia-smi: no device")

    def read(self) -> list[Sample]:
        """A sample of everything it tells.

        Raises:
            Unavailable: it is not there, does not end, or ends with an error.
        """
        return samples(self._asked())

    def close(self) -> None:
        """Nothing is kept open."""

    def _asked(self) -> str:
        try:
            done = subprocess.run(self._command, capture_output=True, check=False, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL)
        except FileNotFoundError as error:
            raise Unavailable("nvidia-smi: not found") from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"nvidia-smi: {type(error).__name__}") from error
        if done.returncode != 0:
            raise Unavailable(f"nvidia-smi: ended with {done.returncode}")
        return done.stdout[:LONGEST].decode("utf-8", "replace")


def samples(text: str) -> list[Sample]:
    """What any of the three ways of writing tells of every device; what it does not tell is absent."""
    return [sample for device, table in devices(text) for sample in _of(device, table)]


def devices(text: str) -> list[tuple[Device, Table]]:
    """The devices of an output, each with what is told of it."""
    found = []
    for place, table in enumerate(_tables(text)):
        uuid = _word(table, "uuid")
        if uuid:
            name = _word(table, "index") or str(place)
            whole = Device(
                uuid, model=_word(table, "name"), vendor="NVIDIA", name=f"nvidia{name}", driver=_word(table, "driver"),
            )  # fmt: skip
            found.append((whole, table))
    return found


def number(text: str) -> float | None:
    """The number of a cell, in its base unit: bytes, watts, hertz, percent. `[N/A]` and the like are no numbers.

    A comma is a decimal point where a machine's language writes it so: one alone, with other than three digits behind it.
    """
    read = NUMBER.match(text)
    if read is None:
        return None
    digits = re.sub(r"[\s'\u00a0\u202f]", "", read[1])
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma > point:
        groups = digits.count(",") > 1 or (point < 0 and len(digits) - comma == 4)
        digits = digits.replace(",", "") if groups else digits.replace(".", "").replace(",", ".")
    else:
        digits = digits.replace(",", "")
    try:
        value = float(digits)
    except ValueError:
        return None
    return None if is_blank(value) else value * SCALES.get(read[2].lower(), 1)


def _of(device: Device, table: Table) -> Iterator[Sample]:
    sliced = _word(table, "mig").lower() == "enabled"
    busy = None if sliced else _number(table, "busy")
    yield from sampled(device, "hw.gpu.utilization", percent(busy), **{A.HW_GPU_TASK: "general"})
    for task in ("encoder", "decoder"):
        yield from sampled(device, "hw.gpu.utilization", percent(_number(table, task)), **{A.HW_GPU_TASK: task})
    yield from sampled(
        device, "tollbook.accelerator.activity", percent(_number(table, "dram")), **{A.TOLLBOOK_ACCELERATOR_UNIT: "dram"}
    )
    used, total = _number(table, "memory_used"), _number(table, "memory_total")
    yield from sampled(device, "hw.gpu.memory.usage", None if used is None else round(used))
    yield from sampled(device, "hw.gpu.memory.limit", None if total is None else round(total))
    yield from sampled(device, "hw.gpu.memory.utilization", used / total if used is not None and total else None)
    yield from sampled(device, "hw.power", _number(table, "power"))
    for what, place in (("temperature", "gpu"), ("memory_temperature", "memory")):
        yield from sampled(device, "hw.temperature", _number(table, what), **{A.HW_SENSOR_LOCATION: place})
    for what, domain in (("sm_clock", "sm"), ("memory_clock", "memory")):
        yield from sampled(
            device, "tollbook.accelerator.clock", _number(table, what), **{A.TOLLBOOK_ACCELERATOR_CLOCK_DOMAIN: domain}
        )
    yield from _processes(device, table)


def _processes(device: Device, table: Table) -> Iterator[Sample]:
    for place in range(10_000):
        pid = table.get(f"processes.{place}.pid", "")
        if not pid:
            return
        memory = number(table.get(f"processes.{place}.used_memory", ""))
        if pid.isdigit():
            yield from sampled(device, "tollbook.accelerator.process.memory", memory, **{A.PROCESS_PID: int(pid)})


def _word(table: Table, what: str) -> str:
    found = next((table[name].strip() for name in NAMES[what] if table.get(name, "").strip()), "")
    return "" if found.strip("[]").lower() in {"n/a", "not supported", "unknown error"} else found


def _number(table: Table, what: str) -> float | None:
    """The first of its names that has a number."""
    return next((value for name in NAMES[what] if (value := number(table.get(name, ""))) is not None), None)


def _tables(text: str) -> Iterable[Table]:
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        return _from_xml(start)
    if "==NVSMI LOG==" in text:
        return _from_listing(text)
    return _from_csv(start)


def _from_csv(text: str) -> Iterator[Table]:
    """`--query-gpu=… --format=csv`; a head names the columns, units stand there or in the cells."""
    rows = csv.reader(io.StringIO(text), skipinitialspace=True)
    try:
        heads = [(head, *_united(head)) for head in next(rows, [])]
        for cells in rows:
            if len(cells) == len(heads):
                yield {name: _with_unit(cell.strip(), unit) for (_, name, unit), cell in zip(heads, cells, strict=True)}
    except csv.Error:
        return


def _united(head: str) -> tuple[str, str]:
    """`memory.used [MiB]` is the name and the unit."""
    read = re.fullmatch(r"\s*([^\[\]]+?)\s*(?:\[([^\]]*)\])?\s*", head)
    return (read[1].lower(), read[2] or "") if read else (head, "")


def _with_unit(cell: str, unit: str) -> str:
    return f"{cell} {unit}" if unit and re.fullmatch(r"[-+]?[\d.,]+", cell) else cell


def _from_xml(text: str) -> Iterator[Table]:
    """`-q -x`. A document that defines entities is none of `nvidia-smi`'s."""
    if "<!ENTITY" in text:
        return
    try:
        root = ET.fromstring(text)  # noqa: S314 - no entities, and no more than LONGEST
    except ET.ParseError:
        return
    driver = root.findtext("driver_version", "")
    for gpu in root.iter("gpu"):
        table = {"driver_version": driver, **dict(_leaves(gpu, ""))}
        for place, process in enumerate(gpu.findall("processes/process_info")):
            table[f"processes.{place}.pid"] = (process.findtext("pid") or "").strip()
            table[f"processes.{place}.used_memory"] = (process.findtext("used_memory") or "").strip()
        yield table


def _leaves(element: "ET.Element", path: str) -> Iterator[tuple[str, str]]:
    for child in element:
        name = f"{path}{child.tag}"
        if len(child):
            yield from _leaves(child, f"{name}.")
        else:
            yield name, (child.text or "").strip()


def _from_listing(text: str) -> Iterator[Table]:
    """`-q`: `Name : value`, four spaces further in for what belongs to the line above."""
    head: dict[str, str] = {}
    table: dict[str, str] | None = None
    path: list[str] = []
    for line in text.splitlines():
        name, sign, value = (part.strip() for part in line.partition(" : "))
        depth = (len(line) - len(line.lstrip(" "))) // 4
        if re.match(r"GPU [0-9A-Fa-f]+:", line):
            if table is not None:
                yield table
            table, path = dict(head), []
        elif name and table is None and sign:
            head[_path(name)] = value
        elif name and table is not None and depth:
            path = [*path[: depth - 1], _path(name)]
            if sign:
                _note(table, path, value)
    if table is not None:
        yield table


def _note(table: dict[str, str], path: Sequence[str], value: str) -> None:
    if path[0] != "processes":
        table.setdefault(".".join(path), value)
        return
    known = sum(key.endswith(".pid") for key in table)
    if path[-1] == "process_id":
        table[f"processes.{known}.pid"] = value
    elif path[-1] == "used_gpu_memory" and known:
        table[f"processes.{known - 1}.used_memory"] = value


def _path(name: str) -> str:
    return name.strip().lower().replace(" ", "_").rstrip("_")
