-- What is stored of one span?
SELECT
    * EXCEPT (trace_id, span_id, parent_span_id, `links.trace_id`, `links.span_id`),
    lower(hex(spans.trace_id)) AS trace_id,
    lower(hex(spans.span_id)) AS span_id,
    lower(hex(spans.parent_span_id)) AS parent_span_id,
    arrayMap(id -> lower(hex(id)), links.trace_id) AS link_trace_ids,
    arrayMap(id -> lower(hex(id)), links.span_id) AS link_span_ids
FROM spans
WHERE spans.trace_id = unhex({trace_id:String}) AND spans.span_id = unhex({span_id:String})
LIMIT 1
