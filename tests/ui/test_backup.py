"""A backup is the whole data folder at one moment, and makes another one."""

import json
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.served import served

EXPORT = {
    "resourceSpans": [
        {
            "scopeSpans": [
                {
                    "spans": [
                        {
                            "traceId": f"{number:032x}",
                            "spanId": f"{number:016x}",
                            "name": "chat",
                            "startTimeUnixNano": "1795325799000000000",
                            "endTimeUnixNano": "1795325800000000000",
                            "attributes": [
                                {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                                {"key": "gen_ai.provider.name", "value": {"stringValue": "openai"}},
                                {"key": "gen_ai.request.model", "value": {"stringValue": "gpt-4o"}},
                                {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "1000"}},
                            ],
                        }
                        for number in range(1, 6)
                    ]
                }
            ]
        }
    ]
}


def tollbook(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tollbook_ui.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and its backup beside it."""
    folder = tmp_path_factory.mktemp("backup")
    (folder / "export.json").write_text(json.dumps(EXPORT))
    for arguments in (("ingest", folder / "export.json"), ("settle",)):
        done = tollbook(*arguments, "--data", folder / "data")
        assert done.returncode == 0, done.stderr
    (folder / "data" / "spool").mkdir(exist_ok=True)
    (folder / "data" / "spool" / "traces-01795325799000000000-000000000.otlp").write_bytes(b"what waits")
    done = tollbook("backup", folder / "copy", "--data", folder / "data")
    assert done.returncode == 0, done.stderr
    assert "5 spans, 0 metrics, 0 logs" in done.stdout
    return folder


def test_a_folder_restored_answers_as_the_first_one_did(backed_up: Path) -> None:
    restored = tollbook("restore", backed_up / "copy", "--data", backed_up / "again")
    assert restored.returncode == 0, restored.stderr
    for question in ("SELECT * FROM spans ORDER BY span_id", "SELECT * FROM ledger ORDER BY ALL", "SELECT * FROM fact_hours"):
        first, again = (tollbook("sql", question, "-f", "json", "--data", backed_up / data).stdout for data in ("data", "again"))
        assert first == again
        assert json.loads(first)
    assert (backed_up / "again" / "spool" / "traces-01795325799000000000-000000000.otlp").read_bytes() == b"what waits"
    made = json.loads((backed_up / "copy" / "backup.json").read_text())
    assert (made["spans"], made["ledger_usd"], made["spool_bytes"]) == (5, "0.0125", 10)


def test_data_is_never_overwritten(backed_up: Path) -> None:
    over = tollbook("restore", backed_up / "copy", "--data", backed_up / "data")
    assert (over.returncode, over.stderr) == (
        2,
        f"tollbook: {backed_up / 'data'} holds data already: give an empty folder with --data\n",
    )
    again = tollbook("backup", backed_up / "copy", "--data", backed_up / "data")
    assert again.returncode == 2
    assert "is not empty" in again.stderr


def test_a_backup_that_did_not_finish_is_none(backed_up: Path, tmp_path: Path) -> None:
    (tmp_path / "half" / "database").mkdir(parents=True)
    done = tollbook("restore", tmp_path / "half", "--data", tmp_path / "data")
    assert (done.returncode, done.stderr) == (
        2,
        f"tollbook: {tmp_path / 'half'} holds no whole backup: backup.json is missing\n",
    )


def test_a_backup_of_a_newer_release_is_refused(backed_up: Path, tmp_path: Path) -> None:
    made = json.loads((backed_up / "copy" / "backup.json").read_text())
    (tmp_path / "backup.json").write_text(json.dumps({**made, "schema": 9999, "version": "9.0"}))
    done = tollbook("restore", tmp_path, "--data", tmp_path / "data")
    assert (done.returncode, "upgrade" in done.stderr) == (2, True)


def test_a_server_is_told_the_whole_path(tmp_path: Path) -> None:
    with served(tmp_path / "data") as server:
        refused = httpx.post(f"{server.url}/api/v1/backup", json={"folder": "copy"})
        assert (refused.status_code, "give the whole path" in refused.text) == (422, True)
        made = httpx.post(f"{server.url}/api/v1/backup", json={"folder": str(tmp_path / "copy")}, timeout=60)
        assert (made.status_code, made.json()["spans"]) == (200, 0)


def test_only_its_owner_can_read_it(backed_up: Path) -> None:
    assert oct((backed_up / "copy").stat().st_mode & 0o777) == "0o700"
    assert oct((backed_up / "copy" / "backup.json").stat().st_mode & 0o777) == "0o600"
