"""What can be asked about usage files: take one, list them, take one back. Of the store in this process, or of a server."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tollbook_schema.store import Reads, Store
from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_ui.usage import load
from tollbook_ui.usage.figures import Import, Imported
from tollbook_ui.usage.load import Taking
from tollbook_ui.usage.mapping import BETWEEN, UsageMap, option

Answer = TypeVar("Answer")

PATH = "/usage/imports"

Sent = Callable[[int, int], None]
"""Called with the bytes sent and the bytes in all."""


class Usage:
    """Usage files and the store of this process."""

    def __init__(self, store: Store, reads: Reads) -> None:
        self._store = store
        self._reads = reads

    def take(self, path: Path, wish: UsageMap, taking: Taking) -> Imported:
        """Takes a file in. Raises as `load.import_usage` does."""
        return load.import_usage(self._store, path, wish, taking)

    def imports(self, limit: int = 100) -> tuple[Import, ...]:
        """Files that were taken, the newest first."""
        return load.imports(self._reads, limit)

    def undo(self, import_id: int, tenant: str = DEFAULT_TENANT) -> Import:
        """Takes an import back. Raises as `load.undo` does."""
        return load.undo(self._store, import_id, tenant)

    def rows_read(self) -> int:
        """Rows that files which are being read have by now."""
        return load.staged_rows(self._store)


class Get(Protocol):
    """Asks a running server's API."""

    def __call__(self, kind: type[Answer], path: str, asked: Mapping[str, Any] | None = None) -> Answer:
        """The answer."""


class Ask(Protocol):
    """Asks a running server's API to do something."""

    def __call__(
        self, kind: type[Answer], path: str, asked: Mapping[str, Any], body: object | None, method: str | None = None
    ) -> Answer:
        """The answer."""


class Upload(Protocol):
    """Sends a file to a running server's API."""

    def __call__(self, kind: type[Answer], path: str, asked: Mapping[str, Any], file: Path, sent: Sent | None) -> Answer:
        """The answer."""


class RemoteUsage:
    """The same of a running server. Raises as `Usage` does, and `StoreUnavailableError` where it cannot be reached."""

    def __init__(self, get: Get, ask: Ask, upload: Upload) -> None:
        self._get = get
        self._ask = ask
        self._upload = upload

    def take(self, path: Path, wish: UsageMap, taking: Taking, sent: Sent | None = None) -> Imported:
        """As `Usage.take`; the file goes to the server."""
        return self._upload(Imported, PATH, asked(wish, replace(taking, name=taking.name or str(path))), path, sent)

    def imports(self, limit: int = 100) -> tuple[Import, ...]:
        """As `Usage.imports`."""
        return self._get(tuple[Import, ...], PATH, {"limit": limit})

    def undo(self, import_id: int, tenant: str = DEFAULT_TENANT) -> Import:
        """As `Usage.undo`."""
        return self._ask(Import, f"{PATH}/{import_id}", {"tenant": tenant}, None, "DELETE")


def asked(wish: UsageMap, taking: Taking) -> dict[str, Any]:
    """A mapping and how a file is taken as parameters of the API."""
    return {
        "map": option(wish.columns) or None,
        "set": option(wish.constants) or None,
        "only": [f"{column}={BETWEEN.join(values)}" for column, values in wish.only.items()] or None,
        "timezone": wish.reading.timezone,
        "time_unit": wish.reading.time_unit or None,
        "epoch": _text(wish.reading.epoch),
        "dates": wish.reading.dates or None,
        "block_tokens": wish.reading.block_tokens,
        "name": taking.name,
        "input_format": taking.form,
        "header": taking.header,
        "tenant": taking.tenant,
        "dry_run": taking.dry_run,
        "again": taking.again,
        "replace": taking.replace,
    }


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
