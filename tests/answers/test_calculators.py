"""`tollbook calc`: what people type, and what programs read."""

import json

from fastapi import FastAPI
from fastapi.testclient import TestClient
from tollbook_ui.cli import app
from tollbook_ui.outcomes.api import router
from typer.testing import CliRunner

PEOPLE = ("--engineers", "5", "--sprints", "6", "--hours", "20", "--rate", "100")


def said(*arguments: str) -> str:
    answer = CliRunner().invoke(app, ["calc", *arguments])
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_growth_may_be_below_zero_and_a_share_in_percent() -> None:
    assert said("growth", "-20", "7").splitlines() == ["-3.137% a month, compounded", "cost of one output: x 0.8"]
    assert json.loads(said("growth", "-5%", "1", "--output", "-5", "--format", "json")) == [
        {"month_ratio": "-0.05", "unit_cost_factor": "1"}
    ]
    assert said("tax", *PEOPLE, "--share", "42%,0.3", "--format", "csv").split() == [
        "share,quarter_usd",
        "0.42,25200",
        "0.3,18000",
    ]


def test_the_api_calculates_the_same() -> None:
    serving = FastAPI()
    serving.include_router(router)
    client = TestClient(serving)
    growth = client.get("/api/v1/calc/growth", params={"percent": "-5", "months": 1, "output_percent": "-5"})
    assert growth.json() == [{"month_ratio": "-0.05", "unit_cost_factor": "1"}]
    people = {"engineers": 5, "sprints": 6, "hours": 20, "rate_usd": 100}
    tax = client.get("/api/v1/calc/tax", params={**people, "share": ["0.42", "0.3"], "format": "csv"})
    assert tax.text.split() == ["share,quarter_usd", "0.42,25200", "0.3,18000"]
    assert client.get("/api/v1/calc/growth", params={"percent": 5, "months": 0}).status_code == 422
