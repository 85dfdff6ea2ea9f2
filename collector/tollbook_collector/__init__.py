"""The collector: OTLP in, a durable spool, one INSERT per segment into the store."""
