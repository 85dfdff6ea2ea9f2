"""What can be set for the server and the command line, read from TOLLBOOK_* in one place."""

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from tollbook_ui.locate import default_data

PREFIX = "TOLLBOOK_"
COLLECTOR_PREFIX = "TOLLBOOK_COLLECTOR_"
"""Settings of the collector, which checks them itself."""

SDK_SETTINGS = frozenset({"TOLLBOOK_DIGEST_KEY", "TOLLBOOK_HOST_TYPE", "TOLLBOOK_STRICT"})
"""Settings that only the SDK reads, and that may well stand in the same environment."""


class SettingsError(Exception):
    """A setting that does not exist or has a value that cannot be."""


@dataclass(frozen=True)
class Settings:
    """Each field is set by TOLLBOOK_ and its name in capitals."""

    data: str = ""
    """Folder of the spool and the embedded database; the platform's user data folder if empty."""

    clickhouse_url: str = ""
    """A ClickHouse server to use instead of the embedded database: http://user:password@host:8123/database."""

    host: str = "127.0.0.1"
    """Address that OTLP/HTTP, API and dashboard listen on. Loopback, because there is no authentication yet."""

    port: int = 4318
    """Port of OTLP/HTTP, API and dashboard: OpenTelemetry's own for OTLP/HTTP."""

    settle_seconds: int = 30
    """Pause between settlements while data comes in; 0 settles only when asked."""

    @property
    def data_dir(self) -> Path:
        """The data folder."""
        return Path(self.data).expanduser() if self.data else default_data()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Settings from `environment`, the process's own by default.

        Raises:
            SettingsError: a variable names no setting, or holds no number where one is due.
        """
        given = os.environ if environment is None else environment
        known = {PREFIX + field.name.upper(): field.name for field in fields(cls)}
        values: dict[str, str | int] = {}
        for variable in sorted(given):
            if _is_ours(variable):
                name = _known_name(variable, known)
                values[name] = _value(variable, given[variable], type(getattr(cls, name)))
        return cls(**values)  # type: ignore[arg-type]  # the types were taken from the fields above


def _is_ours(variable: str) -> bool:
    return variable.startswith(PREFIX) and not variable.startswith(COLLECTOR_PREFIX) and variable not in SDK_SETTINGS


def _known_name(variable: str, known: Mapping[str, str]) -> str:
    if variable not in known:
        nearest = difflib.get_close_matches(variable, [*known, *SDK_SETTINGS, COLLECTOR_PREFIX], n=1, cutoff=0)
        raise SettingsError(f"there is no setting {variable}; nearest is {nearest[0]}")
    return known[variable]


def _value(variable: str, text: str, kind: type) -> str | int:
    if kind is str:
        return text
    try:
        return int(text)
    except ValueError as error:
        raise SettingsError(f"{variable} must be a whole number, not {text!r}") from error
