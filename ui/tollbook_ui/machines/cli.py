"""Commands about machines: `tollbook rates` and `tollbook policy`."""

from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_ui import figures as f
from tollbook_ui.console import As, Data, Format, asking, command, moment, written

rates = typer.Typer(help="What machines, accelerators and commitments cost: list it, set it, import it.", no_args_is_help=True)
policy = typer.Typer(help="Who bears idle and shared cost, and how requests share accelerators.", no_args_is_help=True)

SETTLED = "Hours already settled keep their result until: tollbook settle --since DAY"


class Kind(StrEnum):
    """What a rate is of."""

    INSTANCE = "instance"
    ACCELERATOR = "accelerator"
    COMMITMENT = "commitment"


Tenant = Annotated[str, typer.Option(help="Whose.")]
Provider = Annotated[str, typer.Option(help="Such as aws.")]
Region = Annotated[str, typer.Option(help="Only there; everywhere if not given.")]
Since = Annotated[str | None, typer.Option(help="Valid from then on; since ever if not given.")]
Source = Annotated[str, typer.Option(help="Where the price is from.")]


@command(rates, "list")
def rates_list(
    kind: Annotated[Kind, typer.Option(help="Of what.")] = Kind.INSTANCE, data: Data = None, shape: As = Format.TABLE
) -> None:
    """Print what machine hours, accelerator hours or commitments cost."""
    from tollbook_ui import show
    from tollbook_ui.machines import show as own
    from tollbook_ui.machines.figures import AcceleratorRate, Paid

    if kind is Kind.INSTANCE:
        with asking(data) as answers:
            instances = answers.rates()
        written(shape, instances, _columns(f.Rate), lambda: show.rates(instances))
    elif kind is Kind.ACCELERATOR:
        with asking(data) as answers:
            accelerators = answers.machines.accelerators()
        written(shape, accelerators, _columns(AcceleratorRate), lambda: own.accelerators(accelerators))
    else:
        with asking(data) as answers:
            commitments = answers.machines.commitments()
        written(shape, commitments, _columns(Paid), lambda: own.commitments(commitments))


@command(rates, "set")
def rates_set(
    instance_type: Annotated[str, typer.Argument(metavar="TYPE", help="As host.type says it, such as m7i.xlarge.")],
    usd_per_hour: Annotated[str, typer.Argument(metavar="USD_PER_HOUR", help="Such as 0.2016.")],
    vcpus: Annotated[str, typer.Argument(metavar="VCPUS", help="CPUs of the machine, such as 4.")],
    *,
    provider: Provider = "",
    region: Region = "",
    memory_gib: Annotated[str | None, typer.Option(help="Memory of the machine.")] = None,
    memory_share: Annotated[
        str | None, typer.Option(help="What of the price is for memory, 0 to 1; a CPU costs as much as 8 GiB if not given.")
    ] = None,
    purchase: Annotated[str, typer.Option(help="Bought so: on_demand, spot or reserved; any if not given.")] = "",
    accelerators: Annotated[int, typer.Option(min=0, help="How many the price pays for.")] = 0,
    accelerator_share: Annotated[str | None, typer.Option(help="What of the price is for them, 0 to 1.")] = None,
    since: Since = None,
    source: Source = "set by the user",
    data: Data = None,
) -> None:
    """Set what an hour of a type of machine costs. Nothing is overwritten: the newest rate holds from its date on."""
    from tollbook_ui import access, place

    numbers = {"memory_gib": memory_gib, "memory_share": memory_share, "accelerator_share": accelerator_share}
    rate = f.NewRate(
        instance_type, access.decimal(usd_per_hour), access.decimal(vcpus), provider, region, accelerators=accelerators,
        purchase=purchase, valid_from=moment(since), source=source,
        **{name: access.decimal(text) for name, text in numbers.items() if text is not None},
    )  # fmt: skip
    with access.opened(place.at(data), create=True) as answers:
        typer.echo(f"Set {answers.set_rate(rate)}.")
    typer.echo(SETTLED)


@command(rates, "accelerator")
def rates_accelerator(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="As hw.model says it, such as 'NVIDIA H100'.")],
    amount: Annotated[str, typer.Argument(metavar="PER_HOUR", help="Such as 2.50.")],
    *,
    currency: Annotated[str, typer.Option(help="Of the price.")] = "USD",
    provider: Provider = "",
    region: Region = "",
    since: Since = None,
    source: Source = "set by the user",
    data: Data = None,
) -> None:
    """Set what an hour of a model of accelerator costs, where the machine's own rate does not pay for it."""
    from tollbook_ui import access, place
    from tollbook_ui.machines.figures import NewAcceleratorRate

    wish = NewAcceleratorRate(model, access.decimal(amount), currency, provider, region, moment(since), source)
    with access.opened(place.at(data), create=True) as answers:
        answers.machines.set_accelerator(wish)
    typer.echo(f"Set {model}.\n{SETTLED}")


@command(rates, "electricity")
def rates_electricity(
    per_kwh: Annotated[str, typer.Argument(metavar="PER_KWH", help="Such as 0.24.")],
    *,
    site: Annotated[str, typer.Option(help="As tollbook.site says it, or a region; everywhere if not given.")] = "",
    pue: Annotated[str | None, typer.Option(help="What the building draws for each kWh of its machines; 1 if not given.")] = None,
    currency: Annotated[str, typer.Option(help="Of the price.")] = "USD",
    provider: Annotated[str, typer.Option(help="Who is paid.")] = "",
    since: Since = None,
    source: Source = "set by the user",
    data: Data = None,
) -> None:
    """Set what a kWh costs. It is for accelerators without a rate, as rates have power in them: see tollbook policy show."""
    from tollbook_ui import access, place
    from tollbook_ui.machines.figures import NewElectricity

    effectiveness = access.decimal(pue) if pue else None
    wish = NewElectricity(access.decimal(per_kwh), currency, site, effectiveness, provider, moment(since), source)
    with access.opened(place.at(data), create=True) as answers:
        answers.machines.set_electricity(wish)
    typer.echo(f"Set a kWh{f' at {site}' if site else ''}.\n{SETTLED}")


@command(rates, "commitment")
def rates_commitment(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it; set again, it is replaced.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="For the whole period.")],
    since: Annotated[str, typer.Option("--since", "--from", help="When the period begins.")],
    until: Annotated[str, typer.Option("--until", "--to", help="When it ends.")],
    *,
    unit: Annotated[
        str,
        typer.Option(help="Counted in host_hour, usd, gpu_hour, token, call, request, use or seat; nothing for a fixed fee."),
    ] = "",
    covers: Annotated[str, typer.Option(help="Instance type, accelerator, model or service that it is for.")] = "",
    capacity: Annotated[str | None, typer.Option(help="Units an hour that it pays for; any number if not given.")] = None,
    currency: Annotated[str, typer.Option(help="Of the amount.")] = "USD",
    kind: Annotated[str, typer.Option(help="What it is, in your words, such as PTU.")] = "",
    provider: Provider = "",
    region: Region = "",
    account: Annotated[str, typer.Option(help="Only this account.")] = "",
    tenant: Tenant = DEFAULT_TENANT,
    source: Source = "set by the user",
    data: Data = None,
) -> None:
    """Set what was paid for a period whatever is used of it: reserved machines, throughput, seats, subscriptions, fees."""
    from tollbook_ui import access, place
    from tollbook_ui.machines.figures import NewPaid
    from tollbook_ui.periods import BadQuestionError

    begins, ends = moment(since), moment(until)
    if begins is None or ends is None:
        raise BadQuestionError("a commitment has a begin and an end")
    wish = NewPaid(
        name, access.decimal(amount), begins, ends, unit, covers, access.decimal(capacity) if capacity else None, currency, kind,
        provider, region, account, tenant, source,
    )  # fmt: skip
    with access.opened(place.at(data), create=True) as answers:
        answers.machines.set_commitment(wish)
    typer.echo(f"Set {name}.\n{SETTLED}")


@command(rates, "import")
def rates_import(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or JSON.")],
    *,
    kind: Annotated[Kind, typer.Option(help="What its rates are of.")] = Kind.INSTANCE,
    given: Annotated[
        list[str] | None, typer.Option("--set", metavar="COLUMN=VALUE", help="For every row that does not say it.")
    ] = None,
    data: Data = None,
) -> None:
    """Take all rates of a file, or none: an error names file, line and column. SkyPilot's catalogs are understood."""
    from tollbook_attribution import file_text

    from tollbook_ui import access, place
    from tollbook_ui.machines.figures import RateFile
    from tollbook_ui.periods import BadQuestionError
    from tollbook_ui.usage.figures import FOR_GOOD

    pairs = [text.partition("=") for text in given or ()]
    if wrong := next((name for name, sign, _ in pairs if not sign), None):
        raise BadQuestionError(f"--set takes COLUMN=VALUE, not {wrong!r}")
    try:
        content = file_text.of(file.read_bytes())
    except file_text.NotTextError as error:
        where = f"{file}, line {error.line}" if error.line else str(file)
        raise BadQuestionError(f"{where}: {error}\n{FOR_GOOD}") from error
    wish = RateFile(kind.value, file.name, content, {name.strip().lower(): value for name, _, value in pairs})
    with access.opened(place.at(data), create=True) as answers:
        found = answers.machines.take(wish)
    typer.echo(f"Took {found.rows} rates of {found.name}.\n{SETTLED}")


@command(policy, "show")
def policy_show(data: Data = None, shape: As = Format.TABLE) -> None:
    """Print which rules hold, and which held."""
    from tollbook_ui.machines import show
    from tollbook_ui.machines.figures import Policy

    with asking(data) as answers:
        found = answers.machines.policies()
    written(shape, found, _columns(Policy), lambda: show.policies(found))


@command(policy, "set")
def policy_set(
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="idle, shared or accelerator.")],
    method: Annotated[
        str,
        typer.Argument(
            metavar="METHOD", help="none, separate, by-node, by-cluster, by-use; accelerators: equal, by-tokens, by-items."
        ),
    ],
    *,
    since: Since = None,
    tenant: Tenant = DEFAULT_TENANT,
    source: Annotated[str, typer.Option(help="Who decided it.")] = "set by the user",
    data: Data = None,
) -> None:
    """Set who bears idle or shared cost, or how concurrent requests share an accelerator, from a moment on."""
    from tollbook_ui import access, place
    from tollbook_ui.machines.figures import NewPolicy

    with access.opened(place.at(data), create=True) as answers:
        found = answers.machines.set_policy(NewPolicy(subject, method, tenant, moment(since), source))
    typer.echo(f"Set {found.subject} {found.method}: {found.effect}.\n{SETTLED}")


def _columns(row: Any) -> list[str]:
    return [field.name for field in fields(row)]
