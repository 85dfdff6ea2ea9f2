"""The bill bridge as an answer: two periods' figures in, causes, drivers, workloads and what to know about them out. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.costs.bridge import CAUSES, DIGITS, Effect, Side, Workload
from tollbook_ui.costs.bridge import effects as effects_of
from tollbook_ui.costs.figures import Bridge, BridgeRow, CauseRow, Driver

CAUSES_OF_NO_REQUEST = ("idle", "shared", "unattributed")
NOTHING_SETTLED = "What changed is unknown: nothing is settled in either period."

MEANINGS = {
    "volume": "more or fewer requests",
    "mix": "what a request does: its calls, tokens and time",
    "model": "which models answer",
    "cache": "how much of the input is cached",
    "price": "what a unit costs",
    "coverage": "calls that had no price, or have none now",
    "idle": "machines paid for and not used",
    "new": "workloads that were not there before",
    "gone": "workloads that are no longer there",
    "shared": "cost of no request, shared",
    "unattributed": "billed, and nobody's",
}


def bridged(
    periods: tuple[f.Period, f.Period],
    sides: tuple[Side, Side],
    by: tuple[str, ...],
    where: tuple[str, ...],
    limit: int,
) -> Bridge:
    """The answer, worked out from the two periods' figures."""
    with localcontext(prec=DIGITS):
        before, after = (sum((line.amount_usd for line in side.lines), Decimal(0)) for side in sides)
        effects = effects_of(*sides)
        drivers = _drivers(effects)
        causes = _causes(effects)
        return Bridge(
            before=periods[0],
            after=periods[1],
            by=by,
            where=where,
            before_usd=before,
            after_usd=after,
            change_usd=after - before,
            change_ratio=ratio(after - before, before),
            sentence=_one_sided(before, after, sides) or _sentence(before, after, drivers, by),
            causes=causes,
            rows=_bridge_rows(sides, effects),
            drivers=drivers[:limit],
            drivers_left_usd=sum((driver.amount_usd for driver in drivers[limit:]), Decimal(0)),
            priced_ratio_before=_priced(sides[0]),
            priced_ratio_after=_priced(sides[1]),
            notes=_notes(periods, sides),
        )


def _drivers(effects: Sequence[Effect]) -> tuple[Driver, ...]:
    """Each cause at each workload, with the words of its largest part; models and categories of one cause are one driver."""
    sums: dict[tuple[Workload, str], Decimal] = defaultdict(Decimal)
    largest: dict[tuple[Workload, str], Effect] = {}
    for effect in effects:  # the largest first
        key = (effect.workload, effect.cause)
        sums[key] += effect.amount_usd
        largest.setdefault(key, effect)
    found = (
        Driver(workload, cause, largest[workload, cause].detail, amount, largest[workload, cause].said)
        for (workload, cause), amount in sums.items()
        if amount
    )
    return tuple(sorted(found, key=lambda driver: (-abs(driver.amount_usd), driver.workload, driver.cause)))


def _causes(effects: Sequence[Effect]) -> tuple[CauseRow, ...]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for effect in effects:
        sums[effect.cause] += effect.amount_usd
    return tuple(CauseRow(cause, sums[cause], MEANINGS[cause]) for cause in CAUSES if sums[cause])


def _bridge_rows(sides: Sequence[Side], effects: Sequence[Effect]) -> tuple[BridgeRow, ...]:
    spent: list[dict[Workload, Decimal]] = [defaultdict(Decimal), defaultdict(Decimal)]
    unpriced: list[dict[Workload, int]] = [defaultdict(int), defaultdict(int)]
    for side, sums, gaps in zip(sides, spent, unpriced, strict=True):
        for line in side.lines:
            sums[line.workload] += line.amount_usd
        for calls in side.calls:
            gaps[calls.workload] += calls.calls - calls.priced
    causes: dict[Workload, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(CAUSES, Decimal(0)))
    for effect in effects:
        causes[effect.workload][effect.cause] += effect.amount_usd
    workloads = {*spent[0], *spent[1], *unpriced[0], *unpriced[1], *sides[0].requests, *sides[1].requests}
    rows = (
        BridgeRow(
            workload=workload,
            before_usd=spent[0][workload],
            after_usd=spent[1][workload],
            change_usd=spent[1][workload] - spent[0][workload],
            **{f"{cause}_usd": amount for cause, amount in causes[workload].items()},
            requests_before=sides[0].requests.get(workload, 0),
            requests_after=sides[1].requests.get(workload, 0),
            unpriced_before=unpriced[0][workload],
            unpriced_after=unpriced[1][workload],
        )
        for workload in workloads
    )
    return tuple(sorted(rows, key=lambda row: (-abs(row.change_usd), row.workload)))


def _sentence(before: Decimal, after: Decimal, drivers: Sequence[Driver], by: tuple[str, ...]) -> str:
    change = after - before
    if not change and not drivers:
        return f"Cost did not change: {units.usd(after)} in both periods."
    percent = f" ({units.change(after, before)})" if before and change else ""
    moved = (
        f"{'rose' if change > 0 else 'fell'} by {units.usd(abs(change))}{percent}, from {units.usd(before)} to {units.usd(after)}"
    )
    said = f"Cost {moved}." if change else f"Cost stayed at {units.usd(after)}, though what it is made of changed."
    if not drivers:
        return said
    first, places, amount = first_cause(drivers)
    whose = ", ".join(f"{key} {value or 'not named'}" for key, value in zip(by, first.workload, strict=True))
    at = f"{places} workloads, most at {whose}" if places > 1 else whose or "all"
    where = "" if of_nobody(first) else f" at {at}"
    figures = f", {first.said}" if first.said else ""
    sign = "+" if amount > 0 else "-"
    return f"{said} First cause: {first.cause}{where} ({sign}{units.usd(abs(amount))}{figures})."


def first_cause(drivers: Sequence[Driver]) -> tuple[Driver, int, Decimal]:
    """The largest driver, or that of the cause which moved more at many workloads together, with their number and sum.

    A dearer model is dearer at each workload that calls it, so that none of these need be the largest.
    """
    of_cause: dict[str, list[Driver]] = defaultdict(list)
    for driver in drivers:
        if driver.amount_usd * drivers[0].amount_usd > 0 and driver.cause != "new":
            of_cause[driver.cause].append(driver)
    sums = {cause: sum((driver.amount_usd for driver in found), Decimal(0)) for cause, found in of_cause.items()}
    cause = max(sums, key=lambda cause: abs(sums[cause]), default="")
    if cause and cause != drivers[0].cause and abs(sums[cause]) > 2 * abs(drivers[0].amount_usd):
        return of_cause[cause][0], len(of_cause[cause]), sums[cause]
    return drivers[0], 1, drivers[0].amount_usd


def _one_sided(before: Decimal, after: Decimal, sides: tuple[Side, Side]) -> str:
    """What can be said where a period holds nothing: what it cost is unknown and not $0. Empty where both hold something."""
    then, now = map(_settled, sides)
    if then and now:
        return ""
    if not then and not now:
        return NOTHING_SETTLED
    known, other = (f"Cost was {units.usd(before)} before", "is now") if then else (f"Cost is {units.usd(after)}", "was before")
    return f"{known}. What it {other} is unknown: nothing is settled in that period."


def of_nobody(driver: Driver) -> bool:
    """Whether it is money of no request and of nobody's: its cause says all there is to say."""
    return driver.cause in CAUSES_OF_NO_REQUEST and not any(driver.workload)


def _notes(periods: tuple[f.Period, f.Period], sides: Sequence[Side]) -> tuple[str, ...]:
    """Why the two periods may not compare."""
    lengths = [period.until - period.since for period in periods]
    ratios = [_priced(side) for side in sides]
    notes = []
    if lengths[0] != lengths[1]:
        notes.append(f"the periods differ in length ({_hours(lengths[0])} and {_hours(lengths[1])}): volume holds that too")
    if periods[0].until > periods[1].since and periods[1].until > periods[0].since:
        notes.append("the periods overlap")
    for name, ratio, side in zip(("before", "after"), ratios, sides, strict=True):
        if ratio is not None and ratio < 1:
            calls = sum(row.calls - row.priced for row in side.calls)
            notes.append(
                f"{name}: {units.counted(calls, 'model call')} without a price, in no amount ({units.percent(ratio)} have one)"
            )
        if not _settled(side):
            notes.append(f"{name}: nothing is settled in this period")
    return tuple(notes)


def _settled(side: Side) -> bool:
    return bool(side.lines or side.requests or side.calls)


def _hours(length: Any) -> str:
    hours = int(length.total_seconds() // 3600)
    return units.counted(hours // 24, "day") if hours % 24 == 0 else units.counted(hours, "hour")


def _priced(side: Side) -> float | None:
    return ratio(sum(calls.priced for calls in side.calls), sum(calls.calls for calls in side.calls))


def ratio(part: Decimal | int | None, whole: Decimal | int | None) -> float | None:
    """Part of a whole, for reading; None where there is no whole."""
    return None if part is None or not whole else float(part / whole)
