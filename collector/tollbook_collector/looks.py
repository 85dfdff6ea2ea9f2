"""What a file that is no OTLP looks like, in words for the person who tried to ingest it. Pure."""

from collections.abc import Collection, Mapping

FORMATS: tuple[tuple[Collection[str], str], ...] = (
    (("trace", "observations"), "a Langfuse export"),
    (("resource_spans",), "OTLP with snake_case keys; OTLP/JSON has lowerCamelCase ones"),
    (("resource_metrics",), "OTLP with snake_case keys; OTLP/JSON has lowerCamelCase ones"),
    (("resource_logs",), "OTLP with snake_case keys; OTLP/JSON has lowerCamelCase ones"),
    (("$schema",), "a JSON schema"),
    (("$defs",), "a JSON schema"),
    (("data", "total"), "a Jaeger export"),
    (("traceID", "spans"), "a Jaeger trace"),
    (("trace_id", "spans"), "another tool's trace export (trace_id, spans)"),
    (("traceId", "duration", "localEndpoint"), "a Zipkin span"),
    (("transport", "path", "headers"), "the headers of a captured request, without its body"),
    (("metric_name", "minutes_ago"), "a metric of sample data with relative times (minutes_ago)"),
    (("severity", "minutes_ago"), "a log record of sample data with relative times (minutes_ago)"),
    (("name", "minutes_ago"), "a span of sample data without ids and with relative times (minutes_ago)"),
)


def of_json(tree: object) -> str:
    """What a JSON document that is no export request looks like."""
    if isinstance(tree, list):
        return f"an array of {len(tree)}, the first {of_json(tree[0])}" if tree else "an empty array"
    if not isinstance(tree, Mapping):
        return f"a single JSON value, {str(tree)[:40]!r}"
    for keys, name in FORMATS:
        if all(key in tree for key in keys):
            return name
    if sum("." in key for key in tree) * 2 >= len(tree) > 0:
        return "a dictionary of span attributes, without a span around it"
    return f"a JSON object with the keys {', '.join(list(tree)[:6]) or '(none)'}"


def of_bytes(data: bytes) -> str:
    """What bytes that are no export request look like."""
    try:
        text = data[:65536].decode("utf-8", "strict" if len(data) < 65536 else "ignore")
    except UnicodeDecodeError:
        return f"binary data that starts with {data[:8].hex(' ')}"
    if any(ord(character) < 32 and character not in "\t\r\n\f" for character in text):
        return f"binary data that starts with {data[:8].hex(' ')}"
    lines = text.splitlines()[:5]
    commas = {line.count(",") for line in lines}
    return "CSV" if len(lines) > 1 and len(commas) == 1 and commas != {0} else f"text that starts with {lines[0][:40]!r}"
