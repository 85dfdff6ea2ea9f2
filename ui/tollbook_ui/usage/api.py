"""Usage files over the API: the file is the body of the request."""

import pathlib
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from tollbook_collector.otlp_http import PRINCIPAL
from tollbook_schema.keys import Principal
from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_ui import plain
from tollbook_ui.answers import Answers
from tollbook_ui.api import PREFIX, Problem
from tollbook_ui.periods import parse_time
from tollbook_ui.uploads import BODY, kept
from tollbook_ui.usage.figures import Import, Imported
from tollbook_ui.usage.files import Format
from tollbook_ui.usage.load import Taking
from tollbook_ui.usage.mapping import Reading, mapping

router = APIRouter(
    prefix=f"{PREFIX}/usage",
    responses={422: {"model": Problem, "description": "The file or its mapping is wrong; nothing was taken"}},
)


@router.post("/imports", response_model=Imported, openapi_extra=BODY)
async def take(
    request: Request,
    *,
    columns: Annotated[
        Sequence[str],
        Query(
            alias="map",
            description="target=column, with commas; nothing for a known export",
            examples=["timestamp=TIMESTAMP,input_tokens=ContextTokens"],
        ),
    ] = (),
    constants: Annotated[
        Sequence[str], Query(alias="set", description="what holds for every row", examples=["provider=openai,model=gpt-4o"])
    ] = (),
    only: Annotated[Sequence[str], Query(description="column=value of the rows to take", examples=["run_type=llm"])] = (),
    timezone: Annotated[str, Query(description="of times that name none")] = "UTC",
    time_unit: Annotated[str, Query(description="of times that are numbers: s, ms, us, ns, excel; by size if not given")] = "",
    epoch: Annotated[str | None, Query(description="where such times count from; 1970 if not given")] = None,
    dates: Annotated[str, Query(description="day-first or month-first, of 05/11/2026; as the file proves if not given")] = "",
    block_tokens: Annotated[int, Query(ge=1, le=1_000_000, description="tokens of a block of prefix_blocks")] = 512,
    name: Annotated[str, Query(description="of the file, as people know it", max_length=1000)] = "the file",
    input_format: Annotated[Format | None, Query(description="if its first bytes do not say it")] = None,
    header: Annotated[bool, Query(description="whether the first line of CSV names the columns")] = True,
    tenant: Annotated[str, Query(description="whose it is, where an operator asks")] = DEFAULT_TENANT,
    dry_run: Annotated[bool, Query(description="read and check it only")] = False,
    again: Annotated[bool, Query(description="take it though it was taken with another mapping")] = False,
    replace: Annotated[bool, Query(description="take it in the place of earlier imports of that name within its period")] = False,
) -> Response:
    """Take a file of usage in: CSV, JSON lines or Parquet, one call a row. Rows that are known already change nothing."""
    since = parse_time(epoch, datetime.now(UTC)) if epoch else None
    wish = mapping(columns, constants, Reading(timezone, time_unit, since, block_tokens, dates), only)
    principal: Principal | None = request.scope.get(PRINCIPAL)
    whose = principal.tenant if principal and principal.tenant else tenant
    taking = Taking(name, input_format, header, whose, dry_run, again, replace)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "file"
        await kept(request, path)
        taken = await run_in_threadpool(_answers(request).usage.take, path, wish, taking)
    return Response(plain.as_json(taken), media_type="application/json")


@router.get("/imports", response_model=list[Import])
def imports(request: Request, limit: Annotated[int, Query(ge=1, le=10_000)] = 100) -> Response:
    """Files of usage that were taken, the newest first."""
    principal: Principal | None = request.scope.get(PRINCIPAL)
    found = _answers(request).of(principal.tenant if principal else None).usage.imports(limit)
    return Response(plain.as_json(found), media_type="application/json")


@router.delete("/imports/{import_id}", response_model=Import)
def undo(
    request: Request,
    import_id: Annotated[int, Path(ge=0, lt=2**64, description="as the list of imports has it")],
    tenant: Annotated[str, Query(description="whose it is, where an operator asks")] = DEFAULT_TENANT,
) -> Response:
    """Take an import back: its calls go, and their hours are settled again."""
    principal: Principal | None = request.scope.get(PRINCIPAL)
    whose = principal.tenant if principal and principal.tenant else tenant
    return Response(plain.as_json(_answers(request).usage.undo(import_id, whose)), media_type="application/json")


def _answers(request: Request) -> Answers:
    found: Answers = request.app.state.answers
    return found
