"""Where the data is, and how an error of ours is told on the command line. Imports little: every command begins here."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from tollbook_collector.errors import RefusedError, SpoolBusyError
from tollbook_schema.environment import SettingsError
from tollbook_schema.store import StoreError

from tollbook_ui import locate, plain
from tollbook_ui.errors import UnknownTraceError
from tollbook_ui.periods import BadQuestionError
from tollbook_ui.settings import Settings

WRONG = (BadQuestionError, SettingsError)
FAILED = (StoreError, UnknownTraceError, RefusedError, SpoolBusyError, locate.TakenError, OSError)


@dataclass(frozen=True)
class Place:
    """Where the data is."""

    data: Path
    settings: Settings


@contextmanager
def told() -> Iterator[None]:
    """Tells an error of ours in one line: exit status 2 where the command was given wrongly, 1 where it failed."""
    for name in ("clickhouse_connect", "urllib3"):  # they warn of what is then raised and told here
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        yield
    except WRONG as error:
        raise _exit(error, 2) from error
    except FAILED as error:
        raise _exit(error, 1) from error


def at(data: Path | None) -> Place:
    """The folder of the option, or of the settings.

    Raises:
        SettingsError: a TOLLBOOK_ variable names no setting.
    """
    settings = Settings.from_environment()
    return Place((data or settings.data_dir).expanduser(), settings)


def _exit(error: Exception, status: int) -> typer.Exit:
    message = str(error)
    if isinstance(error, OSError) and error.filename and error.strerror:
        message = f"{error.filename}: {error.strerror}"
    typer.echo(plain.visible(f"tollbook: {message}"), err=True)
    return typer.Exit(status)
