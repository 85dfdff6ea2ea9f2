"""Hours that must be settled, or settled again, though none of their own facts have changed."""

from datetime import UTC, datetime

from tollbook_schema import sql
from tollbook_schema.store import Store

from tollbook_attribution import edges, long_spans

Hour = tuple[str, datetime]
"""A tenant and the start of an hour."""


def hours(store: Store, now: datetime | None = None) -> list[Hour]:
    """Hours that follow from what has come into others.

    Their bytes have come into other tiers of the month; they are last hours of days whose storage is not booked so, nor what
    was paid ahead for hours that nothing was heard of; they have calls that go over an edge, and more spans of these have come
    beside it; or spans ran on into them, and more has come of the traces of these.

    All follow from other hours: after one settlement of what is found here, nothing is.

    Args:
        store: where.
        now: the moment up to which days are over; the present one if not given.
    """
    known = store.query(_query("known_data.sql"))[0]
    moved = store.query(_query("moved_tiers.sql")) if known["volumes"] else []
    stored = store.query(_query("moved_storage.sql"), {"now": now or datetime.now(UTC)}) if known["copies"] else []
    quiet = store.query(_query("moved_commitments.sql"), {"now": now or datetime.now(UTC)}) if known["commitments"] else []
    found = {(row["tenant"], row["window"].replace(tzinfo=UTC)) for row in (*moved, *stored, *quiet)}
    ran_on = long_spans.changed(store) if known["long_spans"] else []
    return sorted(found | {*edges.changed(store), *ran_on}, key=lambda hour: hour[::-1])


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
