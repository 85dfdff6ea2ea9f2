"""How we send as a guest: a collector that is not there costs one line in the log, and little time at the exit.

Imports the OpenTelemetry SDK, so only `configure` imports this.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from opentelemetry.sdk.trace.export import BatchSpanProcessor

from tollbook.shield import shielded

_log = logging.getLogger("tollbook")

C = TypeVar("C", bound=type[Any])


class Losses:
    """What could not be delivered, by all our exporters."""

    def __init__(self) -> None:
        self.batches = 0
        self.spans = 0
        """Dropped ones, each counted."""
        self._told: set[str] = set()
        self._failing = False
        self._under_way: dict[int, str] = {}

    def begin(self, endpoint: str) -> None:
        """A batch is under way on this thread."""
        self._under_way[threading.get_ident()] = endpoint

    def end(self, delivered: bool, endpoint: str) -> None:
        """Count a batch; log when things turn bad, and when they turn good again."""
        self._under_way.pop(threading.get_ident(), None)
        if delivered:
            if self._failing:
                _log.warning("tollbook reaches %s again; %d batches were lost so far", endpoint, self.batches)
        else:
            self.batches += 1
            if not self._failing:
                _log.warning("tollbook cannot deliver to %s; until it can, batches are dropped and counted", endpoint)
        self._failing = not delivered

    def undeliverable(self, endpoint: str, detail: str) -> None:
        """A body waits for the next try; said once, until one is delivered."""
        if not self._failing:
            _log.warning("tollbook cannot deliver to %s (%s); spans wait until it can", endpoint, detail)
        self._failing = True

    def delivered(self, endpoint: str) -> None:
        """A body was taken."""
        if self._failing:
            _log.warning("tollbook reaches %s again; %d spans were dropped so far", endpoint, self.spans)
        self._failing = False

    def dropped(self, endpoint: str, count: int, why: str) -> None:
        """Spans that will never be delivered; said once for each reason."""
        self.spans += count
        if why not in self._told:
            self._told.add(why)
            _log.warning("tollbook drops spans for %s: %s; they are counted", endpoint, why)

    def ended(self, endpoint: str, count: int) -> None:
        """The program ends, and spans were not delivered."""
        if count:
            _log.warning("tollbook ends with %d spans undelivered to %s", count, endpoint)

    def forget(self) -> None:
        """In a forked child: what was under way is the parent's."""
        self.batches = self.spans = 0
        self._under_way.clear()

    def settle(self, wait_s: float) -> None:
        """Before the program ends: wait for what is under way, then say what is lost."""
        ends = time.monotonic() + wait_s
        while self._under_way and time.monotonic() < ends:
            time.sleep(0.01)
        for endpoint in set(self._under_way.values()):
            _log.warning("tollbook ends with spans or metrics undelivered to %s", endpoint)


losses: Final = Losses()


class _Quiet(logging.Filter):
    """Keeps OpenTelemetry from logging every retry of ours; exporters of the application's own stay as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.here = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - logging's own signature
        return not getattr(self.here, "exporting", False)


_quiet: Final = _Quiet()


def watched(exporter: C) -> C:
    """The exporter's class, with losses counted instead of logged at every retry."""
    logging.getLogger(exporter.__module__).addFilter(_quiet)
    export: Callable[..., Any] = exporter.export

    def counted(self: Any, batch: Any, *args: Any, **kwargs: Any) -> Any:
        endpoint = str(getattr(self, "_endpoint", "the collector"))
        losses.begin(endpoint)
        _quiet.here.exporting = True
        try:
            result = export(self, batch, *args, **kwargs)
        finally:
            _quiet.here.exporting = False
        with shielded("count a delivery"):
            losses.end(result.name == "SUCCESS", endpoint)
        return result

    return type(exporter.__name__, (exporter,), {"export": counted})  # type: ignore[return-value]


class PromptBatchSpanProcessor(BatchSpanProcessor):
    """A batch processor that ends soon: the stock one waits 30 s for a collector that does not answer."""

    exit_timeout_ms = 3000

    def shutdown(self) -> None:
        """Send what is queued, for as long as the timeout allows."""
        batches = getattr(self, "_batch_processor", None)  # the public method takes no timeout
        if batches is None:
            super().shutdown()  # type: ignore[no-untyped-call]
        else:
            batches.shutdown(timeout_millis=self.exit_timeout_ms)
