"""Routes of the API about cost."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from tollbook_ui.api import PREFIX, As, Ask, Format, Problem, Scoped, written
from tollbook_ui.costs.figures import Anomalies, Bridge, Caches, Cost
from tollbook_ui.costs.keys import KEYS
from tollbook_ui.costs.questions import BRIDGED_BY
from tollbook_ui.periods import parse_period

router = APIRouter(prefix=PREFIX, responses={422: {"model": Problem, "description": "The question is wrong"}})

By = Annotated[str, Query(description=f"keys with commas between them: {', '.join(KEYS)}", examples=["team,model"])]
Where = Annotated[list[str] | None, Query(description="KEY=VALUE, may be given several times", examples=[["model=gpt-4o"]])]
PERIOD = "2026-11-09..2026-11-16 or 14d..7d without its end, 7d up to now, a day 2026-11-09, a month 2026-11, or a week 2026-W46"


@router.get("/cost", response_model=Cost)
def cost(
    *,
    ask: Ask,
    scope: Scoped,
    by: By = "",
    where: Where = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1_000,
    shape: As = Format.JSON,
) -> Response:
    """Money by any keys, with unit costs; the rows add up to the total."""
    return written(ask.costs.by(scope, by.split(","), where or (), limit), shape)


@router.get("/bridge", response_model=Bridge)
def bridge(
    *,
    ask: Ask,
    scope: Scoped,
    before: Annotated[str, Query(description=PERIOD, examples=["2026-W46"])],
    after: Annotated[str, Query(description=PERIOD, examples=["2026-W47"])],
    by: Annotated[
        str, Query(description=f"what tells workloads apart, up to three of {', '.join(sorted(BRIDGED_BY))}")
    ] = "workflow",
    where: Where = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="drivers listed")] = 20,
    shape: As = Format.JSON,
) -> Response:
    """Why cost changed between two periods: causes that add up to the difference, to the last digit."""
    now = datetime.now(UTC)
    periods = parse_period(before, now), parse_period(after, now)
    return written(ask.costs.bridge(*periods, by.split(","), where or (), scope=scope, limit=limit), shape)


@router.get("/anomalies", response_model=Anomalies)
def anomalies(
    *,
    ask: Ask,
    scope: Scoped,
    by: By = "workflow",
    where: Where = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 20,
    shape: As = Format.JSON,
) -> Response:
    """Hours and days at which a group cost far more than usual, with what moved it."""
    return written(ask.costs.anomalies(scope, by.split(","), where or (), limit), shape)


@router.get("/caches", response_model=Caches)
def caches(ask: Ask, scope: Scoped, shape: As = Format.JSON) -> Response:
    """What caching saved, what it cost, and what one's own caches avoided."""
    return written(ask.costs.caches(scope), shape)
