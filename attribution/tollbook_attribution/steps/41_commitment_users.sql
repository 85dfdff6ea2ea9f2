-- Which requests use seats and subscriptions? The requests of the service that they name, of any where they name none.
-- A seat is used by each person of the hour, and shared by the person's requests.
-- A fee for a service paid by use, such as a vector database or a tool, is borne by those who asked it, by quantity where they tell one; of spans
-- that tell of it inside each other the inner one counts.
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
FROM used;

INSERT INTO work_committed
WITH fees AS (
    SELECT commitment_id, lower(covers) AS service FROM work_commitments WHERE settlement = {settlement:UInt64} AND unit = 'use'
),
asked AS (
    SELECT
        trace_id, span_id, parent_span_id, start_time, attributes['tollbook.service.quantity'] AS said,
        lower(multiIf(attributes['tollbook.service.name'] != '', attributes['tollbook.service.name'], db_system != '', toString(db_system), toString(tool_name))) AS service
    FROM spans
    WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
        AND (SELECT count() FROM fees) > 0 AND (db_system != '' OR tool_name != '' OR attributes['tollbook.service.name'] != '')
        AND service IN (SELECT service FROM fees)
    ORDER BY trace_id, span_id, received_at DESC, said
    LIMIT 1 BY trace_id, span_id
)
SELECT
    {settlement:UInt64} AS settlement, f.commitment_id AS commitment_id, a.trace_id AS trace_id, a.span_id AS span_id, a.start_time AS start_time,
    if(toDecimal128OrZero(a.said, 9) > 0 AND toDecimal128OrZero(a.said, 9) < 1000000000000000, toDecimal128OrZero(a.said, 9), toDecimal128(1, 9)) AS used
FROM asked AS a
INNER JOIN fees AS f ON a.service = f.service
WHERE (a.trace_id, a.span_id, a.service) NOT IN (SELECT trace_id, parent_span_id, service FROM asked)
    AND (a.trace_id, a.span_id) IN (SELECT trace_id, span_id FROM work_spans WHERE settlement = {settlement:UInt64})
