-- Whose is this trace?
SELECT DISTINCT toString(tenant) AS tenant FROM spans WHERE trace_id = unhex({trace_id:String}) ORDER BY tenant
