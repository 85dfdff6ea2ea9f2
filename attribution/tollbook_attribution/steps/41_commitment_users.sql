-- Which requests use seats and subscriptions? The requests of the service that they name, of any where they name none.
-- A seat is used by each person of the hour, and shared by the person's requests.
-- Where there is: work_commitments
INSERT INTO work_committed
WITH heads AS (
    SELECT trace_id, argMin(span_id, (tollbook_kind != 'request', parent_span_id != toFixedString('', 8), start_time, span_id)) AS head_id,
        min(start_time) AS begun, groupUniqArray(service_name) AS services
    FROM work_spans
    WHERE settlement = {settlement:UInt64} AND trace_id != toFixedString('', 16)
    GROUP BY trace_id
),
people AS (
    SELECT trace_id, max(user_id) AS person
    FROM spans
    WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')} AND user_id != ''
    GROUP BY trace_id
),
used AS (
    SELECT h.trace_id AS trace_id, h.head_id AS head_id, h.begun AS start_time, c.commitment_id AS commitment_id, c.unit AS unit, p.person AS person
    FROM heads AS h
    CROSS JOIN (SELECT * FROM work_commitments WHERE settlement = {settlement:UInt64} AND unit IN ('request', 'seat')) AS c
    LEFT ANY JOIN people AS p ON h.trace_id = p.trace_id
    WHERE (c.covers = '' OR has(h.services, c.covers)) AND (c.unit != 'seat' OR p.person != '')
)
SELECT
    {settlement:UInt64} AS settlement, commitment_id, trace_id, head_id AS span_id, start_time,
    if(unit = 'seat', toDecimal128(1, 9) / toInt64(count() OVER (PARTITION BY commitment_id, person)), toDecimal128(1, 9)) AS used
FROM used
