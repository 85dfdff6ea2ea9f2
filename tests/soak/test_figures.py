"""The table that `make test` and `make soak` end with."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.soak import figures
from tests.soak.figures import Row

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import pytest

@pytest.mark.fault("R10", "poison", "others flow")
def test_of_a_later_id(fault):
    fault.found("first stretch", what="one")
    fault.found("second stretch", what="other")

@pytest.mark.fault("R2", "kill -9", "0 lost")
def test_that_fails(fault):
    fault.found(f"{fault.size(3, soak=100)} kills: 1 lost")
    assert False

@pytest.mark.fault("R3", "no figure", "a figure")
def test_that_ends_early(fault):
    raise RuntimeError

@pytest.mark.fault("S6", "header flood", "closed")
def test_that_wants_something(fault):
    pytest.skip("no slowhttptest")

def test_of_no_fault():
    pass
"""
PLUGIN = ("-p", "tests.soak.figures", "-o", "markers=fault", "-o", "addopts=", "-q")


@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=["alone", "workers"])
def test_each_fault_has_its_line_and_the_oldest_id_comes_first(tmp_path: Path, more: tuple[str, ...]) -> None:
    (tmp_path / "test_faults.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", str(tmp_path), "-c", "/dev/null", *PLUGIN, *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    table = [" ".join(line.split()) for line in done.stdout.split(" faults ")[1].splitlines() if line[:1] in "RS"]
    assert table == [
        "R2 kill -9 3 kills: 1 lost FAILED",
        "R3 no figure ended before it had a figure FAILED",
        "R10 one first stretch ok",
        "R10 other second stretch ok",
        "S6 header flood no slowhttptest skipped",
    ]


def test_the_written_table_says_what_each_fault_must_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "RESULTS", tmp_path / "results")
    row = Row("R1", "kill -9 under load", "0 acknowledged lost", "0 of 9 acknowledged lost", "ok")
    path = figures.written([row], datetime(2026, 11, 22, 10, 30, tzinfo=UTC))
    assert path.name == "2026-11-22.md"
    title, *_, last = path.read_text().splitlines()
    assert title == "# Faults, 2026-11-22 10:30 UTC"
    assert last == "| R1 | kill -9 under load | 0 acknowledged lost | 0 of 9 acknowledged lost | ok |"


def test_a_later_run_of_the_day_replaces_the_lines_of_its_own_faults_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    day = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
    figures.written([Row("R10", "poison", "others flow", "they do", "ok"), Row("R2", "kill", "0 lost", "1 lost", "FAILED")], day)
    path = figures.written([Row("R2", "kill", "0 lost", "0 lost", "ok")], day)
    assert path.read_text().splitlines()[-2:] == [
        "| R2 | kill | 0 lost | 0 lost | ok |",
        "| R10 | poison | others flow | they do | ok |",
    ]


def test_some_faults_can_be_picked(tmp_path: Path) -> None:
    (tmp_path / "test_faults.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", str(tmp_path), "-c", "/dev/null", *PLUGIN, "--faults", "R10,S6"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert "1 passed, 1 skipped, 3 deselected" in done.stdout
