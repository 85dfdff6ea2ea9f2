"""Budgets asked of a store, and set in it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

from tollbook_schema import sql
from tollbook_schema.store import Reads, Store
from tollbook_schema.tenants import DEFAULT_TENANT, checked_tenant

from tollbook_ui import unsettled
from tollbook_ui.budgets import tree
from tollbook_ui.budgets.figures import Alert, Alerts, Budget, Budgets, Line, Status, Unowned, View, Workload
from tollbook_ui.costs import keys
from tollbook_ui.costs.bridge import DIGITS
from tollbook_ui.costs.questions import LONG
from tollbook_ui.figures import Period
from tollbook_ui.periods import BadQuestionError

OTHER = "\x01other values"
"""Stands for every value that no budget asks for."""

HOUR = timedelta(hours=1)
LEAST_TIME = datetime(1970, 1, 2, tzinfo=UTC)
MOST_UNOWNED = 20
COLUMNS = ("tenant", "budget", "event", "at", "parent", "owner", "amount_usd", "period", "conditions", "warn_ratio")


class BudgetBook:
    """Answers about budgets, from what one asker may read."""

    def __init__(self, store: Store, reads: Reads, tenant: str | None = None) -> None:
        """Of one tenant, or for the operator of all."""
        self._store = store
        self._reads = reads
        self._tenant = tenant

    def defined(self, tenant: str | None = None) -> tuple[Budget, ...]:
        """Budgets in force, by name."""
        rows = self._reads.query(_text("budgets"), {"tenant": tenant})
        return tuple(Budget(**{**row, "conditions": tuple(row["conditions"]), "set_at": _utc(row["set_at"])}) for row in rows)

    def set(self, budget: Budget) -> Budget:
        """Sets a budget; one of this name is replaced from now on.

        Raises:
            BadQuestionError: it is no budget; the message says why.
        """
        others = self.defined(_tenant(budget.tenant))
        tree.checked(budget, others)
        self._written(budget, "set")
        return budget

    def delete(self, name: str, tenant: str = DEFAULT_TENANT) -> Budget:
        """Ends a budget. What is part of it stands at the top from then on.

        Raises:
            BadQuestionError: there is none of this name.
        """
        found = next((budget for budget in self.defined(_tenant(tenant)) if budget.budget == name), None)
        if found is None:
            raise BadQuestionError(f"there is no budget {name[:60]!r}; list them with: tollbook budget list")
        self._written(found, "deleted")
        return found

    @unsettled.told
    def status(self, at: datetime | None = None) -> Budgets:
        """Every budget in its current period: spent, left, forecast, pace, state."""
        now = _whole(at or datetime.now(UTC))
        of: dict[str, list[Budget]] = defaultdict(list)
        for budget in self.defined():
            of[budget.tenant].append(budget)
        rows = tuple(row for tenant, budgets in sorted(of.items()) for row in self._statuses(tenant, budgets, now))
        return Budgets(now, rows, tuple(row.budget for row in rows if not row.owner))

    @unsettled.told
    def view(self, since: datetime | None = None, until: datetime | None = None, tenant: str | None = None) -> View:
        """The money of a period by budget line and by workload; both add up to the same total. The current month if not given."""
        whose = self._tenant or _tenant(tenant or DEFAULT_TENANT)
        start, end = tree.whole_period(since, until, datetime.now(UTC))
        budgets = self.defined(whose)
        asked = tree.asked_for(budgets)
        whole_days = end - start >= LONG and (start.hour, end.hour) == (0, 0)
        bound = _bound(asked, "day_costs" if whole_days else "costs")
        rows = self._reads.query(_text("workloads"), {**bound, "of_tenant": whose, "since": start, "until": end})
        return _view(whose, Period(start, end), budgets, [(tuple(asked), row) for row in rows])

    def alerts(self, limit: int = 50) -> Alerts:
        """What was told of budgets, newest first."""
        rows = self._reads.query(_text("alerts"), {"tenant": None, "limit": limit})
        return Alerts(tuple(Alert(**{name: _utc(value) for name, value in row.items()}) for row in rows))

    def _statuses(self, tenant: str, budgets: Sequence[Budget], now: datetime) -> tuple[Status, ...]:
        known = _utc(self._reads.query(_text("known_since"), {"of_tenant": tenant})[0]["known_since"])
        asked = tree.asked_for(budgets)
        sums: dict[str, list[tree.Sums]] = {}
        clocks: dict[str, tree.Clock] = {}
        for kind in {budget.period for budget in budgets}:
            since, until = tree.period_of(kind, now - HOUR)  # the hour that ends now is the last of its period
            pace_since = now - tree.PACE
            times = {"since": since, "until": until, "now": now, "pace_since": pace_since, "day_since": now - 24 * HOUR}
            bounded = {name: max(time, LEAST_TIME) for name, time in {**times, "hours_since": pace_since.replace(hour=0)}.items()}
            bound = {**_bound(asked, "long_costs" if bounded["hours_since"] - since >= LONG else "costs"), **bounded}
            rows = self._reads.query(_text("spent"), {**bound, "of_tenant": tenant})
            sums[kind] = [
                tree.Sums(_values(tuple(asked), row), row["spent_usd"], row["pace_usd"], row["day_usd"]) for row in rows
            ]
            clocks[kind] = tree.Clock(since, until, now, known)
        return tree.statuses(budgets, sums, clocks)

    def _written(self, budget: Budget, event: str) -> None:
        values = {**{name: getattr(budget, name, None) for name in COLUMNS}, "event": event, "at": datetime.now(UTC)}
        values["conditions"] = list(budget.conditions)
        self._store.insert("budgets_set", [[values[name] for name in COLUMNS]], COLUMNS)


def _view(
    tenant: str, period: Period, budgets: Sequence[Budget], rows: Sequence[tuple[tuple[str, ...], Mapping[str, Any]]]
) -> View:
    lines: dict[str, Decimal] = {budget.budget: Decimal(0) for budget in budgets}
    works: dict[str, tuple[set[str], Decimal]] = {}
    unowned: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    with localcontext(prec=DIGITS):
        for names, row in rows:
            paying = tree.payer(budgets, _values(names, row))
            name, amount = (paying.budget if paying else ""), row["spent_usd"]
            lines[name] = lines.get(name, Decimal(0)) + amount
            payers, sum_so_far = works.get(row["workload"], (set(), Decimal(0)))
            works[row["workload"]] = (payers | {name}, sum_so_far + amount)
            if paying is None and amount:
                unowned[tenant, row["of_team"], row["workload"], row["for_category"], row["to_allocation"]] += amount
        total = sum(lines.values(), Decimal(0))
    owners = {budget.budget: tree.owner(budget, budgets) for budget in budgets}
    return View(
        tenant=tenant,
        period=period,
        total_usd=total,
        rows=tuple(Line(name, owners.get(name, ""), amount) for name, amount in sorted(lines.items(), key=_dearest)),
        workloads=tuple(
            Workload(name, tuple(sorted(payers)), amount)
            for name, (payers, amount) in sorted(works.items(), key=lambda entry: (-entry[1][1], entry[0]))
        ),
        unowned=tuple(_unowned(whose, amount) for whose, amount in sorted(unowned.items(), key=_dearest)[:MOST_UNOWNED]),
    )


def _unowned(whose: tuple[str, ...], amount_usd: Decimal) -> Unowned:
    tenant, team, workflow, category, allocation = whose
    return Unowned(tenant, team, workflow, category, allocation, amount_usd)


def _dearest(entry: tuple[Any, Decimal]) -> tuple[Decimal, Any]:
    return -entry[1], entry[0]


def _bound(asked: Mapping[str, Sequence[str]], sums: str) -> dict[str, Any]:
    """What the keys are, and where their money is: in these sums, else in the ledger's lines."""
    places = [*asked.items(), *[(keys.NOTHING, ("",))] * (tree.MOST_KEYS - len(asked))]
    bound: dict[str, Any] = {"other": OTHER, **keys.source(asked)}
    bound["source"] = sums if bound["source"] == "costs" else bound["source"]
    for place, (key, values) in enumerate(places, start=1):
        bound |= {f"key{place}": key, f"known{place}": list(values)}
    return bound


def _values(names: Sequence[str], row: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(row[f"value{place}"]) for place, name in enumerate(names, start=1)}


def _tenant(name: str) -> str:
    try:
        return checked_tenant(name)
    except ValueError as error:
        raise BadQuestionError(str(error)) from error


def _whole(moment: datetime) -> datetime:
    """The end of the hour, as the ledger is settled by hours."""
    utc = moment.astimezone(UTC)
    down = utc.replace(minute=0, second=0, microsecond=0)
    return down if down == utc else down + HOUR


def _utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def _text(name: str) -> str:
    return sql.text("tollbook_ui", f"budgets/queries/{name}.sql")
