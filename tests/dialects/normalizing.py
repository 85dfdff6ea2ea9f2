"""What the normalizer makes of the stored spans, without the steps that follow it."""

from datetime import timedelta
from typing import Any

from tollbook_attribution import edges, engine, leftovers, machine_names, ranges
from tollbook_schema import dialects
from tollbook_schema.store import Store

from tests.attribution.facts import NOON

FIRST_AFTER = "21"
"""The steps before it work out which calls there were."""


def normalized(store: Store) -> dict[int, dict[str, Any]]:
    """The rows of `work_calls` of the hour from noon, by the number of their trace."""
    engine._prepare(store)
    settlement = 1
    parameters = {
        "tenant": "default",
        "window": NOON,
        "until": NOON + timedelta(hours=1),
        "settlement": settlement,
        **dialects.load().parameters,
        **edges.parameters(NOON, NOON + timedelta(hours=1)),
        **machine_names.NONE,
    }
    node = store.shard(0)
    for step in engine.steps():
        if step < FIRST_AFTER:
            engine.run_step(node, step, parameters, [ranges.Range()])
    rows = store.query("SELECT * FROM work_calls WHERE settlement = 1")
    leftovers.remove(node, settlement, settlement)
    return {int.from_bytes(row["trace_id"], "big"): row for row in rows}
