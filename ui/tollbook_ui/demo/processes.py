"""The demo's processes: how the parent starts and ends them, and how they tell it where they are.

A child writes JSON objects, one a line, to its standard output. It ends when its standard input closes, which happens by itself
when the parent dies, so no run leaves processes behind.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

STOP_SECONDS = 15.0
"""How long a child may take to send its last spans and end."""

TAIL_LINES = 20
"""Lines of a failed child's log that are shown."""


THEIR_TELEMETRY = ("OTEL_", "TOLLBOOK_")
"""Prefixes of settings of the person's own telemetry, which the demo's processes must not follow."""


class ChildFailedError(Exception):
    """A process of the demo ended with an error: a fault of the demo or its machine, shown with the end of its log."""


def tell(**fields: object) -> None:
    """Called in a child: send these fields to the parent."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def wait_for_parent() -> None:
    """Called in a child that serves: return when the parent wants it to end."""
    sys.stdin.read()


def wait_for_go() -> None:
    """Called in a child that has got ready: return when the parent says that work may begin."""
    sys.stdin.readline()


class Child:
    """One process of the demo, running `python -m tollbook_ui.demo.<module>`."""

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str], logs: Path) -> None:
        self.module = module
        self.log = logs / f"{module}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"tollbook_ui.demo.{module}", *arguments],
                env={**_without_telemetry(os.environ), **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                encoding="utf-8",
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if kind is not None:
            self.kill()
        self.stop()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def messages(self) -> Iterator[dict[str, Any]]:
        """What the child tells, as it comes, until its standard output ends."""
        for line in self._output:
            yield json.loads(line)

    def first(self) -> dict[str, Any]:
        """The child's next message; raises ChildFailedError where it ends without one."""
        for message in self.messages():
            return message
        raise ChildFailedError(self._failure())

    def go(self) -> None:
        """Let a child that waits begin its work."""
        if self._process.stdin is not None:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()

    def finish(self) -> None:
        """Wait for the child's end; raises ChildFailedError where it was no good one."""
        if self._process.wait() != 0:
            raise ChildFailedError(self._failure())

    def kill(self) -> None:
        """End the child at once."""
        self._process.kill()

    def stop(self) -> None:
        """Let the child send its last spans and end; kill it where it does not."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()

    @property
    def _output(self) -> Any:
        return self._process.stdout

    def _failure(self) -> str:
        tail = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join([f"{self.module} ended with {self._process.wait()}; {self.log} ends:", *tail])


def _without_telemetry(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if not name.startswith(THEIR_TELEMETRY)}
