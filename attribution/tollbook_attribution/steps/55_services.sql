-- Which services were asked that are paid by use, and how much of what did they take?
-- A span says so itself (`tollbook.service.*`), or by what its instrumentation counts: the cost of a database operation, read and write units. A
-- tool or a database that may as well run on own machines counts only where the price book has it. A quantity that cannot be is -1 here, a cost that
-- cannot be is not told.
-- Trace by trace.
-- Where there is: services
INSERT INTO work_services
SELECT
    {settlement:UInt64} AS settlement,
    trace_id, span_id, parent_span_id, start_time,
    used.1 AS service, used.2 AS product, used.3 AS item, used.4 AS quantity, used.5 AS reported, used.6 AS currency, used.7 AS known_only,
    account, region
FROM (
    SELECT
        s.trace_id AS trace_id, s.span_id AS span_id, s.parent_span_id AS parent_span_id, s.start_time AS start_time,
        s.cloud_account_id AS account, s.cloud_region AS region,
        lower(s.db_system) AS database,
        lower(s.attributes['tollbook.service.name']) AS named,
        toDecimal128OrNull(s.attributes['tollbook.service.cost'], 18) AS named_cost,
        toDecimal128OrNull(s.attributes['db.operation.cost'], 18) AS database_cost,
        toDecimal128OrNull(s.attributes['pinecone.usage.read_units'], 9) AS read_units,
        toDecimal128OrNull(s.attributes['pinecone.usage.write_units'], 9) AS write_units,
        s.attributes['tollbook.service.quantity'] AS quantity_said,
        toDecimal128OrNull(quantity_said, 9) AS told_quantity,
        named != '' OR isNotNull(database_cost) OR isNotNull(read_units) OR isNotNull(write_units) AS tells,
        NOT (ifNull(database_cost, 0) > 0) AND named = '' AS untold,
        CAST(NULL, 'Nullable(Decimal(38, 18))') AS no_cost,
        arrayJoin(arrayFilter(u -> u.1 != '' OR u.2 != '', [
            (
                named, s.attributes['tollbook.service.product'],
                if(s.attributes['tollbook.service.item'] != '', s.attributes['tollbook.service.item'], 'request'),
                multiIf(
                    quantity_said = '', toDecimal128(1, 9), told_quantity >= 0 AND told_quantity < 1000000000000000, assumeNotNull(told_quantity),
                    toDecimal128(-1, 9)
                ),
                if(named_cost > 0 AND named_cost < 1000000000000, named_cost, no_cost),
                if(s.attributes['tollbook.service.currency'] != '', upper(s.attributes['tollbook.service.currency']), 'USD'), false
            ),
            (
                if(named = '' AND database_cost > 0, if(database != '', database, 'database'), ''), '',
                'operation', toDecimal128(1, 9), if(database_cost < 1000000000000, database_cost, no_cost), 'USD', false
            ),
            (
                if(untold AND isNotNull(read_units), 'pinecone', ''), '', 'read_unit',
                if(read_units >= 0 AND read_units < 1000000000000000, assumeNotNull(read_units), toDecimal128(-1, 9)), no_cost, '', false
            ),
            (
                if(untold AND isNotNull(write_units), 'pinecone', ''), '', 'write_unit',
                if(write_units >= 0 AND write_units < 1000000000000000, assumeNotNull(write_units), toDecimal128(-1, 9)), no_cost, '', false
            ),
            (
                if(NOT tells AND s.kind IN ('client', 'internal', 'unspecified'), database, ''), '',
                'query', toDecimal128(1, 9), no_cost, '', database NOT IN ('pinecone', 'turbopuffer')
            ),
            (
                '', if(NOT tells AND database = '' AND lower(s.operation_name) = 'execute_tool', s.tool_name, ''),
                'request', toDecimal128(1, 9), no_cost, '', true
            )
        ])) AS used
    FROM (
        SELECT *
        FROM spans
        WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
            AND trace_id BETWEEN unhex({first_trace:String}) AND unhex({last_trace:String})
            AND (
                db_system != '' OR tool_name != ''
                OR hasAny(mapKeys(attributes), ['tollbook.service.name', 'db.operation.cost', 'pinecone.usage.read_units', 'pinecone.usage.write_units'])
            )
        ORDER BY trace_id, span_id, received_at DESC, duration_ns DESC, input_tokens DESC, output_tokens DESC, start_time, name,
            toString((db_system, tool_name, operation_name, attributes))
        LIMIT 1 BY trace_id, span_id
    ) AS s
)
SETTINGS short_circuit_function_evaluation = 'disable'
