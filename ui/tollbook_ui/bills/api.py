"""Bills over the API: a file is the body of a request; several go as one zip archive."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from tollbook_attribution.bills import Options
from tollbook_collector.otlp_http import PRINCIPAL
from tollbook_schema.keys import Principal
from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_ui import plain
from tollbook_ui.answers import Answers
from tollbook_ui.api import PREFIX, As, Ask, Format, Problem, rows_written, written
from tollbook_ui.bills import figures as f
from tollbook_ui.periods import parse_time
from tollbook_ui.uploads import BODY, kept

router = APIRouter(
    prefix=f"{PREFIX}/bills",
    responses={422: {"model": Problem, "description": "The file or the question is wrong; nothing was stored"}},
)

Provider = Annotated[str, Query(description="only of this one: aws, azure, google, oci, openai", max_length=200)]
Month = Annotated[str, Query(description="only of this billing period: 2026-10", max_length=20)]
Limit = Annotated[int, Query(ge=1, le=10_000)]
Whose = Annotated[str, Query(description="whose it is, where an operator asks")]


@router.post("/imports", response_model=f.Taken, openapi_extra=BODY)
async def take(
    request: Request,
    *,
    name: Annotated[str, Query(description="of the file, as people know it", max_length=1000)] = "the file",
    period: Annotated[str, Query(description="the billing period that all of it is of: 2026-10")] = "",
    comma: Annotated[bool, Query(description="whether numbers have a decimal comma")] = False,
    add: Annotated[bool, Query(description="beside the lines in force instead of in their place")] = False,
    replace: Annotated[bool, Query(description="take it in the place of a bill more than twice as large")] = False,
    allow_duplicates: Annotated[bool, Query(description="take a line that is told twice as charged twice")] = False,
    columns: Annotated[list[str] | None, Query(description="what a column is in FOCUS: BilledCost=Amount")] = None,
    constants: Annotated[list[str] | None, Query(description="what holds for every line: BillingCurrency=EUR")] = None,
    tenant: Whose = DEFAULT_TENANT,
) -> Response:
    """Store a bill: FOCUS, AWS CUR, Azure, OCI or Google; CSV, JSON lines or Parquet, gzip or zip. All of it, or nothing."""
    principal: Principal | None = request.scope.get(PRINCIPAL)
    whose = principal.tenant if principal and principal.tenant else tenant
    options = Options(whose, period, comma, add, allow_duplicates, columns or (), constants or (), replace)
    with tempfile.TemporaryDirectory(prefix="tollbook-bill-") as folder:
        path = Path(folder) / "file"
        await kept(request, path, "import it in parts, with --add")
        found = await run_in_threadpool(_answers(request).bills.take, [path], options, [name])
    return Response(plain.as_json(found), media_type="application/json")


@router.delete("/imports/{import_id}", response_model=f.Undone)
def undo(
    ask: Ask,
    import_id: Annotated[int, InPath(ge=0, lt=2**64, description="as the list of billing periods has it")],
    tenant: Whose = DEFAULT_TENANT,
) -> Response:
    """Take an import back: what it took the place of is in force again."""
    return written(ask.bills.undo(import_id, tenant), Format.JSON)


@router.get("", response_model=list[f.Period])
def periods(ask: Ask, provider: Provider = "", period: Month = "", limit: Limit = 10_000, shape: As = Format.JSON) -> Response:
    """Billing periods in force, the newest first."""
    return rows_written(f.Period, ask.bills.periods(provider, period, limit), shape)


@router.get("/charges", response_model=f.Bill)
def charges(ask: Ask, provider: Provider = "", period: Month = "", limit: Limit = 10_000, shape: As = Format.JSON) -> Response:
    """What was charged, by service and account; the rows add up to the bill."""
    return written(ask.bills.show(provider, period, limit), shape)


@router.get("/reconciliation", response_model=f.Reconciliation)
def reconciliation(
    ask: Ask, provider: Provider = "", period: Month = "", limit: Limit = 100, shape: As = Format.JSON
) -> Response:
    """Bills against the ledger: attributed + idle + shared + unattributed = billed; and orphans both ways."""
    return written(ask.bills.reconciliation(provider, period, limit), shape)


@router.get("/focus")
def focus(
    ask: Ask,
    since: Annotated[str | None, Query(description="start: 2026-11-16, 2026-11-16T09:00, or how long ago: 24h, 7d, 2w")] = None,
    until: Annotated[str | None, Query(description="end, not part of the period; the end of this hour if not given")] = None,
    shape: Annotated[str, Query(alias="format", description="csv or parquet")] = "csv",
) -> StreamingResponse:
    """What was attributed, as FOCUS 1.4 with its Allocated columns; the rows add up to the ledger."""
    now = datetime.now(UTC)
    pieces = ask.bills.focus(parse_time(since, now) if since else None, parse_time(until, now) if until else None, shape)
    kind = "text/csv" if shape == "csv" else "application/vnd.apache.parquet"
    return StreamingResponse(pieces, media_type=kind)


@router.post("/reconcile")
def reconcile(
    ask: Ask,
    tenant: Whose = DEFAULT_TENANT,
    cost: Annotated[str | None, Query(description="billed or effective; as before if not given")] = None,
) -> dict[str, bool]:
    """Set the bills in force against the ledger; the next settlement settles the hours that change."""
    return {"changed": ask.bills.reconcile(tenant, cost)}


@router.get("/mappings", response_model=list[f.Mapping])
def mappings(ask: Ask, shape: As = Format.JSON) -> Response:
    """What people said billed lines are of."""
    return rows_written(f.Mapping, ask.bills.mappings(), shape)


@router.post("/mappings", response_model=f.Mapping)
def map_lines(ask: Ask, wish: Annotated[f.NewMapping, Body()]) -> Response:
    """Say what billed lines are of."""
    return written(ask.bills.map(wish), Format.JSON)


@router.delete("/mappings/{mapping_id}", response_model=f.Mapping)
def unmap(ask: Ask, mapping_id: Annotated[str, InPath(max_length=100)], tenant: Whose = DEFAULT_TENANT) -> Response:
    """Take back what was said."""
    return written(ask.bills.unmap(mapping_id, tenant), Format.JSON)


def _answers(request: Request) -> Answers:
    found: Answers = request.app.state.answers
    return found
