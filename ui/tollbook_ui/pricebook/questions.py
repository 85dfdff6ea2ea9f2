"""The price book asked and written to: what the CLI and the API do with it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from tollbook_attribution import currencies, model_names, price_book, price_files, price_list, reprice
from tollbook_attribution.price_checks import problems_of
from tollbook_attribution.price_fields import CATEGORIES, BadValueError
from tollbook_attribution.price_files import BadFileError, Problem, Sheet, Wish
from tollbook_attribution.prices import EPOCH, Price
from tollbook_schema import sql
from tollbook_schema.store import Reads, Store

from tollbook_ui.periods import BadQuestionError
from tollbook_ui.pricebook.figures import (
    Alias,
    Change,
    Changes,
    Discount,
    ExchangeRate,
    NewExchangeRate,
    NewPrice,
    PriceRow,
    ProblemRow,
    Repriced,
    RepricedRow,
    Repricing,
    Shown,
    ShownPrice,
    Taken,
)

MAX_FILE_BYTES = 64 * 1024**2
"""LiteLLM's map, the largest there is, has 2 MB."""

NO_RATE = "{} has no exchange rate: what is priced in it has no value until one is set with tollbook prices rate"

Row = TypeVar("Row")

ExchangeRates = Callable[[str, int], tuple[ExchangeRate, ...]]
"""Answers what a currency is worth, so many rates at most."""


class PriceBook:
    """The price book of one store."""

    def __init__(self, store: Store, reads: Reads) -> None:
        self._store = store
        self._reads = reads

    def prices(
        self, provider: str = "", model: str = "", source: str = "", category: str = "", limit: int = 1_000
    ) -> tuple[PriceRow, ...]:
        """Prices to choose from, of a provider, a model, a source, a category or of all. Raises BadQuestionError."""
        if category not in ("", *CATEGORIES):
            raise BadQuestionError(f"{category!r} is no category; there are {', '.join(CATEGORIES)}")
        self._seeded()
        bound = {"provider": provider, "model": model, "source": source, "category": category, "limit": limit}
        return self._all(PriceRow, "prices", bound)

    def show(self, model: str, provider: str = "", at: datetime | None = None) -> Shown:
        """What the book says of a model's name at a moment, and how it reads the name."""
        self._seeded()
        moment = at or datetime.now(UTC)
        found = model_names.find_model(provider, model, price_list.version())
        names = [*found.spellings, *([f"{found.price_provider}/{found.price_model}"] if found.price_model else [])]
        reason = found.reason
        for alias in self.aliases():
            if alias.model == model.lower() and alias.provider in ("", provider.lower()):
                names, reason = [alias.price], f"stands for {alias.price}"
        rows = list(dict.fromkeys(price for name in names for price in self._prices_of(name.lower())))
        known = [name for name in names if any(name.lower() == f"{row.provider}/{row.model}".lower() for row in rows)]
        reason = "" if rows and reason.startswith("unknown model") else reason
        return Shown(provider, model, moment, tuple(dict.fromkeys(known)), reason, tuple(_shown(rows, moment)))

    def take(self, name: str, content: bytes, since: datetime | None = None, tenant: str = "") -> Taken:
        """Loads a file; nothing of it where there is an error in it. The same file again changes nothing."""
        self._seeded()
        sheet = _read(name, content, since, tenant)
        try:
            loaded = price_book.load(self._store, sheet)
        except BadFileError:
            return _checked(sheet, 0)
        return _checked(sheet, loaded.added, _without_rate(sheet, self.exchange_rates))

    def set(self, price: NewPrice) -> str:
        """Adds a price and returns its id; settled hours change when they are settled again.

        Raises:
            BadQuestionError: a price that cannot be; the message names its part.
        """
        self._seeded()
        terms = {field.name: value for field in fields(price) if (value := getattr(price, field.name)) != ""}
        return _asked(lambda: price_book.set_price(self._store, terms, datetime.now(UTC)))

    def differences(self, before: str, after: str, source: str = price_list.SOURCE) -> Changes:
        """How two versions of a list differ.

        Raises:
            BadQuestionError: a version that is not in the book.
        """
        self._seeded()
        sides = [price_book.current(self._reads, source=source, version=version) for version in (before, after)]
        for version, rows in zip((before, after), sides, strict=True):
            if not rows:
                raise BadQuestionError(f"the book has no version {version!r} of {source}")
        found = price_book.differences(*sides)
        return Changes(f"{source} {before}", f"{source} {after}", tuple(_change(row) for row in found))

    def against(self, name: str, content: bytes, since: datetime | None = None, tenant: str = "") -> Changes:
        """What a file would change.

        Raises:
            BadQuestionError: there is an error in it.
        """
        self._seeded()
        sheet = _read(name, content, since, tenant)
        errors = [problem for problem in problems_of(sheet) if problem.is_error]
        if errors:
            raise BadQuestionError(str(BadFileError(errors)))
        found = price_book.against_book(sheet, price_book.current(self._reads), datetime.now(UTC))
        return Changes("the book", name, tuple(_change(row) for row in found))

    def exchange_rates(self, currency: str = "", limit: int = 1_000) -> tuple[ExchangeRate, ...]:
        """What currencies are worth in USD."""
        return self._all(ExchangeRate, "exchange_rates", {"currency": currency, "limit": limit})

    def set_exchange_rate(self, rate: NewExchangeRate) -> None:
        """Sets what a unit of a currency is worth. Raises BadQuestionError where that cannot be."""
        terms = asdict(rate)
        _asked(lambda: currencies.set_exchange_rate(self._store, **terms, now=datetime.now(UTC)))

    def take_exchange_rates(self, name: str, content: bytes) -> int:
        """Loads a file of rates and returns how many were new. Raises BadQuestionError where there is an error in it."""
        return _asked(lambda: currencies.load_exchange_rates(self._store, name, content, datetime.now(UTC)))

    def aliases(self) -> tuple[Alias, ...]:
        """Names of the telemetry, and what they stand for."""
        return self._all(Alias, "aliases", {})

    def set_alias(self, alias: Alias) -> str:
        """Says what a name stands for; returns the price it is billed by. Raises BadQuestionError where nobody prices that."""
        self._seeded()
        now = datetime.now(UTC)
        return _asked(
            lambda: price_book.set_alias(
                self._store, alias.model, alias.price, now=now, provider=alias.provider, tenant=alias.tenant
            )
        )

    def discounts(self) -> tuple[Discount, ...]:
        """What contracts take off list prices."""
        return self._all(Discount, "discounts", {})

    def set_discount(self, discount: Discount) -> None:
        """Sets what a contract takes off list prices. Raises BadQuestionError where that cannot be."""
        terms = asdict(discount)
        terms["valid_from"] = terms["valid_from"] or EPOCH
        name, percent = terms.pop("discount_id"), str(terms.pop("percent"))
        _asked(lambda: price_book.set_discount(self._store, name, percent, now=datetime.now(UTC), **terms))

    def reprice(self, since: datetime, until: datetime) -> Repriced:
        """Settles a period again and says what has changed, per owner and model, and why.

        Raises:
            BadQuestionError: the period is none.
        """
        if until <= since:
            raise BadQuestionError("the period ends before it begins")
        return _repriced(reprice.reprice(self._store, since, until))

    def repricings(self, limit: int = 100) -> tuple[Repricing, ...]:
        """Periods that were settled again, the newest first."""
        return self._all(Repricing, "repricings", {"limit": limit})

    def _prices_of(self, name: str) -> list[Price]:
        provider, _, model = name.partition("/")
        return price_book.current(self._reads, provider, model)

    def _seeded(self) -> None:
        """The list is in the book once anything was settled; who asks before wants it, too."""
        price_list.seed(self._store)

    def _all(self, row: type[Row], name: str, bound: Mapping[str, Any]) -> tuple[Row, ...]:
        rows = self._reads.query(sql.text("tollbook_ui", f"pricebook/queries/{name}.sql"), dict(bound))
        return tuple(row(**{key: _value(value) for key, value in line.items()}) for line in rows)


def check_file(
    name: str, content: bytes, since: datetime | None = None, tenant: str = "", rates: ExchangeRates | None = None
) -> Taken:
    """What a file says and what is wrong with it. Needs no store; with the rates of one, currencies are looked up in it."""
    sheet = _read(name, content, since, tenant)
    return _checked(sheet, 0, _without_rate(sheet, rates) if rates else ())


def _without_rate(sheet: Sheet, rates: ExchangeRates) -> Iterable[Problem]:
    """The first line of each currency that has no exchange rate: a warning, as rates may come later."""
    first = {line.price.currency: line.number for line in reversed(sheet.lines)}
    for currency, line in sorted(first.items(), key=lambda pair: pair[1]):
        if currency != "USD" and not rates(currency, 1):
            yield Problem(sheet.file, line, "currency", NO_RATE.format(currency), is_error=False)


def _asked(run: Callable[[], Row]) -> Row:
    try:
        return run()
    except (BadValueError, BadFileError) as error:
        raise BadQuestionError(str(error)) from error


def _read(name: str, content: bytes, since: datetime | None, tenant: str) -> Sheet:
    if len(content) > MAX_FILE_BYTES:
        raise BadQuestionError(f"{name} has {len(content):,} bytes; a file of prices has {MAX_FILE_BYTES:,} at most")
    return price_files.read(name, content, Wish(since, tenant), datetime.now(UTC))


def _checked(sheet: Sheet, added: int, more: Iterable[Problem] = ()) -> Taken:
    rows = tuple(_problem(problem) for problem in (*problems_of(sheet), *more))
    return Taken(sheet.file, sheet.source, sheet.version, len(sheet.lines), added, rows)


def _problem(problem: Problem) -> ProblemRow:
    level = "error" if problem.is_error else "warning"
    return ProblemRow(problem.file, problem.line, problem.column, level, problem.message)


def _shown(rows: Iterable[Price], at: datetime) -> Iterable[ShownPrice]:
    """The prices with those marked that decide, item by item and condition by condition."""
    alike: dict[tuple[Any, ...], list[Price]] = {}
    for row in rows:
        place = (row.item, row.unit, row.service_tier, row.batch, row.variant, row.region, row.account, row.min_quantity)
        alike.setdefault(place, []).append(row)
    second = at.hour * 3600 + at.minute * 60 + at.second
    for group in alike.values():
        now = [row for row in group if row.day_from_s <= second < row.day_until_s]
        best = price_book.deciding(now, at)
        yield from (ShownPrice(row is best, _row(row)) for row in group)


def _row(price: Price) -> PriceRow:
    values = {field.name: getattr(price, field.name) for field in fields(PriceRow)}
    values["valid_from"] = price.valid_from if price.valid_from > EPOCH else None
    return PriceRow(**values)


def _change(found: price_book.Difference) -> Change:
    values = {field.name: getattr(found, field.name) for field in fields(Change)}
    values["valid_from"] = found.valid_from if found.valid_from > EPOCH else None
    return Change(**values)


def _repriced(found: reprice.Repricing) -> Repriced:
    rows = tuple(
        RepricedRow(
            **dict(zip(reprice.KEYS, row.key, strict=True)),
            before_quantity=row.before.quantity,
            after_quantity=row.after.quantity,
            before_usd=row.before.amount_usd,
            after_usd=row.after.amount_usd,
            difference_usd=row.difference_usd,
            before_unpriced_calls=row.before.unpriced_calls,
            after_unpriced_calls=row.after.unpriced_calls,
            reason=row.reason,
        )
        for row in found.rows
    )
    before, after = found.before, found.after
    return Repriced(
        found.repricing_id,
        found.since,
        found.until,
        found.windows,
        before.amount_usd,
        after.amount_usd,
        after.amount_usd - before.amount_usd,
        before.unpriced_calls,
        after.unpriced_calls,
        rows,
    )


def _value(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value
