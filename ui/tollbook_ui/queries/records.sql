-- How many spans, data points and log records are stored?
SELECT (SELECT count() FROM spans) + (SELECT count() FROM metrics) + (SELECT count() FROM logs) AS records
