"""What was paid for a period whatever is used of it: reserved machines, throughput, seats, subscriptions, fees. Dated."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tollbook_schema import sql
from tollbook_schema.store import Reads, Store
from tollbook_schema.tenants import DEFAULT_TENANT, checked_tenant

UNITS: Mapping[str, str] = {
    "host_hour": "hours of machines of the instance type that it covers",
    "usd": "USD of machines at their rates, of the instance type that it covers or of any, such as a savings plan",
    "gpu_hour": "hours of accelerators of the model that it covers",
    "token": "tokens of the model that it covers, such as provisioned throughput",
    "call": "calls of the model that it covers",
    "request": "requests of the service that it covers, or of any",
    "use": "use of the vector database, tool or other service that it covers: tollbook.service.quantity, or requests",
    "seat": "people who use the service that it covers, or any",
    "": "nothing: a fixed fee, which the policy for shared cost gives to somebody",
}
"""What use is counted in."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Commitment:
    """What was paid for a period. One set later under the same name takes its place; nothing is overwritten."""

    tenant: str = DEFAULT_TENANT
    commitment_id: str
    """Its name."""
    kind: str = ""
    """In the words of who pays: reserved instances, PTU, seats."""
    provider: str = ""
    covers: str = ""
    """An instance type, a model of accelerator, a model, a service; by unit. Empty for any service."""
    region: str = ""
    account: str = ""
    unit: str = ""
    capacity_per_hour: Decimal | None = None
    """Units of use that an hour of it pays for; None for any number, in USD for as many as were paid."""
    amount: Decimal
    """For the whole period."""
    currency: str = "USD"
    valid_from: datetime
    valid_until: datetime
    """End of the period, not part of it."""
    source: str = "set by the user"
    set_at: datetime = field(default_factory=_now)


COLUMNS = tuple(entry.name for entry in fields(Commitment))


def add(store: Store, rows: list[Commitment]) -> None:
    """Adds commitments, all or none. Hours already settled keep their result until they are settled again.

    Raises:
        ValueError: one cannot be, or is a further period of one that it would take the place of; the message says which and why.
    """
    named = {(row.tenant, row.commitment_id): row for row in commitments(store)}
    for row in rows:
        before = named.get((row.tenant, row.commitment_id))
        if before and _is_further(checked(row), before):
            period = f"{before.valid_from:%Y-%m-%d %H:%M} to {before.valid_until:%Y-%m-%d %H:%M}"
            raise ValueError(
                f"{row.commitment_id} is what was paid from {period}, which would no longer count: "
                "another period needs a name of its own, such as one with its month"
            )
        named[row.tenant, row.commitment_id] = checked(row)
    store.insert("commitments", [tuple(getattr(row, name) for name in COLUMNS) for row in rows], COLUMNS)


def _is_further(row: Commitment, before: Commitment) -> bool:
    """Whether the one set before is paid for another time: no correction of it."""
    return before.amount > 0 and (row.valid_from >= before.valid_until or row.valid_until <= before.valid_from)


def checked(row: Commitment) -> Commitment:
    """The commitment, if it is one.

    Raises:
        ValueError: it is none; the message says why.
    """
    checked_tenant(row.tenant)
    capacity = row.capacity_per_hour
    if not row.commitment_id.strip():
        raise ValueError("a commitment needs a name")
    if row.unit not in UNITS:
        raise ValueError(f"use is counted in {', '.join(filter(None, UNITS))}, or in nothing, not in {row.unit!r}")
    if not row.amount.is_finite() or not 0 <= row.amount <= Decimal("1e12"):
        raise ValueError(f"not an amount: {row.amount}")
    if capacity is not None and (not capacity.is_finite() or not 0 < capacity <= Decimal("1e15")):
        raise ValueError(f"capacity is more than 0 an hour, not {capacity}")
    if row.unit in ("host_hour", "gpu_hour") and capacity is None:
        raise ValueError(f"a commitment of {row.unit}s says how many an hour it pays for")
    if row.unit in ("host_hour", "gpu_hour", "token", "call", "use") and not row.covers:
        raise ValueError(f"a commitment of {row.unit}s says what it covers")
    if row.valid_until <= row.valid_from:
        raise ValueError(f"the period ends at {row.valid_until:%Y-%m-%d %H:%M}, before it begins")
    return row


def commitments(store: Reads, tenant: str | None = None) -> tuple[Commitment, ...]:
    """Commitments in force or past, of a tenant or of all, the one that begins last first."""
    rows = store.query(sql.text("tollbook_attribution", "queries/commitments.sql"), {"tenant": tenant or ""})
    return tuple(Commitment(**{key: _utc(value) for key, value in row.items()}) for row in rows)


def _utc(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
