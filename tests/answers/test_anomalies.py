"""Anomalies: planted ones are found, quiet data is quiet."""

import math
import random
from datetime import timedelta
from decimal import Decimal

import pytest
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers
from tollbook_ui.costs import anomalies
from tollbook_ui.costs.anomalies import DAY, HOUR, WEEK
from tollbook_ui.figures import Scope

from tests.answers.books import MONDAY, Spent, write

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


def test_a_planted_hour_is_named_with_what_moved_it(store: Store) -> None:
    hours = [MONDAY + timedelta(hours=hour) for hour in range(24 * 9)]
    spent = [Spent(hour, "rag", "1.2" if hour.hour == 9 else "1", 2) for hour in hours]
    spent += [Spent(hours[-10], "rag", "16", 32), Spent(hours[-3], "new", "3", 3)]
    write(store, spent)
    found = Answers(store).costs.anomalies(Scope(MONDAY + timedelta(days=8), MONDAY + timedelta(days=9)))
    (one,) = found.rows
    assert (one.keys, one.since, one.amount_usd, one.usual_usd) == (("rag",), hours[-10], 17, 1)
    assert one.cause == "volume: requests 2 → 34 (+1,600.0%)"


def test_a_nightly_job_that_costs_more_is_named_by_its_day() -> None:
    """One hour a day costs money: that is a timetable, not chance."""
    first = 1_790_812_800 - 1_790_812_800 % anomalies.DAY
    costs = {first + day * anomalies.DAY + 12 * anomalies.HOUR: Decimal("0.30") for day in range(28)}
    last = first + 28 * anomalies.DAY
    usual = costs | {last + 12 * anomalies.HOUR: Decimal("0.31")}
    assert anomalies.found(usual, last, last + anomalies.DAY, first) == ()
    [found] = anomalies.found(costs | {last + 12 * anomalies.HOUR: Decimal("0.90")}, last, last + anomalies.DAY, first)
    assert (found.since, found.until, found.usual) == (last, last + anomalies.DAY, Decimal("0.30"))
