"""The deploy files pass their linters and name what the program really has."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tollbook_collector.settings import Settings as Collector
from tollbook_ui.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent


def test_the_dockerfile_passes_hadolint() -> None:
    _passes(str(BIN / "hadolint"), str(DEPLOY / "Dockerfile"))


def test_the_dockerfile_copies_files_that_exist() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    sources = [source for line in copied for source in line.split()]
    assert "ui" in sources
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_the_container_runs_as_its_own_user_and_is_probed() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert "USER 10001:10001" in text
    assert "/healthz" in text


def test_the_compose_file_follows_the_specification() -> None:
    _passes(str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml"))


def test_the_compose_file_keeps_the_spool_and_opens_nothing_to_the_network() -> None:
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert services["tollbook"]["volumes"] == ["tollbook:/var/lib/tollbook"]
    assert services["tollbook"]["ports"] == ["127.0.0.1:4317:4317", "127.0.0.1:4318:4318"]
    assert "ports" not in services["clickhouse"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here: the unit is not verified")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "tollbook.service"
    unit.write_text((DEPLOY / "tollbook.service").read_text().replace("/opt/tollbook/bin/tollbook", sys.executable))
    _passes("systemd-analyze", "verify", str(unit))


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "tollbook.service"])
def test_the_settings_in_deploy_files_exist(name: str) -> None:
    settings = re.findall(r"\b(TOLLBOOK_[A-Z_]+)(?:=|: )(\S+)", (DEPLOY / name).read_text())
    assert settings
    Settings.from_environment(dict(settings))
    Collector.from_environment(dict(settings))


def _passes(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
