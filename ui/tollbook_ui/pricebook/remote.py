"""The price book of a running server: the same methods as `PriceBook`."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tollbook_ui.pricebook.figures import (
    Alias,
    Changes,
    Discount,
    ExchangeRate,
    NewExchangeRate,
    NewPrice,
    PriceRow,
    Repriced,
    Repricing,
    Shown,
    Taken,
)

Answer = TypeVar("Answer")


class Call(Protocol):
    """Asks the server, with a body or without."""

    def __call__(
        self, kind: type[Answer], path: str, asked: Mapping[str, Any], body: object | None, method: str | None = None
    ) -> Answer:
        """The answer."""


class RemotePriceBook:
    """As `PriceBook`."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def prices(
        self, provider: str = "", model: str = "", source: str = "", category: str = "", limit: int = 1_000
    ) -> tuple[PriceRow, ...]:
        """As `PriceBook.prices`."""
        asked = {"provider": provider, "model": model, "source": source, "category": category, "limit": limit}
        return self._call(tuple[PriceRow, ...], "/prices", asked, None)

    def show(self, model: str, provider: str = "", at: datetime | None = None) -> Shown:
        """As `PriceBook.show`."""
        return self._call(Shown, "/prices/of", {"model": model, "provider": provider, "at": at and at.isoformat()}, None)

    def take(self, name: str, content: bytes, since: datetime | None = None, tenant: str = "") -> Taken:
        """As `PriceBook.take`."""
        return self._call(Taken, "/prices/imports", {}, _file(name, content, since, tenant))

    def set(self, price: NewPrice) -> str:
        """As `PriceBook.set`."""
        return self._call(dict[str, str], "/prices", {}, asdict(price))["price_id"]

    def differences(self, before: str, after: str, source: str = "genai-prices") -> Changes:
        """As `PriceBook.differences`."""
        return self._call(Changes, "/prices/diff", {"before": before, "after": after, "source": source}, None)

    def against(self, name: str, content: bytes, since: datetime | None = None, tenant: str = "") -> Changes:
        """As `PriceBook.against`."""
        return self._call(Changes, "/prices/diff", {}, _file(name, content, since, tenant))

    def exchange_rates(self, currency: str = "", limit: int = 1_000) -> tuple[ExchangeRate, ...]:
        """As `PriceBook.exchange_rates`."""
        return self._call(tuple[ExchangeRate, ...], "/exchange_rates", {"currency": currency, "limit": limit}, None)

    def set_exchange_rate(self, rate: NewExchangeRate) -> None:
        """As `PriceBook.set_exchange_rate`."""
        self._call(dict[str, str], "/exchange_rates", {}, asdict(rate))

    def take_exchange_rates(self, name: str, content: bytes) -> int:
        """As `PriceBook.take_exchange_rates`."""
        return self._call(dict[str, int], "/exchange_rates/imports", {}, _file(name, content, None, ""))["added"]

    def aliases(self) -> tuple[Alias, ...]:
        """As `PriceBook.aliases`."""
        return self._call(tuple[Alias, ...], "/prices/aliases", {}, None)

    def set_alias(self, alias: Alias) -> str:
        """As `PriceBook.set_alias`."""
        return self._call(dict[str, str], "/prices/aliases", {}, asdict(alias))["price"]

    def discounts(self) -> tuple[Discount, ...]:
        """As `PriceBook.discounts`."""
        return self._call(tuple[Discount, ...], "/prices/discounts", {}, None)

    def set_discount(self, discount: Discount) -> None:
        """As `PriceBook.set_discount`."""
        self._call(dict[str, str], "/prices/discounts", {}, asdict(discount))

    def reprice(self, since: datetime, until: datetime) -> Repriced:
        """As `PriceBook.reprice`."""
        return self._call(Repriced, "/reprice", {}, {"since": since.isoformat(), "until": until.isoformat()})

    def repricings(self, limit: int = 100) -> tuple[Repricing, ...]:
        """As `PriceBook.repricings`."""
        return self._call(tuple[Repricing, ...], "/repricings", {"limit": limit}, None)


def _file(name: str, content: bytes, since: datetime | None, tenant: str) -> dict[str, Any]:
    """A file as the API takes it. What is no text is sent as it can be, and found wrong there."""
    text = content.decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()
    return {"name": Path(name).name, "content": text, "since": since and since.isoformat(), "tenant": tenant}
