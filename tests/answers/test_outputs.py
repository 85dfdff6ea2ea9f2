"""AI outputs joined with stored records: orphans planted on both sides are found exactly, and nothing else."""

import json
from contextlib import nullcontext
from pathlib import Path

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from pyarrow import parquet
from tollbook_attribution import engine
from tollbook_schema.store import Store
from tollbook_ui import access, api
from tollbook_ui.answers import Answers
from tollbook_ui.cli import app
from tollbook_ui.figures import Scope
from tollbook_ui.outputs.figures import Output, Outputs, Record, Records
from tollbook_ui.outputs.joined import reconciled
from tollbook_ui.outputs.records import records
from tollbook_ui.periods import BadQuestionError, whole_hours
from typer.testing import CliRunner, Result

from tests.attribution.facts import NOON, Intake, S, Span, chat

HOUR = Scope(NOON, NOON.replace(hour=13))
PERIOD = ["--from", "2026-11-20T12:00", "--to", "2026-11-20T13:00"]

WRITTEN = (
    "id,stored_at\n"
    + "".join(f"resp-{number},2026\n" for number in (1, 2, 4, 5, 7))
    + " resp-8 ,2026\ngone-1,2026\n\ngone-2,2026\n"
)
"""What the database has: outputs 3, 6 and 9 never came, two records are of no output."""


def output(number: int, **given: object) -> Span:
    """A model call in a trace of its own, each as large as no other."""
    return chat(number, number, start_ns=number * S, input=100 + number, output=10, response_id=f"resp-{number}", **given)


def stored(trace: int, digest: str, asset: str = "answers") -> Span:
    """What a trace writes."""
    written = {"tollbook.kind": "handoff", "tollbook.handoff.operation": "write", "tollbook.content.digest": digest}
    return Span(trace, trace + 100, trace, "store", start_ns=trace * S, attributes={**written, "tollbook.asset.id": asset})


@pytest.fixture
def answers(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Nine outputs of an hour; commands ask them."""
    spans = [output(number, service="chat" if number < 6 else "mail") for number in range(1, 10)]
    again = chat(4, 44, 4, start_ns=4 * S, input=104, output=10, response_id="resp-4")
    nameless = chat(20, 20, start_ns=20 * S, input=9, output=1)
    Intake(store, tmp_path).spans(
        [*spans, again, nameless, stored(1, "aa", "answer-1"), stored(2, "bb"), stored(3, "bb"), stored(99, "cc")]
    )
    engine.settle(store)
    found = Answers(store)
    monkeypatch.setattr(access, "opened", lambda where, create: nullcontext(found))
    return found


def reconcile(path: Path, *more: str) -> Result:
    return CliRunner().invoke(app, ["outputs", "reconcile", str(path), *PERIOD, *more])


def test_three_orphan_outputs_and_two_orphan_records_are_found_exactly(answers: Answers, tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(WRITTEN)
    run = reconcile(path, "--format", "json", "--strict")
    found = json.loads(run.output)
    assert run.exit_code == 1
    assert [found[name] for name in ("outputs", "records", "matched", "outputs_without_id")] == [9, 8, 6, 1]
    assert [row["id"] for row in found["orphan_outputs"]] == ["resp-3", "resp-6", "resp-9"]
    first = {"time": "2026-11-20T12:00:03Z", "service_name": "chat", "model": "gpt-4o", "trace_id": f"{3:032x}", "told": 1}
    assert first.items() <= found["orphan_outputs"][0].items()
    assert found["orphan_records"] == [{"line": 8, "id": "gone-1"}, {"line": 10, "id": "gone-2"}]
    table = reconcile(path, "--limit", "1")
    assert table.exit_code == 0
    assert "9 outputs by response, 8 records by id: 6 matched, 3 orphan outputs, 2 orphan records" in table.output
    assert "1 output without such an id: left out" in table.output
    assert ["and 2 more" in table.output, "and 1 more" in table.output, "resp-6" in table.output] == [True, True, False]
    assert reconcile(path, "--format", "csv").output.count("\n") == 1 + 3 + 2
    asked = {"since": "2026-11-20T12:00", "until": "2026-11-20T13:00", "service": "mail"}
    told = TestClient(api.create(answers), base_url="http://localhost").get("/api/v1/outputs", params=asked).json()
    assert [row["id"] for row in told["rows"]] == ["resp-6", "resp-7", "resp-8", "resp-9"]
    ways = {by: [(row.id, row.told) for row in answers.outputs.told(HOUR, by).rows] for by in ("trace", "asset", "digest")}
    assert ways["trace"] == [(f"{number:032x}", 1) for number in (*range(1, 10), 20)]
    assert ways["asset"] == [("answer-1", 1), ("answers", 2)]
    assert ways["digest"] == [("aa", 1), ("bb", 2)]
    path.write_text("resp-1\nresp-2\n")
    refusals = {
        ("--column", "key"): "has no column 'key'; it has resp-1",
        (): "begins with the id of an output, not with the names of its columns: give --no-header",
        ("--by", "name"): "outputs are told by response, trace, asset, digest, not by 'name'",
        ("--service", "none"): "no AI output from 2026-11-20 12:00 to 2026-11-20 13:00 UTC has an id by response (0 have none)",
    }
    for more, reason in refusals.items():
        refused = reconcile(path, *more)
        assert (refused.exit_code, reason in " ".join(refused.output.split())) == (2, True), refused.output
    assert "2 matched" in reconcile(path, "--no-header").output


def test_ids_are_read_from_files_of_each_form(tmp_path: Path) -> None:
    path = tmp_path / "records"
    path.write_text('{"meta": {"response_id": "a"}}\n\n{"meta": {"response_id": null}}\n{"meta": {"response_id": " b "}}\n')
    assert records(path, "response") == Records(str(path), "meta.response_id", (Record(1, "a"), Record(4, "b")), 1)
    path.write_text('[{"trace_id": "a", "response_id": 7}, {"trace_id": "b", "response_id": 8}]')
    assert records(path, "trace").rows == (Record(1, "a"), Record(2, "b"))
    path.write_text('stored,body\n2026,"{""id"": ""x"",\n ""n"": 1}"\n2026,"{""id"": ""y""}"\n')
    assert records(path, "response").rows == (Record(2, "x"), Record(4, "y"))
    parquet.write_table(pa.table({"responseId": ["a", None, "c"], "paid": [1, 2, 3]}), path)
    assert records(path, "response").rows == (Record(1, "a"), Record(3, "c"))


WRONG = {
    "": "is empty",
    "id,at\n": "holds no record",
    "[]": "holds no record",
    "a,b\n1,2\n": "say which column of .* holds the ids, with --column; it has a, b",
    "user_id,order_id\n1,2\n": "with --column; it has user_id, order_id",
    "at,id\nx,y\nz\n": "line 3: has fewer cells than the header",
    '{"id": "a"}\n{"id": \n': "line 2: is no JSON",
    '{"id": "a"}\n{"id": true}\n': "line 2, column id: true is no id",
}


@pytest.mark.parametrize(("content", "reason"), WRONG.items())
def test_a_file_without_ids_is_refused_with_the_reason(content: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "records"
    path.write_text(content)
    with pytest.raises(BadQuestionError, match=reason):
        records(path, "response")


def test_an_id_told_twice_counts_once_and_is_told() -> None:
    rows = tuple(
        Output(name, NOON, "chat", "gpt-4o", tenant, "0" * 32, told)
        for name, tenant, told in (("a", "x", 2), ("b", "x", 1), ("b", "y", 1))
    )
    held = (Record(2, "a"), Record(3, "A"), Record(4, "a"), Record(5, "A"))
    found = reconciled(Outputs(whole_hours(NOON, HOUR.until, NOON), "response", 0, rows), Records("f", "id", held, 0))
    assert (found.outputs, found.records, found.matched) == (2, 2, 1)
    assert (found.repeated_outputs, found.repeated_records) == (2, 2)
    assert ([row.tenant for row in found.orphan_outputs], found.orphan_records) == (["x", "y"], (Record(3, "A"),))
