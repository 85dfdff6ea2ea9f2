-- What does each service see, library by library, and why does it not see the others? As each of them said last in the period.
SELECT
    service_name AS service,
    attributes['tollbook.instrumentation.name'] AS name,
    argMax(attributes['tollbook.instrumentation.state'], time) AS state
FROM metrics
WHERE metrics.name = 'tollbook.instrumentation' AND time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')}
GROUP BY service, name
ORDER BY service, name
