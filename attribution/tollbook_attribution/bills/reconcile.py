"""Sets bills against the ledger: what each charge is of, how much of it telemetry explains, which hours it belongs to.

The hours whose lines change by it are settled again by the next settlement. Runs are kept; the newest of a tenant is in force.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tollbook_schema import sql
from tollbook_schema.store import Store
from tollbook_schema.tenants import DEFAULT_TENANT

COSTS = ("billed", "effective")


@dataclass(frozen=True)
class Reconciled:
    """What a reconciliation came to."""

    run: int
    changed: bool
    """Whether there was anything new: bills, mappings, estimates or exchange rates."""


def reconcile(store: Store, tenant: str = DEFAULT_TENANT, cost: str | None = None) -> Reconciled:
    """Sets all bills in force of a tenant against its ledger; does nothing where nothing has changed since it was done last.

    Args:
        store: with the bills and the ledger.
        tenant: whose.
        cost: which cost of the bill replaces estimates: `billed`, the invoice, or `effective`, with commitments spread
            over what they cover; None for what it was before, at first the billed one.

    Raises:
        ValueError: there is no such cost.
    """
    before = store.query(_query("run_before"), {"tenant": tenant})
    chosen = cost or (before[0]["cost"] if before else COSTS[0])
    if chosen not in COSTS:
        raise ValueError(f"a bill is reconciled by its {' or '.join(COSTS)} cost, not by {chosen!r}")
    [asked] = store.query(_query("basis"), {"tenant": tenant})
    if before and (before[0]["basis"], before[0]["cost"]) == (asked["basis"], chosen):
        return Reconciled(before[0]["run"], False)
    if not before and not asked["periods"]:
        return Reconciled(0, False)
    run = {"tenant": tenant, "run": time.time_ns(), "cost": chosen, "basis": asked["basis"]}
    try:
        for name in ("charges", "targets", "matches", "shares"):
            store.command(_query(name), run)
    finally:
        for statement in sql.statements(_query("forget_run")):
            store.command(statement, run)
    store.command(_query("run_done"), run)
    store.command(_query("hours_changed"), {**run, "before": before[0]["run"] if before else 0})
    return Reconciled(int(run["run"]), True)


def reconcile_all(store: Store) -> Sequence[Reconciled]:
    """As `reconcile`, for every tenant that has bills."""
    return [reconcile(store, row["tenant"]) for row in store.query(_query("billed_tenants"))]


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"bills/queries/{name}.sql")
