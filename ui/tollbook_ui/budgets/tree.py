"""Which budget pays for what, and in which state it is. Pure: budgets and sums in, figures out.

Each sum belongs to exactly one budget: from the top, the budget whose conditions it meets; of budgets side by side the
narrowest, which has most keys, then fewest values, then the first name; then the same among the budgets below it. In which
state a budget is, only those of its own period decide with it: a year's and a month's stand side by side and both count.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from functools import cache

from tollbook_ui import units
from tollbook_ui.budgets.figures import PERIODS, Budget, Status
from tollbook_ui.costs import keys
from tollbook_ui.costs.bridge import DIGITS, LAST_DIGIT
from tollbook_ui.periods import BadQuestionError, whole_hours

BURNING = 2
"""A pace at which half of the period is enough to spend all of it."""

PACE = timedelta(days=7)
"""What a forecast looks back on."""

NOTHING = Decimal(0)

Values = Mapping[str, str]
"""What a sum has of each key that some budget asks for."""


@dataclass(frozen=True)
class Sums:
    """Money that has the same values of all keys."""

    values: Values
    spent_usd: Decimal
    """In the current period."""
    pace_usd: Decimal
    """In the seven days before now."""
    day_usd: Decimal
    """In the 24 hours before now."""


@dataclass(frozen=True)
class Clock:
    """Where in a period now is, and since when money is known."""

    since: datetime
    until: datetime
    now: datetime
    known_since: datetime | None

    @property
    def elapsed(self) -> float:
        """Share of the period that has passed."""
        return min(1.0, (self.now - self.since) / (self.until - self.since))

    @property
    def known_enough(self) -> bool:
        """Whether money is known for a day, of a short period for a twentieth of it: an hour says nothing of a pace."""
        return self.looked_back >= min(timedelta(days=1), (self.until - self.since) / 20)

    @property
    def looked_back(self) -> timedelta:
        """How much of the last seven days is known."""
        known = self.known_since or self.now
        return max(min(self.now - known, PACE), timedelta(0))


def period_of(kind: str, now: datetime) -> tuple[datetime, datetime]:
    """The day, week, month, quarter or year that now is in, in UTC."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if kind == "day":
        return day, day + timedelta(days=1)
    if kind == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(weeks=1)
    first = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}[kind]
    months = {"month": 1, "quarter": 3, "year": 12}[kind]
    start = day.replace(month=first, day=1)
    after = first - 1 + months
    return start, start.replace(year=start.year + after // 12, month=after % 12 + 1)


def checked(budget: Budget, others: Iterable[Budget]) -> None:
    """Whether the budget can stand beside the others.

    Raises:
        BadQuestionError: it cannot; the message says why.
    """
    beside = {other.budget: other for other in others if other.budget != budget.budget}
    if not budget.budget.strip() or len(budget.budget) > 100:
        raise BadQuestionError("a budget has a name of up to 100 characters")
    if not budget.amount_usd.is_finite() or not NOTHING < budget.amount_usd < MOST_USD:
        raise BadQuestionError(f"a budget is more than $0 and less than ${MOST_USD:,}, not ${budget.amount_usd}")
    if not budget.warn_ratio.is_finite() or not NOTHING < budget.warn_ratio <= 1:
        raise BadQuestionError(f"a budget warns at a share of more than 0 and up to 1, not at {budget.warn_ratio}")
    if budget.period not in PERIODS:
        raise BadQuestionError(f"a budget is for a day, week, month, quarter or year, not for {budget.period[:40]!r}")
    if budget.parent and budget.parent not in (*beside, budget.budget):
        raise BadQuestionError(f"there is no budget {budget.parent[:60]!r} to be part of")
    if budget.budget in _above(budget, beside):
        raise BadQuestionError(f"{budget.budget[:60]!r} would be part of itself")
    if used := set(wanted(budget)) & set(keys.TIMES):
        raise BadQuestionError(f"a budget is not for one {min(used)}; its period is a day, week, month, quarter or year")
    asked_for([*beside.values(), budget])
    for other in beside.values():
        if (other.parent, other.period, wanted(other)) == (budget.parent, budget.period, wanted(budget)):
            raise BadQuestionError(
                f"{other.budget[:60]!r} pays for the same in each {budget.period}, so one of them would pay for nothing; "
                "make one part of the other with --parent, or say with --for what each pays for"
            )


def wanted(budget: Budget) -> Mapping[str, frozenset[str]]:
    """Values that a budget wants of each key. Raises BadQuestionError where a condition is none."""
    return _values_of(budget.conditions)


@cache
def _values_of(conditions: tuple[str, ...]) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for condition in conditions:
        key, equals, value = condition.partition("=")
        if not equals:
            raise BadQuestionError(f"a condition is written KEY=VALUE, not {condition[:60]!r}")
        found[keys.known(key)].add(value.strip())
    return {key: frozenset(values) for key, values in found.items()}


MOST_KEYS = 8
MOST_USD = 10**15


def asked_for(budgets: Iterable[Budget]) -> dict[str, tuple[str, ...]]:
    """Every key that some budget asks for, with all values asked for.

    Raises:
        BadQuestionError: they are too many.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for budget in budgets:
        for key, values in wanted(budget).items():
            found[key] |= values
    if len(found) > MOST_KEYS:
        raise BadQuestionError(f"all budgets of a tenant use {MOST_KEYS} different keys at most, not {len(found)}")
    return {key: tuple(sorted(values)) for key, values in sorted(found.items())}


def payer(budgets: Sequence[Budget], values: Values) -> Budget | None:
    """The budget that pays for what has these values; None where none does."""
    paying, parent = None, ""
    while below := [budget for budget in _beside(budgets, parent) if _met(budget, values)]:
        paying = below[0]
        parent = paying.budget
    return paying


def _beside(budgets: Sequence[Budget], parent: str) -> list[Budget]:
    names = {budget.budget for budget in budgets}
    found = [budget for budget in budgets if (budget.parent if budget.parent in names else "") == parent]
    return sorted(found, key=_width)


def _width(budget: Budget) -> tuple[int, int, str]:
    """The narrowest first."""
    conditions = wanted(budget)
    return -len(conditions), sum(map(len, conditions.values())), budget.budget


def _met(budget: Budget, values: Values) -> bool:
    return all(values.get(key, "") in wished for key, wished in wanted(budget).items())


def _above(budget: Budget, others: Mapping[str, Budget]) -> list[str]:
    """Names of the budgets above; of a circle, each once."""
    found: list[str] = []
    name = budget.parent
    while name and name not in found:
        found.append(name)
        name = others[name].parent if name in others else ""
    return found


def owner(budget: Budget, budgets: Sequence[Budget]) -> str:
    """Who answers for it: its own owner, else that of the nearest budget above."""
    named = {other.budget: other for other in budgets}
    chain = [budget, *(named[name] for name in _above(budget, named) if name in named)]
    return next((above.owner for above in chain if above.owner), "")


def in_order(budgets: Sequence[Budget], parent: str = "", depth: int = 0) -> Iterator[tuple[int, Budget]]:
    """Parents before what is part of them, with their depth."""
    for budget in sorted(_beside(budgets, parent), key=lambda budget: budget.budget):
        yield depth, budget
        yield from in_order(budgets, budget.budget, depth + 1)


def statuses(budgets: Sequence[Budget], sums: Mapping[str, Sequence[Sums]], clocks: Mapping[str, Clock]) -> tuple[Status, ...]:
    """Every budget in its current period.

    Args:
        budgets: of one tenant.
        sums: money by kind of period.
        clocks: the current period of each kind.
    """
    with localcontext(prec=DIGITS):
        shares = {kind: _Shares(budgets, of_kind) for kind, of_kind in sums.items()}
        return tuple(
            _status(depth, budget, budgets, shares[budget.period], clocks[budget.period]) for depth, budget in in_order(budgets)
        )


class _Shares:
    """What each budget pays of some sums. Who comes first at a place in the tree, among budgets of one period, is found once."""

    def __init__(self, budgets: Sequence[Budget], sums: Sequence[Sums]) -> None:
        self._named = {budget.budget: budget for budget in budgets}
        self._budgets, self._sums = budgets, sums
        self._places: dict[tuple[str, str], tuple[Budget | None, ...]] = {}

    def of(self, budget: Budget) -> list[Sums]:
        """What it or a budget below it pays: nobody else of the same period comes first at any step from the top."""
        path = [budget, *(self._named[name] for name in _above(budget, self._named) if name in self._named)]
        places = [(one, self._first(one.parent if one.parent in self._named else "", one.period)) for one in path]
        return [sums for at, sums in enumerate(self._sums) if all(first[at] == one for one, first in places)]

    def own(self, budget: Budget) -> list[Sums]:
        """Of it, what no budget below pays."""
        below = _beside(self._budgets, budget.budget)
        return [sums for sums in self.of(budget) if not any(_met(part, sums.values) for part in below)]

    def _first(self, parent: str, period: str) -> tuple[Budget | None, ...]:
        if (parent, period) not in self._places:
            beside = [budget for budget in _beside(self._budgets, parent) if budget.period == period]
            found = (next((budget for budget in beside if _met(budget, sums.values)), None) for sums in self._sums)
            self._places[parent, period] = tuple(found)
        return self._places[parent, period]


def _status(depth: int, budget: Budget, budgets: Sequence[Budget], shares: _Shares, clock: Clock) -> Status:
    mine = shares.of(budget)
    spent = sum((one.spent_usd for one in mine), NOTHING)
    own = sum((one.spent_usd for one in shares.own(budget)), NOTHING)
    forecast = _forecast(spent, sum((one.pace_usd for one in mine), NOTHING), clock)
    burn = _burn(sum((one.day_usd for one in mine), NOTHING), budget.amount_usd, clock)
    state, reason = _state(budget, spent, forecast, burn)
    return Status(
        tenant=budget.tenant,
        budget=budget.budget,
        parent=budget.parent,
        depth=depth,
        owner=owner(budget, budgets),
        conditions=budget.conditions,
        period=budget.period,
        since=clock.since,
        until=clock.until,
        amount_usd=budget.amount_usd,
        spent_usd=spent,
        own_usd=own,
        left_usd=budget.amount_usd - spent,
        spent_ratio=float(spent / budget.amount_usd),
        elapsed_ratio=clock.elapsed,
        forecast_usd=forecast,
        burn_ratio=burn,
        state=state,
        reason=reason,
    )


def _forecast(spent: Decimal, pace: Decimal, clock: Clock) -> Decimal | None:
    """What is spent at the end of the period at the pace of the last week; unknown while less than a day is known."""
    if not clock.known_enough:
        return None
    looked = clock.looked_back
    left = max(clock.until - clock.now, timedelta(0))
    return (spent + pace * _seconds(left) / _seconds(looked)).quantize(LAST_DIGIT)


def _burn(day: Decimal, amount: Decimal, clock: Clock) -> float | None:
    if not clock.known_enough:
        return None
    looked = min(clock.looked_back, timedelta(days=1))
    even = amount * _seconds(looked) / _seconds(clock.until - clock.since)
    return float(day / even)


def _seconds(length: timedelta) -> Decimal:
    return Decimal(length // timedelta(seconds=1))


def _state(budget: Budget, spent: Decimal, forecast: Decimal | None, burn: float | None) -> tuple[str, str]:
    """The worst that is true of it, in a word and in words."""
    amount, name = budget.amount_usd, f"the {budget.period}'s {units.usd(budget.amount_usd)}"
    if spent > amount:
        return "over", f"{units.usd(spent)} spent of {name}"
    if forecast is not None and forecast > amount:
        return "forecast", f"{units.usd(forecast)} by the end, at the pace of the last seven days, of {name}"
    if burn is not None and burn >= BURNING:
        return "burning", f"the last day spent at {burn:.1f} times the pace that {name} lasts at"
    if spent >= amount * budget.warn_ratio:
        return "warned", f"{units.percent(spent / amount)} of {name} spent"
    return "ok", ""


def whole_period(since: datetime | None, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """The period that was asked for, in whole hours; the current month if none was."""
    if since is None and until is None:
        return period_of("month", now)
    found = whole_hours(since, until, now)
    return found.since, found.until
