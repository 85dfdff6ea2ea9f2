"""Commands about prices: `tollbook prices …` and `tollbook reprice`."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tollbook_ui import plain
from tollbook_ui.console import As, Data, Format, Limit, answer, asking, command, moment, written

if TYPE_CHECKING:
    from tollbook_ui.pricebook.figures import Taken

prices = typer.Typer(help="The price book: what is in it, files, contracts, exchange rates, names.", no_args_is_help=True)
commands = typer.Typer()

SETTLED = "Hours already settled keep their result until: tollbook reprice --from DAY --to DAY"

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="CSV, JSON, YAML, LiteLLM's map, genai-prices' lists; see tollbook prices columns."),
]
Since = Annotated[
    str | None, typer.Option("--from", help="From when on prices hold that name no date themselves; since ever if not given.")
]
Tenant = Annotated[str, typer.Option(help="Whose they are; everyone's if not given.")]
BookData = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Look currencies up in its exchange rates; else none is."),
]
NoData = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="As elsewhere; the columns are the same in all.")]
Provider = Annotated[str, typer.Option(help="Only of this provider.")]


@command(prices, "list")
def list_prices(
    model: Annotated[str, typer.Argument(help="Only of this model, as the book names it.")] = "",
    *,
    provider: Provider = "",
    source: Annotated[str, typer.Option(help="Only from this source: genai-prices, litellm, set, 'file NAME'.")] = "",
    category: Annotated[str, typer.Option(help="Only of tokens, accelerator, storage, transfer, third_party or energy.")] = "",
    limit: Limit = 1_000,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """List prices to choose from."""
    from tollbook_ui.pricebook import show
    from tollbook_ui.pricebook.figures import PriceRow

    with asking(data) as answers:
        found = answers.pricebook.prices(provider, model, source, category, limit)
    written(shape, found, [field.name for field in fields(PriceRow)], lambda: show.prices(found))


@command(prices, "show")
def show_price(
    model: Annotated[str, typer.Argument(metavar="NAME", help="A model's name as the telemetry says it.")],
    *,
    provider: Annotated[str, typer.Option(help="The provider as the telemetry says it, such as azure.ai.openai.")] = "",
    at: Annotated[str | None, typer.Option(help="As of then, such as 2026-11-20T16:30; now if not given.")] = None,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Print what a model's name stands for, its prices, and which of them decide."""
    from tollbook_ui.pricebook import show

    with asking(data) as answers:
        found = answers.pricebook.show(model, provider, moment(at))
    answer(shape, found, lambda: show.shown(found))


@command(prices, "import")
def import_prices(files: Files, *, since: Since = None, tenant: Tenant = "", data: Data = None, shape: As = Format.TABLE) -> None:
    """Load files of prices. Of a file with an error nothing is loaded; loading a file twice changes nothing."""
    from tollbook_ui import access, place
    from tollbook_ui.pricebook import reading

    found = reading.check(files, moment(since), tenant)
    if not any(file.errors for file in found):
        with access.opened(place.at(data), create=True) as answers:
            found = reading.load(answers.pricebook, files, moment(since), tenant)
    _tell(found, shape, checked=False)


@command(prices, "check")
def check(files: Files, *, since: Since = None, tenant: Tenant = "", data: BookData = None, shape: As = Format.TABLE) -> None:
    """Find overlaps, gaps and absurd values in files of prices; nothing is loaded. Exits with 1 if there is an error."""
    from tollbook_ui.pricebook import reading

    if data is None:
        _tell(reading.check(files, moment(since), tenant), shape, checked=True)
        return
    with asking(data) as answers:
        found = reading.check(files, moment(since), tenant, answers.pricebook)
    _tell(found, shape, checked=True)


@command(prices, "columns")
def columns(_data: NoData = None, shape: As = Format.TABLE) -> None:
    """List the columns that a file of prices may have."""
    from tollbook_attribution.price_fields import FIELDS, NEEDED

    from tollbook_ui.pricebook.figures import Column
    from tollbook_ui.show import listed

    found = [Column(name, name in NEEDED, field.text) for name, field in FIELDS.items()]
    rows = ((row.column, "needed" if row.needed else "", row.meaning) for row in found)
    written(shape, found, ["column", "needed", "meaning"], lambda: [listed("Columns", ("column", "", "meaning"), rows)])


@command(prices, "set")
def set_price(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="Such as openai.")],
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Such as gpt-4o; or a storage class, an accelerator, a service.")],
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Such as input, output, cache_read, web_search, image.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="Such as 2.50.")],
    *,
    per: Annotated[str, typer.Option(help="Units that the amount is for: 1, 1000, 1M.")] = "1",
    unit: Annotated[
        str, typer.Option(help="Such as token; the item's own if not given. Needed for third_party, which has items of any name.")
    ] = "",
    currency: Annotated[str, typer.Option(help="Such as EUR.")] = "USD",
    category: Annotated[str, typer.Option(help="tokens, accelerator, storage, transfer, third_party or energy.")] = "tokens",
    since: Annotated[str, typer.Option("--from", help="Valid from then on; since ever if not given.")] = "",
    until: Annotated[str, typer.Option("--until", help="Valid until then; for ever if not given.")] = "",
    condition: Annotated[
        list[str] | None,
        typer.Option(
            "--if",
            metavar="COLUMN=VALUE",
            help="service_tier=flex, batch=true, region=eu-west-1, account=…, tenant=…, min_quantity=200001, time_from=16:30.",
        ),
    ] = None,
    data: Data = None,
) -> None:
    """Set a price. Nothing is overwritten: of the same conditions and date, the one set last decides."""
    from tollbook_ui import access, place
    from tollbook_ui.pricebook import reading

    more = {"per": per, "unit": unit, "currency": currency, "category": category, "valid_from": since, "valid_until": until}
    price = reading.new_price({"provider": provider, "model": model, "item": item, "amount": amount, **more}, condition or ())
    with access.opened(place.at(data), create=True) as answers:
        typer.echo(f"Set {answers.pricebook.set(price)}.")
        doubt = reading.doubt_of_currency(answers.pricebook, currency)
    _warn(doubt)
    typer.echo(SETTLED)


@command(prices, "diff")
def diff(
    sides: Annotated[list[str], typer.Argument(metavar="FILE | BEFORE AFTER", help="A file, or two versions of a list.")],
    *,
    source: Annotated[str, typer.Option(help="The list that the versions are of.")] = "genai-prices",
    since: Since = None,
    tenant: Tenant = "",
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Print what a file of prices would change, or how two versions of a list differ."""
    from tollbook_ui.pricebook import reading, show

    with asking(data) as answers:
        found = reading.differences(answers.pricebook, sides, source, moment(since), tenant)
    answer(shape, found, lambda: show.changes(found))


@command(prices, "rate")
def rate(
    currency: Annotated[str, typer.Argument(metavar="CURRENCY", help="Such as EUR.")],
    usd: Annotated[str, typer.Argument(metavar="USD_PER_UNIT", help="What one of it is worth in USD, such as 1.0842.")],
    *,
    on: Annotated[
        str, typer.Option("--on", metavar="DAY", help="The day of the rate, such as 2026-11-20; today if not given.")
    ] = "",
    until: Annotated[str, typer.Option("--until", metavar="DAY", help="The last day it holds; a week on if not given.")] = "",
    source: Annotated[str, typer.Option(help="Where the rate is from.")] = "set",
    data: Data = None,
) -> None:
    """Set an exchange rate. What is paid in a currency without a rate for its day has no price, and never that of a dollar."""
    from tollbook_ui import access, place
    from tollbook_ui.pricebook import reading

    wish = reading.new_rate(currency, usd, on, until, source)
    with access.opened(place.at(data), create=True) as answers:
        answers.pricebook.set_exchange_rate(wish)
    typer.echo(f"Set {wish.currency} of {wish.day}.")
    typer.echo(SETTLED)


@command(prices, "rates")
def rates(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE...]", help="Load CSV: currency,day,usd_per_unit,last_day.")
    ] = None,
    *,
    currency: Annotated[str, typer.Option(help="Only of this currency.")] = "",
    limit: Limit = 1_000,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """List exchange rates, or load files of them."""
    from tollbook_ui import access, place
    from tollbook_ui.pricebook import show
    from tollbook_ui.pricebook.figures import ExchangeRate

    for file in files or ():
        content = file.read_bytes()
        with access.opened(place.at(data), create=True) as answers:
            typer.echo(f"{file.name}: {answers.pricebook.take_exchange_rates(file.name, content)} rates are new.")
    if not files:
        with asking(data) as answers:
            found = answers.pricebook.exchange_rates(currency, limit)
        written(shape, found, [field.name for field in fields(ExchangeRate)], lambda: show.exchange_rates(found))


@command(prices, "alias")
def alias(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="A model's name as the telemetry says it.")] = "",
    price: Annotated[str, typer.Argument(metavar="[PROVIDER/MODEL]", help="What it stands for; nothing takes it back.")] = "",
    *,
    provider: Annotated[str, typer.Option(help="The provider as the telemetry says it; any if not given.")] = "",
    tenant: Tenant = "",
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Say what a model's name stands for, such as an Azure deployment's; without a name, list what was said."""
    from tollbook_ui import access, place
    from tollbook_ui.pricebook import show
    from tollbook_ui.pricebook.figures import Alias

    if name:
        with access.opened(place.at(data), create=True) as answers:
            priced = answers.pricebook.set_alias(Alias(name, price, provider, tenant))
        typer.echo(f"{name} is billed as {priced}." if priced else f"{name} stands for nothing else now.")
        typer.echo(SETTLED)
        return
    with asking(data) as answers:
        found = answers.pricebook.aliases()
    written(shape, found, [field.name for field in fields(Alias)], lambda: show.aliases(found))


@command(prices, "discount")
def discount(
    name: Annotated[str, typer.Argument(metavar="[CONTRACT]", help="Name of the contract.")] = "",
    percent: Annotated[str, typer.Argument(metavar="[PERCENT]", help="Taken off list prices, such as 15.")] = "",
    *,
    provider: Provider = "",
    model: Annotated[str, typer.Option(help="Only of this model.")] = "",
    item: Annotated[str, typer.Option(help="Only of this item, such as input.")] = "",
    category: Annotated[str, typer.Option(help="Only of tokens, storage, transfer and others.")] = "",
    account: Annotated[str, typer.Option(help="Only of this account at the provider.")] = "",
    tenant: Tenant = "",
    since: Annotated[str | None, typer.Option("--from", help="Valid from then on; since ever if not given.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Valid until then; for ever if not given.")] = None,
    source: Annotated[str, typer.Option(help="Where it is written.")] = "set",
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Set what a contract takes off list prices; without a name, list the discounts. For a fixed price, see prices set."""
    from tollbook_ui import access, place
    from tollbook_ui.pricebook import reading, show
    from tollbook_ui.pricebook.figures import Discount

    if name:
        terms = {"tenant": tenant, "category": category, "provider": provider, "model": model, "item": item, "account": account}
        wish = Discount(
            name, access.decimal(percent), **terms, valid_from=moment(since), valid_until=moment(until), source=source
        )
        with access.opened(place.at(data), create=True) as answers:
            answers.pricebook.set_discount(wish)
            doubt = reading.doubt_of_provider(answers.pricebook, provider)
        _warn(doubt)
        typer.echo(f"Set {name}.")
        typer.echo(SETTLED)
        return
    with asking(data) as answers:
        found = answers.pricebook.discounts()
    written(shape, found, [field.name for field in fields(Discount)], lambda: show.discounts(found))


@command(commands)
def reprice(
    since: Annotated[
        str | None, typer.Option("--from", "--since", help="First day or hour; without it, list what was done.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", "--until", help="End, not part of the period; now if not given.")] = None,
    *,
    limit: Limit = 100,
    data: Data = None,
    shape: As = Format.TABLE,
) -> None:
    """Settle a period again with today's price book; print what has changed, per owner and model, and why."""
    from datetime import UTC, datetime

    from tollbook_ui.pricebook import show
    from tollbook_ui.pricebook.figures import Repricing

    first, last = moment(since), moment(until)
    with asking(data) as answers:
        if first is None:
            past = answers.pricebook.repricings(limit)
            written(shape, past, [field.name for field in fields(Repricing)], lambda: show.repricings(past))
            return
        found = answers.pricebook.reprice(first, last or datetime.now(UTC))
    answer(shape, found, lambda: show.repriced(found))


def _tell(found: "list[Taken]", shape: Format, *, checked: bool) -> None:
    from tollbook_ui.pricebook import show
    from tollbook_ui.pricebook.figures import Taken

    written(shape, found, [field.name for field in fields(Taken)], lambda: show.taken(found, checked=checked))
    if any(file.errors for file in found):
        raise typer.Exit(1)


def _warn(doubt: str) -> None:
    if doubt:
        typer.echo(f"tollbook: {plain.visible(doubt)}", err=True)
