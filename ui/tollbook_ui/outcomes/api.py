"""Routes of the API about outcomes."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from tollbook_ui.api import PREFIX, As, Ask, Format, Problem, Scoped, rows_written, written
from tollbook_ui.costs.api import PERIOD, Where
from tollbook_ui.outcomes.figures import Capacity, Headlines, Output, Return, Score
from tollbook_ui.outcomes.formulas import Growth, Tax, grown, taxes
from tollbook_ui.periods import parse_period

router = APIRouter(prefix=PREFIX, responses={422: {"model": Problem, "description": "The question is wrong"}})

Amount = Annotated[Decimal, Query(max_digits=38, decimal_places=18)]


@router.get("/roi", response_model=Return)
def roi(
    *,
    ask: Ask,
    scope: Scoped,
    benefit_usd: Amount,
    tax_hours: Amount = Decimal(0),
    rate_usd: Amount = Decimal(0),
    where: Where = None,
) -> Response:
    """What an initiative brings, against what it costs to run, to keep ready and to integrate."""
    found = ask.outcomes.roi(scope, benefit_usd, tax_hours=tax_hours, rate_usd=rate_usd, where=where or ())
    return written(found, Format.JSON)


@router.get("/capacity", response_model=Capacity)
def capacity(ask: Ask, scope: Scoped, shape: As = Format.JSON) -> Response:
    """What was paid for and not used by work that somebody owns."""
    return written(ask.outcomes.capacity(scope), shape)


@router.get("/output", response_model=Output)
def output(
    ask: Ask,
    scope: Scoped,
    before: Annotated[str, Query(description=PERIOD, examples=["2026-W46"])],
    after: Annotated[str, Query(description=PERIOD, examples=["2026-W47"])],
    shape: As = Format.JSON,
) -> Response:
    """Spend against output over two periods; the first row is of everything."""
    now = datetime.now(UTC)
    return written(ask.outcomes.output(parse_period(before, now), parse_period(after, now), scope), shape)


@router.get("/headlines", response_model=Headlines)
def headlines(ask: Ask, scope: Scoped, shape: As = Format.JSON) -> Response:
    """Latency, freshness, cost and quality of each workflow on one time axis."""
    return written(ask.outcomes.headlines(scope), shape)


@router.get("/calc/tax", response_model=list[Tax])
def calc_tax(
    *,
    engineers: Amount,
    sprints: Amount,
    hours: Amount,
    rate_usd: Amount,
    share: Annotated[list[Decimal], Query(description="Of the time, 0 to 1; several make a row each")],
    shape: As = Format.JSON,
) -> Response:
    """What integration work costs in a quarter, at each share of the time."""
    return rows_written(Tax, taxes(engineers, sprints, hours, rate_usd, share), shape)


@router.get("/calc/growth", response_model=list[Growth])
def calc_growth(
    percent: Amount,
    months: Annotated[int, Query(ge=1, le=1_200)],
    output_percent: Amount = Decimal(0),
    shape: As = Format.JSON,
) -> Response:
    """Growth by the month, and what it does to the cost of one output."""
    return rows_written(Growth, [grown(percent / 100, months, output_percent / 100)], shape)


@router.post("/scores", response_model=Score)
def score(ask: Ask, given: Annotated[Score, Body()]) -> Response:
    """Keeps what somebody thinks of an answer; the newest score of a name counts."""
    return written(ask.outcomes.score(given), Format.JSON)
