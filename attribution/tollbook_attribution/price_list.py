"""genai-prices' dated list as rows of the price book: every price, date, time of day, tier and variant of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from importlib import metadata
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

from tollbook_schema.store import Store

from tollbook_attribution import prices
from tollbook_attribution.prices import DAY_S, EPOCH, NO_LIMIT, Price

if TYPE_CHECKING:
    from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, PriceVariant, Provider, TieredPrices

SOURCE = "genai-prices"
SOURCE_URL = "https://github.com/pydantic/genai-prices"

RELEASED = {"0.2.3": date(2026, 11, 10)}
"""Days the price list was published on; the package does not say."""

UNITS = {
    "tokens": "token",
    "requests": "request",
    "characters": "character",
    "messages": "message",
    "durations": "second",
    "pixels": "pixel",
    "document_pages": "page",
    "rerank": "search",
    "tool_calls": "search",
}
"""The list's families, and the unit that we count each in."""

Amounts = Mapping[str, "Decimal | TieredPrices"]


@dataclass(frozen=True)
class Unit:
    """What a price key of the list is a price of."""

    item: str
    unit: str
    per: int
    told: int
    """How much the key says; of two keys of one item the one that says more counts."""


@dataclass(frozen=True)
class Context:
    """What a request may have asked for, as the list's variants name it."""

    service_tier: str = ""
    batch: bool = False
    variant: str = ""

    def words(self) -> dict[str, str]:
        """As the list wants to be asked."""
        named = dict([self.variant.split("=", 1)]) if self.variant else {}
        named |= {"service_tier": self.service_tier} if self.service_tier else {}
        return named | ({"processing": "batch"} if self.batch else {})


def version() -> str:
    """Version of the price list that is installed."""
    return metadata.version("genai-prices")


def seed(store: Store) -> int:
    """Adds the installed price list to the book, once per version. Returns the number of rows added."""
    book = version()
    if prices.has_version(store, SOURCE, book):
        return 0
    rows = list(rows_of_book(book))
    prices.insert(store, rows)
    return len(rows)


def rows_of_book(book: str) -> Iterator[Price]:
    """Every price of the list as rows of `prices`."""
    from genai_prices.data import providers as listed  # noqa: PLC0415 - 0.7 s, and needed once per version

    released = RELEASED.get(book)
    retrieved_at = datetime.combine(released, time(), UTC) if released else datetime.now(UTC).replace(microsecond=0)
    for provider in listed:
        for model in provider.models:
            yield from rows_of_model(provider, model, book, retrieved_at)


@cache
def _units() -> dict[str, Unit]:
    """What each price key of the list is a price of."""
    from genai_prices.data_units import unit_data  # noqa: PLC0415

    return {entry["price_key"]: _unit(entry["dimensions"], entry["per"]) for entry in unit_data.values()}


def _unit(dimensions: Mapping[str, str], per: int) -> Unit:
    family = dimensions["family"]
    if family == "tokens":
        item = _token_item(dimensions)
    elif family == "durations":
        item = "output_audio_second" if dimensions.get("direction") == "output" else "audio_second"
    elif family == "document_pages":
        item = "_".join(filter(None, (dimensions.get("page_type"), "page")))
    else:
        item = dimensions.get("tool_type") or {"rerank": "rerank_search"}.get(family) or UNITS.get(family, family)
    unit = "execution" if item == "code_execution" else UNITS.get(family, family)
    return Unit(item, unit, per, len(dimensions))


def _token_item(dimensions: Mapping[str, str]) -> str:
    kind, modality = dimensions.get("token_type"), dimensions.get("modality", "text")
    base = dimensions["direction"] if kind in (None, "tool") else str(kind)
    lifetime = "1h" if dimensions.get("cache_ttl") == "1h" else ""
    return "_".join(filter(None, (base, "tool" if kind == "tool" else "", lifetime, "" if modality == "text" else modality)))


def _joined(rows: Iterable[Price]) -> Iterator[Price]:
    """The rows with an unchanged price as one: another item of the model changed on that day."""
    last: dict[str, Price] = {}
    for row in rows:
        before = last.get(row.price_id)
        if before and before.quoted == row.quoted and before.valid_until == row.valid_from:
            last[row.price_id] = replace(before, valid_until=row.valid_until)
        else:
            if before:
                yield before
            last[row.price_id] = row
    yield from last.values()


def rows_of_model(provider: "Provider", model: "ModelInfo", book: str, retrieved_at: datetime) -> Iterator[Price]:
    """Every price of a model of the list."""
    return _joined(_rows_of_model(provider, model, book, retrieved_at, _units()))


def _rows_of_model(
    provider: "Provider", model: "ModelInfo", book: str, retrieved_at: datetime, units: Mapping[str, Unit]
) -> Iterator[Price]:
    edges, parts = _edges(model), _day_parts(model)
    boxes = product(_contexts(model), zip(edges, [*edges[1:], None], strict=True), parts)
    for context, (start, end), (day_from_s, day_until_s) in boxes:
        moment = datetime.fromtimestamp(start.timestamp() + day_from_s, UTC)
        for unit, quoted, tokens_from, tokens_until in _quoted(_amounts(model, context, moment), units):
            yield Price(
                version=book,
                provider=provider.id,
                model=model.id,
                item=unit.item,
                unit=unit.unit,
                amount=prices.each(quoted, unit.per),
                quoted=quoted,
                per=unit.per,
                valid_from=start,
                valid_until=end,
                day_from_s=day_from_s,
                day_until_s=day_until_s,
                min_quantity=tokens_from,
                max_quantity=tokens_until,
                service_tier=context.service_tier,
                batch=context.batch,
                variant=context.variant,
                precedence="list",
                source=SOURCE,
                source_url=(provider.pricing_urls or [SOURCE_URL])[0],
                retrieved_at=retrieved_at,
                added_at=retrieved_at,
            )


def _constraints(model: "ModelInfo") -> list[Any]:
    return [entry.constraint for entry in (*_conditional(model), *(model.price_variants or ()))]


def _conditional(model: "ModelInfo") -> Sequence["ConditionalPrice"]:
    return model.prices if isinstance(model.prices, list) else ()


def _edges(model: "ModelInfo") -> list[datetime]:
    """Days on which the model's prices change, the beginning of time first."""
    from genai_prices.types import StartDateConstraint  # noqa: PLC0415

    days = {entry.start_date for entry in _constraints(model) if isinstance(entry, StartDateConstraint)}
    return [EPOCH, *(datetime.combine(day, time(), UTC) for day in sorted(days))]


def _day_parts(model: "ModelInfo") -> list[tuple[int, int]]:
    """Seconds of the UTC day between which one price holds."""
    from genai_prices.types import TimeOfDateConstraint  # noqa: PLC0415

    times = [entry for entry in _constraints(model) if isinstance(entry, TimeOfDateConstraint)]
    edges = sorted({0, DAY_S} | {_second_of_day(moment) for c in times for moment in (c.start_time, c.end_time)})
    return list(pairwise(edges))


def _second_of_day(moment: time) -> int:
    aware = datetime.combine(date(2000, 1, 2), moment, moment.tzinfo or UTC).astimezone(UTC)
    return aware.hour * 3600 + aware.minute * 60 + aware.second


def _contexts(model: "ModelInfo") -> list[Context]:
    """Everything that a request may ask for and the list has prices of its own for, the usual first."""
    variants = [variant for variant in model.price_variants or () if _said(variant.prices)]
    asked = {pair for variant in variants for pair in variant.when.items()}
    tiers = sorted(value for key, value in asked if key == "service_tier")
    batches = [False, True] if ("processing", "batch") in asked else [False]
    others = sorted(f"{key}={value}" for key, value in asked - {("processing", "batch")} if key != "service_tier")
    return [Context(*parts) for parts in product(["", *tiers], batches, ["", *others])]


def _amounts(model: "ModelInfo", context: Context, moment: datetime) -> Amounts:
    """What the list says in this context itself; where it says nothing, the usual price holds."""
    if not context.words():
        return _said(model.get_prices(moment))
    own: dict[str, Decimal | TieredPrices] = {}
    for variant in model.price_variants or ():
        if _holds(variant, context, moment):
            own = {**_said(variant.prices), **own}
    return own


def _holds(variant: "PriceVariant", context: Context, moment: datetime) -> bool:
    active = variant.constraint is None or variant.constraint.active(moment)
    return active and variant.when.items() <= context.words().items()


def _said(listed: "ModelPrice") -> Amounts:
    return {key: value for key, value in vars(listed).items() if value is not None and not key.startswith("_")}


def _quoted(amounts: Amounts, units: Mapping[str, Unit]) -> Iterator[tuple[Unit, Decimal, int, int]]:
    """(what of, price, input tokens from, input tokens until) of one set of prices."""
    told: dict[str, str] = {}
    for key in sorted(amounts, key=lambda key: units[key].told):
        told[units[key].item] = key
    for key in told.values():
        for quoted, tokens_from, tokens_until in _steps(amounts[key]):
            yield units[key], quoted, tokens_from, tokens_until


def _steps(price: "Decimal | TieredPrices") -> Iterator[tuple[Decimal, int, int]]:
    """(amount, input tokens from, input tokens until) of a price that may depend on the length of the input."""
    if isinstance(price, Decimal):
        yield price, 0, NO_LIMIT
        return
    starts = [0, *(tier.start + 1 for tier in price.tiers)]
    quoted = [price.base, *(tier.price for tier in price.tiers)]
    yield from zip(quoted, starts, [*starts[1:], NO_LIMIT], strict=True)
