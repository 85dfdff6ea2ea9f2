"""The API under /api/v1: the answers as JSON, their rows as CSV. Money is text with every digit."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from importlib import import_module
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, Path, Query, Request, Response
from fastapi import params as fastapi_params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.responses import PlainTextResponse
from tollbook_collector.otlp_http import PRINCIPAL
from tollbook_schema.keys import Principal
from tollbook_schema.store import QueryError, StoreError, StoreUnavailableError, Table

from tollbook_ui import answers as answers_module
from tollbook_ui import figures as f
from tollbook_ui import intake, plain
from tollbook_ui.answers import MAX_SQL_ROWS, ORDERS, Answers
from tollbook_ui.backup import Backup
from tollbook_ui.errors import UnknownTraceError
from tollbook_ui.keyring import Keyring, KeyRow, KeyWish
from tollbook_ui.periods import BadQuestionError, parse_time
from tollbook_ui.weekly import Weekly

PREFIX = "/api/v1"
EXAMPLE_TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
RETRY_SECONDS = 2
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
UNSETTLED = "tollbook-unsettled-hours"
"""Header of an answer as CSV, where hours of its period wait to be settled; JSON has `unsettled_hours`."""
AREAS = (
    "tollbook_ui.bills.api",
    "tollbook_ui.costs.api",
    "tollbook_ui.budgets.api",
    "tollbook_ui.outcomes.api",
    "tollbook_ui.machines.api",
    "tollbook_ui.usage.api",
    "tollbook_ui.dataflow.api",
    "tollbook_ui.outputs.api",
    "tollbook_ui.dialects.api",
    "tollbook_ui.pricebook.api",
)
"""Modules with a `router` of routes of their own."""


class Format(StrEnum):
    """How an answer is written."""

    JSON = "json"
    CSV = "csv"


class ReportFormat(StrEnum):
    """How the weekly report is written."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"
    MARKDOWN = "md"


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    hint: str = Field(description="what to do about it; empty where nobody can say")

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Not found",
                    "status": 404,
                    "detail": f"no span of trace {EXAMPLE_TRACE_ID} is stored",
                    "hint": "list the traces there are with GET /api/v1/requests",
                }
            ]
        }
    }


class Statement(BaseModel):
    """A question in SQL."""

    query: str = Field(examples=["SELECT team, sum(amount_usd) AS amount_usd FROM ledger GROUP BY team"], max_length=100_000)
    max_rows: int = Field(default=MAX_SQL_ROWS, ge=1, le=MAX_SQL_ROWS)


class SqlAnswer(BaseModel):
    """An answer to SQL. Decimals and times are text, whole numbers are numbers, an unknown value is null."""

    columns: list[str] = Field(examples=[["team", "amount_usd"]])
    types: list[str] = Field(examples=[["String", "Decimal(38, 18)"]])
    rows: list[list[Any]] = Field(examples=[[["search", "0.00012"]]])
    truncated: bool = Field(description="whether there are more rows than were asked for")


class SettleRange(BaseModel):
    """Hours to settle; without either, those whose facts have changed since."""

    since: datetime | None = Field(default=None, examples=["2026-11-16T00:00:00Z"])
    until: datetime | None = Field(default=None, examples=["2026-11-23T00:00:00Z"])


Settle = Callable[[datetime | None, datetime | None], Awaitable[Any]]
"""Settles and returns a summary; the server hands in one that waits for its own settlements."""


class BackupWish(BaseModel):
    """Where a backup is wanted."""

    folder: str = Field(
        description="whole path of a folder on the server's machine, empty or not there",
        examples=["/backup/2026-11-22"],
        min_length=1,
    )


MakeBackup = Callable[[str], Awaitable[Backup]]
"""Makes a backup in a folder; the server hands in one that holds its collector and its settlements up meanwhile."""

Doctor = Callable[[], Any]
"""Examines the installation; blocking."""


def answers_of(request: Request) -> Answers:
    """The answers of the application that serves the request, confined to the tenant of whoever asks.

    Raises:
        RuntimeError: the gate is to say who asks, and did not.
    """
    found: Answers = request.app.state.answers
    principal: Principal | None = request.scope.get(PRINCIPAL)
    if principal is None and answers_module.guarded():
        raise RuntimeError("a request came past the gate")
    return found.of(principal.tenant if principal else None)


def keyring_of(request: Request) -> Keyring:
    """The keys of the application that serves the request.

    Raises:
        StoreUnavailableError: it has none.
    """
    found: Keyring | None = request.app.state.keyring
    if found is None:
        raise StoreUnavailableError("this server has no keys")
    return found


def known_only(request: Request) -> None:
    """Refuses a parameter that the route does not have: a filter with a slip in its name would answer about everything.

    Raises:
        BadQuestionError: there is one.
    """
    known = get_flat_params(request.scope["route"].dependant)
    names = {parameter.alias for parameter in known if isinstance(parameter.field_info, fastapi_params.Query)}
    if unknown := sorted({*request.query_params} - names):
        raise BadQuestionError(f"no parameter {unknown[0][:60]!r}; there are {', '.join(sorted(names))}")


def scope_of(
    request: Request,
    *,
    since: Annotated[str | None, Query(description="start: 2026-11-16, 2026-11-16T09:00, or how long ago: 24h, 7d, 2w")] = None,
    until: Annotated[str | None, Query(description="end, not part of the period; the end of this hour if not given")] = None,
    service: Annotated[str | None, Query(description="service.name")] = None,
    workflow: Annotated[str | None, Query(description="workflow; empty for those that name none")] = None,
    team: str | None = None,
    project: str | None = None,
    feature: str | None = None,
    customer: str | None = None,
    environment: str | None = None,
) -> f.Scope:
    """The part of the ledger that the query's parameters name.

    Raises:
        BadQuestionError: a parameter is none of the route's, or a time is none.
    """
    known_only(request)
    now = datetime.now(UTC)
    return f.Scope(
        since=parse_time(since, now) if since else None,
        until=parse_time(until, now) if until else None,
        service=service,
        workflow=workflow,
        team=team,
        project=project,
        feature=feature,
        customer=customer,
        environment=environment,
    )


Ask = Annotated[Answers, Depends(answers_of)]
KeysOf = Annotated[Keyring, Depends(keyring_of)]
Scoped = Annotated[f.Scope, Depends(scope_of)]
As = Annotated[Format, Query(alias="format", description="json, or csv for the rows alone")]
TraceId = Annotated[str, Path(description="32 hex digits", examples=[EXAMPLE_TRACE_ID])]
OfTenant = Annotated[str | None, Query(description="for the operator: whose trace, where several tenants have one of this id")]

router = APIRouter(
    prefix=PREFIX,
    responses={
        422: {"model": Problem, "description": "The question is wrong"},
        503: {"model": Problem, "description": "The store cannot answer at present"},
    },
)
UNKNOWN_TRACE: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No span of the trace is stored"}}


@router.get("/overview", response_model=f.Overview)
def overview(ask: Ask, scope: Scoped, shape: As = Format.JSON) -> Response:
    """The period at a glance; the rows are money by category."""
    return written(ask.overview(scope), shape)


@router.get("/requests", response_model=f.Requests)
def requests(
    *,
    ask: Ask,
    scope: Scoped,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
    order: Annotated[str, Query(description=", ".join(ORDERS))] = "newest",
    shape: As = Format.JSON,
) -> Response:
    """A page of requests."""
    return written(ask.requests(scope, limit, offset, order), shape)


@router.get("/requests/{trace_id}", response_model=f.RequestView, responses=UNKNOWN_TRACE)
def request(ask: Ask, trace_id: TraceId, tenant: OfTenant = None, shape: As = Format.JSON) -> Response:
    """One request: its spans, its data, its machines, its money."""
    return written(ask.request(trace_id, tenant), shape)


@router.get("/requests/{trace_id}/spans/{span_id}", responses=UNKNOWN_TRACE)
def span(
    ask: Ask, trace_id: TraceId, span_id: Annotated[str, Path(description="16 hex digits")], tenant: OfTenant = None
) -> dict[str, Any]:
    """All that is stored of one span."""
    found: dict[str, Any] = plain.value(ask.span(trace_id, span_id, tenant))
    return found


@router.get("/requests/{trace_id}/same_data")
def same_data(ask: Ask, trace_id: TraceId, tenant: OfTenant = None) -> dict[str, str]:
    """Requests with an inference on the same data: the trace id of the earliest, by workflow."""
    return ask.same_data(trace_id, tenant)


@router.get("/receipts/{trace_id}", response_model=f.Receipt, responses=UNKNOWN_TRACE)
def receipt(ask: Ask, trace_id: TraceId, tenant: OfTenant = None, shape: As = Format.JSON) -> Response:
    """What one request cost, line by line."""
    return written(ask.receipt(trace_id, tenant), shape)


@router.get("/freshness", response_model=f.Freshness)
def freshness(ask: Ask, scope: Scoped, shape: As = Format.JSON) -> Response:
    """How old the data was at inference."""
    return written(ask.freshness(scope), shape)


@router.get("/accelerators", response_model=f.Accelerators)
def accelerators(ask: Ask, scope: Scoped, shape: As = Format.JSON) -> Response:
    """How busy each device was, and what idling cost."""
    return written(ask.accelerators(scope), shape)


@router.get("/hotspots", response_model=f.Hotspots)
def hotspots(ask: Ask, scope: Scoped, limit: Annotated[int, Query(ge=1, le=10_000)] = 50, shape: As = Format.JSON) -> Response:
    """Integration scaffolding by operation."""
    return written(ask.hotspots(scope, limit), shape)


@router.get("/findings", response_model=list[f.Finding])
def findings(ask: Ask, scope: Scoped, limit: Annotated[int, Query(ge=1, le=10_000)] = 50, shape: As = Format.JSON) -> Response:
    """What could be saved."""
    return rows_written(f.Finding, ask.findings(scope, limit), shape)


@router.get("/owners", response_model=f.Owners)
def owners(
    ask: Ask,
    scope: Scoped,
    by: Annotated[str, Query(description="owner keys, with commas between them", examples=["team,workflow"])] = "team",
    shape: As = Format.JSON,
) -> Response:
    """Money by owner; the rows add up to the total."""
    return written(ask.owners(scope, [key.strip() for key in by.split(",") if key.strip()]), shape)


@router.get("/calls", response_model=f.Calls)
def calls(ask: Ask, scope: Scoped, shape: As = Format.JSON) -> Response:
    """Model calls by model and price status."""
    return written(ask.calls(scope), shape)


@router.get("/workflows", response_model=f.Comparison)
def workflows(ask: Ask, scope: Scoped, shape: As = Format.JSON) -> Response:
    """Workflows side by side, and what a remote model adds."""
    return written(ask.comparison(scope), shape)


@router.get("/coverage", response_model=f.Coverage)
def coverage(ask: Ask, scope: Scoped, shape: As = Format.JSON) -> Response:
    """How much of the period is priced, rated, of known age and owned."""
    found = ask.coverage(scope)
    return rows_written(f.Coverage, [found], shape) if shape is Format.CSV else written(found, shape)


@router.get("/reports/{week}", response_model=Weekly)
def report(
    ask: Ask,
    scope: Scoped,
    week: Annotated[str, Path(description="ISO week", examples=["2026-W47"])],
    shape: Annotated[ReportFormat, Query(alias="format")] = ReportFormat.JSON,
) -> Response:
    """The weekly report; csv has its money by category."""
    if shape is ReportFormat.CSV:
        return written(ask.weekly(week, scope).overview, Format.CSV)
    if shape is ReportFormat.JSON:
        return written(ask.weekly(week, scope), Format.JSON)
    from tollbook_ui import report as weekly_report  # noqa: PLC0415 - matplotlib costs half a second at the start

    rendered = weekly_report.render(ask, week)
    if shape is ReportFormat.HTML:
        return Response(rendered.html, media_type="text/html")
    return PlainTextResponse(rendered.markdown, media_type="text/markdown")


@router.get("/hosts", response_model=list[f.Host])
def hosts(ask: Ask, scope: Scoped, shape: As = Format.JSON) -> Response:
    """Machines of the period, those without a rate first."""
    return rows_written(f.Host, ask.hosts(scope), shape)


@router.get("/rates", response_model=list[f.Rate])
def rates(ask: Ask, shape: As = Format.JSON) -> Response:
    """Dated prices of machine hours."""
    return rows_written(f.Rate, ask.rates(), shape)


@router.post("/rates")
def set_rate(ask: Ask, rate: Annotated[f.NewRate, Body()]) -> dict[str, str]:
    """Adds the price of a machine's hour; nothing is overwritten, and settled hours change when they are settled again."""
    return {"rate_id": ask.set_rate(rate)}


@router.get("/extent", response_model=f.Extent)
def extent(ask: Ask) -> Response:
    """What the store holds at all."""
    return written(ask.extent(), Format.JSON)


@router.post(
    "/sql", response_model=SqlAnswer, responses={400: {"model": Problem, "description": "It does more than read, or it is wrong"}}
)
def sql(ask: Ask, statement: Annotated[Statement, Body()], shape: As = Format.JSON) -> Response:
    """Answer to SQL that only reads."""
    return table_written(ask.sql(statement.query, statement.max_rows), shape)


@router.get("/unsettled")
def unsettled(ask: Ask) -> dict[str, int]:
    """How many hours wait to be settled, of all times."""
    return {"hours": ask.unsettled_hours()}


@router.post("/settle")
async def settle(request: Request, span: Annotated[SettleRange | None, Body()] = None) -> Response:
    """Settle the ledger now."""
    run: Settle | None = request.app.state.settle
    if run is None:
        raise StoreUnavailableError("this server does not settle")
    asked = span or SettleRange()
    return written(await run(asked.since, asked.until), Format.JSON)


@router.get("/keys", response_model=list[KeyRow])
def keys(keyring: KeysOf, shape: As = Format.JSON) -> Response:
    """API keys, without their secrets."""
    return rows_written(KeyRow, keyring.keys(), shape)


@router.post("/keys")
def create_key(keyring: KeysOf, wish: Annotated[KeyWish, Body()]) -> dict[str, str]:
    """Makes a key. This answer holds it for the only time."""
    return {"key": keyring.create_key(wish)}


@router.delete("/keys/{key_id}", response_model=KeyRow)
def revoke_key(keyring: KeysOf, key_id: Annotated[str, Path(description="12 hex digits")]) -> Response:
    """Ends a key at once."""
    return written(keyring.revoke_key(key_id), Format.JSON)


@router.post("/backup", response_model=Backup)
async def back_up(request: Request, wish: Annotated[BackupWish, Body()]) -> Response:
    """Copy database and spool into a folder on the server's machine, at one moment; what comes in meanwhile waits."""
    run: MakeBackup | None = request.app.state.backup
    if run is None:
        raise StoreUnavailableError("this server makes no backups")
    return written(await run(wish.folder), Format.JSON)


@router.get("/collector", response_model=intake.Intake)
def collector() -> Response:
    """What waits for the store, what was set aside, what was counted since the start, and what needs a person."""
    found = intake.current()
    if found is None:
        raise StoreUnavailableError("no collector runs in this process")
    return written(found, Format.JSON)


@router.get("/doctor")
def doctor(request: Request) -> Response:
    """What is installed, what runs, what is missing."""
    return written(request.app.state.doctor(), Format.JSON)


def written(answer: Any, shape: Format) -> Response:
    """An answer as JSON, or its rows as CSV."""
    if shape is Format.CSV:
        waiting = getattr(answer, "unsettled_hours", 0)
        return _csv(plain.answer_grid(answer), {UNSETTLED: str(waiting)} if waiting else {})
    return Response(plain.as_json(answer), media_type="application/json")


def rows_written(row: type[Any], rows: Sequence[Any], shape: Format) -> Response:
    """Rows as JSON or CSV."""
    if shape is Format.CSV:
        return _csv(plain.grid(rows, list(row.__dataclass_fields__)))
    return Response(plain.as_json(rows), media_type="application/json")


def table_written(table: Table, shape: Format) -> Response:
    """The answer to SQL as JSON or CSV."""
    if shape is Format.CSV:
        return _csv(plain.Grid(table.columns, tuple(table.rows)))
    return Response(plain.as_json(table), media_type="application/json")


def _csv(grid: plain.Grid, headers: Mapping[str, str] = NO_HEADERS) -> Response:
    return Response(plain.as_csv(grid), media_type="text/csv", headers={"content-disposition": "inline", **headers})


def create(
    answers: Answers | None = None,
    settle: Settle | None = None,
    doctor: Doctor | None = None,
    keyring: Keyring | None = None,
) -> FastAPI:
    """The application with the API alone. `answers` may be set later as `app.state.answers`."""
    from tollbook_ui import __version__  # noqa: PLC0415 - read when asked

    app = FastAPI(
        title="Tollbook",
        version=__version__,
        summary="What each AI request cost, how old its data was, how busy the accelerators were, how much was glue.",
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
    )
    app.state.answers, app.state.settle, app.state.doctor, app.state.keyring = answers, settle, doctor or (dict), keyring
    app.state.backup = None
    app.include_router(router)
    for area in AREAS:
        app.include_router(import_module(area).router)
    for kind, status, title, hint in _PROBLEMS:
        app.add_exception_handler(kind, _handler(status, title, hint))
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


_PROBLEMS: tuple[tuple[type[Exception], int, str, str], ...] = (
    (UnknownTraceError, 404, "Not found", f"list the traces there are with GET {PREFIX}/requests"),
    (BadQuestionError, 422, "Wrong question", f"see {PREFIX}/openapi.json"),
    (QueryError, 400, "Refused", "the tables are listed by: SHOW TABLES"),
    (StoreUnavailableError, 503, "Store unavailable", "try again shortly"),
    (StoreError, 500, "Store error", "see the server's log"),
)


def _handler(status: int, title: str, hint: str) -> Callable[[Request, Exception], Response]:
    def handle(_request: Request, error: Exception) -> Response:
        return _problem(Problem(title=title, status=status, detail=str(error), hint=hint))

    return handle


def _invalid(_request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    detail = "; ".join(f"{'.'.join(str(part) for part in fault['loc'][1:]) or 'body'}: {fault['msg']}" for fault in faults)
    return _problem(Problem(title="Wrong question", status=422, detail=detail, hint=f"see {PREFIX}/openapi.json"))


def nowhere(request: Request) -> Response:
    """The answer where there is no such route, or none for that method."""
    asked = f"{request.method} {request.url.path[:200]}"
    return _problem(Problem(title="Not found", status=404, detail=f"there is no {asked}", hint=f"see {PREFIX}/openapi.json"))


def _problem(problem: Problem) -> Response:
    headers = {"retry-after": str(RETRY_SECONDS)} if problem.status == 503 else {}
    return Response(problem.model_dump_json(), problem.status, headers, "application/problem+json")
