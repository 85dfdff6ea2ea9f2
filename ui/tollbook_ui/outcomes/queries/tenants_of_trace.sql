-- Whose is this trace?
SELECT toString(tenant) AS tenant FROM spans WHERE trace_id = unhex({trace_id:String}) LIMIT 1
