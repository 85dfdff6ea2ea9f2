"""`tollbook import usage`: files that are taken one after another, with a bar where somebody watches."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from tollbook_ui import access, progress
from tollbook_ui.periods import BadQuestionError
from tollbook_ui.place import Place
from tollbook_ui.remote import RemoteAnswers
from tollbook_ui.usage.figures import Imported
from tollbook_ui.usage.files import FORMATS, Format
from tollbook_ui.usage.load import Taking
from tollbook_ui.usage.mapping import UsageMap

COLUMNS = [field.name for field in fields(Imported)]

LOOKED_AT_BYTES = 1 << 20
"""How much of a file tells how long its rows are."""


def form(text: str | None) -> Format | None:
    """The format of that name. Raises BadQuestionError where there is none."""
    for known in FORMATS:
        if text == known:
            return known
    if text is not None:
        raise BadQuestionError(f"a file of usage is {', '.join(FORMATS)}, not {text!r}")
    return None


def take(where: Place, files: Sequence[Path], wish: UsageMap, taking: Taking) -> list[Imported]:
    """Takes files in, the first one that cannot be taken ends it."""
    with access.opened(where, create=True) as answers:
        return [_take(answers, path, wish, taking) for path in files]


def _take(answers: access.AnyAnswers, path: Path, wish: UsageMap, taking: Taking) -> Imported:
    if isinstance(answers, RemoteAnswers):
        with progress.share(f"Sending {path.name}") as sent:
            return answers.usage.take(path, wish, taking, sent)
    with progress.counted(f"Reading {path.name}", answers.usage.rows_read, _rows_expected(path)):
        return answers.usage.take(path, wish, taking)


def _rows_expected(path: Path) -> int | None:
    """About how many rows a text file has; None where its bytes do not tell."""
    with path.open("rb") as content:
        beginning = content.read(LOOKED_AT_BYTES)
    lines = beginning.count(b"\n")
    return path.stat().st_size * lines // len(beginning) if lines and beginning[:2] != b"\x1f\x8b" else None
