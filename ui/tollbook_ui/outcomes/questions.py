"""Questions about what the money bought."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from math import isfinite

from tollbook_schema import sql
from tollbook_schema.attributes import OWNER_COLUMNS
from tollbook_schema.store import Reads, Store

from tollbook_ui import figures as f
from tollbook_ui import unsettled
from tollbook_ui.costs.bridge import DIGITS, LAST_DIGIT
from tollbook_ui.costs.changes import ratio
from tollbook_ui.costs.figures import CostRow
from tollbook_ui.costs.questions import Costs
from tollbook_ui.outcomes.figures import Capacity, CapacityRow, HeadlinePoint, Headlines, Output, OutputRow, Return, Score
from tollbook_ui.outcomes.formulas import net_benefit
from tollbook_ui.periods import BadQuestionError, whole_hours

NOTHING = Decimal(0)
FLAGGED = 0.1
"""One output that costs a tenth more than before is worth a look."""

HOURLY_UP_TO = timedelta(days=3)


class Outcomes:
    """Answers about outcomes, from what one asker may read."""

    def __init__(self, store: Store, reads: Reads) -> None:
        self._store = store
        self._reads = reads
        self._costs = Costs(reads)

    @unsettled.told
    def roi(
        self,
        scope: f.Scope,
        benefit_usd: Decimal,
        *,
        tax_hours: Decimal = NOTHING,
        rate_usd: Decimal = NOTHING,
        where: Sequence[str] = (),
    ) -> Return:
        """What an initiative brings, against what it costs to run, to keep ready and to integrate.

        Raises:
            BadQuestionError: hours or a rate below 0.
        """
        if min(tax_hours, rate_usd) < 0:
            raise BadQuestionError("hours and their rate are 0 or more")
        mine = self._costs.by(scope, ["allocation"], where)
        run, own_idle = _request(mine.rows)
        all_run, everybody = run, f.Scope(mine.period.since, mine.period.until)
        nobodys = NOTHING
        if mine.where:
            whole = self._costs.all_by(everybody, ["allocation", "team", "workflow"]).rows
            all_run = sum((row.amount_usd or NOTHING for row in whole if row.keys[0] == "request"), NOTHING)
            nobodys = sum(
                (row.amount_usd or NOTHING for row in whole if row.keys[0] != "request" and row.keys[1:] == ("", "")), NOTHING
            )
        with localcontext(prec=DIGITS):
            share = (nobodys * run / all_run).quantize(LAST_DIGIT) if all_run and mine.where else NOTHING
            idle, tax = own_idle + share, tax_hours * rate_usd
            cost = run + idle + tax
            net = net_benefit(benefit_usd, run, tax, idle)
        return Return(mine.period, mine.where, benefit_usd, run, idle, tax, cost, net, ratio(net, cost), mine.calls_priced_ratio)

    @unsettled.told
    def capacity(self, scope: f.Scope) -> Capacity:
        """What was paid for and not used by work that somebody owns, by team, the emptiest first."""
        found = self._costs.all_by(scope, ["team", "project", "feature", "allocation", "category"])
        teams: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        with localcontext(prec=DIGITS):
            for row in found.rows:
                team, *more, allocation, category = row.keys
                at_work = allocation == "request" or category == "storage"
                where = allocation if not at_work else "request" if any((team, *more)) else "unowned"
                teams[team][where] += row.amount_usd or NOTHING
            rows = tuple(_capacity(team, sums) for team, sums in teams.items())
            total = found.total.amount_usd or NOTHING
            used = sum((row.used_usd for row in rows), NOTHING)
        ordered = sorted(rows, key=lambda row: (row.used_usd - sum(_all(row), NOTHING), row.team))
        return Capacity(found.period, total, used, total - used, tuple(ordered))

    @unsettled.told
    def output(self, before: f.Period, after: f.Period, scope: f.Scope = f.Scope()) -> Output:  # noqa: B008 - it is frozen
        """Spend against output over two periods: of everything first, then by workflow, the dearest first."""
        sides = []
        for period in (before, after):
            found = self._costs.all_by(replace(scope, since=period.since, until=period.until), ["workflow"])
            sides.append((found.total, {row.keys[0]: row for row in found.rows}))
        (all_before, then), (all_after, now) = sides
        names = sorted({*then, *now}, key=lambda name: (-_spent(now.get(name)), name))
        rows = (_output("", all_before, all_after), *(_output(name, then.get(name), now.get(name)) for name in names))
        return Output(before, after, rows)

    @unsettled.told
    def headlines(self, scope: f.Scope) -> Headlines:
        """Latency, freshness, cost and quality of each workflow on one time axis."""
        period = whole_hours(scope.since, scope.until, datetime.now(UTC))
        step = "hour" if period.until - period.since <= HOURLY_UP_TO else "day"
        owners = {key: getattr(scope, key) for key in ("service", *OWNER_COLUMNS)}
        bound = {**owners, "since": period.since, "until": period.until, "step": step}
        rows = self._reads.query(_text("headlines"), bound)
        return Headlines(period, step, tuple(HeadlinePoint(**{**row, "time": row["time"].replace(tzinfo=UTC)}) for row in rows))

    def score(self, score: Score) -> Score:
        """Keeps what somebody thinks of an answer. The newest score of a name counts.

        Raises:
            BadQuestionError: the trace is not stored, several tenants have it and none is named, or the score says nothing.
        """
        from tollbook_ui.answers import checked_trace_id, one_tenants  # noqa: PLC0415 - answers import this module

        trace = checked_trace_id(score.trace_id)
        if score.value is not None and not isfinite(score.value):
            raise BadQuestionError("a score is a finite number")
        if score.value is None and not score.label:
            raise BadQuestionError("a score has a value, a label such as good or bad, or both")
        tenants = [row["tenant"] for row in self._reads.query(_text("tenants_of_trace"), {"trace_id": trace})]
        found = [tenant for tenant in tenants if score.tenant in (None, tenant)]
        if not found:
            raise BadQuestionError(f"no span of trace {trace} is stored")
        one_tenants(trace, found)
        span = bytes.fromhex(score.span_id) if len(score.span_id) == 16 else bytes(8)
        columns = ("tenant", "trace_id", "span_id", "name", "at", "value", "label", "source")
        at = datetime.now(UTC)
        row = [found[0], bytes.fromhex(trace), span, score.name, at, score.value, score.label, score.source]
        self._store.insert("scores_told", [row], columns)
        return score


def _request(rows: Sequence[CostRow]) -> tuple[Decimal, Decimal]:
    """What requests cost, and everything else."""
    run = sum((row.amount_usd or NOTHING for row in rows if row.keys[0] == "request"), NOTHING)
    return run, sum((row.amount_usd or NOTHING for row in rows if row.keys[0] != "request"), NOTHING)


def _capacity(team: str, sums: dict[str, Decimal]) -> CapacityRow:
    whole = sum(sums.values(), NOTHING)
    return CapacityRow(
        team=team,
        used_usd=sums["request"],
        idle_usd=sums["idle"],
        shared_usd=sums["shared"],
        unattributed_usd=sums["unattributed"],
        unowned_usd=sums["unowned"],
        empty_ratio=ratio(whole - sums["request"], whole),
    )


def _all(row: CapacityRow) -> tuple[Decimal, ...]:
    return row.used_usd, row.idle_usd, row.shared_usd, row.unattributed_usd, row.unowned_usd


def _output(workflow: str, before: CostRow | None, after: CostRow | None) -> OutputRow:
    spent = (_spent(before), _spent(after))
    requests = tuple((row.requests or 0) if row else 0 for row in (before, after))
    good = tuple(row.good_requests if row and row.scored_requests else None for row in (before, after))
    known = tuple(one for one in good if one is not None)
    output = known if len(known) == 2 else requests
    spend_change, output_change = ratio(spent[1] - spent[0], spent[0]), ratio(output[1] - output[0], output[0])
    unit = ratio(spent[1] * output[0], spent[0] * output[1]) if spent[0] and output[1] else None
    return OutputRow(
        workflow=workflow,
        spend_before_usd=spent[0],
        spend_after_usd=spent[1],
        requests_before=requests[0],
        requests_after=requests[1],
        good_before=good[0],
        good_after=good[1],
        spend_change=spend_change,
        output_change=output_change,
        unit_cost_change=None if unit is None else unit - 1,
        flagged=unit is not None and round(unit - 1, 9) >= FLAGGED,
    )


def _spent(row: CostRow | None) -> Decimal:
    return (row.amount_usd if row else None) or NOTHING


def _text(name: str) -> str:
    return sql.text("tollbook_ui", f"outcomes/queries/{name}.sql")
