"""Routes of the API about policies, rates of accelerators, and commitments."""

from typing import Annotated

from fastapi import APIRouter, Body, Response

from tollbook_ui.api import PREFIX, As, Ask, Format, Problem, rows_written, written
from tollbook_ui.machines.figures import (
    AcceleratorRate,
    NewAcceleratorRate,
    NewElectricity,
    NewPaid,
    NewPolicy,
    Paid,
    Policy,
    RateFile,
    RatesImported,
)

router = APIRouter(prefix=PREFIX, responses={422: {"model": Problem, "description": "The question is wrong"}})


@router.get("/policies", response_model=list[Policy])
def policies(ask: Ask, shape: As = Format.JSON) -> Response:
    """Who bears idle and shared cost, and how concurrent requests share an accelerator; as it was set, and by default."""
    return rows_written(Policy, ask.machines.policies(), shape)


@router.post("/policies", response_model=Policy)
def set_policy(ask: Ask, policy: Annotated[NewPolicy, Body()]) -> Response:
    """Sets a rule from a moment on; settled hours change when they are settled again."""
    return written(ask.machines.set_policy(policy), Format.JSON)


@router.get("/rates/accelerators", response_model=list[AcceleratorRate])
def accelerators(ask: Ask, shape: As = Format.JSON) -> Response:
    """What an hour of each model of accelerator costs."""
    return rows_written(AcceleratorRate, ask.machines.accelerators(), shape)


@router.post("/rates/accelerators", response_model=AcceleratorRate)
def set_accelerator(ask: Ask, rate: Annotated[NewAcceleratorRate, Body()]) -> Response:
    """Adds what an hour of an accelerator costs."""
    return written(ask.machines.set_accelerator(rate), Format.JSON)


@router.post("/rates/electricity", response_model=NewElectricity)
def set_electricity(ask: Ask, wish: Annotated[NewElectricity, Body()]) -> Response:
    """Adds what a kWh costs at a site, and how much the building draws beside."""
    return written(ask.machines.set_electricity(wish), Format.JSON)


@router.get("/rates/commitments", response_model=list[Paid])
def commitments(ask: Ask, shape: As = Format.JSON) -> Response:
    """What was paid for a period whatever is used of it."""
    return rows_written(Paid, ask.machines.commitments(), shape)


@router.post("/rates/commitments", response_model=Paid)
def set_commitment(ask: Ask, paid: Annotated[NewPaid, Body()]) -> Response:
    """Adds a commitment; one of its name is replaced."""
    return written(ask.machines.set_commitment(paid), Format.JSON)


@router.post("/rates/import", response_model=RatesImported)
def take(ask: Ask, file: Annotated[RateFile, Body()]) -> Response:
    """Adds all rates of a file, or none."""
    return written(ask.machines.take(file), Format.JSON)
