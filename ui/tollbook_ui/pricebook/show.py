"""Prices as tables for a terminal."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich.console import RenderableType

from tollbook_ui import units
from tollbook_ui.figures import Period
from tollbook_ui.pricebook.figures import (
    Alias,
    Changes,
    Discount,
    ExchangeRate,
    PriceRow,
    ProblemRow,
    Repriced,
    Repricing,
    Shown,
    Taken,
)
from tollbook_ui.show import NOBODY, escape, headed, listed, told

NO_PRICES = "No such price. All of them: tollbook prices list; what a name stands for: tollbook prices show NAME"
NO_RATES = "No exchange rate is set. Set one with: tollbook prices rate EUR 1.0842 --on 2026-11-20"
NO_ALIASES = "No name stands for another. Say so with: tollbook prices alias our-deployment openai/gpt-4o"
NO_DISCOUNTS = "No discount is set. Set one with: tollbook prices discount acme-2026 15 --provider openai"
NO_CHANGES = "No difference."
NO_REPRICINGS = "Nothing was settled again for its prices. Do so with: tollbook reprice --from 2026-11-01 --to 2026-12-01"


def prices(found: Sequence[PriceRow]) -> Iterable[RenderableType]:
    """Prices as their sources quote them."""
    if not found:
        yield NO_PRICES
        return
    yield listed("Prices", (*PRICE, "source"), ((*_price(row), f"{row.source} {row.version}") for row in found))


def shown(found: Shown) -> Iterable[RenderableType]:
    """What a name stands for, and its prices."""
    pairs = [("Name", f"{found.provider}/{found.model}" if found.provider else found.model)]
    pairs += [("Stands for", ", ".join(found.stands_for) or "nothing in the book")]
    pairs += [("Note", found.reason)] if found.reason else []
    yield told(*pairs, ("At", f"{found.at:%Y-%m-%d %H:%M:%S} UTC"))
    if found.rows:
        rows = (
            ("decides" if row.decides else "", *_price(row.price), f"{row.price.source} {row.price.version}")
            for row in found.rows
        )
        yield listed("Prices", ("", *PRICE, "source"), rows)
    else:
        yield "No price. Say what the name stands for: tollbook prices alias NAME PROVIDER/MODEL, or set one: tollbook prices set"


def taken(found: Sequence[Taken], *, checked: bool) -> Iterable[RenderableType]:
    """What files came to, and what is wrong with them."""
    for file in found:
        if file.rows:
            yield listed(
                f"{file.file}: what is wrong or missing", ("", ">line", "column", "what"), (_problem(row) for row in file.rows)
            )
        if file.errors:
            counted = _counted(file.errors, "error")
            yield escape(f"{file.file}: {counted}; nothing of it was loaded, and as it is it will be refused again.")
        elif checked:
            counted = _counted(file.prices, "price")
            yield escape(f"{file.file}: {counted}, no errors. Load it with: tollbook prices import {file.file}")
        else:
            yield escape(f"{file.file}: {file.added} of {file.prices} prices are new (version {file.version}).")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def changes(found: Changes) -> Iterable[RenderableType]:
    """How two sides differ."""
    if not found.rows:
        yield NO_CHANGES
        return
    rows = (
        (
            row.price_id,
            _day(row.valid_from),
            _money(row.before, row.before_currency),
            _money(row.after, row.after_currency),
            _change(row.before, row.after),
        )
        for row in found.rows
    )
    headings = ("price", "from", f">{found.before}", f">{found.after}", ">change")
    yield listed("Differences, each for one unit", headings, rows)


def exchange_rates(found: Sequence[ExchangeRate]) -> Iterable[RenderableType]:
    """What currencies are worth."""
    if not found:
        yield NO_RATES
        return
    rows = ((row.currency, str(row.day), str(row.last_day), f"{row.usd_per_unit.normalize():f}", row.source) for row in found)
    yield listed("Exchange rates", ("currency", "day", "holds until", ">USD for one", "source"), rows)


def aliases(found: Sequence[Alias]) -> Iterable[RenderableType]:
    """What names stand for."""
    if not found:
        yield NO_ALIASES
        return
    rows = ((row.provider or "any", row.model, row.price, row.tenant or "everyone") for row in found)
    yield listed("What names stand for", ("provider", "name", "price", "for"), rows)


def discounts(found: Sequence[Discount]) -> Iterable[RenderableType]:
    """What contracts take off list prices."""
    if not found:
        yield NO_DISCOUNTS
        return
    rows = (
        (
            row.discount_id,
            f"{row.percent.normalize():f} %",
            ", ".join(filter(None, (row.category, row.provider, row.model, row.item, row.account))) or "everything",
            row.tenant or "everyone",
            _day(row.valid_from),
            _day(row.valid_until),
        )
        for row in found
    )
    yield listed("Discounts", ("contract", ">off", "list prices of", "for", "from", "until"), rows)


def repriced(found: Repriced) -> Iterable[RenderableType]:
    """What settling again has changed."""
    yield headed("Settled again", Period(found.since, found.until))
    if found.rows:
        rows = (
            (
                row.team or NOBODY,
                "/".join(filter(None, (row.provider, row.model))) or row.category,
                row.item,
                units.usd_exact(row.before_usd),
                units.usd_exact(row.after_usd),
                units.usd_exact(row.difference_usd),
                row.reason,
            )
            for row in found.rows
        )
        yield listed("What has changed", ("team", "model", "item", ">before", ">after", ">difference", "why"), rows)
    yield told(
        ("Hours", str(found.windows)),
        ("Before", units.usd_exact(found.before_usd)),
        ("After", units.usd_exact(found.after_usd)),
        ("Difference", units.usd_exact(found.difference_usd)),
        ("Calls without a price", f"{found.before_unpriced_calls} before, {found.after_unpriced_calls} after"),
    )


def repricings(found: Sequence[Repricing]) -> Iterable[RenderableType]:
    """Periods that were settled again."""
    if not found:
        yield NO_REPRICINGS
        return
    rows = (
        (
            f"{row.started_at:%Y-%m-%d %H:%M}",
            f"{row.since:%Y-%m-%d %H:%M}",
            f"{row.until:%Y-%m-%d %H:%M}",
            str(row.changes),
            units.usd_exact(row.before_usd),
            units.usd_exact(row.after_usd),
        )
        for row in found
    )
    yield listed("Settled again", ("when", "from", "to", ">changes", ">before", ">after"), rows)


PRICE = ("provider", "model", "item", ">price", "for", "conditions", "from", "until")


def _price(row: PriceRow) -> tuple[str, ...]:
    many = f"{row.unit}es" if row.unit.endswith("ch") else f"{row.unit}s"
    per = {1: row.unit, 1_000: f"1K {many}", 1_000_000: f"1M {many}"}.get(row.per, f"{row.per} {many}")
    price = _money(row.quoted, row.currency)
    return row.provider, row.model, row.item, price, per, row.conditions, _day(row.valid_from), _day(row.valid_until)


def _problem(row: ProblemRow) -> tuple[str, ...]:
    return row.level, str(row.line) if row.line else "", row.column, row.message


def _money(amount: Decimal | None, currency: str) -> str:
    return "-" if amount is None else f"{amount.normalize():f} {currency}"


def _change(before: Decimal | None, after: Decimal | None) -> str:
    if before is None or after is None:
        return "new" if before is None else "gone"
    return f"{(after - before) / before:+.1%}" if before else ""


def _day(moment: object) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}" if f"{moment:%H%M%S}" == "000000" else f"{moment:%Y-%m-%d %H:%M:%S}"
