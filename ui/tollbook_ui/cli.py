"""The command line: `tollbook`. Imports nothing heavy until a command needs it."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tollbook_ui import figures as f
from tollbook_ui import upkeep
from tollbook_ui.bills import cli as bills
from tollbook_ui.budgets import cli as budgets
from tollbook_ui.console import As, Data, Format, Limit, answer, asking, command, moment, print_csv, printed, scoped, written
from tollbook_ui.costs import cli as costs
from tollbook_ui.dataflow import cli as dataflow
from tollbook_ui.demo import DOCUMENTS
from tollbook_ui.dialects import cli as dialects
from tollbook_ui.leaving import leave
from tollbook_ui.machines import cli as machines
from tollbook_ui.outcomes import cli as outcomes
from tollbook_ui.outputs import cli as outputs
from tollbook_ui.pricebook import cli as pricebook
from tollbook_ui.usage import cli as usage

app = typer.Typer(
    name="tollbook",
    help="Itemizes AI: what each request cost, how old its data was, how busy the accelerators were, how much was glue.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(machines.rates, name="rates")
app.add_typer(machines.policy, name="policy")
app.add_typer(costs.commands)
app.add_typer(bills.group, name="bill")
app.add_typer(dialects.commands)
app.add_typer(budgets.budgets, name="budget")
app.add_typer(outcomes.commands)
app.add_typer(outcomes.calc, name="calc")
app.add_typer(pricebook.commands)
app.add_typer(pricebook.prices, name="prices")
app.add_typer(usage.group, name="import")
app.add_typer(dataflow.commands)
app.add_typer(outputs.group, name="outputs")
app.add_typer(upkeep.keys, name="keys")
app.add_typer(upkeep.dead, name="dead")


@command(app)
def up(
    *,
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; beyond loopback with TOLLBOOK_AUTH=required.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="OTLP/HTTP, API and dashboard; 0 for any.")] = None,
    grpc_port: Annotated[int | None, typer.Option(min=-1, max=65535, help="OTLP/gRPC; 0 for any, -1 for none.")] = None,
    any_port: Annotated[bool, typer.Option("--any-port", help="Take free ports where these are taken.")] = False,
    dashboard: Annotated[bool, typer.Option(help="Serve the dashboard.")] = True,
) -> None:
    """Run receiver, settlement, API and dashboard until Ctrl-C."""
    from tollbook_ui import place, starting

    starting.up(place.at(data), host=host, port=port, grpc_port=grpc_port, any_port=any_port, dashboard=dashboard)


@command(app)
def collect(
    *,
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="OTLP/HTTP; 0 for any.")] = None,
    grpc_port: Annotated[int | None, typer.Option(min=-1, max=65535, help="OTLP/gRPC; 0 for any, -1 for none.")] = None,
    any_port: Annotated[bool, typer.Option("--any-port", help="Take free ports where these are taken.")] = False,
) -> None:
    """Run a receiver alone, beside others, for the servers of TOLLBOOK_CLICKHOUSE_URL; settlement runs elsewhere."""
    from tollbook_schema.environment import SettingsError

    from tollbook_ui import place, starting

    where = place.at(data)
    if not where.settings.clickhouse_url:
        raise SettingsError("a collector alone needs a server to load into: set TOLLBOOK_CLICKHOUSE_URL")
    starting.up(where, host=host, port=port, grpc_port=grpc_port, any_port=any_port, dashboard=False, collect_only=True)


@command(app)
def demo(
    *,
    data: Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Folder of the demo, emptied at each start.")] = None,
    documents: Annotated[int, typer.Option(min=1, help="Files of this machine to take in.")] = DOCUMENTS,
    stay: Annotated[bool, typer.Option("--stay/--exit", help="Stay up until Ctrl-C when done.")] = True,
) -> None:
    """Measure a real workload on this machine and itemize its bill."""
    from tollbook_ui import demo as main_job

    raise typer.Exit(main_job.run(data, documents, stay))


@command(app)
def ingest(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files, or folders of files.")], data: Data = None
) -> None:
    """Store files of OTLP: protobuf, JSON or JSON lines, any signal, gzip or not."""
    from tollbook_ui import ingesting, place

    if not ingesting.ingest(place.at(data), files):
        raise typer.Exit(1)


@command(app)
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files, or folders of files.")], shape: As = Format.TABLE
) -> None:
    """Hold files of OTLP against the vocabulary; the exit status is 1 where something is wrong. Stores nothing.

    It finds unknown and misspelt attributes, wrong types, values outside their list, and what is missing. For example:

    tollbook validate spans.json
    """
    from tollbook_ui import validating

    found = validating.validated(files)
    answer(shape, found, lambda: validating.shown(found))
    for refused in found.refused:
        typer.echo(f"refused  {refused.path}: {refused.reason}", err=True)
    if found.rows or found.refused or not found.records:
        raise typer.Exit(1)


@command(app)
def settle(
    *,
    since: Annotated[str | None, typer.Option(help="Settle every hour from here on, changed or not.")] = None,
    until: Annotated[str | None, typer.Option(help="... and up to here.")] = None,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Settle the ledger: every hour whose facts have changed, or every hour of a period."""
    from tollbook_ui import access, place, show

    with access.opened(place.at(data), create=False) as answers:
        found = access.settle(answers, moment(since), moment(until))
    written(shape, [found], list(found), lambda: show.settlement(found))


@command(app)
def receipt(
    trace_id: Annotated[str, typer.Argument(metavar="TRACE_ID", help="32 hex digits, as tollbook requests lists them.")],
    *,
    lines: Annotated[bool, typer.Option("--lines", help="Every line of the ledger, not the items they add up to.")] = False,
    tenant: Annotated[str | None, typer.Option(help="Whose trace, where several tenants have one of this id.")] = None,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Print what one request cost, line by line.

    For example:

    tollbook receipt 4bf92f3577b34da6a3ce929d0e0e4736 --format json
    """
    from tollbook_ui import show

    with asking(data) as answers:
        found = answers.receipt(trace_id, tenant)
    answer(shape, found, lambda: show.receipt(found, lines))


@command(app)
@scoped
def overview(scope: f.Scope, data: Data = None, shape: As = Format.TABLE) -> None:
    """Print the period at a glance; CSV has its money by category."""
    from tollbook_ui import show

    with asking(data) as answers:
        found = answers.overview(scope)
    answer(shape, found, lambda: show.overview(found), found.extent)


@command(app)
@scoped
def requests(
    scope: f.Scope,
    *,
    limit: Limit = 50,
    offset: Annotated[int, typer.Option(min=0, help="Rows to leave out first.")] = 0,
    order: Annotated[str, typer.Option(help="newest, oldest, cost, duration, bytes or age.")] = "newest",
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """List requests with their cost."""
    from tollbook_ui import show

    with asking(data) as answers:
        found, extent = answers.requests(scope, limit, offset, order), answers.extent()
    answer(shape, found, lambda: show.requests(found), extent)


@command(app)
@scoped
def freshness(scope: f.Scope, data: Data = None, shape: As = Format.TABLE) -> None:
    """Print how old the data was at the moment of inference."""
    from tollbook_ui import show

    with asking(data) as answers:
        found, extent = answers.freshness(scope), answers.extent()
    answer(shape, found, lambda: show.freshness(found), extent)


@command(app)
@scoped
def accelerators(scope: f.Scope, data: Data = None, shape: As = Format.TABLE) -> None:
    """Print how busy each device was, and what its idle time cost."""
    from tollbook_ui import show

    with asking(data) as answers:
        found, extent = answers.accelerators(scope), answers.extent()
    answer(shape, found, lambda: show.accelerators(found), extent)


@command(app)
@scoped
def hotspots(scope: f.Scope, limit: Limit = 20, data: Data = None, shape: As = Format.TABLE) -> None:
    """Print which glue takes most time, bytes and money, and what could be saved."""
    from tollbook_ui import show

    with asking(data) as answers:
        found, extent = answers.hotspots(scope, limit), answers.extent()
    answer(shape, found, lambda: show.hotspots(found), extent)


@command(app)
@scoped
def owners(
    scope: f.Scope,
    by: Annotated[
        str, typer.Option(help="Keys, with commas: team, project, feature, customer, environment, workflow, tenant.")
    ] = "team",
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Print money by owner."""
    from tollbook_ui import show

    with asking(data) as answers:
        found, extent = answers.owners(scope, [key.strip() for key in by.split(",")]), answers.extent()
    answer(shape, found, lambda: show.owners(found), extent)


@command(app)
@scoped
def calls(scope: f.Scope, data: Data = None, shape: As = Format.TABLE) -> None:
    """Print model calls by model, with tokens and price status."""
    from tollbook_ui import show

    with asking(data) as answers:
        found, extent = answers.calls(scope), answers.extent()
    answer(shape, found, lambda: show.calls(found), extent)


@command(app)
@scoped
def workflows(scope: f.Scope, data: Data = None, shape: As = Format.TABLE) -> None:
    """Print workflows side by side, and what calling a model remotely adds."""
    from tollbook_ui import show

    with asking(data) as answers:
        found, extent = answers.comparison(scope), answers.extent()
    answer(shape, found, lambda: show.comparison(found), extent)


@command(app)
def report(
    *,
    week: Annotated[
        str | None, typer.Option(metavar="2026-W47", help="ISO week; this one if not given.", show_default=False)
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write to.")] = Path(),
    formats: Annotated[str, typer.Option("--format", "-f", help="Some of html, md and json, with commas.")] = "html,md,json",
    data: Data = None,
) -> None:
    """Write the weekly report."""
    from tollbook_ui import report as weekly
    from tollbook_ui.periods import BadQuestionError, week_of

    names = {name.strip() for name in formats.split(",")}
    if unknown := names - set(weekly.FORMATS):
        raise BadQuestionError(f"a report is written as {', '.join(weekly.FORMATS)}, not as {min(unknown)!r}")
    with asking(data) as answers:
        rendered = weekly.render(answers, week or week_of(datetime.now(UTC)))
    for path in rendered.write(out, [name for name in weekly.FORMATS if name in names]):
        typer.echo(path)


@command(app)
def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One statement that only reads; - takes it from standard input.")],
    *,
    max_rows: Limit = 10_000,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Answer SQL that only reads. SHOW TABLES lists the tables."""
    from tollbook_ui import plain, show

    statement = sys.stdin.read() if query == "-" else query
    with asking(data) as answers:
        found = answers.sql(statement, max_rows)
    if shape is Format.CSV:
        print_csv(plain.Grid(found.columns, tuple(found.rows)))
    elif shape is Format.JSON:
        typer.echo(plain.as_json(found.dicts()))
    else:
        printed(show.sql(found))
    if found.truncated and shape is not Format.TABLE:
        typer.echo(f"tollbook: there are more than these {len(found.rows)} rows", err=True)


@command(app)
def doctor(data: Data = None, shape: As = Format.TABLE) -> None:
    """Examine the installation: versions, intake, what is set aside, unsettled or unpriced. Exits with 1 if it needs you."""
    from tollbook_ui import access, place, show

    found = access.doctor(place.at(data))
    answer(shape, found, lambda: show.doctor(found))
    if not found.well:
        raise typer.Exit(1)


@command(app)
def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Empty or not there; on the server's machine.")],
    data: Data = None,
) -> None:
    """Copy everything into a folder, at one moment, while data comes in."""
    from tollbook_ui import access, place, show

    printed(show.backup("Copied", access.backup(place.at(data), folder), folder))


@command(app)
def restore(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="As tollbook backup made it.")], data: Data = None
) -> None:
    """Make a data folder from a backup; one that holds data is left alone."""
    from tollbook_ui import access, place, show

    where = place.at(data)
    printed(show.backup("Restored", access.restore(where, folder), where.data))


@app.callback(invoke_without_command=True)
def tollbook(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Itemizes AI: what each request cost, how old its data was, how busy the accelerators were, how much was glue."""
    if version:
        from tollbook_ui import __version__

        typer.echo(f"tollbook {__version__}")
        raise typer.Exit


def main() -> None:
    """Runs a command. Exits with 0 if it did what was asked, 1 if it could not, 2 if it was asked wrongly."""
    try:
        app()
    except SystemExit as ending:
        leave(ending)


if __name__ == "__main__":
    main()
