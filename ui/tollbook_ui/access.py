"""How a command reaches the store: through the server that has the data folder, or by opening it itself."""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import fields
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeAlias

from tollbook_attribution import engine
from tollbook_schema.keys import Keys
from tollbook_schema.store import Store, StoreError

from tollbook_ui import backup as backups
from tollbook_ui import doctor as examination
from tollbook_ui import figures as f
from tollbook_ui import locate, plain, units
from tollbook_ui.answers import Answers
from tollbook_ui.backup import Backup
from tollbook_ui.keyring import KEYS_FILE, Keyring
from tollbook_ui.periods import BadQuestionError
from tollbook_ui.place import Place
from tollbook_ui.remote import RemoteAnswers

AnyAnswers: TypeAlias = Answers | RemoteAnswers

START_SECONDS = 20
"""How long a server that has the folder may take until it answers, and another command until it is done."""


class NoDataError(StoreError):
    """There is no data folder, so there is nothing to answer from."""


@contextmanager
def opened(where: Place, create: bool) -> Iterator[AnyAnswers]:
    """Answers from the server that has the folder, or from the store opened here.

    Args:
        where: data folder and settings.
        create: make the folder if there is none, instead of saying so.

    Raises:
        NoDataError: there is no folder and none is to be made.
        StoreError: the store cannot be opened.
        TakenError: another process has the folder and serves nothing.
    """
    server = running(where.data)
    if server is not None:
        yield RemoteAnswers.at(server)
        return
    if not create and not where.settings.clickhouse_url and not (where.data / "clickhouse").is_dir():
        raise NoDataError(
            f"there is nothing in {where.data} yet; start with: tollbook up, tollbook demo, or tollbook ingest FILE"
        )
    with _claim(where), _store(where) as store:
        yield Answers(store)


def running(data: Path) -> locate.Server | None:
    """The server that has the folder, waited for while it starts; none where nobody serves."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        server, holder = locate.server(data), locate.holder(data)
        if server is not None or holder is None or holder.command != locate.UP:
            return server
        time.sleep(0.1)
    raise locate.TakenError(data, holder or locate.Holder(0, "", ""))


@contextmanager
def keyring(where: Place) -> Iterator[Keyring | RemoteAnswers]:
    """The keys, by the server that has the folder, or from the store opened here. Raises as `opened` does."""
    with opened(where, create=True) as answers:
        yield answers if isinstance(answers, RemoteAnswers) else Keyring(Keys(answers.store, where.data / KEYS_FILE))


def settle(answers: AnyAnswers, since: datetime | None, until: datetime | None) -> dict[str, Any]:
    """Settles; the summary by name. Shows progress where somebody watches."""
    if isinstance(answers, RemoteAnswers):
        return _settled_by_server(answers, since, until)
    from tollbook_ui import progress  # noqa: PLC0415 - a tenth of the imports of a question, which shows none

    with progress.hours() as advance:
        summary = engine.settle(answers.store, since, until, advance)
    return {field.name: plain.value(getattr(summary, field.name)) for field in fields(summary)}


def _settled_by_server(answers: RemoteAnswers, since: datetime | None, until: datetime | None) -> dict[str, Any]:
    """Has the server settle; says at once what is waited for, and meanwhile how many hours are done."""
    from tollbook_ui import progress  # noqa: PLC0415 - as above

    before = left = answers.unsettled_hours()

    def done() -> int:
        nonlocal left
        with suppress(StoreError):  # a server that is busy is asked again
            left = answers.unsettled_hours()
        return before - left

    what = "every hour of the period" if since or until else f"{units.counted(before, 'hour')} with new facts"
    line = f"The server settles {what}, after what it may be settling already: a second or so for each small hour."
    with progress.waiting(line, done, before):
        return dict(answers.settle(since, until))


def backup(where: Place, folder: Path) -> Backup:
    """Copies the data into a folder, by the server if one runs; shows progress where somebody watches. Raises as `opened`."""
    from tollbook_ui import progress  # noqa: PLC0415 - a tenth of the imports of a question, which shows none

    with progress.growing("Copying", folder), opened(where, create=False) as answers:
        if isinstance(answers, RemoteAnswers):
            return answers.backup(folder)
        return backups.make(answers.store, where.data, folder.absolute())


def restore(where: Place, folder: Path) -> Backup:
    """Makes the data folder from a backup; shows progress where somebody watches."""
    from tollbook_ui import progress  # noqa: PLC0415 - a tenth of the imports of a question, which shows none

    if where.settings.clickhouse_url:
        raise backups.BackupError(backups.SERVERS_OWN)
    with progress.growing("Restoring", where.data):
        return backups.restore(folder, where.data)


def doctor(where: Place) -> examination.Doctor:
    """What an examination finds, by the server if one runs; of an empty place too."""
    try:
        with opened(where, create=False) as answers:
            if isinstance(answers, RemoteAnswers):
                return answers.doctor(where.data)
            return examination.examine(answers, where.data, settings=where.settings)
    except NoDataError:
        return examination.examine(None, where.data, settings=where.settings)


def new_rate(instance_type: str, usd_per_hour: str, vcpus: str, terms: Mapping[str, Any]) -> f.NewRate:
    """A rate from what was typed.

    Raises:
        BadQuestionError: an amount is no number.
    """
    memory = terms["memory_gib"]
    numbers = {"memory_gib": None if memory is None else decimal(memory)}
    return f.NewRate(instance_type, decimal(usd_per_hour), decimal(vcpus), **{**terms, **numbers})


def decimal(text: str) -> Decimal:
    """A number that people typed, with a dollar sign or without.

    Raises:
        BadQuestionError: it is none.
    """
    try:
        found = Decimal(text.removeprefix("$"))
    except InvalidOperation as error:
        raise BadQuestionError(f"{text!r} is no number") from error
    if not found.is_finite():
        raise BadQuestionError(f"{text!r} is no number")
    return found


def _claim(where: Place) -> AbstractContextManager[object]:
    """The folder for this process; servers answer several, such as a collector that has the folder for its spool."""
    return nullcontext() if where.settings.clickhouse_url else locate.Claim(where.data, "a tollbook command", START_SECONDS)


@contextmanager
def _store(where: Place) -> Iterator[Store]:
    url = where.settings.clickhouse_url or None
    store = Store.open(None if url else where.data, url, where.settings.clickhouse_cluster)
    try:
        store.migrate()
        yield store
    finally:
        store.close()
