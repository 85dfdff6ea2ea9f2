"""The ledger's law, asked of the views that people read."""

from tollbook_schema.store import Store

BALANCE = """
SELECT window, category, resource, sum(paid) AS paid, sum(booked) AS booked
FROM (
    SELECT window, category, resource, amount_usd AS paid, toDecimal128(0, 18) AS booked FROM resource_costs
    UNION ALL
    SELECT window, category, resource, toDecimal128(0, 18) AS paid, amount_usd AS booked FROM ledger
)
GROUP BY window, category, resource
"""

PARTS = """
SELECT
    (SELECT ifNull(sum(cost_usd), 0) FROM requests) AS requests,
    (SELECT sum(amount_usd) FROM ledger WHERE allocation = 'idle') AS idle,
    (SELECT sum(amount_usd) FROM ledger WHERE allocation IN ('unattributed', 'shared')) AS unattributed,
    (SELECT sum(amount_usd) FROM resource_costs) AS total,
    (SELECT sum(cost_usd) FROM span_costs) AS spans,
    (SELECT sum(amount_usd) FROM ledger WHERE span_id = toFixedString('', 8)) AS of_no_span,
    (SELECT sum(amount_usd) FROM costs) AS rolled,
    (SELECT min(amount_usd) FROM ledger) AS least,
    (SELECT count() - uniqExact(window, line_id) FROM ledger) AS doubled
"""


def assert_the_ledger_balances(store: Store) -> None:
    """Every resource's lines sum to its cost, and requests, idle and unattributed money sum to everything."""
    for row in store.query(BALANCE):
        assert row["paid"] == row["booked"], row
    [parts] = store.query(PARTS)
    assert parts["requests"] + parts["idle"] + parts["unattributed"] == parts["total"], parts
    assert parts["spans"] + parts["of_no_span"] == parts["total"], parts
    assert parts["rolled"] == parts["total"], parts
    assert parts["least"] >= 0, parts
    assert parts["doubled"] == 0, parts
