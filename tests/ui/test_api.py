"""The API: what it answers, how it refuses, and that every door gives the same digits."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tollbook_schema.store import StoreUnavailableError
from tollbook_ui import api
from tollbook_ui.answers import Answers
from tollbook_ui.front import Front

from tests.ui.ledger import ANSWER

HOUR = {"since": "2026-11-20T12:00", "until": "2026-11-20T13:00"}
ANSWERED = (
    "overview",
    "requests",
    "freshness",
    "accelerators",
    "hotspots",
    "findings",
    "owners",
    "calls",
    "workflows",
    "coverage",
    "hosts",
)


@pytest.mark.parametrize("path", [*ANSWERED, f"requests/{ANSWER}", f"receipts/{ANSWER}", "reports/2026-W47", "prices", "rates"])
def test_everything_is_answered_as_json_and_as_csv(client: TestClient, path: str) -> None:
    as_json = client.get(f"/api/v1/{path}", params=HOUR)
    assert (as_json.status_code, as_json.headers["content-type"]) == (200, "application/json")
    as_csv = client.get(f"/api/v1/{path}", params={**HOUR, "format": "csv"})
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(as_csv.text)))
    found = as_json.json()
    found = found if isinstance(found, list) else found.get("rows", [found])
    if not path.startswith("reports"):
        assert len(rows) == len(found) + 1


def test_a_filter_that_does_not_exist_is_refused(client: TestClient) -> None:
    refused = client.get("/api/v1/cost", params={**HOUR, "tema": "search"})
    assert (refused.status_code, refused.json()["detail"][:42]) == (422, "no parameter 'tema'; there are by, customer"[:42])


def test_money_is_text_with_every_digit(client: TestClient) -> None:
    totals = client.get("/api/v1/overview", params=HOUR).json()["totals"]
    assert totals["simulated_usd"] == "0.00035"
    assert Decimal(totals["total_usd"]) == Decimal(totals["requests_usd"]) + Decimal(totals["idle_usd"])


def test_every_door_gives_the_same_total_to_the_last_digit(client: TestClient) -> None:
    statement = "SELECT sum(amount_usd) AS usd, count() AS lines FROM ledger WHERE window = '2026-11-20 12:00:00'"
    asked = client.post("/api/v1/sql", json={"query": statement}).json()
    by_sql, lines = asked["rows"][0]
    by_report = client.get("/api/v1/reports/2026-W47").json()["overview"]["totals"]
    by_api = client.get("/api/v1/overview", params=HOUR).json()["totals"]
    as_csv = client.get("/api/v1/overview", params={**HOUR, "format": "csv"}).text
    by_csv = sum(Decimal(row["amount_usd"]) for row in csv.DictReader(io.StringIO(as_csv)))
    owners = client.get("/api/v1/owners", params={**HOUR, "format": "csv", "by": "team,workflow"}).text
    by_owner = sum(Decimal(row["amount_usd"]) for row in csv.DictReader(io.StringIO(owners)) if row["amount_usd"])
    sql_csv = client.post("/api/v1/sql", json={"query": statement}, params={"format": "csv"}).text
    assert by_sql == by_report["total_usd"] == by_api["total_usd"]
    assert Decimal(by_sql) == by_csv == by_owner
    assert sql_csv == f"usd,lines\r\n{by_sql},{lines}\r\n"
    requests = client.get("/api/v1/requests", params=HOUR).json()["rows"]
    receipts = [client.get(f"/api/v1/receipts/{row['trace_id']}").json() for row in requests]
    assert [row["cost_usd"] for row in requests] == [receipt["total_usd"] for receipt in receipts]
    assert sum(Decimal(row["cost_usd"] or 0) for row in requests) + Decimal(by_api["idle_usd"]) == Decimal(by_sql)


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        (f"receipts/{'0' * 31}f", 404, f"no span of trace {'0' * 31}f is stored"),
        ("requests/xyz", 422, "a trace id is 32 hex digits, not 'xyz'"),
        ("overview?since=yesterday", 422, "'yesterday' is no time"),
        ("requests?limit=0", 422, "limit: Input should be greater than or equal to 1"),
        ("requests?order=wealth", 422, "requests cannot be ordered by 'wealth'"),
        ("owners?by=colour", 422, "no owner key 'colour'"),
        ("reports/2026-W60", 422, "there is no week 2026-W60"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong(client: TestClient, path: str, status: int, detail: str) -> None:
    answer = client.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert detail in answer.json()["detail"]
    assert answer.json()["hint"]


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE spans",
        "SELECT 1; DROP TABLE spans",
        "SELECT * FROM file('/etc/passwd')",
        "INSERT INTO ledger VALUES (1)",
        "SELEC 1",
        "",
    ],
)
def test_sql_answers_questions_only(client: TestClient, query: str) -> None:
    answer = client.post("/api/v1/sql", json={"query": query})
    assert answer.status_code == 400
    assert answer.json()["title"] == "Refused"


def test_sql_says_when_there_is_more(client: TestClient) -> None:
    answer = client.post("/api/v1/sql", json={"query": "SELECT number FROM numbers(5)", "max_rows": 3}).json()
    assert (answer["rows"], answer["truncated"]) == ([[0], [1], [2]], True)


def test_settling_again_changes_nothing(client: TestClient) -> None:
    before = client.get("/api/v1/overview", params=HOUR).json()["totals"]
    answer = client.post("/api/v1/settle", json={"since": "2026-11-20T12:00:00Z", "until": "2026-11-20T13:00:00Z"}).json()
    assert (answer["windows"], answer["difference_usd"], answer["amount_usd"]) == (1, "0", before["total_usd"])
    assert client.post("/api/v1/settle").json()["windows"] == 0
    assert client.get("/api/v1/overview", params=HOUR).json()["totals"] == before


def test_a_rate_is_set_and_listed(client: TestClient) -> None:
    rate = {"instance_type": "crate", "usd_per_hour": "0.2016", "vcpus": "4", "region": "eu-west-1"}
    assert client.post("/api/v1/rates", json=rate).json() == {"rate_id": "eu-west-1/crate@1970-01-01T00:00:00Z"}
    assert "0.2016" in [row["usd_per_hour"] for row in client.get("/api/v1/rates").json() if row["instance_type"] == "crate"]
    assert client.post("/api/v1/rates", json={**rate, "vcpus": "0"}).status_code == 422


def test_the_report_comes_as_a_page_and_as_markdown(client: TestClient) -> None:
    page = client.get("/api/v1/reports/2026-W47", params={"format": "html"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    text = client.get("/api/v1/reports/2026-W47", params={"format": "md"})
    assert text.headers["content-type"] == "text/markdown; charset=utf-8"
    assert "2026-W47" in page.text
    assert "2026-W47" in text.text


def test_the_doctor_says_what_to_see_to(client: TestClient) -> None:
    found = client.get("/api/v1/doctor").json()
    assert found["extent"]["spans"] == 10
    assert "1 model call without a price" in [row["matter"] for row in found["rows"]]


def test_openapi_describes_every_path_with_money_as_text(client: TestClient) -> None:
    described = client.get("/api/v1/openapi.json").json()
    for path in (
        *ANSWERED,
        "requests/{trace_id}",
        "receipts/{trace_id}",
        "reports/{week}",
        "sql",
        "settle",
        "doctor",
        "prices",
        "rates",
    ):
        assert f"/api/v1/{path}" in described["paths"]
    assert described["components"]["schemas"]["Totals"]["properties"]["total_usd"]["type"] == "string"
    assert all(operation.get("description") for operations in described["paths"].values() for operation in operations.values())


def test_a_store_that_is_away_is_503_and_come_back() -> None:
    class Away:
        def query(self, *_: Any) -> Any:
            raise StoreUnavailableError("connection refused")

    answer = TestClient(api.create(Answers(Away()))).get("/api/v1/overview")  # type: ignore[arg-type]  # the store that is away
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["detail"] == "connection refused"
    assert TestClient(api.create()).post("/api/v1/settle").status_code == 503


def test_the_answers_of_a_span_and_of_the_same_data(client: TestClient) -> None:
    assert client.get(f"/api/v1/requests/{ANSWER}/spans/{13:016x}").json()["request_model"] == "gpt-4o"
    assert client.get(f"/api/v1/requests/{ANSWER}/same_data").json() == {}


def test_a_route_that_is_not_there_is_a_problem_too() -> None:
    for method, path in (("GET", "/api/v1/costs"), ("DELETE", "/api/v1/cost")):
        answer = TestClient(Front(wanted=False), base_url="http://localhost").request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
        assert answer.json()["detail"] == f"there is no {method} {path}"
