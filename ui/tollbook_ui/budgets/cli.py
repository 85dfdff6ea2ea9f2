"""Commands about budgets: `tollbook budget set`, `list`, `show`, `delete`, `alerts`."""

from typing import Annotated

import typer
from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_ui.console import As, Data, Format, answer, asking, command, moment

budgets = typer.Typer(help="Budgets for AI and cloud: set one, list them, see who pays for what.", no_args_is_help=True)

Tenant = Annotated[str, typer.Option(help="Whose budget.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the budget.")]


@command(budgets, "set")
def budget_set(
    name: Name,
    amount: Annotated[str, typer.Argument(metavar="USD", help="Such as 5000.")],
    *,
    period: Annotated[str, typer.Option(help="day, week, month, quarter or year.")] = "month",
    owner: Annotated[str, typer.Option(help="Who answers for it; who answers for its parent if not given.")] = "",
    parent: Annotated[str, typer.Option(help="The budget it is part of.")] = "",
    pays: Annotated[
        list[str] | None,
        typer.Option("--for", metavar="KEY=VALUE", help="What it pays for, such as team=search; all of its parent if not given."),
    ] = None,
    warn_at: Annotated[str, typer.Option(help="Share of it from which on it is said.")] = "0.8",
    tenant: Tenant = DEFAULT_TENANT,
    data: Data = None,
) -> None:
    """Set a budget. One of the same name is replaced from now on.

    For example:

    tollbook budget set all 5000 --owner ann

    tollbook budget set search 1500 --parent all --for team=search
    """
    from tollbook_ui import access, place
    from tollbook_ui.budgets.figures import Budget

    wish = Budget(
        budget=name,
        amount_usd=access.decimal(amount),
        period=period,
        owner=owner,
        parent=parent,
        conditions=tuple(pays or ()),
        warn_ratio=access.decimal(warn_at),
        tenant=tenant,
    )
    with access.opened(place.at(data), create=True) as answers:
        answers.budgets.set(wish)
    typer.echo(f"Set {name}.")


@command(budgets, "list")
def budget_list(
    *,
    at: Annotated[str | None, typer.Option(help="As of then; now if not given.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 if a budget is broken.")] = False,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """List budgets with what is spent, left and forecast."""
    from tollbook_ui.budgets import show

    with asking(data) as answers:
        found = answers.budgets.status(moment(at))
    answer(shape, found, lambda: show.budgets(found))
    if check and found.broken:
        raise typer.Exit(1)


@command(budgets, "show")
def budget_show(
    *,
    since: Annotated[str | None, typer.Option("--since", "--from", help="Start; the current month if not given.")] = None,
    until: Annotated[str | None, typer.Option("--until", "--to", help="End, not part of the period.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Print a period's money by budget line and by workload, and what no budget pays for."""
    from tollbook_ui.budgets import show

    with asking(data) as answers:
        found = answers.budgets.view(moment(since), moment(until), tenant)
    answer(shape, found, lambda: show.view(found))


@command(budgets, "delete")
def budget_delete(name: Name, *, tenant: Tenant = DEFAULT_TENANT, data: Data = None) -> None:
    """Delete a budget; what is part of it stands at the top from then on."""
    with asking(data) as answers:
        found = answers.budgets.delete(name, tenant)
    typer.echo(f"Deleted {found.budget}.")


@command(budgets, "alerts")
def budget_alerts(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Rows at most.")] = 50, data: Data = None, shape: As = Format.TABLE
) -> None:
    """List what was told of budgets, newest first."""
    from tollbook_ui.budgets import show

    with asking(data) as answers:
        found = answers.budgets.alerts(limit)
    answer(shape, found, lambda: show.alerts(found))
