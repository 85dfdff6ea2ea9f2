"""The demo's processes: what the parent learns of them."""

import os
from pathlib import Path

import pytest
from tollbook_ui.demo.processes import Child, ChildFailedError


def test_a_child_that_fails_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    with (
        Child("sync", "/there/is/no/plan", environment={"OTEL_SDK_DISABLED": "true"}, logs=tmp_path) as child,
        pytest.raises(ChildFailedError, match="sync ended with 1") as caught,
    ):
        child.finish()
    assert "FileNotFoundError" in str(caught.value)


def test_a_child_ends_when_its_parent_lets_go_of_it(tmp_path: Path) -> None:
    with Child("provider", environment={}, logs=tmp_path) as child:
        assert child.first()["port"] > 0
    child.finish()  # it ended well


def test_a_child_follows_the_demo_and_not_the_persons_own_telemetry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://somebody.else")
    with Child("provider", environment={"TOLLBOOK_HOST_TYPE": "demo"}, logs=tmp_path) as child:
        child.first()
        told = Path(f"/proc/{child.pid}/environ")
        if not told.exists():
            pytest.skip("no /proc on this machine, so a process's environment cannot be seen")
        settings = dict(line.split("=", 1) for line in told.read_text().split("\0") if "=" in line)
    assert settings["TOLLBOOK_HOST_TYPE"] == "demo"
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in settings
    assert settings["PATH"] == os.environ["PATH"]
