"""`tollbook outputs reconcile`."""

from pathlib import Path
from typing import Annotated

import typer

from tollbook_ui import figures as f
from tollbook_ui.console import As, Data, Format, Limit, answer, asking, command, scoped

group = typer.Typer(help="AI outputs: reconcile them with stored records.", no_args_is_help=True)


@command(group, "reconcile")
@scoped
def reconcile(
    scope: f.Scope,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, JSON or Parquet, gzip or not; a record's id a row.")],
    *,
    column: Annotated[
        str | None, typer.Option(help="That holds the ids; needed where several columns may.", show_default=False)
    ] = None,
    by: Annotated[
        str, typer.Option(help="What the ids are: response, trace, or asset or digest that a trace wrote.")
    ] = "response",
    header: Annotated[bool, typer.Option("--header/--no-header", help="Whether the first line of CSV names the columns.")] = True,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 where there are orphans.")] = False,
    limit: Limit = 20,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Join AI outputs of a period with the records that a store holds of them: orphans of both sides.

    The table shows so many orphans as --limit says, JSON and CSV all of them. For example:

    tollbook outputs reconcile answers.csv --column response_id --from 2026-11-16 --to 2026-11-23
    """
    from tollbook_ui.outputs import show
    from tollbook_ui.outputs.joined import reconciled
    from tollbook_ui.outputs.records import records

    stored = records(file, by, column, header=header)
    with asking(data) as answers:
        found = reconciled(answers.outputs.told(scope, by), stored)
    answer(shape, found, lambda: show.reconciled(found, limit))
    if strict and (found.orphan_outputs or found.orphan_records):
        raise typer.Exit(1)
