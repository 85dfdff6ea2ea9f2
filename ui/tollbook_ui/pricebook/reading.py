"""What the commands about prices read: files, and words that make up a price or a rate."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Protocol

from tollbook_attribution import price_fields, providers
from tollbook_attribution.price_fields import BadValueError

from tollbook_ui.periods import BadQuestionError
from tollbook_ui.pricebook.figures import Changes, ExchangeRate, NewExchangeRate, NewPrice, PriceRow, Taken
from tollbook_ui.pricebook.questions import NO_RATE, check_file


class Book(Protocol):
    """What files are loaded into and compared with."""

    def take(self, name: str, content: bytes, since: datetime | None = None, tenant: str = "") -> Taken:
        """Loads a file."""

    def differences(self, before: str, after: str, source: str = "genai-prices") -> Changes:
        """How two versions differ."""

    def against(self, name: str, content: bytes, since: datetime | None = None, tenant: str = "") -> Changes:
        """What a file would change."""

    def prices(self, provider: str = "", *, limit: int = 1_000) -> tuple[PriceRow, ...]:
        """Prices of a provider."""

    def exchange_rates(self, currency: str = "", limit: int = 1_000) -> tuple[ExchangeRate, ...]:
        """What a currency is worth."""


def check(files: Sequence[Path], since: datetime | None, tenant: str, book: Book | None = None) -> list[Taken]:
    """What files say and what is wrong with them; with a book, also which of its exchange rates they lack."""
    rates = book.exchange_rates if book else None
    return [check_file(str(file), file.read_bytes(), since, tenant, rates) for file in files]


def load(book: Book, files: Sequence[Path], since: datetime | None, tenant: str) -> list[Taken]:
    """Loads files that have been checked."""
    return [book.take(file.name, file.read_bytes(), since, tenant) for file in files]


def differences(book: Book, sides: Sequence[str], source: str, since: datetime | None, tenant: str) -> Changes:
    """How two versions of a list differ, or a file from the book. Raises BadQuestionError where it is neither."""
    if len(sides) == 1:
        file = Path(sides[0])
        return book.against(file.name, file.read_bytes(), since, tenant)
    if len(sides) == 2:
        return book.differences(sides[0], sides[1], source)
    raise BadQuestionError("compare a file with the book, or two versions of a list")


def doubt_of_provider(book: Book, provider: str) -> str:
    """Why percents of a provider may come off nothing: no price is of that name, as where it is misspelt. Empty where one is."""
    listed = providers.listed_as(provider) or ""
    return "" if not listed or book.prices(listed, limit=1) else f"no price is of the provider {provider!r}: nothing is taken off"


def doubt_of_currency(book: Book, currency: str) -> str:
    """Why a price in a currency may have no value: it has no exchange rate, as where it is misspelt. Empty where it has."""
    code = currency.upper()
    if code == "USD" or book.exchange_rates(code, 1):
        return ""
    return NO_RATE.format(code)


def new_price(terms: Mapping[str, str], conditions: Sequence[str]) -> NewPrice:
    """A price of words. Raises BadQuestionError where a condition is none."""
    known = {field.name for field in fields(NewPrice)}
    given = dict(terms)
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not equals or name not in known:
            raise BadQuestionError(f"{condition!r} is no condition: COLUMN=VALUE with a column of {', '.join(sorted(known))}")
        given[name] = value
    return NewPrice(**given)


def new_rate(currency: str, usd: str, on: str, until: str, source: str) -> NewExchangeRate:
    """A rate of words. Raises BadQuestionError where a day is none."""
    try:
        day = price_fields.day(on) if on else datetime.now(UTC).date()
        last: date | None = price_fields.day(until) if until else None
    except BadValueError as error:
        raise BadQuestionError(str(error)) from error
    return NewExchangeRate(currency.upper(), usd, day, last, source)
