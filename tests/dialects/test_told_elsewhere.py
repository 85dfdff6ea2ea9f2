"""Usage that only log records or metrics tell of is found; where spans tell of it, it is not added."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from tollbook_attribution import settle
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, S, _nanoseconds, _pairs, chat, span_id, trace_id

CLAUDE = "com.anthropic.claude_code.events"
CALLS = """
SELECT hex(trace_id) != repeat('0', 32) AS of_trace, service_name, response_model, model, buckets, flags, role, cost_usd
FROM calls ORDER BY service_name, model, role
"""


def log(
    service: str, attributes: Mapping[str, Any], event: str = "", scope: str = "", trace: int = 0, span: int = 0, second: int = 10
) -> bytes:
    """A request of one log record."""
    export = ExportLogsServiceRequest()
    resource = export.resource_logs.add()
    resource.resource.attributes.extend(_pairs({"service.name": service, "tollbook.team": "code"}))
    logs = resource.scope_logs.add()
    logs.scope.name = scope
    record = logs.log_records.add(
        time_unix_nano=_nanoseconds(NOON) + second * 10**9, event_name=event, attributes=_pairs(attributes)
    )
    if trace:
        record.trace_id, record.span_id = trace_id(trace), span_id(span)
    return bytes(export.SerializeToString())


def counter(
    service: str, name: str, growth: list[tuple[int, float]], attributes: Mapping[str, Any], start_s: int = -7_200
) -> bytes:
    """A request of one cumulative series: seconds from noon, and how much it was then."""
    export = ExportMetricsServiceRequest()
    resource = export.resource_metrics.add()
    resource.resource.attributes.extend(_pairs({"service.name": service}))
    metric = resource.scope_metrics.add().metrics.add(name=name)
    metric.sum.aggregation_temporality, metric.sum.is_monotonic = 2, True
    for second, value in growth:
        metric.sum.data_points.add(
            start_time_unix_nano=_nanoseconds(NOON + timedelta(seconds=start_s)),
            time_unix_nano=_nanoseconds(NOON + timedelta(seconds=second)),
            as_double=value,
            attributes=_pairs(attributes),
        )
    return bytes(export.SerializeToString())


def histogram(service: str, kind: str, total: float, model: str, scope: str = "", exponential: bool = False) -> bytes:
    """A request of one point of `gen_ai.client.token.usage`, with what came since the last one."""
    export = ExportMetricsServiceRequest()
    resource = export.resource_metrics.add()
    resource.resource.attributes.extend(_pairs({"service.name": service}))
    metrics = resource.scope_metrics.add()
    metrics.scope.name = scope
    metric = metrics.metrics.add(name="gen_ai.client.token.usage")
    buckets = metric.exponential_histogram if exponential else metric.histogram
    buckets.aggregation_temporality = 1
    attributes = {"gen_ai.token.type": kind, "gen_ai.request.model": model, "gen_ai.system": "openai"}
    point = buckets.data_points.add(time_unix_nano=_nanoseconds(NOON) + 1, count=2, attributes=_pairs(attributes))
    point.sum = total
    return bytes(export.SerializeToString())


REQUEST = {
    "event.name": "api_request",
    "model": "claude-sonnet-4-5",
    "input_tokens": "12",
    "output_tokens": "7",
    "cache_read_tokens": "2000",
    "cache_creation_tokens": "300",
    "cost_usd": "0.001866",
    "duration_ms": "1500",
}
DETAILS = "gen_ai.client.inference.operation.details"
TOLD = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
COUNTS = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 5}
BUCKETS = {"input": 100, "output": 5}
GEMINI = {
    "event.name": "gemini_cli.api_response",
    "model": "gemini-2.5-pro",
    "input_token_count": 1_000,
    "output_token_count": 40,
}
GEMINI |= {"cached_content_token_count": 800, "thoughts_token_count": 60, "tool_token_count": 5, "total_token_count": 1_105}
STANDARD = {"event.name": DETAILS, "gen_ai.operation.name": "generate_content", "gen_ai.provider.name": "gcp.gemini"}
STANDARD |= {"gen_ai.request.model": "gemini-2.5-pro"}
CODEX = {"event.name": "codex.sse_event", "event.kind": "response.completed", "model": "gpt-5.1", "input_token_count": "100"}
CODEX |= {"output_token_count": "10", "cached_token_count": "40", "reasoning_token_count": "5", "tool_token_count": "110"}


def found(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Counted calls by service: buckets, flags, and whether they are of a request."""
    calls: dict[str, list[tuple[Any, ...]]] = {}
    for row in store.query(CALLS):
        if row["role"] == "counted":
            told = [flag for flag in row["flags"] if flag.startswith("from_")]
            calls.setdefault(row["service_name"], []).append((row["buckets"], told, bool(row["of_trace"])))
    return calls


def test_records_count_where_spans_do_not_tell(store: Store, intake: Intake) -> None:
    intake.spans([
        chat(1, 1, service="told by its span", input=100, output=5),
        chat(2, 1, service="bare span"),
        chat(3, 1, service="told by spans of its model", input=7, output=1),
    ])  # fmt: skip
    for body in (
        log("claude", REQUEST, scope=CLAUDE),
        log("claude, sent twice", REQUEST, scope=CLAUDE),
        log("claude, sent twice", REQUEST, scope=CLAUDE),
        log("told by its span", TOLD | COUNTS, event=DETAILS, trace=1, span=1),
        log("bare span", TOLD | COUNTS, event=DETAILS, trace=2, span=1),
        log("told by spans of its model", TOLD | COUNTS, event=DETAILS),
        log("no span at all", TOLD | COUNTS, event=DETAILS, trace=9, span=9),
        log("something else", TOLD | COUNTS, event="gen_ai.evaluation.result"),
    ):
        intake._load("logs", body)
    for body in (
        log("gemini", STANDARD),
        log("gemini", GEMINI),
        log("gemini", STANDARD | {"gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 40}, second=11),
        log("codex", CODEX),
        log("codex", {"event.name": "codex.sse_event", "event.kind": "response.created", "model": "gpt-5.1"}),
        log("nothing else in its hour", CODEX, second=7_200),
    ):
        intake._load("logs", body)
    settle(store)
    claude = ({"input": 12, "cache_read": 2_000, "cache_write": 300, "output": 7}, ["from_logs"], True)
    codex = ({"input": 60, "cache_read": 40, "output": 5, "reasoning": 5}, ["from_logs"], True)
    assert found(store) == {
        "claude": [claude],
        "claude, sent twice": [claude],
        "told by its span": [(BUCKETS, [], True)],
        "bare span": [(BUCKETS, ["from_logs"], True)],
        "told by spans of its model": [({"input": 7, "output": 1}, [], True)],
        "no span at all": [(BUCKETS, ["from_logs"], True)],
        "gemini": [({"input": 205, "cache_read": 800, "output": 40, "reasoning": 60}, ["from_logs"], True)],
        "codex": [codex],
        "nothing else in its hour": [codex],
    }
    assert store.query("SELECT DISTINCT team FROM ledger WHERE service_name = 'claude'") == [{"team": "code"}]


def test_a_record_of_a_span_of_the_hour_before_counts_once(store: Store, intake: Intake) -> None:
    intake.spans([
        chat(1, 1, service="telling", input=100, output=5, start_ns=-5 * S, duration_ns=20 * S),
        chat(2, 1, service="bare", start_ns=-5 * S, duration_ns=20 * S),
        chat(3, 1, service="bare", input=7, output=1),
        chat(4, 1, service="its record is late", start_ns=-5 * S, duration_ns=20 * S),
    ])  # fmt: skip
    for service, trace in (("telling", 1), ("bare", 2), ("its span is late", 5)):
        intake._load("logs", log(service, TOLD | COUNTS, event=DETAILS, trace=trace, span=1))
    settle(store)
    late = chat(5, 1, service="its span is late", start_ns=-5 * S, duration_ns=20 * S)
    intake.spans([late])
    intake._load("logs", log("its record is late", TOLD | COUNTS, event=DETAILS, trace=4, span=1))
    settle(store)
    assert settle(store).windows == 0
    of_record = (BUCKETS, ["from_logs"], True)
    assert {service: sorted(calls, key=str) for service, calls in found(store).items()} == {
        "bare": [of_record, ({"input": 7, "output": 1}, [], True)],
        "its record is late": [of_record],
        "its span is late": [of_record],
        "telling": [(BUCKETS, [], True)],
    }
    hours = store.query("SELECT DISTINCT window FROM calls WHERE role = 'counted' AND has(flags, 'from_logs')")
    assert [row["window"].hour for row in hours] == [11]


def test_metrics_count_where_nothing_else_tells(store: Store, intake: Intake) -> None:
    intake.spans([chat(1, 1, service="told by spans", input=100, output=5)])
    usage = "gen_ai.client.inference.usage."
    named = {"gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}
    claude = {"model": "claude-sonnet-4-5"}
    for body in (
        histogram("told by spans", "input", 100, "gpt-4o"),
        histogram("old metrics", "input", 300, "gpt-4o"),
        histogram("old metrics", "output", 20, "gpt-4o"),
        histogram("with cached input", "input", 300, "gpt-4o"),
        histogram("with cached input", "cached_input", 100, "gpt-4o"),
        histogram("with cached input", "output", 20, "gpt-4o"),
        histogram("with cached input", "total", 320, "gpt-4o"),
        histogram("two tellers", "input", 300, "gpt-4o", scope="framework"),
        histogram("two tellers", "output", 20, "gpt-4o", scope="framework"),
        histogram("two tellers", "prompt_tokens", 300, "gpt-4o", scope="client"),
        histogram("two tellers", "completion_tokens", 20, "gpt-4o", scope="client"),
        histogram("two tellers", "cached", 200, "gpt-4o", scope="client"),
        histogram("no model", "input", 300, "", exponential=True),
        histogram("no model", "output", 20, "", exponential=True),
        counter("counts from zero again", "gen_ai.usage.input_tokens", [(-60, 1_000), (60, 1_200), (120, 50), (180, 80)], named),
        counter("new metrics", f"{usage}input_tokens", [(-60, 1_000), (60, 1_200), (1_800, 1_500)], named),
        counter("new metrics", f"{usage}cache_read.input_tokens", [(-60, 10), (60, 60)], named),
        counter("new metrics", f"{usage}output_tokens", [(60, 40)], named, start_s=30),
        counter("claude", "claude_code.token.usage", [(60, 12)], claude | {"type": "input"}, start_s=1),
        counter("claude", "claude_code.token.usage", [(60, 2_000)], claude | {"type": "cacheRead"}, start_s=1),
        counter("claude", "claude_code.token.usage", [(60, 7)], claude | {"type": "output"}, start_s=1),
        *(
            counter("codex", "codex.turn.token_usage", [(60, amount)], {"model": "gpt-4o", "token_type": kind}, start_s=1)
            for kind, amount in {"total": 350, "input": 300, "cached_input": 100, "output": 50, "reasoning_output": 20}.items()
        ),
        *(
            counter("gemini", "gemini_cli.token.usage", [(60, amount)], {"model": "gemini-2.5-pro", "type": kind}, start_s=1)
            for kind, amount in {"input": 300, "cache": 100, "output": 50, "thought": 70, "tool": 10}.items()
        ),
        histogram("gemini", "input", 300, "gemini-2.5-pro", scope="gemini-cli"),
        histogram("gemini", "output", 50, "gemini-2.5-pro", scope="gemini-cli"),
        counter("began before, first heard of now", f"{usage}input_tokens", [(60, 900), (120, 950)], named),
    ):
        intake._load("metrics", body)
    settle(store)
    told = ["from_metrics"]
    assert found(store) == {
        "told by spans": [(BUCKETS, [], True)],
        "old metrics": [({"input": 300, "output": 20}, told, False)],
        "with cached input": [({"input": 200, "cache_read": 100, "output": 20}, told, False)],
        "two tellers": [({"input": 100, "cache_read": 200, "output": 20}, told, False)],
        "no model": [({"input": 300, "output": 20}, told, False)],
        "counts from zero again": [({"input": 280}, told, False)],
        "new metrics": [({"input": 450, "cache_read": 50, "output": 40}, told, False)],
        "claude": [({"input": 12, "cache_read": 2_000, "output": 7}, told, False)],
        "codex": [({"input": 200, "cache_read": 100, "output": 30, "reasoning": 20}, told, False)],
        "gemini": [({"input": 210, "cache_read": 100, "output": 50, "reasoning": 70}, told, False)],
        "began before, first heard of now": [({"input": 50}, told, False)],
    }
    unattributed = "SELECT DISTINCT allocation FROM ledger WHERE service_name = 'old metrics'"
    assert store.query(unattributed) == [{"allocation": "unattributed"}]
