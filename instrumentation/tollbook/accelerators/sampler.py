"""What reads this machine's accelerators every few seconds, in a thread of its own, and reports them through a meter."""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from tollbook.accelerators.host import HostLock
from tollbook.accelerators.readings import COUNTER, GAUGE, INSTRUMENTS, Device, Sample, Unavailable
from tollbook.shield import shielded

_log = logging.getLogger("tollbook")

VARIABLE: Final = "TOLLBOOK_ACCELERATORS"
EVERY_S: Final = 5.0
AGAIN_S: Final = 60.0
"""After how long a way of reading that does not work is tried again."""
SIGNS: Final = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd", "/proc/driver/nvidia/version")
"""Files of drivers of accelerators."""


class Reader(Protocol):
    """A way of reading accelerators."""

    source: str

    @property
    def devices(self) -> tuple[Device, ...]:
        """What it reads."""

    def read(self) -> list[Sample]:
        """Raises `Unavailable` once it works no longer."""

    def close(self) -> None:
        """Frees what it holds."""


class Readers:
    """The ways of reading that work on this machine: NVML or else `nvidia-smi`, amdsmi, and the processors."""

    def __init__(self, makers: "Sequence[Sequence[Callable[[], Reader]]] | None" = None) -> None:
        self.makers = usual() if makers is None else makers
        self._open: dict[int, Reader] = {}
        self._next: dict[int, float] = {}
        self.reasons: dict[str, str] = {}
        """Why a way does not work here, by its name."""

    def read(self) -> list[Sample]:
        """All that they tell. What stops working is tried again after a while."""
        samples: list[Sample] = []
        for place in range(len(self.makers)):
            reader = self._reader(place)
            if reader is None:
                continue
            try:
                samples += reader.read()
            except Unavailable as error:
                self.reasons[reader.source] = str(error)
                reader.close()
                del self._open[place]
                self._next[place] = time.monotonic() + AGAIN_S
        return samples

    @property
    def devices(self) -> tuple[tuple[str, Device], ...]:
        """What is read, each with the way."""
        return tuple((reader.source, device) for reader in self._open.values() for device in reader.devices)

    def close(self) -> None:
        """Frees what they hold."""
        for reader in self._open.values():
            reader.close()
        self._open.clear()

    def _reader(self, place: int) -> Reader | None:
        """The first way of its kind that works."""
        if place in self._open or time.monotonic() < self._next.get(place, 0.0):
            return self._open.get(place)
        for make in self.makers[place]:
            try:
                self._open[place] = make()
                return self._open[place]
            except Unavailable as error:
                self.reasons[getattr(make, "source", make.__name__)] = str(error)
        self._next[place] = time.monotonic() + AGAIN_S
        return None


def usual(asked: bool | None = True) -> "tuple[tuple[Callable[[], Reader], ...], ...]":
    """Every way we know, the better one of each kind first. Unasked, drivers are looked for before anything is loaded."""
    from tollbook.accelerators.amd import Amd  # noqa: PLC0415
    from tollbook.accelerators.cpus import Cpus  # noqa: PLC0415
    from tollbook.accelerators.nvml import Nvml  # noqa: PLC0415
    from tollbook.accelerators.smi import Smi  # noqa: PLC0415
    from tollbook.resource import host_id  # noqa: PLC0415

    def processors() -> Reader:
        return Cpus(host_id())

    if asked is None and not has_driver():
        return ((processors,),)
    return (Nvml, Smi), (Amd,), (processors,)


class Sampler:
    """Reads every `every_s` while it has the lock of the host, and answers a meter's callbacks with what was read."""

    def __init__(self, readers: Readers, every_s: float = EVERY_S, lock: HostLock | None = None) -> None:
        self._readers = readers
        self._every_s = every_s
        self._host = lock or HostLock()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._sums: dict[tuple[str, tuple[tuple[str, str | int], ...]], list[float]] = {}
        """Of each series since the last export: sum, how many, and the newest."""
        self._first: dict[tuple[str, tuple[tuple[str, str | int], ...]], float] = {}
        """Of each counter, where it stood at first: what we report has begun at 0 with us."""
        self._published: dict[str, list[Observation]] = {}
        self._published_at = 0.0
        self._thread: threading.Thread | None = None
        self._said = False

    def observe(self, meter: Meter) -> None:
        """Makes the meter report what is read."""
        makers = {GAUGE: meter.create_observable_gauge, COUNTER: meter.create_observable_counter}
        for name, (kind, unit, brief) in INSTRUMENTS.items():
            if name.startswith(("hw.", "tollbook.accelerator.")):
                make = makers.get(kind, meter.create_observable_up_down_counter)
                make(name, [self._callback(name)], unit=unit, description=brief)

    def start(self) -> None:
        """Starts the thread."""
        self._thread = threading.Thread(target=self._run, name="tollbook-accelerators", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """Ends the thread; another process of the host takes over."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def after_fork(self) -> None:
        """The child has no thread, and not the lock: it waits for its turn like any process."""
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._readers = Readers(self._readers.makers)
        self._host.release()
        self.start()

    def take(self) -> None:
        """Reads once, if this process is the one that does."""
        if not self._host.taken():
            return
        samples = self._readers.read()
        self._say()
        with self._lock:
            for sample in samples:
                if isinstance(sample.value, int | float):
                    key = (sample.name, tuple(sorted(sample.attributes.items())))
                    kept = self._sums.setdefault(key, [0.0, 0.0, 0.0])
                    kept[:] = [kept[0] + sample.value, kept[1] + 1, sample.value]

    def _run(self) -> None:
        try:
            while True:
                with shielded("sample accelerators"):
                    self.take()
                if self._stop.wait(self._every_s):
                    return
        finally:
            with shielded("stop sampling accelerators"):
                self._readers.close()
                self._host.release()

    def _say(self) -> None:
        if not self._said:
            self._said = True
            _log.info(said(self._readers))

    def _callback(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observed(_: CallbackOptions) -> Iterable[Observation]:
            with shielded("report accelerators"), self._lock:
                self._publish(time.monotonic())
                return self._published.get(name, [])
            return []

        return observed

    def _publish(self, now: float) -> None:
        """Once for all instruments of an export, and for exports at the same time: shares and watts as means since the last."""
        if now - self._published_at < self._every_s / 2:
            return
        self._published_at = now
        self._published = {}
        for key, (total, count, newest) in self._sums.items():
            name, attributes = key
            kind, unit, _ = INSTRUMENTS[name]
            if kind == COUNTER:
                value = newest - self._first.setdefault(key, newest)
                if value < 0:  # the driver was loaded again
                    self._first[key], value = 0.0, newest
            else:
                value = total / count if kind == GAUGE and unit in ("1", "W") else newest
            self._published.setdefault(name, []).append(Observation(value, dict(attributes)))
        self._sums.clear()


def chosen(asked: bool | None) -> bool | None:
    """Whether to sample: as asked, else as `TOLLBOOK_ACCELERATORS` says; None for where something is to be sampled."""
    if asked is not None:
        return asked
    said_so = os.environ.get(VARIABLE, "").strip().lower()
    if said_so in ("1", "true", "yes", "on"):
        return True
    return False if said_so in ("0", "false", "no", "off", "none") else None


def has_driver() -> bool:
    """Whether the driver of an accelerator is there, as far as can be told without loading anything."""
    return any(Path(sign).exists() for sign in SIGNS) or shutil.which("nvidia-smi") is not None


def said(readers: Readers) -> str:
    """In one line, which accelerators are read, or that there is none and why."""
    found = [device for _, device in readers.devices if device.type != "cpu" and not device.parent]
    if found:
        return f"sampling {len(found)} accelerators: {', '.join(sorted({device.model or device.id for device in found}))}"
    why = "; ".join(sorted(set(readers.reasons.values())))
    return f"no accelerator is sampled, the CPU is what inference runs on ({why or 'no driver'})"


def report() -> Iterator[tuple[str, str]]:
    """What could be read here, and why what could not: (way, what it says). For the doctor; opens and closes each."""
    readers = Readers()
    try:
        readers.read()
        for source, device in readers.devices:
            yield source, " ".join(word for word in (device.type, device.model, device.profile, device.id) if word)
        yield from ((source, why.removeprefix(f"{source}: ")) for source, why in sorted(readers.reasons.items()))
    finally:
        readers.close()
