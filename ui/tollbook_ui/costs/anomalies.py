"""Hours and days that cost far more than they usually do. Pure: what each hour cost in, what is out of the ordinary out.

An hour is compared with the hours around the same time of the same weekday in the four weeks before, or, while less is known,
with the same time of the days before; a day with the same weekday and with the six days before. What is usual is their median.
How far from it is still usual is the median of the distances from it, but never less than a share of the usual, and than what
requests that come by chance make of it; so quiet data stays quiet, and one expensive hour does not hide the next. Credits make
hours that cost less than nothing: their size counts.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from statistics import median

HOUR, DAY = 3_600, 86_400
WEEK = 7 * DAY
LOOKED_BACK = 4 * WEEK

FAR = 6.0
"""Distances from the usual at which something is out of the ordinary."""

LEAST_SHARE = {HOUR: 0.2, DAY: 0.06}
"""Of the usual: no distance counts as smaller. An hour is noisier than a day."""

BEYOND_MOST = 1.25
"""It also costs so many times as much as the dearest of the times it is compared with but one."""

A_FEW_HOURS = 6
A_DAY = 24
"""Hours."""

FEWEST = 6
"""Times to compare with, or nothing is said."""


@dataclass(frozen=True)
class Anomaly:
    """Consecutive hours, or a day, that cost far more than usual; times in seconds since 1970."""

    since: int
    until: int
    amount: Decimal
    usual: Decimal
    distance: float
    """From the usual, in usual distances from it."""


def found(costs: Mapping[int, Decimal], since: int, until: int, first: int) -> tuple[Anomaly, ...]:
    """Everything out of the ordinary from `since` to `until`, the dearest first.

    Args:
        costs: what each hour cost, by its start; an hour that is not there cost nothing.
        since: start of the hours that are judged.
        until: their end.
        first: the first hour that anything is known of; what is before it is unknown and not 0. So is what is before the first
            cost of all: what is new has no usual yet.
    """
    first = max(first, min(costs, default=first))
    by_hours = [float(costs.get(at, 0)) for at in range(first, until, HOUR)]
    chance = _chance(pairwise(by_hours))
    hours = _far(costs, HOUR, range(since, until, HOUR), first, chance)
    if len(by_hours) >= (FEWEST + 1) * A_DAY:  # what keeps to a timetable differs from hour to hour, but not from day to day
        chance = min(chance, _chance(zip(by_hours, by_hours[A_DAY:], strict=False)))
    whole_days = range(_up(since, DAY), until - until % DAY, DAY)
    days = [day for day in _far(_daily(costs), DAY, whole_days, _up(first, DAY), chance) if not _explained(day, hours)]
    taken = {day.since for day in days}
    left = [one for one in hours if one.since - one.since % DAY not in taken]
    return tuple(sorted((*days, *_joined(left)), key=lambda one: (one.usual - one.amount, one.since)))


def _explained(day: Anomaly, hours: Sequence[Anomaly]) -> bool:
    """Whether a few hours of the day are why it is out of the ordinary."""
    of_day = [one.amount - one.usual for one in hours if day.since <= one.since < day.until]
    return len(of_day) < A_FEW_HOURS and sum(of_day, Decimal(0)) * 2 > day.amount - day.usual


def _far(costs: Mapping[int, Decimal], step: int, times: Iterable[int], first: int, chance: float) -> list[Anomaly]:
    """Times that are out of the ordinary, each alone."""
    found = []
    for at in times:
        amount = costs.get(at, Decimal(0))
        if amount > 0:
            usual = [costs.get(then, Decimal(0)) for then in _compared(at, step, first)]
            distance = _distance(float(amount), [float(one) for one in usual], LEAST_SHARE[step], chance)
            if distance >= FAR:
                found.append(Anomaly(at, at + step, amount, Decimal(median(usual)), distance))
    return found


def _compared(at: int, step: int, first: int) -> list[int]:
    """Times that are like this one, of the best kind of which there are enough."""
    if step == DAY:
        kinds = [[*(at - week * WEEK for week in range(1, 5)), *(at - day * DAY for day in range(1, 7))]]
    else:
        around = (-HOUR, 0, HOUR)
        kinds = [
            [at - week * WEEK + more for week in range(1, 5) for more in around],
            [at - day * DAY + more for day in range(1, 8) for more in around],
            [at - hour * HOUR for hour in range(1, 25)],
        ]
    for kind in kinds:
        known = sorted({then for then in kind if then >= first})
        if len(known) >= FEWEST:
            return known
    return []


def _distance(amount: float, usual: Sequence[float], least_share: float, chance: float) -> float:
    """How far an amount is from the usual; 0 where that cannot be said."""
    if len(usual) < FEWEST:
        return 0.0
    middle = median(usual)
    spread = 1.4826 * median(abs(one - middle) for one in usual)
    by_chance = math.sqrt(chance * abs(middle)) + chance
    scale = max(spread, least_share * abs(middle), by_chance)
    if scale <= 0 or amount < BEYOND_MOST * sorted(usual)[-2]:
        return 0.0
    return (amount - middle) / scale


def _chance(pairs: Iterable[tuple[float, float]]) -> float:
    """The cost of one thing that comes by chance: how the variance of pairs of hours follows their size; without the largest."""
    steps = sorted(((more - less) ** 2, abs(more) + abs(less)) for less, more in pairs)
    kept = steps[: max(len(steps) - len(steps) // 50 - 2, 0)]
    whole = sum(mean for _, mean in kept)
    return sum(square for square, _ in kept) / whole if whole else 0.0


def _daily(costs: Mapping[int, Decimal]) -> dict[int, Decimal]:
    days: dict[int, Decimal] = {}
    for at, amount in costs.items():
        day = at - at % DAY
        days[day] = days.get(day, Decimal(0)) + amount
    return days


def _joined(hours: Sequence[Anomaly]) -> Iterator[Anomaly]:
    """Hours that follow each other as one."""
    run: list[Anomaly] = []
    for one in hours:
        if run and run[-1].until != one.since:
            yield _one(run)
            run = []
        run.append(one)
    if run:
        yield _one(run)


def _one(run: Sequence[Anomaly]) -> Anomaly:
    amount = sum((one.amount for one in run), Decimal(0))
    usual = sum((one.usual for one in run), Decimal(0))
    return Anomaly(run[0].since, run[-1].until, amount, usual, max(one.distance for one in run))


def _up(at: int, step: int) -> int:
    return at + -at % step
