"""Routes of the API about budgets."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from tollbook_ui.api import PREFIX, As, Ask, Format, Problem, Scoped, written
from tollbook_ui.budgets.figures import Alerts, Budget, Budgets, View
from tollbook_ui.periods import parse_time

router = APIRouter(prefix=PREFIX, responses={422: {"model": Problem, "description": "The question is wrong"}})

Tenant = Annotated[str, Query(description="whose; the operator alone may name another's")]


@router.get("/budgets", response_model=Budgets)
def budgets(
    ask: Ask,
    at: Annotated[str | None, Query(description="as of then; now if not given", examples=["2026-11-20"])] = None,
    shape: As = Format.JSON,
) -> Response:
    """Every budget in its current period: spent, left, forecast, pace, state."""
    return written(ask.budgets.status(parse_time(at, datetime.now(UTC)) if at else None), shape)


@router.get("/budgets/view", response_model=View)
def view(ask: Ask, scope: Scoped, tenant: Tenant = "default", shape: As = Format.JSON) -> Response:
    """The money of a period, the current month if not given, by budget line and by workload; both add up to the same total."""
    return written(ask.budgets.view(scope.since, scope.until, tenant), shape)


@router.get("/budgets/alerts", response_model=Alerts)
def alerts(ask: Ask, limit: Annotated[int, Query(ge=1, le=10_000)] = 50, shape: As = Format.JSON) -> Response:
    """What was told of budgets, newest first."""
    return written(ask.budgets.alerts(limit), shape)


@router.post("/budgets", response_model=Budget)
def set_budget(ask: Ask, budget: Annotated[Budget, Body()]) -> Response:
    """Sets a budget; one of this name is replaced from now on."""
    return written(ask.budgets.set(budget), Format.JSON)


@router.delete("/budgets/{name}", response_model=Budget)
def delete_budget(ask: Ask, name: Annotated[str, Path(description="its name")], tenant: Tenant = "default") -> Response:
    """Ends a budget; what is part of it stands at the top from then on."""
    return written(ask.budgets.delete(name, tenant), Format.JSON)
