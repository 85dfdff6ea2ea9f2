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
"""A collector that is behind goes first for this long: a settlement costs more than taking the same spans in."""

LOOK_SECONDS = 1.0

Settle = Callable[[Store, datetime | None, datetime | None], Any]


def settle(store: Store, since: datetime | None = None, until: datetime | None = None) -> Any:
    """Settles the hours of a period, or those whose facts have changed; its summary."""
    from tollbook_attribution import engine  # noqa: PLC0415 - the price list costs half a second to import

    return engine.settle(store, since=since, until=until)


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
        """Settles at once, after the settlement that may be running; its summary. Raises what the settlement raises."""
        with self._one_at_a_time:
            return self._run(self._store, since, until)

    def _settle_for_ever(self) -> None:
        rest_seconds = self._pause_seconds
        while not self._stopping.wait(rest_seconds):
            self._let_the_collector_go_first()
            started = time.monotonic()
            try:
                self.now()
                self._after()
            except TakenError:  # another process on the same servers settles: nothing is left undone
                self.trouble = ""
            except StoreError as error:
                self.trouble = str(error)
                log.warning("cannot settle at present: %s", error)
            else:
                self.trouble = ""
            rest_seconds = max(self._pause_seconds, REST * (time.monotonic() - started))

    def _let_the_collector_go_first(self) -> None:
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        while self._behind() and time.monotonic() < deadline and not self._stopping.wait(LOOK_SECONDS):
            pass
