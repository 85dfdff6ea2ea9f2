"""Spans as services of the field name them, labelled by hand with what they are for; the rules are held to it."""

from typing import Any, NamedTuple

from tests.attribution.facts import Span


class Labelled(NamedTuple):
    """A span, and what a person says it is."""

    label: str
    name: str
    kind: str = "internal"
    service: str = "svc"
    attributes: dict[str, Any] = {}  # noqa: RUF012 - never changed


LABELLED = (
    Labelled("useful", "chat gpt-4o", "client", attributes={"gen_ai.operation.name": "chat"}),
    Labelled("useful", "embeddings", "client", attributes={"gen_ai.operation.name": "embeddings"}),
    Labelled("useful", "ChatCompletion", attributes={"openinference.span.kind": "LLM"}),
    Labelled("useful", "rerank_documents", attributes={"openinference.span.kind": "RERANKER"}),
    Labelled("useful", "invoke_agent planner", attributes={"gen_ai.operation.name": "invoke_agent"}),
    Labelled("useful", "execute_tool get_weather", attributes={"gen_ai.operation.name": "execute_tool"}),
    Labelled("useful", "classify", attributes={"tollbook.kind": "inference"}),
    Labelled("useful", "retrieve", attributes={"openinference.span.kind": "RETRIEVER"}),
    Labelled("useful", "score_applicants"),
    Labelled("useful", "SELECT orders", "client", attributes={"db.system.name": "postgresql"}),
    Labelled("glue", "crm_adapter.fetch_account"),
    Labelled("glue", "SalesforceConnector.get"),
    Labelled("glue", "POST /webhook/stripe", "server"),
    Labelled("glue", "legacy_bridge"),
    Labelled("glue", "retry with backoff"),
    Labelled("glue", "upload report to sftp", "client"),
    Labelled("glue", "download invoice pdf", "client"),
    Labelled("glue", "wait_for_export"),
    Labelled("glue", "resolve_id"),
    Labelled("middleware", "orders publish", "producer", attributes={"messaging.system": "kafka"}),
    Labelled("middleware", "orders process", "consumer", attributes={"messaging.system": "rabbitmq"}),
    Labelled("middleware", "middleware - corsMiddleware"),
    Labelled("middleware", "ingress /api", "server", "envoy"),
    Labelled("middleware", "GET /v2/items", "server", "api-gateway"),
    Labelled("middleware", "rate_limit check"),
    Labelled("middleware", "authenticate request"),
    Labelled("middleware", "sqs poll", "client"),
    Labelled("middleware", "HTTP proxy request", "client"),
    Labelled("sync", "sync_customers"),
    Labelled("sync", "nightly export job"),
    Labelled("sync", "Replicate table orders"),
    Labelled("sync", "cdc orders"),
    Labelled("sync", "reindex documents"),
    Labelled("sync", "refresh_materialized_view"),
    Labelled("sync", "InventorySyncJob.run"),
    Labelled("sync", "backfill embeddings"),
    Labelled("sync", "airflow.task etl_load"),
    Labelled("transform", "json.parse"),
    Labelled("transform", "serialize_response"),
    Labelled("transform", "convert_to_parquet"),
    Labelled("transform", "chunk document"),
    Labelled("transform", "normalize_address"),
    Labelled("transform", "decode protobuf"),
    Labelled("transform", "tokenize prompt"),
    Labelled("transform", "DataFrame.to_csv"),
    Labelled("transform", "reformat rows", attributes={"tollbook.handoff.operation": "transform"}),
    Labelled("logging", "write_audit_record"),
    Labelled("logging", "POST", "client", attributes={"server.address": "loki.internal"}),
    Labelled("logging", "POST /v1/traces", "client"),
    Labelled("logging", "logger.flush"),
    Labelled("logging", "emit_metric"),
    Labelled("logging", "HTTP POST", "client", attributes={"server.address": "http-intake.logs.datadoghq.com"}),
    Labelled("logging", "PUT", "client", attributes={"server.address": "o1.ingest.sentry.io"}),
    Labelled("logging", "audit trail"),
)


def spans() -> list[Span]:
    """Each labelled span in a trace of its own, numbered from 1 on."""
    return [
        Span(number, number * 10, name=row.name, kind=row.kind, service=row.service, attributes=row.attributes)
        for number, row in enumerate(LABELLED, start=1)
    ]
