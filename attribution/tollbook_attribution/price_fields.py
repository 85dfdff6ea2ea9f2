"""Columns of people's price files: what each may hold, and what it becomes in a row of the price book. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from tollbook_attribution import prices, providers, transfer_classes
from tollbook_attribution.prices import DAY_S, NO_LIMIT

CATEGORIES = ("tokens", "accelerator", "storage", "transfer", "third_party", "energy")

TOKENS = (
    "input", "input_audio", "input_image", "input_video", "input_tool", "cache_read", "cache_read_audio", "cache_read_image",
    "cache_read_video", "cache_write", "cache_write_1h", "output", "output_audio", "output_image", "output_video", "reasoning",
    "citation",
)  # fmt: skip

UNITS: Mapping[str, str] = {
    **dict.fromkeys(TOKENS, "token"),
    "request": "request",
    "web_search": "search",
    "storage_search": "search",
    "social_search": "search",
    "rerank_search": "search",
    "code_execution": "execution",
    "image": "image",
    "audio_second": "second",
    "output_audio_second": "second",
    "video_second": "second",
    "character": "character",
    "output_character": "character",
    "message": "message",
    "pixel": "pixel",
    "page": "page",
    "annotated_page": "page",
    "query": "query",
}
"""Items of model calls, and the unit that each is counted in."""

ABSURD: Mapping[str, Decimal] = {
    "token": Decimal("0.01"),
    "character": Decimal("0.01"),
    "pixel": Decimal("0.001"),
    "second": Decimal(10),
    "page": Decimal(100),
    "image": Decimal(1_000),
    "message": Decimal(1_000),
    "search": Decimal(1_000),
    "query": Decimal(1_000),
    "execution": Decimal(1_000),
    "request": Decimal(10_000),
    "gb": Decimal(1_000),
    "gb_month": Decimal(10_000),
    "gpu_hour": Decimal(10_000),
    "kwh": Decimal(1_000),
}
"""USD for one unit above which it is a slip of the pen. A token of the dearest model costs 0.0006 USD (o1-pro's output)."""

SMALL_MONEY = 30_000
"""How much larger a figure may be in a currency that we do not know the size of: of the rupiah, 16,000 make a dollar."""

LARGE_MONEY = frozenset({"USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD"})

NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
WHOLE = re.compile(r"\d{1,18}")
NO_NUMBERS = (
    (r"-\d.*", "is below 0"),
    (r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", "is no number: thousands are written without a sign between, as 1234.5"),
    (r"[\d.]*,\d+", "is no number: decimals are written with a point"),
    (r"[$€£¥]\s*[\d.,]+|[\d.,]+\s*(?:[$€£¥]|[A-Za-z]{3})", "is no number alone: the currency has a column of its own"),
    (r"(?s).*", "is no number"),
)
"""What is written in the place of a number, and what to say of it."""

MULTIPLES = {"k": 1_000, "thousand": 1_000, "m": 1_000_000, "million": 1_000_000}
CURRENCY = re.compile(r"[A-Z]{3}")
CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?:Z|([+-])(0\d|1[0-4]):?([0-5]\d))?")
SMALLEST_DIGITS = -int(prices.SMALLEST.as_tuple().exponent)
MOST_PER = 2**32 - 1
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)
"""What ClickHouse's DateTime holds."""


class BadValueError(ValueError):
    """A value that its column cannot have."""


@dataclass(frozen=True)
class Field:
    """A column."""

    parse: Callable[[str], Any]
    text: str
    """For people."""


def _word(text: str) -> str:
    if len(text) > 500 or not text.isprintable():
        raise BadValueError(f"{text[:40]!r} is no name")
    return text


def amount(text: str) -> Decimal:
    """A number of money, not below 0. Raises BadValueError."""
    if not NUMBER.fullmatch(text):
        raise BadValueError(f"{text!r} {next(reason for form, reason in NO_NUMBERS if re.fullmatch(form, text))}")
    found = Decimal(text)
    if found >= Decimal(10) ** 15:
        raise BadValueError(f"{text} is too large to be a price")
    return found


def _per(text: str) -> int:
    read = re.fullmatch(r"(\d{0,18})\s*([a-z]*)", text.lower().replace("_", ""))
    number, unit = read.groups() if read else ("", text)
    found = int(number or 1) * MULTIPLES.get(unit, 0 if unit else 1)
    if not 1 <= found <= MOST_PER:
        raise BadValueError(f"{text!r} is no number of units: 1, 1000, 1M")
    return found


def currency(text: str) -> str:
    """A currency by its code. Raises BadValueError."""
    if not CURRENCY.fullmatch(text.upper()):
        raise BadValueError(f"{text!r} is no currency: three letters, as EUR")
    return text.upper()


def moment(text: str) -> datetime:
    """A day or a moment in UTC. Raises BadValueError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadValueError(f"{text!r} is no date: 2026-11-20, or 2026-11-20T16:30:00Z") from None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    if found.microsecond or not FIRST <= found <= LAST:
        raise BadValueError(f"{text!r} is no moment that a price can change at: whole seconds from 1970 to 2106")
    return found


def day(text: str) -> date:
    """A day. Raises BadValueError."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise BadValueError(f"{text!r} is no day: 2026-11-20") from None
    if not date(1970, 1, 1) <= found <= date(2149, 6, 6):
        raise BadValueError(f"{text!r} is no day between 1970 and 2149")
    return found


def _clock(text: str) -> int:
    found = CLOCK.fullmatch(text)
    second = int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0) if found else DAY_S + 1
    if not found or second > DAY_S:
        raise BadValueError(f"{text!r} is no time of day: 16:30 in UTC, or with its distance to it, 00:30+08:00")
    if not found[4]:
        return second
    ahead = int(found[5]) * 3600 + int(found[6]) * 60
    return (second - (ahead if found[4] == "+" else -ahead)) % DAY_S


def _unit(text: str) -> str:
    return re.sub("[- ]", "_", _word(text).lower())


def _whole(text: str) -> int:
    if not WHOLE.fullmatch(text):
        raise BadValueError(f"{text!r} is no whole number")
    return int(text)


def _truth(text: str) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in known:
        raise BadValueError(f"{text!r} is neither true nor false")
    return known[text.lower()]


def _category(text: str) -> str:
    if text not in CATEGORIES:
        raise BadValueError(f"{text!r} is no category; there are {', '.join(CATEGORIES)}")
    return text


FIELDS: Mapping[str, Field] = {
    "provider": Field(lambda text: providers.listed_as(_word(text)) or "", "who is paid: openai, aws.bedrock, snowflake"),
    "model": Field(_word, "the product: a model, a storage class, an accelerator, a service"),
    "item": Field(_word, f"what of it: {', '.join(UNITS)}; of other categories any word"),
    "amount": Field(amount, "what `per` units cost"),
    "per": Field(_per, "how many units the amount is for: 1, 1000, 1M; 1 if not given"),
    "unit": Field(_unit, "token, second, page, gb, gb_month, gpu_hour, kwh, …; the item's own if not given"),
    "currency": Field(currency, "USD if not given"),
    "category": Field(_category, f"{', '.join(CATEGORIES)}; tokens if not given"),
    "valid_from": Field(moment, "first moment that it holds, in UTC; since ever if not given"),
    "valid_until": Field(moment, "first moment that it no longer holds; for ever if not given"),
    "time_from": Field(_clock, "time of day from which it holds, in UTC: 16:30; 00:30+08:00 is the same"),
    "time_until": Field(_clock, "time of day until which it holds; may lie before time_from, over midnight"),
    "min_quantity": Field(_whole, "smallest quantity it holds for: tokens of the input, or what the month came to"),
    "max_quantity": Field(_whole, "first quantity it no longer holds for"),
    "service_tier": Field(lambda text: _word(text).lower(), "flex, priority, …; the standard tier if not given"),
    "batch": Field(_truth, "whether it is the price of batches"),
    "variant": Field(_word, "any other condition, as speed=fast"),
    "region": Field(_word, "every region if not given"),
    "account": Field(_word, "of the provider; every account if not given"),
    "tenant": Field(_word, "whose contract it is; everyone's if not given"),
    "source_url": Field(_word, "where the price is written"),
}

NEEDED = ("provider", "model", "item", "amount")

Wrong = list[tuple[str, str]]
"""(column, what is wrong with it)."""


def parsed(row: Mapping[str, Any]) -> tuple[dict[str, Any], Wrong]:
    """A row's terms as `Price` takes them, and what is wrong with it. See `day_parts` for a price over midnight."""
    terms: dict[str, Any] = {}
    wrong: Wrong = []
    for name, value in row.items():
        text = _text(value)
        if text is None:
            wrong.append((name, "is neither text nor number"))
        elif text:
            try:
                terms[name] = FIELDS[name].parse(text)
            except (BadValueError, InvalidOperation) as error:
                wrong.append((name, str(error)))
        elif name in NEEDED:
            wrong.append((name, "is empty"))
    return (terms, wrong) if wrong else _whole_row(terms)


def _text(value: Any) -> str | None:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value).strip() if isinstance(value, str | int) else None


def _whole_row(terms: dict[str, Any]) -> tuple[dict[str, Any], Wrong]:
    """What a row's values say together."""
    wrong: Wrong = []
    category, item = terms.setdefault("category", "tokens"), terms["item"]
    if category == "tokens" and item not in UNITS:
        wrong.append(("item", f"{item!r} is nothing that calls are counted in; there are {', '.join(UNITS)}"))
    if category == "transfer":
        terms["item"] = transfer_classes.named(item)
    unit = terms.setdefault("unit", UNITS.get(item, "") if category == "tokens" else "")
    if category == "tokens" and item in UNITS and unit != UNITS[item]:
        wrong.append(("unit", f"{item} is counted in {UNITS[item]}s, not in {unit}s"))
    if not unit and category != "tokens":
        wrong.append(("unit", f"is missing: what is {item} of {category} counted in?"))
    quoted, per = terms.pop("amount"), terms.pop("per", 1)
    each = prices.each(quoted, per)
    if quoted and not each:
        wrong.append(("amount", f"is too small: for one {unit} it would be 0, as prices have {SMALLEST_DIGITS} decimals"))
    wrong += _absurd(quoted / per, unit, terms.get("currency", "USD"), per)
    wrong += _ordered(terms)
    return {**_boxed(terms), "quoted": quoted, "per": per, "amount": each}, wrong


def _absurd(each: Decimal, unit: str, money: str, per: int) -> Wrong:
    most = ABSURD.get(unit)
    if most is None or each <= most * (1 if money in LARGE_MONEY else SMALL_MONEY):
        return []
    hint = ": is per=1M missing?" if per == 1 and unit in ("token", "character") else ""
    return [("amount", f"{each.normalize():f} {money} for one {unit} cannot be{hint}")]


def _ordered(terms: Mapping[str, Any]) -> Wrong:
    wrong: Wrong = []
    if "valid_until" in terms and terms["valid_until"] <= terms.get("valid_from", FIRST):
        wrong.append(("valid_until", "lies not after valid_from"))
    if terms.get("max_quantity", NO_LIMIT) <= terms.get("min_quantity", 0):
        wrong.append(("max_quantity", "lies not above min_quantity"))
    if terms.get("time_until", DAY_S) == terms.get("time_from", 0):
        wrong.append(("time_until", "is the same as time_from"))
    return wrong


def _boxed(terms: dict[str, Any]) -> dict[str, Any]:
    """The terms with times of day as the price book has them."""
    terms["day_from_s"] = terms.pop("time_from", 0)
    terms["day_until_s"] = terms.pop("time_until", DAY_S) or DAY_S
    return terms


def day_parts(terms: Mapping[str, Any]) -> list[dict[str, int]]:
    """The parts of the day of a row: two where it holds over midnight."""
    first, last = terms["day_from_s"], terms["day_until_s"]
    spans = [(first, last)] if first < last else [(first, DAY_S), (0, last)]
    return [{"day_from_s": start, "day_until_s": end} for start, end in spans]
