"""The intake's two databases, both SQLite files: the retention policies it asks, and the index it fills."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from tollbook_schema import sql

PACKAGE = "tollbook_ui.demo"

INDEXED_BYTES = 64 * 1024
"""Words are indexed of this much of a document."""


@dataclass(frozen=True)
class Policy:
    """How long a customer's documents are kept."""

    name: str
    keep_days: int

    @property
    def size_bytes(self) -> int:
        """Bytes of payload that an answer carries: the name, and the days as a 64-bit number."""
        return len(self.name.encode()) + 8


class Policies:
    """The retention policies, for reading."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)

    @staticmethod
    def make(path: Path) -> None:
        """Write the table that the demo's customers are in."""
        connection = sqlite3.connect(path)
        connection.executescript(sql.text(PACKAGE, "sqlite/make_policies.sql"))
        connection.close()

    def of(self, customer: str) -> Policy:
        """The policy of a customer; raises KeyError where there is none."""
        row = self._connection.execute(sql.text(PACKAGE, "sqlite/policy.sql"), (customer,)).fetchone()
        if row is None:
            raise KeyError(customer)
        return Policy(*row)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


class Index:
    """The full-text index; every document is its own transaction."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(sql.text(PACKAGE, "sqlite/make_index.sql"))

    def add(self, name: str, label: str, policy: Policy, content: bytes) -> int:
        """Index a document; gives the bytes of text written."""
        body = "" if b"\0" in content else content[:INDEXED_BYTES].decode("utf-8", errors="replace")
        fields = (name, label, policy.name, body)
        self._connection.execute(sql.text(PACKAGE, "sqlite/add_document.sql"), fields)
        return sum(len(field.encode()) for field in fields)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
