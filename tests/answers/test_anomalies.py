"""Anomalies: planted ones are found, quiet data is quiet."""

import math
import random
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers
from tollbook_ui.costs import anomalies
from tollbook_ui.costs.anomalies import DAY, HOUR, WEEK
from tollbook_ui.figures import Scope

from tests.answers.books import MONDAY, Spent, write

D = Decimal
START = 1_791_763_200
"""A Monday at midnight, in seconds since 1970."""

THIS_WEEK = START + 4 * WEEK


def poisson(chance: random.Random, mean: float) -> int:
    limit, drawn, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        drawn, product = drawn + 1, product * chance.random()
    return drawn


def traffic(seed: int, requests: float, weeks: int = 5) -> dict[int, Decimal]:
    """What hours cost: busy by day and on weekdays, a random number of requests, each of a random cost around $0.01."""
    chance = random.Random(seed)
    costs = {}
    for at in range(START, START + weeks * WEEK, HOUR):
        busy = (1 + math.sin((at % DAY / DAY - 0.3) * 2 * math.pi)) * (0.3 if (at - START) % WEEK >= 5 * DAY else 1)
        cost = sum(chance.gammavariate(2, 0.005) for _ in range(poisson(chance, requests * busy)))
        if cost:
            costs[at] = Decimal(cost)
    return costs


def found(costs: dict[int, Decimal], first: int = START) -> tuple[anomalies.Anomaly, ...]:
    return anomalies.found(costs, THIS_WEEK, THIS_WEEK + WEEK, first)


@pytest.mark.parametrize("requests", [0.2, 1, 3, 20, 100])
def test_quiet_data_is_quiet(requests: float) -> None:
    alarms = [found(traffic(seed, requests)) for seed in range(8)]
    assert sum(len(one) for one in alarms) <= 1, "at most one in eight weeks"


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_hour_is_found(seed: int) -> None:
    costs = traffic(seed, 30)
    at = THIS_WEEK + 2 * DAY + 13 * HOUR
    costs[at] *= 4
    assert [(one.since, one.until) for one in found(costs)] == [(at, at + HOUR)]


@pytest.mark.parametrize("usual", ["-3", "0", "2"])
def test_credits_and_silence_are_no_anomalies_and_hide_none(usual: str) -> None:
    costs = {at: Decimal(usual) + (at // HOUR) % 3 - 1 for at in range(START, THIS_WEEK + WEEK, HOUR)}
    assert found(costs) == ()
    at = THIS_WEEK + 2 * DAY
    assert (at, at + HOUR) in [(one.since, one.until) for one in found({**costs, at: Decimal(500)})]
    assert found({at: Decimal(5)}, at) == ()  # the first hour that is known


def test_an_hour_that_usually_brings_a_credit_may_cost_something() -> None:
    costs = {at: Decimal(-30 if at % DAY < 4 * HOUR else 10) for at in range(START, THIS_WEEK + WEEK, HOUR)}
    at = THIS_WEEK + DAY + 2 * HOUR
    assert (at, at + HOUR) in [(one.since, one.until) for one in found({**costs, at: Decimal(5000)})]


@pytest.mark.parametrize("seed", range(5))
def test_hours_that_follow_each_other_are_one(seed: int) -> None:
    costs = traffic(seed, 30)
    at = THIS_WEEK + 2 * DAY + 12 * HOUR
    for hour in range(3):
        costs[at + hour * HOUR] *= 5
    (one, *_) = found(costs)
    assert (one.since, one.until) in {(at, at + 3 * HOUR), (at - at % DAY, at - at % DAY + DAY)}


@pytest.mark.parametrize("seed", range(5))
def test_a_day_at_twice_the_cost_is_found(seed: int) -> None:
    costs = traffic(seed, 60)
    day = THIS_WEEK + 3 * DAY
    costs |= {at: amount * 2 for at, amount in costs.items() if day <= at < day + DAY}
    assert found(costs)[0].since == day


def test_night_work_is_found_where_it_usually_rests() -> None:
    costs = {at: Decimal(1) for at in range(START, THIS_WEEK + WEEK, HOUR) if 8 <= at % DAY // HOUR < 18}
    at = THIS_WEEK + DAY + 3 * HOUR
    costs[at] = Decimal(5)
    (one,) = found(costs)
    assert (one.since, one.amount, one.usual) == (at, 5, 0)


def test_an_anomaly_of_last_week_does_not_hide_that_of_this_one() -> None:
    costs = {at: Decimal(1) for at in range(START, THIS_WEEK + WEEK, HOUR)}
    at = THIS_WEEK + 2 * DAY
    costs[at] = costs[at - WEEK] = Decimal(10)
    assert [one.since for one in found(costs)] == [at]


def test_nothing_is_said_of_what_was_never_seen_before() -> None:
    costs = {THIS_WEEK + hour * HOUR: Decimal(100) for hour in range(3)}
    assert found(costs, first=THIS_WEEK) == ()


@pytest.mark.parametrize("days", [0, 2, 9])
def test_what_began_a_while_ago_is_not_held_against_the_time_before_it(days: int) -> None:
    begun = range(THIS_WEEK - days * DAY, THIS_WEEK + WEEK, HOUR)
    assert found({at: Decimal(1) for at in begun if 8 <= at % DAY // HOUR < 18}) == ()


def test_what_only_came_back_every_week_is_usual() -> None:
    costs = {at: Decimal(1) for at in range(START, THIS_WEEK + WEEK, HOUR)}
    for week in range(5):
        for hour in range(3):
            costs[START + week * WEEK + 6 * DAY + hour * HOUR] = Decimal(50)
    assert found(costs) == ()


def daily(hour: datetime) -> list[Spent]:
    """One hour of six workloads that are alike each day, and of an idle machine."""
    cached = [
        Spent(hour, "assistant", "0.1", 2, item="cache_read", quantity=8_000),
        Spent(hour, "assistant", "1", 0, quantity=2_000),
    ]
    return [
        *(Spent(hour, workflow, "1", 2) for workflow in ("search", "mail", "agents", "quiet")),
        *cached[:1],
        replace(cached[1], workflow="assistant", requests=2),
        Spent(hour, "", "2", category="compute", item="cpu", unit="second", allocation="idle"),
    ]


def test_what_moved_a_workload_is_named_and_what_is_as_usual_is_not(store: Store) -> None:
    """A price rise, twice the requests, a storm of retries, a cache that is no longer read, and a new workload, on one day."""
    hours = [MONDAY + timedelta(days=day, hours=9) for day in range(30)]
    last = hours[-1]
    spent = [one for hour in hours[:-1] for one in daily(hour)]
    spent += [one for one in daily(last) if one.workflow in ("quiet", "")]
    spent += [
        Spent(last, "search", "3", 2),
        Spent(last, "mail", "4", 8, quantity=4_000),
        Spent(last, "agents", "1", 2),
        Spent(last, "agents", "9", 18, quantity=9_000, more={"waste": "retried"}),
        Spent(last, "assistant", "5", 2, quantity=10_000),
        Spent(last, "drafts", "6", 3, model="new-model"),
    ]
    write(store, spent)
    day = last.replace(hour=0)
    found = Answers(store).costs.anomalies(Scope(day - timedelta(days=6), day + timedelta(days=1)))
    assert [(row.keys, row.since.date(), row.amount_usd, row.usual_usd, row.cause) for row in found.rows] == [
        (("agents",), last.date(), 10, 1, "waste, retried calls: $0 → $9.00"),
        (("drafts",), last.date(), 6, 0, "new of new-model"),
        (("assistant",), last.date(), 5, D("1.1"), "cache of gpt-4o: input read from cache 80.0% → 0.0%"),
        (("mail",), last.date(), 4, 1, "volume: requests 2 → 8 (+300.0%)"),
        (("search",), last.date(), 3, 1, "price of gpt-4o: a million of input $1,000.0000 → $3,000.0000 (+200.0%)"),
    ]


def timetable(seed: int, days: range, hour: int = 2, jitter: int = 0) -> dict[int, Decimal]:
    """A job of about $0.30 at an hour of these days, now and then one earlier or later."""
    chance = random.Random(seed)
    return {
        START + day * DAY + (hour + chance.randint(-jitter, jitter)) * HOUR: Decimal(chance.gauss(0.3, 0.015)) for day in days
    }


EVERY_DAY, SUNDAYS = range(35), range(6, 35, 7)


@pytest.mark.parametrize(("days", "jitter"), [(EVERY_DAY, 0), (EVERY_DAY, 1), (SUNDAYS, 0)])
def test_a_job_that_keeps_to_a_timetable_is_held_against_its_own_hour(days: range, jitter: int) -> None:
    """It rests before and after, so that around its hour the usual is nothing."""
    costs = timetable(1, days, jitter=jitter)
    assert found(costs) == ()
    at = max(costs)
    (one,) = found({**costs, at: Decimal("0.9")})
    assert one.since <= at < one.until
    assert Decimal("0.27") < one.usual < Decimal("0.33")


def test_a_nightly_job_at_one_and_a_half_the_cost_is_named_by_its_day() -> None:
    costs = timetable(1, EVERY_DAY)
    (one,) = found({**costs, max(costs): Decimal("0.48")})
    assert (one.since, one.until) == (THIS_WEEK + 6 * DAY, THIS_WEEK + WEEK)


@pytest.mark.parametrize("weekdays", [7, 5])
def test_what_stays_dearer_is_told_once_and_after_a_week_is_usual(weekdays: int) -> None:
    """A price doubles on a Wednesday: one row from then on, and none a week later, whether or not weekends rest."""
    working = [
        at
        for at in range(START, THIS_WEEK + 2 * WEEK, HOUR)
        if 8 <= at % DAY // HOUR < 18 and (at - START) % WEEK < weekdays * DAY
    ]
    costs = {at: Decimal(2 if at >= THIS_WEEK + 2 * DAY else 1) for at in working}
    (one,) = found(costs)
    assert (one.since, one.until) == (THIS_WEEK + 2 * DAY, THIS_WEEK + weekdays * DAY)
    assert anomalies.found(costs, THIS_WEEK + WEEK + 2 * DAY, THIS_WEEK + 2 * WEEK, START) == ()


def test_what_is_new_is_named_where_it_makes_everything_dearer() -> None:
    steady = {at: Decimal(1) for at in range(START, THIS_WEEK + WEEK, HOUR)}
    at = THIS_WEEK + 2 * DAY + 9 * HOUR
    new = {then: Decimal(1) for then in range(at, THIS_WEEK + WEEK, HOUR)}

    def named(*groups: dict[int, Decimal], first: int = START) -> list[tuple[int, int]]:
        return [(place, one.since) for place, one in anomalies.begun(groups, THIS_WEEK, THIS_WEEK + WEEK, first)]

    assert named(steady, new) == [(1, at)]
    assert named({then: amount for then, amount in steady.items() if then < at}, new) == [], "a new version"
    assert named(steady, {then: amount / 9 for then, amount in new.items()}) == [], "too little to be named"
    assert named(steady, new, first=at - DAY) == [], "all is new in a store's first week"
