"""The ClickHouse client library, brought in when first asked for: a quarter of a second that a command beside a server saves."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clickhouse_connect import get_client
    from clickhouse_connect.driver.client import Client
    from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
    from clickhouse_connect.driver.external import ExternalData

__all__ = ["ClickHouseError", "Client", "ExternalData", "OperationalError", "get_client"]

_HOMES = {
    "Client": "clickhouse_connect.driver.client",
    "ClickHouseError": "clickhouse_connect.driver.exceptions",
    "ExternalData": "clickhouse_connect.driver.external",
    "OperationalError": "clickhouse_connect.driver.exceptions",
    "get_client": "clickhouse_connect",
}


def __getattr__(name: str) -> Any:
    """One of the library's own names."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
