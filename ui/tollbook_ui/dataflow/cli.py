"""`tollbook transfers`, `tollbook storage`, `tollbook services`, `tollbook principals`."""

from pathlib import Path
from typing import Annotated

import typer

from tollbook_ui import figures as f
from tollbook_ui.console import As, Data, Format, Limit, answer, asking, command, scoped

commands = typer.Typer()
storage = typer.Typer(help="Stored data: what copies of assets cost; declare what is stored.", no_args_is_help=True)
commands.add_typer(storage, name="storage")


@command(commands)
@scoped
def transfers(scope: f.Scope, limit: Limit = 100, data: Data = None, shape: As = Format.TABLE) -> None:
    """Print bytes that moved, by pipeline and kind of boundary, and what they cost."""
    from tollbook_ui.dataflow import show

    with asking(data) as answers:
        found, extent = answers.data.transfers(scope, limit), answers.extent()
    answer(shape, found, lambda: show.transfers(found), extent)


@command(commands)
@scoped
def services(scope: f.Scope, limit: Limit = 100, data: Data = None, shape: As = Format.TABLE) -> None:
    """Print vector databases, searches and tools that are paid by use, and what they cost."""
    from tollbook_ui.dataflow import show

    with asking(data) as answers:
        found, extent = answers.data.services(scope, limit), answers.extent()
    answer(shape, found, lambda: show.services(found), extent)


@command(commands)
@scoped
def principals(
    scope: f.Scope,
    *,
    asset: Annotated[str | None, typer.Option(help="Only accesses to this asset.", show_default=False)] = None,
    model: Annotated[str | None, typer.Option(help="Only this model, asked for or that answered.", show_default=False)] = None,
    principal: Annotated[str | None, typer.Option(help="Only this user or service.", show_default=False)] = None,
    limit: Limit = 100,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Print who had which assets read for which models: users, or services where no span names a user.

    Example: tollbook principals --asset prices --model gpt-4o --since 7d
    """
    from tollbook_ui.dataflow import show
    from tollbook_ui.dataflow.figures import Access

    with asking(data) as answers:
        found, extent = answers.data.principals(scope, Access(asset, model, principal), limit), answers.extent()
    answer(shape, found, lambda: show.principals(found), extent)


@command(storage, "list")
@scoped
def storage_list(scope: f.Scope, limit: Limit = 100, data: Data = None, shape: As = Format.TABLE) -> None:
    """Print copies of assets, how long they were held in days that are over, and what that cost."""
    from tollbook_ui.dataflow import show

    with asking(data) as answers:
        found, extent = answers.data.stored(scope, limit), answers.extent()
    answer(shape, found, lambda: show.stored(found), extent)


@command(storage, "import")
def storage_import(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="CSV with asset, location, bytes, from; see the README.")
    ],
    *,
    tenant: Annotated[str, typer.Option(help="Whose it is.")] = "default",
    data: Data = None,
) -> None:
    """Declare stored assets. A row known already changes nothing; one with the same asset, location and from replaces it."""
    from tollbook_ui import access, place, unsettled

    with access.opened(place.at(data), create=True) as answers:
        for path in files:
            found = answers.data.declare(path, str(path), tenant)
            typer.echo(f"{found.file}: {found.rows:,} rows, {found.new_rows:,} new")
    typer.echo(unsettled.NEXT)
