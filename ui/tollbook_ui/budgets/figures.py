"""What answers about budgets are made of. Money is `Decimal` in US dollars and exact."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_ui.figures import Period
from tollbook_ui.unsettled import FromLedger

PERIODS = ("day", "week", "month", "quarter", "year")
STATES = ("ok", "warned", "burning", "forecast", "over")
"""From well to worst: nothing to say, most of it spent, spent much too fast today, will not last, spent."""

BROKEN = STATES[2:]


@dataclass(frozen=True)
class Budget:
    """What may be spent in each period, on what, and who answers for it."""

    budget: str
    """Its name."""
    amount_usd: Decimal
    period: str = "month"
    owner: str = ""
    """The one who answers for it; empty where the owner of its parent does."""
    parent: str = ""
    """The budget it is part of; empty at the top."""
    conditions: tuple[str, ...] = ()
    """`KEY=VALUE`: what of its parent it pays for, a key given twice having either value; everything where there is none."""
    warn_ratio: Decimal = Decimal("0.8")
    """Share of the amount from which on it is said."""
    tenant: str = DEFAULT_TENANT
    set_at: datetime | None = None


@dataclass(frozen=True)
class Status:
    """One budget in its current period."""

    tenant: str
    budget: str
    parent: str
    depth: int
    owner: str
    """Its own owner, else that of the nearest budget above; empty where nobody answers for it."""
    conditions: tuple[str, ...]
    period: str
    since: datetime
    until: datetime
    amount_usd: Decimal
    spent_usd: Decimal
    """With all budgets below it."""
    own_usd: Decimal
    """Of it, what belongs to no budget below."""
    left_usd: Decimal
    """Below 0 where more was spent."""
    spent_ratio: float | None
    elapsed_ratio: float
    forecast_usd: Decimal | None
    """At the end of the period, at the pace of the last seven days; `None` while too little is known."""
    burn_ratio: float | None
    """Pace of the last day against an even one: 2 spends a month's budget in half a month."""
    state: str
    reason: str


@dataclass(frozen=True)
class Unowned:
    """Money that no budget pays for."""

    tenant: str
    team: str
    workflow: str
    category: str
    allocation: str
    amount_usd: Decimal


@dataclass(frozen=True)
class Budgets(FromLedger):
    """Every budget in its current period."""

    at: datetime
    rows: tuple[Status, ...]
    """Parents before what is part of them."""
    nobody: tuple[str, ...]
    """Budgets that nobody answers for."""

    @property
    def broken(self) -> tuple[Status, ...]:
        """Those that are overspent, will be, or are spent much too fast."""
        return tuple(row for row in self.rows if row.state in BROKEN)


@dataclass(frozen=True)
class Line:
    """One budget line of a period, or what no budget pays for."""

    budget: str
    """Empty where no budget pays for it."""
    owner: str
    amount_usd: Decimal


@dataclass(frozen=True)
class Workload:
    """Money of one workload, and which budgets pay for it."""

    workflow: str
    budgets: tuple[str, ...]
    amount_usd: Decimal


@dataclass(frozen=True)
class View(FromLedger):
    """The money of one period seen twice: by budget line and by workload. Both add up to the total, to the last digit."""

    tenant: str
    period: Period
    total_usd: Decimal
    rows: tuple[Line, ...]
    workloads: tuple[Workload, ...]
    unowned: tuple[Unowned, ...]
    """What no budget pays for, the most first."""


@dataclass(frozen=True)
class Alert:
    """What was told of a budget, once in each period and state."""

    tenant: str
    budget: str
    period_start: datetime
    state: str
    at: datetime
    amount_usd: Decimal
    spent_usd: Decimal
    forecast_usd: Decimal | None
    message: str
    told: str


@dataclass(frozen=True)
class Alerts:
    """Alerts, newest first."""

    rows: tuple[Alert, ...] = field(default=())
