"""What transfers, stored copies and services cost, as people ask: in this process, over the API, on the command line."""

from decimal import Decimal
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tollbook_attribution import engine, prices
from tollbook_schema.store import Store
from tollbook_ui import api
from tollbook_ui.answers import Answers
from tollbook_ui.figures import Scope
from tollbook_ui.look import data
from tollbook_ui.periods import BadQuestionError

from tests.attribution.facts import NOON, Intake
from tests.transfer.conftest import GB, handoff, http, price, set_prices
from tests.transfer.test_services import asked

TWO_DAYS = Scope(since=NOON.replace(hour=0), until=NOON.replace(day=22, hour=0))
FILE = """asset,location,provider,class,region,bytes,from,until,team
corpus,lake,aws,s3-standard,eu-west-1,10000000000,2026-11-20T12:00:00Z,2026-11-21T12:00:00Z,search
corpus,index,aws,s3-standard,eu-west-1,20000000000,2026-11-20,2026-11-21T00:00:00+00:00,search
"""


def test_a_pipelines_egress_and_what_else_data_costs_is_answered(store: Store, intake: Intake, tmp_path: Path) -> None:
    set_prices(store)
    prices.add(store, [price("storage", "stored", "0.30", "gb_month", model="s3-standard")])
    intake.spans([handoff(1, 11, 10 * GB, network="internet", destination="partner"), http(2, 21, 0, (GB, 0), "10.0.0.1")])
    intake.spans([asked(31, db__system__name="pinecone", pinecone__usage__read_units=1000)])
    answers = Answers(store)
    (tmp_path / "stored.csv").write_text(FILE)
    assert [answers.data.declare(tmp_path / "stored.csv").new_rows for _ in range(2)] == [2, 0]
    engine.settle(store)
    moved = answers.data.transfers(TWO_DAYS)
    assert (moved.moved_bytes, moved.priced_bytes, moved.known_usd) == (11 * GB, 10 * GB, Decimal("0.9"))
    first, second = moved.rows
    assert (first.workflow, first.network, first.destination) == ("pipeline 1", "internet", "partner")
    assert first.known_usd == Decimal("0.9")
    assert (second.network, second.known_usd) == ("unknown", None)
    held = {row.location: (row.held_hours, row.known_usd, row.copies) for row in answers.data.stored(TWO_DAYS).rows}
    assert held == {"lake": (24, Decimal("0.1"), 2), "index": (24, Decimal("0.2"), 2)}
    assert answers.data.stored(Scope(since=TWO_DAYS.since, until=TWO_DAYS.until, team="other")).rows == ()
    (used,) = answers.data.services(TWO_DAYS).rows
    assert (used.service, used.uses, used.quantity, used.known_usd) == ("pinecone", 1, 1000, Decimal("0.016"))
    shown = data.cards(moved, answers.data.stored(TWO_DAYS), answers.data.services(TWO_DAYS)).cards
    assert [card.value for card in shown] == ["10.2 GiB", "$0.9", "27.9 GiB", "$0.3", "$0.016"]
    assert [(part.label, part.value) for part in data.boundary_stack(moved).parts] == [
        ("To the internet", 10 * GB),
        ("Boundary unknown", GB),
    ]
    assert [row[-1].text for row in data.transfer_table(moved.rows).rows] == ["$0.9", "unpriced"]
    client = TestClient(api.create(answers), base_url="http://localhost")
    period = {"since": "2026-11-20", "until": "2026-11-22"}
    assert client.get("/api/v1/transfers", params=period).json()["known_usd"] == "0.9"
    assert client.get("/api/v1/storage", params={**period, "format": "csv"}).text.count("\n") == 3
    sent = client.post("/api/v1/storage/imports", params={"name": "again.csv"}, content=FILE.encode())
    assert sent.json() == {"file": "again.csv", "rows": 2, "new_rows": 0}


WRONG = {
    "asset,location,bytes\na,b,1\n": "has no column 'from'",
    "asset,location,bytes,from,size\na,b,1,2026-11-20,2\n": "line 1: no column is called 'size'",
    "asset,location,bytes,from\na,b,1\n": "line 2: has fewer cells",
    "asset,location,bytes,from\na,b,1.000,2026-11-20\n": "line 2, column bytes: '1.000' is no whole number",
    "asset,location,bytes,from\na,,1,2026-11-20\n": "line 2, column location: is missing",
    "asset,location,bytes,from\na,b,1,20.11.2026\n": "line 2, column from: '20.11.2026' is no time",
    "asset,location,bytes,from,until\na,b,1,2026-11-20,2026-11-19\n": "line 2, column until: '2026-11-19' is not after",
    'asset,location,bytes,from\n"a' + 200_000 * "a": "stored.csv, line 2: ",  # a quotation mark that never ends
    "asset,location,bytes,from\na,b,1,2026-11-20\na,b,2,2026-11-21\n": "line 3: 'a' in 'b' is held twice at a time, also by",
}


def test_a_file_of_stored_assets_is_taken_whole_or_not_at_all(store: Store, tmp_path: Path) -> None:
    data = Answers(store).data
    for content, reason in WRONG.items():
        (tmp_path / "stored.csv").write_text(f"{content}")
        with pytest.raises(BadQuestionError) as refusal:
            data.declare(tmp_path / "stored.csv", "stored.csv")
        assert reason in str(refusal.value)
    assert store.query("SELECT count() AS n FROM stored_assets") == [{"n": 0}]
    (tmp_path / "stored.csv").write_text("asset,location,bytes,from\na,b,1,2026-11-20\n")
    data.declare(tmp_path / "stored.csv")
    (tmp_path / "stored.csv").write_text("asset,location,bytes,from\na,b,1,2026-11-21\n")
    with pytest.raises(BadQuestionError, match="is held already since 2026-11-20"):
        data.declare(tmp_path / "stored.csv")
