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
