-- Which processes, machines and accelerators did the request run on, most spans first?
SELECT
    service_name,
    service_instance_id,
    host_id,
    host_name,
    host_type,
    cloud_region,
    k8s_pod_name,
    accelerator_id,
    accelerator_model,
    site,
    tier,
    uniqExact(span_id) AS spans
FROM spans
WHERE trace_id = unhex({trace_id:String})
GROUP BY ALL
ORDER BY spans DESC, service_name, service_instance_id, host_id, accelerator_id
