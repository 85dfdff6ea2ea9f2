-- Which copies of assets were made, changed or deleted?
-- A write or copy that names an asset, a storage class and a size that can be leaves a copy of it at the destination; a deletion, or the end of its retention, ends it.
-- Where there is: work_exchanges
INSERT INTO storage_events_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    e.trace_id AS trace_id, e.span_id AS span_id, e.end_time AS time, e.asset_id AS asset_id,
    if(e.destination != '', e.destination, e.source) AS location,
    e.storage_provider AS provider, e.storage_class AS storage_class,
    if(e.to_region != '', e.to_region, e.region) AS region,
    if(e.operation = 'delete', 0, toUInt64(e.out_bytes)) AS bytes,
    e.retention_s AS retention_s,
    s.service_name AS service_name, s.workflow AS workflow, s.team AS team, s.project AS project, s.feature AS feature, s.customer AS customer,
    s.environment AS environment,
    e.account AS account
FROM (
    SELECT * FROM work_exchanges
    WHERE settlement = {settlement:UInt64} AND asset_id != '' AND (operation = 'delete' OR (
        operation IN ('write', 'copy') AND out_bytes > 0 AND out_bytes < 1000000000000000000 AND storage_class != ''
    ))
) AS e
LEFT ANY JOIN (SELECT * FROM work_spans WHERE settlement = {settlement:UInt64}) AS s ON e.trace_id = s.trace_id AND e.span_id = s.span_id
