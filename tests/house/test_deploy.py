"""The deploy files pass their linters and name what the program really has."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tollbook.accelerators import command as sampling
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
@pytest.mark.parametrize("name", ["tollbook", "tollbook-sampler"])
def test_systemd_accepts_the_unit(name: str, tmp_path: Path) -> None:
    unit = tmp_path / f"{name}.service"
    unit.write_text((DEPLOY / f"{name}.service").read_text().replace(f"/opt/tollbook/bin/{name} ", f"{sys.executable} "))
    _passes("systemd-analyze", "verify", str(unit))


def test_the_sampler_of_a_node_is_told_what_the_command_takes() -> None:
    pod = yaml.safe_load((DEPLOY / "sampler-daemonset.yaml").read_text())["spec"]["template"]
    [sampler] = pod["spec"]["containers"]
    told = sampling.parser().parse_args(sampler["command"][1:])
    assert (sampler["command"][0], told.every, told.scrape) == ("tollbook-sampler", 15, ["http://$(NODE_IP):9400/metrics"])
    unit = re.search(r"^ExecStart=\S+/tollbook-sampler (.*)$", (DEPLOY / "tollbook-sampler.service").read_text(), re.MULTILINE)
    assert unit
    assert sampling.parser().parse_args(unit[1].split()).every == 5


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "tollbook.service"])
def test_the_settings_in_deploy_files_exist(name: str) -> None:
    settings = re.findall(r"\b(TOLLBOOK_[A-Z_]+)(?:=|: )(\S+)", (DEPLOY / name).read_text())
    assert settings
    Settings.from_environment(dict(settings))
    Collector.from_environment(dict(settings))


def _passes(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
