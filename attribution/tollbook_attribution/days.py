"""Days that are over, added up from their hours, so that a question about months reads few rows.

A day that was not added up, or not as it is settled now, is read by its hours: the view `day_costs` sees to that.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tollbook_schema import sql
from tollbook_schema.store import Store


def add_up(store: Store, now: datetime | None = None) -> int:
    """Adds up the days that are over and were settled, perhaps again, since they were added up. Sums that hold no more go.

    Args:
        store: where.
        now: the moment up to which days are over; the present one if not given.

    Returns:
        How many days were added up.
    """
    days = store.query(_query("days_to_add_up.sql"), {"now": now or datetime.now(UTC)})
    added = sum(_add(store, {**row, "day": row["day"].replace(tzinfo=UTC)}) for row in days)
    gone = [row["made_from"] for row in store.query(_query("days_gone_by.sql"))] if days else []
    if gone:
        for node in (store.shard(number) for number in range(store.shards)):
            node.command(_query("remove_days.sql"), {"gone": gone})
    return added


def _add(store: Store, day: Mapping[str, Any]) -> bool:
    """Adds up one day in one block, so it is there whole or not at all; not where an hour has been settled again meanwhile."""
    hours = [row["settlement"] for row in store.query(_query("settlements_of_day.sql"), day)]
    if sum(hours) % 2**64 != day["made_from"]:
        return False
    store.command(_query("add_up_day.sql"), {**day, "hours": hours})
    return True


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
