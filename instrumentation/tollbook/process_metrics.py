"""CPU time, memory and threads of this process, so that spans can be given their share of it, and what is seen in it."""

import os
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from opentelemetry.metrics import CallbackOptions, Meter, Observation
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import integrations
from tollbook.shield import shielded

_STATM = Path("/proc/self/statm")
_TASKS = Path("/proc/self/task")
_SEEN_EVERY_S = 600.0
"""What is instrumented is said at once, when it changes, and this often: nobody needs it every 5 s."""


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
    meter.create_observable_gauge(
        "tollbook.instrumentation", [_Instrumented()], unit="1", description="1 where the instrumentation is on, else 0."
    )


class _Instrumented:
    """Says what `tollbook.auto` has found, now and then."""

    def __init__(self) -> None:
        self._said: list[integrations.Seen] = []
        self._at = 0.0

    def __call__(self, _: CallbackOptions) -> Iterable[Observation]:
        found, now = integrations.status(), time.monotonic()
        if found == self._said and now - self._at < _SEEN_EVERY_S:
            return []
        self._said, self._at = found, now
        return [
            Observation(
                int(seen.on),
                {A.TOLLBOOK_INSTRUMENTATION_NAME: seen.name, A.TOLLBOOK_INSTRUMENTATION_STATE: "on" if seen.on else seen.why},
            )
            for seen in found
        ]


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
