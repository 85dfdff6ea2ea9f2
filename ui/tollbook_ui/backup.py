"""A copy of a data folder, made while it is in use, and a data folder made from one.

A backup is a folder: `database`, as ClickHouse's BACKUP writes it, `spool`, with all that waits for the store, what was set aside
and what was seen, and `backup.json`, which is written last, so that a backup without one is none.

What was acknowledged before it began is in it, once: while it runs bodies are kept in the spool, none is loaded and nothing is
settled. Keys are in the database. What people set by the environment, and the secret that signs their cookies, are not in it.
"""

import json
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tollbook_schema import sql
from tollbook_schema.store import Store, migrations

from tollbook_ui import __version__, locate
from tollbook_ui.periods import BadQuestionError

DATABASE = "database"
SPOOL = "spool"
MANIFEST = "backup.json"
SERVERS_OWN = "the data is in a ClickHouse server: copy it with BACKUP DATABASE there, and the spool folder with it"


class BackupError(BadQuestionError):
    """A backup cannot be made or restored like this; the message says what to do."""


@dataclass(frozen=True)
class Backup:
    """What a backup holds."""

    version: str
    """Of Tollbook, when it was made."""
    made_at: str
    schema: int
    spans: int
    metrics: int
    logs: int
    ledger_usd: str
    """Sum of all that is settled, every digit."""
    spool_bytes: int
    """What had been acknowledged and was not in the database yet."""


Pause = Callable[[], AbstractContextManager[None]]


def make(store: Store, data: Path, folder: Path, pause: Pause = nullcontext) -> Backup:
    """Copies everything into `folder`, which must be empty or not exist.

    Args:
        store: the embedded store of the data folder.
        data: the data folder.
        folder: where to.
        pause: keeps the collector from loading.

    Raises:
        BackupError: the store is a server, the folder's path is not absolute, or there is something in it.
        StoreError, OSError: the copy cannot be written; what was written of it is left there.
    """
    if not store.embedded:
        raise BackupError(SERVERS_OWN)
    from tollbook_attribution import engine  # noqa: PLC0415 - the price list costs half a second to import

    if not folder.is_absolute():
        raise BackupError(f"where {folder} is depends on who looks: give the whole path, from /")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty: give a folder that is, or that does not exist")
    with ExitStack() as stack:
        stack.enter_context(engine.paused())
        stack.enter_context(pause())
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        totals = store.query(sql.text("tollbook_ui", "queries/backed_up.sql"))[0]
        store.backup(folder / DATABASE)
        spool_bytes = _copied(data / SPOOL, folder / SPOOL)
    made = Backup(__version__, made_at, spool_bytes=spool_bytes, **totals)
    _written_down(made, folder / MANIFEST)
    return made


def restore(folder: Path, data: Path) -> Backup:
    """Makes a data folder from a backup; the folder must hold no data yet, nobody may have it open.

    Raises:
        BackupError: there is no whole backup, it is of a newer release, or the data folder holds data.
        TakenError: another process has the data folder.
        StoreError, OSError: it cannot be read or written; what was restored by then is removed.
    """
    found = manifest(folder)
    newest = max(migration.number for migration in migrations())
    if found.schema > newest:
        raise BackupError(
            f"{folder} is of Tollbook {found.version}, schema {found.schema}; this one knows up to {newest}: upgrade"
        )
    with locate.Claim(data, "tollbook restore"):
        if holds_data(data):
            raise BackupError(f"{data} holds data already: give an empty folder with --data")
        with ExitStack() as unfinished:
            for part in ("clickhouse", SPOOL):
                unfinished.callback(shutil.rmtree, data / part, ignore_errors=True)
            _restored(folder, data)
            unfinished.pop_all()
    return found


def manifest(folder: Path) -> Backup:
    """What a backup says of itself.

    Raises:
        BackupError: the folder holds no whole backup.
    """
    try:
        return Backup(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise BackupError(f"{folder} holds no whole backup: {MANIFEST} is missing") from error
    except (ValueError, TypeError) as error:
        raise BackupError(f"{folder / MANIFEST} cannot be read: {error}") from error


def holds_data(data: Path) -> bool:
    """Whether a data folder has a database, or bodies that wait for one."""
    return any((data / "clickhouse").glob("*")) or any((data / SPOOL).glob("*.otlp"))


def _restored(folder: Path, data: Path) -> None:
    shutil.rmtree(data / "clickhouse", ignore_errors=True)
    store = Store.open(data)
    try:
        store.restore(folder / DATABASE)
    finally:
        store.close()
    _copied(folder / SPOOL, data / SPOOL)


def _copied(source: Path, target: Path) -> int:
    """Copies the files of a spool, whose collector may go on adding to it; bytes that wait in it."""
    target.mkdir(mode=0o700, exist_ok=True)
    waiting = 0
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(mode=0o700, exist_ok=True)
        elif path.name != "lock" and not path.name.endswith(".draft"):
            try:
                shutil.copy2(path, place)
            except FileNotFoundError:  # deleted meanwhile: the index of a segment, a log of what was seen
                continue
            waiting += place.stat().st_size if path.suffix == ".otlp" and path.parent == source else 0
    return waiting


def _written_down(made: Backup, path: Path) -> None:
    with open(path, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        json.dump(asdict(made), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
