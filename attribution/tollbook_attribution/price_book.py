"""What people do with the price book: load a file, set a price, a discount or what a name stands for, compare."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tollbook_schema import sql
from tollbook_schema.store import Reads, Store
from tollbook_schema.tenants import checked_tenant

from tollbook_attribution import price_fields, price_list, prices, providers
from tollbook_attribution.model_names import find_model
from tollbook_attribution.price_checks import problems_of
from tollbook_attribution.price_fields import BadValueError
from tollbook_attribution.price_files import BadFileError, Problem, Sheet
from tollbook_attribution.prices import COLUMNS, DAY_S, EPOCH, Price

RANKS = {"undated list": 0, "list": 1, "dated list": 2, "own": 3}

WHERE = (
    "category", "provider", "model", "item", "unit", "service_tier", "batch", "variant", "region", "account", "day_from_s",
    "day_until_s", "min_quantity", "max_quantity",
)  # fmt: skip
"""What two prices share that are prices of the same thing."""


@dataclass(frozen=True)
class Loaded:
    """What loading a file came to."""

    file: str
    source: str
    version: str
    prices: int
    """Prices in it."""
    added: int
    """Prices that the book did not have."""
    warnings: tuple[Problem, ...]


@dataclass(frozen=True)
class Difference:
    """One price that two sides say differently. None where a side says nothing."""

    price_id: str
    valid_from: datetime
    before: Decimal | None
    before_currency: str
    before_source: str
    after: Decimal | None
    after_currency: str
    after_source: str


def load(store: Store, sheet: Sheet) -> Loaded:
    """Adds what a file says to the book; the same file again changes nothing.

    Raises:
        BadFileError: there is an error in it, and nothing of it was loaded.
    """
    problems = problems_of(sheet)
    if any(problem.is_error for problem in problems):
        raise BadFileError(problems)
    added = prices.add(store, [line.price for line in sheet.lines])
    return Loaded(sheet.file, sheet.source, sheet.version, len(sheet.lines), added, problems)


def set_price(store: Store, terms: Mapping[str, Any], now: datetime) -> str:
    """Adds one price, its terms as in a file, and returns its id, or both where it holds over midnight.

    Nothing is overwritten: the newest one of a box decides.

    Raises:
        BadValueError: a term that cannot be.
    """
    parsed, wrong = price_fields.parsed({**dict.fromkeys(price_fields.NEEDED, ""), **terms})
    if wrong:
        raise BadValueError("; ".join(f"{column}: {message}" for column, message in wrong))
    if "tenant" in parsed:
        _tenant(parsed["tenant"])
    moment = now.astimezone(UTC)
    own = {
        "version": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "source": "set",
        "retrieved_at": moment.replace(microsecond=0),
        "added_at": moment,
    }
    rows = [Price(**{**own, **parsed, **part}) for part in price_fields.day_parts(parsed)]
    prices.add(store, rows)
    return " and ".join(row.price_id for row in rows)


def set_discount(
    store: Store,
    discount_id: str,
    percent: str,
    *,
    now: datetime,
    valid_from: datetime = EPOCH,
    valid_until: datetime | None = None,
    source: str = "set",
    **scope: str,
) -> None:
    """Sets what a contract takes off list prices, in percent; below 0 for what it adds.

    `scope` is any of tenant, category, provider, model, item, account; what is not given is anything.

    Raises:
        BadValueError: a percentage, a period or a name that cannot be.
    """
    try:
        share = Decimal(percent)
    except ArithmeticError:
        raise BadValueError(f"{percent!r} is no number of percent") from None
    if not share.is_finite() or not -1_000 <= share <= 100:
        raise BadValueError(f"{percent} percent cannot be taken off a price")
    if valid_until is not None and valid_until <= valid_from:
        raise BadValueError("the discount ends before it begins")
    if not discount_id:
        raise BadValueError("a discount needs a name, as the contract has one")
    row = dict.fromkeys(("tenant", "category", "provider", "model", "item", "account"), "") | scope
    if row["tenant"]:
        _tenant(row["tenant"])
    row |= {"provider": providers.listed_as(row["provider"]) or "", "model": row["model"].lower()}
    terms = {"discount_id": discount_id, "percent": share, "valid_from": valid_from, "valid_until": valid_until, "source": source}
    _insert(store, "discounts", {**row, **terms, "set_at": now})


def set_alias(store: Store, model: str, price: str, *, now: datetime, provider: str = "", tenant: str = "") -> str:
    """Says which price a model name of the telemetry stands for, `provider/model` of the book; empty takes it back.

    Raises:
        BadValueError: nobody prices that, or a name that cannot be.
    """
    price_provider, price_model = _priced(store, price) if price else ("", "")
    if not model:
        raise BadValueError("which model name of the telemetry?")
    if tenant:
        _tenant(tenant)
    row = {"tenant": tenant, "provider": provider.strip().lower(), "model": model.strip().lower(), "set_at": now}
    _insert(store, "model_aliases", {**row, "price_provider": price_provider, "price_model": price_model})
    return f"{price_provider}/{price_model}" if price else ""


def current(reads: Reads, provider: str = "", model: str = "", source: str = "", version: str = "") -> list[Price]:
    """The prices to choose from, of a provider, a model, a source or of everything; of one version of a list if one is named."""
    question = "prices_of_version.sql" if version else "prices_current.sql"
    bound = {"provider": provider, "model": model, "source": source} | ({"version": version} if version else {})
    return [_price(row) for row in reads.query(_sql(question), bound)]


def differences(before: Iterable[Price], after: Iterable[Price]) -> list[Difference]:
    """What two sets of prices say differently, box by box."""
    first, second = ({(*_place(price), price.valid_from): price for price in side} for side in (before, after))
    found = []
    for place in sorted(first.keys() | second.keys(), key=str):
        old, new = first.get(place), second.get(place)
        if old is None or new is None or (old.amount, old.currency) != (new.amount, new.currency):
            found.append(_difference(old, new))
    return found


def against_book(sheet: Sheet, book: Iterable[Price], now: datetime) -> list[Difference]:
    """What a file would change: its prices beside those that decide at present, or from when on the file's hold."""
    known: dict[tuple[object, ...], list[Price]] = {}
    for price in book:
        known.setdefault(_place(price), []).append(price)
    found = []
    for line in sheet.lines:
        old = deciding(known.get(_place(line.price), ()), _moment(line.price, now))
        if old is None or (old.amount, old.currency) != (line.price.amount, line.price.currency):
            found.append(_difference(old, line.price))
    return found


def deciding(alike: Sequence[Price], at: datetime) -> Price | None:
    """Of prices of the same thing, the one that decides at a moment: people's, of a time of day, the newest."""
    holding = [price for price in alike if price.valid_from <= at and (price.valid_until is None or at < price.valid_until)]
    return max(holding, key=_weight, default=None)


def _weight(price: Price) -> tuple[object, ...]:
    of_hours = price.precedence == "own" and price.day_until_s - price.day_from_s < DAY_S
    return RANKS[price.precedence], price.tenant != "", of_hours, price.valid_from, price.added_at


def _moment(price: Price, now: datetime) -> datetime:
    """When to compare a price with others: now, or when it holds next, or when it held last."""
    if price.valid_until is not None and price.valid_until <= now:
        return price.valid_until - timedelta(seconds=1)
    return max(price.valid_from, now)


def _place(price: Price) -> tuple[object, ...]:
    return tuple(value.lower() if isinstance(value := getattr(price, name), str) else value for name in WHERE)


def _difference(old: Price | None, new: Price | None) -> Difference:
    one = new or old
    if one is None:
        raise ValueError("a difference of nothing and nothing")
    return Difference(
        one.price_id,
        one.valid_from,
        old.amount if old else None,
        old.currency if old else "",
        f"{old.source} {old.version}" if old else "",
        new.amount if new else None,
        new.currency if new else "",
        f"{new.source} {new.version}" if new else "",
    )


def _price(row: Mapping[str, Any]) -> Price:
    values = ((name, row[name]) for name in COLUMNS)
    terms: dict[str, Any] = {name: _utc(value) if isinstance(value, datetime) else value for name, value in values}
    return Price(**terms)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _priced(store: Store, price: str) -> tuple[str, str]:
    """(provider, model) of the book that somebody means. Raises BadValueError where nobody prices it."""
    provider, _, model = price.partition("/")
    if not model:
        raise BadValueError(f"{price!r} names no price: provider/model, as openai/gpt-4o")
    for who, name in providers.readings(provider, model):
        own = current(store, who or "", name)
        if own:
            return own[0].provider, own[0].model
    found = find_model(provider, model, price_list.version())
    if not found.price_model:
        raise BadValueError(f"nobody prices {price}; see `tollbook prices list`, or set its price first")
    return found.price_provider, found.price_model


def _tenant(name: str) -> None:
    try:
        checked_tenant(name)
    except ValueError as error:
        raise BadValueError(str(error)) from error


def _insert(store: Store, table: str, row: Mapping[str, Any]) -> None:
    store.insert(table, [tuple(row.values())], tuple(row))


def _sql(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
