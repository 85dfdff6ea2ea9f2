"""Usage files through the doors: over the API, on the command line with a server and without one."""

import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tollbook_schema.store import Store
from tollbook_ui import access, api
from tollbook_ui.answers import Answers
from tollbook_ui.cli import app
from typer.testing import CliRunner

from tests.usage.conftest import COLUMNS, GPT_4O

FILE = "t,i,o\n2026-11-20T12:00:00Z,10,2\n2026-11-20T12:00:01Z,4,1\n"
ASKED = {"map": COLUMNS, "set": GPT_4O, "name": "calls.csv"}


def test_a_file_comes_over_the_api(store: Store) -> None:
    client = TestClient(api.create(Answers(store)), base_url="http://localhost")
    looked = client.post("/api/v1/usage/imports", params={**ASKED, "dry_run": True}, content=FILE.encode()).json()
    assert (looked["rows"], looked["stored"], looked["first_rows"][1]["fields"]["input_tokens"]) == (2, False, "4")
    taken = [client.post("/api/v1/usage/imports", params=ASKED, content=FILE.encode()).json()["new_calls"] for _ in range(2)]
    assert taken == [2, 0]
    assert [known["file"] for known in client.get("/api/v1/usage/imports").json()] == ["calls.csv"] * 2
    first = client.get("/api/v1/usage/imports").json()[-1]["import_id"]
    undone = [client.delete(f"/api/v1/usage/imports/{first}") for _ in range(2)]
    assert ([answer.status_code for answer in undone], undone[0].json()["new_calls"]) == ([200, 422], 2)
    wrong = client.post("/api/v1/usage/imports", params=ASKED, content=b"t,i,o\n2026-11-20,1.234,2\n")
    assert (wrong.status_code, wrong.headers["content-type"]) == (422, "application/problem+json")
    assert "calls.csv, line 2, column i: '1.234' is written with thousands separators" in wrong.json()["detail"]
    assert client.post("/api/v1/usage/imports", params={"map": "tokens=x"}, content=b"").status_code == 422


@pytest.fixture
def opened(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands work on the store of the test."""
    from contextlib import nullcontext

    monkeypatch.setattr(access, "opened", lambda where, create: nullcontext(Answers(store)))


@pytest.mark.usefixtures("opened")
def test_the_command_shows_what_it_would_take_and_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text(FILE)
    run = CliRunner().invoke
    bare = run(app, ["import", "usage", str(path)])
    assert bare.exit_code == 2
    assert "is no export that is known by its columns: t, i, o" in bare.output
    assert "--map timestamp=t,input_tokens=COLUMN,output_tokens=COLUMN --set provider=PROVIDER,model=MODEL" in bare.output
    mapped = ["import", "usage", str(path), "--map", COLUMNS, "--set", GPT_4O]
    looked = run(app, [*mapped, "--dry-run"])
    assert "all rows can be read, nothing was taken" in looked.output
    assert "2026-11-20 12:00:01.000000" in looked.output
    assert "2 new" in run(app, mapped).output
    again = json.loads(run(app, [*mapped, "--format", "json"]).output)
    assert [(file["rows"], file["new_calls"]) for file in again] == [(2, 0)]
    last = json.loads(run(app, ["import", "list", "--format", "json"]).output)[0]
    assert "calls.csv: 0 calls taken back" in run(app, ["import", "undo", str(last["import_id"])]).output
    assert "contexttokens" in run(app, ["import", "targets"]).output
    path.write_text("TIMESTAMP,ContextTokens\n1,2\n")
    assert "--map timestamp=TIMESTAMP,input_tokens=ContextTokens" in run(app, ["import", "usage", str(path)]).output
