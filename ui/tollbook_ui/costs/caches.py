"""Cache economics: what reading from a provider's cache saved, and what writing to it cost. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal, localcontext
from typing import Any

from tollbook_ui.costs.bridge import DIGITS, LAST_DIGIT
from tollbook_ui.costs.changes import ratio
from tollbook_ui.costs.figures import CacheRow, Caches
from tollbook_ui.figures import Period

Kind = tuple[str, str, str]
"""Provider, model, and kind of input, such as audio."""


def economics(period: Period, rows: Sequence[Mapping[str, Any]], avoided: tuple[int, Decimal | None]) -> Caches:
    """The answer, from sums by workflow, provider, model and kind of input."""
    with localcontext(prec=DIGITS):
        fresh = _prices(rows)
        parts: dict[tuple[str, str, str], list[CacheRow]] = defaultdict(list)
        for row in rows:
            parts[row["workflow"], row["provider"], row["model"]].append(_row(row, fresh))
        found = tuple(_together(of_model) for of_model in parts.values())
        read, whole = (sum((_read(row)[at] for row in found), Decimal(0)) for at in (0, 1))
        return Caches(
            period=period,
            rows=found,
            hit_ratio=ratio(read, whole),
            saved_usd=_sum(row.saved_usd for row in found),
            write_premium_usd=_sum(row.write_premium_usd for row in found),
            wasted_usd=_sum(row.wasted_usd for row in found),
            net_usd=_sum(row.net_usd for row in found),
            unknown_rows=sum(row.net_usd is None for row in found),
            avoided_calls=avoided[0],
            avoided_usd=avoided[1],
        )


def _prices(rows: Iterable[Mapping[str, Any]]) -> dict[Kind, Decimal]:
    """Mean price of a token of fresh input in the period."""
    sums: dict[Kind, tuple[Decimal, Decimal]] = {}
    for row in rows:
        kind = (row["provider"], row["model"], row["kind"])
        tokens, amount = sums.get(kind, (Decimal(0), Decimal(0)))
        sums[kind] = (tokens + row["input_tokens"], amount + row["input_usd"])
    return {kind: amount / tokens for kind, (tokens, amount) in sums.items() if tokens}


def _row(row: Mapping[str, Any], fresh: Mapping[Kind, Decimal]) -> CacheRow:
    price = fresh.get((row["provider"], row["model"], row["kind"]))
    read, written, unread = row["read_tokens"], row["written_tokens"], row["unread_tokens"]
    saved = premium = wasted = None
    if price is not None or not (read or written):
        saved = (read * (price or 0) - row["read_usd"]).quantize(LAST_DIGIT)
        premium = (row["written_usd"] - written * (price or 0)).quantize(LAST_DIGIT)
        wasted = (premium * unread / written).quantize(LAST_DIGIT) if written else Decimal(0)
    return CacheRow(
        workflow=row["workflow"],
        provider=row["provider"],
        model=row["model"],
        input_tokens=row["input_tokens"],
        read_tokens=read,
        written_tokens=written,
        unread_tokens=unread,
        hit_ratio=ratio(read, read + written + row["input_tokens"]),
        saved_usd=saved,
        write_premium_usd=premium,
        wasted_usd=wasted,
        net_usd=None if saved is None or premium is None else saved - premium,
    )


def _together(rows: Sequence[CacheRow]) -> CacheRow:
    """Rows of one workload and model, whatever the kind of their input."""
    if len(rows) == 1:
        return rows[0]
    sums: dict[str, Any] = {}
    for name in [field.name for field in fields(CacheRow)][3:]:
        values = [getattr(row, name) for row in rows]
        sums[name] = None if None in values else sum(values, Decimal(0)) if name != "hit_ratio" else None
    row = CacheRow(rows[0].workflow, rows[0].provider, rows[0].model, **sums)
    return CacheRow(**{**{field.name: getattr(row, field.name) for field in fields(row)}, "hit_ratio": ratio(*_read(row))})


def _read(row: CacheRow) -> tuple[Decimal, Decimal]:
    """Tokens read from the cache, and all of the input."""
    return row.read_tokens, row.input_tokens + row.read_tokens + row.written_tokens


def _sum(amounts: Iterable[Decimal | None]) -> Decimal:
    return sum((amount for amount in amounts if amount is not None), Decimal(0))
