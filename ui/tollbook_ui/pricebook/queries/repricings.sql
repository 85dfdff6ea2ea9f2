-- Which periods were settled again because somebody asked for it, and what did that change?
SELECT
    repricing_id, started_at, any(r.since) AS since, any(r.until) AS until, count() AS changes, sum(r.before_usd) AS before_usd, sum(r.after_usd) AS after_usd
FROM repricings AS r
GROUP BY repricing_id, started_at
ORDER BY started_at DESC
LIMIT {limit:UInt32}
