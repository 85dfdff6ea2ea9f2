"""Settled hours written straight into the ledger's tables: amounts by hand, no prices, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tollbook_schema import sql
from tollbook_schema.store import Store

ADDED_UP = [
    statement
    for step in ("1_lines", "2_calls", "3_requests")
    for statement in sql.statements(sql.text("tollbook_attribution", f"steps/86_costs_{step}.sql"))
]
"""What settles an hour's sums."""

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
"""Start of 2026-W46."""


@dataclass(frozen=True)
class Spent:
    """Lines of some requests in one hour; each request is a call of its own where there is a model."""

    window: datetime
    workflow: str = ""
    amount_usd: str = "1"
    requests: int = 1
    category: str = "tokens"
    item: str = "input"
    quantity: int = 1_000
    unit: str = "token"
    model: str = "gpt-4o"
    allocation: str = "request"
    priced: bool = True
    more: dict[str, Any] = field(default_factory=dict)
    """Other columns, such as `team`."""


def write(store: Store, spent: Iterable[Spent], tenant: str = "default") -> None:
    """Settles each hour with these lines, and nothing else."""
    rows = [replace(one, window=one.window.astimezone(UTC)) for one in spent]
    windows = sorted({one.window for one in rows})
    ledger, calls, requests = [], [], []
    for number, one in enumerate(rows, start=1):
        owners = {"workflow": one.workflow, "tenant": tenant, "window": one.window, "settlement": 1, **one.more}
        traces = [number.to_bytes(8, "big") + at.to_bytes(8, "big") for at in range(1, one.requests + 1)]
        ledger += _shared(one, owners, traces if one.allocation == "request" else [bytes(16)]) if one.priced else []
        requests += _requests(one, owners, traces)
        calls += _calls(one, owners, traces)
    settled = [{"tenant": tenant, "window": window, "settlement": 1, "settled_at": window} for window in windows]
    tables = {"ledger_settled": ledger, "calls_settled": calls, "requests_settled": requests, "settlements": settled}
    for table, found in tables.items():
        if found:
            insert(store, table, found)
    for window in windows:
        for statement in ADDED_UP:
            store.command(statement, {"tenant": tenant, "window": window, "settlement": 1})


OWNERS = ("workflow", "team", "project", "feature", "customer", "environment", "tenant", "window", "settlement", "service_name")
CALL = (*OWNERS, "duration_ns", "input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")
REQUEST = (*OWNERS, "site", "duration_ns", "input_age_ns")


def insert(store: Store, table: str, rows: list[dict[str, Any]]) -> None:
    """Inserts rows that may have different columns."""
    types = {row["name"]: row["type"] for row in store.query(f"DESCRIBE TABLE {table}")}
    columns = sorted({name for row in rows for name in row if name in types})
    store.insert(table, [[row.get(name, _empty(types[name])) for name in columns] for row in rows], columns)


def _requests(one: Spent, owners: dict[str, Any], traces: list[bytes]) -> list[dict[str, Any]]:
    told = {**_only(owners, REQUEST), "start_time": one.window, "cost_usd": _each(one, traces)}
    return [{**told, "trace_id": trace} for trace in traces] if one.allocation == "request" else []


def _calls(one: Spent, owners: dict[str, Any], traces: list[bytes]) -> list[dict[str, Any]]:
    status = "priced" if one.priced else "unpriced"
    called = {"model": one.model, "role": "counted", "price_status": status, "price_provider": "openai", "start_time": one.window}
    told = {**_only(owners, CALL), **called}
    return [{**told, "trace_id": trace} for trace in traces] if (one.allocation, one.category) == ("request", "tokens") else []


def _shared(one: Spent, owners: dict[str, Any], traces: list[bytes]) -> list[dict[str, Any]]:
    """A line for each request; the last one takes what division leaves."""
    each, taken = _each(one, traces), Decimal(0)
    lines = []
    for at, trace in enumerate(traces):
        amount = Decimal(one.amount_usd) - taken if at == len(traces) - 1 else each
        taken += amount
        lines.append(
            {
                **owners,
                "trace_id": trace,
                "span_id": bytes(8),
                "start_time": one.window,
                "allocation": one.allocation,
                "category": one.category,
                "item": one.item,
                "resource": f"openai/{one.model}",
                "provider": "openai",
                "model": one.model,
                "quantity": Decimal(one.quantity) / len(traces),
                "unit": one.unit,
                "amount_usd": amount,
                "basis": one.more.get("basis", "computed"),
            }
        )
    return lines


def _each(one: Spent, traces: list[bytes]) -> Decimal:
    return (Decimal(one.amount_usd) / len(traces)).quantize(Decimal("1e-18"))


def _only(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}


def _empty(kind: str) -> Any:
    if "Nullable" in kind:
        return None
    if "String" in kind and "Array" not in kind and "Map" not in kind:
        return ""
    return False if kind == "Bool" else 0
