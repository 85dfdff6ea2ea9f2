"""`tollbook bill`: import bills, list and sum them, set them against the ledger, write them as FOCUS."""

from pathlib import Path
from typing import Annotated

import typer

from tollbook_ui.console import As, Data, Format, Limit, answer, asking, command, moment, written

group = typer.Typer(
    help="Bills: import them, set them against the ledger, write what was attributed as FOCUS.", no_args_is_help=True
)

Provider = Annotated[str, typer.Option(help="Only of this one: aws, azure, google, oci, openai.", show_default=False)]
Month = Annotated[str, typer.Option(metavar="2026-10", help="Only of this billing period.", show_default=False)]
Tenant = Annotated[str, typer.Option(help="Whose bill it is.")]


@command(group, "import")
def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="FOCUS 1.0 to 1.4, AWS CUR, Azure, OCI, Google; CSV, JSON, Parquet; gzip, bzip2, xz, zstd, zip, tar.",
        ),
    ],
    *,
    period: Annotated[
        str,
        typer.Option(metavar="2026-10", help="The billing period that all lines are of; else as they say.", show_default=False),
    ] = "",
    decimal: Annotated[str, typer.Option(help="point, or comma for 1.234,56.")] = "point",
    add: Annotated[bool, typer.Option("--add", help="A later part of a bill: its lines come beside those in force.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take it in the place of a bill of that period more than twice as large.")
    ] = False,
    allow_duplicates: Annotated[
        bool, typer.Option("--allow-duplicates", help="A line that is told twice was charged twice.")
    ] = False,
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=NAME,...", help="What columns of any other bill are in FOCUS: BilledCost=Amount."),
    ] = None,
    constants: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="COLUMN=VALUE,...", help="What holds for every line: BillingCurrency=EUR,ChargeCategory=Usage."
        ),
    ] = None,
    tenant: Tenant = "default",
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Store bills: all lines of all files, or none. A billing period that was imported before is replaced; both are kept."""
    from tollbook_attribution.bills import Options

    from tollbook_ui import place
    from tollbook_ui.bills import show, taking
    from tollbook_ui.periods import BadQuestionError

    if decimal not in ("point", "comma"):
        raise BadQuestionError(f"the decimal sign is point or comma, not {decimal!r}")
    said = [[part for text in texts or () for part in text.split(",")] for texts in (columns, constants)]
    options = Options(tenant, period, decimal == "comma", add, allow_duplicates, said[0], said[1], replace)
    found = taking.take(place.at(data), files, options)
    answer(shape, found, lambda: show.taken(found))


@command(group, "list")
def list_periods(
    *, provider: Provider = "", period: Month = "", limit: Limit = 1_000, data: Data = None, shape: As = Format.TABLE
) -> None:
    """List the billing periods in force, the newest first."""
    from dataclasses import fields

    from tollbook_ui.bills import show
    from tollbook_ui.bills.figures import Period

    with asking(data) as answers:
        found = answers.bills.periods(provider, period, limit)
    written(
        shape, found, [field.name for field in fields(Period)], lambda: show.periods(found, narrowed=bool(provider or period))
    )


@command(group)
def undo(
    import_id: Annotated[int, typer.Argument(metavar="ID", min=0, max=2**64 - 1, help="As tollbook bill list has it.")],
    *,
    tenant: Tenant = "default",
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Take an import back, such as one of the wrong account: what it took the place of counts again."""
    from tollbook_ui.bills import show

    with asking(data) as answers:
        found = answers.bills.undo(import_id, tenant)
    answer(shape, found, lambda: show.undone(found))


@command(group, "show")
def show_charges(
    *, provider: Provider = "", period: Month = "", limit: Limit = 1_000, data: Data = None, shape: As = Format.TABLE
) -> None:
    """Print what was charged, by service and account; the rows add up to the bill."""
    from tollbook_ui.bills import show

    with asking(data) as answers:
        found = answers.bills.show(provider, period, limit)
    answer(shape, found, lambda: show.charges(found, narrowed=bool(provider or period)))


@command(group)
def reconcile(
    *,
    provider: Provider = "",
    period: Month = "",
    cost: Annotated[
        str | None,
        typer.Option(
            help="Which cost replaces estimates: billed, the invoice, or effective, with commitments spread.", show_default=False
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Remainders and orphans told one by one.")] = 50,
    tenant: Tenant = "default",
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Set bills against the ledger: attributed + idle + shared + unattributed = billed, and why they differ."""
    from tollbook_ui import access
    from tollbook_ui.bills import show

    with asking(data) as answers:
        answers.bills.reconcile(tenant, cost)
        found = answers.bills.reconciliation(provider, period, limit)
        if found.unsettled_hours:
            access.settle(answers, None, None)
            found = answers.bills.reconciliation(provider, period, limit)
    answer(shape, found, lambda: show.reconciliation(found, narrowed=bool(provider or period)))


@command(group)
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to: .csv, or .parquet.")],
    *,
    since: Annotated[str | None, typer.Option("--since", "--from", help="Start; seven days ago if not given.")] = None,
    until: Annotated[str | None, typer.Option("--until", "--to", help="End, not part of the period.")] = None,
    data: Data = None,
) -> None:
    """Write what was attributed as FOCUS 1.4, with its Allocated columns. The rows add up to the ledger."""
    from tollbook_ui import show
    from tollbook_ui.figures import Scope
    from tollbook_ui.periods import BadQuestionError

    form = file.suffix.removeprefix(".").lower()
    if form not in ("csv", "parquet"):
        raise BadQuestionError(f"FOCUS is written to a file that ends in .csv or .parquet, not to {file.name}")
    scope = Scope(moment(since), moment(until))
    with asking(data) as answers:
        size = answers.bills.export(file, scope.since, scope.until, form)
        found, extent = answers.costs.by(scope, ("category",), (), 1), answers.extent()
    typer.echo(f"{size:,} bytes of FOCUS 1.4 written to {file}.")
    if not found.total.lines:
        unpriced = f"{found.total.unpriced_calls} model calls in it have no price." if found.total.unpriced_calls else ""
        for line in (f"{file.name} holds the names of its columns alone.", *show.nothing(found.period, extent), unpriced):
            if line:
                typer.echo(f"tollbook: {line}", err=True)


@command(group, "map")
def map_lines(
    target: Annotated[
        str,
        typer.Argument(
            metavar="CATEGORY/RESOURCE", help="What they are of: compute/host:i-0abc, tokens/openai/gpt-4o, tokens/*, none."
        ),
    ],
    *,
    provider: Provider = "",
    account: Annotated[str, typer.Option(help="Lines of this account.", show_default=False)] = "",
    service: Annotated[str, typer.Option(help="Lines of this service; % stands for anything.", show_default=False)] = "",
    resource: Annotated[str, typer.Option(help="Lines of this resource, by id or name; % too.", show_default=False)] = "",
    sku: Annotated[str, typer.Option(help="Lines of this SKU: id, meter or description; % too.", show_default=False)] = "",
    ledger_provider: Annotated[
        str, typer.Option(help="Provider in the ledger, for a category as a whole.", show_default=False)
    ] = "",
    tenant: Tenant = "default",
    data: Data = None,
) -> None:
    """Say what billed lines are of, where resource, model and provider do not tell it."""
    from tollbook_ui.bills.figures import NewMapping

    wish = NewMapping(target, provider, account, service, resource, sku, ledger_provider, tenant)
    with asking(data) as answers:
        found = answers.bills.map(wish)
    typer.echo(f"Mapped as {found.mapping_id}. It counts from the next settlement on: tollbook settle")


@command(group)
def mappings(data: Data = None, shape: As = Format.TABLE) -> None:
    """List what was said of billed lines."""
    from dataclasses import fields

    from tollbook_ui.bills import show
    from tollbook_ui.bills.figures import Mapping

    with asking(data) as answers:
        found = answers.bills.mappings()
    written(shape, found, [field.name for field in fields(Mapping)], lambda: show.mappings(found))


@command(group)
def unmap(
    mapping_id: Annotated[str, typer.Argument(metavar="ID", help="As mappings shows it.")],
    tenant: Tenant = "default",
    data: Data = None,
) -> None:
    """Take back what was said of billed lines."""
    with asking(data) as answers:
        found = answers.bills.unmap(mapping_id, tenant)
    typer.echo(f"Removed {found.mapping_id}.")
