"""What answers about outcomes are made of. Money is `Decimal` in US dollars and exact; `None` is what nobody knows."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tollbook_ui.figures import Period
from tollbook_ui.unsettled import FromLedger


@dataclass(frozen=True)
class Return(FromLedger):
    """What an initiative brings, against all that it costs."""

    period: Period
    where: tuple[str, ...]
    benefit_usd: Decimal
    run_usd: Decimal
    """What its requests cost."""
    idle_usd: Decimal
    """Of the period's idle, shared and unattributed money: its own, and its share of nobody's by what it runs for."""
    tax_usd: Decimal
    """Integration work: hours x rate."""
    cost_usd: Decimal
    net_usd: Decimal
    roi: float | None
    """Net over cost."""
    calls_priced_ratio: float | None


@dataclass(frozen=True)
class CapacityRow:
    """Money of one team that bought nothing that somebody owns."""

    team: str
    used_usd: Decimal
    """By requests that name an owner, and by stored data that does."""
    idle_usd: Decimal
    shared_usd: Decimal
    unattributed_usd: Decimal
    unowned_usd: Decimal
    """By requests and stored data that name none."""
    empty_ratio: float | None
    """All but what was used, of everything."""


@dataclass(frozen=True)
class Capacity(FromLedger):
    """Empty capacity: what was paid for and not used by anybody's work. Used, and what is empty, add up to the total."""

    period: Period
    total_usd: Decimal
    used_usd: Decimal
    empty_usd: Decimal
    rows: tuple[CapacityRow, ...]


@dataclass(frozen=True)
class OutputRow:
    """Spend against output of one workflow; ratios are after to before, less one."""

    workflow: str
    spend_before_usd: Decimal
    spend_after_usd: Decimal
    requests_before: int
    requests_after: int
    good_before: int | None
    good_after: int | None
    spend_change: float | None
    output_change: float | None
    """Of good answers where both periods have scores, else of requests."""
    unit_cost_change: float | None
    flagged: bool
    """Whether one output costs a tenth more than before, or even more."""


@dataclass(frozen=True)
class Output(FromLedger):
    """Spend against output over two periods; the first row is of everything."""

    before: Period
    after: Period
    rows: tuple[OutputRow, ...]


@dataclass(frozen=True)
class HeadlinePoint:
    """The four headline numbers of one workflow in one hour or day."""

    time: datetime
    workflow: str
    requests: int
    duration_p50_ns: int | None
    input_age_p50_ns: int | None
    usd_per_request: Decimal | None
    score_mean: float | None
    good_ratio: float | None


@dataclass(frozen=True)
class Headlines(FromLedger):
    """Latency, freshness, cost and quality of workflows on one time axis."""

    period: Period
    step: str
    rows: tuple[HeadlinePoint, ...]


@dataclass(frozen=True)
class Score:
    """How good somebody found an answer."""

    trace_id: str
    name: str = "accepted"
    value: float | None = None
    label: str = ""
    """Such as good or bad; it decides where it is such a word, else the value does, from one half on."""
    span_id: str = ""
    source: str = "by hand"
    tenant: str | None = None
    """Whose trace, where several tenants have one of this id."""
