"""The two commands a newcomer types, and what they say when the machine cannot do it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("help", "demo", "test", "check", "light", "fmt", "bench", "soak", "generate", "lock", "clean")


def test_make_alone_lists_every_target() -> None:
    assert re.findall(r"make ([a-z]+) ", _make().stdout) == list(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_planned(target: str) -> None:
    assert _make("-n", target).returncode == 0


def test_an_old_python_is_named_and_refused(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\ntest "$1" = --version && echo Python 3.9.18 && exit 0\nexit 1\n')
    python.chmod(0o755)
    done = _make(f"PYTHON={python}", f"VENV={tmp_path}/venv", "check")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer" in done.stdout
    assert "Python 3.9.18" in done.stdout
    assert not (tmp_path / "venv").exists()


def test_the_pipeline_runs_what_people_run() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def _make(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
