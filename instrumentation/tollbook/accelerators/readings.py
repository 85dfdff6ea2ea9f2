"""What can be read of accelerators: devices, samples of them, and the instrument that each sample belongs to. Pure.

Names, units and attributes are those of OpenTelemetry's semantic conventions for hardware where they have one.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tollbook_schema import attributes as A  # noqa: N812

GAUGE: Final = "gauge"
COUNTER: Final = "counter"
LEVEL: Final = "updowncounter"

BLANKS: Final = tuple(2**bits - 16 for bits in (31, 63))
"""From here to 8 above stands for 'blank', 'not found', 'not supported' or 'not permitted' in DCGM's integers."""
BLANK_FLOAT: Final = 140737488355328.0
"""2^47: the same for its floating-point numbers."""

Attributes = Mapping[str, str | int]


class Instrument(NamedTuple):
    """How a metric is counted."""

    kind: str
    unit: str
    brief: str


INSTRUMENTS: Final[Mapping[str, Instrument]] = {
    "hw.gpu.utilization": Instrument(GAUGE, "1", "Share of time the GPU was busy, 0 to 1."),
    "hw.gpu.memory.utilization": Instrument(GAUGE, "1", "Share of the GPU's memory in use, 0 to 1."),
    "hw.gpu.memory.usage": Instrument(LEVEL, "By", "Memory of the GPU in use."),
    "hw.gpu.memory.limit": Instrument(LEVEL, "By", "Memory of the GPU."),
    "hw.gpu.io": Instrument(COUNTER, "By", "Bytes sent and received by the GPU."),
    "hw.power": Instrument(GAUGE, "W", "Power that the component draws."),
    "hw.energy": Instrument(COUNTER, "J", "Energy that the component has taken."),
    "hw.temperature": Instrument(GAUGE, "Cel", "Temperature of the component."),
    "hw.errors": Instrument(COUNTER, "{error}", "Errors of the component."),
    "hw.status": Instrument(LEVEL, "1", "1 for the state that the component is in."),
    "tollbook.accelerator.activity": Instrument(GAUGE, "1", "Share of time or of capacity that a unit was at work, 0 to 1."),
    "tollbook.accelerator.clock": Instrument(GAUGE, "Hz", "Clock of a part of the accelerator."),
    "tollbook.accelerator.throttled": Instrument(GAUGE, "1", "1 while the clock is held down for this reason."),
    "tollbook.accelerator.process.memory": Instrument(LEVEL, "By", "Memory of the accelerator that a process has."),
    "tollbook.accelerator.share.memory": Instrument(LEVEL, "By", "Memory of the accelerator that a container may use."),
    "tollbook.engine.requests": Instrument(GAUGE, "{request}", "Requests in an inference engine, by state."),
    "tollbook.engine.cache.utilization": Instrument(GAUGE, "1", "Share of an engine's key-value cache in use, 0 to 1."),
    "tollbook.engine.cache.queries": Instrument(COUNTER, "{token}", "Tokens looked up in an engine's prefix cache."),
    "tollbook.engine.cache.hits": Instrument(COUNTER, "{token}", "Tokens found in an engine's prefix cache."),
    "tollbook.engine.tokens": Instrument(COUNTER, "{token}", "Tokens that an engine has taken in or made."),
    "tollbook.engine.finished": Instrument(COUNTER, "{request}", "Requests that an engine has finished."),
    "gen_ai.server.time_to_first_token": Instrument("histogram", "s", "Time to the first token, as the engine tells it."),
    "gen_ai.server.time_per_output_token": Instrument("histogram", "s", "Time per output token after the first."),
    "gen_ai.server.request.duration": Instrument("histogram", "s", "Time of a request in the engine."),
    "process.thread.count": Instrument(LEVEL, "{thread}", "Threads of the process."),
}


class Histogram(NamedTuple):
    """A cumulative histogram: counts per bucket, one more than bounds."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float


@dataclass(frozen=True)
class Device:
    """An accelerator, a slice of one, or a processor."""

    id: str
    """The same on inference spans: the device's UUID where it has one."""
    type: str = "gpu"
    model: str = ""
    vendor: str = ""
    name: str = ""
    parent: str = ""
    """Id of the device that it is a slice of."""
    profile: str = ""
    """Such as 1g.10gb, of a slice."""
    driver: str = ""
    more: Attributes = field(default_factory=dict)

    @property
    def attributes(self) -> dict[str, str | int]:
        """What each of its samples says."""
        said = {
            A.HW_ID: self.id,
            A.HW_TYPE: self.type,
            A.HW_MODEL: self.model,
            A.HW_VENDOR: self.vendor,
            A.HW_NAME: self.name,
            A.HW_PARENT: self.parent,
            A.HW_DRIVER_VERSION: self.driver,
            A.TOLLBOOK_ACCELERATOR_PROFILE: self.profile,
            **self.more,
        }
        return {key: value for key, value in said.items() if value != ""}


@dataclass(frozen=True)
class Sample:
    """One value of one metric. When it was taken is known to whoever takes it."""

    name: str
    value: float | int | Histogram
    attributes: Attributes
    resource: Attributes = field(default_factory=dict)
    """What tells where it is from, if it is from elsewhere than the rest."""
    time_ns: int = 0
    """0 for the time of the reading."""


class Unavailable(Exception):  # noqa: N818 - a state of the machine, not a fault
    """The way of reading accelerators does not work here, and why."""


def sampled(device: Device, name: str, value: float | None, **more: str | int) -> tuple[Sample, ...]:
    """A sample of a device, or none where the value is absent or no number."""
    if value is None or not math.isfinite(value):
        return ()
    said = {key.replace("__", "."): word for key, word in more.items()}
    return (Sample(name, value, {**device.attributes, **said}),)


def is_blank(value: float) -> bool:
    """Whether a number stands for 'no value' in DCGM: a few integers below 2^31 and 2^63, 2^47 as a float, NaN, infinities."""
    if not math.isfinite(value):
        return True
    if abs(value) >= 2.0**62:  # floats have no room there for what tells the blanks apart
        return True
    return any(blank <= value < blank + 8 for blank in BLANKS) or BLANK_FLOAT <= value < BLANK_FLOAT + 8


def percent(value: float | None) -> float | None:
    """0 to 1 for 0 to 100, nothing for what cannot be a percentage."""
    return value / 100 if value is not None and 0 <= value <= 100 else None
