"""Arithmetic of cost and benefit. Pure, exact where money is; growth is to 28 digits."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from tollbook_ui.periods import BadQuestionError


@dataclass(frozen=True)
class Tax:
    """What integration work costs at a share of the time."""

    share: Decimal
    quarter_usd: Decimal


@dataclass(frozen=True)
class Growth:
    """Growth by the month."""

    month_ratio: Decimal
    """0.01681 is 1.681 % a month, compounded."""
    unit_cost_factor: Decimal
    """What the cost of one output is multiplied by."""


def taxes(engineers: Decimal, sprints: Decimal, hours: Decimal, rate_usd: Decimal, shares: Iterable[Decimal]) -> tuple[Tax, ...]:
    """The integration tax at several shares of the time."""
    return tuple(Tax(share, integration_tax(engineers, sprints, hours, rate_usd, share)) for share in shares)


def grown(growth: Decimal, months: int, output: Decimal) -> Growth:
    """Spend grown by this ratio in so many months, while output grew by that one."""
    return Growth(monthly_growth(growth, months), 1 + unit_cost_change(growth, output))


def integration_tax(engineers: Decimal, sprints: Decimal, hours: Decimal, rate_usd: Decimal, share: Decimal) -> Decimal:
    """What integration work costs: engineers x sprints x hours of a sprint x loaded rate x its share of the time."""
    if min(engineers, sprints, hours, rate_usd, share) < 0 or share > 1:
        raise BadQuestionError("people, sprints, hours and rates are 0 or more, and a share is 0 to 1")
    return engineers * sprints * hours * rate_usd * share


def monthly_growth(growth: Decimal, months: int) -> Decimal:
    """The growth of a month that makes up `growth` in so many: 0.35 in 18 months is 0.01681."""
    if growth <= -1 or months < 1:
        raise BadQuestionError("growth is more than -100 %, over one month or more")
    return (1 + growth) ** (Decimal(1) / months) - 1


def unit_cost_change(spend: Decimal, output: Decimal) -> Decimal:
    """How the cost of one output changes: spend and output grown by these ratios. 0.4 on flat output is 0.4."""
    if output <= -1:
        raise BadQuestionError("output cannot fall by all of it")
    return (1 + spend) / (1 + output) - 1


def net_benefit(benefit_usd: Decimal, run_usd: Decimal, tax_usd: Decimal, idle_usd: Decimal) -> Decimal:
    """What is left of a benefit after what it costs to run, to integrate and to keep ready."""
    return benefit_usd - (run_usd + tax_usd + idle_usd)
