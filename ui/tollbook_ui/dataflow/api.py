"""Routes of the API about data that moves and lies."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from tollbook_collector.otlp_http import PRINCIPAL
from tollbook_schema.keys import Principal
from tollbook_schema.tenants import DEFAULT_TENANT, checked_tenant

from tollbook_ui import plain
from tollbook_ui.api import PREFIX, As, Ask, Format, Problem, Scoped, written
from tollbook_ui.dataflow.figures import Access, Declared, Principals, Services, Stored, Transfers
from tollbook_ui.periods import BadQuestionError
from tollbook_ui.uploads import BODY, kept

router = APIRouter(prefix=PREFIX, responses={422: {"model": Problem, "description": "The question is wrong"}})

Rows = Annotated[int, Query(ge=1, le=10_000)]


@router.get("/transfers", response_model=Transfers)
def transfers(ask: Ask, scope: Scoped, limit: Rows = 1_000, shape: As = Format.JSON) -> Response:
    """Bytes that moved, each counted once, by pipeline and kind of boundary, and what they cost."""
    return written(ask.data.transfers(scope, limit), shape)


@router.get("/storage", response_model=Stored)
def storage(ask: Ask, scope: Scoped, limit: Rows = 1_000, shape: As = Format.JSON) -> Response:
    """Copies of assets, how long they were held, and what that cost."""
    return written(ask.data.stored(scope, limit), shape)


@router.get("/services", response_model=Services)
def services(ask: Ask, scope: Scoped, limit: Rows = 1_000, shape: As = Format.JSON) -> Response:
    """Vector databases, searches and tools that are paid by use."""
    return written(ask.data.services(scope, limit), shape)


@router.get("/principals", response_model=Principals)
def principals(
    ask: Ask,
    scope: Scoped,
    *,
    asset: str | None = None,
    model: str | None = None,
    principal: str | None = None,
    limit: Rows = 1_000,
    shape: As = Format.JSON,
) -> Response:
    """Users, and services where no span names a user, that had assets read for models, with their calls."""
    return written(ask.data.principals(scope, Access(asset, model, principal), limit), shape)


@router.post("/storage/imports", response_model=Declared, openapi_extra=BODY)
async def declare(
    request: Request,
    name: Annotated[str, Query(description="of the file, as people know it", max_length=1000)] = "the file",
    tenant: Annotated[str, Query(description="whose it is, where an operator asks")] = DEFAULT_TENANT,
) -> Response:
    """Take a file of stored assets in: CSV with asset, location, bytes, from, perhaps provider, class, region, until, owners."""
    principal: Principal | None = request.scope.get(PRINCIPAL)
    data: Any = request.app.state.answers.data
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        await kept(request, path)
        try:
            whose = checked_tenant(principal.tenant if principal and principal.tenant else tenant)
        except ValueError as error:
            raise BadQuestionError(str(error)) from error
        found = await run_in_threadpool(data.declare, path, name, whose)
    return Response(plain.as_json(found), media_type="application/json")
