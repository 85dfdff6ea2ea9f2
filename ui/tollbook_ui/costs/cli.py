"""Commands about cost: `tollbook cost`, `bridge`, `anomalies` and `caches`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from tollbook_ui import figures as f
from tollbook_ui.console import As, Data, Format, Limit, answer, asking, command, scoped

commands = typer.Typer()

Where = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="Only this; may be given several times.", show_default=False)
]
PERIOD = "2026-11-09..2026-11-16 or 14d..7d without its end, 7d up to now, a day 2026-11-09, a month 2026-11, or a week 2026-W46."


@command(commands)
@scoped
def cost(
    scope: f.Scope,
    *,
    by: Annotated[
        str,
        typer.Option(
            help="Keys with commas: team, workflow, customer, model, provider, category, service, version, site, account, "
            "hour, day, basis, waste and others."
        ),
    ] = "category",
    where: Where = None,
    limit: Limit = 1_000,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Print money by any keys, with what a request, a thousand tokens and a good answer cost.

    For example:

    tollbook cost --by team,model --from 2026-11-01 --to 2026-12-01

    tollbook cost --by day --where model=gpt-4o --from 30d --format csv
    """
    from tollbook_ui.costs import show

    with asking(data) as answers:
        found, extent = answers.costs.by(scope, by.split(","), where or (), limit), answers.extent()
    answer(shape, found, lambda: show.cost(found), extent)


@command(commands)
def bridge(
    *,
    before: Annotated[str, typer.Option("--from", metavar="PERIOD", help=f"The period before: {PERIOD}")],
    after: Annotated[str, typer.Option("--to", metavar="PERIOD", help="The period after.")],
    by: Annotated[
        str, typer.Option(help="What tells workloads apart: up to three of workflow, team, service and other owners.")
    ] = ("workflow"),
    where: Where = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Drivers listed.")] = 20,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Print why cost changed between two periods, cause by cause; the causes add up to the difference, to the last digit.

    For example:

    tollbook bridge --from 2026-W46 --to 2026-W47

    tollbook bridge --from 14d..7d --to 7d --by team
    """
    from tollbook_ui.costs import show
    from tollbook_ui.periods import parse_period

    now = datetime.now(UTC)
    periods = parse_period(before, now), parse_period(after, now)
    with asking(data) as answers:
        found = answers.costs.bridge(*periods, by.split(","), where or (), limit=limit)
    answer(shape, found, lambda: show.bridge(found))


@command(commands)
@scoped
def anomalies(
    scope: f.Scope,
    *,
    by: Annotated[
        str, typer.Option(help="What tells groups apart, up to three keys: workflow, team, model and others.")
    ] = "workflow",
    where: Where = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Rows at most.")] = 20,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Print hours and days that cost far more than usual, with what moved them.

    For example:

    tollbook anomalies --from 14d --by team,workflow
    """
    from tollbook_ui.costs import show

    with asking(data) as answers:
        found = answers.costs.anomalies(scope, by.split(","), where or (), limit)
    answer(shape, found, lambda: show.anomalies(found))


@command(commands)
@scoped
def caches(scope: f.Scope, data: Data = None, shape: As = Format.TABLE) -> None:
    """Print what caching saved and cost: hit rates, writes that nobody read, calls that your own caches answered."""
    from tollbook_ui.costs import show

    with asking(data) as answers:
        found, extent = answers.costs.caches(scope), answers.extent()
    answer(shape, found, lambda: show.caches(found), extent)
