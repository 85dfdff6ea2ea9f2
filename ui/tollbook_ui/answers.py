"""Every number that people see: one method for each question, one SQL file behind each.

The API, the CLI, the dashboard and the report ask here and nowhere else, so their totals agree to the last digit.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any, TypeVar

from tollbook_schema import sql
from tollbook_schema.attributes import OWNER_COLUMNS
from tollbook_schema.store import Reads, Store, Table

from tollbook_ui import figures as f
from tollbook_ui import unsettled, waterfall
from tollbook_ui.bills.questions import Bills
from tollbook_ui.budgets.questions import BudgetBook
from tollbook_ui.costs.questions import Costs
from tollbook_ui.dataflow.questions import Data
from tollbook_ui.dialects.questions import Dialects
from tollbook_ui.errors import UnknownTraceError
from tollbook_ui.machines.questions import Machines
from tollbook_ui.outcomes.questions import Outcomes
from tollbook_ui.outputs.questions import AiOutputs
from tollbook_ui.periods import BadQuestionError, week_period, whole_hours
from tollbook_ui.pricebook.questions import PriceBook
from tollbook_ui.usage.questions import Usage
from tollbook_ui.weekly import Weekly

Row = TypeVar("Row")

ORDERS = ("newest", "oldest", "cost", "duration", "bytes", "age")
"""How requests can be ordered; all but `oldest` put the largest first."""

LAST_WEEK = f.Scope()
"""The seven days that end with this hour, of all owners."""

MAX_WATERFALL_SPANS = 5_000
MAX_POINTS = 2_000
MAX_SQL_ROWS = 10_000
HOURLY_UP_TO = timedelta(days=3)
"""Longer periods are drawn by day, because 72 points fill a chart."""

MONEY_DIGITS = 76
"""Digits of a Decimal256, so that Python never rounds what ClickHouse added up."""


class Answers:
    """Answers from one store. Safe to use from several threads. Every method may raise `StoreUnavailableError`."""

    def __init__(self, store: Store, tenant: str | None = None) -> None:
        """Over a whole store, or over what is one tenant's in it."""
        self.store = store
        self._tenant = tenant
        self._reads: Reads = store if tenant is None else store.of(tenant)

    def of(self, tenant: str | None) -> "Answers":
        """The answers that this tenant may have; all of them for None, the operator."""
        return self if tenant is None else Answers(self.store, tenant)

    @property
    def pricebook(self) -> PriceBook:
        """Prices, contracts, exchange rates, and settling again after they have changed."""
        return PriceBook(self.store, self._reads)

    @property
    def data(self) -> Data:
        """Data that moves and lies: transfers, stored copies, services."""
        return Data(self.store, self._reads)

    @property
    def outputs(self) -> AiOutputs:
        """AI outputs by their ids."""
        return AiOutputs(self._reads)

    @property
    def usage(self) -> Usage:
        """Files of usage: take one, list those taken."""
        return Usage(self.store, self._reads)

    @property
    def budgets(self) -> BudgetBook:
        """Budgets: what is spent of each, and who pays for what."""
        return BudgetBook(self.store, self._reads, self._tenant)

    @property
    def dialects(self) -> Dialects:
        """How calls are told, and with which table of dialects they were read."""
        return Dialects(self._reads)

    @property
    def machines(self) -> Machines:
        """Policies, rates of accelerators, commitments: ask for them, set them."""
        return Machines(self.store, self._reads, self._tenant)

    @property
    def bills(self) -> Bills:
        """Bills: take files, set them against the ledger."""
        return Bills(self.store, self._reads, self._tenant)

    @property
    def outcomes(self) -> Outcomes:
        """What the money bought."""
        return Outcomes(self.store, self._reads)

    @property
    def costs(self) -> Costs:
        """Cost by any key, and why it changed."""
        return Costs(self._reads)

    @unsettled.told
    def overview(self, scope: f.Scope = LAST_WEEK) -> f.Overview:
        """The period at a glance: money by category, requests, what is unpriced, what could be saved."""
        period, bound = _bound(scope)
        step = "hour" if period.until - period.since <= HOURLY_UP_TO else "day"
        return f.Overview(
            period=period,
            totals=self._one(f.Totals, "totals", bound),
            traffic=self._one(f.Traffic, "traffic", bound),
            rows=self._all(f.CategoryCost, "cost_by_category", bound),
            step=step,
            cost_series=self._all(f.CostPoint, "cost_series", {**bound, "step": step}),
            traffic_series=self._all(f.TrafficPoint, "traffic_series", {**bound, "step": step}),
            unpriced=self.unpriced(scope),
            findings=self.findings(scope, limit=5),
            coverage=self.coverage(scope),
            extent=self.extent(),
        )

    @unsettled.told
    def requests(self, scope: f.Scope = LAST_WEEK, limit: int = 50, offset: int = 0, order: str = "newest") -> f.Requests:
        """A page of requests.

        Args:
            scope: which requests.
            limit: rows at most, 1 to 10,000.
            offset: rows to leave out first.
            order: one of `ORDERS`.

        Raises:
            BadQuestionError: there is no such order or page.
        """
        if order not in ORDERS:
            raise BadQuestionError(f"requests cannot be ordered by {order!r}; use {', '.join(ORDERS)}")
        if not 1 <= limit <= 10_000 or offset < 0:
            raise BadQuestionError(f"a page has 1 to 10000 rows and starts at 0 or later, not {limit} rows at {offset}")
        period, bound = _bound(scope)
        rows = self._all(f.RequestRow, "requests", {**bound, "order": order, "limit": limit, "offset": offset, "trace_id": None})
        total_count = self._one(f.Traffic, "traffic", bound).requests
        return f.Requests(period, total_count, limit, offset, order, rows, self.coverage(scope))

    def request(self, trace_id: str, tenant: str | None = None) -> f.RequestView:
        """One request from its spans to its data, its machines and its money. Raises as `receipt` does."""
        if tenant is not None:
            return self._as(tenant, trace_id).request(trace_id)
        receipt = self.receipt(trace_id)
        bound = {"trace_id": receipt.trace_id}
        spans = self._all(f.Span, "request_spans", {**bound, "limit": MAX_WATERFALL_SPANS})
        return f.RequestView(
            trace_id=receipt.trace_id,
            request=self._request_row(receipt.trace_id),
            start_time=receipt.start_time,
            duration_ns=receipt.duration_ns,
            span_count=receipt.spans,
            rows=waterfall.ordered(spans),
            assets=self._all(f.Asset, "request_assets", bound),
            resources=self._all(f.Resource, "request_resources", bound),
            receipt=receipt,
        )

    def span(self, trace_id: str, span_id: str, tenant: str | None = None) -> dict[str, Any]:
        """All that is stored of one span, by column; empty columns are left out.

        Raises:
            UnknownTraceError: the store has no such span.
            BadQuestionError: `trace_id` is not 32 hex digits, or several tenants have such a span and none is named.
        """
        if tenant is not None:
            return self._as(tenant, trace_id).span(trace_id, span_id)
        bound = {"trace_id": checked_trace_id(trace_id), "span_id": checked_span_id(span_id)}
        rows = self._reads.query(_text("span"), bound)
        if not rows:
            raise UnknownTraceError(f"trace {trace_id} has no span {span_id}")
        one_tenants(bound["trace_id"], [row["tenant"] for row in rows])
        return {name: _value(value) for name, value in rows[0].items() if value not in (None, "", [], {})}

    def same_data(self, trace_id: str, tenant: str | None = None) -> dict[str, str]:
        """Requests that had an inference on the same data: the trace id of the earliest, by workflow. Raises as `span` does."""
        if tenant is not None:
            return self._as(tenant, trace_id).same_data(trace_id)
        rows = self._reads.query(_text("same_data"), {"trace_id": checked_trace_id(trace_id)})
        one_tenants(trace_id, [row["tenant"] for row in rows])
        return {row["workflow"]: row["trace_id"] for row in rows}

    @unsettled.told
    def receipt(self, trace_id: str, tenant: str | None = None) -> f.Receipt:
        """What one request cost, line by line. Where several tenants have a trace of that id, the operator says whose.

        Raises:
            UnknownTraceError: the store has no span of it, or none of that tenant.
            BadQuestionError: `trace_id` is not 32 hex digits, or several tenants have it and none is named.
        """
        if tenant is not None:
            return self._as(tenant, trace_id).receipt(trace_id)
        bound = {"trace_id": checked_trace_id(trace_id)}
        head = self._one(_ReceiptHead, "receipt_head", bound)
        if head.spans == 0:
            raise UnknownTraceError(f"no span of trace {bound['trace_id']} is stored")
        one_tenants(bound["trace_id"], head.tenants)
        lines = self._all(f.ReceiptLine, "receipt_lines", bound)
        return f.Receipt(
            trace_id=bound["trace_id"],
            state=head.state,
            settled_at=head.settled_at,
            name=head.name,
            service_name=head.service_name,
            workflow=head.workflow,
            start_time=head.start_time,
            duration_ns=head.duration_ns,
            spans=head.spans,
            total_usd=total(line.amount_usd for line in lines) if lines else None,
            simulated_usd=total(line.amount_usd for line in lines if line.simulated),
            rows=lines,
            items=self._all(f.ReceiptItem, "receipt_items", bound),
            unpriced=self._all(f.UnpricedCall, "receipt_unpriced", bound),
        )

    @unsettled.told
    def freshness(self, scope: f.Scope = LAST_WEEK) -> f.Freshness:
        """How old the data was at the moment of inference."""
        period, bound = _bound(scope)
        return f.Freshness(
            period=period,
            rows=self._all(f.FreshnessRow, "freshness", bound),
            assets=self._all(f.AssetAge, "freshness_assets", bound),
            buckets=self._all(f.AgeBucket, "freshness_buckets", bound),
            points=self._all(f.AgePoint, "freshness_points", {**bound, "limit": MAX_POINTS}),
            coverage=self.coverage(scope),
        )

    @unsettled.told
    def accelerators(self, scope: f.Scope = LAST_WEEK) -> f.Accelerators:
        """How busy each device was, and what its idle time cost. Devices have no owner, so only the period counts."""
        period, bound = _bound(scope)
        return f.Accelerators(
            period=period,
            rows=self._all(f.AcceleratorRow, "accelerators", bound),
            series=self._all(f.AcceleratorPoint, "accelerator_series", bound),
            coverage=self.coverage(scope),
        )

    @unsettled.told
    def hotspots(self, scope: f.Scope = LAST_WEEK, limit: int = 50) -> f.Hotspots:
        """Integration scaffolding by operation, the longest first, and what could be saved."""
        period, bound = _bound(scope)
        return f.Hotspots(
            period=period,
            rows=self._all(f.HotspotRow, "hotspots", {**bound, "limit": limit}),
            classes=self._all(f.ClassTotal, "scaffolding_classes", bound),
            findings=self.findings(scope),
            coverage=self.coverage(scope),
        )

    def findings(self, scope: f.Scope = LAST_WEEK, limit: int = 50) -> tuple[f.Finding, ...]:
        """What could be saved, the dearest first. A finding names service, workflow and team; other owners do not filter it."""
        _, bound = _bound(scope)
        return self._all(f.Finding, "findings", {**bound, "limit": limit})

    @unsettled.told
    def owners(self, scope: f.Scope = LAST_WEEK, by: Sequence[str] = ("team",)) -> f.Owners:
        """Money by owner.

        Args:
            scope: which part of the ledger.
            by: keys to group by, out of team, project, feature, customer, environment, workflow and tenant.

        Raises:
            BadQuestionError: there is no such key.
        """
        if unknown := [key for key in by if key not in f.OWNER_KEYS]:
            raise BadQuestionError(f"no owner key {unknown[0]!r}; use {', '.join(f.OWNER_KEYS)}")
        period, bound = _bound(scope)
        keys = tuple(key for key in f.OWNER_KEYS if key in by)
        rows = self._all(f.OwnerRow, "owners", {**bound, "by": list(keys)})
        return f.Owners(period, keys, self._one(f.Totals, "totals", bound), rows, self.coverage(scope))

    def coverage(self, scope: f.Scope = LAST_WEEK) -> f.Coverage:
        """How much of the period is priced, rated, of known age and owned."""
        _, bound = _bound(scope)
        return self._one(f.Coverage, "coverage", bound)

    @unsettled.told
    def calls(self, scope: f.Scope = LAST_WEEK) -> f.Calls:
        """Model calls that count, by model and price status, the dearest first."""
        period, bound = _bound(scope)
        return f.Calls(period, self._all(f.CallRow, "calls", bound), self.coverage(scope))

    @unsettled.told
    def comparison(self, scope: f.Scope = LAST_WEEK) -> f.Comparison:
        """Workflows side by side: what one request takes in the median, and what a remote model adds."""
        period, bound = _bound(scope)
        rows = self._all(f.WorkflowRow, "workflows", bound)
        return f.Comparison(period, rows, execution_tax(rows), self.coverage(scope))

    def weekly(self, week: str, scope: f.Scope = LAST_WEEK) -> Weekly:
        """One ISO week such as `2026-W47`, and the week before it.

        Raises:
            BadQuestionError: there is no such week.
        """
        period = week_period(week)
        this = replace(scope, since=period.since, until=period.until)
        before = replace(scope, since=period.since - timedelta(weeks=1), until=period.since)
        return Weekly(
            week=week,
            period=period,
            overview=self.overview(this),
            previous=self.overview(before),
            owners=self.owners(this, by=("team", "workflow")),
            comparison=self.comparison(this),
            calls=self.calls(this),
            freshness=self.freshness(this),
            accelerators=self.accelerators(this),
            hotspots=self.hotspots(this),
            requests=self.requests(this, limit=20, order="cost"),
            bridge=self.costs.bridge(*_week_on_week(period), scope=scope),
            budgets=self.budgets.status(min(period.until, datetime.now(UTC))),
            caches=self.costs.caches(this),
            anomalies=self.costs.anomalies(this),
        )

    def hosts(self, scope: f.Scope = LAST_WEEK) -> tuple[f.Host, ...]:
        """Machines heard of in the period, those without a rate first."""
        _, bound = _bound(scope)
        return self._all(f.Host, "hosts", bound)

    def instrumented(self, scope: f.Scope = LAST_WEEK) -> tuple[f.Instrumented, ...]:
        """What services have said that they see and do not see, by service and library."""
        _, bound = _bound(scope)
        return self._all(f.Instrumented, "instrumented", bound)

    def unpriced(self, scope: f.Scope = LAST_WEEK) -> tuple[f.UnpricedCalls, ...]:
        """Model calls without a price, by model and reason, most calls first."""
        _, bound = _bound(scope)
        return self._all(f.UnpricedCalls, "unpriced_calls", bound)

    def unsettled_hours(self, times: unsettled.Times = unsettled.EVER) -> int:
        """Hours that wait to be settled: those with facts which their settlement has not seen."""
        return unsettled.hours(self._reads, [times])

    def rates(self) -> tuple[f.Rate, ...]:
        """Dated prices of machine hours."""
        return self._all(f.Rate, "rates", {})

    def set_rate(self, rate: f.NewRate) -> str:
        """Adds the price of a machine's hour and returns its id; hours already settled change when they are settled again.

        Raises:
            BadQuestionError: a rate that cannot be.
        """
        from tollbook_attribution import rates  # noqa: PLC0415 - nobody else asks for it

        terms = {field.name: getattr(rate, field.name) for field in fields(rate)}
        try:
            return rates.set_rate(self.store, terms.pop("instance_type"), terms.pop("usd_per_hour"), terms.pop("vcpus"), **terms)
        except (ValueError, ArithmeticError) as error:
            raise BadQuestionError(str(error)) from error

    def extent(self) -> f.Extent:
        """What the store holds at all."""
        return self._one(f.Extent, "extent", {})

    def sql(self, statement: str, max_rows: int = MAX_SQL_ROWS) -> Table:
        """Answer to a person's SQL, which may only read.

        Raises:
            QueryError: it does more than read, or it is wrong.
        """
        return self._reads.read(statement, max_rows=max_rows)

    def _as(self, tenant: str, trace_id: str) -> "Answers":
        """What this tenant would be answered; to another tenant its traces are not stored."""
        if self._tenant not in (None, tenant):
            raise UnknownTraceError(f"no span of trace {checked_trace_id(trace_id)} is stored")
        try:
            return self.of(tenant)
        except ValueError as error:
            raise BadQuestionError(str(error)) from error

    def _request_row(self, trace_id: str) -> f.RequestRow | None:
        bound = {**_ANY, "order": "newest", "limit": 1, "offset": 0, "trace_id": trace_id}
        rows = self._all(f.RequestRow, "requests", bound)
        return rows[0] if rows else None

    def _all(self, row: type[Row], name: str, bound: dict[str, Any]) -> tuple[Row, ...]:
        return tuple(row(**{key: _value(value) for key, value in line.items()}) for line in self._reads.query(_text(name), bound))

    def _one(self, row: type[Row], name: str, bound: dict[str, Any]) -> Row:
        return self._all(row, name, bound)[0]


@dataclass(frozen=True)
class _ReceiptHead:
    spans: int
    state: str
    settled_at: datetime | None
    name: str
    service_name: str
    workflow: str
    start_time: datetime
    duration_ns: int | None
    tenants: Sequence[str]


_ANY: dict[str, Any] = {
    "since": datetime(1970, 1, 1, tzinfo=UTC),
    "until": datetime(2106, 1, 1, tzinfo=UTC),
    "service": None,
    **dict.fromkeys(OWNER_COLUMNS),
}
"""Bindings that leave nothing out; a ClickHouse DateTime ends in February 2106."""

_current: Answers | None = None
_guarded = False


def set_current(answers: Answers | None, guarded: bool = False) -> None:
    """Names the answers of this process, and whether they are only for those whom the gate has let in.

    `tollbook up` does so once the store is open.
    """
    global _current, _guarded
    _current, _guarded = answers, guarded


def guarded() -> bool:
    """Whether nobody may have an answer without saying who it is."""
    return _guarded


def current() -> Answers:
    """The answers of this process, for pages that get no arguments.

    Raises:
        RuntimeError: none were set.
    """
    if _current is None:
        raise RuntimeError("no store is open in this process; the dashboard runs inside `tollbook up`")
    return _current


def checked_trace_id(trace_id: str) -> str:
    """The id in lower case.

    Raises:
        BadQuestionError: it is not 32 hex digits.
    """
    plain = trace_id.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{32}", plain):
        raise BadQuestionError(f"a trace id is 32 hex digits, not {trace_id!r}")
    return plain


def checked_span_id(span_id: str) -> str:
    """The id in lower case.

    Raises:
        BadQuestionError: it is not 16 hex digits.
    """
    plain = span_id.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{16}", plain):
        raise BadQuestionError(f"a span id is 16 hex digits, not {span_id!r}")
    return plain


def one_tenants(trace_id: str, tenants: Iterable[str]) -> None:
    """Refuses to mix what several tenants have under one trace id.

    Raises:
        BadQuestionError: there are several.
    """
    if len(several := sorted(set(tenants))) > 1:
        raise BadQuestionError(f"trace {trace_id} is one of several tenants, {', '.join(several)}: say whose with tenant")


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Exact sum; Python alone would round at 28 digits."""
    with localcontext(prec=MONEY_DIGITS):
        return sum(amounts, Decimal(0))


def execution_tax(rows: Sequence[f.WorkflowRow]) -> tuple[f.ExecutionTax, ...]:
    """The same model in-process and remote, set side by side; of several workflows the one with most requests."""
    busiest = {(row.model, row.location): row for row in sorted(rows, key=lambda row: row.requests) if row.model}
    models = dict.fromkeys(model for model, _ in busiest)
    sides = ((model, busiest.get((model, "in_process")), busiest.get((model, "remote"))) for model in models)
    return tuple(_tax(model, local, remote) for model, local, remote in sides if local and remote)


def _tax(model: str, local: f.WorkflowRow, remote: f.WorkflowRow) -> f.ExecutionTax:
    return f.ExecutionTax(
        model=model,
        in_process=local,
        remote=remote,
        duration_ns=_difference(remote.duration_p50_ns, local.duration_p50_ns),
        tax_ns=_difference(remote.tax_p50_ns, local.tax_p50_ns),
        bytes=_difference(remote.bytes_p50, local.bytes_p50),
        hops=_difference(remote.hops_p50, local.hops_p50),
        cost_usd=_dearer(remote.cost_per_request_usd, local.cost_per_request_usd),
    )


def _week_on_week(week: f.Period) -> tuple[f.Period, f.Period]:
    """The week before and the week; of one that still runs, the part of both that has passed."""
    ended = whole_hours(None, datetime.now(UTC), week.until).until
    until = min(week.until, ended) if ended > week.since else week.until
    back = timedelta(weeks=1)
    return f.Period(week.since - back, until - back), f.Period(week.since, until)


def _dearer(more: Decimal | None, less: Decimal | None) -> Decimal | None:
    return None if more is None or less is None else total((more, -less))


def _difference(more: int | None, less: int | None) -> int | None:
    return None if more is None or less is None else more - less


def _bound(scope: f.Scope) -> tuple[f.Period, dict[str, Any]]:
    period = whole_hours(scope.since, scope.until, datetime.now(UTC))
    bound = {"since": period.since, "until": period.until, "service": scope.service}
    return period, {**bound, **{key: getattr(scope, key) for key in OWNER_COLUMNS}}


def _value(value: Any) -> Any:
    """ClickHouse's times are UTC but come without saying so."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def _text(name: str) -> str:
    return sql.text("tollbook_ui", f"queries/{name}.sql")
