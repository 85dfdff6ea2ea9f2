"""The way out of a process that held the embedded engine."""

import atexit
import os
import sys
from contextlib import suppress
from typing import NoReturn


def leave(ending: SystemExit) -> NoReturn:
    """Ends the process, past the embedded engine's own exit handlers: they can deadlock with a merge that still runs.

    Seen when a loaded server was stopped: all was closed and said, and the process hung in the C library's `exit`. What is
    stored is synced, and a merge that ends early is begun anew.
    """
    if "chdb" not in sys.modules or not isinstance(ending.code, int | None):
        raise ending
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(ending.code or 0)
