"""An import that comes in the place of earlier ones: those of the same file's name, or the same bytes, within its period."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import PurePath

from tollbook_schema.store import Store

from tollbook_ui.periods import BadQuestionError
from tollbook_ui.usage import undoing
from tollbook_ui.usage.figures import Import
from tollbook_ui.usage.mapping import UsageMap

Period = tuple[datetime, datetime]
"""Of the first and the last call."""


def replaced(known: Iterable[Import], name: str, digest: str, wish: UsageMap, period: Period) -> tuple[Import, ...]:
    """The imports that a file comes in the place of, the newest first. The same bytes in the same reading change nothing.

    Raises:
        BadQuestionError: one goes on beyond the period of the file, or is of another name and the same mapping.
    """
    within = [one for one in known if one.first_call <= period[1] and one.last_call >= period[0]]
    mine = [one for one in within if one.digest == digest or _source(one.file) == _source(name)]
    beyond = next((one for one in mine if one.first_call < period[0] or one.last_call > period[1]), None)
    if beyond and not _same(beyond, digest, wish):
        raise BadQuestionError(
            f"import {beyond.import_id} of {beyond.file} goes from {beyond.first_call:%Y-%m-%d %H:%M:%S} to "
            f"{beyond.last_call:%Y-%m-%d %H:%M:%S} UTC, beyond {name}: what this file does not tell of would be lost. "
            f"Export the whole period, or take it back first: tollbook import undo {beyond.import_id}"
        )
    other = next(
        (one for one in within if one not in mine and (one.columns, one.constants) == (wish.columns, wish.constants)), None
    )
    if other and not mine:
        raise BadQuestionError(
            f"import {other.import_id} of {other.file} has the same mapping and period, but another name: where {name} is the "
            f"same source, first tollbook import undo {other.import_id}; where it is another one, import it without --replace"
        )
    return tuple(one for one in mine if not _same(one, digest, wish))


def take_back(store: Store, tenant: str, found: Sequence[Import]) -> None:
    """Takes replaced imports back. Raises BadQuestionError, and takes none back, where others counted on from them."""
    mine = {one.import_id for one in found}
    for one in found:
        later = undoing.built_upon(store, tenant, one.import_id)
        if later is not None and later not in mine:
            raise BadQuestionError(f"a later import counted on from {one.import_id}: first tollbook import undo {later}")
    for one in found:
        undoing.take_back(store, one.import_id)


def _same(one: Import, digest: str, wish: UsageMap) -> bool:
    return (one.digest, one.columns, one.constants, one.times) == (digest, wish.columns, wish.constants, wish.times)


def _source(file: str) -> str:
    return PurePath(file.replace("\\", "/")).name
