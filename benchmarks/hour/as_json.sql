-- Some of the spans with all their attributes as JSON, as tools that store in SQLite keep them.
SELECT SpanId AS span_id, toUnixTimestamp(Timestamp) AS started, toJSONString(SpanAttributes) AS attributes FROM otel_traces LIMIT {rows:UInt64}
