"""Tiers of the month: which settled hours must be settled again, as hours before them have moved other bytes since."""

from datetime import UTC, datetime

from tollbook_schema import sql
from tollbook_schema.store import Store


def moved(store: Store) -> list[tuple[str, datetime]]:
    """Tenants and hours whose bytes now fall into other tiers than when they were settled, oldest first.

    Late data changes the bytes of its own hour only, so after these are settled again there are none.
    """
    rows = store.query(sql.text("tollbook_attribution", "queries/moved_tiers.sql"))
    return [(row["tenant"], row["window"].replace(tzinfo=UTC)) for row in rows]
