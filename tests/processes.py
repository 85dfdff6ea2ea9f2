"""Ports and processes of tests: a port that nobody else takes meanwhile, a process that ends with its test whatever happens."""

import contextlib
import itertools
import os
import random
import socket
import subprocess
from collections.abc import Iterator
from typing import Any, AnyStr

FIRST_PORT, PORTS_OF_A_WORKER = 15_000, 2_000
"""Below what the system gives to connections that leave, so that none of them has the port when its server starts."""

_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw7").removeprefix("gw")) % 8
_ports = itertools.count(random.randrange(PORTS_OF_A_WORKER))


def free_port() -> int:
    """A port of this machine that nobody listens on, and that is given once."""
    for number in itertools.islice(_ports, PORTS_OF_A_WORKER):
        port = FIRST_PORT + _worker * PORTS_OF_A_WORKER + number % PORTS_OF_A_WORKER
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("all ports of this worker are taken")


@contextlib.contextmanager
def ended(process: "subprocess.Popen[AnyStr]") -> Iterator["subprocess.Popen[AnyStr]"]:
    """A process that is over, and its pipes closed, when the test leaves it: killed where it still runs."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        with process:  # waits, and closes its pipes
            pass


_noted: "list[subprocess.Popen[Any]]" = []


def noted(process: "subprocess.Popen[AnyStr]") -> "subprocess.Popen[AnyStr]":
    """A process that a test ends by itself; at the end of all tests at the latest, it is ended here."""
    _noted.append(process)
    return process


def end_noted() -> None:
    """Ends what a failed test left running."""
    for process in _noted:
        with ended(process):
            pass
