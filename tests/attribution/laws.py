"""The ledger's law, asked of the views that people read."""

from tollbook_attribution import settle
from tollbook_schema.store import Store, StoreError

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

UNBALANCED = """
WITH (SELECT max(settlement) FROM resource_costs_settled) AS newest,
unlike AS (
    SELECT category, resource, sum(paid) AS costs, sum(booked) AS lines
    FROM (
        SELECT toString(category) AS category, toString(resource) AS resource, amount_usd AS paid, toDecimal128(0, 18) AS booked
        FROM resource_costs_settled WHERE settlement = newest
        UNION ALL
        SELECT toString(category), toString(resource), toDecimal128(0, 18), amount_usd
        FROM ledger_settled WHERE settlement = newest
    )
    GROUP BY category, resource
    HAVING costs != lines
)
SELECT u.costs AS resource_costs, u.lines AS lines_sum, l.* EXCEPT (tenant)
FROM unlike AS u
LEFT JOIN (SELECT * FROM ledger_settled WHERE settlement = newest) AS l
    ON u.resource = toString(l.resource) AND u.category = toString(l.category)
ORDER BY ALL
"""


def settle_or_tell(store: Store) -> None:
    """Settles; where that ends because the ledger does not balance, the error holds every line of what does not."""
    try:
        settle(store)
    except StoreError as error:
        for row in store.query(UNBALANCED):
            error.add_note(str(row))
        raise


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
