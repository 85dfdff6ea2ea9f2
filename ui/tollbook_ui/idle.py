"""Memory given back when the process is idle: freed heap, and pages of the engine's code that nobody runs at present.

The engine's library is 540 MB, and starting it maps 190 MB of that. Those pages are copies of the file: once unmapped they stay
in the system's page cache and come back by a minor fault each. On Linux only; elsewhere this does nothing.
"""

import contextlib
import ctypes
import gc
import re
import sys
import threading
import time
from pathlib import Path

LOOK_SECONDS = 5.0
BUSY_SHARE = 0.05
"""Share of a core beyond which the process counts as busy; idling with a dashboard takes about 0.01."""

MADV_DONTNEED = 4
CODE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ \d+ +\S*/(?:_chdb|libarrow)[^/]*$", re.MULTILINE)
"""Mappings of code that cannot be written, so that what is unmapped can always be read again from the file."""


class Idler:
    """A thread that gives memory back each time the process comes to rest."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="tollbook-idler", daemon=True)

    def __enter__(self) -> "Idler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _watch(self) -> None:
        used_s, worked = time.process_time(), True
        while not self._stopping.wait(LOOK_SECONDS):
            before_s, used_s = used_s, time.process_time()
            if used_s - before_s > BUSY_SHARE * LOOK_SECONDS:
                worked = True
            elif worked:
                give_back()
                used_s, worked = time.process_time(), False


def give_back() -> None:
    """Gives back what can be had again: garbage, free heap, code pages."""
    if sys.platform != "linux":
        return
    gc.collect()
    libc = ctypes.CDLL(None)
    with contextlib.suppress(AttributeError):  # musl has no malloc_trim
        libc.malloc_trim(ctypes.c_size_t(0))
    for start, end in code_mappings():
        libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_DONTNEED)


def code_mappings() -> list[tuple[int, int]]:
    """First and end address of each mapping of the engine's code in this process."""
    maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    return [(int(start, 16), int(end, 16)) for start, end in CODE.findall(maps)]
