"""`tollbook import`: usage without spans."""

from pathlib import Path
from typing import Annotated

import typer

from tollbook_ui.console import As, Data, Format, Limit, command, moment, printed, written

group = typer.Typer(help="Usage without spans: take files of calls in, list those taken, take them back.", no_args_is_help=True)


@command(group, "usage")
def usage(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV, JSON or Parquet, gzip or not; a call a row.")],
    *,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="TARGET=COLUMN,...", help="What the columns are (tollbook import targets); not of known exports."
        ),
    ] = None,
    constants: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="TARGET=VALUE,...", help="What holds for every row: provider=openai,model=gpt-4o."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="COLUMN=VALUE", help="Take rows with this value: run_type=llm; VALUE|VALUE is either."),
    ] = None,
    timezone: Annotated[str, typer.Option(help="Of times that name none, such as Europe/Berlin.")] = "UTC",
    time_unit: Annotated[
        str, typer.Option(help="Of times that are numbers: s, ms, us, ns, excel; by their size if not given.")
    ] = "",
    epoch: Annotated[str | None, typer.Option(help="Where such times count from; 1970 if not given.", show_default=False)] = None,
    dates: Annotated[
        str, typer.Option(help="How 05/11/2026 is read: day-first, month-first; as the file proves if not given.")
    ] = "",
    block_tokens: Annotated[int, typer.Option(min=1, max=1_000_000, help="Tokens of a block of prefix_blocks.")] = 512,
    input_format: Annotated[
        str | None, typer.Option(help="csv, json or parquet, if the first bytes do not say it.", show_default=False)
    ] = None,
    header: Annotated[bool, typer.Option("--header/--no-header", help="Whether the first line of CSV names the columns.")] = True,
    tenant: Annotated[str, typer.Option(help="Whose calls they are.")] = "default",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the mapping and the first rows; take nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Take a file that was taken with another mapping.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take it in the place of earlier imports of that name within its period.")
    ] = False,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Take files of usage in: a call for each row, priced as one that was traced. Taking a file twice changes nothing."""
    from tollbook_ui import place
    from tollbook_ui.usage import show, taking
    from tollbook_ui.usage.load import Taking
    from tollbook_ui.usage.mapping import Reading, mapping

    how = Taking("", taking.form(input_format), header, tenant, dry_run, again, replace)
    reading = Reading(timezone, time_unit, moment(epoch), block_tokens, dates)
    wish = mapping(columns or (), constants or (), reading, only or ())
    found = taking.take(place.at(data), files, wish, how)
    written(shape, found, taking.COLUMNS, lambda: show.taken(found))


@command(group, "list")
def list_imports(limit: Limit = 100, data: Data = None, shape: As = Format.TABLE) -> None:
    """List the files of usage that were taken, the newest first."""
    from dataclasses import fields

    from tollbook_ui.console import asking
    from tollbook_ui.usage import show
    from tollbook_ui.usage.figures import Import

    with asking(data) as answers:
        found = answers.usage.imports(limit)
    written(shape, found, [field.name for field in fields(Import)], lambda: show.imports(found))


@command(group, "undo")
def undo(
    import_id: Annotated[int, typer.Argument(metavar="ID", min=0, max=2**64 - 1, help="As tollbook import list has it.")],
    *,
    tenant: Annotated[str, typer.Option(help="Whose import it is.")] = "default",
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Take an import back, such as one with a wrong mapping: its calls go, and their hours are settled again."""
    from dataclasses import fields

    from tollbook_ui.console import asking
    from tollbook_ui.usage import show
    from tollbook_ui.usage.figures import Import

    with asking(data) as answers:
        found = answers.usage.undo(import_id, tenant)
    written(shape, (found,), [field.name for field in fields(Import)], lambda: show.taken_back(found))


@command(group, "targets")
def targets() -> None:
    """List what a column can be, with the names that are known of it."""
    from tollbook_ui.usage import show

    printed(show.targets())
