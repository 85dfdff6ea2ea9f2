"""One process has the data folder, and others find it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tollbook
from tollbook_schema.environment import SettingsError
from tollbook_ui import locate, settings
from tollbook_ui.locate import Claim, Server, TakenError
from tollbook_ui.settings import Settings

from tests.processes import ended

HELD = """
import sys
from pathlib import Path
from tollbook_ui import locate

claim = locate.Claim(Path(sys.argv[1]), locate.UP)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> "Iterator[subprocess.Popen[str]]":
    """Another process that has the folder."""
    command = [sys.executable, "-c", HELD, str(tmp_path)]
    with ended(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process


def test_a_folder_that_another_process_has_is_refused_with_its_name(other: "subprocess.Popen[str]", tmp_path: Path) -> None:
    with pytest.raises(TakenError, match=rf"is in use by tollbook up \(process {other.pid}\)"):
        Claim(tmp_path, "a test")
    other.communicate()


def test_a_process_that_was_killed_lets_go_of_the_folder(other: "subprocess.Popen[str]", tmp_path: Path) -> None:
    (tmp_path / locate.SERVER).write_text(json.dumps({"pid": other.pid, "url": "http://127.0.0.1:1"}))
    assert locate.server(tmp_path) is not None
    other.kill()
    other.communicate()
    assert locate.server(tmp_path) is None
    with Claim(tmp_path, "a test"):
        assert not (tmp_path / locate.SERVER).exists()


def test_a_server_is_found_by_what_it_wrote_down(tmp_path: Path) -> None:
    assert locate.server(tmp_path) is None
    with Claim(tmp_path, locate.UP) as claim:
        claim.publish(Server(os.getpid(), "http://127.0.0.1:4318", 4317, "0.1.0", "2026-11-22"))
        found = locate.server(tmp_path)
        assert found is not None
        assert (found.url, found.grpc_port) == ("http://127.0.0.1:4318", 4317)
    assert locate.server(tmp_path) is None


def test_the_folder_is_its_owners_alone(tmp_path: Path) -> None:
    with Claim(tmp_path / "new", "a test"):
        assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_the_default_folder_is_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locate.sys, "platform", "linux")
    assert locate.default_data({"XDG_DATA_HOME": "/data"}) == Path("/data/tollbook")
    assert locate.default_data({}) == Path.home() / ".local/share/tollbook"


def test_a_misspelt_setting_is_named_and_refused() -> None:
    with pytest.raises(SettingsError, match="no setting TOLLBOOK_DAAT; nearest is TOLLBOOK_DATA"):
        Settings.from_environment({"TOLLBOOK_DAAT": "/tmp"})
    with pytest.raises(SettingsError, match="TOLLBOOK_PORT must be a whole number, not 'http'"):
        Settings.from_environment({"TOLLBOOK_PORT": "http"})
    with pytest.raises(SettingsError, match="TOLLBOOK_PORT must be 65535 or less, not '99999'"):
        Settings.from_environment({"TOLLBOOK_PORT": "99999"})
    with pytest.raises(SettingsError, match="TOLLBOOK_SETTLE_SECONDS must be 0 or more, not '-5'"):
        Settings.from_environment({"TOLLBOOK_SETTLE_SECONDS": "-5"})


def test_settings_of_other_parts_are_left_to_them() -> None:
    given = {"TOLLBOOK_COLLECTOR_GRPC_PORT": "1", "TOLLBOOK_STRICT": "1", "TOLLBOOK_DATA": "~/x", "TOLLBOOK_SETTLE_SECONDS": "5"}
    found = Settings.from_environment(given)
    assert (found.data_dir, found.settle_seconds) == (Path.home() / "x", 5)


def test_every_setting_of_the_sdk_may_stand_beside_those_of_a_server() -> None:
    sdk = Path(tollbook.__file__).parent
    read = {name for file in sdk.rglob("*.py") for name in re.findall(r'"(TOLLBOOK_[A-Z_]+)"', file.read_text(encoding="utf-8"))}
    assert read == settings.SDK_SETTINGS
    assert Settings.from_environment(dict.fromkeys(read, "x")) == Settings()


def test_what_kubernetes_tells_of_services_is_nobodys_setting() -> None:
    told = {
        "TOLLBOOK_SERVICE_HOST": "10.0.0.9",
        "TOLLBOOK_SERVICE_PORT_HTTP": "4318",
        "TOLLBOOK_PORT": "tcp://10.0.0.9:4318",
        "TOLLBOOK_PORT_4318_TCP": "tcp://10.0.0.9:4318",
        "TOLLBOOK_PORT_4318_TCP_PROTO": "tcp",
        "TOLLBOOK_CLICKHOUSE_PORT": "tcp://10.0.0.8:8123",
    }
    assert Settings.from_environment(told) == Settings()


def test_every_setting_has_a_sentence() -> None:
    source = Path(settings.__file__).read_text(encoding="utf-8")
    assert source.count('\n    """') >= len(Settings.__dataclass_fields__)
