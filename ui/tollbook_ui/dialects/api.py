"""Routes of the API about how calls are told."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from tollbook_ui.api import PREFIX, As, Ask, Format, Problem, written
from tollbook_ui.dialects.figures import Normalization
from tollbook_ui.periods import parse_time

router = APIRouter(prefix=PREFIX, responses={422: {"model": Problem, "description": "The question is wrong"}})

When = Annotated[str | None, Query(description="a time, or how long ago", examples=["2026-11-20T12:00"])]


@router.get("/dialects", response_model=Normalization)
def dialects(ask: Ask, since: When = None, until: When = None, shape: As = Format.JSON) -> Response:
    """What calls came to, by the dialect that tells of them; without a period, of hours settled with another table."""
    return written(ask.dialects.normalization(_moment(since), _moment(until)), shape)


def _moment(text: str | None) -> datetime | None:
    return parse_time(text, datetime.now(UTC)) if text else None
