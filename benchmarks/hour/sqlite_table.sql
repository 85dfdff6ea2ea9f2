CREATE TABLE spans (span_id TEXT PRIMARY KEY, started INTEGER, attributes TEXT)
