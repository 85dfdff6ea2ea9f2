"""Takes an import of bills back: what it took the place of is in force again. Its lines are kept, and count no more."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tollbook_schema import sql
from tollbook_schema.store import Store
from tollbook_schema.tenants import checked_tenant

from tollbook_attribution.bills.load import Brought


@dataclass(frozen=True)
class Undone:
    """What taking an import back came to."""

    undone_by: int
    """Names what is in force again, as an import does."""
    gone: Sequence[Brought]
    """Billing periods as they were until now."""


def undo(store: Store, tenant: str, import_id: int) -> Undone:
    """Takes an import back.

    Raises:
        ValueError: nothing of it is in force, or a later import has added to it.
    """
    checked_tenant(tenant)
    undone_by = time.time_ns()
    known = {"tenant": tenant, "import_id": import_id, "undone_by": undone_by}
    found = store.query(_query("in_force"), known)
    if not found:
        raise ValueError(f"no bill in force has lines of import {import_id}; see: tollbook bill list")
    if later := sorted({row["last_part"] for row in found} - {import_id}):
        raise ValueError(f"import {later[-1]} was added to import {import_id}: take that one back first")
    store.command(_query("undo"), known)
    return Undone(undone_by, tuple(Brought(**{k: v for k, v in row.items() if k != "last_part"}) for row in found))


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"bills/queries/{name}.sql")
