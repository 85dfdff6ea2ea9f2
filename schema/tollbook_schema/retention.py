"""How long facts are kept: a time to live on the fact tables, counted from the day of arrival. What is derived from them stays.

Rows leave in whole parts (`ttl_only_drop_parts`), and a part holds rows of one day of arrival only, so it costs nothing. A window
whose facts have begun to leave is not settled again: see `tollbook_attribution.engine`.
"""

from dataclasses import dataclass

from tollbook_schema import sql
from tollbook_schema.store import Reads, Store

FACTS = ("spans", "long_spans", "metrics", "logs")
CONTENT = "span_content"


@dataclass(frozen=True)
class Retention:
    """Days from arrival that facts are kept, 0 for ever."""

    facts_days: int = 0
    """Spans, metrics and logs."""
    content_days: int = 0
    """Prompts, completions and other content; never longer than the spans they belong to."""

    @property
    def days_by_table(self) -> dict[str, int]:
        """Days of each fact table."""
        content_days = min((days for days in (self.content_days, self.facts_days) if days), default=0)
        return {**dict.fromkeys(FACTS, self.facts_days), CONTENT: content_days}


def apply(store: Store, wanted: Retention) -> None:
    """Makes the tables keep their rows as long as wanted; those that do already are left alone.

    Raises:
        StoreError: a table cannot be changed at present.
    """
    for number in range(store.shards):
        node = store.shard(number)
        for row in node.query(sql.text("tollbook_schema", "queries/kept_days.sql")):
            days = wanted.days_by_table[row["facts"]]
            if days and days != row["days"]:
                node.command(sql.text("tollbook_schema", "queries/keep_days.sql"), {"table": row["table"], "days": days})
            elif days != row["days"]:
                node.command(sql.text("tollbook_schema", "queries/keep_for_ever.sql"), {"table": row["table"]})


def in_force(store: Reads) -> dict[str, int]:
    """Days that each fact table keeps its rows, 0 for ever."""
    return {row["facts"]: int(row["days"]) for row in store.query(sql.text("tollbook_schema", "queries/kept_days.sql"))}
