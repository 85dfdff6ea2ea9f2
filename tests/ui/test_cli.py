"""The command line, over a server that has the data folder and over a folder that it opens itself."""

import csv
import io
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tollbook_ui.answers import Answers
from tollbook_ui.cli import app
from typer.testing import CliRunner, Result

from tests.ui.conftest import HOUR, Served
from tests.ui.ledger import ANSWER

SPAN = ("--since", "2026-11-20T12:00", "--until", "2026-11-20T13:00")
READING = ("overview", "requests", "freshness", "accelerators", "hotspots", "owners", "calls", "workflows")


def tollbook(served: Served, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--data", str(served.data)])


@pytest.mark.parametrize("command", READING)
def test_every_reading_command_answers_in_three_formats(served: Served, command: str) -> None:
    table, as_json, as_csv = (tollbook(served, command, *SPAN, "--format", shape) for shape in ("table", "json", "csv"))
    assert (table.exit_code, as_json.exit_code, as_csv.exit_code) == (0, 0, 0), table.output
    assert len(list(csv.reader(io.StringIO(as_csv.stdout)))) == len(json.loads(as_json.stdout)["rows"]) + 1
    assert "Coverage: " in table.stdout or "There are requests in it" in table.stdout


def test_every_command_prints_the_same_total_to_the_last_digit(served: Served, answers: Answers) -> None:
    total_usd = answers.overview(HOUR).totals.total_usd
    overview = json.loads(tollbook(served, "overview", *SPAN, "-f", "json").stdout)
    assert Decimal(overview["totals"]["total_usd"]) == total_usd
    by_sql = tollbook(served, "sql", "SELECT sum(amount_usd) AS usd FROM ledger", "-f", "csv")
    assert by_sql.stdout == f"usd\n{overview['totals']['total_usd']}\n"
    for command, column in (("overview", "amount_usd"), ("owners", "amount_usd")):
        rows = csv.DictReader(io.StringIO(tollbook(served, command, *SPAN, "-f", "csv").stdout))
        assert sum(Decimal(row[column]) for row in rows if row[column]) == total_usd
    report = tollbook(served, "report", "--week", "2026-W47", "--out", str(served.data / "report"))
    assert report.exit_code == 0, report.output
    written = json.loads((served.data / "report" / "tollbook-2026-W47.json").read_text(encoding="utf-8"))
    assert written["overview"]["totals"]["total_usd"] == overview["totals"]["total_usd"]
    assert {Path(line).suffix for line in report.stdout.splitlines()} >= {".html", ".md", ".json"}


def test_a_receipt_prints_lines_that_sum_to_its_total(served: Served) -> None:
    found = json.loads(tollbook(served, "receipt", ANSWER, "--format", "json").stdout)
    assert sum(Decimal(row["amount_usd"]) for row in found["rows"]) == Decimal(found["total_usd"])
    table = tollbook(served, "receipt", ANSWER).stdout
    assert "$0.005" in table
    assert "total" in table
    assert tollbook(served, "receipt", ANSWER, "--lines").stdout.count("gpt-4o") >= 2


def test_an_unknown_trace_fails_and_a_wrong_one_is_a_usage_error(served: Served) -> None:
    unknown = tollbook(served, "receipt", "0" * 31 + "f")
    assert (unknown.exit_code, unknown.stderr) == (1, f"tollbook: no span of trace {'0' * 31}f is stored\n")
    wrong = tollbook(served, "receipt", "xyz")
    assert (wrong.exit_code, wrong.stderr) == (2, "tollbook: a trace id is 32 hex digits, not 'xyz'\n")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("requests", "--order", "wealth"), 2, "requests cannot be ordered by 'wealth'"),
        (("requests", "--since", "yesterday"), 2, "'yesterday' is no time"),
        (("owners", "--by", "colour"), 2, "no owner key 'colour'"),
        (("report", "--week", "W60"), 2, "a week is written like 2026-W47"),
        (("report", "--format", "pdf"), 2, "html, md, json, not as 'pdf'"),
        (("sql", "DROP TABLE spans"), 1, "refused: DROP is not a question"),
        (("rates", "set", "box", "free", "2"), 2, "'free' is no number"),
    ],
)
def test_a_wrong_command_is_told_in_one_line(served: Served, words: tuple[str, ...], status: int, told: str) -> None:
    result = tollbook(served, *words)
    assert (result.exit_code, result.stderr.count("\n")) == (status, 1), result.output
    assert told in result.stderr


def test_sql_prints_null_for_the_unknown_and_every_digit(served: Served) -> None:
    query = "SELECT NULL AS nothing, toDecimal128('0.000000000000000001', 18) AS little, 'a' AS word"
    assert "NULL" in tollbook(served, "sql", query).stdout
    assert "0.000000000000000001" in tollbook(served, "sql", query).stdout
    assert json.loads(tollbook(served, "sql", query, "-f", "json").stdout) == [
        {"nothing": None, "little": "0.000000000000000001", "word": "a"}
    ]
    assert tollbook(served, "sql", "SELECT -0.5::Decimal(9, 2) AS x", "-f", "csv").stdout == "x\n-0.5\n"


def test_sql_names_the_columns_of_an_answer_without_rows(served: Served) -> None:
    assert tollbook(served, "sql", "SELECT name, duration_ns FROM spans WHERE 0", "-f", "csv").stdout == "name,duration_ns\n"


def test_an_empty_answer_says_what_to_do_next(served: Served) -> None:
    result = tollbook(served, "requests", "--since", "2020-01-01", "--until", "2020-01-02")
    assert "Nothing from 2020-01-01 00:00 to 2020-01-02 00:00 UTC." in result.stdout
    assert "2026-11-20 12:00:00" in result.stdout


def test_settle_and_doctor_speak_through_the_server(served: Served) -> None:
    assert json.loads(tollbook(served, "settle", "-f", "json").stdout)[0]["windows"] == 0
    doctor = tollbook(served, "doctor")
    assert served.url in doctor.stdout
    assert "1 model call without a price" in doctor.stdout


def test_a_misspelt_setting_is_named_and_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLLBOOK_DAAT", "x")
    result = tollbook(served, "requests")
    assert (result.exit_code, result.stderr) == (2, "tollbook: there is no setting TOLLBOOK_DAAT; nearest is TOLLBOOK_DATA\n")


def test_a_folder_that_is_not_there_is_not_made_by_asking(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["requests", "--data", str(tmp_path / "none")])
    assert (result.exit_code, (tmp_path / "none").exists()) == (1, False)
    assert "tollbook ingest FILE" in result.stderr
    doctor = CliRunner().invoke(app, ["doctor", "--data", str(tmp_path / "none")])
    assert (doctor.exit_code, (tmp_path / "none").exists()) == (0, False)


def run(data: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "TOLLBOOK_DATA": str(data), "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "tollbook_ui.cli", *words], env=environment, capture_output=True, text=True, check=False
    )


def otlp(*trace_ids: int) -> bytes:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in trace_ids:
        span = spans.add(trace_id=number.to_bytes(16, "big"), span_id=number.to_bytes(8, "big"), name="chat")
        span.start_time_unix_nano, span.end_time_unix_nano = 1_763_640_000_000_000_000, 1_763_640_001_000_000_000
    return request.SerializeToString()


def test_files_are_stored_settled_and_read_without_a_server(tmp_path: Path) -> None:
    files, data = tmp_path / "files", tmp_path / "data"
    files.mkdir()
    (files / "good.bin").write_bytes(otlp(1, 2))
    (files / "bad.txt").write_text("not telemetry", encoding="utf-8")
    ingested = run(data, "ingest", str(files))
    assert ingested.returncode == 1
    assert "stored   " in ingested.stdout
    assert "2 records of traces" in ingested.stdout
    assert "bad.txt: not OTLP" in ingested.stdout
    assert "Next: tollbook settle" in ingested.stdout
    again = run(data, "ingest", str(files / "good.bin"))
    assert again.returncode == 0
    assert "2 records of traces, 2 of them stored before by the same bytes" in again.stdout
    assert run(data, "settle").returncode == 0
    counted = run(data, "sql", "SELECT count() AS spans FROM spans", "--format", "csv")
    assert counted.stdout == "spans\n2\n"
    listed = run(data, "requests", "--since", "2025-11-20", "--until", "2025-11-21", "--format", "json")
    assert [row["trace_id"] for row in json.loads(listed.stdout)["rows"]] == [f"{1:032x}", f"{2:032x}"]


def test_help_and_version_are_quick_and_import_nothing_heavy() -> None:
    seen = "import sys; from tollbook_ui import cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True).stdout.split()
    assert not {"fastapi", "chdb", "clickhouse_connect", "pandas", "pydantic", "streamlit", "grpc"} & set(loaded)
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("tollbook 0.")


def test_a_question_to_a_running_server_imports_no_receiver_and_no_store() -> None:
    seen = "import sys; from tollbook_ui import access, show; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"tollbook_collector.collector", "grpc", "chdb", "clickhouse_connect", "fastapi", "numpy", "pyarrow", "rich.progress"}
    assert not heavy & set(loaded)
