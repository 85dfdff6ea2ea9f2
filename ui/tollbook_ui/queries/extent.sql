-- What does the store hold at all, and when was it last settled?
-- First and last are read in the order that spans are kept in, so from one granule each.
SELECT
    (SELECT count() FROM spans) AS spans,
    (SELECT start_time FROM spans ORDER BY intDiv(toInt64(start_time), 60), start_time LIMIT 1) AS first,
    (SELECT start_time FROM spans ORDER BY intDiv(toInt64(start_time), 60) DESC, start_time DESC LIMIT 1) AS last,
    (SELECT count() FROM requests) AS requests,
    (SELECT minOrNull(start_time) FROM requests) AS first_request,
    (SELECT maxOrNull(start_time) FROM requests) AS last_request,
    (SELECT maxOrNull(settled_at) FROM settlements) AS settled_at,
    (SELECT minOrNull(window) FROM settlements) AS first_hour,
    (SELECT maxOrNull(window) FROM settlements) AS last_hour
