"""What all commands share: their options, how an answer is printed, how an error is told. Imports nothing heavy."""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tollbook_ui import figures as f

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tollbook_ui.access import AnyAnswers
    from tollbook_ui.plain import Grid


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Data folder; else TOLLBOOK_DATA, else the user's data folder.")
]
As = Annotated[Format, typer.Option("--format", "-f", help="A table to read, or every digit as JSON or CSV.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Rows at most.")]

SCOPE_OPTIONS = {
    "since": "Start: 2026-11-16, 2026-11-16T09:00, or how long ago: 24h, 7d, 2w.",
    "until": "End, not part of the period; the end of this hour if not given.",
    "service": "Only this service.",
    "workflow": "Only this workflow; '' for what names none. So with the other owners.",
    "team": "Only this team.",
    "project": "Only this project.",
    "feature": "Only this feature.",
    "customer": "Only this customer.",
    "environment": "Only this environment.",
}

ALSO = {"since": ("--from",), "until": ("--to",)}
"""Other spellings of options."""


def command(group: typer.Typer, name: str | None = None, **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Adds a command to a group; an error we know is told in one line, and decides the exit status."""

    def add(run: Callable[..., None]) -> Callable[..., None]:
        @wraps(run)
        def told(**values: Any) -> None:
            from tollbook_ui import place

            with place.told():
                run(**values)

        group.command(name, **settings)(told)
        return run

    return add


def scoped(run: Callable[..., None]) -> Callable[..., None]:
    """Gives a command that takes a `scope` the options which make one up."""
    given = inspect.signature(run)
    own = [parameter for name, parameter in given.parameters.items() if name != "scope"]
    options = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[str | None, typer.Option(f"--{name}", *ALSO.get(name, ()), help=text, show_default=False)],
        )
        for name, text in SCOPE_OPTIONS.items()
    ]

    @wraps(run)
    def with_scope(**values: Any) -> None:
        run(scope=_scope({name: values.pop(name) for name in SCOPE_OPTIONS}), **values)

    with_scope.__signature__ = given.replace(parameters=[*own, *options])  # type: ignore[attr-defined]  # inspect reads it
    return with_scope


def moment(text: str | None) -> datetime | None:
    """The moment that people wrote, None for none. Raises BadQuestionError."""
    from tollbook_ui.periods import parse_time

    return parse_time(text, datetime.now(UTC)) if text else None


def _scope(values: dict[str, str | None]) -> f.Scope:
    since, until = moment(values.pop("since")), moment(values.pop("until"))
    return f.Scope(since, until, **values)


@contextmanager
def asking(data: Path | None) -> Iterator["AnyAnswers"]:
    """The answers of the server that has the data folder, or of the folder itself."""
    from tollbook_ui import access, place

    with access.opened(place.at(data), create=False) as answers:
        yield answers


def answer(shape: Format, found: Any, table: Callable[[], Iterable["RenderableType"]], extent: f.Extent | None = None) -> None:
    """Prints an answer that has `rows`; an empty table says what to do next."""
    from tollbook_ui import plain, show

    if shape is Format.JSON:
        typer.echo(plain.as_json(found))
    elif shape is Format.CSV:
        print_csv(plain.answer_grid(found))
    elif extent is not None and not found.rows:
        printed(show.nothing(found.period, extent))
    else:
        printed(table())
    _unsettled(found)


def written(shape: Format, rows: Sequence[Any], columns: Sequence[str], table: Callable[[], Iterable["RenderableType"]]) -> None:
    """Prints rows that are no answer of their own."""
    from tollbook_ui import plain

    if shape is Format.JSON:
        typer.echo(plain.as_json(rows))
    elif shape is Format.CSV:
        print_csv(plain.grid(rows, columns))
    else:
        printed(table())
    for row in rows:
        _unsettled(row)


def _unsettled(found: Any) -> None:
    """Says, beside an answer in whatever format, that hours of its period wait to be settled."""
    if waiting := getattr(found, "unsettled_hours", 0):
        from tollbook_ui import unsettled

        typer.echo(f"tollbook: {unsettled.note(waiting)}", err=True)


def print_csv(grid: "Grid") -> None:
    """Prints a grid as CSV; on a terminal with its control characters made visible."""
    from tollbook_ui import plain

    text = plain.as_csv(grid)
    typer.echo(plain.visible(text) if sys.stdout.isatty() else text, nl=False)


def printed(parts: Iterable["RenderableType"]) -> None:
    """Prints tables and lines, in colour on a terminal."""
    from tollbook_ui import show, widths

    console = show.console()
    terminal = console.width
    for part in parts:
        console.width = widths.of(part, terminal)
        console.print(part)
