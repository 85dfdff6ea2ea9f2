"""Budgets, asked of a running server and set there: the same methods as `BudgetBook`."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_ui.budgets.figures import Alerts, Budget, Budgets, View

Answer = TypeVar("Answer")


class Call(Protocol):
    """Asks the server, with a body or without."""

    def __call__(
        self, kind: type[Answer], path: str, asked: Mapping[str, Any], body: object | None, method: str | None = None
    ) -> Answer:
        """The answer."""


class RemoteBudgets:
    """As `BudgetBook`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def set(self, budget: Budget) -> Budget:
        """As `BudgetBook.set`."""
        return self._call(Budget, "/budgets", {}, asdict(budget))

    def delete(self, name: str, tenant: str = DEFAULT_TENANT) -> Budget:
        """As `BudgetBook.delete`."""
        return self._call(Budget, f"/budgets/{quote(name, safe='')}", {"tenant": tenant}, None, "DELETE")

    def status(self, at: datetime | None = None) -> Budgets:
        """As `BudgetBook.status`."""
        return self._call(Budgets, "/budgets", {"at": at and at.isoformat()}, None)

    def view(self, since: datetime | None = None, until: datetime | None = None, tenant: str | None = None) -> View:
        """As `BudgetBook.view`."""
        asked = {"since": since and since.isoformat(), "until": until and until.isoformat(), "tenant": tenant}
        return self._call(View, "/budgets/view", asked, None)

    def alerts(self, limit: int = 50) -> Alerts:
        """As `BudgetBook.alerts`."""
        return self._call(Alerts, "/budgets/alerts", {"limit": limit}, None)
