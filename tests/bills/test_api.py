"""Bills over the API: a file goes as the body of a request, problems come back with file, line and column."""

import io
import zipfile
from pathlib import Path

from fastapi.testclient import TestClient
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers

from tests.bills.conftest import as_csv, focus
from tests.ui.conftest import application

IMPORTS = "/api/v1/bills/imports"


def test_files_are_taken_listed_and_refused_over_the_api(store: Store) -> None:
    client = TestClient(application(Answers(store), Path()), base_url="http://localhost")
    refused = client.post(IMPORTS, params={"name": "nov.csv"}, content=as_csv([focus(), focus(BilledCost="1,5")]))
    assert refused.status_code == 422
    assert "nov.csv, line 3, column BilledCost: '1,5'" in refused.json()["detail"]
    assert client.get("/api/v1/bills").json() == []
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("a.csv", as_csv([focus(BilledCost="0.10")]))
        zipped.writestr("b.csv", as_csv([focus(BilledCost="2")]))
    taken = client.post(IMPORTS, params={"name": "the files", "period": "2026-11"}, content=archive.getvalue())
    assert taken.status_code == 200
    assert taken.json()["rows"][0]["files"] == ["a.csv", "b.csv"]
    assert [row["billed_cost"] for row in client.get("/api/v1/bills").json()] == ["2.1"]
    assert client.get("/api/v1/bills/charges").json()["rows"][0]["billed_cost"] == "2.1"
    [row] = client.get("/api/v1/bills/reconciliation").json()["rows"]
    assert (row["billed"], row["unattributed"], row["pending"]) == ("2.1", "2.1", "2.1")
    mapped = client.post("/api/v1/bills/mappings", json={"target": "none", "provider": "aws"})
    assert mapped.status_code == 200
    assert client.delete(f"/api/v1/bills/mappings/{mapped.json()['mapping_id']}").status_code == 200
    assert client.post("/api/v1/bills/reconcile").json() == {"changed": False}
    focused = client.get("/api/v1/bills/focus", params={"since": "2026-11-20", "until": "2026-11-21"})
    assert focused.text.startswith("AllocatedMethodDetails,")
    assert client.get("/api/v1/bills/focus", params={"format": "xml"}).status_code == 422
    assert client.post("/api/v1/bills/reconcile", params={"cost": "list"}).status_code == 422
    for wish in ({"target": "none", "provider": "aws", "tenant": "A'--"}, {"target": "none"}):
        assert client.post("/api/v1/bills/mappings", json=wish).status_code == 422
    assert client.delete("/api/v1/bills/mappings/none", params={"tenant": "A B"}).status_code == 422


def test_an_import_is_taken_back_and_what_it_replaced_counts_again(store: Store) -> None:
    client = TestClient(application(Answers(store), Path()), base_url="http://localhost")

    def taken(cost: str, **asked: str) -> int:
        answer = client.post(IMPORTS, params={"name": "a.csv", **asked}, content=as_csv([focus(BilledCost=cost)]))
        assert answer.status_code == 200, answer.text
        return int(answer.json()["import_id"])

    def in_force() -> list[tuple[str, int, int]]:
        assert [row["billed"] for row in client.get("/api/v1/bills/reconciliation").json()["rows"]] == [
            row["billed_cost"] for row in client.get("/api/v1/bills").json()
        ]
        return [(row["billed_cost"], row["lines"], row["import_id"]) for row in client.get("/api/v1/bills").json()]

    first, second = taken("1"), taken("5")
    third = taken("0.5", add="true")
    assert in_force() == [("5.5", 2, third)]
    refused = client.delete(f"{IMPORTS}/{second}")
    assert (refused.status_code, f"import {third} was added to import {second}" in refused.text) == (422, True)
    for import_id, lines, left in ((third, 2, [("5", 1, second)]), (second, 1, [("1", 1, first)]), (first, 1, [])):
        undone = client.delete(f"{IMPORTS}/{import_id}").json()
        assert (undone["lines"], [row["billed_cost"] for row in undone["rows"]]) == (lines, [cost for cost, _, _ in left])
        assert {row["versions"] for row in undone["rows"]} <= {3}
        assert in_force() == left
    again = client.delete(f"{IMPORTS}/{first}")
    assert (again.status_code, "no bill in force has lines of import" in again.text) == (422, True)
    assert in_force() == []
    taken("2")
    assert [cost for cost, _, _ in in_force()] == ["2"]
    assert store.query("SELECT count() AS lines FROM bill_lines") == [{"lines": 4}]
