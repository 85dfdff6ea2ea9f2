"""CPU time, memory and threads of this process, so that spans can be given their share of it."""

import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from tollbook.shield import shielded

_STATM = Path("/proc/self/statm")
_TASKS = Path("/proc/self/task")


def observe(meter: Meter) -> None:
    """Make the meter report CPU time, memory and threads of the process, and how many CPUs there are."""
    meter.create_observable_counter(
        "process.cpu.time", [_cpu_time], unit="s", description="CPU seconds of the process, cumulative."
    )
    meter.create_observable_up_down_counter(
        "process.memory.usage", [_memory], unit="By", description="Resident memory of the process."
    )
    meter.create_observable_up_down_counter(
        "process.thread.count", [_threads], unit="{thread}", description="Threads of the process."
    )
    meter.create_observable_up_down_counter(
        "system.cpu.logical.count", [_cpus], unit="{cpu}", description="Logical CPUs of the machine."
    )


def _cpu_time(_: CallbackOptions) -> Iterable[Observation]:
    used = os.times()
    return [Observation(used.user + used.system)]


def _memory(_: CallbackOptions) -> Sequence[Observation]:
    """Absent where there is no /proc: the peak that other systems tell is not the usage."""
    with shielded("read the process's memory"):
        if _STATM.exists():
            return [Observation(int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))]
    return []


def _cpus(_: CallbackOptions) -> Iterable[Observation]:
    count = os.cpu_count()
    return [] if count is None else [Observation(count)]


def _threads(_: CallbackOptions) -> Iterable[Observation]:
    """Native threads too, such as those of onnxruntime, where the system tells; else Python's."""
    try:
        with os.scandir(_TASKS) as tasks:
            return [Observation(sum(1 for _ in tasks))]
    except OSError:
        return [Observation(threading.active_count())]
