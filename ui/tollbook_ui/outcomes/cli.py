"""Commands about outcomes: `tollbook roi`, `capacity`, `output`, `headlines`, `score`, and the calculators of `tollbook calc`."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

import typer

from tollbook_ui import figures as f
from tollbook_ui.console import As, Data, Format, answer, asking, command, scoped, written
from tollbook_ui.costs.cli import PERIOD, Where

commands = typer.Typer()
calc = typer.Typer(help="Calculators: the integration tax, and growth by the month.", no_args_is_help=True)


@command(commands)
@scoped
def roi(
    scope: f.Scope,
    benefit: Annotated[str, typer.Option(metavar="USD", help="What it brings in the period.")],
    *,
    tax_hours: Annotated[str, typer.Option(help="Hours of integration work in the period; 0 leaves the tax out.")] = "0",
    rate: Annotated[str, typer.Option(metavar="USD", help="What such an hour costs, all in.")] = "0",
    where: Where = None,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Print what an initiative brings, against what it costs to run, to keep ready and to integrate."""
    from tollbook_ui import access
    from tollbook_ui.outcomes import show

    numbers = {"tax_hours": access.decimal(tax_hours), "rate_usd": access.decimal(rate)}
    with asking(data) as answers:
        found = answers.outcomes.roi(scope, access.decimal(benefit), **numbers, where=where or ())
    written(shape, [found], [*found.__dataclass_fields__], lambda: show.roi(found))


@command(commands)
@scoped
def capacity(scope: f.Scope, data: Data = None, shape: As = Format.TABLE) -> None:
    """Print what was paid for and not used by work that somebody owns, by team."""
    from tollbook_ui.outcomes import show

    with asking(data) as answers:
        found, extent = answers.outcomes.capacity(scope), answers.extent()
    answer(shape, found, lambda: show.capacity(found), extent)


@command(commands)
def output(
    *,
    before: Annotated[str, typer.Option("--from", metavar="PERIOD", help=f"The period before: {PERIOD}")],
    after: Annotated[str, typer.Option("--to", metavar="PERIOD", help="The period after.")],
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Print spend against output over two periods, and whether one output costs more than it did."""
    from tollbook_ui.outcomes import show
    from tollbook_ui.periods import parse_period

    now = datetime.now(UTC)
    with asking(data) as answers:
        found = answers.outcomes.output(parse_period(before, now), parse_period(after, now))
    answer(shape, found, lambda: show.output(found))


@command(commands)
@scoped
def headlines(scope: f.Scope, data: Data = None, shape: As = Format.TABLE) -> None:
    """Print latency, freshness, cost and quality of each workflow on one time axis."""
    from tollbook_ui.outcomes import show

    with asking(data) as answers:
        found, extent = answers.outcomes.headlines(scope), answers.extent()
    answer(shape, found, lambda: show.headlines(found), extent)


@command(commands)
def score(
    trace_id: Annotated[str, typer.Argument(metavar="TRACE_ID", help="32 hex digits, as tollbook requests lists them.")],
    *,
    name: Annotated[str, typer.Option(help="What is judged, such as accepted or relevance.")] = "accepted",
    value: Annotated[float | None, typer.Option(help="A number; from one half on it is good.")] = None,
    label: Annotated[str, typer.Option(help="Such as good or bad; it decides before the value does.")] = "",
    source: Annotated[str, typer.Option(help="Who says so.")] = "by hand",
    tenant: Annotated[str | None, typer.Option(help="Whose trace, where several tenants have one of this id.")] = None,
    data: Data = None,
) -> None:
    """Keep how good an answer was. gen_ai.evaluation.result events do the same."""
    from tollbook_ui.outcomes.figures import Score

    with asking(data) as answers:
        answers.outcomes.score(Score(trace_id, name, value, label, source=source, tenant=tenant))
    typer.echo(f"Kept {name} of {trace_id}.")


@command(calc, "tax")
def calc_tax(
    *,
    engineers: Annotated[str, typer.Option(help="People.")],
    sprints: Annotated[str, typer.Option(help="Sprints in the quarter.")],
    hours: Annotated[str, typer.Option(help="Hours of one of them in a sprint.")],
    rate: Annotated[str, typer.Option(metavar="USD", help="What an hour costs, all in.")],
    share: Annotated[
        str, typer.Option(help="Share of the time that goes into integration: 0.3 or 30%, or several with commas.")
    ] = "0.3,0.4,0.5",
    shape: As = Format.TABLE,
) -> None:
    """Print what integration work costs in a quarter."""
    from tollbook_ui import access
    from tollbook_ui.outcomes import formulas, show

    people, runs, each, paid = (access.decimal(text) for text in (engineers, sprints, hours, rate))
    found = formulas.taxes(people, runs, each, paid, map(_share, share.split(",")))
    written(shape, found, ["share", "quarter_usd"], lambda: show.tax(found))


def _share(text: str) -> Decimal:
    """A share that people typed: 0.3, or 30%."""
    from tollbook_ui import access

    number = access.decimal(text.strip().removesuffix("%"))
    return number / 100 if text.strip().endswith("%") else number


@command(calc, "growth", context_settings={"ignore_unknown_options": True})  # -20 is a number
def calc_growth(
    percent: Annotated[str, typer.Argument(metavar="PERCENT", help="Growth of all the time, such as 35 or -20%.")],
    months: Annotated[int, typer.Argument(metavar="MONTHS", help="Over so many months.", min=1, max=1_200)],
    *,
    output_percent: Annotated[str, typer.Option("--output", help="What output grew by meanwhile, in percent.")] = "0",
    shape: As = Format.TABLE,
) -> None:
    """Print growth by the month, and what it does to the cost of one output."""
    from tollbook_ui.outcomes import formulas, show

    grown, output_grown = (_share(f"{text.strip().removesuffix('%')}%") for text in (percent, output_percent))
    found = formulas.grown(grown, months, output_grown)
    written(shape, [found], ["month_ratio", "unit_cost_factor"], lambda: show.grown(found))
