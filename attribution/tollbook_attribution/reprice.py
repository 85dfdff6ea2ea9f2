"""Repricing: settles a period again and says what has changed, per owner and model, and why. What it says is kept."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

from tollbook_schema import sql
from tollbook_schema.store import Reads, Store

from tollbook_attribution import engine

NOTHING = Decimal(0)
DIGITS = 76

KEYS = ("tenant", "team", "provider", "model", "category", "item")


@dataclass(frozen=True)
class Side:
    """What an owner's use of one item of one model came to."""

    quantity: Decimal = NOTHING
    amount_usd: Decimal = NOTHING
    unpriced_calls: int = 0
    prices: tuple[str, ...] = ()
    """Each price it was billed at, in words."""
    reasons: tuple[str, ...] = ()
    """Why calls have no price."""

    @property
    def million_usd(self) -> Decimal:
        """What a million units cost on average, where there are any."""
        with localcontext(prec=DIGITS):
            return self.amount_usd * 1_000_000 / self.quantity


@dataclass(frozen=True)
class Row:
    """One owner's use of one item of one model, before and after."""

    key: tuple[str, ...]
    before: Side
    after: Side
    reason: str

    @property
    def difference_usd(self) -> Decimal:
        """What it costs more now."""
        with localcontext(prec=DIGITS):
            return self.after.amount_usd - self.before.amount_usd


@dataclass(frozen=True)
class Repricing:
    """What a run of `reprice` came to."""

    repricing_id: str
    since: datetime
    until: datetime
    windows: int
    before: Side
    after: Side
    rows: tuple[Row, ...]
    """What has changed, the largest difference first."""


def reprice(store: Store, since: datetime, until: datetime) -> Repricing:
    """Settles every hour of a period again and compares.

    Raises:
        lease.TakenError: another process settles on this server at present.
        StoreError: a step failed; hours settled before it stay settled.
    """
    started_at = datetime.now(UTC)
    before = _sides(store, since, until)
    settled = engine.settle(store, since=since, until=until)
    after = _sides(store, since, until)
    rows = changed(before, after)
    found = Repricing(uuid.uuid4().hex, since, until, settled.windows, _sum(before), _sum(after), rows)
    _keep(store, found, started_at)
    return found


def changed(before: Mapping[tuple[str, ...], Side], after: Mapping[tuple[str, ...], Side]) -> tuple[Row, ...]:
    """What two settlements say differently, the largest difference first."""
    rows = []
    for key in before.keys() | after.keys():
        old, new = before.get(key, Side()), after.get(key, Side())
        if (old.quantity, old.amount_usd, old.unpriced_calls, old.prices) != (
            new.quantity,
            new.amount_usd,
            new.unpriced_calls,
            new.prices,
        ):
            rows.append(Row(key, old, new, "; ".join(_why(old, new)) or "settled from other facts"))
    return tuple(sorted(rows, key=lambda row: (-abs(row.difference_usd), row.key)))


def _why(old: Side, new: Side) -> list[str]:
    reasons = []
    if old.quantity and new.quantity and (before := f"${old.million_usd:,.4f}") != (after := f"${new.million_usd:,.4f}"):
        reasons.append(f"a million {before} → {after}")
    if new.unpriced_calls < old.unpriced_calls:
        fewer = old.unpriced_calls - new.unpriced_calls
        reasons.append(f"{fewer} {'call is' if fewer == 1 else 'calls are'} no longer without a price")
    if new.unpriced_calls > old.unpriced_calls:
        why = f": {'; '.join(new.reasons)}" if new.reasons else ""
        more = new.unpriced_calls - old.unpriced_calls
        reasons.append(f"{more} more {'call has' if more == 1 else 'calls have'} no price{why}")
    if old.prices and new.prices and old.prices != new.prices:
        reasons.append(f"price {' and '.join(old.prices)} is now {' and '.join(new.prices)}")
    elif new.prices and not old.prices:
        reasons.append(f"priced at {' and '.join(new.prices)}")
    elif old.prices and not new.prices:
        reasons.append(f"no longer priced at {' and '.join(old.prices)}")
    if old.quantity and new.quantity and old.quantity != new.quantity:
        reasons.append(f"{new.quantity - old.quantity:+,.9f}".rstrip("0").rstrip(".") + " units are counted")
    return reasons


def _sides(reads: Reads, since: datetime, until: datetime) -> dict[tuple[str, ...], Side]:
    found = {}
    for row in reads.query(_sql("repriced.sql"), {"since": since, "until": until}):
        side = Side(row["quantity"], row["amount_usd"], row["unpriced_calls"], tuple(row["prices"]), tuple(row["reasons"]))
        found[tuple(row[name] for name in KEYS)] = side
    return found


def _sum(sides: Mapping[tuple[str, ...], Side]) -> Side:
    with localcontext(prec=DIGITS):
        usd = sum((side.amount_usd for side in sides.values()), NOTHING)
    return Side(NOTHING, usd, sum(side.unpriced_calls for side in sides.values()))


def _keep(store: Store, found: Repricing, started_at: datetime) -> None:
    columns = (
        "tenant", "repricing_id", "started_at", "since", "until", "team", "provider", "model", "category", "item",
        "before_quantity", "after_quantity", "before_usd", "after_usd", "before_unpriced_calls", "after_unpriced_calls", "reason",
    )  # fmt: skip
    store.insert("repricings", [_kept(found, row, started_at) for row in found.rows], columns)


def _kept(found: Repricing, row: Row, started_at: datetime) -> Sequence[Any]:
    tenant, *owned = row.key
    old, new = row.before, row.after
    return (
        tenant, found.repricing_id, started_at, found.since, found.until, *owned, old.quantity, new.quantity, old.amount_usd,
        new.amount_usd, old.unpriced_calls, new.unpriced_calls, row.reason,
    )  # fmt: skip


def _sql(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
