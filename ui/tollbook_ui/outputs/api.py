"""The route of the API about AI outputs."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from tollbook_ui.api import PREFIX, As, Ask, Format, Problem, Scoped, written
from tollbook_ui.outputs.figures import Outputs

router = APIRouter(prefix=PREFIX, responses={422: {"model": Problem, "description": "The question is wrong"}})


@router.get("/outputs", response_model=Outputs)
def outputs(
    ask: Ask,
    scope: Scoped,
    by: Annotated[str, Query(description="response, trace, asset or digest")] = "response",
    shape: As = Format.JSON,
) -> Response:
    """AI outputs of a period by their ids, to be joined with stored records."""
    return written(ask.outputs.told(scope, by), shape)
