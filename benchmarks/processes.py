"""Programs as processes of their own: started in an empty folder, stopped, and what the kernel says of them meanwhile."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

STOP_SECONDS = 30


@dataclass(frozen=True)
class Processes:
    """One or more programs with all their children."""

    pids: tuple[int, ...]

    def cpu_seconds(self) -> float:
        """CPU time of all of them so far, user and system; of children that ended too."""
        return sum(sum(member.cpu_times()[:4]) for member in self._members())

    def pss_mb(self) -> float:
        """Proportional set size of all of them, in millions of bytes."""
        rollups = [Path(f"/proc/{member.pid}/smaps_rollup").read_text() for member in self._members()]
        lines = [line for rollup in rollups for line in rollup.splitlines() if line.startswith("Pss:")]
        return sum(int(line.split()[1]) for line in lines) * 1024 / 1e6

    def _members(self) -> list[psutil.Process]:
        parents = [psutil.Process(pid) for pid in self.pids]
        return [member for parent in parents for member in (parent, *parent.children(recursive=True))]


@contextlib.contextmanager
def empty_folder(name: str) -> Iterator[Path]:
    """A folder that goes afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"bench-{name}-") as folder:
        yield Path(folder)


@contextlib.contextmanager
def running(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Runs a program in `folder`; shows the end of what it said if what is done with it fails. Stops it afterwards."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=os.environ | dict(environment or {}), stdout=output, stderr=output, cwd=folder)
        with contextlib.ExitStack() as ending:
            ending.callback(stop, process)
            failed = ending.enter_context(contextlib.ExitStack())
            failed.callback(lambda: sys.stderr.write(log.read_text(errors="replace")[-4000:]))
            yield process
            failed.pop_all()


def stop(process: "subprocess.Popen[bytes]") -> None:
    """Ends a program as an operator would, and by force if it does not go."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def new_children(before: set[int]) -> tuple[int, ...]:
    """Children of this process that are not among those."""
    return tuple(sorted(children() - before))


def children() -> set[int]:
    """Ids of this process's children."""
    return {child.pid for child in psutil.Process().children()}


def wait_for_port(port: int, process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Waits until somebody listens.

    Raises:
        TimeoutError: the program ended, or does not listen in time.
    """
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise TimeoutError(f"{process.args!r} does not listen on port {port}; status {process.poll()}")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
