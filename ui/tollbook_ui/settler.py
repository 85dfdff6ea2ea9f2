"""Settles the ledger in the background, and at once when somebody asks."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tollbook_schema.lease import TakenError
from tollbook_schema.store import Store, StoreError

log = logging.getLogger("tollbook")

REST = 4
"""The background rests this many times as long as a settlement took: a fifth of the time goes to it while data pours in."""

LONGEST_WAIT_SECONDS = 600.0
"""A collector that is behind goes first for this long in all: a settlement costs more than taking the same spans in."""

LOOK_SECONDS = 1.0

Waits = Callable[[], bool]
"""Waits a moment for what goes before a settlement; false where nothing does."""
Settle = Callable[[Store, datetime | None, datetime | None, Waits | None], Any]
"""Of a store, from, until, beside something that goes first; None where nothing does."""


class StoppedError(Exception):
    """The process ends: the settlement that ran is cut off, and has changed nothing."""


def settle(store: Store, since: datetime | None, until: datetime | None, waits: Waits | None) -> Any:
    """Settles the hours of a period, or those whose facts have changed; its summary."""
    from tollbook_attribution import engine, pace  # noqa: PLC0415 - the price list costs half a second to import

    return engine.settle(store, since=since, until=until, pace=pace.quiet(waits) if waits else pace.FULL)


class Settler:
    """One settlement at a time, by a thread of its own every `pause_seconds` or more, and by `now` in between."""

    def __init__(
        self,
        store: Store,
        pause_seconds: float,
        run: Settle = settle,
        behind: Callable[[], bool] = lambda: False,
        after: Callable[[], object] = lambda: None,
    ) -> None:
        """`behind` says whether the collector has more to load than it can at present; `after` follows each settlement."""
        self._store = store
        self._pause_seconds = pause_seconds
        self._run = run
        self._behind = behind
        self._after = after
        self._one_at_a_time = threading.Lock()
        self._wanted: set[object] = set()
        self._waited_seconds = 0.0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._settle_for_ever, name="tollbook-settler", daemon=True)
        self.trouble = ""
        """Why the last settlement of the background failed; empty while all is well."""

    def start(self) -> None:
        """Starts the background, unless the pause is 0."""
        if self._pause_seconds > 0:
            self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Starts no more settlements and waits for the one that runs. A settlement that is cut off changes nothing."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def now(self, since: datetime | None = None, until: datetime | None = None) -> Any:
        """Settles at once, after the settlement that may be running; its summary. Raises what the settlement raises.

        With all cores, unless the collector is behind.
        """
        me = object()
        self._wanted.add(me)  # the one that runs waits for nothing from now on
        try:
            with self._one_at_a_time:
                return self._run(self._store, since, until, (lambda: False) if self._behind() else None)
        finally:
            self._wanted.discard(me)

    def _settle_for_ever(self) -> None:
        try:
            self._settle_again_and_again()
        finally:
            if not self._stopping.is_set():  # a fault of ours, which the log tells
                self.trouble = "the background settlement has ended by a fault of its own; a restart starts it again"

    def _settle_again_and_again(self) -> None:
        rest_seconds = self._pause_seconds
        while not self._stopping.wait(rest_seconds):
            started = time.monotonic()
            self._waited_seconds = 0.0
            try:
                self._in_the_background()
                self._after()
            except StoppedError:
                return
            except TakenError:  # another process on the same servers settles: nothing is left undone
                self.trouble = ""
            except StoreError as error:
                self.trouble = str(error)
                log.warning("cannot settle at present: %s", error)
            else:
                self.trouble = ""
            rest_seconds = max(self._pause_seconds, REST * (time.monotonic() - started - self._waited_seconds))

    def _in_the_background(self) -> None:
        while self._waits():
            pass
        with self._one_at_a_time:
            self._run(self._store, None, None, self._waits)

    def _waits(self) -> bool:
        """Waits a moment for a collector that is behind, but not where somebody waits for the settlement.

        Raises:
            StoppedError: the process ends.
        """
        if self._stopping.is_set():
            raise StoppedError
        if self._wanted or self._waited_seconds > LONGEST_WAIT_SECONDS or not self._behind():
            return False
        began = time.monotonic()
        self._stopping.wait(LOOK_SECONDS)
        self._waited_seconds += time.monotonic() - began
        return True
