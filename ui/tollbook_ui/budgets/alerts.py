"""Tells of budgets that break, once for each period and state: in the log, and at a webhook where one is set."""

import http.client
import json
import logging
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime

from tollbook_schema.store import Store

from tollbook_ui import units
from tollbook_ui.budgets.figures import STATES, Alert, Status
from tollbook_ui.budgets.questions import BudgetBook

log = logging.getLogger("tollbook")

TIMEOUT_SECONDS = 5
REMEMBERED = 10_000

Post = Callable[[str, bytes], None]
"""Sends a body to an address. Raises OSError, HTTPException or ValueError where it is not taken."""


class Alarm:
    """Looks at all budgets and tells what is new, at most once every `pause_seconds`."""

    def __init__(self, store: Store, webhook: str = "", pause_seconds: float = 60.0, post: Post | None = None) -> None:
        self._store = store
        self._book = BudgetBook(store, store)
        self._webhook = webhook
        self._pause_seconds = pause_seconds
        self._post = post or posted
        self._looked = -pause_seconds
        self._one_at_a_time = threading.Lock()

    def look(self, at: datetime | None = None) -> tuple[Alert, ...]:
        """What is told now; nothing where nothing is new, or somebody looked a moment ago."""
        with self._one_at_a_time:
            if at is None and time.monotonic() - self._looked < self._pause_seconds:
                return ()
            self._looked = time.monotonic()
            found = self._book.status(at).rows
            rising = [row for row in found if STATES.index(row.state) > 0]
            if not rising:
                return ()
            worst = self._told()
            new = [row for row in rising if STATES.index(row.state) > worst.get((row.tenant, row.budget, row.since), 0)]
            return tuple(self._tell(row) for row in new)

    def _told(self) -> dict[tuple[str, str, datetime], int]:
        """The worst state that was told of each budget in each period."""
        worst: dict[tuple[str, str, datetime], int] = {}
        for alert in self._book.alerts(REMEMBERED).rows:
            key = (alert.tenant, alert.budget, alert.period_start)
            worst[key] = max(worst.get(key, 0), STATES.index(alert.state))
        return worst

    def _tell(self, row: Status) -> Alert:
        message = f"Budget {row.budget} ({row.owner or 'nobody answers for it'}): {row.reason}."
        log.warning("%s", message)
        told = "webhook" if self._webhook and self._sent(row, message) else "log"
        alert = Alert(
            tenant=row.tenant,
            budget=row.budget,
            period_start=row.since,
            state=row.state,
            at=datetime.now(UTC),
            amount_usd=row.amount_usd,
            spent_usd=row.spent_usd,
            forecast_usd=row.forecast_usd,
            message=message,
            told=told,
        )
        names = [field.name for field in fields(Alert)]
        self._store.insert("budget_alerts", [[getattr(alert, name) for name in names]], names)
        return alert

    def _sent(self, row: Status, message: str) -> bool:
        said = {
            "text": message,
            "budget": row.budget,
            "tenant": row.tenant,
            "owner": row.owner,
            "state": row.state,
            "since": row.since.isoformat(),
            "until": row.until.isoformat(),
            "amount_usd": units.usd_exact(row.amount_usd),
            "spent_usd": units.usd_exact(row.spent_usd),
            "forecast_usd": units.usd_exact(row.forecast_usd),
        }
        try:
            self._post(self._webhook, json.dumps(said).encode())
        except (OSError, http.client.HTTPException, ValueError) as error:  # away, no HTTP, or no address
            log.warning("the webhook for budgets did not take the message: %s", error)
            return False
        return True


def posted(address: str, body: bytes) -> None:
    """Posts JSON to an address that the operator has set. Raises what `Post` says where it is not taken."""
    request = urllib.request.Request(address, body, {"content-type": "application/json"}, method="POST")  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310 - only http and https pass the settings
        pass
