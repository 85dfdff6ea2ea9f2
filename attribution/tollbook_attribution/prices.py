"""Prices of model calls: genai-prices' dated list as rows of `prices`, and the names that models go by in telemetry.

Every row is a box in which one price holds: days, seconds of the day, input tokens, service tier. Boxes of one item never
overlap, so the price of a call is a look-up and never a guess.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from importlib import metadata
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING

from tollbook_schema import sql
from tollbook_schema.store import Store

from tollbook_attribution import providers

if TYPE_CHECKING:
    from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, Provider, TieredPrices

SOURCE = "genai-prices"
SOURCE_URL = "https://github.com/pydantic/genai-prices"

RELEASED = {"0.2.3": date(2026, 11, 10)}
"""Days the price list was published on; the package does not say."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_S = 86_400
NO_LIMIT = 2**63 - 1
SMALLEST = Decimal("1e-18")

UNITS: dict[str, tuple[str, int]] = {
    "input_mtok": ("token", 1_000_000),
    "output_mtok": ("token", 1_000_000),
    "cache_read_mtok": ("token", 1_000_000),
    "cache_write_mtok": ("token", 1_000_000),
    "output_reasoning_mtok": ("token", 1_000_000),
    "requests_kcount": ("request", 1_000),
}
"""Unit that a price of the list is for, and how many of it."""

ITEMS: dict[str, tuple[str, ...]] = {
    "input": ("input_mtok",),
    "cache_read": ("cache_read_mtok", "input_mtok"),
    "cache_write": ("cache_write_mtok", "input_mtok"),
    "output": ("output_mtok",),
    "reasoning": ("output_reasoning_mtok", "output_mtok"),
    "request": ("requests_kcount",),
}
"""Prices that an item goes by, first one found. Without a price of its own, a part is billed as what it is part of."""


@dataclass(frozen=True)
class Price:
    """One row of `prices`: what one unit of one item costs inside one box of conditions."""

    price_id: str
    version: str
    provider: str
    model: str
    item: str
    unit: str
    amount_usd: Decimal
    valid_from: datetime
    valid_until: datetime | None
    day_from_s: int
    day_until_s: int
    min_input_tokens: int
    max_input_tokens: int
    service_tier: str
    conditions: str
    source: str
    source_url: str
    retrieved_at: datetime


@dataclass(frozen=True)
class ModelName:
    """One row of `model_names`: the price that a provider's model name stands for, or why there is none."""

    provider: str
    model: str
    book: str
    price_provider: str
    price_model: str
    standard_tier_only: bool
    reason: str


def version() -> str:
    """Version of the price list that is installed."""
    return metadata.version("genai-prices")


def seed(store: Store) -> int:
    """Adds the installed price list to `prices`, once per version. Returns the number of rows added."""
    book = version()
    if store.query(_sql("price_versions.sql"), {"source": SOURCE, "version": book}):
        return 0
    rows = list(rows_of_book(book))
    _insert(store, "prices", Price, rows)
    return len(rows)


def name_models(store: Store, names: Iterable[tuple[str, str]]) -> None:
    """Finds the price that each (provider, model) of the telemetry stands for, and keeps the answers in `model_names`."""
    book = version()
    _insert(store, "model_names", ModelName, [find_model(provider, model, book) for provider, model in names])


def find_model(provider: str, model: str, book: str) -> ModelName:
    """The price that a name stands for by the list's own match clauses; a name they do not match has no price."""
    from genai_prices.data_snapshot import get_snapshot  # noqa: PLC0415 - 0.7 s, and needed for new names only

    snapshot = get_snapshot()
    for listed_provider, listed_model in providers.readings(provider, model):
        try:
            found, info = snapshot.find_provider_model(listed_model, None, listed_provider, None)
            break
        except LookupError:
            continue
    else:
        return ModelName(provider, model, book, "", "", False, f"unknown model {provider or '(no provider)'}/{model}")
    owner = _owner(info, found, snapshot.providers)
    reason = "" if provider else f"provider {owner.id} taken from the model's name"
    return ModelName(provider, model, book, owner.id, info.id, owner is not found, reason)


def rows_of_book(book: str) -> Iterator[Price]:
    """Every price of the list as rows of `prices`."""
    from genai_prices.data import providers as listed  # noqa: PLC0415 - 0.7 s, and needed once per version

    released = RELEASED.get(book)
    retrieved_at = datetime.combine(released, time(), UTC) if released else datetime.now(UTC).replace(microsecond=0)
    for provider in listed:
        for model in provider.models:
            yield from _joined(_rows_of_model(provider, model, book, retrieved_at))


def _insert(store: Store, table: str, row: type[Price] | type[ModelName], rows: Sequence[Price | ModelName]) -> None:
    columns = [field.name for field in fields(row)]
    values = attrgetter(*columns)
    store.insert(table, [values(entry) for entry in rows], columns)


def _joined(rows: Iterable[Price]) -> Iterator[Price]:
    """The rows with an unchanged price as one: another item of the model changed on that day."""
    last: dict[str, Price] = {}
    for row in rows:
        before = last.get(row.price_id)
        if before and before.amount_usd == row.amount_usd and before.valid_until == row.valid_from:
            last[row.price_id] = replace(before, valid_until=row.valid_until)
        else:
            if before:
                yield before
            last[row.price_id] = row
    yield from last.values()


def _owner(info: "ModelInfo", found: "Provider", listed: Sequence["Provider"]) -> "Provider":
    """The provider whose list holds the model: another one where a cloud sells a model maker's models at its prices."""
    candidates = (found, *listed)
    return next(provider for provider in candidates if any(model is info for model in provider.models))


def _rows_of_model(provider: "Provider", model: "ModelInfo", book: str, retrieved_at: datetime) -> Iterator[Price]:
    edges = _edges(model)
    for tier in ("", *_service_tiers(model)):
        for start, end in zip(edges, [*edges[1:], None], strict=True):
            for day_from_s, day_until_s in _day_parts(model):
                moment = datetime.fromtimestamp(start.timestamp() + day_from_s, UTC)
                prices = model.get_prices(moment, {"service_tier": tier} if tier else None)
                for item, unit, amount_usd, tokens_from, tokens_until in _amounts(prices):
                    conditions = _in_words(day_from_s, day_until_s, tokens_from, tokens_until, tier)
                    yield Price(
                        price_id="/".join((provider.id, model.id, item)) + (f" ({conditions})" if conditions else ""),
                        version=book,
                        provider=provider.id,
                        model=model.id,
                        item=item,
                        unit=unit,
                        amount_usd=amount_usd,
                        valid_from=start,
                        valid_until=end,
                        day_from_s=day_from_s,
                        day_until_s=day_until_s,
                        min_input_tokens=tokens_from,
                        max_input_tokens=tokens_until,
                        service_tier=tier,
                        conditions=conditions,
                        source=SOURCE,
                        source_url=(provider.pricing_urls or [SOURCE_URL])[0],
                        retrieved_at=retrieved_at,
                    )


def _edges(model: "ModelInfo") -> list[datetime]:
    """Days on which the model's prices change, the beginning of time first."""
    from genai_prices.types import StartDateConstraint  # noqa: PLC0415

    constraints = [entry.constraint for entry in (*_conditional(model), *(model.price_variants or ()))]
    days = {constraint.start_date for constraint in constraints if isinstance(constraint, StartDateConstraint)}
    return [EPOCH, *(datetime.combine(day, time(), UTC) for day in sorted(days))]


def _day_parts(model: "ModelInfo") -> list[tuple[int, int]]:
    """Seconds of the UTC day between which one price holds."""
    from genai_prices.types import TimeOfDateConstraint  # noqa: PLC0415

    constraints = [entry.constraint for entry in (*_conditional(model), *(model.price_variants or ()))]
    times = [c for c in constraints if isinstance(c, TimeOfDateConstraint)]
    edges = sorted({0, DAY_S} | {_second_of_day(moment) for c in times for moment in (c.start_time, c.end_time)})
    return list(pairwise(edges))


def _second_of_day(moment: time) -> int:
    aware = datetime.combine(date(2000, 1, 2), moment, moment.tzinfo or UTC).astimezone(UTC)
    return aware.hour * 3600 + aware.minute * 60 + aware.second


def _conditional(model: "ModelInfo") -> Sequence["ConditionalPrice"]:
    return model.prices if isinstance(model.prices, list) else ()


def _service_tiers(model: "ModelInfo") -> list[str]:
    variants = model.price_variants or ()
    return sorted({variant.when["service_tier"] for variant in variants if set(variant.when) == {"service_tier"}})


def _amounts(prices: "ModelPrice") -> Iterator[tuple[str, str, Decimal, int, int]]:
    """(item, unit, amount for one unit, input tokens from, input tokens until) of one set of prices."""
    for item, keys in ITEMS.items():
        key = next((key for key in keys if getattr(prices, key) is not None), None)
        if key is not None:
            unit, per = UNITS[key]
            for amount_usd, tokens_from, tokens_until in _steps(getattr(prices, key)):
                yield item, unit, (amount_usd / per).quantize(SMALLEST), tokens_from, tokens_until


def _steps(price: "Decimal | TieredPrices") -> Iterator[tuple[Decimal, int, int]]:
    """(amount, input tokens from, input tokens until) of a price that may depend on the length of the input."""
    if isinstance(price, Decimal):
        yield price, 0, NO_LIMIT
        return
    starts = [0, *(tier.start + 1 for tier in price.tiers)]
    amounts = [price.base, *(tier.price for tier in price.tiers)]
    yield from zip(amounts, starts, [*starts[1:], NO_LIMIT], strict=True)


def _in_words(day_from_s: int, day_until_s: int, tokens_from: int, tokens_until: int, tier: str) -> str:
    words = []
    if tokens_from > 0:
        words.append(f"more than {tokens_from - 1} input tokens")
    if tokens_until < NO_LIMIT:
        words.append(f"up to {tokens_until - 1} input tokens")
    if (day_from_s, day_until_s) != (0, DAY_S):
        words.append(f"{_clock(day_from_s)} to {_clock(day_until_s)} UTC")
    if tier:
        words.append(f"service tier {tier}")
    return ", ".join(words)


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"


def _sql(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
