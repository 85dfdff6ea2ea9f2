"""`tollbook dead`: records that the store refused. Works on the spool's folder, so it is the same with a server and without."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from tollbook_collector import wire
from tollbook_collector.dead import Graves, Letter
from tollbook_collector.segment import FRAME_FIELD
from tollbook_collector.signals import SIGNALS

from tollbook_ui.periods import BadQuestionError
from tollbook_ui.place import Place


def letters(where: Place) -> list[Letter]:
    """All of them, oldest first."""
    return _graves(where).letters()


def shown(where: Place, name: str) -> Iterator[str]:
    """Lines about one letter: what the store said, whose it is, and what it holds as JSON.

    Raises:
        BadQuestionError: there is none of that name.
    """
    graves = _graves(where)
    with _named():
        content = graves.content(name)
    letter = next(letter for letter in graves.letters() if letter.name == name)
    yield f"reason: {letter.reason}"
    yield f"tenant: {letter.tenant or 'unknown'}"
    yield f"came:   {letter.came_at:%Y-%m-%d %H:%M:%S} UTC"
    yield json.dumps(_tree(letter.signal, content), indent=2, ensure_ascii=False)


def retry(where: Place, names: Sequence[str], everything: bool) -> int:
    """Gives letters back to the collector; how many. Raises as `shown` does."""
    return _each(where, names, everything, _graves(where).retry)


def drop(where: Place, names: Sequence[str], everything: bool) -> int:
    """Deletes letters for good; how many. Raises as `shown` does."""
    return _each(where, names, everything, _graves(where).drop)


def _each(where: Place, names: Sequence[str], everything: bool, act: Callable[[Iterable[str]], int]) -> int:
    if bool(names) == everything:
        raise BadQuestionError("say which: names as tollbook dead list shows them, or --all")
    with _named():
        return act([letter.name for letter in letters(where)] if everything else names)


@contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except KeyError as error:
        raise BadQuestionError(f"there is no dead letter {error.args[0]}; see: tollbook dead list") from error


def _graves(where: Place) -> Graves:
    return Graves(where.data / "spool")


def _tree(signal: str, content: bytes) -> Any:
    """What a letter holds, without the frames between its bodies."""
    try:
        fields = [field for field in wire.fields(content) if field.number != FRAME_FIELD]
        bodies = b"".join(content[field.start : field.end] for field in fields)
        request = next(known for known in SIGNALS.values() if known.name == signal).request.FromString(bodies)
    except (DecodeError, wire.WireError) as error:
        return {"unreadable": str(error), "bytes": content.hex()}
    return MessageToDict(request)
