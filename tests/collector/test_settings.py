"""Settings: one dataclass, read from the environment in one place."""

import inspect
from dataclasses import fields

import pytest
from tollbook_collector import settings as settings_module
from tollbook_collector.settings import Settings
from tollbook_schema.environment import SettingsError


def test_without_variables_the_defaults_hold() -> None:
    assert Settings.from_environment({"PATH": "/bin", "TOLLBOOK_DATA": "/data"}) == Settings()
    assert Settings().max_body_bytes == 67_108_864


def test_a_variable_sets_its_field() -> None:
    given = {"TOLLBOOK_COLLECTOR_MAX_BODY_BYTES": "20_000_000", "TOLLBOOK_COLLECTOR_GRPC_HOST": "::1"}
    assert Settings.from_environment(given) == Settings(max_body_bytes=20_000_000, grpc_host="::1")


def test_a_misspelt_variable_is_refused_by_name_with_the_nearest_one() -> None:
    with pytest.raises(SettingsError, match="no setting TOLLBOOK_COLLECTOR_GRPC_PROT; nearest is TOLLBOOK_COLLECTOR_GRPC_PORT"):
        Settings.from_environment({"TOLLBOOK_COLLECTOR_GRPC_PROT": "4317"})


@pytest.mark.parametrize("text", ["many", "", "1.5", "-2"])
def test_a_value_that_cannot_be_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match="TOLLBOOK_COLLECTOR_LOADERS must be"):
        Settings.from_environment({"TOLLBOOK_COLLECTOR_LOADERS": text})


@pytest.mark.parametrize("port", ["-2", "65536"])
def test_a_port_that_no_machine_has_is_refused_by_name(port: str) -> None:
    with pytest.raises(SettingsError, match=f"TOLLBOOK_COLLECTOR_GRPC_PORT must be .*, not '{port}'"):
        Settings.from_environment({"TOLLBOOK_COLLECTOR_GRPC_PORT": port})
    assert (
        Settings.from_environment({"TOLLBOOK_COLLECTOR_GRPC_PORT": "-1", "TOLLBOOK_COLLECTOR_MIN_FREE_BYTES": "0"}).grpc_port
        == -1
    )


def test_what_kubernetes_tells_of_services_is_nobodys_setting() -> None:
    given = {"TOLLBOOK_COLLECTOR_SERVICE_HOST": "10.0.0.9", "TOLLBOOK_COLLECTOR_PORT_4317_TCP_ADDR": "10.0.0.9"}
    assert Settings.from_environment(given) == Settings()


def test_every_field_has_a_sentence_under_it() -> None:
    source = inspect.getsource(settings_module.Settings)
    for field in fields(Settings):
        after = source.split(f"    {field.name}: ")[1].splitlines()[1]
        assert after.strip().startswith('"""'), field.name
