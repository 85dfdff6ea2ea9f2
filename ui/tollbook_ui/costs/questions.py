"""Questions about cost, asked of a store: one method for each, one SQL file behind each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any

from tollbook_schema import sql
from tollbook_schema.attributes import OWNER_COLUMNS
from tollbook_schema.store import Reads

from tollbook_ui import figures as f
from tollbook_ui import units, unsettled
from tollbook_ui.costs import anomalies, keys
from tollbook_ui.costs.anomalies import LOOKED_BACK, Anomaly
from tollbook_ui.costs.bridge import CAUSES, DIGITS, LAST_DIGIT, Calls, Line, Side, Workload
from tollbook_ui.costs.caches import economics
from tollbook_ui.costs.changes import bridged, ratio
from tollbook_ui.costs.figures import Anomalies, AnomalyRow, Bridge, Caches, Cost, CostRow
from tollbook_ui.periods import BadQuestionError, whole_hours

MOST_ROWS = 1_000
ALL_GROUPS = 1_000_000

MOST_GROUPS = 300
"""Groups that anomalies are looked for in, the dearest; more would be seconds of waiting."""

ALL = f.Scope()
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
LONG = 4 * WEEK
"""From here on the sums of days answer faster than those of hours; which days have a sum takes 10 ms to know."""
LONG_BETWEEN_HOURS = 8 * WEEK
"""The same for a period that begins or ends within a day: to read the hours at its edges too takes as long again to plan."""
BRIDGED_BY = frozenset(keys.OF_REQUESTS & keys.OF_CALLS) - set(keys.TIMES)
"""Keys that requests, calls and money all have."""


class Costs:
    """Answers about cost, from what one asker may read."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads

    @unsettled.told
    def by(self, scope: f.Scope, by: Sequence[str] = (), where: Sequence[str] = (), limit: int = MOST_ROWS) -> Cost:
        """Money of a period by keys, dearest first.

        Args:
            scope: which period, and whose.
            by: keys to group by, five at most; none for the total alone.
            where: filters, `KEY=VALUE`.
            limit: groups that have a row of their own; all others are told as one.

        Raises:
            BadQuestionError: there is no such key or period.
        """
        if not 1 <= limit <= 10_000:
            raise BadQuestionError(f"1 to 10000 groups can have rows of their own, not {limit}")
        return self._by(scope, by, where, limit)

    def all_by(self, scope: f.Scope, by: Sequence[str]) -> Cost:
        """As `by`, each group in a row of its own however many there are: what is worked out from the rows needs all of them."""
        return self._by(scope, by, (), ALL_GROUPS)

    def _by(self, scope: f.Scope, by: Sequence[str], where: Sequence[str], limit: int) -> Cost:
        period = whole_hours(scope.since, scope.until, datetime.now(UTC))
        names, wanted = keys.checked(by), keys.filters(scope, where)
        found = self._rows(period, names, wanted, limit)
        whole = _together(found) if found else _NOTHING
        rows = tuple(_row(row, len(names), whole["amount_usd"]) for row in found)
        summed = _row(whole, 0, None)
        priced = ratio((summed.calls or 0) - (summed.unpriced_calls or 0), summed.calls) if summed.calls else None
        return Cost(period, names, _told(wanted), summed, rows, priced)

    @unsettled.told
    def bridge(
        self,
        before: f.Period,
        after: f.Period,
        by: Sequence[str] = ("workflow",),
        where: Sequence[str] = (),
        *,
        scope: f.Scope = ALL,
        limit: int = 20,
    ) -> Bridge:
        """Why cost changed from one period to another, cause by cause.

        Raises:
            BadQuestionError: a workload cannot be told apart by these keys.
        """
        names, wanted = keys.checked(by), keys.filters(scope, where)
        if len(names) > 3 or not keys.all_in(names, BRIDGED_BY):
            raise BadQuestionError(f"workloads are told apart by up to three of {', '.join(sorted(BRIDGED_BY))}")
        sides = [self._side(period, names, wanted) for period in (before, after)]
        return bridged((before, after), (sides[0], sides[1]), names, _told(wanted), limit)

    @unsettled.told
    def anomalies(
        self, scope: f.Scope, by: Sequence[str] = ("workflow",), where: Sequence[str] = (), limit: int = 20
    ) -> Anomalies:
        """Hours and days of a period at which a group cost far more than usual, with what moved it; the dearest first.

        Raises:
            BadQuestionError: groups cannot be told apart by these keys.
        """
        names, wanted = keys.checked(by), keys.filters(scope, where)
        if len(names) > 3 or set(names) & set(keys.TIMES):
            raise BadQuestionError(f"anomalies are looked for by up to three keys that are no time, not by {', '.join(names)}")
        period = whole_hours(scope.since, scope.until, datetime.now(UTC))
        settled = self._reads.query(_text("settled_since"), {})[0]
        first = settled["first"] and settled["first"].replace(tzinfo=UTC)
        if first is None:
            return Anomalies(period, names, _told(wanted), None, ())
        since = max(period.since - timedelta(seconds=LOOKED_BACK), first)
        times = {"since": since, "until": period.until, "limit": MOST_GROUPS}
        rows = self._reads.query(_text("series"), {**keys.bound(names, wanted), **times, **keys.source({*names, *wanted})})
        found = _anomalies([(_group(row, len(names)), _by_hour(row)) for row in rows], period, since)
        told = tuple(self._anomaly(names, wanted, group, one, first) for group, one in found[:limit])
        return Anomalies(period, names, _told(wanted), first, told)

    @unsettled.told
    def caches(self, scope: f.Scope) -> Caches:
        """What providers' caches saved, what writing to them cost, and what one's own caches avoided."""
        period = whole_hours(scope.since, scope.until, datetime.now(UTC))
        owners = {key: getattr(scope, key) for key in ("service", *OWNER_COLUMNS)}
        bound = {**owners, "since": period.since, "until": period.until}
        avoided = self._reads.query(_text("avoided"), bound)[0]
        rows = self._reads.query(_text("cache"), bound)
        return economics(period, rows, (avoided["avoided_calls"], avoided["amount_usd"]))

    def _anomaly(
        self,
        names: tuple[str, ...],
        wanted: Mapping[str, Sequence[str]],
        group: tuple[str, ...],
        one: Anomaly,
        first: datetime,
    ) -> AnomalyRow:
        since, until = (datetime.fromtimestamp(at, UTC) for at in (one.since, one.until))
        of_group = {**wanted, **{name: (value,) for name, value in zip(names, group, strict=True)}}
        return AnomalyRow(
            keys=group,
            since=since,
            until=until,
            amount_usd=one.amount,
            usual_usd=one.usual,
            more_usd=one.amount - one.usual,
            distance=one.distance,
            cause=self._cause(f.Period(since, until), of_group, first),
        )

    def _cause(self, period: f.Period, wanted: Mapping[str, Sequence[str]], first: datetime) -> str:
        """What moved a group's cost most, against the same time a week before, else that many days before; in words."""
        if len(wanted) > keys.MOST_FILTERS:
            return ""
        now, days = self._side(period, (), wanted), -(-(period.until - period.since) // DAY)
        for back in (WEEK, days * DAY):
            before = f.Period(period.since - back, period.until - back)
            if before.since < first:
                continue
            then = self._side(before, (), wanted)
            if then.lines or then.requests or back != WEEK:
                break
        else:
            return ""
        found = bridged((before, period), (then, now), (), (), len(CAUSES))
        most = next((driver for driver in found.drivers if driver.amount_usd > 0), None)
        if most is None:
            return ""
        of = f" of {most.detail}" if most.detail and most.cause != "volume" else ""
        return self._waste(before, period, wanted, found.change_usd) or f"{most.cause}{of}" + (
            f": {most.said}" if most.said else ""
        )

    def _waste(self, before: f.Period, after: f.Period, wanted: Mapping[str, Sequence[str]], more: Decimal) -> str:
        """The kind of waste that is most of a change, in words: a storm of retries is no busy day."""
        if "waste" in wanted:
            return ""
        then, now = (
            {
                str(row["key1"]): row["amount_usd"] or Decimal(0)
                for row in self._rows(period, ("waste",), wanted, MOST_ROWS)
                if row["key1"]
            }
            for period in (before, after)
        )
        grown = {kind: amount - then.get(kind, Decimal(0)) for kind, amount in now.items()}
        kind = max(grown, key=lambda kind: (grown[kind], kind), default="")
        if not kind or grown[kind] * 2 < more:
            return ""
        return f"waste, {kind} calls: {units.usd(then.get(kind, Decimal(0)))} → {units.usd(now[kind])}"

    def _side(self, period: f.Period, by: tuple[str, ...], wanted: Mapping[str, Sequence[str]]) -> Side:
        """One period. What does not divide calls or requests does not narrow them either."""
        width, from_lines = len(by), not keys.OF_LINES_ONLY.isdisjoint({*by, *wanted})

        def ask(name: str, known: frozenset[str] | None = None) -> list[Mapping[str, Any]]:
            kept = {key: values for key, values in wanted.items() if known is None or key in known}
            bound = {**keys.bound(by, kept), **_read(period, {*by, *kept})}
            return list(self._reads.query(_text(name), bound))

        lines = ask("bridge_lines" if from_lines else "bridge")
        if from_lines:
            calls, requests = ask("bridge_calls", keys.OF_CALLS), ask("bridge_requests", keys.OF_REQUESTS)
        else:
            calls = lines if keys.all_in(wanted, keys.OF_CALLS) else ask("bridge", keys.OF_CALLS)
            requests = lines if keys.all_in(wanted, keys.OF_REQUESTS) else ask("bridge", keys.OF_REQUESTS)
        return _side_of(lines, calls, requests, width)

    def _rows(
        self, period: f.Period, by: tuple[str, ...], wanted: Mapping[str, Sequence[str]], limit: int
    ) -> list[dict[str, Any]]:
        divides = {*by, *wanted}
        counted = {"with_calls": keys.all_in(divides, keys.OF_CALLS), "with_requests": keys.all_in(divides, keys.OF_REQUESTS)}
        bound = {**keys.bound(by, wanted), **counted, **_read(period, divides)}
        name = "cost_by" if keys.OF_LINES_ONLY.isdisjoint(divides) else "cost_by_line"
        rows: Sequence[Mapping[str, Any]] = self._reads.query(_text(name), {**bound, "limit": limit + 1})
        if name == "cost_by" and len(rows) > limit:
            rows = _limited(self._reads.query(_text(name), {**bound, "limit": ALL_GROUPS}), limit)
        scored = {}
        if counted["with_requests"] and self._reads.query(_text("any_scores"), {})[0]["scored"]:
            scored = {_group(row, keys.MOST_KEYS): row for row in self._reads.query(_text("scored"), bound)}
        found = [{**_UNSCORED, **row, **counted, **_scores(scored.pop(_group(row, keys.MOST_KEYS), None))} for row in rows]
        if scored and len(found) > limit:  # what is left is of groups that are told as one
            found[-1] |= _all_scores(list(scored.values()))
        return found


def _read(period: f.Period, divided_by: Collection[str]) -> dict[str, Any]:
    """The period, and where it is read: a long one in the sums of days, its edges and all others in those of hours."""
    last_day = period.until.replace(hour=0)
    first_day = (period.since + DAY - timedelta(hours=1)).replace(hour=0)
    length, source = period.until - period.since, "costs"
    if "hour" not in divided_by:
        if (first_day, last_day) == (period.since, period.until) and length >= LONG:
            source = "day_costs"
        elif length >= LONG_BETWEEN_HOURS:
            source = "long_costs"
    return {"since": period.since, "until": period.until, "first_day": first_day, "last_day": last_day, "source": source}


def _limited(rows: Sequence[Mapping[str, Any]], limit: int) -> list[Mapping[str, Any]]:
    """The first rows, and all others as one."""
    names = {f"key{place}": "" for place in range(2, keys.MOST_KEYS + 1)}
    others = {**_together(rows[limit:]), **names, "key1": f"and {len(rows) - limit:,} more"}
    return [*rows[:limit], others]


_UNSCORED: dict[str, Any] = {"scored_requests": 0, "good_requests": 0, "scored_usd": None}


def _scores(row: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: row[name] for name in _UNSCORED} if row else {}


def _all_scores(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    counted = {name: sum(row[name] for row in rows) for name in ("scored_requests", "good_requests")}
    return {**counted, "scored_usd": _known(row["scored_usd"] for row in rows)}


def _side_of(
    lines: Sequence[Mapping[str, Any]], calls: Sequence[Mapping[str, Any]], requests: Sequence[Mapping[str, Any]], width: int
) -> Side:
    """One period, from rows of which each has lines, calls or requests of its group."""
    counted: dict[Workload, int] = {}
    for row in requests:
        if row["requests"]:
            workload = _group(row, width)
            counted[workload] = counted.get(workload, 0) + row["requests"]
    return Side(
        [_line(row, width) for row in lines if row["lines"]],
        [Calls(_group(row, width), row["token_model"], row["calls"], row["priced"]) for row in calls if row["calls"]],
        counted,
    )


def _line(row: Mapping[str, Any], width: int) -> Line:
    names = ("allocation", "category", "token_model", "item", "unit", "quantity", "amount_usd")
    return Line(_group(row, width), *(row[name] for name in names))


_NOTHING: dict[str, Any] = {
    **dict.fromkeys(("amount_usd", "calls", "unpriced_calls", "requests", "scored_requests", "good_requests")),
    **dict.fromkeys(("tokens", "priced_tokens", "unpriced_tokens", "estimated_usd", "wasted_usd", "simulated_usd"), Decimal(0)),
    "lines": 0,
    "with_calls": False,
    "with_requests": False,
}


def _together(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All rows as one."""
    with localcontext(prec=DIGITS):
        sums: dict[str, Any] = {name: sum(row[name] for row in rows) for name in _ADDED if name in rows[0]}
        return {**rows[0], **sums, **{name: _known(row.get(name) for row in rows) for name in ("amount_usd", "scored_usd")}}


def _known(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of what is known; None where nothing is."""
    found = [amount for amount in amounts if amount is not None]
    return sum(found, Decimal(0)) if found else None


_ADDED = (
    "lines",
    "tokens",
    "calls",
    "unpriced_calls",
    "priced_tokens",
    "unpriced_tokens",
    "requests",
    "scored_requests",
    "good_requests",
    "estimated_usd",
    "wasted_usd",
    "simulated_usd",
)


def _group(row: Mapping[str, Any], width: int) -> tuple[str, ...]:
    return tuple(str(row[f"key{place}"]) for place in range(1, width + 1))


def _by_hour(row: Mapping[str, Any]) -> dict[int, Decimal]:
    return dict(zip(row["hours"], row["amounts"], strict=True))


def _anomalies(
    groups: Sequence[tuple[tuple[str, ...], dict[int, Decimal]]], period: f.Period, first: datetime
) -> list[tuple[tuple[str, ...], Anomaly]]:
    """What each group has that is out of the ordinary, the dearest first of all."""
    times = [int(time.timestamp()) for time in (period.since, period.until, first)]
    found = [(group, one) for group, costs in groups for one in anomalies.found(costs, *times)]
    found += [(groups[place][0], one) for place, one in anomalies.begun([costs for _, costs in groups], *times)]
    return sorted(found, key=lambda pair: (pair[1].usual - pair[1].amount, pair[0], pair[1].since))


def _row(row: Mapping[str, Any], width: int, whole: Decimal | None) -> CostRow:
    amount, calls, requests = row["amount_usd"], row["with_calls"], row["with_requests"]
    good = row["good_requests"] if requests else None
    return CostRow(
        keys=_group(row, width),
        amount_usd=amount,
        share=ratio(amount, whole if width else amount),
        lines=row["lines"],
        tokens=row["tokens"] or None,
        calls=row["calls"] if calls else None,
        unpriced_calls=row["unpriced_calls"] if calls else None,
        tokens_priced_ratio=_priced_tokens(row) if calls else None,
        requests=row["requests"] if requests else None,
        scored_requests=row["scored_requests"] if requests else None,
        good_requests=good,
        usd_per_request=_each(amount, row["requests"]) if requests else None,
        usd_per_thousand_tokens=_each(amount, row["tokens"] / 1000) if row["tokens"] else None,
        usd_per_good_answer=_each(row["scored_usd"], good) if good else None,
        estimated_usd=row["estimated_usd"],
        wasted_usd=row["wasted_usd"],
        simulated_usd=row["simulated_usd"],
    )


def _priced_tokens(row: Mapping[str, Any]) -> float | None:
    """Unknown where calls without a price tell of no tokens, as in hours that were settled before these were added up."""
    if row["unpriced_calls"] and not row["unpriced_tokens"]:
        return None
    priced = Decimal(row["priced_tokens"])
    return ratio(priced, priced + Decimal(row["unpriced_tokens"]))


def _each(amount: Decimal | None, count: int | Decimal | None) -> Decimal | None:
    """The amount for each, to the 18th digit."""
    if amount is None or not count:
        return None
    with localcontext(prec=DIGITS):
        return (amount / count).quantize(LAST_DIGIT)


def _told(wanted: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, values in wanted.items() for value in values)


def _text(name: str) -> str:
    return sql.text("tollbook_ui", f"costs/queries/{name}.sql")
