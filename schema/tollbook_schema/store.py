"""The store: ClickHouse, embedded (chDB) or a server, through one client.

The only module that imports clickhouse_connect and the only one that puts SQL together; all other SQL stands in .sql files.
"""

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

Signal = Literal["spans", "metrics", "logs"]
SIGNALS: tuple[Signal, ...] = ("spans", "metrics", "logs")

MAX_READ_SECONDS = 30
MAX_READ_BYTES = 4 * 1024**3


class StoreError(Exception):
    """The store did not do what was asked."""


class StoreUnavailableError(StoreError):
    """The store cannot be reached or cannot write at present; trying again later helps."""


class StoreBusyError(StoreUnavailableError):
    """Another process has the data folder open."""


class SchemaTooNewError(StoreError):
    """A newer release wrote this database; this one would misread it."""


class QueryError(StoreError):
    """The question is wrong or not allowed; asking again cannot help."""


@dataclass(frozen=True)
class Migration:
    """One numbered file of `migrations/`."""

    number: int
    name: str
    statements: tuple[str, ...]
