"""Hours and days that cost far more than they usually do. Pure: what each hour cost in, what is out of the ordinary out.

An hour is compared with the hours around the same time of the same weekday in the four weeks before, or, while less is known,
with the same time of the days before; a day with the same weekday and with the six days before. What is usual is their median.
How far from it is still usual is the median of the distances from it, but never less than a share of the usual, and than what
requests that come by chance make of it; so quiet data stays quiet, and one expensive hour does not hide the next. What keeps to a
timetable rests around its hour: it is held against that hour, or that weekday, alone too. What goes on for days is one thing and
told once, for a week at most; then it is usual. Credits make hours that cost less than nothing: their size counts.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
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
A_DAY, A_WEEK = 24, 168
"""Hours."""

FEWEST = 6
"""Times to compare with, or nothing is said."""

NEW_SHARE = Decimal("0.2")
"""Of what everything usually costs in a day: what is new is named from here on."""

FEWEST_ALIKE = 3
"""Times of the very same hour, or weekday, to compare with these alone too."""


@dataclass(frozen=True)
class Anomaly:
    """Consecutive hours, or a day, that cost far more than usual; times in seconds since 1970."""

    since: int
    until: int
    amount: Decimal
    usual: Decimal
    distance: float | None
    """From the usual, in usual distances from it; None of what is new."""


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
    hourly = _chance([float(costs.get(at, 0)) for at in range(first, until, HOUR)], (1, A_DAY, A_WEEK))
    daily = _daily(costs)
    whole_days = range(_up(first, DAY), until - until % DAY, DAY)
    chance = min(hourly, _chance([float(daily.get(at, 0)) for at in whole_days], (1, A_WEEK // A_DAY)))
    days = _days(daily, range(max(_up(since, DAY) - WEEK, whole_days.start), whole_days.stop, DAY), whole_days.start, chance)
    hours = [
        hour
        for at in range(since, until, HOUR)
        if (hour := _far(costs, at, HOUR, _compared(at, HOUR, first), hourly)) and not _goes_on(hour, days, costs)
    ]
    told = [day for day in days if day.since >= since and not _explained(day, hours)]
    taken = {day.since for day in told}
    left = [one for one in hours if one.since - one.since % DAY not in taken]
    return tuple(sorted((*_joined(told), *_joined(left)), key=lambda one: (one.usual - one.amount, one.since)))


def begun(groups: Sequence[Mapping[int, Decimal]], since: int, until: int, first: int) -> Iterator[tuple[int, Anomaly]]:
    """Groups that first cost anything in the period and made everything together dearer by it, each with its first day.

    What takes the place of something else, as a new version does, makes nothing dearer. Within a week of the first hour that
    anything is known of, all is new.
    """
    everything: dict[int, Decimal] = {}
    for at, amount in ((at, amount) for costs in groups for at, amount in costs.items()):
        everything[at] = everything.get(at, Decimal(0)) + amount
    for place, costs in enumerate(groups):
        start = min((at for at, amount in costs.items() if amount), default=first)
        if max(since, first + WEEK) <= start < until:
            end = min(start + DAY, until)
            new, together = _between(costs, start, end), _between(everything, start, end)
            before = sorted(_between(everything, start - day * DAY, end - day * DAY) for day in range(1, 8))
            dearer = together - median(before) >= new / 2 and together >= Decimal(BEYOND_MOST) * before[-2]
            if dearer and new >= NEW_SHARE * median(before):
                yield place, Anomaly(start, end, new, Decimal(0), None)


def _between(costs: Mapping[int, Decimal], since: int, until: int) -> Decimal:
    return sum((costs.get(at, Decimal(0)) for at in range(since, until, HOUR)), Decimal(0))


def _days(daily: Mapping[int, Decimal], judged: Iterable[int], first: int, chance: float) -> list[Anomaly]:
    """Days that are out of the ordinary. For a week from the first of them on they are no usual to compare with."""
    found: list[Anomaly] = []
    begun = 0
    for at in judged:
        past = {day.since for day in found} if at < begun + WEEK else set()
        day = _far(daily, at, DAY, [then for then in _compared(at, DAY, first) if then not in past], chance)
        if day and not past:
            begun = at
        if day:
            found.append(day)
    return found


def _goes_on(hour: Anomaly, days: Sequence[Anomaly], costs: Mapping[int, Decimal]) -> bool:
    """Whether it costs no more than around the same time of a day in the week before it that was out of the ordinary."""
    times = [
        day.since + hour.since % DAY + more for day in days for more in (-HOUR, 0, HOUR) if 0 < hour.since - day.since <= WEEK
    ]
    before = [costs.get(then, Decimal(0)) for then in times if then < hour.since - hour.since % DAY]
    return bool(before) and float(hour.amount) < BEYOND_MOST * float(max(before))


def _explained(day: Anomaly, hours: Sequence[Anomaly]) -> bool:
    """Whether a few hours of the day are why it is out of the ordinary."""
    of_day = [one.amount - one.usual for one in hours if day.since <= one.since < day.until]
    return len(of_day) < A_FEW_HOURS and sum(of_day, Decimal(0)) * 2 > day.amount - day.usual


def _far(costs: Mapping[int, Decimal], at: int, step: int, compared: Sequence[int], chance: float) -> Anomaly | None:
    """The time, if it is out of the ordinary."""
    amount = costs.get(at, Decimal(0))
    if amount <= 0 or len(compared) < FEWEST:
        return None
    all_usual = [costs.get(then, Decimal(0)) for then in compared]
    if amount < Decimal(BEYOND_MOST) * sorted(all_usual)[-2]:
        return None
    alike = [costs.get(then, Decimal(0)) for then in compared if (at - then) % (WEEK if step == DAY else DAY) == 0]
    keeps_time = len(alike) >= FEWEST_ALIKE and median(alike) > median(all_usual)
    usual = alike if keeps_time else all_usual
    distance = _distance(float(amount), [float(one) for one in usual], LEAST_SHARE[step], chance)
    return Anomaly(at, at + step, amount, Decimal(median(usual)), distance) if distance >= FAR else None


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
    middle = median(usual)
    spread = 1.4826 * median(abs(one - middle) for one in usual)
    by_chance = math.sqrt(chance * abs(middle)) + chance
    scale = max(spread, least_share * abs(middle), by_chance)
    return (amount - middle) / scale if scale > 0 else 0.0


def _chance(costs: Sequence[float], apart: Iterable[int]) -> float:
    """The cost of one thing that comes by chance: how the variance of times that are apart follows their size; the least of it.

    What keeps to a timetable differs from hour to hour, but not from day to day; or from day to day, but not from week to week.
    """
    known = [places for at, places in enumerate(apart) if not at or len(costs) >= FEWEST + places]
    found = (_by_chance(zip(costs, costs[places:], strict=False)) for places in known)
    return min((chance for chance in found if chance), default=0.0)


def _by_chance(pairs: Iterable[tuple[float, float]]) -> float:
    """Of pairs of times, without the largest differences."""
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
    """Hours, or days, that follow each other as one."""
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
    return Anomaly(run[0].since, run[-1].until, amount, usual, max(one.distance or 0 for one in run))


def _up(at: int, step: int) -> int:
    return at + -at % step
