"""What happens before the first line of a program that `tollbook-instrument` runs, and after its last.

The command says what it was asked for in the variable `TOLLBOOK_INSTRUMENT`, which the program's child processes inherit.
"""

import atexit
import json
import os
import signal
import sys
import threading
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from types import FrameType
from typing import Any, Final

from opentelemetry.context import attach, get_current

from tollbook.handle import Handle
from tollbook.shield import shielded

VARIABLE: Final = "TOLLBOOK_INSTRUMENT"
_CARRIED: Final = ("TRACEPARENT", "TRACESTATE", "BAGGAGE")
"""Variables in which a program that is started finds the trace of the one that starts it, by OpenTelemetry's specification."""
_HELPERS: Final = ("multiprocessing.resource_tracker", "multiprocessing.semaphore_tracker")
"""Python's own helper processes, in which nothing happens that is worth a span."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What `tollbook-instrument` was asked for."""

    configure: dict[str, Any] = field(default_factory=dict)
    """Arguments of `tollbook.configure`."""
    request: str | None = None
    """Name of the request that the whole program is."""
    only: list[str] | None = None
    """Libraries to instrument, instead of all."""
    without: list[str] = field(default_factory=list)
    """Libraries to leave alone."""

    def written(self) -> str:
        """As the variable holds it."""
        return json.dumps({name: value for name, value in asdict(self).items() if value})

    @classmethod
    def read(cls, text: str) -> "Wish":
        """From the variable's text."""
        return cls(**json.loads(text))


_begun: list[int] = []
"""Processes that have begun: this one, and those it was forked from."""
_running: list[tuple[int, Handle]] = []
"""The request that the whole program is, and its process."""


def begin() -> None:
    """Configure, instrument, and go on with the trace of whoever started this program; once, and only if asked to.

    Stands in OpenTelemetry's `opentelemetry_post_instrument` too: `opentelemetry-instrument` puts its own beginning before
    ours where it is started by `tollbook-instrument`.
    """
    text = os.environ.get(VARIABLE)
    if not text or _begun or any(helper in word for word in sys.orig_argv for helper in _HELPERS):
        return
    _begun.append(os.getpid())
    with shielded("instrument a program"):
        from tollbook.configuration import configure  # noqa: PLC0415
        from tollbook.integrations import auto  # noqa: PLC0415

        wish = Wish.read(text)
        configure(**wish.configure)
        auto(only=wish.only, without=wish.without)
        _flush_when_terminated()
        _continue_trace()
        if wish.request:
            _begin_request(wish)


def _continue_trace() -> None:
    carried = {name.lower(): os.environ[name] for name in _CARRIED if name in os.environ}
    if carried:
        from opentelemetry import propagate  # noqa: PLC0415

        attach(propagate.extract(carried, get_current()))


def _begin_request(wish: Wish) -> None:
    """The whole program is one request: begun here, ended when the program ends. Its child processes belong to it."""
    from tollbook.api import request  # noqa: PLC0415
    from tollbook.carriers import inject  # noqa: PLC0415

    os.environ[VARIABLE] = replace(wish, request=None).written()
    handle = request(wish.request or "").__enter__()
    _running.append((os.getpid(), handle))
    for name, value in inject({}).items():
        os.environ[name.upper()] = value
    atexit.register(_end_request)  # after configure's own, so before it: atexit goes backwards


def _end_request(error_type: str | None = None) -> None:
    for pid, handle in _running:
        if pid == os.getpid():  # a forked child has a copy of the span, which is not its own
            if error_type is not None:
                handle.fail(error_type)
            else:
                handle.__exit__(None, None, None)
            handle.end(getattr(sys, "last_value", None))


def _flush_when_terminated() -> None:
    """Where SIGTERM would end the program at once, send what has ended first. A program's own handler takes its place."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)


def _terminated(number: int, _frame: FrameType | None) -> None:
    from tollbook.configuration import flush_from_signal  # noqa: PLC0415

    def end() -> None:
        """So that whoever waits for the program is told what ended it."""
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    flush_from_signal(partial(_end_request, signal.Signals(number).name), end)
