"""Spans that begin and end at the same instants share a device once, in whatever order the engine reads them."""

import pytest
from tollbook_attribution import engine, settle
from tollbook_attribution.ranges import Range
from tollbook_schema.store import Store

HOLDS = """
INSERT INTO work_holds (settlement, device, slice, state, trace_id, span_id, weight, start_ns, end_ns)
SELECT
    1, concat('GPU-', toString(intDiv(number, 4) % 2)), '', if(number % 5 < 3, 'active', 'held'),
    toFixedString(leftPad(toString(number), 16, '0'), 16), toFixedString(leftPad(toString(number), 8, '0'), 8), 1,
    450 * (cityHash64(number, {part:UInt8}) % 8) AS begin_ns, begin_ns + 450 * (1 + cityHash64(number, 'until') % 3)
FROM numbers(80000)
WHERE number % 4 = {part:UInt8}
"""
SHARED = """
SELECT device, toFloat64(sum(units)) / 281474976710656 AS shared_ns,
    (SELECT max(end_ns) - min(start_ns) FROM work_holds WHERE settlement = 1) AS held_ns
FROM work_shares WHERE settlement = 1
GROUP BY device
"""


@pytest.mark.long
def test_events_of_one_instant_count_its_time_once(store: Store) -> None:
    settle(store)
    node = store.node("any")
    node.command("INSERT INTO work_held_spans (settlement) VALUES (1)")
    for part in range(4):
        node.command(HOLDS, {"part": part})
    for _ in range(5):
        node.command("TRUNCATE TABLE work_shares")
        engine.run_step(node, "48_accelerator_shares.sql", {"settlement": 1, "tenant": ""}, [Range()])
        for row in node.query(SHARED):
            assert abs(row["shared_ns"] - row["held_ns"]) < 1e-6, row
