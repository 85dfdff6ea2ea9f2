"""The demo from start to end: ten documents, five processes, and what is stored of them."""

import base64
import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.processes import ended

DOCUMENTS = 10
INTAKES = 12
"""Of each of the two ways: every document, and the two repeated ones once more."""

TOLLBOOK = [sys.executable, "-c", "from tollbook_ui.cli import main; main()"]


@dataclass(frozen=True)
class Demo:
    """A demo that has ended, and its folder."""

    data: Path
    output: str

    def ask(self, query: str) -> list[dict[str, Any]]:
        """Rows of a query, asked by the command line."""
        return self.answer("sql", query)

    def answer(self, *arguments: str) -> Any:
        """What a command answers as JSON."""
        run = subprocess.run(
            [*TOLLBOOK, *arguments, "--data", str(self.data), "--format", "json"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return json.loads(run.stdout, parse_float=Decimal)


def environment() -> dict[str, str]:
    """As a person's shell has it, with telemetry settings of their own that the demo must not follow."""
    return {**os.environ, "OTEL_SDK_DISABLED": "true", "OTEL_SERVICE_NAME": "mine", "COLUMNS": "80"}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    data = tmp_path_factory.mktemp("demo")
    with closing(socket.socket()) as busy:
        try:
            busy.bind(("127.0.0.1", 4318))
            busy.listen()
        except OSError:
            pass  # somebody else keeps it busy, which is as good
        run = subprocess.run(
            [*TOLLBOOK, "demo", "--data", str(data), "--documents", str(DOCUMENTS), "--exit"],
            check=False,  # the assertion below shows what it said
            capture_output=True,
            text=True,
            env=environment(),
            timeout=240,
        )
    assert run.returncode == 0, run.stdout + run.stderr
    return Demo(data, run.stdout)


def test_every_request_is_stored_once(demo: Demo) -> None:
    rows = demo.ask("SELECT workflow, count() AS requests FROM requests GROUP BY workflow ORDER BY workflow")
    assert {row["workflow"]: row["requests"] for row in rows} == {
        "intake-chat": 4,
        "intake-in-process": INTAKES,
        "intake-remote": INTAKES,
        "load-model": 2,  # before the first request comes, here and in the model server
        "staging-sync": DOCUMENTS,
    }


def test_every_span_of_every_process_is_stored_once(demo: Demo) -> None:
    rows = demo.ask("SELECT name, count() AS spans FROM spans GROUP BY name ORDER BY name")
    assert {row["name"]: row["spans"] for row in rows} == {
        "staging-sync": DOCUMENTS,
        "copy source": DOCUMENTS,
        "copy staged": 2,
        "intake-in-process": INTAKES,
        "intake-remote": INTAKES,
        "lookup retention policy": 2 * INTAKES,
        "read staging": 2 * INTAKES + 4,
        "write index": 2 * INTAKES,
        "load_model standard_v3_3": 2,
        "inference standard_v3_3": 2 * INTAKES,
        "classify magika": INTAKES,
        "encode document": INTAKES,
        "call model-server": INTAKES,
        "POST /v1/classify": INTAKES,
        "decode document": INTAKES,
        "intake-chat": 4,
        "chat gpt-4o": 3,
        "chat acme-summary-2": 1,
    }


def test_only_the_remote_way_leaves_its_process(demo: Demo) -> None:
    rows = demo.ask("SELECT workflow, min(hops) AS fewest, max(hops) AS most FROM requests GROUP BY workflow ORDER BY workflow")
    assert [(row["workflow"], row["fewest"], row["most"]) for row in rows] == [
        ("intake-chat", 1, 1),
        ("intake-in-process", 0, 0),
        ("intake-remote", 1, 1),
        ("load-model", 0, 0),
        ("staging-sync", 0, 0),
    ]


def test_bytes_are_counted_exactly(demo: Demo) -> None:
    rows = demo.ask("SELECT name, asset_id, handoff_bytes FROM spans WHERE name = 'copy source'")
    sizes = {row["asset_id"]: row["handoff_bytes"] for row in rows}
    plan = json.loads((demo.data / "files" / "plan.json").read_text())
    assert sizes == {Path(d["source"]).as_uri(): Path(d["staged"]).stat().st_size for d in plan["documents"]}

    sent = demo.ask(
        "SELECT anyIf(asset_id, name = 'read staging') AS asset_id, anyIf(handoff_bytes, name = 'encode document') AS encoded, "
        "anyIf(http_request_bytes, name = 'call model-server') AS request, "
        "anyIf(handoff_bytes, name = 'decode document') AS decoded FROM spans WHERE workflow = 'intake-remote' GROUP BY trace_id"
    )
    staged = {Path(d["source"]).as_uri(): Path(d["staged"]) for d in plan["documents"]}
    for row in sent:
        content = base64.b64encode(staged[row["asset_id"]].read_bytes()).decode()
        name = re.sub(r"^\d{5}-", "", staged[row["asset_id"]].name)
        expected = len(json.dumps({"name": name, "content": content}))
        assert (row["encoded"], row["request"], row["decoded"]) == (expected, expected, expected)


def test_the_planted_waste_is_found_and_nothing_else_of_its_kind(demo: Demo) -> None:
    rows = demo.ask(
        "SELECT toString(kind) AS kind, workflow, sum(count) AS times, "
        "sum(toUInt32(extract(detail, 'of which (\\\\d+)'))) AS needless FROM findings "
        "WHERE kind != 'scaffolding' GROUP BY kind, workflow ORDER BY kind, workflow"
    )
    assert [(row["kind"], row["workflow"]) for row in rows] == [
        ("duplicate_copy", "staging-sync"),
        ("repeated_inference", "intake-in-process"),
        ("repeated_inference", "intake-remote"),
        ("repeated_lookup", "intake-in-process"),
        ("repeated_lookup", "intake-remote"),
    ]
    assert [row["needless"] for row in rows[:3]] == [2, 2, 2]
    assert sum(row["times"] for row in rows[3:]) == 2 * INTAKES
    assert sum(row["needless"] for row in rows[3:]) == 2 * INTAKES - 3  # three customers are asked for


def test_the_model_without_a_price_is_unpriced_and_lowers_the_coverage(demo: Demo) -> None:
    rows = demo.ask(
        "SELECT model, toString(price_status) AS status, count() AS calls FROM calls WHERE role = 'counted' GROUP BY ALL"
    )
    assert {(row["model"], row["status"]): row["calls"] for row in rows} == {
        ("gpt-4o", "priced"): 3,
        ("acme-summary-2", "unpriced"): 1,
        ("standard_v3_3", "local"): 2 * INTAKES,
    }
    assert "75% of 4 model calls" in demo.output
    assert re.search(r"acme-summary-2 .* unpriced", demo.output)


def test_prompts_are_cached_by_the_stand_in_and_its_money_is_simulated(demo: Demo) -> None:
    calls = demo.ask("SELECT cache_read_tokens FROM calls WHERE model = 'gpt-4o' ORDER BY start_time")
    assert [row["cache_read_tokens"] for row in calls] == [0, 1152, 1152]
    rows = demo.ask("SELECT simulated, category = 'tokens' AS of_tokens, sum(amount_usd) > 0 AS costs FROM ledger GROUP BY ALL")
    assert {row["simulated"] for row in rows if row["of_tokens"]} == {True}
    assert re.search(r"gpt-4o +simulated provider", demo.output)


def test_ages_are_those_of_the_sources(demo: Demo) -> None:
    rows = demo.ask("SELECT asset_id, toUnixTimestamp64Nano(any(event_time)) AS event_ns, min(age_ns) > 0 AS aged, "
                    "min(synced_at) > any(event_time) AS synced FROM lineage GROUP BY asset_id")  # fmt: skip
    assert len(rows) == DOCUMENTS
    plan = json.loads((demo.data / "files" / "plan.json").read_text())
    event_ns = {Path(d["source"]).as_uri(): Path(d["staged"]).stat().st_mtime_ns for d in plan["documents"]}
    assert {row["asset_id"]: int(row["event_ns"]) for row in rows} == event_ns
    assert all(row["aged"] and row["synced"] for row in rows)


def test_the_ledger_balances_and_receipts_add_up(demo: Demo) -> None:
    unbalanced = demo.ask(
        "SELECT category, resource, sum(amount_usd) AS amount FROM (SELECT category, resource, amount_usd FROM ledger "
        "UNION ALL SELECT category, resource, -amount_usd FROM resource_costs) GROUP BY category, resource HAVING amount != 0"
    )
    assert unbalanced == []
    trace_id = re.search(r"intake-remote +is trace ([0-9a-f]{32})", demo.output)
    assert trace_id is not None
    receipt = demo.answer("receipt", trace_id[1])
    assert sum(Decimal(str(row["amount_usd"])) for row in receipt["rows"]) == Decimal(str(receipt["total_usd"])) > 0


def test_the_demos_own_export_is_focus(demo: Demo, tmp_path: Path) -> None:
    lint = pytest.importorskip("focus_data_toolkit.model.validator")
    file = tmp_path / "focus.csv"
    subprocess.run(
        [*TOLLBOOK, "bill", "export", str(file), "--data", str(demo.data)], check=True, capture_output=True, timeout=60
    )
    with file.open(newline="") as text:
        rows = list(csv.DictReader(text))
    report = lint.lint_focus_1_4_structure("Cost and Usage", rows)
    assert report.ok, report.messages()[:5]
    [total] = demo.ask("SELECT sum(amount) AS amount FROM ledger")
    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal(total["amount"])


def test_money_goes_to_three_teams_and_neither_the_sync_job_nor_loading_has_one(demo: Demo) -> None:
    rows = demo.ask("SELECT workflow, groupUniqArray(team) AS teams FROM ledger WHERE workflow != '' GROUP BY workflow")
    assert {row["workflow"]: sorted(row["teams"]) for row in rows} == {
        "intake-chat": ["assistants"],
        "intake-in-process": ["knowledge", "platform"],
        "intake-remote": ["knowledge", "platform"],
        "load-model": [""],
        "staging-sync": [""],
    }


def test_the_output_says_what_was_assumed_where_it_listens_and_where_the_report_is(demo: Demo) -> None:
    assert f"assumed to cost ${Decimal('0.05') * (os.cpu_count() or 1)} an hour" in demo.output
    assert "port 4318 is taken" in demo.output
    assert re.search(r"Dashboard +http://127\.0\.0\.1:\d+", demo.output)
    report = re.search(r"Weekly report +(\S+\.html)", demo.output)
    assert report is not None
    assert "simulated" in Path(report[1]).read_text()
    assert Path(report[1]).with_suffix(".md").is_file()


def test_two_receipts_stand_side_by_side(demo: Demo) -> None:
    table = demo.output.partition("One document, two receipts")[2]
    for line in ("time", "in the model", "around it", "bytes handed over", "hops to another process +0 +1 +\\+1", "total"):
        assert re.search(line, table), line


def test_ctrl_c_ends_the_demo_and_all_its_processes(tmp_path: Path) -> None:
    command = [*TOLLBOOK, "demo", "--data", str(tmp_path), "--documents", "400"]
    children: list[psutil.Process] = []
    with ended(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())) as process:
        deadline = time.monotonic() + 120
        while len(children) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
            children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 3
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 130, output
    assert "Stopped." in output
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
