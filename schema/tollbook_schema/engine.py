"""How the embedded engine comes into this process: without what nobody asks of it, and with few heaps."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

HEAPS = "JE_MALLOC_CONF"
"""What its allocator reads, once, when it is loaded."""


def heaps(cores: int) -> str:
    """One heap for each core, two at least, that threads are spread over; large pieces in the same ones.

    As it comes, each core has one whose memory the others do not get, and pieces of 64 MB are handed back and faulted in anew.
    """
    return f"percpu_arena:disabled,narenas:{max(2, cores)},oversize_threshold:0"


@contextmanager
def brought_in_lightly() -> Iterator[None]:
    """While it is entered, the engine may be loaded; its allocator's own variable goes first."""
    named = HEAPS in os.environ
    os.environ.setdefault(HEAPS, heaps(os.cpu_count() or 2))
    try:
        with _without_arrow():
            yield
    finally:
        if not named:
            del os.environ[HEAPS]


@contextmanager
def _without_arrow() -> Iterator[None]:
    """Lets chdb leave pyarrow alone: a quarter of a second and 60 MB, for answers in Arrow that nobody asks for."""
    if "pyarrow" in sys.modules:
        yield
        return
    sys.modules["pyarrow"] = None  # type: ignore[assignment]  # Python's way to say that there is none
    try:
        yield
    finally:
        del sys.modules["pyarrow"]
